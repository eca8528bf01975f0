"""An epoch's plan holds what it should, in proportion and within the budget, and is the same for the same seed."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.unit.training import runs
from tests.unit.training.runs import TASKS, events, stances, work
from torch.nn import functional as F

from khabar.config import AnnotatorsConfig, LossConfig
from khabar.data.corpus import Corpus
from khabar.data.examples import examples
from khabar.data.fold import TrainingFold
from khabar.models.losses import multi, single
from khabar.schema import Article, Example, Label
from khabar.training.sampling import ClassificationWork, targets


def rows(made, epoch=0):
    """Rows of each task in an epoch's plan."""
    found = Counter()
    for batch in made.plan(epoch):
        for i in batch:
            found.update(made.examples[unit.example].task for unit in made.passes[i].units)
    return found


@pytest.mark.parametrize("epoch", [0, 1, 7])
def test_every_pass_comes_exactly_once_an_epoch(epoch):
    made = work()
    assert sorted(i for batch in made.plan(epoch) for i in batch) == list(range(len(made.passes)))


def test_the_plan_is_a_function_of_seed_and_epoch_alone():
    first, again = work(mixing=0.5), work(mixing=0.5)
    plans = [first.plan(epoch) for epoch in range(3)]
    np.random.seed(1)
    torch.manual_seed(1)
    assert [again.plan(epoch) for epoch in (2, 0, 1)] == [plans[2], plans[0], plans[1]]
    assert plans[0] != plans[1] != plans[2]
    assert work(mixing=0.5, seed=1).plan(0) != plans[0]
    assert work(seed=0).plan(0) == work().plan(0)


@pytest.mark.parametrize("mixing", [0.0, 0.5, 1.0])
def test_tasks_are_drawn_in_proportion_to_rows_to_the_power_of_mixing(mixing):
    made = work([*events(100), *stances(48)], mixing=mixing)  # 300 rows in 100 passes, 48 rows in 48
    found = rows(made)
    assert found["event"] / found["stance"] == pytest.approx((300 / 48) ** mixing, rel=0.03)
    assert found.total() == pytest.approx(348, abs=3)


def test_no_pass_comes_twice_before_all_came_once():
    made = work([*events(100), *stances(7)], mixing=0.0)
    times = Counter(i for batch in made.plan(0) for i in batch)
    few = [times[i] for i, item in enumerate(made.passes) if made.examples[item.units[0].example].task == "stance"]
    assert len(few) == 7
    assert max(few) - min(few) <= 1


def test_a_small_task_is_never_left_out():
    assert rows(work([*events(1), *stances(400)], mixing=1.0))["event"] == 3
    assert rows(work([*events(300), *stances(1)], mixing=0.5))["stance"] >= 1


@pytest.mark.parametrize("budget", [64, 200, 1000])
def test_padded_tokens_stay_within_the_budget_and_a_larger_pass_stands_alone(budget):
    long = replace(stances(1)[0], text="زيارة إلى القاهرة " * 60)
    made = work([*runs.TRAIN, long], batch_tokens=budget)
    alone = 0
    for batch in made.plan(0):
        items = [made.passes[i] for i in batch]
        padded = sum(len(item.ids) for item in items) * max(item.length for item in items)
        if padded > budget:
            assert len(batch) == 1
            alone += 1
    assert alone == (0 if budget == 1000 else 1)


def test_count_is_the_answers_and_tokens_leave_padding_out():
    unanswered = replace(stances(1)[0], gold=None)
    made = work([*events(1), *stances(2, 1), unanswered])
    everything = list(range(len(made.passes)))
    assert made.count(everything) == 5
    assert made.tokens(everything) == sum(len(window) for item in made.passes for window in item.ids)


def test_a_missing_answer_is_no_negative_one_and_an_empty_one_is():
    common = {"id": "1", "article": "1", "group": "1", "text": "نعم"}
    asked = [
        Example(task="event", gold=(), **common),
        Example(task="event", gold=None, **common),
        Example(task="stance", gold=("against",), **common),
    ]
    target, answered = targets(asked, TASKS)
    assert target.tolist() == [[0, 0, 0, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 1, 0]]
    assert answered.tolist() == [[True, False], [False, False], [False, True]]


def test_the_loss_of_a_batch_is_the_sum_over_its_passes():
    made, model = work(), runs.model().eval()
    batch = [0, 1, 5, 9]
    with torch.inference_mode():
        apart = sum(float(made.loss(model, [i], torch.device("cpu"))) for i in batch)
        together = float(made.loss(model, batch, torch.device("cpu")))
    assert together == pytest.approx(apart, rel=1e-5)


def three(*answers, **annotators):
    """Training rows of the task stance out of three annotators' answers to each of several articles."""
    articles = {str(n): Article(id=str(n), text=f"{n} رفض مجلس الأمم") for n in range(len(answers))}
    labels = [
        Label(id=f"{n}{name}", article=str(n), annotator=name, task="stance", labels=(label,), target="حرب غزة")
        for n, given in enumerate(answers)
        for name, label in zip("pqr", given, strict=True)
    ]
    corpus = Corpus("c", articles, tuple(labels), (), (), "MIT", {})
    return examples(corpus, TASKS["stance"], AnnotatorsConfig(**annotators))[0]


SPLIT = ("favor", "against", "against"), ("favor", "against", "none")


@pytest.mark.parametrize(
    ("annotators", "expected"),
    [
        ({}, [[0, 1, 0]]),
        ({"weights": {"p": 3.0}}, [[1, 0, 0], [1, 0, 0]]),
        ({"adjudicator": "r"}, [[0, 1, 0], [0, 0, 1]]),
        ({"soft": True}, [[1 / 3, 2 / 3, 0], [1 / 3, 1 / 3, 1 / 3]]),
        ({"soft": True, "weights": {"p": 2.0}}, [[1 / 2, 1 / 2, 0], [1 / 2, 1 / 4, 1 / 4]]),
        ({"soft": True, "adjudicator": "r"}, [[0, 1, 0], [0, 0, 1]]),
    ],
)
def test_three_annotators_become_training_targets(annotators, expected):
    target, asked = targets(three(*SPLIT, **annotators), TASKS)
    np.testing.assert_allclose(target[:, 2:], expected, rtol=1e-6)
    assert asked.tolist() == [[False, True]] * len(expected)
    assert not target[:, :2].any()


def test_the_loss_of_soft_targets_is_the_mean_over_the_votes():
    """Cross-entropy is linear in its target, so that shares of votes weigh each vote's own loss."""
    rng = torch.Generator().manual_seed(0)
    logits, weights, config = torch.randn(4, 3, generator=rng), torch.tensor([0.5, 1.0, 3.0]), LossConfig()
    votes = torch.eye(3)[torch.tensor([0, 1, 1])]
    share = votes.mean(0).expand(4, 3)
    for loss, reference in (
        (single, F.cross_entropy(logits, share, weights, reduction="none")),
        (multi, F.binary_cross_entropy_with_logits(logits, share, pos_weight=weights, reduction="none").sum(-1)),
    ):
        found = loss(logits, share, weights, config)
        torch.testing.assert_close(found, reference)
        torch.testing.assert_close(found, sum(loss(logits, vote.expand(4, 3), weights, config) for vote in votes) / 3)


def test_class_weights_count_shares_of_votes():
    made = three(*SPLIT, ("against", "against", "against"), soft=True)  # 2/3, 2, 1/3 of 3 rows
    event = [replace(example, soft={"conflict": 0.25, "cooperation": 0.75}) for example in events(2)]  # of 6
    built = ClassificationWork(
        runs.passes([*made, *event]),
        TrainingFold({"train": [*made, *event]}),
        TASKS,
        0,
        64,
        1.0,
        LossConfig(class_weights="balanced"),
        0,
    )
    np.testing.assert_allclose(built._weights["stance"], [3 / (3 * 1), 3 / (3 * 2), 3 / (3 * 1)], rtol=1e-6)
    np.testing.assert_allclose(built._weights["event"], [4.5 / 1.5, 1.5 / 4.5], rtol=1e-6)
    assert built.count(list(range(len(built.passes)))) == 9
