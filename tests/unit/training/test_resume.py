"""A run that is stopped and started again ends as an unbroken one, bit for bit."""

import json
import os
import signal
import socket
import subprocess
import sys

import pytest
from safetensors.torch import load_file
from tests.conftest import ROOT
from tests.unit.training import runs
from tests.unit.training.runs import FULL, prepare, same

from khabar.errors import GateError


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    run = prepare(tmp_path_factory.mktemp("unbroken"), **FULL)
    return run, run(), run.weights


def stopped_at(folder, step, number=signal.SIGINT, times=1, on="loss", **loop):
    """A run that hears a signal after this step."""

    def heard(now, metrics):
        if now == step and on in metrics:
            for _ in range(times):
                os.kill(os.getpid(), number)

    run = prepare(folder, heard=heard, **{**FULL, **loop})
    with pytest.raises(KeyboardInterrupt):
        run()
    return run


def test_the_run_tested_here_has_many_epochs_evaluations_and_a_best_step_before_its_end(unbroken):
    run, outcome, _ = unbroken
    assert run.loop.state.epoch >= 2
    assert outcome.steps >= 10
    assert outcome.best_step < outcome.steps
    assert sum("dev_metric" in metrics for _, metrics in run.told) >= 5
    assert len(set(run.losses)) == outcome.steps
    assert outcome.best is not None


@pytest.mark.parametrize(("number", "every"), [(signal.SIGINT, 0.0), (signal.SIGTERM, 300.0)])
def test_stopped_after_any_step_it_goes_on_to_the_same_weights(tmp_path, unbroken, number, every):
    _, outcome, weights = unbroken
    for step in range(1, outcome.steps + 1):
        folder = tmp_path / str(step)
        first = stopped_at(folder, step, number, checkpoint_every=every)
        second = prepare(folder, **{**FULL, "checkpoint_every": every})
        assert second.loop.resumed
        assert second.loop.state.step == step == first.loop.state.step
        ended = second()
        assert same(second.weights, weights), step
        assert (ended.best, ended.best_step, ended.steps, ended.tokens) == (
            outcome.best,
            outcome.best_step,
            outcome.steps,
            outcome.tokens,
        )


def test_stopped_after_every_step_it_still_ends_the_same(tmp_path, unbroken):
    _, outcome, weights = unbroken
    for step in range(1, outcome.steps):
        stopped_at(tmp_path, step)
    run = prepare(tmp_path, **FULL)
    run()
    assert same(run.weights, weights)


def test_stopped_in_an_evaluation_it_goes_on_to_the_same_weights(tmp_path, unbroken):
    _, outcome, weights = unbroken
    stopped_at(tmp_path, outcome.steps, on="dev_metric")
    run = prepare(tmp_path, **FULL)
    run()
    assert same(run.weights, weights)


def test_a_second_sigint_stops_at_once_and_loses_one_step(tmp_path, unbroken):
    _, _, weights = unbroken
    stopped_at(tmp_path, 5, times=2)
    run = prepare(tmp_path, **FULL)
    assert run.loop.state.step == 4
    run()
    assert same(run.weights, weights)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_handlers_are_restored(tmp_path, number):
    before = signal.getsignal(number)
    stopped_at(tmp_path, 2, number)
    assert signal.getsignal(number) is before
    prepare(tmp_path, **FULL)()
    assert signal.getsignal(number) is before


def test_draws_of_other_code_change_nothing(tmp_path, unbroken):
    import torch

    _, _, weights = unbroken
    run = prepare(tmp_path, heard=lambda step, metrics: torch.manual_seed(step), **FULL)
    run()
    assert same(run.weights, weights)


def test_a_finished_run_takes_no_more_steps(tmp_path, unbroken):
    _, outcome, weights = unbroken
    prepare(tmp_path, **FULL)()
    again = prepare(tmp_path, **FULL)
    ended = again()
    assert not again.told
    assert (ended.steps, ended.best) == (outcome.steps, outcome.best)
    assert same(again.weights, weights)


def test_a_run_that_stopped_early_does_not_go_on_training(tmp_path):
    early = {**FULL, "patience": 2}
    dev = [0.5, 0.4, 0.3, 0.9]
    first = prepare(tmp_path, dev=dev, **early)
    outcome = first()
    again = prepare(tmp_path, dev=[0.9], **early)
    ended = again()
    assert outcome.stopped_early
    assert ended.stopped_early
    assert not again.told
    assert (ended.steps, ended.best, ended.best_step) == (outcome.steps, 0.5, outcome.best_step)
    assert same(again.weights, first.weights)


def no_manifest(folder):
    (folder / "manifest.json").unlink()


def truncated(folder):
    file = folder / "optimizer.safetensors"
    file.write_bytes(file.read_bytes()[:-1])


def flipped(folder):
    file = folder / "model.safetensors"
    content = bytearray(file.read_bytes())
    content[-100] ^= 1
    file.write_bytes(content)


def missing(folder):
    (folder / "model.safetensors").unlink()


def half_a_manifest(folder):
    file = folder / "manifest.json"
    file.write_text(file.read_text()[:-20])


@pytest.mark.parametrize("damage", [no_manifest, truncated, flipped, missing, half_a_manifest])
def test_a_damaged_newest_checkpoint_is_passed_over_for_the_one_before(tmp_path, unbroken, damage):
    _, _, weights = unbroken
    stopped_at(tmp_path, 6)
    damage(tmp_path / "step-00000006")
    run = prepare(tmp_path, **FULL)
    assert run.loop.state.step == 5
    assert not (tmp_path / "step-00000006").exists()
    run()
    assert same(run.weights, weights)


def test_without_a_whole_checkpoint_it_starts_anew(tmp_path, unbroken):
    _, _, weights = unbroken
    stopped_at(tmp_path, 2)
    for folder in tmp_path.glob("step-*"):
        flipped(folder)
    run = prepare(tmp_path, **FULL)
    assert not run.loop.resumed
    run()
    assert same(run.weights, weights)


def test_damaged_best_weights_are_an_error_and_never_replaced_by_others(tmp_path, unbroken):
    _, outcome, _ = unbroken
    prepare(tmp_path, **FULL)()
    flipped(tmp_path / f"best-{outcome.best_step:08d}")
    with pytest.raises(GateError, match="damaged"):
        prepare(tmp_path, **FULL)()


def test_only_the_newest_few_checkpoints_stay_and_none_is_a_pickle(tmp_path):
    (tmp_path / "step-00000003.part").mkdir(parents=True)  # left by a kill
    stopped_at(tmp_path, 9)
    steps = sorted(path.name for path in tmp_path.glob("step-*"))
    assert steps == ["step-00000008", "step-00000009"]
    assert 1 <= len(list(tmp_path.glob("best-*"))) <= 2
    files = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert files == {"model.safetensors", "optimizer.safetensors", "state.json", "manifest.json"}
    json.loads((tmp_path / "step-00000009" / "state.json").read_text("utf-8"))


def test_the_best_weights_lie_apart_from_the_checkpoints(tmp_path, unbroken):
    _, _, weights = unbroken
    outcome = prepare(tmp_path, **FULL)()
    assert same(load_file(tmp_path / f"best-{outcome.best_step:08d}" / "model.safetensors"), weights)


def launched(folder, world=1, **told):
    """Exit codes and output of processes that train together in `folder`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = []
    for rank in range(world):
        joint = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": world, "LOCAL_WORLD_SIZE": world} if world > 1 else {}
        address = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "ACCELERATE_USE_CPU": "true"} if world > 1 else {}
        env = {key: str(value) for key, value in {**joint, **address, "OMP_NUM_THREADS": 1}.items()}
        started.append(
            subprocess.Popen(
                [sys.executable, runs.__file__, str(folder), json.dumps(told)],
                env={**os.environ, "PYTHONPATH": str(ROOT), **env},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )
    said = [process.communicate(timeout=300)[0] for process in started]
    return [process.returncode for process in started], said


@pytest.mark.slow
def test_killed_between_checkpoints_it_goes_on_to_the_same_weights(tmp_path, unbroken):
    _, outcome, weights = unbroken
    codes, said = launched(tmp_path, signal_at=4)
    assert codes == [-signal.SIGKILL], said
    codes, said = launched(tmp_path, signal_at=outcome.steps, on="dev_metric")
    assert codes == [-signal.SIGKILL], said
    assert "from step 3" in said[0]
    codes, said = launched(tmp_path)
    assert codes == [0], said
    assert f"from step {outcome.steps - 1}" in said[0]
    assert same(load_file(tmp_path / "weights.safetensors"), weights)


@pytest.mark.slow
def test_two_processes_train_as_one_does_and_stop_after_the_same_step(tmp_path, unbroken):
    run, _, weights = unbroken
    assert any(len(run.loop.work.plan(epoch)) % 2 for epoch in range(4))  # one process has a batch less than the other
    codes, said = launched(tmp_path, world=2, signal_at=4, number=signal.SIGTERM, rank=1)
    assert all("KeyboardInterrupt" in output for output in said), said
    assert 0 not in codes
    codes, said = launched(tmp_path, world=2)
    assert codes == [0, 0], said
    assert all("from step 4" in output for output in said)
    for rank in (0, 1):
        ended = load_file(tmp_path / f"weights{rank}.safetensors")
        assert max(float((ended[name] - value).abs().max()) for name, value in weights.items()) < 1e-5
