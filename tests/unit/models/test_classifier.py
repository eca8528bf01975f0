"""The classifier: pooling against a loop, one head a task, columns that follow the labels."""

import numpy as np
import pytest
import torch
from tests.unit.models.conftest import POOLS, tiny_classifier

from khabar.config import LossConfig
from khabar.models.classifier import Classifier, Pool, columns
from khabar.models.losses import joint
from khabar.schema import Task


def inputs(windows: int = 3, length: int = 8, units: int = 4) -> tuple[torch.Tensor, ...]:
    """ids_WL, mask_WL, types_WL, member_UT."""
    rng = np.random.default_rng(0)
    ids = torch.from_numpy(rng.integers(5, 200, (windows, length)))
    member = torch.from_numpy(rng.random((units, windows * length)) < 0.3)
    member[:, 1] = True
    return ids, torch.ones_like(ids), torch.zeros_like(ids), member


def pooled_one_by_one(pool: Pool, h_WLH: torch.Tensor, member_UT: torch.Tensor) -> torch.Tensor:
    windows, length, _ = h_WLH.shape
    rows = []
    for unit in member_UT:
        places = [(w, at) for w in range(windows) for at in range(length) if unit[w * length + at]]
        tokens = torch.stack([h_WLH[w, at] for w, at in places])
        if pool.kind == "cls":
            first = torch.stack([h_WLH[w, 0] for w in sorted({w for w, _ in places})]).mean(0)
            rows.append(torch.tanh(first @ pool.dense.weight.T + pool.dense.bias))
        elif pool.kind == "mean":
            rows.append(tokens.mean(0))
        elif pool.kind == "max":
            rows.append(tokens.max(0).values)
        else:
            rows.append((torch.softmax(pool.query(tokens)[:, 0], 0)[:, None] * tokens).sum(0))
    return torch.stack(rows)


@pytest.mark.parametrize("kind", POOLS)
def test_a_pool_is_what_a_loop_over_tokens_gives(kind: str) -> None:
    torch.manual_seed(0)
    pool, member = Pool(kind, 32), inputs()[3]
    h_WLH = torch.randn(3, 8, 32) - 2  # below zero, where a padded maximum would show
    assert torch.allclose(pool(h_WLH, member), pooled_one_by_one(pool, h_WLH, member), atol=1e-6)


@pytest.mark.parametrize("kind", POOLS)
def test_tokens_outside_a_unit_have_no_effect_on_it(kind: str) -> None:
    torch.manual_seed(0)
    pool, h_WLH, member = Pool(kind, 32), torch.randn(3, 8, 32), torch.zeros(1, 24, dtype=torch.bool)
    member[0, 9:12] = True  # of the second window
    changed = h_WLH.clone()
    changed[[0, 2]] = 100
    changed[1, 5:] = -100
    assert torch.equal(pool(h_WLH, member), pool(changed, member))


def test_logits_are_fp32_with_a_column_for_each_label(classifier: Classifier, tasks: dict[str, Task]) -> None:
    logits = classifier(*inputs())
    assert logits.shape == (4, 2 + 3 + 4 + 5)
    assert logits.dtype == torch.float32
    assert classifier.to(torch.bfloat16)(*inputs()).dtype == torch.float32
    assert columns(tasks) == {"cls": slice(0, 2), "mean": slice(2, 5), "max": slice(5, 9), "attention": slice(9, 14)}


def test_the_columns_of_a_task_are_those_of_its_own_head(classifier: Classifier) -> None:
    before = classifier(*inputs())
    with torch.no_grad():
        classifier.heads["max"].bias += 1
    moved = (classifier(*inputs()) - before).abs() > 0.5
    assert moved.all(0).nonzero().flatten().tolist() == [5, 6, 7, 8]
    assert moved.any(0).sum() == 4


def test_the_order_of_the_tasks_is_the_order_of_the_columns(classifier: Classifier, tasks: dict[str, Task]) -> None:
    backwards = dict(reversed(tasks.items()))
    other = tiny_classifier(backwards, seed=1)
    other.load_state_dict(classifier.state_dict())
    expected, found = classifier(*inputs()), other(*inputs())
    for name, column in columns(tasks).items():
        assert torch.equal(found[:, columns(backwards)[name]], expected[:, column])


def test_permuted_labels_with_permuted_weights_permute_the_logits(
    classifier: Classifier, tasks: dict[str, Task]
) -> None:
    order = [2, 0, 3, 1]
    task = tasks["max"]
    permuted = tasks | {"max": task.model_copy(update={"labels": tuple(task.labels[i] for i in order)})}
    other = tiny_classifier(permuted, seed=1)
    state = classifier.state_dict()
    for name in ("heads.max.weight", "heads.max.bias"):
        state[name] = state[name][order]
    other.load_state_dict(state)
    by_label = dict(zip(task.labels, classifier(*inputs())[:, columns(tasks)["max"]].T, strict=True))
    found = other(*inputs())[:, columns(permuted)["max"]].T
    for label, logit in zip(permuted["max"].labels, found, strict=True):
        assert torch.allclose(logit, by_label[label], atol=1e-6)


def test_a_head_that_nobody_asked_has_a_gradient_of_zero(classifier: Classifier, tasks: dict[str, Task]) -> None:
    asked = torch.zeros(4, 4, dtype=torch.bool)
    asked[:, 1] = True  # the task "mean" alone
    target = torch.zeros(4, 14)
    target[:, 2] = 1
    weights = {name: torch.ones(len(task.labels)) for name, task in tasks.items()}
    joint(classifier(*inputs()), target, asked, tasks, weights, LossConfig()).backward()
    for name in tasks:
        own = [*classifier.heads[name].parameters(), *classifier.pools[name].parameters()]
        assert all(parameter.grad is not None for parameter in own)
        assert any(parameter.grad.any() for parameter in own) == (name == "mean")
    assert all(parameter.grad is not None for parameter in classifier.encoder.parameters())


def test_an_encoder_without_token_types_is_given_none(classifier: Classifier) -> None:
    ids, mask, types, member = inputs()
    classifier.uses_token_types = False
    assert torch.equal(classifier(ids, mask, types, member), classifier(ids, mask, types + 1, member))
    classifier.uses_token_types = True
    assert not torch.allclose(classifier(ids, mask, types, member), classifier(ids, mask, types + 1, member))
