"""A home with versions of one registered model, khabar-x."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from khabar import tracking
from khabar.evaluation.bootstrap import Score
from khabar.models.bundle import Card
from khabar.tracking import models, registered
from unit.inference import tiny_bundle


def home(factory: pytest.TempPathFactory, versions: Iterable[tuple[Card, Mapping[str, Score]]]) -> Path:
    """A version for each card and its scores; each takes the alias `candidate`."""
    made = factory.mktemp("home")
    bundle = tiny_bundle.write(factory.mktemp("made") / "bundle")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KHABAR_HOME", str(made))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        for card, scores in versions:
            with tracking.run("e", "n", tags={}) as run:
                registered.register(run, models.log(run, bundle, {}), "khabar-x", ["candidate"], card, scores, "test")
    return made
