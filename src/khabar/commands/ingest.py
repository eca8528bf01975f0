"""Read a data set into khabar's own two files and say what was found."""

from pydantic import Field

from khabar.config import (
    DataConfig,
    Record,
)
from khabar.schema import Task


class Config(Record):
    """Configuration of `khabar ingest`."""

    data: DataConfig
    task: dict[str, Task] = Field(min_length=1)
    output: str | None = None


def run(config: Config) -> None:
    """Run the command."""
    print(config)
