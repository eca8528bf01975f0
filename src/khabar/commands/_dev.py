"""What a training run asks its dev rows: the metric that keeps the best weights, then temperature and thresholds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from khabar.commands import _cuts
from khabar.data import marks
from khabar.schema import Example, Task, flat

if TYPE_CHECKING:
    from khabar.evaluation.scored import Floats, Ints
    from khabar.inference.engine import Engine
    from khabar.models.bundle import Card
    from khabar.models.pieces import Words

    Tagged = Mapping[int, tuple[Words, Floats]]
    Sentence = tuple[Ints, Floats, list[tuple[str, int, int]]]


@dataclass
class Dev:
    """The dev rows: the metric that keeps the best weights, then temperature and thresholds."""

    examples: Sequence[Example]
    tasks: Mapping[str, Task]

    def metrics(self, engine: "Engine") -> dict[str, float]:
        """Each task's main metric and F1 by label, thresholds fitted as the model would be used.

        `dev_metric` is the mean of the main metrics.
        """
        return self._metrics(engine, *engine.answer(self.examples))

    def chosen(self, engine: "Engine", card: "Card", *, calibrate: bool) -> "Card":
        """The card with the dev metrics; calibrated, with temperatures and the thresholds of multi-label tasks too."""
        from khabar.evaluation import calibration, rows

        logits, tagged = engine.answer(self.examples)
        temperature, thresholds = dict(card.temperature), dict(card.thresholds)
        measured = self._metrics(engine, logits, tagged)
        main = {name: measured[f"dev/{name}.{task.main_metric}"] for name, (task, _) in self._asked.items()}
        if not calibrate:
            return card.model_copy(update={"main_metrics": main})
        for name, (task, at) in self._asked.items():
            if task.marks:
                thresholds[name] = _layer_cuts(task, self._words(at, tagged))
                continue
            own, gold = logits[at][:, engine.columns[name]], rows.gold(task, [self.examples[i] for i in at])
            temperature[name], cuts = calibration.fit(own, gold, task.kind, task.empty)
            if cuts is not None:
                thresholds[name] = tuple(cuts.tolist())
        made = card.model_copy(update={"temperature": temperature, "thresholds": thresholds, "main_metrics": main})
        for task in (task for task in self.tasks.values() if task.marks):
            among = _cuts.among_found(replace(engine, card=made), task, self.examples)
            made = made.model_copy(update={"thresholds": {**made.thresholds, **among}})
        return made

    @cached_property
    def _asked(self) -> dict[str, tuple[Task, list[int]]]:
        """The questions that have rows, with the numbers of these."""
        at: dict[str, list[int]] = {}
        for number, example in enumerate(self.examples):
            at.setdefault(example.task, []).append(number)
        return {name: (task, at[name]) for name, task in flat(self.tasks).items() if name in at}

    def _metrics(self, engine: "Engine", logits: "Floats", tagged: "Tagged") -> dict[str, float]:
        from khabar.evaluation import calibration, metrics, rows, spans
        from khabar.models import tagging

        found: dict[str, float] = {}
        mains = []
        for name, (task, at) in self._asked.items():
            asked = [self.examples[i] for i in at]
            if task.marks:
                words = self._words(at, tagged)
                cuts = _layer_cuts(task, words)
                marked = [tagging.decode(places, prob, cuts, task.labels) for places, prob, _ in words]
                scored = spans.scored(task, asked, marked)
            else:
                prob, gold = (
                    calibration.apply(logits[at][:, engine.columns[name]], 1.0, task.kind),
                    rows.gold(task, asked),
                )
                fitted = calibration.fit_cuts(prob, gold, task.kind, task.empty)
                decided = calibration.decide(prob, task.kind, fitted, empty=task.empty)
                scored = rows.from_arrays(task, asked, prob, decided)
                by_label = zip(task.labels, metrics.compute(scored, "f1").tolist(), strict=True)
                found |= {f"dev_labels/{name}.f1.{label}": value for label, value in by_label}
            mains.append(float(metrics.compute(scored, task.main_metric)))
            found[f"dev/{name}.{task.main_metric}"] = mains[-1]
        return {**found, "dev_metric": sum(mains) / len(mains)}

    def _words(self, at: Sequence[int], tagged: "Tagged") -> "list[Sentence]":
        """Of each sentence the words, their probabilities and the gold spans."""
        from khabar.evaluation import calibration

        return [
            (
                tagged[i][0].places,
                calibration.apply(tagged[i][1], 1.0, "multi"),
                [(span.layer, span.start, span.end) for span in marks.inside(self.examples[i])],
            )
            for i in at
        ]


def _layer_cuts(task: Task, words: "Sequence[Sentence]") -> tuple[float, ...]:
    """The threshold of each layer; one that a relation must confirm is patient."""
    from khabar.models import tagging

    confirmed = {layer for head in task.heads.values() if head.level == "pair" for layer in head.to}
    alone = {layer for head in task.heads.values() if head.level == "span" for layer in head.on}
    return tagging.fit_thresholds(words, task.labels, [layer in confirmed - alone for layer in task.labels])
