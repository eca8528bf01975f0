"""What is found in one article: spans, what they are, and how they go together, before anything is merged.

The order of the questions is the same for whoever answers them (`Scorer`): a model that encodes the article once, or
any predictor, so that a baseline is read by the same rules.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from khabar.data import marks
from khabar.data.asking import Asked, Candidate, Layout
from khabar.evaluation import calibration
from khabar.evaluation.scored import Bools, Floats, Ints
from khabar.inference.engine import Engine
from khabar.inference.names import Name
from khabar.plover import MODES
from khabar.schema import Example, Found, Offsets, Predictor, Task

APART = ("actor", "recipient")  # parts of which one actor plays one in an event
Named = Callable[[Sequence[Found]], list[Name]]  # one name for each actor that was found, in the order of the text


class Scorer(Protocol):
    """Answers the questions of a marking task about one article."""

    def spans(self) -> list[Found]:
        """What is marked, by place; of every sentence."""
        ...

    def answer(self, head: Task, asked: Sequence[Asked], sure: Floats) -> tuple[Floats, Bools]:
        """Probabilities and decisions [P, K] of one head's questions; `sure` [P]: that both spans are some.

        Decisions rest on the product: a likely relation of an unlikely span is not likely.
        """
        ...

    def floor(self, head: Task) -> float:
        """How sure both spans must be for any decision but none."""
        ...


@dataclass(frozen=True, slots=True)
class Spot:
    """A span that was found: an actor by its name, an event with its type, mode and status, a claim."""

    layer: str
    start: int
    end: int
    score: float
    sentence: int
    name: Name | None = None
    type: str = ""
    mode: str | None = None
    status: str = ""

    @property
    def at(self) -> Offsets:
        """Its offsets."""
        return self.start, self.end


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

    sentences: tuple[Offsets, ...]
    spots: tuple[Spot, ...]
    roles: tuple[Role, ...]
    stances: tuple[Taken, ...]
    same: tuple[tuple[int, int], ...]


def build(task: Task, sentences: Sequence[Offsets], scorer: Scorer, named: Named, added: Sequence[Found] = ()) -> Graph:
    """Ask everything.

    Args:
        task: that marks.
        sentences: of the article, headline first.
        scorer: who answers.
        named: names the actors.
        added: candidates from elsewhere (a watchlist, the caller), where no span of their layer was found.
    """
    found = spots(task, sentences, scorer, named, added)
    roles: list[Role] = []
    stances: list[Taken] = []
    same: list[tuple[int, int]] = []
    for head, every in pairs(task, sentences, found, scorer.floor):
        sure = np.ones(len(every.ends)) if head.links else every.sure(found)
        kept = np.flatnonzero(head.links | (sure >= scorer.floor(head)))  # nothing below can be decided for
        if not len(kept):
            continue
        asked = every.of(kept)
        prob, decided = scorer.answer(head, asked.questions, sure[kept])
        told = decided & np.array([label != head.empty_as for label in head.labels])
        for row, column in zip(*(axis.tolist() for axis in np.nonzero(told)), strict=True):
            holder, tail = asked.ends[row]
            label = head.labels[column]
            if head.name == "stance":
                shares = dict(zip(head.labels, prob[row].tolist(), strict=True))
                stances.append(Taken(holder, tail, label, shares))
                continue
            assert isinstance(holder, int)
            if head.name == "same_event":
                same.append((holder, tail))
            else:
                roles.append(Role(holder, tail, label, float(prob[row, column])))
    return Graph(tuple(sentences), tuple(found), tuple(_apart(roles, found)), tuple(stances), tuple(same))


def _apart(roles: Sequence[Role], found: Sequence[Spot]) -> Iterator[Role]:
    """The roles without those of an actor who acts on himself, by any mention: the likelier of both parts stays."""
    best: dict[tuple[int, str], Role] = {}
    for role in roles:
        named = found[role.actor].name
        key = role.event, named.name if named else ""
        if role.role in APART and (key not in best or role.score > best[key].score):
            best[key] = role
    for role in roles:
        named = found[role.actor].name
        if role.role not in APART or role.role == best[role.event, named.name if named else ""].role:
            yield role


def spots(
    task: Task, sentences: Sequence[Offsets], scorer: Scorer, named: Named, added: Sequence[Found] = ()
) -> list[Spot]:
    """What is found in an article, by place; arguments as of `build`."""
    found = scorer.spans()
    for one in sorted(added, key=lambda one: (one.start - one.end, one.start)):  # the longest first
        if not any(one.layer == other.layer and one.start < other.end and other.start < one.end for other in found):
            found.append(one)
    found.sort(key=lambda one: (one.start, -one.end, one.layer))
    starts = np.array([start for start, _ in sentences])
    places = np.searchsorted(starts, [one.start for one in found], side="right") - 1
    names = iter(named([one for one in found if one.layer == "actor"]))
    made = [
        Spot(one.layer, one.start, one.end, one.score, int(place), next(names) if one.layer == "actor" else None)
        for one, place in zip(found, places.tolist(), strict=True)
    ]
    return _described(task, sentences, made, scorer)


@dataclass(frozen=True)
class Pairs:
    """The questions of one head about an article, and the numbers of the spots that they join (a name: no spot)."""

    questions: list[Asked]
    ends: list[tuple[int | str, int]]

    def of(self, rows: Ints) -> "Pairs":
        """Some of them, by number."""
        return Pairs([self.questions[row] for row in rows.tolist()], [self.ends[row] for row in rows.tolist()])

    def sure(self, found: Sequence[Spot]) -> Floats:
        """How sure it is that both ends are some [P]: the product of their scores."""
        return np.array(
            [(1.0 if isinstance(head, str) else found[head].score) * found[tail].score for head, tail in self.ends]
        )


def pairs(
    task: Task, sentences: Sequence[Offsets], found: Sequence[Spot], floor: Callable[[Task], float] = lambda head: 0.0
) -> Iterator[tuple[Task, Pairs]]:
    """What the heads of pairs ask of an article in which these spots were found; who asks nothing is left out.

    `floor` tells how sure a spot must be for a head to ask about it.
    """
    every = [_candidate(spot, number) for number, spot in enumerate(found)]
    for head in (head for head in task.heads.values() if head.level == "pair"):
        lowest = 0.0 if head.links else floor(head)
        layout = Layout(sentences, [one for one in every if found[one.number].score >= lowest])
        asked = [one for sentence in range(len(sentences)) for one in layout.questions(head, sentence)]
        if asked:
            yield head, Pairs(asked, [(one.head.number if one.head else one.holder or "", _tail(one)) for one in asked])


def _tail(one: Asked) -> int:
    assert one.tail is not None
    return one.tail.number


def _described(task: Task, sentences: Sequence[Offsets], spots: list[Spot], scorer: Scorer) -> list[Spot]:
    """The events with their type, mode and status; a mode is one that the type has."""
    events = [i for i, spot in enumerate(spots) if spot.layer == "event"]
    made = list(spots)
    for head in (head for head in task.heads.values() if head.level == "span"):
        asked = [Asked(_candidate(made[i], i), None, sentences[made[i].sentence]) for i in events]
        if not asked:
            break
        prob, _ = scorer.answer(head, asked, np.ones(len(asked)))
        for i, row in zip(events, prob, strict=True):
            labels = head.labels
            if head.name == "mode":
                fits = [label == head.empty_as or label in MODES.get(made[i].type, ()) for label in labels]
                row = np.where(fits, row, -1.0)
            label = labels[int(row.argmax())]
            match head.name:
                case "type":
                    made[i] = replace(made[i], type=label)
                case "mode":
                    made[i] = replace(made[i], mode=None if label == head.empty_as else label)
                case "status":
                    made[i] = replace(made[i], status=label)
    return made


def _candidate(spot: Spot, number: int) -> Candidate:
    return Candidate(spot.layer, spot.start, spot.end, spot.name.name if spot.name else "", spot.type, number=number)


@dataclass
class PredictorScorer:
    """Any predictor as a scorer: everything is asked as examples.

    `rows` are the sentences to mark, of one article, as examples of the task; `cuts` thresholds of a predictor that has
    none of its own for spans that were found (`Engine.card.thresholds` has a model's).
    """

    predictor: Predictor
    task: Task
    rows: Sequence[Example]
    cuts: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    def spans(self) -> list[Found]:
        """What is marked, by place."""
        return [span for answer in self.predictor.predict(self.rows) for span in answer.spans]

    def answer(self, head: Task, asked: Sequence[Asked], sure: Floats) -> tuple[Floats, Bools]:
        """Probabilities and decisions [P, K]; without thresholds a predictor decides as it does of gold spans."""
        name = f"{self.task.name}.{head.name}"
        answers = self.predictor.predict([marks.example(self.rows[0], self.task.name, head, one) for one in asked])
        prob = np.array([[answer.probabilities[label] for label in head.labels] for answer in answers])
        if isinstance(self.predictor, Engine):
            return prob, self.predictor.decide(prob, name, sure=sure)
        if name in self.cuts:
            if head.mostly_empty:
                empty = head.labels.index(head.empty_as or "")
                return prob, calibration.decide_empty(prob, empty, self.cuts[name][0], sure)
            return prob, calibration.decide(prob * sure[:, None], head.kind, np.array(self.cuts[name]))
        return prob, np.array([[label in answer.labels for label in head.labels] for answer in answers])

    def floor(self, head: Task) -> float:
        """How sure both spans must be for any decision but none."""
        return self.predictor.floor(f"{self.task.name}.{head.name}") if isinstance(self.predictor, Engine) else 0.0
