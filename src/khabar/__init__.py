"""Reads events and stances out of Arabic news.

import khabar

model = khabar.load("models:/khabar-event_type-stance@champion")
model.predict([text], questions=[("إيران", "وقف إطلاق النار")]).to_pandas()

trained = khabar.train({"data": "files", "data.path": "mine.csv"}, encoder="arabert")
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from khabar.api import train
    from khabar.commands._trained import Trained
    from khabar.errors import KhabarError
    from khabar.inference.model import Model, load
    from khabar.inference.readings import Reading, Readings
    from khabar.schema import Article

__all__ = ["Article", "KhabarError", "Model", "Reading", "Readings", "Trained", "load", "train"]
_WHERE = {
    "Article": "khabar.schema",
    "KhabarError": "khabar.errors",
    "Model": "khabar.inference.model",
    "Reading": "khabar.inference.readings",
    "Readings": "khabar.inference.readings",
    "Trained": "khabar.commands._trained",
    "load": "khabar.inference.model",
    "train": "khabar.api",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
    """Import on first use, so that `import khabar` costs nothing."""
    if name not in _WHERE:
        raise AttributeError(f"module 'khabar' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    """What a notebook's completion shows."""
    return sorted(__all__)
