"""Read a data set into khabar's own two files and say what was found."""

from pathlib import Path

from pydantic import Field

from khabar.config import AuditConfig, DataConfig, Record
from khabar.schema import Task


class Config(Record):
    """Configuration of `khabar ingest`."""

    data: DataConfig
    audit: AuditConfig
    task: dict[str, Task] = Field(min_length=1)
    output: str | None = None


def run(config: Config) -> None:
    """Read, check, split and report; write the corpus if an output was named."""
    from khabar.data import corpus, dataset

    data = dataset.load(config.data, config.task, config.audit.model_copy(update={"on_leak": "warn"}), need=())
    print(data.summary())
    if config.output:
        corpus.save(data.corpus, Path(config.output))
        print(f"Written: {config.output}/articles.jsonl, {config.output}/annotations.jsonl")
