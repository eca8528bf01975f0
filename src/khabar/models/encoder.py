"""Loads a pre-trained encoder: weights, tokenizer with its normalisation compiled in, and where each file came from.

A folder or a hub id; safetensors, or a `pytorch_model.bin` that holds tensors alone and is converted once. No code of
a checkpoint is run, and no weight is left random in silence.
"""

import hashlib
import json
import logging
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokenizers import Tokenizer, normalizers

from khabar.config import EncoderConfig, locate
from khabar.errors import ConfigError
from khabar.text import normalizer

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PretrainedConfig, PreTrainedModel

SAFE, BIN = "model.safetensors", "pytorch_model.bin"
WEIGHTS = ["*.safetensors", "*.safetensors.index.json", BIN]
TOKENIZER = ["tokenizer.json", "vocab.txt", "tokenizer_config.json", "special_tokens_map.json"]
POOLED = ("bert", "roberta", "xlm-roberta")  # their AutoModel adds a pooler, which no khabar head reads
DROPOUTS = (
    "hidden_dropout_prob",
    "attention_probs_dropout_prob",
    "embedding_dropout",
    "attention_dropout",
    "mlp_dropout",
)
DOWNLOAD = (
    "Without a network: download it where there is one (`hf download {id}`), then copy the folder here and set "
    "encoder.model=/path/to/folder, or copy the hub's cache (HF_HOME) and set HF_HUB_OFFLINE=1."
)


@dataclass(frozen=True)
class Encoder:
    """A pre-trained encoder, ready for fine-tuning.

    Attributes:
        model: fp32, on CPU, in training mode as transformers leaves it; its output has `last_hidden_state`.
        tokenizer: cleans texts as the preset says; padding and truncation are off.
        max_length: the most tokens of one window, special ones included.
        uses_token_types: whether the model takes `token_type_ids`.
        pad_id: the id of the padding token.
        source: `model`, `revision` (the resolved commit, or "folder"), `licence`, `sha256.<file>` of each file read.
    """

    model: "PreTrainedModel"
    tokenizer: Tokenizer
    max_length: int
    uses_token_types: bool
    pad_id: int
    source: dict[str, str]


def load(
    config: EncoderConfig,
    *,
    dropout: float | None = None,
    tokenizer: Tokenizer | None = None,
    shape: Mapping[str, int] | None = None,
) -> Encoder:
    """Load an encoder, from a folder, from what ships with khabar (`seeds/...`), or from the hub and its cache.

    Args:
        config: which one; with `random_weights` its architecture alone, initialised from torch's global seed.
        dropout: of its hidden states and attention; None leaves the checkpoint's own.
        tokenizer: another one, whose vocabulary the random weights are for.
        shape: fields of its configuration to change, for random weights.

    Raises:
        ConfigError: it can't be found, read or trusted, or its weights, tokenizer and configuration don't fit.
    """
    check(config)
    folder, revision = _find(config)
    settings = _settings(folder)
    if dropout is not None:
        for name in DROPOUTS:
            if hasattr(settings, name):
                setattr(settings, name, dropout)
    if shape or tokenizer:
        if not config.random_weights:
            raise ConfigError(f"{config.name} has weights, which fit its own size and vocabulary alone.")
        sizes = {**(shape or {}), **({"vocab_size": tokenizer.get_vocab_size()} if tokenizer else {})}
        settings = type(settings).from_dict({**settings.to_dict(), **sizes})
    read: list[str] = []
    if tokenizer is None:
        tokenizer, read = _tokenizer(folder, config.normalizer)
    if config.random_weights:
        model = _random(settings)
    else:
        weights = _weights(folder)
        read += [file.name for file in weights]
        model = _model(folder if weights[0].suffix != ".bin" else _converted(weights[0]), settings)
    rows, tokens = int(settings.vocab_size), tokenizer.get_vocab_size(with_added_tokens=True)
    if tokens > rows:
        raise ConfigError(f"{config.model}: the tokenizer knows {tokens} tokens, the weights {rows}; they don't fit.")
    return Encoder(
        model=model,
        tokenizer=tokenizer,
        max_length=min(config.max_length, _positions(settings)),
        uses_token_types=(getattr(settings, "type_vocab_size", None) or 0) > 1,
        pad_id=_pad_id(settings, tokenizer),
        source={
            "model": config.model,
            "revision": revision,
            "licence": config.licence,
            **{f"sha256.{name}": _sha256(folder / name) for name in ["config.json", *read]},
        },
    )


def head(config: EncoderConfig) -> dict[str, "Tensor"]:
    """The head of pre-training, where the checkpoint has one of BERT's kind, by its names there."""
    from safetensors import safe_open

    folder, _ = _find(config)
    weights = [file for file in _weights(folder) if file.suffix != ".json"]
    files = [file if file.suffix != ".bin" else _converted(file) / SAFE for file in weights]
    found: dict[str, Tensor] = {}
    for file in files:
        with safe_open(file, "pt") as opened:
            names = [key for key in opened.keys() if key.startswith("cls.predictions.")]  # noqa: SIM118 - no mapping
            found |= {key: opened.get_tensor(key) for key in names}
    return found


def save(config: EncoderConfig, made: Encoder, head: "Mapping[str, Tensor]", folder: Path, *, half: bool) -> None:
    """Write an encoder and its head as a folder that `load` and plain transformers read, aside and then renamed.

    Args:
        config: what it was begun from, whose dropout it keeps.
        made: the encoder.
        head: of pre-training, by the names of BERT's checkpoints.
        folder: where.
        half: as fp16, else fp32.
    """
    import torch
    from safetensors.torch import save_file

    aside = folder.with_name(folder.name + ".part")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    settings, before = made.model.config, _settings(_find(config)[0])
    plain = settings.to_dict() | {name: getattr(before, name) for name in DROPOUTS if hasattr(before, name)}
    plain["torch_dtype"] = "float16" if half else "float32"
    (aside / "config.json").write_text(json.dumps(plain, indent=1, sort_keys=True) + "\n", "utf-8")
    prefix = made.model.base_model_prefix
    tensors = {f"{prefix}.{name}": tensor for name, tensor in made.model.state_dict().items()} | dict(head)
    kind = torch.float16 if half else torch.float32
    plain_tensors = {name: tensor.detach().cpu().to(kind).contiguous().clone() for name, tensor in tensors.items()}
    save_file(plain_tensors, aside / SAFE, {"format": "pt"})
    normalizer.save(made.tokenizer, aside, made.max_length)
    shutil.rmtree(folder, ignore_errors=True)
    aside.rename(folder)


def check(config: EncoderConfig) -> None:
    """Refuse an encoder that khabar can't serve, before anything is read; `load` does it too.

    Raises:
        ConfigError: its texts would have to be segmented by Farasa.
    """
    if config.segmenter == "farasa":
        raise ConfigError(
            f"{config.name} was pre-trained on text segmented by Farasa, which needs Java and a download, takes "
            "minutes, and returns an empty text when it fails; training and serving would read different texts. "
            "Take its successor, trained on plain text: encoder=arabert (aubmindlab/bert-base-arabertv02)."
        )


def licence_line(config: EncoderConfig) -> str:
    """One line on what an encoder's licence allows, printed before its first use."""
    note = f" {config.licence_note}" if config.licence_note else ""
    return f"Encoder {config.name} ({config.model}), licence: {config.licence}.{note}"


def _find(config: EncoderConfig) -> tuple[Path, str]:
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


def _settings(folder: Path) -> "PretrainedConfig":
    """The configuration of an architecture that transformers itself knows; one that brings its own code is refused."""
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    try:
        plain = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{folder} holds no readable config.json: {error}") from error
    kind = plain.get("model_type")
    if kind not in CONFIG_MAPPING:
        raise ConfigError(
            f"{folder}: this transformers knows no model type {kind!r}, and khabar never runs a checkpoint's own code."
        )
    settings: PretrainedConfig = CONFIG_MAPPING[kind].from_dict(plain)
    if getattr(settings, "is_encoder_decoder", False) or getattr(settings, "is_decoder", False):
        raise ConfigError(f"{folder}: a {kind} of this kind generates text; an encoder is needed.")
    return settings


def _extra(settings: "PretrainedConfig") -> dict[str, Any]:
    pooler = {"add_pooling_layer": False} if settings.model_type in POOLED else {}
    return {"trust_remote_code": False, "attn_implementation": "sdpa", **pooler}


def _random(settings: "PretrainedConfig") -> "PreTrainedModel":
    import torch
    from transformers import AutoModel

    model: PreTrainedModel = AutoModel.from_config(  # type: ignore[no-untyped-call]
        settings,
        dtype=torch.float32,  # whatever its weights are stored in
        **_extra(settings),
    )
    return model


def _model(folder: Path, settings: "PretrainedConfig") -> "PreTrainedModel":
    """The model of a folder with safetensors, every weight of which came from there."""
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModel

    try:
        with quiet():
            model, report = AutoModel.from_pretrained(
                folder,
                config=settings,
                dtype=torch.float32,
                use_safetensors=True,
                local_files_only=True,
                output_loading_info=True,
                **_extra(settings),
            )
    except (OSError, RuntimeError, SafetensorError) as error:
        raise ConfigError(f"The weights in {folder} don't fit its config.json or can't be read: {error}") from error
    missing = sorted(key for key in report["missing_keys"] if not key.startswith("pooler."))
    if missing:
        raise ConfigError(
            f"{folder} lacks {len(missing)} of the encoder's weights, which would stay random: {_few(missing)}. "
            f"Is its config.json of another model?"
        )
    own = {name for name, _ in model.named_children()} - {"pooler"}
    prefix = f"{model.base_model_prefix}."
    left = [key for key in report["unexpected_keys"] if key.removeprefix(prefix).split(".")[0] in own]
    if left := sorted(key for key in left if not key.endswith("position_ids")):
        raise ConfigError(f"{folder} holds encoder weights that its config.json has no place for: {_few(left)}.")
    model.train()
    return model  # type: ignore[no-any-return]


@contextmanager
def quiet() -> Iterator[None]:
    """Without transformers' progress bar and its table of unread heads: what matters of it is checked here."""
    from transformers.utils import logging as talk

    verbosity, bar = talk.get_verbosity(), talk.is_progress_bar_enabled()
    talk.set_verbosity(logging.ERROR)
    talk.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        talk.set_verbosity(verbosity)
        if bar:
            talk.enable_progress_bar()  # type: ignore[no-untyped-call]


def _weights(folder: Path) -> list[Path]:
    """The files of the weights, safetensors before pickle."""
    if (folder / SAFE).is_file():
        return [folder / SAFE]
    index = folder / f"{SAFE}.index.json"
    if index.is_file():
        return [index, *(folder / name for name in sorted(set(json.loads(index.read_text())["weight_map"].values())))]
    if (folder / BIN).is_file():
        return [folder / BIN]
    raise ConfigError(f"{folder} holds no weights: neither {SAFE} nor {BIN}.")


def _converted(weights: Path) -> Path:
    """A folder of the cache with the same tensors as safetensors; made once for each content of the file."""
    import torch
    from safetensors.torch import save_file

    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "khabar" / "encoders"
    home = cache / _sha256(weights)[:32]
    if (home / SAFE).is_file():
        return home
    try:
        tensors = torch.load(weights, map_location="cpu", weights_only=True)
    except Exception as error:  # a pickle can fail in any way; what it holds was not run
        raise ConfigError(
            f"{weights} holds more than tensors, or is damaged; it was not run. Take a model with {SAFE}, or convert "
            f"it where you trust it. ({type(error).__name__}: {str(error).strip().splitlines()[0]})"
        ) from error
    if not isinstance(tensors, dict) or not all(isinstance(tensor, torch.Tensor) for tensor in tensors.values()):
        raise ConfigError(f"{weights} is no dictionary of tensors.")
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


def _tokenizer(folder: Path, preset: str) -> tuple[Tokenizer, list[str]]:
    """The tokenizer of a folder with the preset compiled in, and the files it was read from."""
    if (folder / "tokenizer.json").is_file():
        return normalizer.install(normalizer.load(folder), preset), ["tokenizer.json"]
    if not (folder / "vocab.txt").is_file():
        raise ConfigError(f"{folder} holds neither tokenizer.json nor vocab.txt; other tokenizer formats are not read.")
    path = folder / "tokenizer_config.json"
    plain = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    tokenizer = normalizer.from_vocab(folder / "vocab.txt", "none")
    tokenizer.normalizer = normalizers.BertNormalizer(
        clean_text=True,
        handle_chinese_chars=plain.get("tokenize_chinese_chars", True),
        strip_accents=plain.get("strip_accents"),  # null: as lowercase, which is what the checkpoint was trained with
        lowercase=plain.get("do_lower_case", True),
    )
    return normalizer.install(tokenizer, preset), ["vocab.txt", *([path.name] if path.is_file() else [])]


def _positions(settings: "PretrainedConfig") -> int:
    """The longest window; RoBERTa counts positions from behind the padding id."""
    positions = int(getattr(settings, "max_position_embeddings", 512))
    offset = (settings.pad_token_id or 0) + 1 if "roberta" in settings.model_type else 0
    return positions - offset


def _pad_id(settings: "PretrainedConfig", tokenizer: Tokenizer) -> int:
    if settings.pad_token_id is not None:
        return int(settings.pad_token_id)
    for token in ("[PAD]", "<pad>"):
        if (found := tokenizer.token_to_id(token)) is not None:
            return int(found)
    raise ConfigError("Neither config.json nor the tokenizer names a padding token.")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _few(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
