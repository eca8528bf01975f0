"""Writers of the formats that a trained bundle goes out in, a file each: its name is `format=` of `khabar export`.

`write(source, aside, *, precision, task)` makes the folder `aside` and seals it; the caller examines and renames it.
Every folder holds the card, the exam and the tokenizer again, so that `khabar.load` opens it as it opens a bundle.
"""

import shutil
from pathlib import Path

from khabar.errors import ConfigError
from khabar.models.bundle import Card, Precision, read_card, write_card

SHARED = ("tokenizer.json", "tokenizer_config.json", "probe.json", "README.md")


def source_card(source: Path) -> Card:
    """The card of a bundle with torch weights, which alone can be exported.

    Raises:
        ConfigError: it is an export itself, or it marks spans.
        DataError: it is damaged.
    """
    card = read_card(source)
    if card.runtime != "bundle":
        raise ConfigError(f"{source} is an export itself ({card.runtime}); give model= the bundle it came from.")
    if marking := [name for name, task in card.tasks.items() if task.marks]:
        raise ConfigError(
            f"{source} marks spans ({', '.join(marking)}); no export but format=bundle holds the heads of such a task. "
            "Take the bundle itself, or train the tasks of sentences and articles apart."
        )
    return card


def check(runtime: str, precision: str, task: str | None, *, int8: bool = False) -> None:
    """Refuse what a format has no way of doing.

    Raises:
        ConfigError: int8 or one head of several was asked for, where the format knows neither.
    """
    if precision == "int8" and not int8:
        raise ConfigError(f"format={runtime} is written in fp32; int8 is for format=onnx: precision=int8 format=onnx.")
    if task is not None:
        raise ConfigError(f"task={task}: format={runtime} carries all heads; task= is for format=transformers.")


def share(source: Path, aside: Path, card: Card, runtime: str, precision: Precision = "fp32") -> None:
    """Make the folder, with all but the weights: the card that names its runtime, the exam, the tokenizer."""
    aside.mkdir(parents=True)
    for name in SHARED:
        shutil.copyfile(source / name, aside / name)
    write_card(aside, card.model_copy(update={"runtime": runtime, "precision": precision}))
