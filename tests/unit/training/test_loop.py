"""The loop takes the steps that the configuration asks for, and leaves the model with the weights it should."""

import math
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file
from tests.unit.training.runs import FULL, TASKS, TRAIN, model, prepare, same, stances, work

from khabar.config import MachineConfig
from khabar.errors import ConfigError, GateError
from khabar.training.loop import bf16
from khabar.training.sampling import ClassificationWork


def test_the_same_seed_gives_the_same_weights_and_another_does_not(tmp_path):
    ended = {}
    for name, seed in (("0", 0), ("again", 0), ("1", 1), ("large", 2**40)):
        torch.manual_seed(len(ended))
        run = prepare(tmp_path / name, seed=seed, **FULL)
        run()
        ended[name] = run.weights
    assert same(ended["0"], ended["again"])
    assert not same(ended["0"], ended["1"])
    assert not same(ended["0"], ended["large"])


def test_dropout_alone_follows_the_seed(tmp_path):
    first, second = (prepare(tmp_path / str(seed), seed=seed, data=work(seed=0), max_steps=2) for seed in (0, 1))
    first()
    second()
    assert not same(first.weights, second.weights)


def test_it_learns(tmp_path):
    run = prepare(tmp_path, **{**FULL, "epochs": 12.0})
    run()
    assert run.losses[-1] < 0.3 * run.losses[0]


class Planned(ClassificationWork):
    """The same work in batches that a test chooses."""

    batches: list[list[int]]

    def plan(self, epoch: int) -> list[list[int]]:
        return self.batches


def planned(batches, examples=TRAIN):
    made = work(examples)
    fixed = Planned(made.passes, made.examples, TASKS, 0, made.batch_tokens, 1.0, made.config, 0)
    fixed.batches = batches
    return fixed


def one_step(folder, batches, **loop):
    """Weights, moments and metrics after a step of these micro-batches, without dropout."""
    run = prepare(
        folder,
        trained=model(dropout=0.0),
        data=planned(batches),
        evaluated=False,
        **{"accumulate": len(batches), "max_steps": 1, "warmup": 0.0, **loop},
    )
    run()
    return run.weights, load_file(folder / "step-00000001" / "optimizer.safetensors"), run.told[0][1]


def test_accumulated_parts_give_the_gradient_of_the_whole(tmp_path):
    whole = [0, 1, 2, 3, 4, 5, 6, 7]  # the first four hold three answers each, the others one
    assert [work().count([i]) for i in whole] == [3, 3, 3, 3, 1, 1, 1, 1]
    _, together, said_together = one_step(tmp_path / "whole", [whole])
    for name, parts in (("halves", [whole[:4], whole[4:]]), ("uneven", [whole[:1], whole[1:]])):
        _, apart, said_apart = one_step(tmp_path / name, parts)
        assert said_apart["loss"] == pytest.approx(said_together["loss"], rel=1e-5)
        assert said_apart["grad_norm"] == pytest.approx(said_together["grad_norm"], rel=1e-4)
        for key, moment in together.items():
            if key.endswith("exp_avg"):
                assert torch.allclose(apart[key], moment, atol=1e-6), key


def test_a_step_that_ends_an_epoch_short_is_divided_by_what_it_holds(tmp_path):
    data = planned([[4], [5], [6]])
    run = prepare(tmp_path, trained=model(dropout=0.0), data=data, evaluated=False, accumulate=2, epochs=1.0)
    assert run().steps == 2
    before = model(dropout=0.0)
    before.load_state_dict(load_file(tmp_path / "step-00000001" / "model.safetensors"))
    assert run.losses[1] == pytest.approx(data.loss(before, [6], torch.device("cpu")).item(), rel=1e-5)


def test_rows_without_an_answer_train_nothing(tmp_path):
    unanswered = [replace(example, gold=None) for example in stances(2, 50)]
    run = prepare(
        tmp_path,
        data=planned([[0]], [*unanswered, *TRAIN]),
        evaluated=False,
        max_steps=2,
        weight_decay=0.0,
    )
    before = run.weights
    run()
    assert run.losses == [0.0, 0.0]
    assert same(run.weights, before)


def test_the_gradient_is_clipped_to_its_norm(tmp_path):
    _, free, said = one_step(tmp_path / "free", [[0, 5]], clip=1e9)
    _, held, said_held = one_step(tmp_path / "held", [[0, 5]], clip=1e-3)
    assert said["grad_norm"] == pytest.approx(said_held["grad_norm"]) and said["grad_norm"] > 1e-2

    def norm(moments):  # after one step the first moment is a tenth of the gradient
        squares = sum(float((10 * value).square().sum()) for key, value in moments.items() if key.endswith("exp_avg"))
        return math.sqrt(squares)

    assert norm(free) == pytest.approx(said["grad_norm"], rel=1e-4)
    assert norm(held) == pytest.approx(1e-3, rel=1e-3)


def test_the_rate_told_is_the_encoders_top_rate(tmp_path):
    run = prepare(tmp_path, evaluated=False, max_steps=4, warmup=0.5, layer_decay=0.5)
    run()
    assert [metrics["lr"] for _, metrics in run.told] == pytest.approx([0.01, 0.02, 0.02, 0.01])


@pytest.mark.parametrize(
    ("loop", "steps"),
    [({"epochs": 1.0}, 6), ({"epochs": 1.1}, 7), ({"epochs": 0.01}, 1), ({"epochs": 1.0, "max_steps": 2}, 2)],
)
def test_steps_follow_epochs_or_max_steps(tmp_path, loop, steps):
    run = prepare(tmp_path, data=planned([[i] for i in range(6)]), evaluated=False, **loop)
    assert run.loop.steps == steps
    assert run().steps == steps


SIX = [[i] for i in range(6)]


def test_it_stops_after_patience_evaluations_without_a_better_one_and_holds_the_best(tmp_path):
    dev = [0.1, 0.5, 0.4, 0.5, 0.9]
    common = {"dev": dev, "epochs": 5.0, "eval_every": 1 / 6}
    run = prepare(tmp_path / "a", data=planned(SIX), patience=2, **common)
    outcome = run()
    assert (outcome.steps, outcome.best_step, outcome.best, outcome.stopped_early) == (4, 2, 0.5, True)
    assert same(run.weights, load_file(tmp_path / "a" / "best-00000002" / "model.safetensors"))
    assert not same(run.weights, load_file(tmp_path / "a" / "step-00000004" / "model.safetensors"))
    assert not run.loop.raw.training


def test_without_patience_it_goes_on_to_the_end(tmp_path):
    run = prepare(tmp_path, data=planned(SIX), dev=[0.5], epochs=2.0, eval_every=1 / 6)
    outcome = run()
    assert (outcome.steps, outcome.best_step, outcome.stopped_early) == (12, 1, False)


def test_keep_last_holds_the_last_weights_and_writes_no_best(tmp_path):
    run = prepare(tmp_path, data=planned(SIX), dev=[0.5], epochs=1.0, eval_every=1 / 6, keep="last")
    outcome = run()
    assert (outcome.best_step, outcome.best) == (1, 0.5)
    assert same(run.weights, load_file(tmp_path / "step-00000006" / "model.safetensors"))
    assert not list(tmp_path.glob("best-*"))


def test_a_dev_metric_that_is_no_number_is_never_the_best(tmp_path):
    run = prepare(tmp_path / "a", data=planned(SIX), dev=[math.nan, 0.2, math.nan], epochs=0.5, eval_every=1 / 6)
    outcome = run()
    assert (outcome.best, outcome.best_step) == (0.2, 2)
    run = prepare(tmp_path / "b", data=planned(SIX), dev=[math.nan] * 9, epochs=1.0, eval_every=1 / 6, patience=3)
    outcome = run()
    assert (outcome.best, outcome.best_step, outcome.steps) == (None, 3, 3)


def test_without_dev_rows_the_last_weights_stay(tmp_path):
    run = prepare(tmp_path, evaluated=False, epochs=1.0)
    outcome = run()
    assert (outcome.best, outcome.best_step) == (None, outcome.steps)


def test_an_evaluation_sees_no_dropout_and_changes_no_step(tmp_path):
    seldom, often = (prepare(tmp_path / str(every), keep="last", epochs=2.0, eval_every=every) for every in (9.0, 0.01))
    seldom()
    often()
    assert len(often.told) > len(seldom.told)
    assert often.losses == seldom.losses
    assert same(often.weights, seldom.weights)


def test_a_batch_that_can_be_learnt_is_learnt_on_a_copy(tmp_path):
    run = prepare(tmp_path / "a", overfit_batch=True, max_steps=2)
    run()
    step, metrics = run.told[0]
    assert step == 0
    assert metrics["overfit_last_loss"] < 0.5 * metrics["overfit_first_loss"]
    plain = prepare(tmp_path / "b", max_steps=2)
    plain()
    assert same(run.weights, plain.weights)


def test_a_batch_that_contradicts_itself_is_refused(tmp_path):
    example = stances(1)[0]
    both = [example, replace(example, id="other", gold=("against",))]
    run = prepare(tmp_path, data=work(both), overfit_batch=True)
    with pytest.raises(GateError, match="learnt by heart"):
        run()
    assert not list(tmp_path.glob("step-*"))


def test_a_gradient_that_is_no_number_stops_the_run_and_leaves_the_weights(tmp_path):
    run = prepare(tmp_path, max_steps=3)
    with torch.no_grad():
        run.loop.raw.heads["stance"].bias.fill_(math.nan)
    before = run.weights
    with pytest.raises(GateError, match=r"step 1 is nan.*loop\.lr"):
        run()
    assert all(torch.equal(value.nan_to_num(), before[name].nan_to_num()) for name, value in run.weights.items())


def test_bf16_runs_and_fp32_after_it_is_as_before(tmp_path):
    ended = {}
    for name, precision in (("fp32", "fp32"), ("bf16", "bf16"), ("again", "fp32")):
        run = prepare(tmp_path / name, precision=precision, overfit_batch=True, **FULL)
        run()
        ended[name] = run.weights
        assert "forward" not in vars(run.loop.raw)  # what is exported is the model as it was given
    assert same(ended["fp32"], ended["again"])
    assert not same(ended["fp32"], ended["bf16"])
    assert all(value.dtype == ended["fp32"][name].dtype for name, value in ended["bf16"].items())


@pytest.mark.parametrize(("precision", "half"), [("auto", False), ("fp32", False), ("bf16", True)])
def test_auto_precision_is_fp32_on_cpu(precision, half):
    assert bf16(MachineConfig(precision=precision), torch.device("cpu")) is half


@pytest.mark.skipif(torch.backends.mps.is_available(), reason="this machine has MPS")
def test_a_device_that_is_not_there_is_an_error(tmp_path):
    from khabar.training.loop import accelerator

    with pytest.raises(ConfigError, match=r"machine\.device=mps"):
        accelerator(MachineConfig(device="mps"))
