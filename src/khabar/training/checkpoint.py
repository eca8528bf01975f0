"""Checkpoints: safetensors and JSON with a hash manifest, written aside and renamed, so that none is ever half there.

<folder>/step-00000120/   model.safetensors, optimizer.safetensors, state.json, manifest.json
<folder>/best-00000100/   model.safetensors, state.json, manifest.json: the weights with the best dev metric so far
"""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

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
    files = {path.name: _sha256(path) for path in sorted(aside.iterdir())}
    (aside / "manifest.json").write_text(json.dumps(files, indent=1), "utf-8")
    shutil.rmtree(folder, ignore_errors=True)  # broken, or of steps that are taken again: nothing refers to it
    aside.rename(folder)


def whole(folder: Path) -> bool:
    """Whether every file that the manifest names is there, bit for bit."""
    try:
        files: dict[str, str] = json.loads((folder / "manifest.json").read_text("utf-8"))
        return all(_sha256(folder / name) == digest for name, digest in files.items())
    except (OSError, ValueError):
        return False


def read(folder: Path) -> tuple[dict[str, dict[str, Tensor]], dict[str, Any]]:
    """The tensors by file name, and the state, of a whole checkpoint."""
    tensors = {path.stem: load_file(path) for path in folder.glob("*.safetensors")}
    return tensors, json.loads((folder / "state.json").read_text("utf-8"))


def newest(folder: Path) -> Path | None:
    """The newest whole checkpoint; broken ones are passed over."""
    return next((step for step in sorted(folder.glob("step-*[0-9]"), reverse=True) if whole(step)), None)


def prune(folder: Path, step: int) -> None:
    """Keep the newest few of each kind up to this step; what is newer, or was left half-written, is made again."""
    for kind in ("step", "best"):
        past = sorted(path for path in folder.glob(f"{kind}-*[0-9]") if path.name <= f"{kind}-{step:08d}")
        for path in set(folder.glob(f"{kind}-*")) - set(past[-KEEP:]):
            shutil.rmtree(path, ignore_errors=True)


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


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
