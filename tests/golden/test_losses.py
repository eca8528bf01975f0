"""Losses against closed forms written out in numpy, and against torch's own where both mean the same."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_class_weight
from torch.nn import functional as F

from khabar.config import LossConfig
from khabar.models.losses import class_weights, joint, multi, single
from khabar.schema import Task

ROWS, LABELS = 40, 4
RNG = np.random.default_rng(0)
LOGITS = RNG.normal(0, 3, (ROWS, LABELS))
CLASSES = RNG.integers(0, LABELS, ROWS)
ONE_HOT = np.eye(LABELS)[CLASSES]
ANSWERS = (RNG.random((ROWS, LABELS)) < 0.4).astype(float)
WEIGHTS = np.array([0.5, 1.0, 2.0, 7.0])

SMOOTHING = pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
GAMMA = pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])


def tensors(*arrays: np.ndarray) -> list[torch.Tensor]:
    return [torch.from_numpy(array) for array in arrays]


@SMOOTHING
@GAMMA
def test_single_is_its_closed_form(smoothing: float, gamma: float) -> None:
    p = np.exp(LOGITS) / np.exp(LOGITS).sum(1, keepdims=True)
    expected = np.zeros(ROWS)
    for n in range(ROWS):
        for k in range(LABELS):
            q = (1 - smoothing) * (k == CLASSES[n]) + smoothing / LABELS
            expected[n] -= WEIGHTS[k] * q * (1 - p[n, k]) ** gamma * np.log(p[n, k])
    found = single(*tensors(LOGITS, ONE_HOT, WEIGHTS), LossConfig(label_smoothing=smoothing, focal_gamma=gamma))
    np.testing.assert_allclose(found, expected, rtol=1e-10)


@SMOOTHING
@GAMMA
def test_multi_is_its_closed_form(smoothing: float, gamma: float) -> None:
    p = 1 / (1 + np.exp(-LOGITS))
    expected = np.zeros(ROWS)
    for n in range(ROWS):
        for k in range(LABELS):
            t = (1 - smoothing) * ANSWERS[n, k] + smoothing / 2
            expected[n] -= WEIGHTS[k] * t * (1 - p[n, k]) ** gamma * np.log(p[n, k])
            expected[n] -= (1 - t) * p[n, k] ** gamma * np.log(1 - p[n, k])
    found = multi(*tensors(LOGITS, ANSWERS, WEIGHTS), LossConfig(label_smoothing=smoothing, focal_gamma=gamma))
    np.testing.assert_allclose(found, expected, rtol=1e-10)


@SMOOTHING
def test_single_without_focus_is_cross_entropy_of_torch(smoothing: float) -> None:
    logits, classes, one_hot, weights = tensors(LOGITS, CLASSES, ONE_HOT, WEIGHTS)
    expected = F.cross_entropy(logits, classes, weights, reduction="none", label_smoothing=smoothing)
    torch.testing.assert_close(single(logits, one_hot, weights, LossConfig(label_smoothing=smoothing)), expected)


def test_multi_without_focus_is_binary_cross_entropy_of_torch() -> None:
    logits, answers, weights = tensors(LOGITS, ANSWERS, WEIGHTS)
    expected = F.binary_cross_entropy_with_logits(logits, answers, pos_weight=weights, reduction="none").sum(-1)
    torch.testing.assert_close(multi(logits, answers, weights, LossConfig()), expected)


def test_hand_counted_values() -> None:
    """p = (1/2, 1/4, 1/4): -log 1/2, and with gamma 2 a quarter of it; two yes-or-no answers at p = 1/2: 2 log 2."""
    ones = torch.ones(3)
    logits, gold = torch.tensor([[2.0, 1.0, 1.0]]).log(), torch.tensor([[1.0, 0.0, 0.0]])
    assert single(logits, gold, ones, LossConfig()).item() == pytest.approx(np.log(2))
    assert single(logits, gold, ones, LossConfig(focal_gamma=2)).item() == pytest.approx(np.log(2) / 4)
    answers = torch.tensor([[1.0, 0.0]])
    assert multi(torch.zeros(1, 2), answers, ones[:2], LossConfig()).item() == pytest.approx(2 * np.log(2))
    assert multi(torch.zeros(1, 2), answers, ones[:2], LossConfig(focal_gamma=2)).item() == pytest.approx(np.log(2) / 2)


@pytest.mark.parametrize("loss", [single, multi])
@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("right", [True, False])
def test_a_sure_answer_has_a_finite_loss_and_gradient(loss, gamma: float, right: bool) -> None:
    logits = torch.tensor([[200.0, -200.0, 0.0]], requires_grad=True)
    target = torch.tensor([[1.0, 0.0, 0.0]] if right else [[0.0, 1.0, 0.0]])
    value = loss(logits, target, torch.ones(3), LossConfig(focal_gamma=gamma)).sum()
    value.backward()
    assert value.isfinite()
    assert logits.grad.isfinite().all()


@pytest.mark.parametrize("loss", [single, multi])
@GAMMA
@SMOOTHING
def test_gradients_are_those_of_finite_differences(loss, gamma: float, smoothing: float) -> None:
    logits, target, weights = tensors(LOGITS[:3], ONE_HOT[:3], WEIGHTS)
    config = LossConfig(focal_gamma=gamma, label_smoothing=smoothing)
    torch.autograd.gradcheck(lambda z: loss(z, target, weights, config), logits.clone().requires_grad_())


# class weights


def test_balanced_weights_of_a_single_label_task_are_those_of_scikit_learn() -> None:
    found = class_weights(ONE_HOT.astype(bool), "single", LossConfig(class_weights="balanced"))
    expected = compute_class_weight("balanced", classes=np.arange(LABELS), y=CLASSES)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_balanced_weights_of_a_multi_label_task_are_no_over_yes_within_a_hundredth_and_a_hundred() -> None:
    gold = np.zeros((1000, 5), bool)
    for label, count in enumerate([250, 500, 1, 1000, 0]):
        gold[:count, label] = True
    found = class_weights(gold, "multi", LossConfig(class_weights="balanced"))
    np.testing.assert_allclose(found, [3, 1, 100, 0.01, 1])


def test_a_label_without_a_row_weighs_one() -> None:
    gold = np.eye(3, dtype=bool)[[0, 0, 0, 1]]
    found = class_weights(gold, "single", LossConfig(class_weights="balanced"))
    np.testing.assert_allclose(found, [4 / 9, 4 / 3, 1])
    assert class_weights(gold[:0], "single", LossConfig(class_weights="balanced")).tolist() == [1, 1, 1]


def test_no_weights_unless_asked_for() -> None:
    assert class_weights(ONE_HOT.astype(bool), "single", LossConfig()).tolist() == [1] * LABELS


# the joint loss

TASKS = {
    "stance": Task(name="stance", labels=("favor", "against", "none")),
    "event": Task(name="event", labels=("fight", "meet"), kind="multi"),
}
TASK_WEIGHTS = {
    "stance": torch.tensor([1.0, 2.0, 0.5], dtype=torch.float64),
    "event": torch.tensor([3.0, 1.0]).double(),
}
CONFIG = LossConfig(label_smoothing=0.1, focal_gamma=1.0)


def units(count: int = 12) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Logits [U, 5], targets [U, 5] and what was asked [U, 2]: one task, the other, both or none."""
    rng = np.random.default_rng(1)
    target = np.hstack([np.eye(3)[rng.integers(0, 3, count)], rng.integers(0, 2, (count, 2))])
    asked = np.array([[1, 0], [0, 1], [1, 1], [0, 0]], bool)[np.arange(count) % 4]
    logits, target, asked = tensors(rng.normal(0, 2, (count, 5)), target, asked)
    return logits, target, asked


def test_the_joint_loss_is_the_sum_over_the_answers_that_exist() -> None:
    logits, target, asked = units()
    one_by_one = [
        loss(logits[u : u + 1, column], target[u : u + 1, column], TASK_WEIGHTS[name], CONFIG).item()
        for j, (name, loss, column) in enumerate([("stance", single, slice(0, 3)), ("event", multi, slice(3, 5))])
        for u in range(len(logits))
        if asked[u, j]
    ]
    assert len(one_by_one) == 12
    assert joint(logits, target, asked, TASKS, TASK_WEIGHTS, CONFIG).item() == pytest.approx(sum(one_by_one))


@given(st.lists(st.integers(0, 4), min_size=12, max_size=12))
def test_micro_batches_give_the_mean_over_all_answers_however_they_are_split(where: list[int]) -> None:
    logits, target, asked = units()
    count = asked.sum()
    whole = logits.clone().requires_grad_()
    (joint(whole, target, asked, TASKS, TASK_WEIGHTS, CONFIG) / count).backward()
    split = logits.clone().requires_grad_()
    total = 0.0
    for batch in sorted(set(where)):
        rows = torch.tensor([i for i, b in enumerate(where) if b == batch])
        part = joint(split[rows], target[rows], asked[rows], TASKS, TASK_WEIGHTS, CONFIG) / count
        part.backward()
        total += part.item()
    assert total == pytest.approx((joint(logits, target, asked, TASKS, TASK_WEIGHTS, CONFIG) / count).item())
    torch.testing.assert_close(split.grad, whole.grad)


def test_what_stands_where_nothing_was_asked_has_no_effect() -> None:
    logits, target, asked = units()
    columns_asked = asked.repeat_interleave(torch.tensor([3, 2]), 1)
    other = torch.where(columns_asked, target, torch.tensor(-7.0).double())
    first, second = logits.clone().requires_grad_(), logits.clone().requires_grad_()
    before = joint(first, target, asked, TASKS, TASK_WEIGHTS, CONFIG)
    after = joint(second, other, asked, TASKS, TASK_WEIGHTS, CONFIG)
    before.backward()
    after.backward()
    assert before.item() == after.item()
    assert torch.equal(first.grad, second.grad)
    assert not first.grad[~columns_asked].any()


def test_a_batch_without_an_answer_has_a_loss_of_zero_that_can_be_differentiated() -> None:
    logits, target, asked = units()
    logits.requires_grad_()
    loss = joint(logits, target, torch.zeros_like(asked), TASKS, TASK_WEIGHTS, CONFIG)
    loss.backward()
    assert loss.item() == 0
    assert not logits.grad.any()
