"""What a training run asks its dev rows: the metric that keeps the best weights, then temperature and thresholds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from khabar.schema import Example, Task

if TYPE_CHECKING:
    from khabar.inference.engine import Engine
    from khabar.models.bundle import Card


@dataclass
class Dev:
    """The dev rows: the metric that keeps the best weights, then temperature and thresholds."""

    examples: Sequence[Example]
    tasks: Mapping[str, Task]

    def metrics(self, engine: "Engine") -> dict[str, float]:
        """Each task's main metric and F1 by label, thresholds fitted as the model would be used.

        `dev_metric` is the mean of the main metrics.
        """
        from khabar.evaluation import calibration, metrics, rows

        logits = engine.logits(self.examples)
        found: dict[str, float] = {}
        mains = []
        for name, task in self.tasks.items():
            at = [i for i, example in enumerate(self.examples) if example.task == name]
            if not at:
                continue
            asked = [self.examples[i] for i in at]
            prob = calibration.apply(logits[at][:, engine.columns[name]], 1.0, task.kind)
            cuts = calibration.fit_thresholds(prob, rows.gold(task, asked)) if task.kind == "multi" else None
            scored = rows.from_arrays(task, asked, prob, calibration.decide(prob, task.kind, cuts))
            mains.append(float(metrics.compute(scored, task.main_metric)))
            found[f"dev/{name}.{task.main_metric}"] = mains[-1]
            by_label = zip(task.labels, metrics.compute(scored, "f1").tolist(), strict=True)
            found |= {f"dev_labels/{name}.f1.{label}": value for label, value in by_label}
        return {**found, "dev_metric": sum(mains) / len(mains)}

    def chosen(self, engine: "Engine", card: "Card", *, calibrate: bool) -> "Card":
        """The card with the dev metrics; calibrated, with temperatures and the thresholds of multi-label tasks too."""
        from khabar.evaluation import calibration, rows

        logits = engine.logits(self.examples)
        temperature, thresholds = dict(card.temperature), dict(card.thresholds)
        measured = self.metrics(engine)
        keys = {name: f"dev/{name}.{task.main_metric}" for name, task in self.tasks.items()}
        main = {name: measured[key] for name, key in keys.items() if key in measured}
        if not calibrate:
            return card.model_copy(update={"main_metrics": main})
        for name, task in self.tasks.items():
            at = [i for i, example in enumerate(self.examples) if example.task == name]
            if not at:
                continue
            own, gold = logits[at][:, engine.columns[name]], rows.gold(task, [self.examples[i] for i in at])
            temperature[name] = calibration.fit_temperature(own, gold, task.kind)
            if task.kind == "multi":
                prob = calibration.apply(own, temperature[name], task.kind)
                thresholds[name] = tuple(calibration.fit_thresholds(prob, gold).tolist())
        return card.model_copy(update={"temperature": temperature, "thresholds": thresholds, "main_metrics": main})
