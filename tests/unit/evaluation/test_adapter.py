"""The `evaluate` library loads the adapter by path, without a network."""

import warnings
from pathlib import Path

import numpy as np
import pytest

from khabar.errors import ConfigError, DataError
from khabar.evaluation.metrics import METRICS, applicable, compute

pytestmark = pytest.mark.slow  # importing evaluate costs four seconds
ADAPTER = Path(__file__).parents[3] / "src/khabar/evaluation/adapters/khabar_metrics.py"
LABELS = ("favor", "against", "neutral", "none")


@pytest.fixture(name="load")
def _load(tmp_path_factory, monkeypatch):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the libraries it imports
        import evaluate
        import evaluate.loading

    cache = tmp_path_factory.mktemp("evaluate")
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("the adapter must load offline"))
    monkeypatch.setattr(evaluate.loading, "HF_MODULES_CACHE", str(cache), raising=False)
    monkeypatch.setattr(evaluate.config, "HF_MODULES_CACHE", cache)
    return lambda *name: evaluate.load(str(ADAPTER), *name, cache_dir=str(cache), keep_in_memory=True)


def ids(it):
    if it.kind == "single":
        return {"predictions": it.pred.argmax(1).tolist(), "references": it.gold.argmax(1).tolist()}
    return {key: [np.flatnonzero(row).tolist() for row in rows] for key, rows in
            (("predictions", it.pred), ("references", it.gold))}  # fmt: skip


@pytest.mark.parametrize("kind", ["single", "multi"])
def test_every_metric(load, make, kind):
    it = make(kind, labels=LABELS)
    inputs = {**ids(it), "labels": LABELS, "probabilities": it.prob.tolist()}
    assert load("favg2").compute(**inputs) == {"favg2": float(compute(it, "favg2"))}
    found = load().compute(**inputs)
    assert list(found) == [metric.name for metric in applicable(it)]
    for name, value in found.items():
        ours = list(value.values()) if isinstance(value, dict) else value
        np.testing.assert_array_equal(ours, compute(it, name))
    assert list(found["f1"]) == list(LABELS)


def test_without_probabilities(load, make):
    it = make(labels=LABELS)
    found = load().compute(**ids(it), labels=LABELS)
    assert set(found) == {metric.name for metric in applicable(it) if not metric.graded}
    with pytest.raises(ConfigError, match="brier needs probabilities"):
        load("brier").compute(**ids(it), labels=LABELS)


def test_wrong_input_says_what(load):
    with pytest.raises(ConfigError, match=f"'favg'.*Did you mean favg2.*{METRICS[0].name}"):
        load("favg")
    with pytest.raises(DataError, match="row 1 has label id 4; labels has 4 names"):
        load("favg2").compute(predictions=[0, 4], references=[0, 1], labels=LABELS)
