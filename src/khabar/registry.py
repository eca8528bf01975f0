"""A folder is a registry: the name of a plug-in is the name of its file.

Importers, predictors, export formats and commands are found here; an installed package adds its own by an entry point
of the group `khabar.importers`, `khabar.predictors`, `khabar.formats` or `khabar.commands`.
"""

import difflib
import importlib
import importlib.metadata
import pkgutil
from collections.abc import Iterable
from types import ModuleType

from khabar.errors import ConfigError

FOLDERS = {
    "importers": "khabar.data.importers",
    "predictors": "khabar.inference.predictors",
    "formats": "khabar.models.export",
    "commands": "khabar.commands",
}


def names(kind: str) -> tuple[str, ...]:
    """The names of all plug-ins of a kind ("importers", "predictors", "formats", "commands"), sorted."""
    folder = importlib.import_module(FOLDERS[kind])
    own = {module.name for module in pkgutil.iter_modules(folder.__path__) if not module.name.startswith("_")}
    return tuple(sorted(own | {point.name for point in importlib.metadata.entry_points(group=f"khabar.{kind}")}))


def load(kind: str, name: str) -> ModuleType:
    """The module of one plug-in.

    Raises:
        ConfigError: there is none of that name; the message lists what exists and the nearest.
    """
    for point in importlib.metadata.entry_points(group=f"khabar.{kind}", name=name):
        module: ModuleType = point.load()
        return module
    if name not in names(kind):
        raise ConfigError(f"There is no {name!r} among the {kind}. {suggest(name, names(kind))}")
    return importlib.import_module(f"{FOLDERS[kind]}.{name}")


def suggest(asked: str, exist: Iterable[str]) -> str:
    """One sentence for an error: the nearest name if one is near, then all that exist."""
    choices = sorted(exist)
    near = difflib.get_close_matches(asked, choices, n=1)
    there = f"There are: {', '.join(choices)}." if choices else "There are none."
    return f"Did you mean {near[0]!r}? {there}" if near else there
