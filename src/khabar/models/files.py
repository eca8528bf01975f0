"""The files of a checkpoint: of a folder, or of a hub id; weights as safetensors, converted once where needed."""

import hashlib
import json
import os
import re
import shutil
import tempfile
from pathlib import Path

from khabar.config import EncoderConfig, locate
from khabar.errors import ConfigError

SAFE, BIN = "model.safetensors", "pytorch_model.bin"
WEIGHTS = ["*.safetensors", "*.safetensors.index.json", BIN]
TOKENIZER = ["tokenizer.json", "vocab.txt", "tokenizer_config.json", "special_tokens_map.json"]
DOWNLOAD = (
    "Without a network: download it where there is one (`hf download {id}`), then copy the folder here and set "
    "encoder.model=/path/to/folder, or copy the hub's cache (HF_HOME) and set HF_HUB_OFFLINE=1."
)


def find(config: EncoderConfig) -> tuple[Path, str]:
    """The folder of a checkpoint, and the revision it is of."""
    folder = locate(config.model)
    if folder.is_dir():
        return folder, "folder"
    if (
        folder.exists()
        or not re.fullmatch(r"\w[\w.-]*(/\w[\w.-]*)?", config.model)
        or config.model.startswith("seeds/")
    ):
        raise ConfigError(f"encoder.model={config.model}: there is no such folder, and it is no hub id (owner/name).")
    return _download(config)


def _download(config: EncoderConfig) -> tuple[Path, str]:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    wanted = ["config.json", *TOKENIZER, *([] if config.random_weights else WEIGHTS)]
    try:
        folder = Path(snapshot_download(config.model, revision=config.revision, allow_patterns=wanted))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ConfigError(
            f"encoder.model={config.model} is no folder here, and revision {config.revision!r} of it is neither in "
            f"the hub's cache nor to be had from the hub: {reason} {DOWNLOAD.format(id=config.model)}"
        ) from error
    return folder, folder.name


def weights(folder: Path) -> list[Path]:
    """The files of the weights, safetensors before pickle."""
    if (folder / SAFE).is_file():
        return [folder / SAFE]
    index = folder / f"{SAFE}.index.json"
    if index.is_file():
        return [index, *(folder / name for name in sorted(set(json.loads(index.read_text())["weight_map"].values())))]
    if (folder / BIN).is_file():
        return [folder / BIN]
    raise ConfigError(f"{folder} holds no weights: neither {SAFE} nor {BIN}.")


def converted(pickled: Path) -> Path:
    """A folder of the cache with the same tensors as safetensors; made once for each content of the file."""
    import torch
    from safetensors.torch import save_file

    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "khabar" / "encoders"
    home = cache / sha256(pickled)[:32]
    if (home / SAFE).is_file():
        return home
    try:
        tensors = torch.load(pickled, map_location="cpu", weights_only=True)
    except Exception as error:  # a pickle can fail in any way; what it holds was not run
        raise ConfigError(
            f"{pickled} holds more than tensors, or is damaged; it was not run. Take a model with {SAFE}, or convert "
            f"it where you trust it. ({type(error).__name__}: {str(error).strip().splitlines()[0]})"
        ) from error
    if not isinstance(tensors, dict) or not all(isinstance(tensor, torch.Tensor) for tensor in tensors.values()):
        raise ConfigError(f"{pickled} is no dictionary of tensors.")
    cache.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(dir=cache))
    try:
        # a clone each, because safetensors refuses tensors that share memory, as tied embeddings do
        save_file({key: tensor.clone().contiguous() for key, tensor in tensors.items()}, aside / SAFE, {"format": "pt"})
        home.mkdir(exist_ok=True)
        (aside / SAFE).replace(home / SAFE)
    finally:
        shutil.rmtree(aside)
    return home


def sha256(path: Path) -> str:
    """The digest of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
