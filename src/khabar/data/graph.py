"""What is marked or found in one article, as a graph: spans by number, and how they go together.

Gold marks and what a model reads are the same nouns, so that one can be held against the other.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from khabar.schema import HOLDERS, Marks, Offsets

CONTINUES = "continues"  # the attribute of a later part of a span, with the id of the first
ENTITY = "entity"  # the attribute of an actor: one name for all its mentions
ROLES = ("actor", "recipient", "source")

Key = tuple[Hashable, ...]


class Name(NamedTuple):
    """What an actor is called throughout an article, and its Wikidata item where that is known."""

    name: str
    wikidata: str | None = None


@dataclass(frozen=True, slots=True)
class Spot:
    """A span: an actor by its name, an event with its type, mode and status (`attributes`), a claim."""

    layer: str
    start: int
    end: int
    score: float
    sentence: int
    name: Name | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def at(self) -> Offsets:
        """Its offsets."""
        return self.start, self.end

    @property
    def called(self) -> str:
        """The name of an actor, "" of another span."""
        return self.name.name if self.name else ""

    @property
    def type(self) -> str:
        """The type of an event."""
        return self.attributes.get("type", "")

    @property
    def mode(self) -> str | None:
        """The mode of an event, None where it has none."""
        return self.attributes.get("mode")

    @property
    def status(self) -> str:
        """The status of an event."""
        return self.attributes.get("status", "")

    @property
    def key(self) -> Hashable:
        """What relations are compared by: an actor's name, else the place."""
        return self.called if self.layer == "actor" else (self.layer, *self.at)


@dataclass(frozen=True, slots=True)
class Role:
    """An actor's part in an event: numbers of spots, the role and its probability."""

    event: int
    actor: int
    role: str
    score: float


@dataclass(frozen=True, slots=True)
class Taken:
    """A stance that somebody takes in one sentence: holder is a number of a spot, or a name."""

    holder: int | str
    target: int
    label: str
    probabilities: dict[str, float]


@dataclass(frozen=True, slots=True)
class Graph:
    """All that was found in an article; `same` are pairs of events that are one, the later first."""

    sentences: Sequence[Offsets]
    spots: Sequence[Spot]
    roles: Sequence[Role] = ()
    stances: Sequence[Taken] = ()
    same: Sequence[tuple[int, int]] = ()

    @property
    def relations(self) -> set[Key]:
        """Roles and stances by what they are compared by."""
        found = {relation(self.spots, one.event, one.actor, one.role) for one in self.roles}
        return found | {relation(self.spots, one.holder, one.target, one.label) for one in self.stances}


def relation(spots: Sequence[Spot], head: int | str, tail: int, label: str) -> Key:
    """What a role or stance is compared by, its label last: both ends, and the sentence of a stance's target."""
    who = head if isinstance(head, str) else spots[head].key
    return who, spots[tail].key, None if label in ROLES else spots[tail].sentence, label


def of_marks(marks: Marks) -> Graph:
    """What an annotator marked; later parts of a span are left out, and so is a relation that is none of a reader's."""
    whole = [span for span in marks.spans if CONTINUES not in span.attributes]
    number = {span.id: i for i, span in enumerate(whole)}
    spots = [
        Spot(
            span.layer, span.start, span.end, 1.0,
            next((i for i, (start, end) in enumerate(marks.sentences) if start <= span.start < end), -1),
            Name(span.attributes.get(ENTITY, span.id)) if span.layer == "actor" else None, span.attributes,
        )
        for span in whole
    ]  # fmt: skip
    roles, stances, same = [], [], []
    for arrow in marks.relations:
        tail = number[arrow.tail]
        if arrow.role == "stance":
            holder = arrow.head if arrow.head in HOLDERS else number[arrow.head]
            stances.append(Taken(holder, tail, arrow.label or "", {arrow.label or "": 1.0}))
        elif arrow.role == "same_event":
            same.append((number[arrow.head], tail))
        elif arrow.role in ROLES:
            roles.append(Role(number[arrow.head], tail, arrow.role, 1.0))
    return Graph(marks.sentences, spots, roles, stances, same)
