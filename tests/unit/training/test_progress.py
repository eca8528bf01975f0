"""A person sees loss, dev metric, speed and the time left: in lines, or in a bar in a terminal."""

import io
import re

import pytest
from tests.unit.training.runs import FULL, prepare

from khabar.training import progress
from khabar.training.progress import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def shown(stream, bar=None, done=0, tokens=0):
    with Progress(10, done, tokens, bar, stream) as told:
        for step in range(done + 1, 11):
            told.step(step, {"loss": 2.0, "tokens": 100.0 * step})
            if step % 4 == 0:
                told.evaluated(step, {"dev_metric": 0.5}, 4)
    return stream.getvalue()


def test_lines_of_evaluations_tell_all_figures():
    lines = shown(io.StringIO()).splitlines()
    assert len(lines) == 2
    assert re.fullmatch(r"step 4/10: loss 2\.000, dev 0\.500, [\d,]+ tokens/s, \d+ s left \(best so far\)", lines[0])
    assert re.fullmatch(r"step 8/10: loss 2\.000, dev 0\.500, [\d,]+ tokens/s, \d+ s left", lines[1])


def test_a_line_comes_after_a_while_without_an_evaluation(monkeypatch):
    monkeypatch.setattr(progress, "QUIET", -1.0)
    lines = shown(io.StringIO()).splitlines()
    assert len(lines) == 12
    assert re.fullmatch(r"step 1/10: loss 2\.000, [\d,]+ tokens/s, \d+ s left", lines[0])
    assert "left" not in lines[-1]


@pytest.mark.parametrize(("bar", "stream"), [(True, io.StringIO()), (None, Terminal())])
def test_a_bar_where_it_is_forced_or_in_a_terminal(bar, stream):
    said = shown(stream, bar)
    assert "\r" in said
    assert "10/10" in said
    assert re.search(r"loss 2\.000, dev 0\.500, [\d,]+ tokens/s", said)


def test_lines_where_a_terminal_is_refused():
    assert "\r" not in shown(Terminal(), bar=False)


@pytest.mark.parametrize("done", [0, 6])
def test_speed_and_time_left_are_those_of_this_start(monkeypatch, done):
    clock = iter(range(1000))
    monkeypatch.setattr(progress.time, "monotonic", lambda: float(next(clock)) * 7)
    monkeypatch.setattr(progress, "QUIET", 1e9)
    stream = io.StringIO()
    with Progress(10, done, 100 * done, bar=False, stream=stream) as told:
        for step in (1, 2):
            told.step(done + step, {"loss": 1.0, "tokens": 100.0 * (done + step)})
        monkeypatch.setattr(progress.time, "monotonic", lambda: 40.0)
        told.evaluated(done + 2, {"dev_metric": 0.1}, 0)
    assert f"5 tokens/s, {20 * (10 - done - 2)} s left" in stream.getvalue()


def test_a_run_without_a_terminal_prints_lines(tmp_path, capsys):
    prepare(tmp_path, progress=False, **FULL)()
    said = capsys.readouterr().err
    assert re.search(r"step \d+/\d+: loss .*, dev .*, .* tokens/s, .* s left", said)
    assert "\r" not in said


def test_a_run_draws_a_bar_where_it_is_forced(tmp_path, capsys):
    prepare(tmp_path, progress=True, **FULL)()
    assert "\r" in capsys.readouterr().err
