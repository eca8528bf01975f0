"""Krippendorff's alpha out of counts of answers, with intervals (Krippendorff 2019, chapter 12).

alpha = 1 - D_o / D_e over the pairs of answers within units. Both parts are made of sums over units, so that a draw of
whole groups is a weight on their sums. Coverage of 95% intervals in a simulation of groups of 1 to 6 units and three
annotators: 0.88 with 10 groups, 0.89 with 20, 0.93 with 40, 0.95 with 100; of the rarest label 0.81, 0.88, 0.91, 0.92.

Shapes: U units, K distinct answers, C clusters, D draws.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from khabar.evaluation.bootstrap import interval, weights
from khabar.evaluation.scored import Floats, Ints

Answer = frozenset[str]


class Counts(NamedTuple):
    """What one alpha is counted from: how often each answer was given [U, K], and the distance [K, K] of any two."""

    answers: Floats
    distance: Floats


class Estimate(NamedTuple):
    """An alpha; NaN where all answers are the same, its ends also with a single cluster.

    `undefined` draws had no variation and are left out of the interval.
    """

    value: float
    low: float
    high: float
    clusters: int
    undefined: int


def masi(one: Answer, other: Answer) -> float:
    """The MASI distance of two sets of labels, 0 to 1 (Passonneau 2006); two empty sets are equal."""
    if one == other:
        return 0.0
    shared = len(one & other)
    monotone = 2 / 3 if one < other or other < one else 1 / 3
    return 1 - monotone * shared / len(one | other)


def estimate(several: Sequence[Counts], cluster_U: Ints, *, draws: int, seed: int, level: float) -> list[Estimate]:
    """The alphas of counts on the same units, all on the same draws of clusters; every unit has two answers or more."""
    index_U = np.unique(cluster_U, return_inverse=True)[1]
    clusters = int(index_U.max(initial=-1)) + 1
    sums = [np.zeros((clusters, counts.answers.shape[1] + 1)) for counts in several]
    for sum_CK, counts in zip(sums, several, strict=True):
        np.add.at(sum_CK, index_U, _parts(counts.answers, counts.distance))
    ends = np.cumsum([sum_CK.shape[1] for sum_CK in sums])[:-1]
    drawn = []
    if clusters > 1:
        all_CK = np.hstack(sums)
        drawn = np.split(np.vstack([weight_DC @ all_CK for weight_DC in weights(clusters, draws, seed)]), ends, axis=1)
    found = []
    for i, counts in enumerate(several):
        value = float(_alpha(sums[i].sum(0), counts.distance))
        sample_D = _alpha(drawn[i], counts.distance) if drawn else np.full(draws, math.nan)
        low, high = (math.nan, math.nan) if math.isnan(value) else interval(sample_D, level)
        found.append(Estimate(value, low, high, clusters, int(np.isnan(sample_D).sum())))
    return found


def _parts(counts_UK: Floats, distance_KK: Floats) -> Floats:
    """What alpha is a formula of, for each unit [U, K + 1]: its answers, and the distance over its ordered pairs.

    A pair weighs 1 / (m - 1) in a unit of m answers, so that each answer counts once, however many others there are.
    """
    within_U = ((counts_UK @ distance_KK) * counts_UK).sum(1) / (counts_UK.sum(1) - 1)
    return np.column_stack([counts_UK, within_U])


def _alpha(sums: Floats, distance_KK: Floats) -> Floats:
    """Alpha of sums [..., K + 1]: 1 - (n - 1) sum_ck o_ck d_ck / sum_ck n_c n_k d_ck; NaN without variation."""
    given, observed = sums[..., :-1], sums[..., -1]
    expected = ((given @ distance_KK) * given).sum(-1)
    known = np.where(expected > 0, expected, np.nan)
    return np.asarray(1 - (given.sum(-1) - 1) * observed / known)
