"""Actors and issues to look out for: a YAML of names and aliases, found in a text, becomes its questions.

    - name: إيران
      kind: state
      aliases: [إيران, طهران, الإيرانية]
      role: [holder, target]

A holder is asked about a target when both are named in one sentence; the outlet itself is asked about every target
that is named.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml
from pydantic import Field, ValidationError

from khabar.config import Record
from khabar.errors import DataError
from khabar.schema import OUTLET
from khabar.text import sentences

MARKS = "[\u0640\u064b-\u0652\u0670]*"  # tatweel and vowel signs may stand between any two letters
FOLDED = {**dict.fromkeys("اأإآ", "[اأإآ]"), **dict.fromkeys("ىي", "[ىي]"), **dict.fromkeys("ةه", "[ةه]")}
Role = Literal["holder", "target"]


class Entry(Record):
    """One actor or issue."""

    name: str = Field(min_length=1)
    kind: str = "actor"
    aliases: tuple[str, ...] = ()
    role: tuple[Role, ...] = ("holder", "target")

    @property
    def pattern(self) -> re.Pattern[str]:
        """Any alias as a word of its own, conjunctions and prepositions that are written together allowed."""
        forms = {self.name, *self.aliases} - {OUTLET}
        forms |= {"لل" + form[2:] for form in forms if form.startswith("ال")}  # ل and the article are written للـ
        words = "|".join(
            MARKS.join(FOLDED.get(letter, re.escape(letter)) for letter in form)
            for form in sorted(forms, key=len, reverse=True)
        )
        return re.compile(rf"(?<!\w)[وفبلك]{{0,2}}(?:{words})(?!\w)")


@dataclass(frozen=True)
class Watchlist:
    """Entries, and the questions they put to a text."""

    entries: tuple[Entry, ...]

    def questions(self, text: str) -> list[tuple[str, str]]:
        """Pairs (holder, target) to ask of a text, in the order of the list."""
        spans = sentences.split(text)
        named = {
            entry.name: {i for i, (start, end) in enumerate(spans) if pattern.search(text, start, end)}
            for entry in self.entries
            for pattern in [entry.pattern]
        }
        holders = [entry.name for entry in self.entries if "holder" in entry.role and entry.name != OUTLET]
        targets = [entry.name for entry in self.entries if "target" in entry.role and named[entry.name]]
        pairs = [(h, t) for h in holders for t in targets if h != t and named[h] & named[t]]
        return pairs + [(OUTLET, target) for target in targets]


def load(path: Path) -> Watchlist:
    """Read a watchlist.

    Raises:
        DataError: the file can't be read, or an entry has a field that does not fit.
    """
    try:
        plain = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise DataError(f"The watchlist {path} can't be read: {error}") from error
    if not isinstance(plain, list):
        raise DataError(f"The watchlist {path} must be a list of entries, each with a name and aliases.")
    entries = []
    for number, item in enumerate(plain, 1):
        try:
            entries.append(Entry.of(item))
        except (ValidationError, TypeError) as error:
            raise DataError(f"Entry {number} of the watchlist {path}: {error}") from error
    return Watchlist(tuple(entries))
