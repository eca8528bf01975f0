import numpy as np
import pytest

from khabar.evaluation import calibration
from khabar.evaluation.scored import Scored


def make(kind="single", rows=200, size=4, clusters=40, seed=0, labels=None, rare=1.0, skill=1.5):
    """Answers that are right more often than not; the last label is `rare` times as frequent as drawn."""
    rng = np.random.default_rng(seed)
    labels = labels or tuple(f"l{i}" for i in range(size))
    cluster = rng.integers(clusters, size=rows)
    if kind == "single":
        share = np.array([1.0] * (size - 1) + [rare])
        gold = np.arange(size) == rng.choice(size, rows, p=share / share.sum())[:, None]
    else:
        gold = rng.random((rows, size)) < np.array([0.3] * (size - 1) + [0.3 * rare])
    logits = rng.normal(size=(rows, size)) + skill * gold - (kind == "multi")
    prob = calibration.apply(logits, 1.0, kind)
    pred = calibration.decide(prob, kind, np.full(size, 0.5))
    return Scored(labels, kind, gold, prob, pred, cluster)


@pytest.fixture(name="make", scope="session")
def _make():
    return make
