"""What is fitted on the training fold sees nothing else, however one tries."""

import numpy as np
import pytest
import tests.tiny as tiny

from khabar.config import LossConfig, WindowsConfig
from khabar.data.fold import TrainingFold, required
from khabar.errors import DataError
from khabar.inference.predictors import majority, tfidf
from khabar.models.windows import Windower
from khabar.schema import Example, Task
from khabar.training.sampling import ClassificationWork

TASK = Task(name="event", labels=("هجوم", "اتفاق", "زيارة"))
TASKS = {"event": TASK}


def rows(name, *golds):
    return [
        Example(id=f"{name}{i}", article=f"{name}{i}", group=f"{name}{i}", task="event", text=f"{name} {gold} خبر {i}",
                gold=(gold,))
        for i, gold in enumerate(golds)
    ]  # fmt: skip


TRAIN = rows("قديم", "هجوم", "هجوم", "اتفاق", "هجوم", "اتفاق", "زيارة")
HELD_OUT = rows("محجوب", "زيارة", "زيارة", "زيارة", "زيارة")


def work(examples):
    windower = Windower(tiny.plain_tokenizer(), WindowsConfig(length=64, stride=4, question=16), 64)
    config = LossConfig(class_weights="balanced")
    return ClassificationWork(
        windower.passes(list(examples)), examples, TASKS, 0, 256, 1.0, config, 0, oversample=1.0, mask=0.2, mask_id=4
    )


def test_a_row_of_a_measured_split_is_refused():
    with pytest.raises(DataError, match="stand in test too"):
        TrainingFold({"train": TRAIN, "dev": [], "test": [*HELD_OUT, TRAIN[2]]})


@pytest.mark.parametrize("fit", [
    lambda rows: tfidf.fit(rows, HELD_OUT, TASKS, 0),
    lambda rows: majority.fit(rows, HELD_OUT, TASKS, 0),
    work,
    required,
])  # fmt: skip
@pytest.mark.parametrize("given", [HELD_OUT, TRAIN, tuple(TRAIN)])
def test_nothing_is_fitted_on_a_list_of_rows(fit, given):
    with pytest.raises(TypeError, match="training fold alone"):
        fit(given)


def test_other_held_out_rows_change_nothing_that_is_fitted():
    """Weights of classes, resampled epochs and vocabularies are the same whatever dev and test hold."""
    found = []
    for held_out in ([], HELD_OUT, HELD_OUT[:1]):
        fold = TrainingFold({"train": TRAIN, "dev": held_out, "test": rows("آخر", "اتفاق", "اتفاق")})
        made = work(fold)
        baseline = tfidf.fit(fold, [], TASKS, 0)
        words = baseline.heads["event"].features.words.vocabulary_
        assert not any("محجوب" in word or "آخر" in word for word in words)
        plans = [made.plan(epoch) for epoch in range(4)]
        found.append((plans, made._weights["event"].tolist(), sorted(words), baseline.heads["event"].coefficients))
    for other in found[1:]:
        assert other[:3] == found[0][:3]
        assert np.array_equal(other[3], found[0][3])


def test_the_weights_are_those_of_the_training_rows():
    weights = work(TrainingFold({"train": TRAIN, "dev": HELD_OUT}))._weights["event"]
    assert weights.tolist() == pytest.approx([6 / (3 * 3), 6 / (3 * 2), 6 / 3])
