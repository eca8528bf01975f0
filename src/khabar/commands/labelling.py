"""Write the labelling configuration of Label Studio for khabar's tasks."""

from pathlib import Path

from pydantic import Field

from khabar.config import Record
from khabar.errors import DataError
from khabar.schema import Task


class Config(Record):
    """Configuration of `khabar labelling`."""

    task: dict[str, Task] = Field(min_length=1)
    output: str | None = None


def run(config: Config) -> None:
    """Write it to the output, or print it where there is none.

    Raises:
        DataError: the output cannot be written.
    """
    from khabar.data import labelling

    xml = labelling.config(config.task)
    if config.output is None:
        print(xml, end="")
        return
    try:
        Path(config.output).write_text(xml, encoding="utf-8")
    except OSError as error:
        raise DataError(f"output={config.output}: {error.strerror}. Name a file in a folder that exists") from None
    print(f"Written: {config.output}. In Label Studio: Settings, Labeling Interface, Code")
