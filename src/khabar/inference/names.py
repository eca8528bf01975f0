"""Temporary."""

from collections.abc import Sequence
from typing import NamedTuple

from khabar.inference.watchlist import Watchlist
from khabar.text.folding import fold


class Name(NamedTuple):
    """Name."""

    name: str
    wikidata: str | None = None


def resolve(mentions: Sequence[str], watchlist: Watchlist | None = None) -> list[Name]:
    """Names."""
    made = []
    for one in mentions:
        entry = next((e for e in (watchlist.entries if watchlist else ()) if e.pattern.fullmatch(one)), None)
        made.append(Name(entry.name if entry else fold(one)))
    return made
