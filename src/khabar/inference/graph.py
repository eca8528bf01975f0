"""What is found in one article: spans, what they are, and how they go together, before anything is merged.

The order of the questions is the same for whoever answers them (`Scorer`): a model that encodes the article once, or
any predictor, so that a baseline is read by the same rules. Shapes: P questions (see `asking`), K labels.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from khabar.data import asking, marks
from khabar.data.graph import Graph, Name, Role, Spot, Taken
from khabar.evaluation import calibration
from khabar.evaluation.scored import Bools, Floats, Ints
from khabar.plover import MODES
from khabar.schema import Example, Found, Offsets, Predictor, Task, overlap

APART = ("actor", "recipient")  # parts of which one actor plays one in an event
Named = Callable[[Sequence[Found]], list[Name]]  # one name for each actor that was found, in the order of the text
Cuts = Mapping[str, tuple[float, ...]]  # thresholds of questions, as `Card.thresholds` has them


class Scorer(Protocol):
    """Answers the questions of a marking task about one article."""

    @property
    def cuts(self) -> Cuts:
        """The thresholds of relations; of a head without, the decisions of `answer` hold."""
        ...

    def spans(self) -> list[Found]:
        """What is marked, by place; of every sentence."""
        ...

    def answer(self, head: Task, spots: Sequence[Spot], asked_P3: Ints) -> tuple[Floats, Bools]:
        """Probabilities [P, K] of one head's questions, and the decisions that gold spans would get."""
        ...


def build(task: Task, sentences: Sequence[Offsets], scorer: Scorer, named: Named, added: Sequence[Found] = ()) -> Graph:
    """Ask everything.

    A decision rests on the product of what the head says and of how sure both spans are: a likely relation of an
    unlikely span is not likely. What no answer could lift over the threshold is not asked.

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
    for head in task.heads.values():
        if head.level != "pair":
            continue
        cuts = scorer.cuts.get(f"{task.name}.{head.name}")
        asked_P3, sure = pairs(head, sentences, found, min(cuts or (0.0,)))
        if not len(asked_P3):
            continue
        prob, decided = scorer.answer(head, found, asked_P3)
        if cuts is not None:
            decided = calibration.decide(prob, head.kind, np.array(cuts), empty=head.empty, sure=sure)
        told = decided & np.array([label != head.empty_as for label in head.labels])
        for row, column in zip(*(axis.tolist() for axis in np.nonzero(told)), strict=True):
            first, tail, _ = asked_P3[row].tolist()
            label = head.labels[column]
            if head.links:
                same.append((first, tail))
            elif head.name == "stance":
                shares = dict(zip(head.labels, prob[row].tolist(), strict=True))
                stances.append(Taken(asking.holder(first) or first, tail, label, shares))
            else:
                roles.append(Role(first, tail, label, float(prob[row, column])))
    return Graph(tuple(sentences), tuple(found), tuple(_apart(roles, found)), tuple(stances), tuple(same))


def _apart(roles: Sequence[Role], found: Sequence[Spot]) -> Iterator[Role]:
    """The roles without those of an actor who acts on himself, by any mention: the likelier of both parts stays."""
    best: dict[tuple[int, str], Role] = {}
    for role in roles:
        key = role.event, found[role.actor].called
        if role.role in APART and (key not in best or role.score > best[key].score):
            best[key] = role
    for role in roles:
        if role.role not in APART or role.role == best[role.event, found[role.actor].called].role:
            yield role


def spots(
    task: Task, sentences: Sequence[Offsets], scorer: Scorer, named: Named, added: Sequence[Found] = ()
) -> list[Spot]:
    """What is found in an article, by place; arguments as of `build`."""
    found = scorer.spans()
    for one in sorted(added, key=lambda one: (one.start - one.end, one.start)):  # the longest first
        if not any(one.layer == other.layer and overlap(one[1:3], other[1:3]) for other in found):
            found.append(one)
    found.sort(key=lambda one: (one.start, -one.end, one.layer))
    starts = np.array([start for start, _ in sentences])
    places = np.searchsorted(starts, [one.start for one in found], side="right") - 1
    names = iter(named([one for one in found if one.layer == "actor"]))
    made = [
        Spot(one.layer, one.start, one.end, one.score, place, next(names) if one.layer == "actor" else None)
        for one, place in zip(found, places.tolist(), strict=True)
    ]
    return _described(task, made, scorer)


def pairs(head: Task, sentences: Sequence[Offsets], found: Sequence[Spot], floor: float = 0.0) -> tuple[Ints, Floats]:
    """What a head of pairs asks of an article [P, 3], and how sure it is that both spans are some [P].

    Below `floor` nothing is asked. Whether two triggers are one event does not hang on how sure either is.
    """
    if head.links:
        asked_P3 = asking.Layout(sentences, found).questions(head)
        return asked_P3, np.ones(len(asked_P3))
    score = np.array([spot.score for spot in found])
    asked_P3 = asking.Layout(sentences, found, np.flatnonzero(score >= floor).tolist()).questions(head)
    first_P, tail_P, _ = asked_P3.T
    sure = np.where(first_P < 0, 1.0, score[np.maximum(first_P, 0)]) * score[tail_P]
    kept = sure >= floor
    return asked_P3[kept], sure[kept]


def _described(task: Task, found: list[Spot], scorer: Scorer) -> list[Spot]:
    """The spans with what the heads say of each; a mode is one that the type has."""
    told: list[dict[str, str]] = [{} for _ in found]
    for head in (head for head in task.heads.values() if head.level == "span"):
        asked = [i for i, spot in enumerate(found) if spot.layer in head.on]
        if not asked:
            continue
        prob, _ = scorer.answer(head, found, np.array([(i, i, found[i].sentence) for i in asked], np.int64))
        if head.name == "mode":
            types = [told[i].get("type", "") for i in asked]
            modes = {type_: (head.empty_as, *MODES.get(type_, ())) for type_ in types}
            fits = {type_: [label in own for label in head.labels] for type_, own in modes.items()}
            prob = np.where([fits[type_] for type_ in types], prob, -1.0)
        for i, column in zip(asked, prob.argmax(1).tolist(), strict=True):
            if head.labels[column] != head.empty_as:
                told[i][head.name] = head.labels[column]
    return [replace(spot, attributes=own) if own else spot for spot, own in zip(found, told, strict=True)]


@dataclass
class PredictorScorer:
    """Any predictor as a scorer: everything is asked as examples.

    `rows` are the sentences to mark, of one article, as examples of the task; where `cuts` are silent, the predictor's
    own decisions hold.
    """

    predictor: Predictor
    task: Task
    rows: Sequence[Example]
    cuts: Cuts = field(default_factory=dict)

    def spans(self) -> list[Found]:
        """What is marked, by place."""
        return [span for answer in self.predictor.predict(self.rows) for span in answer.spans]

    def answer(self, head: Task, spots: Sequence[Spot], asked_P3: Ints) -> tuple[Floats, Bools]:
        """Probabilities [P, K] of one head's questions, and the predictor's decisions."""
        name = f"{self.task.name}.{head.name}"
        asked = []
        for first, tail, sentence in asked_P3.tolist():
            ends = None if first < 0 else spots[first], spots[tail]
            within = self.rows[sentence].span or (0, 0)
            asked.append(marks.example(self.rows[0], name, ends, within, asking.holder(first)))
        answers = self.predictor.predict(asked)
        prob = np.array([[answer.probabilities[label] for label in head.labels] for answer in answers])
        return prob, np.array([[label in answer.labels for label in head.labels] for answer in answers])
