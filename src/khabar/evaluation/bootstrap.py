"""Intervals by the percentile bootstrap over clusters: whole articles are drawn, never their rows alone.

Efron and Tibshirani (1993), chapter 13; clusters as in Davison and Hinkley (1997), section 3.8. A draw takes as many
clusters as there are, with replacement, which is a multinomial weight on each; draw i of a seed is the same for every
metric and every system, so that the difference of two systems needs nothing more than two passes.

Coverage of 95% intervals of macro-F1 in a simulation of articles of 1 to 6 rows: 0.88 with 10 articles, 0.92 with 20,
0.95 with 50 and with 100; 0.81 with 100 where rows are drawn instead.

Shapes: N rows, C clusters, K sums, D draws, L labels.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from khabar.errors import ConfigError, DataError
from khabar.evaluation.metrics import CountMetric, Metric, RankMetric, compute, named
from khabar.evaluation.scored import Floats, Ints, Scored

RANK_DRAWS = 1000  # a rank metric costs a pass over all rows for every draw
CELLS = 1 << 21  # floats of a block of weights: 16 MB


@dataclass(frozen=True)
class Score:
    """A number and what it rests on.

    `count` is the gold rows of the label, or all rows where `label` is None. `value` is NaN where the metric is
    undefined; `low` and `high` are NaN there, and where a single cluster leaves nothing to draw from.
    """

    metric: str
    label: str | None
    value: float
    low: float
    high: float
    count: int
    clusters: int
    draws: int
    seed: int
    level: float


def weights(clusters: int, draws: int, seed: int) -> Iterator[Floats]:
    """Multinomial weights in blocks [D, C], every row summing to C; draw i depends on the seed alone."""
    rng = np.random.default_rng(seed)
    block = max(1, CELLS // clusters)
    for start in range(0, draws, block):
        shape = (min(block, draws - start), clusters)
        drawn_DC = rng.integers(clusters, size=shape) + clusters * np.arange(shape[0])[:, None]
        yield np.bincount(drawn_DC.ravel(), minlength=drawn_DC.size).reshape(shape).astype(np.float64)


def replicate(scored: Scored, metrics: Sequence[Metric], *, draws: int, seed: int) -> list[Floats]:
    """Each metric on each draw: [D], or [D, L] of a per-label metric. Rank metrics stop at `RANK_DRAWS` draws."""
    index_N = np.unique(scored.cluster, return_inverse=True)[1]
    clusters = int(index_N.max()) + 1
    stats = list(dict.fromkeys(metric.stat for metric in metrics if isinstance(metric, CountMetric)))
    sums: dict[object, Floats] = {}
    if stats:
        parts_CK = [_by_cluster(stat(scored), index_N) for stat in stats]
        all_CK = np.hstack(parts_CK)
        all_DK = np.vstack([weight_DC @ all_CK for weight_DC in weights(clusters, draws, seed)])
        ends = np.cumsum([part.shape[1] for part in parts_CK])[:-1]
        sums = dict(zip(stats, np.split(all_DK, ends, axis=1), strict=True))
    for value in dict.fromkeys(metric.value for metric in metrics if isinstance(metric, RankMetric)):
        sums[value] = _ranked(scored, value, index_N, min(draws, RANK_DRAWS), seed)
    return [metric.finish(sums[metric.stat if isinstance(metric, CountMetric) else metric.value]) for metric in metrics]


def _by_cluster(stat_NK: Floats, index_N: Ints) -> Floats:
    order_N = np.argsort(index_N, kind="stable")
    starts_C = np.flatnonzero(np.diff(index_N[order_N], prepend=-1))
    return np.asarray(np.add.reduceat(stat_NK[order_N], starts_C, axis=0))


def _ranked(scored: Scored, value: Callable[[Scored, Floats], Floats], index_N: Ints, draws: int, seed: int) -> Floats:
    clusters = int(index_N.max()) + 1
    block = max(1, CELLS // len(index_N))
    return np.concatenate([
        value(scored, weight_DC[start : start + block][:, index_N])
        for weight_DC in weights(clusters, draws, seed)
        for start in range(0, len(weight_DC), block)
    ])  # fmt: skip


def interval(sample_D: Floats, level: float) -> tuple[float, float]:
    """The central `level` of the draws; draws on which a metric is undefined are left out."""
    known = sample_D[~np.isnan(sample_D)]
    if len(known) == 0:
        return float("nan"), float("nan")
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def bootstrap(scored: Scored, metrics: Sequence[Metric], *, draws: int, seed: int, level: float) -> list[Score]:
    """Each metric with its interval; a per-label metric gives a score for each label.

    Raises:
        ConfigError: `draws` is below 1, or `level` outside (0, 1).
    """
    _check(draws, level)
    samples = replicate(scored, metrics, draws=draws, seed=seed)
    scores = []
    for metric, sample in zip(metrics, samples, strict=True):
        value = compute(scored, metric.name)
        if metric.per_label:
            scores += [
                _score(scored, metric.name, label, value[i], sample[:, i], seed, level)
                for i, label in enumerate(scored.labels)
            ]
        else:
            scores.append(_score(scored, metric.name, None, value, sample, seed, level))
    return scores


def paired(
    a: Scored,
    b: Scored,
    metric: str,
    *,
    label: str | None = None,
    draws: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> Score:
    """How much better b is than a on the same rows: the value is b - a, with the interval of that difference.

    Args:
        a: one system.
        b: another, on the same rows in the same order.
        metric: a name of `METRICS`.
        label: which label, of a per-label metric.
        draws: of the bootstrap.
        seed: of the draws.
        level: of the interval.

    Raises:
        DataError: labels, gold or clusters of the two differ.
        ConfigError: the metric or the label does not exist or does not fit, or as `bootstrap`.
    """
    _check(draws, level)
    if a.labels != b.labels or a.kind != b.kind:
        raise DataError(f"not the same task: {a.kind} {', '.join(a.labels)} and {b.kind} {', '.join(b.labels)}")
    if not (np.array_equal(a.gold, b.gold) and np.array_equal(a.cluster, b.cluster)):
        raise DataError("the two systems must be scored on the same rows in the same order: gold or clusters differ")
    found = named(metric)
    column = _column(found, a.labels, label)
    value = compute(b, metric) - compute(a, metric)
    sample = np.subtract(*(replicate(each, [found], draws=draws, seed=seed)[0] for each in (b, a)))
    if column is not None:
        value, sample = np.asarray(value[column]), sample[:, column]
    return _score(a, metric, label, value, sample, seed, level)


def _column(metric: Metric, labels: tuple[str, ...], label: str | None) -> int | None:
    if metric.per_label and label in labels:
        return labels.index(label)
    if metric.per_label:
        raise ConfigError(f"{metric.name} is per label: label is {label!r}, there are {', '.join(labels)}")
    if label is not None:
        raise ConfigError(f"{metric.name} is one number for all labels: leave label={label!r} out")
    return None


def _check(draws: int, level: float) -> None:
    if draws < 1 or not 0 < level < 1:
        raise ConfigError(f"draws={draws}, level={level}: draws must be 1 or more, level between 0 and 1")


def _score(
    scored: Scored, metric: str, label: str | None, value: Floats, sample_D: Floats, seed: int, level: float
) -> Score:
    clusters = len(np.unique(scored.cluster))
    nothing = clusters == 1 or bool(np.isnan(value))
    low, high = (float("nan"), float("nan")) if nothing else interval(sample_D, level)
    if label is None:
        count = int(scored.gold.any(1).sum()) if scored.kind == "spans" else len(scored.gold)
    else:
        count = int(scored.support[scored.labels.index(label)])
    return Score(metric, label, float(value), low, high, count, clusters, len(sample_D), seed, level)
