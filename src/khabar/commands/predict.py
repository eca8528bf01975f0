"""Read articles: events with their sentences, stances with their evidence."""

from typing import Literal

from pydantic import Field

from khabar.config import (
    MachineConfig,
    Record,
)


class Config(Record):
    """Configuration of `khabar predict`."""

    machine: MachineConfig
    model: str
    input: str = "-"
    output: str = "-"
    format: Literal["auto", "text", "jsonl"] = "auto"
    watchlist: str | None = None
    questions: tuple[str, ...] = ()
    threshold: float | None = Field(None, gt=0, lt=1)


def run(config: Config) -> None:
    """Run the command."""
    print(config)
