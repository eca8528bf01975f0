"""Which articles come next: what is unsure, rare or new goes first, copies last, whatever the order of the rows."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khabar.inference import selection
from khabar.inference.selection import Pool, measure, rank
from unit.inference import tiny_bundle

WORDS = ("قصف", "الجيش", "مدينة", "دعا", "المجلس", "اتفاق", "وقع", "الوزير")
STRATEGIES = ("mixed", "uncertainty", "diversity", "rare", "random")


def texts(count, seed=0):
    rng = np.random.default_rng(seed)
    return ["".join(chr(0x0621 + letter) for letter in rng.integers(36, size=300)) for _ in range(count)]


def pool(count, seed=0, **fields):
    rng = np.random.default_rng(seed)
    made = Pool(
        ids=[f"a{i:03}" for i in range(count)],
        labels=["often", "rarely"],
        uncertainty=rng.random(count),
        present=np.column_stack([rng.random(count), rng.random(count) / 20]),
        sketch=selection.sketches(texts(count, seed)),
    )
    return replace(made, **fields)


def ids(chosen, of):
    return [of.ids[pick.row] for pick in chosen]


def shuffled(of, order):
    return Pool([of.ids[i] for i in order], of.labels, of.uncertainty[order], of.present[order], of.sketch[order])


def test_the_nearest_decision_of_the_most_unsure_units_makes_an_article_unsure():
    tasks = {"event_quad5": tiny_bundle.task("event_quad5")}
    sure, unsure = [0.96, 0.01, 0.01, 0.01, 0.01], [0.4, 0.4, 0.1, 0.05, 0.05]
    assert measure({"event_quad5": np.array([sure])}, tasks)[0] == pytest.approx(0.05)
    assert measure({"event_quad5": np.array([sure, unsure])}, tasks)[0] == pytest.approx((0.05 + 1) / 2)
    long = np.array([sure] * 40 + [unsure] * 3)
    assert measure({"event_quad5": long}, tasks)[0] == pytest.approx(1)
    multi = {"event_quad": tiny_bundle.task("event_quad")}
    assert measure({"event_quad": np.array([[0.02, 0.6, 0.99, 0.01]])}, multi)[0] == pytest.approx(0.8)


def test_a_label_is_as_present_as_in_its_likeliest_unit():
    tasks = {name: tiny_bundle.task(name) for name in ("event_quad5", "event_quad", "stance")}
    prob = {
        "event_quad5": np.array([[0.5, 0.2, 0.1, 0.1, 0.1], [0.1, 0.6, 0.1, 0.1, 0.1]]),
        "event_quad": np.array([[0.1, 0.2, 0.3, 0.4]]),
    }
    unsure, present = measure(prob, tasks)
    assert selection.labels(tasks) == [
        *tasks["event_quad5"].labels[1:], *tasks["event_quad"].labels, *tasks["stance"].labels
    ]  # fmt: skip
    assert present.tolist() == [0.6, 0.1, 0.1, 0.1, 0.1, 0.2, 0.3, 0.4, 0, 0, 0, 0]
    assert unsure == pytest.approx((0.7 + 0.5 + 0.8) / 3)
    assert measure({}, tasks)[0] == 0


def test_uncertainty_takes_the_least_sure_first():
    made = pool(30)
    best = np.argsort(-made.uncertainty)
    picks = rank(made, 5, "uncertainty", 0)
    assert [pick.row for pick in picks] == best[:5].tolist()
    assert picks[0].score > picks[4].score
    assert picks[0].why.startswith(f"uncertainty {made.uncertainty[best[0]]:.2f}")


def test_rare_labels_win_under_rare():
    present = np.full((20, 2), [0.5, 0.001])
    present[7], present[8] = [0.5, 0.3], [1.0, 0.001]
    made = pool(20, present=present)
    first = rank(made, 1, "rare", 0)[0]
    assert first.row == 7
    assert first.why.startswith("rarely 0.30")
    # the other way round where annotators found otherwise
    assert rank(made, 1, "rare", 0, shares=np.array([0.01, 0.9]))[0].row == 8
    assert rank(made, 1, "rare", 0, shares=np.array([np.nan, np.nan]))[0].row == 7


@pytest.mark.parametrize("strategy", ["mixed", "uncertainty", "diversity", "rare"])
def test_near_copies_are_not_picked_twice(strategy):
    one, *others = texts(10)
    wire = [f"{one} {word}" for word in WORDS] * 3
    several = [*wire, *others]
    made = pool(
        len(several),
        sketch=selection.sketches(several),
        uncertainty=np.array([0.9] * len(wire) + [0.1] * len(others)),
        present=np.array([[0.9, 0.9]] * len(wire) + [[0.1, 0.1]] * len(others)),
    )
    first = [pick.row for pick in rank(made, 10, strategy, 0)]
    assert sum(row < len(wire) for row in first) == 1
    assert set(range(len(wire), len(several))) < set(first)
    # nor at all, if one of them is annotated
    taken = selection.sketches([wire[0]])
    assert all(pick.row >= len(wire) for pick in rank(made, 9, strategy, 0, taken=taken))


def test_diversity_goes_away_from_what_is_annotated():
    made = pool(12)
    taken = made.sketch[:6]
    picks = rank(made, 6, "diversity", 0, taken=taken)
    assert {pick.row for pick in picks} == set(range(6, 12))
    assert all(pick.score == pytest.approx(1, abs=0.2) for pick in picks)


def test_mixed_weighs_uncertainty_against_similarity():
    made = pool(40)
    mean = {name: made.uncertainty[[pick.row for pick in rank(made, 10, name, 0)]].mean() for name in STRATEGIES}
    assert mean["uncertainty"] >= mean["mixed"] > mean["diversity"]


def test_random_is_seeded():
    made = pool(50)
    assert rank(made, 10, "random", 3) == rank(made, 10, "random", 3)
    assert ids(rank(made, 10, "random", 3), made) != ids(rank(made, 10, "random", 4), made)
    assert {pick.why for pick in rank(made, 2, "random", 0)} == {"drawn at random"}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_budget_over_the_pool_takes_all_once(strategy):
    several = texts(5) * 3
    made = pool(15, sketch=selection.sketches(several))
    assert sorted(pick.row for pick in rank(made, 99, strategy, 0)) == list(range(15))
    assert len(rank(made, 4, strategy, 0)) == 4
    empty = Pool([], ["a"], np.zeros(0), np.zeros((0, 1)), selection.sketches([]))
    assert rank(empty, 3, "random", 0) == []


@pytest.mark.parametrize("strategy", STRATEGIES)
@settings(max_examples=20, deadline=None)
@given(order=st.permutations(range(25)), seed=st.integers(0, 3))
def test_the_order_of_the_rows_does_not_count(strategy, order, seed):
    made = pool(25)
    made = replace(made, uncertainty=made.uncertainty.round(1))  # ties
    first = rank(made, 8, strategy, seed)
    again = shuffled(made, np.array(order))
    other = rank(again, 8, strategy, seed)
    assert ids(first, made) == ids(other, again)
    assert [pick.score for pick in first] == [pick.score for pick in other]


def test_a_sketch_tells_copies_from_others():
    one, two = texts(2)
    near = selection.sketches([one, f"{one} {WORDS[0]}", two, ""])
    assert near.shape == (4, selection.FEATURES)
    assert near[0] @ near[1] > 0.95
    assert abs(near[0] @ near[2]) < 0.2
    assert not near[3].any()
