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


def fit_thresholds(prob: Floats, gold: Bools, *, smoothing: float = 10.0) -> Floats:
    """A threshold for each label of a multi-label task [L], of highest F1 on dev, rare labels drawn to a shared one.

    threshold_l = (n_l own_l + smoothing shared) / (n_l + smoothing)

    own_l is the cut of highest F1 of label l, shared the cut of highest micro-F1 over all labels, n_l the gold rows of
    l. A label with `smoothing` gold rows stands half-way; one without any takes the shared cut, and that is 0.5 where
    no label has any. A cut lies half-way between two probabilities; of equally good ones the nearest to 0.5 is taken.

    Args:
        prob: float [N, L].
        gold: bool [N, L].
        smoothing: gold rows that the shared cut weighs, 0 or more.

    Raises:
        DataError: unlike shapes, or a negative `smoothing`.
    """
    p = np.asarray(prob, dtype=np.float64)
    if p.ndim != 2 or p.shape != gold.shape or smoothing < 0:
        shapes = f"{list(p.shape)}, {list(gold.shape)}"
        raise DataError(f"thresholds need prob and gold of one shape and smoothing >= 0: {shapes}, {smoothing}")
    shared = best_cut(p.ravel(), gold.ravel())
    own_L = np.array([best_cut(p[:, i], gold[:, i]) for i in range(p.shape[1])])
    count_L = gold.sum(0).astype(np.float64)
    known_L = count_L > 0  # without gold rows and smoothing the mix is 0 / 0
    mixed_L = (count_L * own_L + smoothing * shared) / np.where(known_L, count_L + smoothing, 1.0)
    return np.where(known_L, mixed_L, shared)


def best_cut(prob: Floats, gold: Bools, there: int | None = None) -> float:
    """The threshold of the highest F1 [N]; `there`: how many gold ones there are, with those that are no row."""
    if not gold.any():
        return 0.5
    order = np.argsort(-prob, kind="stable")
    sorted_p, tp = prob[order], np.cumsum(gold[order])
    last = np.flatnonzero(np.append(np.diff(sorted_p) != 0, True))  # equal probabilities fall on one side together
    f1 = 2 * tp[last] / (last + 1 + (tp[-1] if there is None else there))
    above = sorted_p[last]
    below = np.append(above[1:], 0.0)
    middle = (above + below) / 2
    cut = np.where(middle > below, middle, above)  # between neighbouring floats there is no middle
    best = np.flatnonzero(f1 == f1.max())
    return float(cut[best[np.abs(cut[best] - 0.5).argmin()]])


def fit_empty(prob: Floats, gold: Bools, empty: int) -> float:
    """The threshold on P(not empty) of the highest micro-F1 over all labels but the empty one, on dev.

    Where most rows of a single-label task are empty, the most probable label is nearly always that one, however often
    another comes close.

    Args:
        prob: float [N, L].
        gold: bool [N, L], one-hot.
        empty: the column of the label that stands for "none of them".
    """
    some = 1 - prob[:, empty]
    right = gold[np.arange(len(prob)), fullest(prob, empty)]
    return best_cut(some, right, int((~gold[:, empty]).sum()))


def decide_empty(prob: Floats, empty: int, threshold: float, sure: Floats | None = None) -> Bools:
    """Decisions [N, L] of a single-label task: the most probable label but the empty one, where P(not empty) allows.

    `sure` [N] is the probability that what is asked about is there at all.
    """
    some = (1 - prob[:, empty]) * (1.0 if sure is None else sure)
    chosen = np.where(some >= threshold, fullest(prob, empty), empty)
    return np.asarray(np.arange(prob.shape[1]) == chosen[:, None])


def fullest(prob: Floats, empty: int) -> Ints:
    """The most probable label of each row but the empty one [N]."""
    return np.asarray(np.where(np.arange(prob.shape[1]) == empty, -1.0, prob).argmax(1))


def decide(prob: Floats, kind: Kind, thresholds: Floats | None = None) -> Bools:
    """Decisions [N, L]. Single: the label of highest probability, the first of equals. Multi: prob >= threshold.

    Args:
        prob: float [N, L].
        kind: of the task.
        thresholds: float [L], for multi alone.

    Raises:
        DataError: a multi-label task without thresholds, or of another length.
    """
    if kind == "single":
        return np.asarray(np.arange(prob.shape[1]) == prob.argmax(1)[:, None])
    if thresholds is None or thresholds.shape != prob.shape[1:]:
        got = "none" if thresholds is None else list(thresholds.shape)
        raise DataError(f"a multi-label task of {prob.shape[1]} labels needs as many thresholds, got {got}")
    return np.asarray(prob >= thresholds)
