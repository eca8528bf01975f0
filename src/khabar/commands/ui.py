"""Open the MLflow UI on the store that the other commands write to."""

from pydantic import Field

from khabar.config import (
    Record,
)


class Config(Record):
    """Configuration of `khabar ui`."""

    port: int = Field(5000, ge=1, le=65535)


def run(config: Config) -> None:
    """Run the command."""
    print(config)
