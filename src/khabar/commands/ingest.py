"""Read a data set into khabar's own two files and report on it."""

import os
from dataclasses import replace
from pathlib import Path

from pydantic import Field

from khabar.config import AuditConfig, DataConfig, Record, WindowsConfig
from khabar.errors import ConfigError
from khabar.schema import Task

SPLIT = "split.jsonl"


class Config(Record):
    """Configuration of `khabar ingest`."""

    data: DataConfig
    audit: AuditConfig
    windows: WindowsConfig
    task: dict[str, Task] = Field(min_length=1)
    output: str | None = None


def run(config: Config) -> None:
    """Read, check, split and report; write corpus, split and report if an output was named."""
    from khabar.commands import _reporting
    from khabar.data import audit as audits
    from khabar.data import corpus, dataset, splits

    if config.output is not None:
        _check(Path(config.output))
    _reporting.say(f"Reading {config.data.path or config.data.name} ...")
    # what would stop a training is reported here, and what is dropped in training is dropped here too
    stops = config.data.split.brought and (config.audit.on_leak or config.data.on_leak) == "stop"
    audit = config.audit.model_copy(update={"on_leak": "warn"}) if stops else config.audit
    data = dataset.load(config.data, config.task, audit, need=())
    if stops:
        data = replace(data, audit=audits.stopping(data.audit))
    _reporting.say(f"Counting {len(data.corpus.articles):,} articles, {len(data.corpus.labels):,} labels ...")
    agreed = _reporting.agreement(data)
    report = _reporting.report(data, windows=config.windows, agreed=agreed)
    print(report.to_text())
    if config.output is None:
        print("\nNothing was written; output=FOLDER keeps the corpus, the split and this report.")
        return
    folder = Path(config.output)
    corpus.save(data.corpus, folder)
    splits.freeze(data.splits, folder / SPLIT, data.corpus, config.data.split)
    names = ["articles.jsonl", "annotations.jsonl", SPLIT, *_reporting.write(folder, report, agreed)]
    print(f"\nWritten to {folder}: {', '.join(names)}")


def _check(output: Path) -> None:
    """See, before minutes of reading, that the output can be made."""
    there = next(place for place in (output.absolute(), *output.absolute().parents) if place.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        why = "can't be written to" if there.is_dir() else "is no folder"
        raise ConfigError(f"output={output}: {there} {why}. Name a folder, which may be new")
