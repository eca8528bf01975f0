"""Parameter groups and learning rates have the values their formulas say."""

import math

import pytest
from tests.unit.training import runs

from khabar.config import LoopConfig
from khabar.training.optim import factor, optimizer, set_rate


def rates(steps, **loop):
    config = LoopConfig.of(loop)
    return [factor(step, steps, config) for step in range(steps)]


def test_warm_up_rises_in_equal_parts_to_the_top():
    assert rates(100, warmup=0.1)[:12] == pytest.approx([*(n / 10 for n in range(1, 11)), 1.0, 89 / 90])


def test_warm_up_takes_its_share_of_the_steps_whatever_the_rounding_of_floats():
    assert sum(rate < 1 for rate in rates(70, warmup=0.1, schedule="constant")) == 6  # 0.1 * 70 > 7
    assert rates(5, warmup=1.0) == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])


@pytest.mark.parametrize(
    ("schedule", "first", "middle", "last"),
    [
        ("constant", 1.0, 1.0, 1.0),
        ("linear", 1.0, 0.5, 0.1),
        ("cosine", 1.0, 0.5, 0.5 * (1 - math.cos(math.pi / 10))),
    ],
)
def test_schedules_at_their_first_middle_and_last_step(schedule, first, middle, last):
    found = rates(10, warmup=0.0, schedule=schedule)
    assert (found[0], found[5], found[9]) == pytest.approx((first, middle, last))


@pytest.mark.parametrize("schedule", ["constant", "linear", "cosine"])
@pytest.mark.parametrize("steps", [1, 2, 3, 50])
def test_no_step_is_taken_at_rate_zero_or_above_the_top(schedule, steps):
    for warmup in (0.0, 0.1, 0.5, 1.0):
        assert all(0 < rate <= 1 for rate in rates(steps, warmup=warmup, schedule=schedule))


def groups(**loop):
    """Name -> (rate, decay) of every parameter of the tiny model."""
    model = runs.model()
    made = optimizer(model, LoopConfig.of(loop), lr=1e-3)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    found = {
        names[id(parameter)]: (group["top"], group["weight_decay"])
        for group in made.param_groups
        for parameter in group["params"]
    }
    assert found.keys() == set(names.values())
    assert sum(len(group["params"]) for group in made.param_groups) == len(names)
    return found


def test_each_layer_learns_slower_than_the_one_above_and_heads_have_their_own_rate():
    found = groups(layer_decay=0.5, head_lr=0.1)
    for name, (rate, _) in found.items():
        if name.startswith("encoder.embeddings."):
            assert rate == 1e-3 * 0.5**3
        elif name.startswith("encoder.encoder.layer.0."):
            assert rate == 1e-3 * 0.5**2
        elif name.startswith("encoder.encoder.layer.1."):
            assert rate == 1e-3 * 0.5
        else:
            assert name.startswith(("heads.", "pools."))
            assert rate == 0.1


def test_without_layer_decay_and_head_rate_all_learn_alike():
    assert {rate for rate, _ in groups().values()} == {1e-3}


def test_weights_decay_and_biases_and_norms_do_not():
    for name, (_, decay) in groups(weight_decay=0.3).items():
        assert decay == (0.0 if name.endswith("bias") or "LayerNorm" in name else 0.3), name


def test_frozen_parameters_are_left_out():
    model = runs.model()
    for parameter in model.encoder.embeddings.parameters():
        parameter.requires_grad_(False)
    made = optimizer(model, LoopConfig(layer_decay=0.5), lr=1e-3)
    assert min(group["top"] for group in made.param_groups) == 1e-3 * 0.5**2
    assert all(parameter.requires_grad for group in made.param_groups for parameter in group["params"])


def test_set_rate_scales_every_group_from_its_own_top():
    made = optimizer(runs.model(), LoopConfig(layer_decay=0.5, head_lr=0.1), lr=1e-3)
    set_rate(made, 0.25)
    set_rate(made, 0.5)
    assert all(group["lr"] == 0.5 * group["top"] for group in made.param_groups)
