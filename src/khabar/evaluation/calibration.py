"""What is chosen on dev after training: one temperature for a task, one threshold for each label.

Shapes: N rows, L labels.
"""

import math

import numpy as np

from khabar.errors import DataError
from khabar.evaluation.scored import Bools, Floats, Ints
from khabar.schema import Kind

TEMPERATURES = (0.05, 20.0)


def apply(logits: Floats, temperature: float, kind: Kind) -> Floats:
    """Probabilities of logits / temperature [N, L]: their softmax (single) or sigmoid (multi)."""
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    if kind == "multi":
        return np.exp(-np.logaddexp(0, -scaled))
    raised = np.exp(scaled - scaled.max(1, keepdims=True))
    return np.asarray(raised / raised.sum(1, keepdims=True))


def fit_temperature(logits: Floats, gold: Bools, kind: Kind) -> float:
    """The temperature of least negative log-likelihood on dev (Guo et al. 2017), within 0.05..20.

    The likelihood is convex in b = 1 / temperature, its slope sum(z (p(b z) - y)) rises, so that halving finds its one
    zero without a start or a step size. Logits that are all alike leave it undecided: 1.

    Args:
        logits: float [N, L].
        gold: bool [N, L], one-hot for single.
        kind: softmax (single) or sigmoid (multi).

    Raises:
        DataError: no rows, unlike shapes, or logits that are not finite.
    """
    z: Floats = np.asarray(logits, dtype=np.float64)
    if z.ndim != 2 or z.shape != gold.shape or z.size == 0 or not np.isfinite(z).all():
        raise DataError(f"a temperature needs finite logits and gold of one shape: {list(z.shape)}, {list(gold.shape)}")

    def slope(b: float) -> float:
        return float(np.sum(z * (apply(z, 1 / b, kind) - gold)))

    low, high = 1 / TEMPERATURES[1], 1 / TEMPERATURES[0]
    at_low, at_high = slope(low), slope(high)
    flat = 1e-12 * max(1.0, float(np.abs(z).sum()))
    if abs(at_low) < flat and abs(at_high) < flat:
        return 1.0
    if at_low >= 0:
        return TEMPERATURES[1]
    if at_high <= 0:
        return TEMPERATURES[0]
    for _ in range(60):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if slope(middle) < 0 else (low, middle)
    return 1 / math.sqrt(low * high)


def fit(logits: Floats, gold: Bools, kind: Kind, empty: int | None = None) -> tuple[float, Floats | None]:
    """Temperature and thresholds of a task (see `fit_cuts`), fitted one after the other to logits and gold [N, L]."""
    temperature = fit_temperature(logits, gold, kind)
    return temperature, fit_cuts(apply(logits, temperature, kind), gold, kind, empty)


def fit_cuts(prob: Floats, gold: Bools, kind: Kind, empty: int | None = None) -> Floats | None:
    """The thresholds that a task is decided by (see `decide`), fitted to prob and gold [N, L]; None: it needs none."""
    if empty is not None:
        return fit_empty(prob, gold, empty)
    return fit_thresholds(prob, gold) if kind == "multi" else None


def fit_thresholds(prob: Floats, gold: Bools, *, smoothing: float = 10.0, there: Floats | None = None) -> Floats:
    """A threshold for each label of a multi-label task [L], of highest F1 on dev, rare labels drawn to a shared one.

    threshold_l = (n_l own_l + smoothing shared) / (n_l + smoothing)

    own_l is the cut of highest F1 of label l, shared the cut of highest micro-F1 over all labels, n_l the gold rows of
    l. A label with `smoothing` gold rows stands half-way; one without any takes the shared cut, and that is 0.5 where
    no label has any. A cut lies half-way between two probabilities; of equally good ones the nearest to 0.5 is taken.

    Args:
        prob: float [N, L].
        gold: bool [N, L].
        smoothing: gold rows that the shared cut weighs, 0 or more.
        there: how many gold ones there are of each label [L], with those that are no row; None: they all are rows.

    Raises:
        DataError: unlike shapes, or a negative `smoothing`.
    """
    p = np.asarray(prob, dtype=np.float64)
    if p.ndim != 2 or p.shape != gold.shape or smoothing < 0:
        shapes = f"{list(p.shape)}, {list(gold.shape)}"
        raise DataError(f"thresholds need prob and gold of one shape and smoothing >= 0: {shapes}, {smoothing}")
    count_L = np.asarray(gold.sum(0) if there is None else there, dtype=np.float64)
    shared = best_cut(p.ravel(), gold.ravel(), float(count_L.sum()))
    own_L = np.array([best_cut(p[:, i], gold[:, i], count_L[i]) for i in range(p.shape[1])])
    known_L = count_L > 0  # without gold rows and smoothing the mix is 0 / 0
    mixed_L = (count_L * own_L + smoothing * shared) / np.where(known_L, count_L + smoothing, 1.0)
    return np.where(known_L, mixed_L, shared)


def best_cut(prob: Floats, gold: Bools, there: float) -> float:
    """The threshold of the highest F1 [N]; `there`: how many gold ones there are, with those that are no row."""
    if not gold.any():
        return 0.5
    order = np.argsort(-prob, kind="stable")
    sorted_p, tp = prob[order], np.cumsum(gold[order])
    last = np.flatnonzero(np.append(np.diff(sorted_p) != 0, True))  # equal probabilities fall on one side together
    f1 = 2 * tp[last] / (last + 1 + there)
    above = sorted_p[last]
    below = np.append(above[1:], 0.0)
    middle = (above + below) / 2
    cut = np.where(middle > below, middle, above)  # between neighbouring floats there is no middle
    best = np.flatnonzero(f1 == f1.max())
    return float(cut[best[np.abs(cut[best] - 0.5).argmin()]])


def fit_empty(prob: Floats, gold: Bools, empty: int) -> Floats:
    """The threshold on P(not empty) [1] of the highest micro-F1 over all labels but the empty one, on dev.

    Where most rows of a single-label task are empty, the most probable label is nearly always that one, however often
    another comes close.

    Args:
        prob: float [N, L].
        gold: bool [N, L], one-hot.
        empty: the column of the label that stands for "none of them".
    """
    some = 1 - prob[:, empty]
    right = gold[np.arange(len(prob)), fullest(prob, empty)]
    return np.array([best_cut(some, right, float((~gold[:, empty]).sum()))])


def fullest(prob: Floats, empty: int) -> Ints:
    """The most probable label of each row but the empty one [N]."""
    return np.asarray(np.where(np.arange(prob.shape[1]) == empty, -1.0, prob).argmax(1))


def decide(
    prob: Floats,
    kind: Kind,
    thresholds: Floats | None = None,
    *,
    empty: int | None = None,
    sure: Floats | float = 1.0,
) -> Bools:
    """Decisions [N, L]. Single: the label of highest probability, the first of equals. Multi: prob >= threshold.

    Where a single-label task has an `empty` column: the most probable other label, if P(not empty) >= its threshold.

    Args:
        prob: float [N, L].
        kind: of the task.
        thresholds: float [L] for multi, [1] where there is an empty column.
        empty: the column of the label that stands for "none of them", where most rows are empty.
        sure: the probability that what is asked about is there at all, [N] or one; thresholds hold for the product.

    Raises:
        DataError: a task that needs thresholds without them, or with more or fewer.
    """
    if kind == "single" and empty is None:
        return np.asarray(np.arange(prob.shape[1]) == prob.argmax(1)[:, None])
    if thresholds is None or thresholds.shape != (prob.shape[1] if empty is None else 1,):
        got = "none" if thresholds is None else list(thresholds.shape)
        needs = "as many thresholds" if empty is None else "one threshold"
        raise DataError(f"a {kind}-label task of {prob.shape[1]} labels needs {needs}, got {got}")
    sure_N1 = np.reshape(sure, (-1, 1))
    if empty is None:
        return np.asarray(prob * sure_N1 >= thresholds)
    some_N1 = (1 - prob[:, [empty]]) * sure_N1 >= thresholds
    chosen_N1 = np.where(some_N1, fullest(prob, empty)[:, None], empty)
    return np.asarray(np.arange(prob.shape[1]) == chosen_N1)
