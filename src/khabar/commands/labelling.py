"""Write the labelling configuration of Label Studio for khabar's tasks."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field

from khabar.config import Record
from khabar.errors import DataError
from khabar.schema import Task


class Config(Record):
    """Configuration of `khabar labelling`."""

    task: dict[str, Task] = Field(min_length=1)
    model: str | None = None
    output: str | None = None


def run(config: Config) -> None:
    """Write it to the output, or print it where there is none; a model's tasks go before those that were chosen.

    Raises:
        DataError: the output cannot be written.
    """
    from khabar.data import labelling

    tasks: Mapping[str, Task] = config.task
    if config.model is not None:
        from khabar.inference.model import load

        tasks = load(config.model).tasks
    xml = labelling.config(tasks)
    if config.output is None:
        print(xml, end="")
        return
    try:
        Path(config.output).write_text(xml, encoding="utf-8")
    except OSError as error:
        raise DataError(f"output={config.output}: {error.strerror}. Name a file in a folder that exists") from None
    print(f"Written: {config.output}. In Label Studio: Settings, Labeling Interface, Code")
