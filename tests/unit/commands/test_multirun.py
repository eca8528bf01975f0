"""Mean and spread between runs."""

import statistics

import pytest

from khabar.commands._multirun import spread


def test_mean_and_spread_are_those_of_a_sample():
    values = [0.4, 0.5, 0.75]
    assert spread(values) == pytest.approx((statistics.mean(values), statistics.stdev(values)))
    assert spread([0.5]) == (0.5, 0.0)
