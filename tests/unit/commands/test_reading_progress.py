"""What is told while a long input is read."""

import io

from khabar.commands import _progress
from khabar.commands._progress import Progress


def lines(monkeypatch, total, first, steps):
    now = [0.0]
    monkeypatch.setattr(_progress.time, "monotonic", lambda: now[0])
    stream = io.StringIO()
    progress = Progress(total, first, None, stream)
    for moment, done in steps:
        now[0] = moment
        progress.at(done)
    progress.close()
    return stream.getvalue().splitlines()


def test_a_plain_line_every_fifteen_seconds_with_rate_and_time_left(monkeypatch):
    steps = [(10, 850), (20, 1700), (30, 2550), (141.2, 12000)]
    assert lines(monkeypatch, 100_000, 0, steps) == [
        "1,700 of 100,000 articles, 85/s, 1,156 s left",
        "12,000 of 100,000 articles, 85/s, 1,035 s left",
    ]


def test_the_rate_is_of_this_start_and_the_total_may_be_unknown_or_wrong(monkeypatch):
    assert lines(monkeypatch, 300, 100, [(20, 150)]) == ["150 of 300 articles, 2.5/s, 60 s left"]
    assert lines(monkeypatch, None, 0, [(20, 10)]) == ["10 articles, 0.5/s"]
    assert lines(monkeypatch, 5, 0, [(20, 10)]) == ["10 articles, 0.5/s"]


def test_a_bar_where_it_is_wanted():
    stream = io.StringIO()
    progress = Progress(10, 4, True, stream)
    progress.at(7)
    progress.say("a bad row")
    progress.close()
    shown = stream.getvalue()
    assert "7/10" in shown
    assert "a bad row\n" in shown
