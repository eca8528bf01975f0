"""Actors and issues to look out for: a YAML of names and aliases, found in a text, becomes its questions.

    - name: إيران
      kind: state
      aliases: [الجمهورية الإسلامية]
      metonyms: [طهران]  # places and buildings that stand for it
      nisba: إيراني  # or a list of spellings; the inflections and the article are added
      acronyms: []
      wikidata: Q794
      role: [holder, target]

Only `name` is needed. A holder is asked about a target when both are named in one sentence; the outlet itself is asked
about every target that is named.
"""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BeforeValidator, StringConstraints, ValidationError

from khabar.config import Record
from khabar.errors import DataError
from khabar.inference import words
from khabar.schema import OUTLET
from khabar.text import sentences

MARK = "[\u0640\u064b-\u065f\u0670]"  # tatweel and vowel signs may stand between any two letters
FOLDED = {
    letter: f"[{group}]" for group in ("اأإآٱ", "ىيی", "ةه", "كک") for letter in group
} | {" ": r"[^\S\n]+"}  # fmt: skip
Role = Literal["holder", "target"]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Nisba = Annotated[str, StringConstraints(strip_whitespace=True, pattern=rf"^\S+[يىی]{MARK}*$")]
ENDINGS = ("", "ا", "ة", "ون", "ين", "ان", "تان", "تين", "ات", "و", "ي")  # of a nisba, after its own ي


def _listed(value: object) -> object:
    """One as a tuple of one; a list is a tuple here, for what a validator gives on is no JSON any more."""
    return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value


class Entry(Record):
    """One actor or issue."""

    name: Name
    kind: str = "actor"
    aliases: tuple[Name, ...] = ()
    metonyms: tuple[Name, ...] = ()
    nisba: Annotated[tuple[Nisba, ...], BeforeValidator(_listed)] = ()
    acronyms: tuple[Name, ...] = ()
    wikidata: Annotated[str, StringConstraints(pattern=r"^Q[1-9][0-9]*$")] | None = None
    role: tuple[Role, ...] = ("holder", "target")

    @property
    def names(self) -> tuple[str, ...]:
        """What names it by itself: the name, aliases, metonyms and acronyms."""
        return (self.name, *self.aliases, *self.metonyms, *self.acronyms)

    @property
    def inflections(self) -> tuple[str, ...]:
        """The nisba's forms without vowel signs, each without and with the article."""
        stems = [re.sub(MARK, "", nisba)[:-1] + "ي" for nisba in self.nisba]
        return tuple(article + stem + ending for stem in stems for ending in ENDINGS for article in ("", "ال"))

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Any form as a word of its own, conjunctions and prepositions that are written together allowed."""
        forms = {re.sub(MARK, "", form) for form in (*self.names, *self.inflections)} - {OUTLET, ""}
        # ل and the article are written للـ, and no third ل follows
        forms |= {"لل" + form[2:].removeprefix("ل") for form in forms if form.startswith("ال")}
        either = "|".join(
            f"{MARK}*".join(FOLDED.get(letter, re.escape(letter)) for letter in form)
            for form in sorted(forms, key=len, reverse=True)
        )
        # without any form, (?!) matches nowhere
        return re.compile(rf"(?<!\w)(?<!{MARK})(?:[وفبلك]{MARK}*){{0,2}}(?:{either or '(?!)'}){MARK}*+(?!\w)")


@dataclass(frozen=True)
class Watchlist:
    """Entries, and the questions they put to a text."""

    entries: tuple[Entry, ...]

    @cached_property
    def forms(self) -> dict[tuple[str, ...], tuple[Entry, bool]]:
        """The entry that a form names, and whether the form is its nisba; forms as keys of their words, no article.

        Of two entries that share a form the earlier has it, one that is called so before one whose nisba it is.
        """
        named = [(form, entry, False) for entry in self.entries for form in entry.names]
        named += [(form, entry, True) for entry in self.entries for form in entry.inflections]
        found: dict[tuple[str, ...], tuple[Entry, bool]] = {}
        for form, entry, nisba in named:
            if form != OUTLET and (keys := words.keys(form)):
                found.setdefault(keys, (entry, nisba))
        return found

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
