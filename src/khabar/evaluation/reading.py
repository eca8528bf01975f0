"""An article read whole, scored three ways: what was found at all, and tuples by sentence and by article.

A tuple is right where every part of it is: an event by type, actor and recipient (several of them make several tuples);
a stance by holder, target and label.
An actor that was found is the gold actor whose mention it overlaps, a trigger or claim the gold one; what overlaps none
is its own, and so wrong. Every count belongs to its article, so that intervals rest on articles.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field

from khabar.data import marks
from khabar.evaluation import spans
from khabar.evaluation.scored import Scored
from khabar.schema import HOLDERS, Marks, Offsets

LEVELS = ("sentence", "article")


@dataclass(frozen=True)
class Piece:
    """A span in a reading, of gold or found; `name` tells actors apart, `type` is that of an event."""

    layer: str
    start: int
    end: int
    name: str = ""
    type: str = ""

    @property
    def at(self) -> Offsets:
        """Its offsets."""
        return self.start, self.end


@dataclass(frozen=True)
class Graph:
    """One article's reading: pieces by number, roles (event, actor, role), stances (holder, target, label)."""

    sentences: Sequence[Offsets]
    pieces: Sequence[Piece]
    roles: Sequence[tuple[int, int, str]]
    stances: Sequence[tuple[int | str, int, str]]


Tuples = Callable[[Graph, str], Iterable[tuple[str, Hashable]]]


@dataclass
class Readings:
    """Gold and found readings of the same articles, in the same order; `groups` are the clusters."""

    types: Sequence[str]
    labels: Sequence[str]
    gold: list[Graph] = field(default_factory=list)
    found: list[Graph] = field(default_factory=list)
    accounts: list[Graph] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)

    def add(self, gold: Graph, found: Graph, account: Graph, group: str) -> None:
        """One article more: what was found in it, and what is left of that in its account."""
        self.gold.append(gold)
        self.found.append(aligned(found, gold))
        self.accounts.append(aligned(account, gold))
        self.groups.append(group)

    @property
    def clusters(self) -> list[int]:
        """A number for each article, equal within a group."""
        number = {group: i for i, group in enumerate(dict.fromkeys(self.groups))}
        return [number[group] for group in self.groups]

    def events(self, level: str) -> Scored:
        """Event tuples."""
        return self._scored(self.types, level, _events)

    def stances(self, level: str) -> Scored:
        """Stance tuples."""
        return self._scored(self.labels, level, _stances)

    def candidates(self) -> Scored:
        """The gold pairs of each relation, and those both of whose ends were found.

        Their recall bounds what a scorer of pairs can reach.
        """
        reached = []
        for ours, theirs in zip(self.gold, self.found, strict=True):
            there = {(piece.layer, *piece.at) for piece in theirs.pieces}
            ends = [(piece.layer, *piece.at) in there for piece in ours.pieces]
            reached.append(
                {(name, pair) for name, pair in _pairs(ours) if all(ends[end] for end in pair if isinstance(end, int))}
            )
        return spans.tuples(("role", "stance"), [_pairs(graph) for graph in self.gold], reached, self.clusters)

    def _scored(self, labels: Sequence[str], level: str, of: Tuples) -> Scored:
        told = self.found if level == "sentence" else self.accounts
        gold, found = ([set(of(graph, level)) for graph in graphs] for graphs in (self.gold, told))
        return spans.tuples(labels, gold, found, self.clusters)


def _pairs(graph: Graph) -> set[tuple[str, tuple[int | str, int]]]:
    roles = {("role", (event, actor)) for event, actor, _ in graph.roles}
    return {*roles, *(("stance", (holder, target)) for holder, target, _ in graph.stances)}


def of_marks(everything: Marks) -> Graph:
    """The gold reading."""
    whole = [span for span in everything.spans if marks.CONTINUES not in span.attributes]
    number = {span.id: i for i, span in enumerate(whole)}
    pieces = [
        Piece(
            span.layer, span.start, span.end,
            span.attributes.get(marks.ENTITY, span.id) if span.layer == "actor" else "",
            span.attributes.get("type", "") if span.layer == "event" else "",
        )
        for span in whole
    ]  # fmt: skip
    roles, stances = [], []
    for arrow in everything.relations:
        if arrow.role == "stance":
            holder = arrow.head if arrow.head in HOLDERS else number[arrow.head]
            stances.append((holder, number[arrow.tail], arrow.label or ""))
        elif arrow.role in ("actor", "recipient", "source"):
            roles.append((number[arrow.head], number[arrow.tail], arrow.role))
    return Graph(everything.sentences, pieces, roles, stances)


def aligned(found: Graph, gold: Graph) -> Graph:
    """What was found, each piece in the words of the gold piece of its layer that it overlaps most."""
    pieces = []
    for piece in found.pieces:
        best = max(
            (one for one in gold.pieces if one.layer == piece.layer),
            key=lambda one: min(one.end, piece.end) - max(one.start, piece.start),
            default=None,
        )
        if best is None or min(best.end, piece.end) <= max(best.start, piece.start):
            pieces.append(Piece(piece.layer, piece.start, piece.end, f"? {piece.name}", piece.type))
        else:
            pieces.append(Piece(best.layer, best.start, best.end, best.name, piece.type))
    return Graph(gold.sentences, pieces, found.roles, found.stances)


def _place(graph: Graph, piece: Piece, level: str) -> Hashable:
    """Where a tuple counts: in its sentence at that level, anywhere at the article's."""
    if level == "article":
        return None
    return next((i for i, (start, end) in enumerate(graph.sentences) if start <= piece.start < end), -1)


def _events(graph: Graph, level: str) -> Iterable[tuple[str, Hashable]]:
    """(type, (place, actor, recipient)) of each pair of them; None where an event has none."""
    parts: dict[tuple[int, str], set[str | None]] = {}
    for event, actor, role in graph.roles:
        parts.setdefault((event, role), set()).add(graph.pieces[actor].name)
    for number, piece in enumerate(graph.pieces):
        if piece.layer == "event":
            place = _place(graph, piece, level)
            for who in parts.get((number, "actor"), {None}):
                for whom in parts.get((number, "recipient"), {None}):
                    yield piece.type, (place, who, whom)


def _stances(graph: Graph, level: str) -> Iterable[tuple[str, Hashable]]:
    """(label, (place, holder, target)) of each stance; a target is an actor by name, else by its offsets."""
    for holder, target, label in graph.stances:
        piece = graph.pieces[target]
        who = holder if isinstance(holder, str) else graph.pieces[holder].name
        yield (
            label,
            (_place(graph, piece, level), who, piece.name if piece.layer == "actor" else (piece.layer, *piece.at)),
        )
