"""One annotation file of brat, line by line: spans, events, relations and attributes against their text."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from khabar.data.importers._exports import Mark
from khabar.data.problems import Problems
from khabar.data.rows import RowError
from khabar.schema import Offsets

SPAN = re.compile(r"(\S+) (\d+ \d+(?:;\d+ \d+)*)")
NUMBER = re.compile(r"\d+$")  # brat numbers the roles of an event that it has twice
SHAPES = {
    "T": "T1<TAB>TYPE 0 4<TAB>the words",
    "E": "E1<TAB>TYPE:T1 ROLE:T2",
    "R": "R1<TAB>ROLE Arg1:T1 Arg2:T2",
    "A": "A1<TAB>NAME E1, with a value after it or without",
    "*": "*<TAB>Equiv T1 T2",
}
Line = tuple[int, str, str]  # its number, its id, what follows


@dataclass(frozen=True)
class Arrow:
    """A relation, or a role of an event (`event` is its type): the ids of two marks."""

    line: int
    id: str
    head: str
    tail: str
    role: str
    event: str | None = None


@dataclass
class Annotations:
    """What one file holds: marks by id, the line of each, the types of the events, the arrows."""

    marks: dict[str, Mark] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    events: set[str] = field(default_factory=set)
    arrows: list[Arrow] = field(default_factory=list)


def parse(content: str, text: str, file: str, problems: Problems, *, marked: bool = False) -> Annotations:
    """The annotations of `text`.

    Args:
        content: the annotation file.
        text: the text that its offsets count in, in code points.
        file: what problems call the annotation file.
        problems: takes what can't be read, by line.
        marked: the text had a byte order mark, which brat may have counted as a character.
    """
    kinds: dict[str, list[Line]] = {kind: [] for kind in SHAPES}
    for number, line in enumerate(content.split("\n"), 1):
        if not line.strip():
            continue
        problems.at(file, number)
        id_, _, rest = line.rstrip("\r").partition("\t")
        kind = "A" if id_.startswith("M") else id_[:1]  # M: attributes of older versions
        if kind in ("#", "N"):
            problems.note("notes and links to databases, passed over")
        elif kind not in kinds or not rest.strip():
            problems.add("line", f"{line[:60]!r}.", f"A line is {SHAPES.get(kind, SHAPES['T'])}")
        else:
            kinds[kind].append((number, id_, rest))
    shift = int(marked and _fitting(kinds["T"], text, 1) > _fitting(kinds["T"], text, 0))
    reader = _Reader(text, shift, problems)
    # each kind points at those before it
    for kind, take in (
        ("T", reader.mark),
        ("E", reader.trigger),
        ("E", reader.event),
        ("R", reader.relation),
        ("*", reader.equivalence),
        ("A", reader.attribute),
    ):
        for number, id_, rest in kinds[kind]:
            problems.at(file, number)
            try:
                take(number, id_, rest)
            except RowError as error:
                problems.add(error.field, error.wrong, error.fix)
    return reader.found


class _Reader:
    """Takes the lines one by one."""

    def __init__(self, text: str, shift: int, problems: Problems) -> None:
        self.text, self.shift, self.problems = text, shift, problems
        self.found = Annotations()
        self.triggers: dict[str, str] = {}  # event -> the mark that triggers it

    def mark(self, number: int, id_: str, rest: str) -> None:
        type_, fragments, words = _span(rest, self.shift)
        if id_ in self.found.marks:
            raise RowError("id", f"{id_!r} is taken already, in line {self.found.lines[id_]}.", "Give each its own")
        outside = next((at for at in fragments if not 0 <= at[0] < at[1] <= len(self.text)), None)
        if outside is not None:
            wrong = f"[{outside[0]}, {outside[1]}) lies outside the text ({len(self.text)} characters)."
            raise RowError("offsets", wrong, "The text has been changed since, or the two files are of different texts")
        if words is not None and not _same(self.text, fragments, words):
            there = _said(self.text, fragments)
            wrong = f"the text there is {there[:40]!r}, not {words[:40]!r}."
            raise RowError("offsets", wrong, "The text has been changed since, or the two files are of different texts")
        attributes = {}
        if len(fragments) > 1:
            attributes["fragments"] = ";".join(f"{start}-{end}" for start, end in fragments)
        start, end = min(start for start, _ in fragments), max(end for _, end in fragments)
        self.found.marks[id_] = Mark(id_, type_, start, end, attributes)
        self.found.lines[id_] = number

    def trigger(self, number: int, id_: str, rest: str) -> None:
        _, _, mark = rest.split()[0].partition(":")
        if not mark:
            raise RowError("event", f"{rest[:60]!r}.", f"A line is {SHAPES['E']}")
        self.triggers[id_] = self._end(mark)
        self.found.events.add(self.found.marks[self.triggers[id_]].label)

    def event(self, number: int, id_: str, rest: str) -> None:
        if id_ not in self.triggers:  # told of already
            return
        head, *roles = rest.split()
        for place, (role, end) in enumerate(_pairs(roles, SHAPES["E"]), 1):
            tail, name = self._end(end), NUMBER.sub("", role) or role
            event = head.partition(":")[0]
            self.found.arrows.append(Arrow(number, f"{id_}-{place}", self.triggers[id_], tail, name, event))

    def relation(self, number: int, id_: str, rest: str) -> None:
        role, *ends = rest.split()
        marks = [self._end(end) for _, end in _pairs(ends, SHAPES["R"])]
        if len(marks) != 2:
            raise RowError("relation", f"{rest[:60]!r}.", f"A line is {SHAPES['R']}")
        self.found.arrows.append(Arrow(number, id_, marks[0], marks[1], role))

    def equivalence(self, number: int, _: str, rest: str) -> None:
        role, *ends = rest.split()
        marks = [self._end(end) for end in ends]
        for place, tail in enumerate(marks[1:], 1):
            self.found.arrows.append(Arrow(number, f"line-{number}-{place}", marks[0], tail, role))

    def attribute(self, number: int, id_: str, rest: str) -> None:
        name, *given = rest.split(maxsplit=2)
        if not given:
            raise RowError("attribute", f"{rest[:60]!r}.", f"A line is {SHAPES['A']}")
        if given[0].startswith("R"):
            self.problems.note("attributes of relations, passed over")
            return
        attributes = self.found.marks[self._end(given[0])].attributes
        value = given[1].strip() if len(given) > 1 else "true"
        if attributes.setdefault(name, value) != value:
            self.problems.note("attributes that two events on one trigger give otherwise; the first one's are kept")

    def _end(self, id_: str) -> str:
        """The mark of an id, of an event's id the mark that triggers it."""
        mark = self.triggers.get(id_, id_)
        if mark not in self.found.marks:
            raise RowError("id", f"there is no span or event {id_!r} in this file.", "Correct the id or add it")
        return mark


def _span(rest: str, shift: int) -> tuple[str, list[Offsets], str | None]:
    """Type, fragments and words of a span's line; older versions of brat leave the words out."""
    head, tab, words = rest.partition("\t")
    match = SPAN.fullmatch(head)
    if match is None:
        raise RowError("span", f"{head[:60]!r}.", f"A line is {SHAPES['T']}")
    pairs = (fragment.split() for fragment in match[2].split(";"))
    return match[1], [(int(start) - shift, int(end) - shift) for start, end in pairs], words if tab else None


def _fitting(lines: Iterable[Line], text: str, shift: int) -> int:
    """How many spans hold their words."""
    count = 0
    for _, _, rest in lines:
        try:
            _, fragments, words = _span(rest, shift)
        except RowError:
            continue
        count += words is not None and _same(text, fragments, words)
    return count


def _said(text: str, fragments: Iterable[Offsets]) -> str:
    return " ".join(text[max(start, 0) : max(end, 0)] for start, end in fragments)


def _same(text: str, fragments: Iterable[Offsets], words: str) -> bool:
    """Whether the fragments are these words; brat writes a line break as a space."""
    return _said(text, fragments).split() == words.split()


def _pairs(words: Iterable[str], shape: str) -> list[tuple[str, str]]:
    pairs = [word.partition(":") for word in words]
    if not all(colon and role and end for role, colon, end in pairs):
        raise RowError("line", f"{' '.join(words)[:60]!r}.", f"A line is {shape}")
    return [(role, end) for role, _, end in pairs]
