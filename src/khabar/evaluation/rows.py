"""From examples and predictions to the matrices that are scored."""

from collections.abc import Mapping, Sequence

import numpy as np

from khabar.errors import DataError
from khabar.evaluation import spans
from khabar.evaluation.scored import Bools, Floats, Ints, Scored
from khabar.schema import Example, Prediction, Task


def gold(task: Task, examples: Sequence[Example]) -> Bools:
    """Gold answers [N, L].

    Raises:
        DataError: an example has none.
    """
    for example in examples:
        if example.gold is None:
            raise DataError(f"{example.id} has no gold answer to {task.name} and can't be scored.")
    return np.array([[label in (example.gold or ()) for label in task.labels] for example in examples], dtype=bool)


def clusters(examples: Sequence[Example]) -> Ints:
    """A number for each example [N], equal within a group."""
    number: Mapping[str, int] = {group: i for i, group in enumerate(dict.fromkeys(e.group for e in examples))}
    return np.array([number[example.group] for example in examples], dtype=np.int64)


def from_arrays(task: Task, examples: Sequence[Example], prob: Floats, pred: Bools) -> Scored:
    """Rows to score out of probabilities and decisions [N, L]."""
    return Scored(task.labels, task.kind, gold(task, examples), prob, pred, clusters(examples))


def from_predictions(task: Task, examples: Sequence[Example], predictions: Sequence[Prediction]) -> Scored:
    """Rows to score out of predictions, matched by the example's id.

    Raises:
        DataError: an example was not answered.
    """
    answers = {answer.example: answer for answer in predictions if answer.task == task.name}
    missing = [example.id for example in examples if example.id not in answers]
    if missing:
        raise DataError(f"{len(missing)} examples of {task.name} were not answered, {missing[0]} among them.")
    ordered = [answers[example.id] for example in examples]
    if task.marks:
        return spans.scored(task, examples, [answer.spans for answer in ordered])
    prob = np.array([[answer.probabilities[label] for label in task.labels] for answer in ordered], dtype=np.float64)
    pred = np.array([[label in answer.labels for label in task.labels] for answer in ordered], dtype=bool)
    return from_arrays(task, examples, prob, pred)
