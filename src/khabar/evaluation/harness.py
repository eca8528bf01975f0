"""One way to score everything: all metrics that fit a task, with intervals, as rows or as a plain-text table."""

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from khabar.errors import ConfigError
from khabar.evaluation.bootstrap import Score, bootstrap
from khabar.evaluation.metrics import applicable
from khabar.evaluation.scored import Scored

RARE = 10  # gold rows; below that a per-label score, and a macro mean over it, moves on single rows
FEW = 50  # clusters; below that a 95% interval covers less, see bootstrap.py


@dataclass(frozen=True)
class Scores:
    """All scores of one system on one task."""

    scores: tuple[Score, ...]

    def main(self, metric: str) -> Score:
        """The score of a metric over all labels.

        Raises:
            ConfigError: there is none of that name.
        """
        return self.get(metric, None)

    def get(self, metric: str, label: str | None) -> Score:
        """The score of a metric and label; None: over all labels.

        Raises:
            ConfigError: there is none.
        """
        for score in self.scores:
            if (score.metric, score.label) == (metric, label):
                return score
        there = dict.fromkeys(f"{s.metric} {s.label}" if s.label else s.metric for s in self.scores)
        near = difflib.get_close_matches(f"{metric} {label}" if label else metric, there, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise ConfigError(f"no score {metric!r} of {label or 'all labels'}.{hint} There are {', '.join(there)}")

    def support(self) -> dict[str, int]:
        """Gold rows of each label."""
        return {score.label: score.count for score in self.scores if score.label is not None}

    def to_rows(self) -> list[dict[str, Any]]:
        """One dict a score, in JSON types: an undefined number is None."""
        rows = [asdict(score) for score in self.scores]
        return [
            {key: None if isinstance(cell, float) and math.isnan(cell) else cell for key, cell in row.items()}
            for row in rows
        ]


def score(scored: Scored, *, draws: int = 2000, seed: int = 0, level: float = 0.95) -> Scores:
    """Every metric that fits the task, with its interval over clusters.

    Args:
        scored: gold and answers.
        draws: of the bootstrap; rank metrics take 1,000 at most, and say so.
        seed: of the draws.
        level: of the intervals.

    Raises:
        ConfigError: `draws` is below 1, or `level` outside (0, 1).
    """
    return Scores(tuple(bootstrap(scored, applicable(scored), draws=draws, seed=seed, level=level)))


def table(systems: Mapping[str, Scores], metrics: Sequence[str]) -> str:
    """Systems side by side, a line for each metric, or for each label of a per-label metric.

    The column `gold` counts the gold rows of the label, or all rows; where systems were scored on different rows it has
    each number. Labels under 10 gold rows bear a star, explained beneath.

    Raises:
        ConfigError: no system has a metric of that name.
    """
    keys = [key for metric in metrics for key in _keys(systems, metric)]
    lines = [["metric", "gold", *systems]]
    for metric, label in keys:
        cells = [_find(scores, metric, label) for scores in systems.values()]
        there = [cell for cell in cells if cell is not None]
        counts = list(dict.fromkeys(cell.count for cell in there))
        star = "*" if label is not None and min(counts) < RARE else ""
        name = metric if label is None else f"{metric} {label}"
        lines.append([name, "/".join(map(str, counts)) + star, *map(cell_text, cells)])
    return "\n".join([*align(lines), *_notes(systems, keys)]) + "\n"


def cell_text(score: Score | None) -> str:
    """`0.512 [0.470, 0.553]`, the value alone where there is no interval, a dash where there is no value."""
    if score is None or math.isnan(score.value):
        return "-"
    if math.isnan(score.low):
        return f"{score.value:.3f}"
    return f"{score.value:.3f} [{score.low:.3f}, {score.high:.3f}]"


def _find(scores: Scores, metric: str, label: str | None) -> Score | None:
    return next((score for score in scores.scores if (score.metric, score.label) == (metric, label)), None)


def _keys(systems: Mapping[str, Scores], metric: str) -> list[tuple[str, str | None]]:
    all_scores = [score for scores in systems.values() for score in scores.scores]
    keys = dict.fromkeys((score.metric, score.label) for score in all_scores if score.metric == metric)
    if not keys:
        there = ", ".join(dict.fromkeys(score.metric for score in all_scores))
        raise ConfigError(f"no system has the metric {metric!r}; there are {there}")
    return list(keys)


def align(lines: list[list[str]]) -> list[str]:
    """Lines of a table, its columns under each other."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]


def _notes(systems: Mapping[str, Scores], keys: list[tuple[str, str | None]]) -> list[str]:
    shown = [score for scores in systems.values() for score in scores.scores if (score.metric, score.label) in keys]
    first = shown[0]
    draws = " and ".join(dict.fromkeys(str(score.draws) for score in shown))
    how = f"{draws} bootstrap draws over {first.clusters} clusters, seed {first.seed}"
    notes = ["", f"[low, high]: {100 * first.level:g}% interval of {how}"]
    rare: dict[str, int] = {}
    for scores in systems.values():
        for label, count in scores.support().items():
            if count < RARE:
                rare[label] = min(count, rare.get(label, count))
    if rare:
        means = [metric for metric, label in keys if label is None and metric.startswith("macro_")]
        moves = f": {', '.join(means)} may move on a few rows" if means else ""
        names = ", ".join(f"{label} ({count})" for label, count in rare.items())
        notes.append(f"* under {RARE} gold rows: {names}{moves}")
    if first.clusters < FEW:
        notes.append(f"under {FEW} clusters these intervals are too narrow")
    return notes
