"""Checkpoints: safetensors and JSON with a hash manifest, written aside and renamed, so that none is ever half there.

<folder>/step-000120/   model, optimizer and rng .safetensors, state.json, manifest.json
<folder>/best/          model.safetensors, state.json, manifest.json: the weights with the best dev metric
"""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

KEEP = 2


def write(folder: Path, tensors: dict[str, dict[str, Tensor]], state: dict[str, Any]) -> None:
    """Write one checkpoint: a `.safetensors` for each entry of `tensors`, and `state.json`."""
    aside = folder.with_name(folder.name + ".part")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    for name, named in tensors.items():
        # tied weights share memory, which safetensors refuses: each name gets its own copy
        save_file(
            {key: value.detach().cpu().contiguous().clone() for key, value in named.items()},
            aside / f"{name}.safetensors",
        )
    (aside / "state.json").write_text(json.dumps(state, ensure_ascii=False, indent=1), "utf-8")
    files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(aside.iterdir())}
    (aside / "manifest.json").write_text(json.dumps(files, indent=1), "utf-8")
    old = folder.with_name(folder.name + ".old")
    if folder.exists():
        folder.rename(old)
    aside.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def whole(folder: Path) -> bool:
    """Whether every file that the manifest names is there, bit for bit."""
    try:
        files: dict[str, str] = json.loads((folder / "manifest.json").read_text("utf-8"))
        return all(hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest for name, digest in files.items())
    except (OSError, ValueError):
        return False


def read(folder: Path) -> tuple[dict[str, dict[str, Tensor]], dict[str, Any]]:
    """The tensors by file name, and the state, of a whole checkpoint."""
    tensors = {path.stem: load_file(path) for path in folder.glob("*.safetensors")}
    return tensors, json.loads((folder / "state.json").read_text("utf-8"))


def newest(folder: Path) -> Path | None:
    """The newest whole checkpoint; broken ones are passed over."""
    return next((step for step in sorted(folder.glob("step-*[0-9]"), reverse=True) if whole(step)), None)


def prune(folder: Path) -> None:
    """Keep the newest few."""
    for step in sorted(folder.glob("step-*[0-9]"), reverse=True)[KEEP:]:
        shutil.rmtree(step, ignore_errors=True)


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The optimiser's moments by parameter number and name; rates are functions of the step and are not kept."""
    state = optimizer.state_dict()["state"]
    return {f"{number}.{name}": value for number, entry in state.items() for name, value in entry.items()}


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Put the moments back."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        number, name = key.split(".", 1)
        state.setdefault(int(number), {})[name] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def rng_tensors() -> dict[str, Tensor]:
    """The states of torch's generators."""
    states = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        states |= {f"cuda{i}": state for i, state in enumerate(torch.cuda.get_rng_state_all())}
    return states


def restore_rng(tensors: dict[str, Tensor]) -> None:
    """Put the generators back."""
    torch.set_rng_state(tensors["cpu"])
    if torch.cuda.is_available():
        torch.cuda.set_rng_state_all([tensors[f"cuda{i}"] for i in range(torch.cuda.device_count())])


def weights(model: nn.Module) -> dict[str, Tensor]:
    """The model's weights by name."""
    return dict(model.state_dict())
