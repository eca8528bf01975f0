"""From what was found in an article to its answer: distinct events, and stances by holder and target.

Two triggers are one event where type and kind of status agree, no mode, date, actor or recipient stands against it, and
they share a name or were linked; what is negated, conditional, alleged or background is never merged with the news.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from khabar.data.graph import Graph, Role, Spot
from khabar.inference.accounts import Event, Evidence, Mention, Participant, Stance
from khabar.schema import UNNAMED
from khabar.text import dates, places
from khabar.text.folding import fold

Placed = TypeVar("Placed", dates.Stated, places.Place)
SIDES = ("favor", "against", "neutral")
ALIKE = 0.8  # share of a shorter claim's words that a longer one has, where both are one claim
ONE = {"ongoing": "happened"}  # statuses that are merged: an act that goes on has happened


@dataclass(frozen=True)
class _Told:
    """What one trigger tells: its number, and its participants by role and name, the nearest first."""

    number: int
    type: str
    kind: str
    mode: str | None
    date: dates.Stated | None
    parts: dict[str, dict[str, Participant]]

    def fits(self, other: "_Told", *, linked: bool) -> bool:
        """Whether both may tell of one event."""
        if (self.type, self.kind) != (other.type, other.kind):
            return False
        if self.mode and other.mode and self.mode != other.mode:
            return False
        if self.date and other.date and not _one_day(self.date.date or "", other.date.date or ""):
            return False
        shared = False
        for role in ("actor", "recipient"):
            ours, theirs = self.parts.get(role, {}).keys(), other.parts.get(role, {}).keys()
            if ours and theirs and not ours & theirs:
                return False
            shared |= bool(ours & theirs)
        return shared or linked


def events(graph: Graph, text: str, published: str | None) -> tuple[list[Event], dict[int, int]]:
    """The distinct events by their first mention, and the number of the event of each trigger.

    A trigger joins an event whose every trigger it fits: by what only their union shares, all would end in one.

    Args:
        graph: what was found.
        text: of the article.
        published: its date, ISO, by which relative dates are resolved.
    """
    linked = {frozenset(pair) for pair in graph.same}
    roles: defaultdict[int, list[Role]] = defaultdict(list)
    for role in graph.roles:
        roles[role.event].append(role)
    stated = _Stated(graph, text, published)
    found: list[list[_Told]] = []
    for number, spot in enumerate(graph.spots):
        if spot.layer != "event":
            continue
        own = _told(graph, text, number, roles[number], stated)
        for event in found:
            joined = any(frozenset((one.number, number)) in linked for one in event)
            if all(one.fits(own, linked=joined) for one in event):
                event.append(own)
                break
        else:
            found.append([own])
    made = [_event(event, graph, text, stated) for event in found]
    return made, {one.number: number for number, event in enumerate(found) for one in event}


def _told(graph: Graph, text: str, number: int, mine: Sequence[Role], stated: "_Stated") -> _Told:
    spot = graph.spots[number]
    parts: defaultdict[str, dict[str, Participant]] = defaultdict(dict)
    # the nearest first: of a chain of sources the one who told it to the next
    for role in sorted(mine, key=lambda role: abs(graph.spots[role.actor].start - spot.start)):
        one = _participant(graph.spots[role.actor], text, role.score)
        parts[role.role].setdefault(one.name, one)
    kind = ONE.get(spot.status, spot.status)
    return _Told(number, spot.type, kind, spot.mode, _nearest(stated.dates(spot.sentence), spot), dict(parts))


def _participant(spot: Spot, text: str, score: float) -> Participant:
    wikidata = spot.name.wikidata if spot.name else None
    return Participant(spot.called, text[slice(*spot.at)], *spot.at, score, wikidata)


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


def _event(told: Sequence[_Told], graph: Graph, text: str, stated: _Stated) -> Event:
    spots = [graph.spots[one.number] for one in told]
    parts: defaultdict[str, dict[str, Participant]] = defaultdict(dict)
    for one in told:
        for role, named in one.parts.items():
            parts[role] = {**parts[role], **{name: who for name, who in named.items() if name not in parts[role]}}
    where = next((place for spot in spots if (place := _nearest(stated.places(spot.sentence), spot))), None)
    when = next((one.date for one in told if one.date), None)
    statuses = [spot.status for spot in spots]
    return Event(
        type=told[0].type,
        mode=next((one.mode for one in told if one.mode), None),
        status=max(statuses, key=statuses.count),
        actors=tuple(parts["actor"].values()),
        recipients=tuple(parts["recipient"].values()),
        sources=tuple(parts["source"].values()),
        mentions=tuple(_mention(spot, graph, text) for spot in spots),
        score=max(spot.score for spot in spots),
        place=where.name if where else None,
        date=when.date if when else None,
        date_text=when.text if when else None,
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
        holder = taken.holder if isinstance(taken.holder, str) else graph.spots[taken.holder].called
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


def _target(
    number: int, spot: Spot, text: str, found: Sequence[Event], event_of: dict[int, int], claims: dict[int, int]
) -> tuple[str, str]:
    """What a target is known by, and how it is shown."""
    if spot.layer == "actor":
        return f"actor {spot.called}", spot.called
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
