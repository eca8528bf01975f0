"""Metrics of classification: sums over rows, then a formula; rank metrics take a weight for each row.

A count metric is `stat(scored) -> [N, K]`, summed over any rows with any weights, then `finish([..., K])`. So the
bootstrap, a slice and an article cluster are all weights on those sums. `METRICS` is the registry: a new metric is a
function and a line in that tuple.

Shapes: N rows, L labels, K sums, B bins, M decisions a row, D draws, T thresholds, P gold rows of a label, `...` any
number of leading axes.

Zero division: a precision, recall, F1 or MCC whose denominator is 0 is 0, and macro means count it over all labels of
the task, as scikit-learn does with `zero_division=0` and `labels=` all labels. The average precision of a label
without gold rows is undefined: NaN for the label, and left out of the macro mean.
"""

import difflib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from khabar.errors import ConfigError
from khabar.evaluation.scored import Bools, Floats, Scored

BINS = 15  # of the calibration error


# Statistics: what is summed over rows.


def counts(scored: Scored) -> Floats:
    """True positives, false positives, false negatives of each label, rows, rows wholly right: [N, 3L + 2]."""
    gold, pred = scored.gold, scored.pred
    one_N1 = np.ones((len(gold), 1))
    exact_N1 = (gold == pred).all(1, keepdims=True)
    return np.hstack([gold & pred, ~gold & pred, gold & ~pred, one_N1, exact_N1]).astype(np.float64)


def stance_counts(scored: Scored) -> Floats:
    """`counts` of the labels favor and against alone, whatever their case: [N, 8]."""
    names = [label.lower() for label in scored.labels]
    pair = [names.index("favor"), names.index("against")]
    part = counts(scored).reshape(len(scored.gold), -1)
    size = len(names)
    return np.hstack([part[:, [i * size + j for i in range(3) for j in pair]], part[:, -2:]])


def squared_error(scored: Scored) -> Floats:
    """Squared error of a row, and 1: [N, 2]. Single: summed over labels (0..2). Multi: their mean (0..1)."""
    error_NL = (scored.prob - scored.gold) ** 2
    error_N = error_NL.sum(1) if scored.kind == "single" else error_NL.mean(1)
    return np.stack([error_N, np.ones(len(error_N))], axis=1)


def decisions(scored: Scored) -> tuple[Floats, Bools]:
    """What a calibration is about, a confidence in 0..1 and its outcome: [N, M] each.

    Single: the highest probability, and whether that label is gold. Multi: every label of every row is a decision, its
    probability against its gold.
    """
    if scored.kind == "multi":
        return scored.prob, scored.gold
    top_N1 = scored.prob.argmax(1)[:, None]
    return np.take_along_axis(scored.prob, top_N1, 1), np.take_along_axis(scored.gold, top_N1, 1)


def calibration_gaps(scored: Scored) -> Floats:
    """Confidence less outcome, summed in each of B bins of equal mass, and the decisions: [N, B + 1].

    Bins are cut on all rows and stay as they are under a
    bootstrap; equal confidences share a bin, so that the order of rows cannot matter.
    """
    sure, right = decisions(scored)
    # The smallest value below which k/B of the mass lies, in whole numbers: no rounding, no interpolation.
    last_B = -(-sure.size * np.arange(1, BINS) // BINS) - 1
    edges = np.unique(np.sort(sure, axis=None)[last_B])
    bin_NM = np.searchsorted(edges, sure)
    gap_NM = sure - right
    gaps = [(gap_NM * (bin_NM == b)).sum(1) for b in range(BINS)]
    return np.stack([*gaps, np.full(len(sure), float(sure.shape[1]))], axis=1)


# Formulas: from sums [..., K] to values.


def _ratio(above: Floats, below: Floats) -> Floats:
    zero = below == 0
    return np.where(zero, 0.0, above / np.where(zero, 1.0, below))


def _cells(sums: Floats) -> tuple[Floats, Floats, Floats]:
    size = (sums.shape[-1] - 2) // 3
    return sums[..., :size], sums[..., size : 2 * size], sums[..., 2 * size : 3 * size]


def precision(sums: Floats) -> Floats:
    """TP / (TP + FP) of each label: `counts` sums [..., 3L + 2] to [..., L]."""
    tp, fp, _ = _cells(sums)
    return _ratio(tp, tp + fp)


def recall(sums: Floats) -> Floats:
    """TP / (TP + FN) of each label: `counts` sums [..., 3L + 2] to [..., L]."""
    tp, _, fn = _cells(sums)
    return _ratio(tp, tp + fn)


def f1(sums: Floats) -> Floats:
    """2 TP / (2 TP + FP + FN) of each label: `counts` sums [..., 3L + 2] to [..., L]."""
    tp, fp, fn = _cells(sums)
    return _ratio(2 * tp, 2 * tp + fp + fn)


def macro_f1(sums: Floats) -> Floats:
    """Mean F1 over all labels, absent ones counted as 0. On `stance_counts` it is Favg2 (SemEval-2016 task 6)."""
    return np.asarray(f1(sums).mean(-1))


def micro_f1(sums: Floats) -> Floats:
    """F1 of all decisions pooled; of a single-label task it is the accuracy."""
    tp, fp, fn = (cell.sum(-1) for cell in _cells(sums))
    return _ratio(2 * tp, 2 * tp + fp + fn)


def micro_precision(sums: Floats) -> Floats:
    """Precision of all spans or tuples pooled."""
    tp, fp, _ = (cell.sum(-1) for cell in _cells(sums))
    return _ratio(tp, tp + fp)


def micro_recall(sums: Floats) -> Floats:
    """Recall of all spans or tuples pooled."""
    tp, _, fn = (cell.sum(-1) for cell in _cells(sums))
    return _ratio(tp, tp + fn)


def weighted_f1(sums: Floats) -> Floats:
    """Mean F1 over labels, each weighted by its gold rows."""
    tp, _, fn = _cells(sums)
    gold = tp + fn
    return _ratio((f1(sums) * gold).sum(-1), gold.sum(-1))


def exact_share(sums: Floats) -> Floats:
    """Share of rows whose labels are all right: the accuracy, or the exact match of a multi-label task."""
    return _ratio(sums[..., -1], sums[..., -2])


def mcc(sums: Floats) -> Floats:
    """Matthews correlation R_K of a single-label task (Gorodkin 2004, eq. 8)."""
    tp, fp, fn = _cells(sums)
    rows = sums[..., -2]
    pred, gold = tp + fp, tp + fn
    above = tp.sum(-1) * rows - (pred * gold).sum(-1)
    below = (rows**2 - (pred**2).sum(-1)) * (rows**2 - (gold**2).sum(-1))
    return _ratio(above, np.sqrt(below))


def macro_mcc(sums: Floats) -> Floats:
    """Mean over labels of the binary Matthews correlation (Matthews 1975)."""
    tp, fp, fn = _cells(sums)
    tn = sums[..., -2, None] - tp - fp - fn
    # Two roots: the product of all four sums passes 2**53 at a few thousand rows.
    below = np.sqrt((tp + fp) * (tn + fn)) * np.sqrt((tp + fn) * (tn + fp))
    return np.asarray(_ratio(tp * tn - fp * fn, below).mean(-1))


def brier(sums: Floats) -> Floats:
    """Mean squared error of the probabilities (Brier 1950): `squared_error` sums [..., 2] to [...]."""
    return _ratio(sums[..., 0], sums[..., 1])


def ece(sums: Floats) -> Floats:
    """Expected calibration error (Guo et al. 2017, eq. 3) over bins of equal mass (Nguyen and O'Connor 2015).

    It is biased upwards on few rows, and so are its bootstrap draws: its interval may lie above the value.
    """
    return _ratio(np.abs(sums[..., :-1]).sum(-1), sums[..., -1])


# Rank metrics: from rows and weights [D, N] to a value of each label [D, L].


def average_precision(scored: Scored, weight_DN: Floats) -> Floats:
    """Mean over a label's gold rows of the precision at their threshold, without interpolation: [D, L].

    It equals scikit-learn's sum of (R_n - R_{n-1}) P_n: rows of equal probability enter together. NaN where a label
    has no gold row of any weight.
    """
    value_DL = np.full((len(weight_DN), len(scored.labels)), np.nan)
    for column in np.flatnonzero(scored.support):
        order_N = np.argsort(-scored.prob[:, column], kind="stable")
        sorted_N = scored.prob[order_N, column]
        ends_T = np.flatnonzero(np.append(np.diff(sorted_N) != 0, True))  # the last row of each threshold
        gold_P = np.flatnonzero(scored.gold[order_N, column])
        end_P = ends_T[np.searchsorted(ends_T, gold_P)]
        ranked_DN = np.take(weight_DN, order_N, axis=1)
        gold_DP = ranked_DN[:, gold_P]
        tp_DP = np.cumsum(gold_DP, axis=1)
        tp_D = tp_DP[:, -1]
        above_DP = tp_DP[:, np.searchsorted(gold_P, end_P, side="right") - 1]
        precision_DP = _ratio(above_DP, np.cumsum(ranked_DN, axis=1)[:, end_P])
        value_DL[:, column] = np.where(tp_D > 0, _ratio((gold_DP * precision_DP).sum(1), tp_D), np.nan)
    return value_DL


def macro_average_precision(value: Floats) -> Floats:
    """Mean over the labels that have a gold row: `average_precision` [..., L] to [...]; NaN where none has."""
    known = ~np.isnan(value)
    labels = known.sum(-1).astype(np.float64)
    return np.where(labels > 0, _ratio(np.where(known, value, 0.0).sum(-1), labels), np.nan)


def same(value: Floats) -> Floats:
    """The value as it is."""
    return value


# The registry.


def _single(scored: Scored) -> bool:
    return scored.kind == "single"


def _multi(scored: Scored) -> bool:
    return scored.kind == "multi"


def _stance(scored: Scored) -> bool:
    return {"favor", "against"} <= {label.lower() for label in scored.labels}


def _spans(scored: Scored) -> bool:
    return scored.kind == "spans"


def _rows(scored: Scored) -> bool:
    return scored.kind != "spans"


def _always(scored: Scored) -> bool:
    return True


@dataclass(frozen=True)
class CountMetric:
    """A formula over sums. `per_label` metrics end in an axis of labels; `graded` ones read the probabilities."""

    name: str
    stat: Callable[[Scored], Floats]
    finish: Callable[[Floats], Floats]
    per_label: bool = False
    graded: bool = False
    applies: Callable[[Scored], bool] = _always


@dataclass(frozen=True)
class RankMetric:
    """A value of each label under weighted rows, for what depends on their order, then perhaps their mean.

    `value` takes weights [D, N] to [D, L], `finish` [..., L] to [...], or to [..., L] if `per_label`.
    """

    name: str
    value: Callable[[Scored, Floats], Floats]
    finish: Callable[[Floats], Floats]
    per_label: bool = False
    graded: bool = True
    applies: Callable[[Scored], bool] = _always


Metric = CountMetric | RankMetric

METRICS: tuple[Metric, ...] = (
    CountMetric("macro_f1", counts, macro_f1),
    CountMetric("micro_f1", counts, micro_f1),
    CountMetric("weighted_f1", counts, weighted_f1),
    CountMetric("favg2", stance_counts, macro_f1, applies=_stance),
    CountMetric("accuracy", counts, exact_share, applies=_single),
    CountMetric("exact_match", counts, exact_share, applies=_multi),
    CountMetric("mcc", counts, mcc, applies=_single),
    CountMetric("macro_mcc", counts, macro_mcc, applies=_multi),
    RankMetric("macro_average_precision", average_precision, macro_average_precision, applies=_rows),
    CountMetric("brier", squared_error, brier, graded=True, applies=_rows),
    CountMetric("ece", calibration_gaps, ece, graded=True, applies=_rows),
    CountMetric("micro_precision", counts, micro_precision, applies=_spans),
    CountMetric("micro_recall", counts, micro_recall, applies=_spans),
    CountMetric("precision", counts, precision, per_label=True),
    CountMetric("recall", counts, recall, per_label=True),
    CountMetric("f1", counts, f1, per_label=True),
    RankMetric("average_precision", average_precision, same, per_label=True, applies=_rows),
)


def named(name: str) -> Metric:
    """The metric of that name.

    Raises:
        ConfigError: there is none; the message has the nearest name and all of them.
    """
    by_name = {metric.name: metric for metric in METRICS}
    if name in by_name:
        return by_name[name]
    near = difflib.get_close_matches(name, by_name, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise ConfigError(f"no metric {name!r}.{hint} There are {', '.join(by_name)}")


def applicable(scored: Scored) -> tuple[Metric, ...]:
    """The metrics that are defined for these labels and this kind of task, in the registry's order."""
    return tuple(metric for metric in METRICS if metric.applies(scored))


def compute(scored: Scored, metric: str) -> Floats:
    """The metric over all rows: an array [] or, of a per-label metric, [L].

    Raises:
        ConfigError: no such metric, or it is not defined for this task.
    """
    found = named(metric)
    if not found.applies(scored):
        can = ", ".join(each.name for each in applicable(scored))
        raise ConfigError(
            f"{metric} is not defined for a {scored.kind}-label task of {', '.join(scored.labels)}; there are {can}"
        )
    if isinstance(found, CountMetric):
        return found.finish(found.stat(scored).sum(0))
    return found.finish(found.value(scored, np.ones((1, len(scored.gold))))[0])
