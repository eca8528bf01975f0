"""Fine-tune an encoder, track the run, score it, export the bundle, register the model."""

from pydantic import Field

from khabar.config import (
    DataConfig,
    EncoderConfig,
    LoopConfig,
    MachineConfig,
    Record,
    SuiteConfig,
    TrackConfig,
    WindowsConfig,
)
from khabar.schema import Task


class Config(Record):
    """Configuration of `khabar train`."""

    data: DataConfig
    task: dict[str, Task] = Field(min_length=1)
    encoder: EncoderConfig
    windows: WindowsConfig
    loop: LoopConfig
    suite: SuiteConfig
    track: TrackConfig
    machine: MachineConfig
    seed: int = Field(0, ge=0)
    resume: str = "auto"


def run(config: Config) -> None:
    """Run the command."""
    print(config)
