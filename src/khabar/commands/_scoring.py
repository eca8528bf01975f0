"""Scoring as `train` and `evaluate` share it: one predictor beside its baselines."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from khabar import registry
from khabar.config import SuiteConfig
from khabar.data.fold import TrainingFold
from khabar.evaluation import harness, rows
from khabar.evaluation.harness import Scores
from khabar.evaluation.metrics import Scored
from khabar.schema import Example, Prediction, Predictor, Task

SHOWN = {
    "single": ("accuracy", "mcc", "macro_average_precision", "ece", "f1"),
    "multi": ("micro_f1", "macro_mcc", "macro_average_precision", "ece", "f1"),
}


def baselines(
    names: Sequence[str], train: TrainingFold, dev: Sequence[Example], tasks: Mapping[str, Task], seed: int
) -> list[Predictor]:
    """Fitted baselines; they see the training rows, and dev for temperature and thresholds, as a model does."""
    return [registry.load("predictors", name).fit(train, dev, tasks, seed) for name in names]


def score(
    predictors: Sequence[Predictor],
    examples: Sequence[Example],
    tasks: Mapping[str, Task],
    suite: SuiteConfig,
    seed: int,
) -> tuple[dict[str, dict[str, Scores]], dict[str, list[Prediction]], dict[str, Scored]]:
    """Scores by task and system, predictions by system, and the first system's rows by task."""
    answers = {predictor.name: predictor.predict(examples) for predictor in predictors}
    scores: dict[str, dict[str, Scores]] = {}
    first: dict[str, Scored] = {}
    for name, task in tasks.items():
        asked = [example for example in examples if example.task == name]
        if not asked:
            continue
        for predictor in predictors:
            scored = rows.from_predictions(task, asked, answers[predictor.name])
            first.setdefault(name, scored)
            scores.setdefault(name, {})[predictor.name] = harness.score(
                scored, draws=suite.draws, seed=seed, level=suite.level
            )
    return scores, answers, first


def tables(scores: Mapping[str, Mapping[str, Scores]], tasks: Mapping[str, Task], split: str) -> str:
    """A table for each task, its main metric first."""
    parts = []
    for name, systems in scores.items():
        task = tasks[name]
        shown = list(dict.fromkeys(["macro_f1", task.main_metric, *SHOWN[task.kind]]))
        parts.append(f"{name} on {split}\n{harness.table(systems, sorted(shown, key=lambda m: m != task.main_metric))}")
    return "\n".join(parts)


def metrics(scores: Mapping[str, Mapping[str, Scores]], split: str) -> dict[str, float]:
    """Numbers for MLflow: `split.task.metric` with interval ends, `.f1.LABEL`; the baselines' under their name.

    All that was scored, per label too, is in the artifact `scores.json`.
    """
    found: dict[str, float] = {}
    for task, systems in scores.items():
        for order, (system, its) in enumerate(systems.items()):
            plain = "".join(letter if letter.isalnum() else "_" for letter in system)
            prefix = f"{split}.{task}" if order == 0 else f"{split}.{task}.{plain}"
            for item in its.scores:
                if item.label is None:
                    found[f"{prefix}.{item.metric}"] = item.value
                    found[f"{prefix}.{item.metric}.low"] = item.low
                    found[f"{prefix}.{item.metric}.high"] = item.high
                elif order == 0 and item.metric == "f1":
                    found[f"{prefix}.f1.{item.label}"] = item.value
    return {key: value for key, value in found.items() if value == value}


def plain(scores: Mapping[str, Mapping[str, Scores]]) -> dict[str, Any]:
    """Scores as JSON types."""
    return {task: {system: its.to_rows() for system, its in systems.items()} for task, systems in scores.items()}


def write_predictions(path: Path, predictions: Sequence[Prediction], examples: Sequence[Example]) -> None:
    """A predictions file: one JSON object a line, with the gold answer beside it."""
    gold = {(example.id, example.task): example.gold for example in examples}
    with path.open("w", encoding="utf-8") as file:
        for answer in predictions:
            row = {
                "example": answer.example,
                "task": answer.task,
                "labels": answer.labels,
                "gold": gold[answer.example, answer.task],
                "probabilities": {label: round(p, 6) for label, p in answer.probabilities.items()},
            }
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
