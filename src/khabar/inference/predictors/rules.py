"""Rules and a dictionary for what a reader is asked: spans, what they are, and how they go together.

It answers tasks that mark spans and the questions about marks, and gets the care that our models get: letters folded,
clitics stripped, shares of rare words drawn to those of their stems; thresholds, temperature and what it looks at from
dev. Answers about pairs rest on the other pairs of the sentence that are asked in the same call.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from khabar.data.fold import TrainingFold, required
from khabar.evaluation import calibration, metrics, rows
from khabar.evaluation.scored import Bools, Floats
from khabar.inference.predictors import _rules_spans
from khabar.inference.predictors._dictionary import Chain, Lexicon, Shares
from khabar.inference.predictors._rules_heads import DENIES, DOUBTS, Sight
from khabar.inference.predictors._rules_spans import Layer
from khabar.schema import Example, Prediction, Task

PARTS = 4  # of the training rows, to choose what is looked at
LEANS = (0.0, 0.25, 0.5, 0.75, 1.0)  # how far rare labels are raised, that is tried; 1: all are as likely at first


def answers(task: Task) -> bool:
    """Whether it answers a question: one that marks spans, or is about them."""
    return task.marks or task.level in ("span", "pair")


@dataclass(frozen=True)
class _Head:
    """One question: what is counted, whether the words around are looked at, and what dev chose."""

    shares: Shares
    cues: bool = False
    lean: float = 0.0
    temperature: float = 1.0
    thresholds: Floats | None = None

    def logits(self, task: Task, sight: Sight, examples: Sequence[Example]) -> Floats:
        """Of examples [N, L]."""
        seen = sight.look(task, examples, cues=self.cues)
        found = np.array([self.shares.logits(chains) for chains in seen]).reshape(-1, len(task.labels))
        return found - self.lean * self.shares.log(self.shares.all)

    def decide(self, logits: Floats) -> tuple[Floats, Bools]:
        """Probabilities and decisions [N, L]."""
        prob = calibration.apply(logits, self.temperature, self.shares.kind)
        return prob, calibration.decide(prob, self.shares.kind, self.thresholds)


@dataclass(frozen=True)
class _Reader:
    """One task that marks and its heads; without the task itself only heads."""

    sight: Sight
    layers: Mapping[str, Layer]
    heads: Mapping[str, _Head]


@dataclass(frozen=True)
class Rules:
    """One reader for each task that marks."""

    tasks: dict[str, Task]
    readers: Mapping[str, _Reader]
    name: str = "rules"

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """One prediction for each example, in order."""
        found: dict[int, Prediction] = {}
        for name, task in self.tasks.items():
            at = [i for i, example in enumerate(examples) if example.task == name]
            asked = [examples[i] for i in at]
            made = self._mark(task, asked) if task.marks else self._answer(task, asked)
            found |= dict(zip(at, made, strict=True))
        return [found[i] for i in range(len(examples))]

    def _mark(self, task: Task, examples: Sequence[Example]) -> list[Prediction]:
        """The spans of sentences; the probability of a layer is the highest that a span of it begins."""
        reader = self.readers[_family(task.name)]
        made = []
        for example in examples:
            words = reader.sight.lexicon.words(example.text, example.span or (0, len(example.text)))
            spans = [span for layer in reader.layers.values() for span in layer.find(words)]
            highest = {name: float(layer.beginnings(words).max(initial=0.0)) for name, layer in reader.layers.items()}
            made.append(
                Prediction(
                    example=example.id,
                    task=task.name,
                    probabilities=highest,
                    labels=tuple(label for label in task.labels if any(span.layer == label for span in spans)),
                    spans=tuple(sorted(spans, key=lambda span: (span.start, -span.end))),
                )
            )
        return made

    def _answer(self, task: Task, examples: Sequence[Example]) -> list[Prediction]:
        reader = self.readers[_family(task.name)]
        head = reader.heads[task.name]
        prob, decided = head.decide(head.logits(task, reader.sight, examples))
        return [
            Prediction(
                example=example.id,
                task=task.name,
                probabilities=dict(zip(task.labels, p.tolist(), strict=True)),
                labels=tuple(label for label, yes in zip(task.labels, d, strict=True) if yes),
            )
            for example, p, d in zip(examples, prob, decided, strict=True)
        ]


def _family(name: str) -> str:
    """The task that marks what a question is about."""
    return name.partition(".")[0]


def fit(train: TrainingFold, dev: Sequence[Example], tasks: Mapping[str, Task], seed: int) -> Rules:
    """Count the training rows of each task; thresholds and the like are chosen on its dev rows.

    `seed` is not needed.
    """
    answered = required(train).answered
    families = dict.fromkeys(_family(name) for name in tasks)
    readers = {
        family: _fit(
            {name: task for name, task in tasks.items() if _family(name) == family},
            [example for example in answered if _family(example.task) == family],
            [example for example in dev if _family(example.task) == family],
        )
        for family in families
    }
    return Rules(dict(tasks), readers)


def _fit(tasks: Mapping[str, Task], train: Sequence[Example], dev: Sequence[Example]) -> _Reader:
    units = {(example.article, example.within or example.span): example.unit_text for example in train}
    lexicon = Lexicon(units.values(), (*DENIES, *DOUBTS))
    layers: dict[str, Layer] = {}
    for name, task in tasks.items():
        if task.marks:
            layers |= _rules_spans.fit(task.labels, lexicon, _of(name, train), _of(name, dev))
    sight = Sight(lexicon, layers.get("event"))
    heads: dict[str, _Head] = {}
    for name, task in sorted(tasks.items(), key=lambda item: item[1].level != "span"):  # pairs look at types
        if task.marks:
            continue
        heads[name] = _head(task, sight, _of(name, train), _of(name, dev))
        if name.endswith(".type"):
            sight = replace(sight, types=task.labels, typed=heads[name].shares)
    return _Reader(sight, layers, heads)


def _of(name: str, examples: Sequence[Example]) -> list[Example]:
    return [example for example in examples if example.task == name]


def _head(task: Task, sight: Sight, train: Sequence[Example], dev: Sequence[Example]) -> _Head:
    """The training rows counted, and what does best on dev by the task's main metric."""
    gold = _gold(task, train)
    seen = {cues: sight.look(task, train, cues=cues) for cues in ((False, True) if task.level == "span" else (False,))}
    cues = max(seen, key=lambda each: _left_out(task, train, seen[each], gold)) if len(seen) > 1 else False
    head = _Head(_shares(task, seen[cues], gold), cues, thresholds=np.full(len(task.labels), 0.5))
    if not dev:
        return head
    logits, answers = head.logits(task, sight, dev), _gold(task, dev)
    tried = []
    for lean in LEANS if task.kind == "single" else LEANS[:1]:
        leant = logits - lean * head.shares.log(head.shares.all)
        tuned = _tuned(replace(head, lean=lean), leant, answers)
        tried.append((_value(task, dev, *tuned.decide(leant)), tuned))
    return max(tried, key=lambda found: found[0])[1]


def _left_out(task: Task, train: Sequence[Example], seen: Sequence[list[Chain]], gold: Bools) -> float:
    """The main metric on training rows whose shares are those of the others: a quarter of the groups at a time.

    Dev alone is too small to tell whether the words around a trigger help.
    """
    if not train:
        return 0.0
    part = rows.clusters(train) % PARTS
    logits = np.zeros(gold.shape)
    for number in range(PARTS):
        shares = _shares(task, [seen[i] for i in np.flatnonzero(part != number).tolist()], gold[part != number])
        for i in np.flatnonzero(part == number).tolist():
            logits[i] = shares.logits(seen[i])
    prob = calibration.apply(logits, 1.0, task.kind)
    return _value(task, train, prob, calibration.decide(prob, task.kind, np.full(gold.shape[1], 0.5)))


def _shares(task: Task, seen: Sequence[list[Chain]], gold: Bools) -> Shares:
    return Shares(len(task.labels), task.kind, zip(seen, gold.astype(np.float64), strict=True))


def _value(task: Task, examples: Sequence[Example], prob: Floats, decided: Bools) -> float:
    scored = rows.from_arrays(task, examples, prob, decided)
    return float(np.nan_to_num(metrics.compute(scored, task.main_metric), nan=-np.inf))


def _tuned(head: _Head, logits: Floats, gold: Bools) -> _Head:
    """The head with the temperature and, of a multi-label question, the thresholds that fit its logits on dev."""
    temperature, thresholds = calibration.fit(logits, gold, head.shares.kind)
    return replace(head, temperature=temperature, thresholds=thresholds)


def _gold(task: Task, examples: Sequence[Example]) -> Bools:
    return rows.gold(task, examples).reshape(len(examples), len(task.labels))
