"""Export a model to another runtime; the answers are compared before the file is kept."""

from typing import Literal

from khabar.config import (
    MachineConfig,
    Record,
)


class Config(Record):
    """Configuration of `khabar export`."""

    machine: MachineConfig
    model: str
    format: Literal["onnx", "bundle"] = "onnx"
    output: str


def run(config: Config) -> None:
    """Run the command."""
    print(config)
