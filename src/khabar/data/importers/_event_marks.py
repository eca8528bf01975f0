"""What coders marked as an event's verb, source and target, listed as words: found again in the text, as spans.

Words marked side by side, but for punctuation, are one span. Words apart are several, since nobody marked what stands
between; the later ones name the first in the attribute `continues`.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from khabar.data.decoding import PLAIN, decode, told
from khabar.data.problems import Problems
from khabar.data.rows import RowError
from khabar.errors import DataError
from khabar.schema import GOLD, Offsets, Relation, Span

SLOTS = {"verb": "verb", "source": "source_actor", "target": "target_actor"}
ROLES = {"source": "actor", "target": "recipient"}
SHAPE = (
    'An entry has the strings source, _id, text, event_type, source_gold, verb_gold, target_gold, and the list "spans"'
)

_LETTER = r"[\w\u064b-\u0652\u0670]"  # the marks of Arabic are no \w


@dataclass(frozen=True)
class Marks:
    """One entry: the words of each coder by slot, the actors' codes by slot, and the words on which all agree."""

    id: str
    source: str
    text: str
    type: str
    words: list[dict[str, list[str]]]
    codes: list[dict[str, dict[str, str]]]
    gold: dict[str, set[str]]


def entries(path: Path, problems: Problems) -> list[Any]:
    """The entries of a span file.

    Raises:
        DataError: it is no JSON list.
    """
    text, encoding = decode(path.read_bytes(), path.name)
    if encoding != PLAIN:
        problems.note(f"{path.name} read as {told(encoding)}")
    try:
        found = json.loads(text)
    except ValueError as error:
        raise DataError(f"{path} is not JSON: {error}") from None
    if not isinstance(found, list):
        raise DataError(f"{path} is a JSON {type(found).__name__}, not a list of entries")
    return found


def parse(entry: object) -> Marks:
    """An entry, checked.

    Raises:
        RowError: a field is missing or of another type.
    """
    if not isinstance(entry, dict):
        raise RowError("entry", f"a JSON {type(entry).__name__}.", SHAPE)
    for name in ("source", "_id", "text", "event_type", *(f"{slot}_gold" for slot in SLOTS)):
        if not isinstance(entry.get(name), str):
            raise RowError(name, "missing or no string.", SHAPE)
    coders = entry.get("spans")
    if not isinstance(coders, list) or not all(isinstance(coder, dict) for coder in coders):
        raise RowError("spans", "missing or no list of objects.", SHAPE)
    return Marks(
        id=entry["_id"],
        source=entry["source"],
        text=entry["text"],
        type=entry["event_type"],
        words=[{slot: _words(coder, key) for slot, key in SLOTS.items()} for coder in coders],
        codes=[{slot: _codes(coder.get(f"{slot}_role")) for slot in SLOTS} for coder in coders],
        gold={slot: set(entry[f"{slot}_gold"].split()) for slot in SLOTS},
    )


def nouns(marks: Marks, article: str, problems: Problems) -> Iterator[Span | Relation]:
    """The spans of each coder on the layers `event` and `actor`, and what all agree on, by annotator `gold`.

    Relations `actor` (to the source, as CAMEO calls it) and `recipient` (to the target) lead from a coder's trigger to
    the actors, which say in the attribute `as` what they are, for an actor may be marked where no verb is. A trigger
    has the event's type. CAMEO codes are the attributes `main` and `role`.
    """
    marked: dict[str, dict[Offsets, str]] = {slot: {} for slot in SLOTS}
    for number, (words, codes) in enumerate(zip(marks.words, marks.codes, strict=True), 1):
        places: dict[str, list[Offsets]] = {}
        for slot, tokens in words.items():
            found = align(marks.text, tokens)
            if found is None:
                problems.note("marks whose words the text does not hold in their order")
            places[slot] = found or []
            marked[slot] |= dict(zip(places[slot], tokens, strict=False))
        yield from _event(marks, article, f"coder-{number}", places, codes)
    agreed = {slot: [at for at, word in sorted(marked[slot].items()) if word in marks.gold[slot]] for slot in SLOTS}
    yield from _event(marks, article, GOLD, agreed, {})


def align(text: str, words: Sequence[str]) -> list[Offsets] | None:
    """Where the words stand in the text, in order and as near to each other as can be; None if they do not."""
    places = [_places(text, word) for word in words]
    best: list[Offsets] | None = None
    for first in places[0] if places else ():
        found = [first]
        for there in places[1:]:
            follows = next((place for place in there if place[0] >= found[-1][1]), None)
            if follows is None:
                return best  # a later first word leaves less room still
            found.append(follows)
        if best is None or found[-1][1] - found[0][0] < best[-1][1] - best[0][0]:
            best = found
    return best if words else []


def runs(text: str, places: Sequence[Offsets]) -> list[Offsets]:
    """The stretches of words between which no other word stands."""
    found: list[Offsets] = []
    for start, end in places:
        if found and not re.search(r"\w", text[found[-1][1] : start]):
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found


def _event(
    marks: Marks,
    article: str,
    annotator: str,
    places: Mapping[str, Sequence[Offsets]],
    codes: Mapping[str, Mapping[str, str]],
) -> Iterator[Span | Relation]:
    firsts: dict[str, str] = {}
    for slot in SLOTS:
        for number, (start, end) in enumerate(runs(marks.text, places[slot]), 1):
            id_ = f"{marks.id}@{annotator}/{slot}-{number}"
            first = firsts.setdefault(slot, id_)
            attributes = {**({"type": marks.type} if slot == "verb" else {"as": slot}), **codes.get(slot, {})}
            yield Span(
                id=id_,
                article=article,
                annotator=annotator,
                layer="event" if slot == "verb" else "actor",
                start=start,
                end=end,
                attributes=attributes if first == id_ else {"continues": first},
            )
    for slot in ROLES:
        if "verb" in firsts and slot in firsts:
            yield Relation(
                id=f"{marks.id}@{annotator}/{slot}",
                article=article,
                annotator=annotator,
                head=firsts["verb"],
                tail=firsts[slot],
                role=ROLES[slot],
            )


def _places(text: str, word: str) -> list[Offsets]:
    """Where a word stands by itself, or else within others: words were cut as the coders' tool did it."""
    whole = rf"(?<!{_LETTER}){re.escape(word)}(?!{_LETTER})"
    found = [match.span() for match in re.finditer(whole, text)]
    return found or [match.span() for match in re.finditer(re.escape(word), text)]


def _words(coder: dict[str, Any], key: str) -> list[str]:
    words = coder.get(key)
    if not isinstance(words, list) or not all(isinstance(word, str) and word for word in words):
        raise RowError("spans", f"{key} is no list of words.", SHAPE)
    return words


def _codes(role: object) -> dict[str, str]:
    """The codes of an actor; the words None and UNKNOWN are none."""
    given = role.items() if isinstance(role, dict) else ()
    return {name: code for name, code in given if isinstance(code, str) and code not in ("None", "UNKNOWN")}
