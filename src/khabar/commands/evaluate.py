"""Score a model on a data set, beside the baselines."""

from typing import Literal

from pydantic import Field

from khabar.config import (
    DataConfig,
    MachineConfig,
    Record,
    SuiteConfig,
    TrackConfig,
)


class Config(Record):
    """Configuration of `khabar evaluate`."""

    data: DataConfig
    suite: SuiteConfig
    track: TrackConfig
    machine: MachineConfig
    model: str
    split: Literal["train", "dev", "test"] = "test"
    seed: int = Field(0, ge=0)
    output: str | None = None


def run(config: Config) -> None:
    """Run the command."""
    print(config)
