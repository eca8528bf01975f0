"""Scoring as `train` and `evaluate` share it: one predictor beside its baselines, and what MLflow is told of it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from khabar import registry
from khabar.commands import _cuts, _predictions, _reading
from khabar.config import SuiteConfig
from khabar.data.fold import TrainingFold
from khabar.evaluation import harness, rows
from khabar.evaluation.bootstrap import Score
from khabar.evaluation.harness import Scores
from khabar.evaluation.scored import Scored
from khabar.schema import Example, Prediction, Predictor, Task, flat

if TYPE_CHECKING:
    from khabar.inference.engine import Engine
    from khabar.tracking import Run

MANY = 20  # labels, beyond which a metric by label is in scores.json alone
BY_LABEL = ("precision", "recall", "f1")
SHOWN = {
    "single": ("accuracy", "mcc", "macro_average_precision", "ece", "f1"),
    "multi": ("micro_f1", "macro_mcc", "macro_average_precision", "ece", "f1"),
    "spans": ("micro_f1", "micro_precision", "micro_recall", "f1"),
}


def baselines(
    names: Sequence[str], train: TrainingFold, dev: Sequence[Example], tasks: Mapping[str, Task], seed: int
) -> list[Predictor]:
    """Fitted baselines; they see the training rows, and dev for temperature and thresholds, as a model does.

    Each answers what it can (`answers` of its module tells, all questions by default).
    """
    asked = flat(tasks)
    made = []
    for name in names:
        module = registry.load("predictors", name)
        can = {each: task for each, task in asked.items() if getattr(module, "answers", _labels)(task)}
        if can:
            made.append(module.fit(train, dev, can, seed))
    return made


def _labels(task: Task) -> bool:
    """Whether a task labels a unit of text."""
    return task.level in ("article", "sentence")


@dataclass(frozen=True)
class SplitScores:
    """What came of one split: `scores` by name and system, the model first; the `answers` and `rows` of the model.

    What is scored has the name of a question (`tasks`), or of what whole readings come to (see `_reading.scored`).
    """

    split: str
    model: str
    tasks: Mapping[str, Task]
    examples: Sequence[Example]
    answers: Sequence[Prediction]
    scores: Mapping[str, Mapping[str, Scores]]
    rows: Mapping[str, Scored]

    def metric(self, name: str) -> str:
        """The name of its main metric."""
        return self.tasks[name].main_metric if name in self.tasks else _reading.main_metric(name)

    def main(self, name: str) -> Score:
        """The model's main metric."""
        return self.scores[name][self.model].main(self.metric(name))

    @property
    def mean(self) -> float:
        """The mean of the main metrics of all questions."""
        values = [self.main(name).value for name in self.scores if name in self.tasks]
        return sum(values) / len(values)


def score(
    model: "Engine", rivals: Sequence[Predictor], split: str, examples: Sequence[Example], tasks: Mapping[str, Task],
    suite: SuiteConfig, seed: int, dev: Sequence[Example] = (),
) -> SplitScores:  # fmt: skip
    """Score a model beside others, who find thresholds for whole readings on `dev` rows."""
    predictors: list[Predictor] = [model, *rivals]
    able = {predictor.name: flat(predictor.tasks) for predictor in predictors}
    answers = {
        predictor.name: predictor.predict([example for example in examples if example.task in able[predictor.name]])
        for predictor in predictors
    }
    scores: dict[str, dict[str, Scores]] = {}
    first: dict[str, Scored] = {}
    for name, task in tasks.items():
        asked = [example for example in examples if example.task == name]
        if not asked:
            continue
        for predictor in predictors:
            if name not in able[predictor.name]:
                continue
            scored = rows.from_predictions(task, asked, answers[predictor.name])
            first.setdefault(name, scored)
            scores.setdefault(name, {})[predictor.name] = harness.score(
                scored, draws=suite.draws, seed=seed, level=suite.level
            )
    for task in (task for task in tasks.values() if task.marks):
        for predictor in predictors:
            if not able[predictor.name].keys() >= flat({task.name: task}).keys():
                continue
            cuts = model.card.thresholds if predictor is model else _cuts.among_found(predictor, task, dev)
            for name, scored in _reading.scored(predictor, task, examples, cuts).items():
                first.setdefault(name, scored)
                scores.setdefault(name, {})[predictor.name] = harness.score(
                    scored, draws=suite.draws, seed=seed, level=suite.level
                )
    asked = [example for example in examples if example.task in able[model.name]]
    return SplitScores(split, model.name, tasks, asked, answers[model.name], scores, first)


def tables(scored: SplitScores) -> str:
    """A table for each task, its main metric first."""
    parts = []
    for name, systems in scored.scores.items():
        if "." in name:
            continue
        task = scored.tasks[name]
        shown = list(dict.fromkeys(["macro_f1", task.main_metric, *SHOWN[task.kind]]))
        lines = harness.table(systems, sorted(shown, key=lambda metric: metric != task.main_metric))
        parts.append(f"{name} on {scored.split}\n{lines}")
    return "\n".join([*parts, *_of_readers(scored)])


def _of_readers(scored: SplitScores) -> list[str]:
    """The main metric of each question about marks, of spans by overlap, and of whole readings; the run has all."""
    names = [name for name in scored.scores if "." in name]
    if not names:
        return []
    systems = list(dict.fromkeys(system for name in names for system in scored.scores[name]))
    lines = [["question", "metric", "gold", *systems]]
    for name in names:
        its = scored.scores[name]
        main = scored.metric(name)
        told = [harness.cell_text(its[one].main(main)) if one in its else "-" for one in systems]
        lines.append([name, main, f"{scored.main(name).count:,}", *told])
    return [f"questions about marks, and whole readings, on {scored.split}", *harness.align(lines), ""]


def markdown(scored: SplitScores) -> str:
    """The main metric of each task beside the baselines', for a page."""
    systems = list(dict.fromkeys(system for its in scored.scores.values() for system in its))
    lines = [f"| {scored.split} | rows, clusters | metric | {' | '.join(systems)} |", "|---" * (len(systems) + 3) + "|"]
    for name, its in scored.scores.items():
        main, metric = scored.main(name), scored.metric(name)
        cells = [harness.cell_text(its[system].main(metric)) if system in its else "" for system in systems]
        lines.append(f"| {name} | {main.count:,}, {main.clusters:,} | {metric} | {' | '.join(cells)} |")
    how = f"[low, high]: {100 * main.level:g}% interval, {main.draws:,} draws of whole clusters, seed {main.seed}."
    return "\n".join([*lines, "", how, ""])


def metrics(scored: SplitScores) -> dict[str, float]:
    """Numbers for MLflow, whose UI makes a section of what stands before a slash.

    `test/TASK.METRIC`, with `.low` and `.high`: the model. `test_labels/TASK.METRIC.LABEL`: the same by label.
    `test_baselines/TASK.SYSTEM.METRIC`: the main metrics of the others. All that was scored, with every interval, is
    in the artifact `scores.json`.
    """
    found: dict[str, float] = {}
    for name, systems in scored.scores.items():
        for item in systems[scored.model].scores:
            if item.label is None:
                found |= _with_ends(f"{scored.split}/{name}.{item.metric}", item)
            elif item.metric in BY_LABEL and len(scored.rows[name].labels) <= MANY:
                found[f"{scored.split}_labels/{name}.{item.metric}.{item.label}"] = item.value
        for system, its in systems.items():
            if system != scored.model:
                plain = "".join(letter if letter.isalnum() else "_" for letter in system)
                main = its.main(scored.metric(name))
                found |= _with_ends(f"{scored.split}_baselines/{name}.{plain}.{main.metric}", main)
    return {key: value for key, value in found.items() if value == value}


def _with_ends(key: str, score: Score) -> dict[str, float]:
    return {key: score.value, f"{key}.low": score.low, f"{key}.high": score.high}


def mains(metrics: Mapping[str, float], tasks: Mapping[str, Any]) -> list[str]:
    """The names of the tasks' main metrics among those of a run, dev and test."""
    names = [f"{split}/{name}.{dict(task)['main_metric']}" for split in ("dev", "test") for name, task in tasks.items()]
    return [name for name in names if name in metrics]


def plain(scored: SplitScores) -> dict[str, Any]:
    """Scores as JSON types."""
    return {task: {system: its.to_rows() for system, its in systems.items()} for task, systems in scored.scores.items()}


def track(run: "Run", scored: SplitScores) -> dict[str, float]:
    """The scores of a split as artifacts of a run: tables, plots, predictions; the result is the metrics to log."""
    from khabar.evaluation import plots

    run.text(json.dumps(plain(scored), indent=1), f"{scored.split}/scores.json")
    run.text(tables(scored), f"{scored.split}/scores.txt")
    rows = _predictions.rows(scored.examples, scored.answers)
    run.table(_predictions.COLUMNS, rows, f"{scored.split}/predictions_table.json")
    run.text(_predictions.page(f"{scored.model}, {scored.split}", rows), f"{scored.split}/predictions.html")
    run.text(_predictions.lines(scored.examples, scored.answers), f"{scored.split}/predictions.jsonl")
    for name, its in scored.rows.items():
        if its.kind == "spans":
            continue
        run.figure(plots.confusion(its), f"{scored.split}/{name}_confusion.png")
        if "." in name:  # of a reader's many questions that one says most
            continue
        run.figure(plots.per_class(scored.scores[name][scored.model]), f"{scored.split}/{name}_f1.png")
        run.figure(plots.precision_recall(its), f"{scored.split}/{name}_precision_recall.png")
        run.figure(plots.reliability(its), f"{scored.split}/{name}_reliability.png")
    return metrics(scored)
