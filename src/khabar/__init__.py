"""Reads events and stances out of Arabic news.

import khabar

model = khabar.load("models:/khabar-event_type-stance@champion")
model.predict([text], questions=[("إيران", "وقف إطلاق النار")]).to_pandas()
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from khabar.inference.model import Model, load
    from khabar.schema import Article

__all__ = ["Article", "Model", "load"]
_WHERE = {"load": "khabar.inference.model", "Model": "khabar.inference.model", "Article": "khabar.schema"}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for
    """Import on first use, so that `import khabar` costs nothing."""
    if name not in _WHERE:
        raise AttributeError(f"module 'khabar' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_WHERE[name]), name)
