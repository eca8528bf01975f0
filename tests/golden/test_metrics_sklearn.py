"""Every metric that scikit-learn has, to 1e-12 of it; the others against a count by hand."""

import warnings

import numpy as np
import pytest
from sklearn import metrics as sk

from khabar.evaluation.metrics import average_precision, compute
from khabar.evaluation.scored import Scored

LABELS = ("favor", "against", "neutral", "none")
AVERAGES = ("macro", "micro", "weighted")


def scored(kind: str, seed: int, rows: int = 300, ties: bool = False) -> Scored:
    """The last label has few gold rows or none; the third is never predicted in odd seeds."""
    rng = np.random.default_rng(seed)
    raw = rng.random((rows, len(LABELS))) ** 2
    if ties:
        raw = np.round(raw, 1) + 0.1
    if seed % 2:
        raw[:, 2] *= 1e-3
    if kind == "single":
        prob = raw / raw.sum(1, keepdims=True)
        gold = np.eye(4, dtype=bool)[
            rng.choice(4, rows, p=[0.5, 0.3, 0.2, 0.0] if seed % 3 else [0.5, 0.3, 0.19, 0.01])
        ]
        pred = np.eye(4, dtype=bool)[prob.argmax(1)]
    else:
        prob = np.clip(raw, 0, 1)
        gold = rng.random((rows, 4)) < [0.4, 0.2, 0.1, 0.0 if seed % 3 else 0.02]
        pred = prob >= 0.5
    return Scored(LABELS, kind, gold, prob, pred, np.arange(rows))  # type: ignore[arg-type]


def as_sklearn(it: Scored) -> tuple[np.ndarray, np.ndarray]:
    if it.kind == "single":
        return it.gold.argmax(1), it.pred.argmax(1)
    return it.gold.astype(int), it.pred.astype(int)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", ["single", "multi"])
def test_f1_precision_recall(kind, seed):
    it = scored(kind, seed)
    gold, pred = as_sklearn(it)
    options = {"labels": range(4), "zero_division": 0}
    for name, theirs in (("precision", sk.precision_score), ("recall", sk.recall_score), ("f1", sk.f1_score)):
        np.testing.assert_allclose(compute(it, name), theirs(gold, pred, average=None, **options), atol=1e-12)
    for average in AVERAGES:
        ours = compute(it, f"{average}_f1")
        np.testing.assert_allclose(ours, sk.f1_score(gold, pred, average=average, **options), atol=1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_favg2_is_macro_f1_over_favor_and_against(seed):
    for kind in ("single", "multi"):
        it = scored(kind, seed)
        gold, pred = as_sklearn(it)
        theirs = sk.f1_score(gold, pred, labels=[0, 1], average="macro", zero_division=0)
        np.testing.assert_allclose(compute(it, "favg2"), theirs, atol=1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_accuracy_and_mcc(seed):
    it = scored("single", seed)
    gold, pred = as_sklearn(it)
    np.testing.assert_allclose(compute(it, "accuracy"), sk.accuracy_score(gold, pred), atol=1e-12)
    np.testing.assert_allclose(compute(it, "mcc"), sk.matthews_corrcoef(gold, pred), atol=1e-12)
    it = scored("multi", seed)
    gold, pred = as_sklearn(it)
    np.testing.assert_allclose(compute(it, "exact_match"), sk.accuracy_score(gold, pred), atol=1e-12)
    theirs = np.mean([sk.matthews_corrcoef(gold[:, i], pred[:, i]) for i in range(4)])
    np.testing.assert_allclose(compute(it, "macro_mcc"), theirs, atol=1e-12)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", ["single", "multi"])
def test_average_precision_with_weights_and_ties(kind, seed, ties):
    it = scored(kind, seed, ties=ties)
    weight = np.random.default_rng(seed).integers(0, 4, size=(3, len(it.gold))).astype(float)
    weight[0] = 1
    ours = average_precision(it, weight)
    for label in range(4):
        for draw in range(3):
            args = it.gold[:, label], it.prob[:, label]
            if not (it.gold[:, label] * weight[draw]).any():
                assert np.isnan(ours[draw, label])
                continue
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # 0/0 of leading rows of weight 0
                theirs = sk.average_precision_score(*args, sample_weight=weight[draw])
            np.testing.assert_allclose(ours[draw, label], theirs, atol=1e-12)
    known = it.gold.any(0)
    np.testing.assert_allclose(compute(it, "average_precision")[known], ours[0][known], atol=1e-12)
    np.testing.assert_allclose(compute(it, "macro_average_precision"), ours[0][known].mean(), atol=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_brier(seed):
    it = scored("single", seed)
    theirs = sk.brier_score_loss(it.gold.argmax(1), it.prob, labels=list(range(4)), scale_by_half=False)
    np.testing.assert_allclose(compute(it, "brier"), theirs, atol=1e-12)
    it = scored("multi", seed)
    theirs = sk.mean_squared_error(it.gold.astype(float), it.prob)
    np.testing.assert_allclose(compute(it, "brier"), theirs, atol=1e-12)


def test_ece_of_equal_mass_bins_by_hand():
    # 30 rows in 15 bins of two: confidences 0.51, 0.52, ...; every first row of a pair is right.
    sure = 0.51 + 0.01 * np.arange(30)
    prob = np.stack([sure, 1 - sure], axis=1)
    right = np.arange(30) % 2 == 0
    gold = np.stack([right, ~right], axis=1)
    pred = prob >= 0.5
    it = Scored(("yes", "no"), "single", gold, prob, pred, np.arange(30))
    by_hand = np.mean([abs(sure[i : i + 2].mean() - 0.5) for i in range(0, 30, 2)])
    np.testing.assert_allclose(compute(it, "ece"), by_hand, atol=1e-12)
    # Multi: the same decisions as one column, the confidence being the label's own probability.
    it = Scored(("yes",), "multi", gold[:, :1], prob[:, :1], pred[:, :1], np.arange(30))
    np.testing.assert_allclose(compute(it, "ece"), by_hand, atol=1e-12)
