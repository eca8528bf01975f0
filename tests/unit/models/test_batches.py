"""Batches: every pass once, within the budget, padded where it must be."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from khabar.models import batches
from khabar.models.batches import Pass
from khabar.models.pieces import Unit


def test_collate_pads_and_masks() -> None:
    short = Pass((np.array([2, 9, 3]),), (np.array([0, 1, 1]),), (Unit(4, np.array([0]), np.array([1])),))
    long = Pass(
        (np.arange(1, 10), np.array([2, 3])),
        (np.ones(9, np.int64), np.zeros(2, np.int64)),
        (Unit(0, np.array([0, 1]), np.array([8, 1])), Unit(2, np.array([1]), np.array([0]))),
    )
    batch = batches.collate([short, long], pad_id=7)
    assert batch.ids_WL.tolist() == [[2, 9, 3] + [7] * 13, [*range(1, 10)] + [7] * 7, [2, 3] + [7] * 14]
    assert batch.types_WL.tolist() == [[0, 1, 1] + [0] * 13, [1] * 9 + [0] * 7, [0] * 16]
    assert batch.mask_WL.sum(1).tolist() == [3, 9, 2]
    assert batch.tokens == 14
    assert batch.examples.tolist() == [4, 0, 2]
    assert [np.flatnonzero(row).tolist() for row in batch.membership_UT] == [[1], [16 + 8, 32 + 1], [32]]


PASSES = st.lists(st.tuples(st.integers(1, 4), st.integers(1, 70)), max_size=40).map(
    lambda sizes: [Pass((np.zeros(n, np.int64),) * w, (np.zeros(n, np.int64),) * w, ()) for w, n in sizes]
)


@given(PASSES, st.integers(8, 400), st.sampled_from([None, 0, 1]))
def test_batches_hold_each_pass_once_within_the_budget(found: list[Pass], budget: int, seed: int | None) -> None:
    made = batches.by_length(found, budget, None if seed is None else np.random.default_rng(seed))
    assert sorted(i for batch in made for i in batch) == list(range(len(found)))
    for batch in made:
        padded = sum(len(found[i].ids) for i in batch) * max(found[i].length for i in batch)
        assert padded <= budget or len(batch) == 1


def test_batches_are_alike_in_length_and_the_longest_come_first_without_an_order() -> None:
    rng = np.random.default_rng(0)
    found = [Pass((np.zeros(n, np.int64),), (np.zeros(n, np.int64),), ()) for n in rng.integers(1, 200, 50)]
    lengths = [[found[i].length for i in batch] for batch in batches.by_length(found, 1024)]
    flat = [length for batch in lengths for length in batch]
    assert flat == sorted(flat, reverse=True)


def test_the_same_seed_gives_the_same_batches_and_another_seed_others() -> None:
    found = [Pass((np.zeros(n, np.int64),), (np.zeros(n, np.int64),), ()) for n in range(1, 60)]
    first, again, other = (batches.by_length(found, 256, np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert first == again
    assert first != other
