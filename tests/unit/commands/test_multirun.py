"""Mean and spread between runs."""

import statistics
from typing import ClassVar

import pytest

from khabar.commands._multirun import _Group, _groups, _sum_up, spread
from khabar.commands._trained import Trained


def test_mean_and_spread_are_those_of_a_sample():
    values = [0.4, 0.5, 0.75]
    assert spread(values) == pytest.approx((statistics.mean(values), statistics.stdev(values)))
    assert spread([0.5]) == (0.5, 0.0)


def configs(*overrides):
    return [(list(each), None) for each in overrides]


def test_runs_that_differ_in_seed_or_fold_alone_are_one_group():
    groups = _groups(configs(("encoder=a", "seed=0"), ("encoder=b", "seed=0"), ("encoder=a", "seed=1")))
    assert [(group.said, len(group.members)) for group in groups] == [("encoder=a", 2), ("encoder=b", 1)]
    assert [group.said for group in _groups(configs(("seed=0", "data.split.fold=1"), ("seed=1",)))] == [""]


def test_labels_called_low_are_no_ends_of_intervals():
    def trained(value):
        names = ("test/t.f1", "test/t.f1.low", "test_labels/t.f1.low")
        return Trained("run", "model", dict.fromkeys(names, value), value, None)

    told = {}

    class Told:
        def log(self, step, metrics):
            told.update(metrics)

        def tags(self, tags):
            pass

        def note(self, text):
            pass

    class Configured:
        tags: ClassVar = {}

    group = _Group("", [("seed=0", Configured()), ("seed=1", Configured())], [trained(0.25), trained(0.75)])
    _sum_up(Told(), group)
    assert told["test/t.f1.mean"] == told["test_labels/t.f1.low.mean"] == told["dev_metric.mean"] == 0.5
    assert not [name for name in told if name.startswith("test/t.f1.low")]
