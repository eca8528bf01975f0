"""What a training run asks its dev rows: the metric that keeps the best weights, then temperature and thresholds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from khabar.commands import _cuts
from khabar.data import marks
from khabar.schema import Example, Found, Task, flat

if TYPE_CHECKING:
    from khabar.evaluation.scored import Bools, Floats
    from khabar.inference.engine import Engine
    from khabar.models.bundle import Card
    from khabar.models.pieces import Words

    Tagged = Mapping[int, tuple[Words, Floats]]


@dataclass
class Dev:
    """The dev rows: the metric that keeps the best weights, then temperature and thresholds."""

    examples: Sequence[Example]
    tasks: Mapping[str, Task]

    def metrics(self, engine: "Engine") -> dict[str, float]:
        """Each task's main metric and F1 by label, thresholds fitted as the model would be used.

        `dev_metric` is the mean of the main metrics.
        """
        from khabar.evaluation import calibration, metrics, rows, spans

        logits, tagged = engine.answer(self.examples)
        found: dict[str, float] = {}
        mains = []
        for name, task in flat(self.tasks).items():
            at = [i for i, example in enumerate(self.examples) if example.task == name]
            if not at:
                continue
            asked = [self.examples[i] for i in at]
            if task.marks:
                scored = spans.scored(task, asked, self._marked(task, at, tagged, self._cuts(task, at, tagged)))
                mains.append(float(metrics.compute(scored, task.main_metric)))
                found[f"dev/{name}.{task.main_metric}"] = mains[-1]
                continue
            prob = calibration.apply(logits[at][:, engine.columns[name]], 1.0, task.kind)
            scored = rows.from_arrays(task, asked, prob, _decided(task, prob, rows.gold(task, asked)))
            mains.append(float(metrics.compute(scored, task.main_metric)))
            found[f"dev/{name}.{task.main_metric}"] = mains[-1]
            by_label = zip(task.labels, metrics.compute(scored, "f1").tolist(), strict=True)
            found |= {f"dev_labels/{name}.f1.{label}": value for label, value in by_label}
        return {**found, "dev_metric": sum(mains) / len(mains)}

    def chosen(self, engine: "Engine", card: "Card", *, calibrate: bool) -> "Card":
        """The card with the dev metrics; calibrated, with temperatures and the thresholds of multi-label tasks too."""
        from khabar.evaluation import calibration, rows

        logits, tagged = engine.answer(self.examples)
        temperature, thresholds = dict(card.temperature), dict(card.thresholds)
        measured = self.metrics(engine)
        asked = flat(self.tasks)
        keys = {name: f"dev/{name}.{task.main_metric}" for name, task in asked.items()}
        main = {name: measured[key] for name, key in keys.items() if key in measured}
        if not calibrate:
            return card.model_copy(update={"main_metrics": main})
        for name, task in asked.items():
            at = [i for i, example in enumerate(self.examples) if example.task == name]
            if not at:
                continue
            if task.marks:
                thresholds[name] = self._cuts(task, at, tagged)
                continue
            own, gold = logits[at][:, engine.columns[name]], rows.gold(task, [self.examples[i] for i in at])
            temperature[name] = calibration.fit_temperature(own, gold, task.kind)
            prob = calibration.apply(own, temperature[name], task.kind)
            if task.kind == "multi":
                thresholds[name] = tuple(calibration.fit_thresholds(prob, gold).tolist())
            elif task.mostly_empty:
                thresholds[name] = (calibration.fit_empty(prob, gold, task.labels.index(task.empty_as or "")),)
        made = card.model_copy(update={"temperature": temperature, "thresholds": thresholds, "main_metrics": main})
        for task in (task for task in self.tasks.values() if task.marks and task.heads):
            among = _cuts.among_found(replace(engine, card=made), task, self.examples)
            made = made.model_copy(update={"thresholds": {**made.thresholds, **among}})
        return made

    def _cuts(self, task: Task, at: Sequence[int], tagged: "Tagged") -> tuple[float, ...]:
        """The threshold of each layer; one that a relation must confirm is patient."""
        from khabar.evaluation import calibration
        from khabar.models import tagging

        rows = [
            (
                tagged[i][0].places,
                calibration.apply(tagged[i][1], 1.0, "multi"),
                [(span.layer, span.start, span.end) for span in marks.inside(self.examples[i])],
            )
            for i in at
        ]
        confirmed = {layer for head in task.heads.values() if head.level == "pair" for layer in head.to}
        alone = {layer for head in task.heads.values() if head.level == "span" for layer in head.on}
        return tagging.fit_thresholds(rows, task.labels, [layer in confirmed - alone for layer in task.labels])

    def _marked(
        self, task: Task, at: Sequence[int], tagged: "Tagged", cuts: tuple[float, ...]
    ) -> list[tuple[Found, ...]]:
        from khabar.evaluation import calibration
        from khabar.models import tagging

        return [
            tuple(tagging.decode(tagged[i][0].places, calibration.apply(tagged[i][1], 1.0, "multi"), cuts, task.labels))
            for i in at
        ]


def _decided(task: Task, prob: "Floats", gold: "Bools") -> "Bools":
    """Decisions with thresholds fitted to the same rows, as the model would be used."""
    from khabar.evaluation import calibration

    if task.mostly_empty:
        empty = task.labels.index(task.empty_as or "")
        return calibration.decide_empty(prob, empty, calibration.fit_empty(prob, gold, empty))
    return calibration.decide(prob, task.kind, calibration.fit_thresholds(prob, gold) if task.kind == "multi" else None)
