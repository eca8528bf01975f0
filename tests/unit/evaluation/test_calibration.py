import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import expit, softmax

from khabar.errors import DataError
from khabar.evaluation import calibration as cal

KINDS = st.sampled_from(["single", "multi"])
SEEDS = st.integers(0, 2**32 - 1)


def data(kind, seed, rows=300, labels=4, temperature=1.0):
    """Gold drawn from the logits' own probabilities, the logits then scaled: their temperature is known."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(rows, labels)) * 2
    prob = cal.apply(logits, 1.0, kind)
    if kind == "multi":
        gold = rng.random(prob.shape) < prob
    else:
        gold = np.arange(labels) == (prob.cumsum(1) < rng.random((rows, 1))).sum(1)[:, None].clip(max=labels - 1)
    return logits * temperature, gold


def nll(logits, gold, temperature, kind):
    prob = cal.apply(logits, temperature, kind)
    if kind == "single":
        return -np.log(prob[gold]).sum()
    return -np.log(np.where(gold, prob, cal.apply(-logits, temperature, kind))).sum()


def test_apply_is_softmax_and_sigmoid():
    logits = np.random.default_rng(0).normal(size=(5, 3)) * 30
    np.testing.assert_allclose(cal.apply(logits, 2.0, "single"), softmax(logits / 2, axis=1), rtol=1e-12)
    np.testing.assert_allclose(cal.apply(logits, 2.0, "multi"), expit(logits / 2), rtol=1e-12)
    for kind in ("single", "multi"):
        assert np.isfinite(cal.apply(np.array([[1e4, -1e4]]), 0.05, kind)).all()


@settings(deadline=None, max_examples=20)
@given(KINDS, SEEDS, st.sampled_from([0.3, 1.0, 4.0]))
def test_the_temperature_is_where_the_likelihood_peaks(kind, seed, temperature):
    logits, gold = data(kind, seed, temperature=temperature)
    ours = cal.fit_temperature(logits, gold, kind)
    theirs = minimize_scalar(
        lambda t: nll(logits, gold, t, kind), bounds=cal.TEMPERATURES, method="bounded", options={"xatol": 1e-9}
    )
    np.testing.assert_allclose(ours, theirs.x, rtol=1e-4)
    assert nll(logits, gold, ours, kind) <= theirs.fun + 1e-9


@pytest.mark.parametrize("kind", ["single", "multi"])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_a_known_temperature_is_found(kind, temperature):
    logits, gold = data(kind, 0, rows=20_000, temperature=temperature)
    assert cal.fit_temperature(logits, gold, kind) == pytest.approx(temperature, rel=0.03)


@pytest.mark.parametrize("kind", ["single", "multi"])
def test_temperatures_stay_within_bounds(kind):
    gold = np.eye(3, dtype=bool)
    right = np.where(gold, 5.0, -5.0)
    assert cal.fit_temperature(right, gold, kind) == 0.05  # separated: the sharper the better
    assert cal.fit_temperature(-right, gold, kind) == 20.0  # always wrong: the flatter the better
    assert cal.fit_temperature(np.zeros((3, 3)), gold, kind) == 1.0  # nothing to tell


@given(KINDS, SEEDS)
def test_temperature_moves_no_single_label_decision(kind, seed):
    logits, _ = data(kind, seed, rows=20)
    hot, cold = (cal.decide(cal.apply(logits, t, "single"), "single") for t in (0.5, 5.0))
    np.testing.assert_array_equal(hot, cold)


def test_unfit_logits_are_refused():
    for logits in (np.zeros((0, 3)), np.full((2, 3), np.nan), np.zeros((2, 2))):
        with pytest.raises(DataError, match="finite logits"):
            cal.fit_temperature(logits, np.zeros((len(logits), 3), bool), "multi")


def best_f1(prob, gold):
    """By trying every cut."""
    cuts = [*np.unique(prob), 2.0]
    tp = np.array([(gold & (prob >= cut)).sum() for cut in cuts])
    return (2 * tp / ([(prob >= cut).sum() + gold.sum() for cut in cuts] + np.array(1e-300))).max()


@given(SEEDS, st.booleans())
def test_unsmoothed_thresholds_give_the_best_f1(seed, ties):
    rng = np.random.default_rng(seed)
    prob = rng.random((40, 3))
    prob = np.round(prob, 1) if ties else prob
    gold = rng.random((40, 3)) < prob * [1, 0.5, 0.0]
    decided = cal.decide(prob, "multi", cal.fit_thresholds(prob, gold, smoothing=0))
    for label in range(2):
        tp = (decided & gold)[:, label].sum()
        f1 = 2 * tp / max(1, decided[:, label].sum() + gold[:, label].sum())
        np.testing.assert_allclose(f1, best_f1(prob[:, label], gold[:, label]), atol=1e-12)


def test_rare_labels_are_drawn_to_the_shared_threshold():
    rng = np.random.default_rng(0)
    gold = rng.random((500, 4)) < [0.5, 0.3, 0.01, 0.0]
    prob = np.clip(0.35 + 0.2 * gold + rng.normal(size=gold.shape) * 0.1, 0, 1)
    prob[:, 2] += 0.3
    raw = cal.fit_thresholds(prob, gold, smoothing=0)
    smooth = cal.fit_thresholds(prob, gold, smoothing=10)
    shared = cal.fit_thresholds(prob, gold, smoothing=1e12)
    assert np.ptp(shared) < 1e-6
    assert smooth[3] == raw[3] == pytest.approx(shared[0])  # no gold rows: the shared one
    count = gold.sum(0)
    np.testing.assert_allclose(smooth, (count * raw + 10 * shared) / (count + 10), rtol=1e-6)
    assert abs(smooth[2] - raw[2]) > 5 * abs(smooth[0] - raw[0])


def test_thresholds_without_any_gold_are_a_half():
    np.testing.assert_array_equal(cal.fit_thresholds(np.random.rand(5, 2), np.zeros((5, 2), bool)), [0.5, 0.5])


def test_a_cut_between_neighbouring_floats_keeps_them_apart():
    low = 0.3
    prob = np.array([[low], [np.nextafter(low, 1)]])
    gold = np.array([[False], [True]])
    np.testing.assert_array_equal(cal.decide(prob, "multi", cal.fit_thresholds(prob, gold, smoothing=0)), gold)


def test_of_equal_cuts_the_nearest_to_a_half():
    prob, gold = np.array([[0.9], [0.1]]), np.array([[True], [False]])
    assert cal.fit_thresholds(prob, gold, smoothing=0)[0] == 0.5


@given(SEEDS, st.permutations(range(4)))
def test_labels_and_rows_may_be_permuted(seed, order):
    logits, gold = data("multi", seed, rows=30)
    prob = cal.apply(logits, 1.0, "multi")
    rows = np.random.default_rng(seed).permutation(30)
    ours, theirs = cal.fit_thresholds(prob, gold), cal.fit_thresholds(prob[rows][:, order], gold[rows][:, order])
    np.testing.assert_allclose(ours[order], theirs)


def test_decide():
    prob = np.array([[0.2, 0.5, 0.5], [0.6, 0.2, 0.2]])
    assert cal.decide(prob, "single").tolist() == [[False, True, False], [True, False, False]]
    assert cal.decide(prob, "multi", np.array([0.2, 0.6, 0.3])).tolist() == [[True, False, True], [True, False, False]]
    for thresholds in (None, np.array([0.5])):
        with pytest.raises(DataError, match="3 labels needs as many thresholds"):
            cal.decide(prob, "multi", thresholds)
    with pytest.raises(DataError, match="smoothing >= 0"):
        cal.fit_thresholds(prob, prob > 0.5, smoothing=-1)


def test_labels_that_are_no_row_lower_recall_alone():
    """Every cut's F1 counts them as missed, so that the best cut falls."""
    rng = np.random.default_rng(0)
    prob = rng.random((200, 2))
    gold = rng.random((200, 2)) < prob
    there = gold.sum(0) + np.array([0, 400])
    all_rows, more = (cal.fit_thresholds(prob, gold, smoothing=0, there=there) for there in (gold.sum(0), there))
    np.testing.assert_array_equal(all_rows, cal.fit_thresholds(prob, gold, smoothing=0))
    assert more[0] == all_rows[0]
    assert more[1] < all_rows[1]


@given(SEEDS)
def test_the_cut_on_not_empty_gives_the_best_micro_f1_of_the_others(seed):
    logits, gold = data("single", seed, rows=60)
    prob, empty = cal.apply(logits - [0, 0, 3, 0], 1.0, "single"), 2

    def f1(thresholds):
        decided = cal.decide(prob, "single", thresholds, empty=empty)
        assert (decided.sum(1) == 1).all()
        others = [0, 1, 3]
        tp = (decided & gold)[:, others].sum()
        return 2 * tp / max(1, decided[:, others].sum() + gold[:, others].sum())

    cut = cal.fit_cuts(prob, gold, "single", empty)
    assert cut.shape == (1,)
    np.testing.assert_allclose(f1(cut), max(f1(np.array([c])) for c in [*(1 - prob[:, empty]), 2.0]), atol=1e-12)


def test_decide_where_most_rows_are_empty():
    prob = np.array([[0.6, 0.3, 0.1], [0.6, 0.1, 0.3], [0.9, 0.1, 0.0]])
    decided = cal.decide(prob, "single", np.array([0.35]), empty=0)
    assert decided.argmax(1).tolist() == [1, 2, 0]  # the most probable other one, not the most probable
    unsure = cal.decide(prob, "single", np.array([0.35]), empty=0, sure=np.array([1.0, 0.5, 1.0]))
    assert unsure.argmax(1).tolist() == [1, 0, 0]
    with pytest.raises(DataError, match="3 labels needs one threshold, got none"):
        cal.decide(prob, "single", empty=0)


def test_thresholds_hold_for_the_product_with_what_is_sure():
    prob = np.array([[0.8, 0.4], [0.8, 0.4]])
    decided = cal.decide(prob, "multi", np.array([0.5, 0.3]), sure=np.array([1.0, 0.5]))
    assert decided.tolist() == [[True, True], [False, False]]
