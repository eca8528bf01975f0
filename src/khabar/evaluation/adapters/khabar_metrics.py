"""khabar's metrics for the `evaluate` library, loaded offline by path.

metric = evaluate.load("src/khabar/evaluation/adapters/khabar_metrics.py", "favg2")
metric.compute(predictions=[0, 2, 1], references=[0, 1, 1], labels=["favor", "against", "none"])
"""

from collections.abc import Sequence

import datasets
import evaluate
import numpy as np

from khabar.errors import ConfigError, DataError
from khabar.evaluation.metrics import METRICS, applicable, compute, named
from khabar.evaluation.scored import Bools, Floats, Scored
from khabar.schema import Kind

_INPUTS = """
Args:
    predictions: a label id for each row, or a list of ids for each row of a multi-label task.
    references: the same of gold.
    labels: the names of the labels, in the order of their ids.
    probabilities: a list of probabilities for each row, in the order of the ids; needed by macro_average_precision,
        average_precision, brier and ece.
Returns:
    {metric: value}; of a per-label metric {metric: {label: value}}; every metric that fits without a configuration.
"""


class KhabarMetrics(evaluate.Metric):  # type: ignore[misc]  # evaluate has no types
    """One metric, named by the configuration; without one, all that fit the task and the inputs."""

    def _info(self) -> evaluate.MetricInfo:
        if self.config_name != "default":
            named(self.config_name)
        row = datasets.Value("int64")
        return evaluate.MetricInfo(
            description=f"Metrics of khabar: {', '.join(metric.name for metric in METRICS)}.",
            citation="",
            inputs_description=_INPUTS,
            features=[
                datasets.Features({"predictions": row, "references": row}),
                datasets.Features({"predictions": datasets.List(row), "references": datasets.List(row)}),
            ],
        )

    def _compute(
        self,
        *,
        predictions: Sequence[int] | Sequence[Sequence[int]],
        references: Sequence[int] | Sequence[Sequence[int]],
        labels: Sequence[str],
        probabilities: Sequence[Sequence[float]] | None = None,
    ) -> dict[str, float | dict[str, float]]:
        gold, pred = _matrix(references, len(labels)), _matrix(predictions, len(labels))
        prob = pred.astype(float) if probabilities is None else np.asarray(probabilities, dtype=np.float64)
        kind: Kind = "single" if np.ndim(references[0]) == 0 else "multi"
        scored = Scored(tuple(labels), kind, gold, prob, pred, np.arange(len(gold)))
        fitting = [metric.name for metric in applicable(scored) if probabilities is not None or not metric.graded]
        wanted = fitting if self.config_name == "default" else [self.config_name]
        if named(wanted[0]).graded and probabilities is None:
            raise ConfigError(f"{wanted[0]} needs probabilities=[[...], ...]")
        return {name: _plain(compute(scored, name), labels) for name in wanted}


def _matrix(rows: Sequence[int] | Sequence[Sequence[int]], size: int) -> Bools:
    """Label ids, one or several a row, as bool [N, size]."""
    hot = np.zeros((len(rows), size), dtype=bool)
    for number, ids in enumerate(rows):
        for label in np.atleast_1d(np.asarray(ids, dtype=np.int64)):
            if not 0 <= label < size:
                raise DataError(f"row {number} has label id {label}; labels has {size} names, ids 0 to {size - 1}")
            hot[number, label] = True
    return hot


def _plain(value: Floats, labels: Sequence[str]) -> float | dict[str, float]:
    return float(value) if value.ndim == 0 else dict(zip(labels, value.tolist(), strict=True))
