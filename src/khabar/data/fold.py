"""The training fold: what anything fitted to data is fitted on, and the only thing it takes.

Class weights, resampling, augmentation and vocabularies take a `TrainingFold`, never a list of examples. It is made of
all splits at once, so that it can refuse a row that also stands where the result is measured.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import overload

from khabar.errors import DataError
from khabar.schema import Example


class TrainingFold(Sequence[Example]):
    """The examples of `splits["train"]`, in their order.

    Args:
        splits: all splits; those that are not "train" are looked at once, to see that train holds none of their rows.

    Raises:
        DataError: a training row (task and id) stands in another split too.
    """

    def __init__(self, splits: Mapping[str, Sequence[Example]]) -> None:
        self._examples = tuple(splits.get("train", ()))
        own = {(example.task, example.id) for example in self._examples}
        for name, held_out in splits.items():
            shared = (
                [example.id for example in held_out if (example.task, example.id) in own] if name != "train" else []
            )
            if shared:
                raise DataError(f"{len(shared)} training rows stand in {name} too, such as {shared[0]!r}.")

    @property
    def answered(self) -> list[Example]:
        """Those with a gold answer; the others have the shares of the votes alone."""
        return [example for example in self._examples if example.gold is not None]

    def __len__(self) -> int:
        """The number of examples."""
        return len(self._examples)

    @overload
    def __getitem__(self, index: int) -> Example: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Example]: ...
    def __getitem__(self, index: int | slice) -> Example | Sequence[Example]:
        """One example, or several by a slice."""
        return self._examples[index]

    def __iter__(self) -> Iterator[Example]:
        """One after the other."""
        return iter(self._examples)


def required(examples: object) -> TrainingFold:
    """The same, or an error for whoever would fit something on other rows.

    Raises:
        TypeError: it is no `TrainingFold`.
    """
    if not isinstance(examples, TrainingFold):
        raise TypeError(
            f"this is fitted on the training fold alone: give a TrainingFold, not {type(examples).__name__}"
        )
    return examples
