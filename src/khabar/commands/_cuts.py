"""Thresholds of relations, chosen on dev among the spans that the model itself finds.

On gold spans a scorer of pairs looks surer than it is: among found ones many are none, and some gold ones are missing.
"""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from khabar.data import marks
from khabar.evaluation import calibration, reading
from khabar.schema import Example, Marks, Predictor, Task

if TYPE_CHECKING:
    from khabar.evaluation.scored import Bools, Floats
    from khabar.inference.graph import Pairs, Spot

SMOOTHING = 10.0  # gold relations that the threshold shared by all roles weighs, as in `calibration.fit_thresholds`


def among_found(predictor: Predictor, task: Task, examples: Sequence[Example]) -> dict[str, tuple[float, ...]]:
    """A threshold for each label of the heads that relate spans, of highest F1 against all gold relations of dev.

    Of several mentions that stand for one gold relation the likeliest counts, and the others are passed over.

    Linking events is left out: whether two triggers are one event does not hang on how sure either is.
    """
    from khabar.inference import reader
    from khabar.inference.graph import PredictorScorer, pairs, spots
    from khabar.inference.watchlist import Watchlist

    rows: dict[str, list[tuple[Floats, Bools]]] = {}
    there: dict[str, Floats] = {}
    for own, held in marks.articles(examples, task.name):
        scorer = PredictorScorer(predictor, task, own)
        found = spots(task, held.sentences, scorer, partial(reader.named, own[0].text, Watchlist(())))
        gold = _Gold(held, found)
        for head in (head for head in task.heads.values() if head.level == "pair" and not head.links):
            counted = np.array([gold.count(label) for label in head.labels], float)
            there[head.name] = there.get(head.name, 0.0) + counted
        for head, asked in pairs(task, held.sentences, found):
            if head.links:
                continue
            sure = asked.sure(found)
            prob, _ = scorer.answer(head, asked.questions, sure)
            rows.setdefault(head.name, []).append(gold.right(head, asked, prob, sure))
    chosen: dict[str, tuple[float, ...]] = {}
    for name, parts in rows.items():
        head = task.heads[name]
        score, right = (np.concatenate([part[i] for part in parts]) for i in (0, 1))
        total = there[name]
        if head.mostly_empty and total.any():
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

    def __init__(self, held: Marks, found: Sequence["Spot"]) -> None:
        gold = reading.of_marks(held)
        pieces = [reading.Piece(s.layer, s.start, s.end, s.name.name if s.name else "", s.type) for s in found]
        self.found = reading.aligned(reading.Graph(held.sentences, pieces, [], []), gold).pieces
        self.sentences = held.sentences
        ours = gold.pieces
        self.relations = {self._key(ours[event], ours[actor], role) for event, actor, role in gold.roles}
        self.relations |= {
            self._key(one if isinstance(one, str) else ours[one], ours[target], label)
            for one, target, label in gold.stances
        }

    def count(self, label: str) -> int:
        """The gold relations of a label."""
        return sum(one[-1] == label for one in self.relations)

    def right(self, head: Task, asked: "Pairs", prob: "Floats", sure: "Floats") -> tuple["Floats", "Bools"]:
        """What is compared with a threshold, and whether it is gold: [P, K] of a multi-label head, else [P, 1]."""
        ends = [(h if isinstance(h, str) else self.found[h], self.found[t]) for h, t in asked.ends]
        if head.kind == "multi":
            columns = [[label] * len(ends) for label in head.labels]
            score = prob * sure[:, None]
        else:
            empty = head.labels.index(head.empty_as or "")
            columns = [[head.labels[k] for k in calibration.fullest(prob, empty)]]
            score = ((1 - prob[:, empty]) * sure)[:, None]
        gold = np.zeros(score.shape, bool)
        for k, labels in enumerate(columns):
            best: dict[tuple[str, ...], int] = {}
            for row in np.argsort(-score[:, k], kind="stable").tolist():
                holder, tail = ends[row]
                key = self._key(holder, tail, labels[row])
                if key in self.relations and best.setdefault(key, row) != row:
                    score[row, k] = -1.0  # another mention stands for it
            gold[list(best.values()), k] = True
        return score, gold

    def _key(self, head: "reading.Piece | str", tail: reading.Piece, label: str) -> tuple[str, ...]:
        """A relation by its ends: actors by name, but a target within its sentence, else by their place."""
        within = next((i for i, (start, end) in enumerate(self.sentences) if start <= tail.start < end), -1)
        at = "" if label in ("actor", "recipient", "source") else f"{within}"
        return head if isinstance(head, str) else _end(head), at, _end(tail), label


def _end(piece: reading.Piece) -> str:
    return piece.name if piece.layer == "actor" else f"{piece.layer} {piece.start}-{piece.end}"
