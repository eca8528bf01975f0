"""An article read whole, scored three ways: what was found at all, and tuples by sentence and by article.

A tuple is right where every part of it is: an event by type, actor and recipient (several of them make several tuples);
a stance by holder, target and label.
An actor that was found is the gold actor whose mention it overlaps, a trigger or claim the gold one; what overlaps none
is its own, and so wrong. Every count belongs to its article, so that intervals rest on articles.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from khabar.data.graph import Graph, Name, Spot
from khabar.evaluation import spans
from khabar.evaluation.scored import Scored
from khabar.schema import overlap

LEVELS = ("sentence", "article")

Tuples = Callable[[Graph, str], Iterable[tuple[str, Hashable]]]


@dataclass
class Compared:
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
        self.found.append(replace(found, spots=aligned(found.spots, gold)))
        self.accounts.append(replace(account, spots=aligned(account.spots, gold)))
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
            there = {(spot.layer, *spot.at) for spot in theirs.spots}
            ends = [(spot.layer, *spot.at) in there for spot in ours.spots]
            reached.append(
                {(name, pair) for name, pair in _pairs(ours) if all(ends[end] for end in pair if isinstance(end, int))}
            )
        return spans.tuples(("role", "stance"), [_pairs(graph) for graph in self.gold], reached, self.clusters)

    def _scored(self, labels: Sequence[str], level: str, of: Tuples) -> Scored:
        told = self.found if level == "sentence" else self.accounts
        gold, found = ([set(of(graph, level)) for graph in graphs] for graphs in (self.gold, told))
        return spans.tuples(labels, gold, found, self.clusters)


def _pairs(graph: Graph) -> set[tuple[str, tuple[int | str, int]]]:
    roles = {("role", (role.event, role.actor)) for role in graph.roles}
    return {*roles, *(("stance", (taken.holder, taken.target)) for taken in graph.stances)}


def aligned(found: Sequence[Spot], gold: Graph) -> list[Spot]:
    """What was found, each spot in the words of the gold spot of its layer that it overlaps most."""
    made = []
    for spot in found:
        best = max(
            (one for one in gold.spots if one.layer == spot.layer),
            key=lambda one: min(one.end, spot.end) - max(one.start, spot.start),
            default=None,
        )
        if best is None or not overlap(best.at, spot.at):
            made.append(replace(spot, name=Name(f"? {spot.called}") if spot.name else None))
        else:
            made.append(replace(best, score=spot.score, attributes=spot.attributes))
    return made


def _place(spot: Spot, level: str) -> Hashable:
    """Where a tuple counts: in its sentence at that level, anywhere at the article's."""
    return spot.sentence if level == "sentence" else None


def _events(graph: Graph, level: str) -> Iterable[tuple[str, Hashable]]:
    """(type, (place, actor, recipient)) of each pair of them; None where an event has none."""
    parts: dict[tuple[int, str], set[str | None]] = {}
    for role in graph.roles:
        parts.setdefault((role.event, role.role), set()).add(graph.spots[role.actor].called)
    for number, spot in enumerate(graph.spots):
        if spot.layer == "event":
            for who in parts.get((number, "actor"), {None}):
                for whom in parts.get((number, "recipient"), {None}):
                    yield spot.type, (_place(spot, level), who, whom)


def _stances(graph: Graph, level: str) -> Iterable[tuple[str, Hashable]]:
    """(label, (place, holder, target)) of each stance; a target is an actor by name, else by its offsets."""
    for taken in graph.stances:
        target = graph.spots[taken.target]
        who = taken.holder if isinstance(taken.holder, str) else graph.spots[taken.holder].called
        yield taken.label, (_place(target, level), who, target.key)
