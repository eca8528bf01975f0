"""Thresholds of relations, chosen on dev among the spans that the model itself finds.

On gold spans a scorer of pairs looks surer than it is: among found ones many are none, and some gold ones are missing.
"""

from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from khabar.data import asking, marks
from khabar.data.graph import Key, Spot, of_marks, relation
from khabar.evaluation import calibration, reading
from khabar.schema import Example, Predictor, Task

if TYPE_CHECKING:
    from khabar.evaluation.scored import Bools, Floats, Ints


def among_found(predictor: Predictor, task: Task, examples: Sequence[Example]) -> dict[str, tuple[float, ...]]:
    """Thresholds of the heads that relate spans, of highest F1 against all gold relations of dev.

    Of several mentions that stand for one gold relation the likeliest counts, and the others are passed over.

    Linking events is left out: whether two triggers are one event does not hang on how sure either is.
    """
    from khabar.inference import reader
    from khabar.inference.graph import PredictorScorer, pairs, spots

    rows: defaultdict[str, list[tuple[Floats, Bools]]] = defaultdict(list)
    heads = [head for head in task.heads.values() if head.level == "pair" and not head.links]
    there = {head.name: np.zeros(len(head.labels)) for head in heads}
    for own, held in marks.articles(examples, task.name) if heads else ():
        scorer = PredictorScorer(predictor, task, own)
        found = spots(task, held.sentences, scorer, partial(reader.named, own[0].text, None))
        gold = of_marks(held)
        ours, relations = reading.aligned(found, gold), gold.relations
        for head in heads:
            there[head.name] += [sum(key[-1] == label for key in relations) for label in head.labels]
            asked_P3, sure = pairs(head, held.sentences, found)
            if len(asked_P3):
                prob, _ = scorer.answer(head, found, asked_P3)
                rows[head.name].append(_right(ours, relations, head, asked_P3, prob, sure))
    chosen: dict[str, tuple[float, ...]] = {}
    for head in heads:
        total = there[head.name]
        if head.name not in rows or not total.any():
            continue
        score, right = (np.concatenate([part[i] for part in rows[head.name]]) for i in (0, 1))
        if head.kind == "multi":
            chosen[f"{task.name}.{head.name}"] = tuple(calibration.fit_thresholds(score, right, there=total).tolist())
        elif head.empty is not None:
            cut = calibration.best_cut(score[:, 0], right[:, 0], float(total.sum()))
            chosen[f"{task.name}.{head.name}"] = (cut,)
    return chosen


def _right(
    ours: Sequence[Spot], gold: set[Key], head: Task, asked_P3: "Ints", prob: "Floats", sure: "Floats"
) -> tuple["Floats", "Bools"]:
    """What is compared with a threshold, and whether it is gold: [P, K] of a multi-label head, else [P, 1].

    `ours` are the spots that were found, in terms of gold ones.
    """
    if head.empty is None:
        label_PK = np.tile(np.arange(prob.shape[1]), (len(prob), 1))
        score = prob * sure[:, None]
    else:
        label_PK = calibration.fullest(prob, head.empty)[:, None]
        score = (1 - prob[:, [head.empty]]) * sure[:, None]
    right = np.zeros(score.shape, bool)
    for k in range(score.shape[1]):
        best: dict[Key, int] = {}
        for row in np.argsort(-score[:, k], kind="stable").tolist():
            first, tail, _ = asked_P3[row].tolist()
            key = relation(ours, asking.holder(first) or first, tail, head.labels[label_PK[row, k]])
            if key in gold and best.setdefault(key, row) != row:
                score[row, k] = -1.0  # another mention stands for it
        right[list(best.values()), k] = True
    return score, right
