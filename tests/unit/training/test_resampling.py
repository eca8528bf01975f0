"""Rare labels drawn more often, tokens hidden: on the training fold, seeded, none by default."""

import numpy as np
import torch
from tests.unit.training import runs

from khabar.data.fold import TrainingFold
from khabar.models.batches import collate
from khabar.training.sampling import ClassificationWork, LossConfig, _drawn


def work(examples, **more):
    return ClassificationWork(
        runs.passes(examples), TrainingFold({"train": examples}), runs.TASKS, 0, 64, 1.0, LossConfig(), 0, **more
    )


def shares(made, examples, epochs=200):
    """How often an epoch draws each label of the single-label task."""
    drawn = [unit.example for epoch in range(epochs) for batch in made.plan(epoch) for i in batch
             for unit in made.passes[i].units]  # fmt: skip
    golds = [examples[i].gold[0] for i in drawn]
    return {label: golds.count(label) / len(golds) for label in set(golds)}


def lopsided():
    rows = runs.stances(60)
    return [row for row in rows if row.gold != ("against",)] + [row for row in rows if row.gold == ("against",)][:2]


def test_as_they_are_without_oversampling():
    examples = lopsided()
    made = work(examples)
    for epoch in range(3):
        assert sorted(i for batch in made.plan(epoch) for i in batch) == list(range(len(examples)))


def test_all_labels_alike_with_it():
    examples = lopsided()
    found = shares(work(examples, oversample=1.0), examples)
    assert all(abs(share - 1 / 3) < 0.02 for share in found.values())
    half = shares(work(examples, oversample=0.5), examples)
    assert 2 / 42 < half["against"] < found["against"]


def test_an_epoch_keeps_its_size_and_its_draw():
    examples = lopsided()
    made = work(examples, oversample=1.0)
    assert all(sum(map(len, made.plan(epoch))) == len(examples) for epoch in range(5))
    assert made.plan(3) == work(examples, oversample=1.0).plan(3)
    assert made.plan(3) != made.plan(4)


def test_systematic_sampling_is_never_off_by_more_than_one():
    rng = np.random.default_rng(0)
    for _ in range(50):
        weight = rng.random(17) + 0.01
        size = int(rng.integers(1, 60))
        drawn = _drawn(np.arange(17), size, weight, rng)
        assert len(drawn) == size
        off = np.bincount(drawn, minlength=17) - weight / weight.sum() * size
        assert np.abs(off).max() < 1 + 1e-9


def test_hiding_touches_tokens_of_units_alone():
    examples = runs.stances(6)
    made = work(examples, mask=0.5, mask_id=4)
    arrays = collate(made.passes[:4], 0)
    before, text = arrays.ids_WL.copy(), arrays.membership_UT.any(0).reshape(arrays.ids_WL.shape)
    torch.manual_seed(0)
    made._hide(arrays)
    changed = arrays.ids_WL != before
    assert changed.any() and not changed[~text].any()
    assert (arrays.ids_WL[changed] == 4).all()
    assert 0.3 < changed[text].mean() < 0.7
    assert all((collate(made.passes[:4], 0).ids_WL == before).ravel())  # the rows themselves stay as they were
