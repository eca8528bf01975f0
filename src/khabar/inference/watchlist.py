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
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import StringConstraints, ValidationError

from khabar.config import Record
from khabar.errors import DataError
from khabar.schema import OUTLET
from khabar.text import sentences

MARK = "[\u0640\u064b-\u065f\u0670]"  # tatweel and vowel signs may stand between any two letters
FOLDED = {
    letter: f"[{group}]" for group in ("اأإآٱ", "ىيی", "ةه", "كک") for letter in group
} | {" ": r"[^\S\n]+"}  # fmt: skip
Role = Literal["holder", "target"]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Entry(Record):
    """One actor or issue."""

    name: Name
    kind: str = "actor"
    aliases: tuple[Name, ...] = ()
    role: tuple[Role, ...] = ("holder", "target")

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Any alias as a word of its own, conjunctions and prepositions that are written together allowed."""
        forms = {re.sub(MARK, "", form) for form in (self.name, *self.aliases)} - {OUTLET, ""}
        # ل and the article are written للـ, and no third ل follows
        forms |= {"لل" + form[2:].removeprefix("ل") for form in forms if form.startswith("ال")}
        words = "|".join(
            f"{MARK}*".join(FOLDED.get(letter, re.escape(letter)) for letter in form)
            for form in sorted(forms, key=len, reverse=True)
        )
        # without any form, (?!) matches nowhere
        return re.compile(rf"(?<!\w)(?<!{MARK})(?:[وفبلك]{MARK}*){{0,2}}(?:{words or '(?!)'}){MARK}*+(?!\w)")


@dataclass(frozen=True)
class Watchlist:
    """Entries, and the questions they put to a text."""

    entries: tuple[Entry, ...]

    def questions(self, text: str) -> list[tuple[str, str]]:
        """Pairs (holder, target) to ask of a text, in the order of the list."""
        spans = sentences.split(text)
        named = {
            entry.name: {i for i, (start, end) in enumerate(spans) if entry.pattern.search(text, start, end)}
            for entry in self.entries
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
        plain = yaml.safe_load(path.read_text("utf-8-sig"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise DataError(f"The watchlist {path} can't be read: {error}") from error
    if not isinstance(plain, list):
        raise DataError(f"The watchlist {path} must be a list of entries, each with a name and aliases.")
    entries = []
    for number, item in enumerate(plain, 1):
        try:
            entries.append(Entry.of(item))
        except (ValidationError, TypeError) as error:
            told = str(error)
            if isinstance(error, ValidationError):
                told = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'entry'}: {e['msg']}" for e in error.errors())
            raise DataError(f"Entry {number} of the watchlist {path}: {told}.") from error
    return Watchlist(tuple(entries))
