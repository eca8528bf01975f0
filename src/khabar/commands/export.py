"""Export a model to another runtime; its answers are compared with the bundle's before the folder is kept."""

import shutil
from pathlib import Path
from typing import Literal

from pydantic import Field

from khabar import registry
from khabar.config import MachineConfig, Record
from khabar.errors import ConfigError


class Config(Record):
    """Configuration of `khabar export`."""

    machine: MachineConfig
    model: str
    format: str = "onnx"
    precision: Literal["fp32", "int8"] = "fp32"
    task: str | None = None
    output: str
    text: str | None = "seeds/corpus/articles.jsonl"
    limit: int = Field(50, ge=1)


def run(config: Config) -> None:
    """Write the export aside, let it sit the bundle's exam and read real text, then put it in place."""
    from khabar.commands._articles import open_source
    from khabar.inference.certificate import certify
    from khabar.inference.model import folder_of
    from khabar.models import bundle

    writer = registry.load("formats", config.format)
    output = Path(config.output)
    text = config.text if config.format != "bundle" else None  # the same weights read the same
    articles = open_source(text).articles if text else iter(())
    source, _ = folder_of(config.model)
    _check(output, source, config.format)
    aside = output.with_name(output.name + ".part")
    shutil.rmtree(aside, ignore_errors=True)
    aside.parent.mkdir(parents=True, exist_ok=True)
    try:
        writer.write(source, aside, precision=config.precision, task=config.task)
        certificate = certify(source, aside, config.machine, text, articles, config.limit)
        if certificate.runtime != "bundle":  # a copy keeps its fingerprint
            bundle.write_json(aside / bundle.CERTIFICATE, certificate.model_dump(mode="json"))
            bundle.seal(aside)
        shutil.rmtree(output, ignore_errors=True)
        aside.rename(output)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    print("\n".join([f"Written: {output}", *certificate.lines()]))
    print(f"Load it: khabar.load({str(output)!r}); khabar predict model={output} input=article.txt")


def _check(output: Path, source: Path, wanted: str) -> None:
    """See that nothing is overwritten but an earlier export of the same kind."""
    from khabar.models import bundle

    if not output.exists() or (output.is_dir() and not any(output.iterdir())):
        return
    if output.resolve() == source.resolve():
        raise ConfigError(f"output={output} is the model that is exported. Choose another output=.")
    if not ((output / "khabar.json").is_file() and (output / "manifest.json").is_file()):
        raise ConfigError(f"{output} exists and is no khabar export. Choose another output=.")
    if (there := bundle.runtime(output)) != wanted:
        raise ConfigError(
            f"{output} exists and holds format={there}, not {wanted}. Remove it, or choose another output=."
        )
