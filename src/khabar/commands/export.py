"""Export a model to another runtime; the answers are compared before the file is kept."""

import shutil
from pathlib import Path
from typing import Literal

from khabar.config import MachineConfig, Record
from khabar.errors import ConfigError


class Config(Record):
    """Configuration of `khabar export`."""

    machine: MachineConfig
    model: str
    format: Literal["onnx", "bundle"] = "onnx"
    output: str


def run(config: Config) -> None:
    """Write the export aside, let it sit the bundle's exam, then put it in place."""
    from khabar.inference.model import folder_of
    from khabar.inference.predictors import bundle as torch_bundle
    from khabar.inference.predictors import onnx
    from khabar.models import bundle, export

    output = Path(config.output)
    if output.exists() and any(output.iterdir() if output.is_dir() else [output]) and not _ours(output):
        raise ConfigError(f"{output} exists and is no khabar export. Choose another output=.")
    source, _ = folder_of(config.model)
    aside = output.with_name(output.name + ".part")
    shutil.rmtree(aside, ignore_errors=True)
    aside.parent.mkdir(parents=True, exist_ok=True)
    try:
        if config.format == "onnx":
            export.to_onnx(source, aside)
            worst = onnx.open_(aside, config.machine).examine(bundle.read_probes(aside))
        else:
            shutil.copytree(source, aside)
            worst = torch_bundle.open_(aside, config.machine).examine(bundle.read_probes(aside))
        shutil.rmtree(output, ignore_errors=True)
        aside.rename(output)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    size = sum(path.stat().st_size for path in output.iterdir()) / 2**20
    print(f"Written: {output} ({size:.1f} MiB). Largest difference of a probability on the probe: {worst:.1e}.")
    print(f"Load it: khabar.load({str(output)!r}); khabar predict model={output} input=article.txt")


def _ours(folder: Path) -> bool:
    return (folder / "khabar.json").is_file() and (folder / "manifest.json").is_file()
