"""Thresholds of relations, chosen on dev among the spans that the model itself finds.

On gold spans a scorer of pairs looks surer than it is: among found ones many are none, and some gold ones are missing.
"""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from khabar.evaluation import calibration, reading
from khabar.schema import Example, Marks, Task

if TYPE_CHECKING:
    from khabar.evaluation.scored import Bools, Floats
    from khabar.inference.engine import Engine
    from khabar.inference.graph import Pairs, Spot

SMOOTHING = 10.0  # gold relations that the threshold shared by all roles weighs, as in `calibration.fit_thresholds`


def among_found(engine: "Engine", task: Task, examples: Sequence[Example]) -> dict[str, tuple[float, ...]]:
    """A threshold for each label of the heads that relate spans, of highest F1 against all gold relations of dev.

    Linking events is left out: whether two triggers are one event does not hang on how sure either is.
    """
    from khabar.inference import reader
    from khabar.inference.graph import PredictorScorer, pairs, spots
    from khabar.inference.watchlist import Watchlist

    articles: dict[str, list[Example]] = {}
    for example in examples:
        if example.task == task.name and example.marks is not None:
            articles.setdefault(example.article, []).append(example)
    rows: dict[str, list[tuple[Floats, Bools]]] = {}
    there: dict[str, Floats] = {}
    for own in articles.values():
        marks = own[0].marks
        assert marks is not None
        scorer = PredictorScorer(engine, task, own)
        found = spots(task, marks.sentences, scorer, partial(reader.named, own[0].text, Watchlist(())))
        gold = _Gold(marks, found)
        for head in (head for head in task.heads.values() if head.level == "pair"):
            counted = np.array([gold.count(label) for label in head.labels], float)
            there[head.name] = there.get(head.name, 0.0) + counted
        for head, asked in pairs(task, marks.sentences, found):
            sure = asked.sure(found)
            prob, _ = scorer.answer(head, asked.questions, sure)
            rows.setdefault(head.name, []).append(gold.right(head, asked, prob, sure))
    chosen: dict[str, tuple[float, ...]] = {}
    for name, parts in rows.items():
        head = task.heads[name]
        score, right = (np.concatenate([part[i] for part in parts]) for i in (0, 1))
        total = there[name]
        if head.mostly_empty and head.name != "same_event" and total.any():
            chosen[f"{task.name}.{name}"] = (calibration.best_cut(score[:, 0], right[:, 0], int(total.sum())),)
        elif head.kind == "multi" and total.any():
            shared = calibration.best_cut(score.ravel(), right.ravel(), int(total.sum()))
            cuts = [calibration.best_cut(score[:, k], right[:, k], int(n)) for k, n in enumerate(total)]
            chosen[f"{task.name}.{name}"] = tuple(
                float((n * cut + SMOOTHING * shared) / (n + SMOOTHING)) for n, cut in zip(total, cuts, strict=True)
            )
    return chosen


class _Gold:
    """The gold relations of an article, in terms of what was found."""

    def __init__(self, marks: Marks, found: Sequence["Spot"]) -> None:
        gold = reading.of_marks(marks)
        pieces = [reading.Piece(s.layer, s.start, s.end, s.name.name if s.name else "", s.type) for s in found]
        told = reading.Graph(marks.sentences, pieces, [], [])
        self.found = [_key(one) for one in reading.aligned(told, gold).pieces]
        keys = [_key(one) for one in gold.pieces]
        self.relations = {(keys[event], keys[actor], role) for event, actor, role in gold.roles}
        self.relations |= {(h if isinstance(h, str) else keys[h], keys[t], label) for h, t, label in gold.stances}

    def count(self, label: str) -> int:
        """The gold relations of a label."""
        return sum(one[2] == label for one in self.relations)

    def right(self, head: Task, asked: "Pairs", prob: "Floats", sure: "Floats") -> tuple["Floats", "Bools"]:
        """What is compared with a threshold, and whether it is gold: [P, K] of a multi-label head, else [P, 1]."""
        ends = [(h if isinstance(h, str) else self.found[h], self.found[t]) for h, t in asked.ends]
        if head.kind == "multi":
            gold = [[(*end, label) in self.relations for label in head.labels] for end in ends]
            return prob * sure[:, None], np.array(gold, bool)
        empty = head.labels.index(head.empty_as or "")
        said = [head.labels[k] for k in calibration.fullest(prob, empty)]
        gold_ = [[(*end, label) in self.relations] for end, label in zip(ends, said, strict=True)]
        return ((1 - prob[:, empty]) * sure)[:, None], np.array(gold_, bool)


def _key(piece: reading.Piece) -> str:
    return piece.name if piece.layer == "actor" else f"{piece.layer} {piece.start}-{piece.end}"
