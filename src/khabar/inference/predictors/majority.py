"""The floor: the most frequent answer of the training rows, whatever the text says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from khabar.data.fold import TrainingFold, required
from khabar.evaluation import rows
from khabar.schema import Example, Prediction, Task


def answers(task: Task) -> bool:
    """Whether it answers a question: any that does not mark spans."""
    return not task.marks


@dataclass(frozen=True)
class Majority:
    """Each label's share of the training rows as its probability."""

    tasks: dict[str, Task]
    shares: Mapping[str, Mapping[str, float]]
    name: str = "majority"

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """The same answer for every example of a task."""
        return [self._answer(example) for example in examples]

    def _answer(self, example: Example) -> Prediction:
        shares = dict(self.shares[example.task])
        if self.tasks[example.task].kind == "single":
            labels: tuple[str, ...] = (max(shares, key=shares.__getitem__),)
        else:
            labels = tuple(label for label, share in shares.items() if share >= 0.5)
        return Prediction(example=example.id, task=example.task, probabilities=shares, labels=labels)


def fit(train: TrainingFold, dev: Sequence[Example], tasks: Mapping[str, Task], seed: int) -> Majority:
    """Count the training rows; `dev` and `seed` are not needed."""
    shares = {}
    for name, task in tasks.items():
        gold = rows.gold(task, [example for example in required(train).answered if example.task == name])
        share = gold.mean(0) if len(gold) else np.full(len(task.labels), 1 / len(task.labels))
        shares[name] = dict(zip(task.labels, share.tolist(), strict=True))
    return Majority(dict(tasks), shares)
