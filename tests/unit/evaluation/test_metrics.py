import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from khabar.errors import ConfigError, DataError
from khabar.evaluation.metrics import METRICS, applicable, compute, named
from khabar.evaluation.scored import Scored

KINDS = st.sampled_from(["single", "multi"])
SEEDS = st.integers(0, 2**32 - 1)


def take(it, rows):
    return dataclasses.replace(it, gold=it.gold[rows], prob=it.prob[rows], pred=it.pred[rows], cluster=it.cluster[rows])


@given(KINDS, SEEDS, st.integers(1, 60))
def test_the_order_of_rows_means_nothing(make, kind, seed, rows):
    it = make(kind, rows, seed=seed, rare=0.1)
    it = dataclasses.replace(it, prob=np.round(it.prob, 2))  # ties
    other = take(it, np.random.default_rng(seed).permutation(rows))
    for metric in applicable(it):
        np.testing.assert_allclose(compute(it, metric.name), compute(other, metric.name), atol=1e-12)


@given(KINDS, SEEDS, st.permutations(range(5)))
def test_permuted_labels_permute_scores(make, kind, seed, order):
    it = make(kind, 50, size=5, seed=seed, labels=("favor", "b", "Against", "d", "e"), rare=0.1)
    other = dataclasses.replace(
        it,
        labels=tuple(it.labels[i] for i in order),
        gold=it.gold[:, order],
        prob=it.prob[:, order],
        pred=it.pred[:, order],
    )
    for metric in applicable(it):
        ours = compute(it, metric.name)
        expected = ours[list(order)] if metric.per_label else ours
        np.testing.assert_allclose(expected, compute(other, metric.name), atol=1e-12)


@given(KINDS, SEEDS, st.integers(1, 40), st.integers(2, 4))
def test_repeated_rows_change_nothing(make, kind, seed, rows, times):
    it = make(kind, rows, seed=seed)
    other = take(it, np.repeat(np.arange(rows), times))
    for metric in applicable(it):
        np.testing.assert_allclose(compute(it, metric.name), compute(other, metric.name), atol=1e-12)


@given(KINDS, SEEDS)
def test_values_stay_in_their_range(make, kind, seed):
    it = make(kind, 20, seed=seed, rare=0.0)
    for metric in applicable(it):
        value = compute(it, metric.name)
        low, high = (-1, 1) if "mcc" in metric.name else (0, 2 if metric.name == "brier" else 1)
        known = value[~np.isnan(value)]
        assert ((known >= low - 1e-12) & (known <= high + 1e-12)).all(), metric.name


def test_a_perfect_system(make):
    for kind in ("single", "multi"):
        it = make(kind, labels=("favor", "against", "neutral", "none"))
        it = dataclasses.replace(it, pred=it.gold, prob=it.gold.astype(float))
        for metric in applicable(it):
            best = 0.0 if metric.name in ("brier", "ece") else 1.0
            np.testing.assert_allclose(compute(it, metric.name), best, atol=1e-12, err_msg=metric.name)


def test_an_absent_class_counts_zero_in_macro_f1_and_nothing_in_average_precision(make):
    it = make("multi", rare=0.0)
    it.pred[:, -1] = False
    assert compute(it, "f1")[-1] == 0
    np.testing.assert_allclose(compute(it, "macro_f1"), compute(it, "f1")[:-1].sum() / 4)
    assert np.isnan(compute(it, "average_precision")[-1])
    np.testing.assert_allclose(compute(it, "macro_average_precision"), compute(it, "average_precision")[:-1].mean())


def test_no_gold_at_all_is_no_crash(make):
    it = make("multi", 10)
    it.gold[:] = False
    assert compute(it, "macro_f1") == compute(it, "weighted_f1") == compute(it, "macro_mcc") == 0
    assert np.isnan(compute(it, "macro_average_precision"))


def test_metrics_fit_their_kind_of_task(make):
    single, multi = ({m.name for m in applicable(make(kind))} for kind in ("single", "multi"))
    assert {"accuracy", "mcc"} <= single - multi
    assert {"exact_match", "macro_mcc"} <= multi - single
    assert "favg2" not in single
    assert "favg2" in {m.name for m in applicable(make(labels=("FAVOR", "Against", "x", "y")))}
    assert len({m.name for m in METRICS}) == len(METRICS)


def test_errors_name_the_nearest_and_all(make):
    with pytest.raises(ConfigError, match=r"'macro_f'.*Did you mean macro_f1\?.*micro_f1"):
        named("macro_f")
    with pytest.raises(ConfigError, match=r"accuracy is not defined for a multi-label task of l0.*exact_match"):
        compute(make("multi"), "accuracy")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gold": np.zeros((2, 2), bool)}, "gold row 0 has not exactly one label.*2 such rows of 2"),
        ({"gold": np.eye(2)}, r"gold is float64 \[2, 2\], expected bool \[2, 2\]"),
        ({"pred": np.ones((2, 2), bool)}, "pred row 0"),
        ({"prob": np.array([[0.5, 0.5], [np.nan, 0.5]])}, r"prob row 1 has a value outside 0\.\.1"),
        ({"prob": np.array([[0.5, 0.5], [1.5, -0.5]])}, "prob row 1 has a value outside"),
        ({"prob": np.full((2, 2), 0.9)}, "do not sum to 1"),
        ({"prob": np.full((3, 2), 0.5)}, r"prob is float64 \[3, 2\]"),
        ({"cluster": np.zeros(3, int)}, r"cluster is int64 \[3\]"),
        ({"cluster": np.zeros(2)}, "cluster is float64"),
        ({"kind": "both"}, "kind is 'both'"),
        ({"labels": ()}, "nothing to score: 2 rows, 0 labels"),
    ],
)
def test_what_is_wrong_is_refused(change, message):
    eye = np.eye(2, dtype=bool)
    right = {"gold": eye, "prob": np.full((2, 2), 0.5), "pred": eye, "cluster": np.arange(2)}
    Scored(**{"labels": ("a", "b"), "kind": "single", **right})
    with pytest.raises(DataError, match=message):
        Scored(**{"labels": ("a", "b"), "kind": "single", **right, **change})
