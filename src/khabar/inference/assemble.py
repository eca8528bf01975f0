"""From what was found in an article to its answer: distinct events, and stances by holder and target.

Two triggers are one event where type and kind of status agree, no mode, date, actor or recipient stands against it, and
they share a name or were linked; what is negated, conditional, alleged or background is never merged with the news.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from khabar.inference.accounts import Event, Evidence, Mention, Participant, Stance
from khabar.inference.graph import Graph, Spot
from khabar.schema import UNNAMED
from khabar.text import dates, places
from khabar.text.folding import fold

Placed = TypeVar("Placed", dates.Stated, places.Place)
SIDES = ("favor", "against", "neutral")
ALIKE = 0.8  # share of a shorter claim's words that a longer one has, where both are one claim
ONE = {"ongoing": "happened"}  # statuses that are merged: an act that goes on has happened


@dataclass
class _Draft:
    """An event in the making: numbers of its triggers, and its participants by role."""

    type: str
    kind: str
    spots: list[int]
    mode: str | None = None
    date: dates.Stated | None = None
    parts: dict[str, dict[str, Participant]] = field(default_factory=lambda: defaultdict(dict))

    def names(self, role: str) -> set[str]:
        return set(self.parts[role])

    def fits(self, other: "_Draft", *, linked: bool) -> bool:
        """Whether both may be one event."""
        if (self.type, self.kind) != (other.type, other.kind):
            return False
        if self.mode and other.mode and self.mode != other.mode:
            return False
        if self.date and other.date and not _one_day(self.date.date or "", other.date.date or ""):
            return False
        shared = False
        for role in ("actor", "recipient"):
            ours, theirs = self.names(role), other.names(role)
            if ours and theirs and not ours & theirs:
                return False
            shared |= bool(ours & theirs)
        return shared or linked


def events(graph: Graph, text: str, published: str | None) -> tuple[list[Event], dict[int, int]]:
    """The distinct events by their first mention, and the number of the event of each trigger.

    Args:
        graph: what was found.
        text: of the article.
        published: its date, ISO, by which relative dates are resolved.
    """
    linked = {frozenset(pair) for pair in graph.same}
    stated = _Stated(graph, text, published)
    drafts: list[_Draft] = []
    for number, spot in enumerate(graph.spots):
        if spot.layer != "event":
            continue
        own = _draft(graph, text, number, spot, stated)
        home = next(
            (d for d in drafts if d.fits(own, linked=any(frozenset((i, number)) in linked for i in d.spots))), None
        )
        if home is None:
            drafts.append(own)
            continue
        home.spots.append(number)
        home.mode, home.date = home.mode or own.mode, home.date or own.date
        for role, named in own.parts.items():
            for name, one in named.items():
                home.parts[role].setdefault(name, one)
    made = [_event(draft, graph, text, stated) for draft in drafts]
    return made, {spot: number for number, draft in enumerate(drafts) for spot in draft.spots}


def _draft(graph: Graph, text: str, number: int, spot: Spot, stated: "_Stated") -> _Draft:
    date = _nearest(stated.dates(spot.sentence), spot)
    draft = _Draft(spot.type, ONE.get(spot.status, spot.status), [number], spot.mode, date)
    mine = [role for role in graph.roles if role.event == number]
    # the nearest first: of a chain of sources the one who told it to the next
    for role in sorted(mine, key=lambda role: abs(graph.spots[role.actor].start - spot.start)):
        one = _participant(graph.spots[role.actor], text, role.score)
        draft.parts[role.role].setdefault(one.name, one)
    return draft


def _participant(spot: Spot, text: str, score: float) -> Participant:
    assert spot.name is not None
    return Participant(spot.name.name, text[slice(*spot.at)], *spot.at, score, spot.name.wikidata)


def _one_day(one: str, other: str) -> bool:
    """Whether two ISO dates, each as precise as it was told, may be one."""
    return one.startswith(other) or other.startswith(one)


class _Stated:
    """The places and resolved dates of each sentence, looked for once."""

    def __init__(self, graph: Graph, text: str, published: str | None) -> None:
        self._graph, self._text, self._published = graph, text, published
        self._places: dict[int, list[places.Place]] = {}
        self._dates: dict[int, list[dates.Stated]] = {}

    def places(self, sentence: int) -> list[places.Place]:
        if sentence not in self._places:
            self._places[sentence] = places.find(self._text, *self._graph.sentences[sentence])
        return self._places[sentence]

    def dates(self, sentence: int) -> list[dates.Stated]:
        if sentence not in self._dates:
            found = dates.find(self._text, *self._graph.sentences[sentence], self._published)
            self._dates[sentence] = [one for one in found if one.date is not None]
        return self._dates[sentence]


def _event(draft: _Draft, graph: Graph, text: str, stated: _Stated) -> Event:
    spots = [graph.spots[number] for number in draft.spots]
    where = next((place for spot in spots if (place := _nearest(stated.places(spot.sentence), spot))), None)
    best = max(spots, key=lambda spot: spot.score)
    statuses = [spot.status for spot in spots]
    return Event(
        type=draft.type,
        mode=draft.mode,
        status=max(statuses, key=statuses.count),
        actors=tuple(draft.parts["actor"].values()),
        recipients=tuple(draft.parts["recipient"].values()),
        sources=tuple(draft.parts["source"].values()),
        mentions=tuple(_mention(spot, graph, text) for spot in spots),
        score=best.score,
        place=where.name if where else None,
        date=draft.date.date if draft.date else None,
        date_text=draft.date.text if draft.date else None,
    )


def _nearest(found: Sequence[Placed], spot: Spot) -> Placed | None:
    return min(found, key=lambda one: max(one.start - spot.end, spot.start - one.end), default=None)


def _mention(spot: Spot, graph: Graph, text: str) -> Mention:
    start, end = graph.sentences[spot.sentence]
    return Mention(text[slice(*spot.at)], *spot.at, text[start:end], start, end, spot.score)


def stances(graph: Graph, text: str, found: Sequence[Event], event_of: dict[int, int]) -> list[Stance]:
    """Where each holder stands on each target, the surest first, with every sentence in which it shows.

    Sentences that disagree are weighed by their probabilities; a target is an actor by its name, a distinct event, or a
    claim, of which those that say the same are one.
    """
    claims = _claims(graph, text)
    together: defaultdict[tuple[str, str], list[tuple[Evidence, dict[str, float], Spot]]] = defaultdict(list)
    targets: dict[str, tuple[str, str]] = {}
    for taken in graph.stances:
        spot = graph.spots[taken.target]
        holder = taken.holder if isinstance(taken.holder, str) else _name(graph.spots[taken.holder])
        key, shown = _target(taken.target, spot, text, found, event_of, claims)
        if holder == shown and spot.layer == "actor":
            continue
        start, end = graph.sentences[spot.sentence]
        evidence = Evidence(text[start:end], start, end, taken.probabilities[taken.label], *spot.at)
        together[holder, key].append((evidence, taken.probabilities, spot))
        targets.setdefault(key, (shown, spot.layer))
    made = []
    for (holder, key), rows in together.items():
        mean = {label: sum(shares.get(label, 0.0) for _, shares, _ in rows) / len(rows) for label in rows[0][1]}
        label = max((side for side in SIDES if side in mean), key=mean.__getitem__)
        shown, kind = targets[key]
        evidence_all = tuple(evidence for evidence, _, _ in rows)
        made.append(Stance(holder, shown, kind, label, mean[label], mean, evidence_all))
    return sorted(made, key=lambda stance: (stance.holder == UNNAMED, -len(stance.evidence), -stance.score))


def _name(spot: Spot) -> str:
    assert spot.name is not None
    return spot.name.name


def _target(
    number: int, spot: Spot, text: str, found: Sequence[Event], event_of: dict[int, int], claims: dict[int, int]
) -> tuple[str, str]:
    """What a target is known by, and how it is shown."""
    if spot.layer == "actor":
        return f"actor {_name(spot)}", _name(spot)
    if spot.layer == "claim":
        return f"claim {claims[number]}", text[slice(*spot.at)]
    event = found[event_of[number]]
    who = event.actors or event.recipients
    return f"event {event_of[number]}", text[slice(*spot.at)] + (f" ({who[0].name})" if who else "")


def _claims(graph: Graph, text: str) -> dict[int, int]:
    """Of each claim, the first that says the same: nearly all words of the shorter one stand in the other."""
    first: dict[int, int] = {}
    seen: list[tuple[int, frozenset[str]]] = []
    for number, spot in enumerate(graph.spots):
        if spot.layer != "claim":
            continue
        words = frozenset(fold(word).strip("«»\"'“”.,،؛:") for word in text[slice(*spot.at)].split())
        for other, theirs in seen:
            if len(words & theirs) >= ALIKE * min(len(words), len(theirs)) and min(len(words), len(theirs)) > 1:
                first[number] = other
                break
        else:
            first[number] = number
            seen.append((number, words))
    return first
