"""What becomes of a model once the loop has ended: calibrated, scored, written as a bundle, logged, registered."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from khabar.commands._dev import Dev
from khabar.config import MachineConfig
from khabar.schema import flat

if TYPE_CHECKING:
    from khabar.commands.train import Config
    from khabar.data.dataset import Dataset
    from khabar.inference.model import Model
    from khabar.models.bundle import Card
    from khabar.models.classifier import Classifier
    from khabar.models.encoder import Encoder
    from khabar.tracking import Run
    from khabar.training.loop import Outcome


@dataclass(frozen=True)
class Trained:
    """What came of a run: its id, the model's URI, and the metrics that the run ends with, by MLflow's names.

    `dev_metric` and `test_metric` are means of the tasks' main metrics, None without such rows.
    """

    run_id: str
    model: str
    metrics: Mapping[str, float]
    dev_metric: float | None
    test_metric: float | None

    def load(self) -> "Model":
        """The trained model."""
        from khabar.inference.model import load

        return load(self.model)


def finish(
    config: "Config",
    data: "Dataset",
    tracked: "Run",
    folder: Path,
    classifier: "Classifier",
    encoder: "Encoder",
    card: "Card",
    dev: Dev,
    outcome: "Outcome",
) -> Trained:
    """Calibrate, write the bundle, score, log, register."""
    from khabar.commands import _scoring
    from khabar.data import marks
    from khabar.data.fold import TrainingFold
    from khabar.evaluation import plots
    from khabar.inference import probes
    from khabar.inference.predictors.bundle import in_memory
    from khabar.models import bundle
    from khabar.models.card import markdown
    from khabar.tracking import models, registered

    if dev.examples:
        card = dev.chosen(
            in_memory(classifier, card, encoder.tokenizer, config.machine), card, calibrate=config.suite.calibrate
        )
    engine = in_memory(classifier, card, encoder.tokenizer, config.machine)
    engine.name = config.encoder.name

    asked = marks.expand_splits(data.splits, config.task)
    rivals = _scoring.baselines(config.suite.baselines, TrainingFold(asked), asked["dev"], config.task, config.seed)
    scored = {
        split: _scoring.score(
            engine, rivals, split, asked[split], flat(config.task), config.suite, config.seed, asked["dev"]
        )
        for split in ("dev", "test")
        if data.splits[split]
    }
    numbers: dict[str, float] = {}
    for each in scored.values():
        numbers |= _scoring.track(tracked, each)
    tracked.figure(plots.learning_curve(tracked.curve(plots.CURVES)), "learning_curve.png")
    told = "\n".join(_scoring.markdown(each) for each in reversed(scored.values()))
    tracked.text(f"{markdown(card)}\n## Scores\n\n{told}", "model_card.md")
    tracked.note(told)
    if scored:
        print(f"\n{_scoring.tables(list(scored.values())[-1])}")

    home = folder / "bundle"
    classifier.to("cpu")  # the exam is recorded in fp32 on CPU
    exact = MachineConfig(device="cpu", precision="fp32")
    exam = probes.record(in_memory(classifier, card, encoder.tokenizer, exact))
    bundle.write(home, classifier, encoder.tokenizer, card, exam)
    logged = models.log(tracked, home, numbers)
    tracked.log(outcome.steps, numbers)  # after the model: MLflow asks the store for every metric a run has by then
    model = f"runs:/{tracked.id}/bundle"
    if config.track.aliases:
        best = scored.get("test") or scored.get("dev")
        mains = {task: best.main(task) for task in best.scores} if best else {}
        split = best.split if best else "test"
        version = registered.register(
            tracked, logged, config.model_name, config.track.aliases, card, scores=mains, split=split
        )
        model = f"models:/{config.model_name}/{version}"
        named = ", ".join(f"models:/{config.model_name}@{alias}" for alias in config.track.aliases)
        print(f"Registered {config.model_name} version {version}: {named}")
    print(f"Run {tracked.id} in experiment {config.track.experiment!r}; khabar ui shows it.", flush=True)
    test = scored["test"].mean if "test" in scored else None
    return Trained(tracked.id, model, numbers, outcome.best, test)
