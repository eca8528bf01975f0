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
        """Each task's main metric as the model would be used, thresholds fitted, and their mean as `dev_metric`."""
        from khabar.evaluation import calibration, metrics, rows

        logits = engine.logits(self.examples)
        found: dict[str, float] = {}
        for name, task in self.tasks.items():
            at = [i for i, example in enumerate(self.examples) if example.task == name]
            if not at:
                continue
            asked = [self.examples[i] for i in at]
            prob = calibration.apply(logits[at][:, engine.columns[name]], 1.0, task.kind)
            cuts = calibration.fit_thresholds(prob, rows.gold(task, asked)) if task.kind == "multi" else None
            scored = rows.from_arrays(task, asked, prob, calibration.decide(prob, task.kind, cuts))
            found[f"dev.{name}.{task.main_metric}"] = float(metrics.compute(scored, task.main_metric))
        return {**found, "dev_metric": sum(found.values()) / len(found)}

    def chosen(self, engine: "Engine", card: "Card", *, calibrate: bool) -> "Card":
        """The card with the dev metrics; calibrated, with temperatures and the thresholds of multi-label tasks too."""
        from khabar.evaluation import calibration, rows

        logits = engine.logits(self.examples)
        temperature, thresholds = dict(card.temperature), dict(card.thresholds)
        main = {name.split(".")[1]: value for name, value in self.metrics(engine).items() if name != "dev_metric"}
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
