"""Figures of scores and of training. Drawn on a canvas of their own: no pyplot, no display, no global state.

matplotlib is imported inside the functions, so that scoring does without it.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from khabar.evaluation.harness import RARE, Scores
from khabar.evaluation.metrics import BINS, average_precision, counts, decisions
from khabar.evaluation.scored import Floats, Scored

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CURVES = ("loss", "dev_metric", "lr")
COLUMNS = 4  # panels side by side
BLUE, ORANGE, RED, GREY = "#3b6ea8", "#e0a030", "#b5473c", "#9a9a9a"


def confusion(scored: Scored) -> "Figure":
    """What was taken for what.

    Single: a matrix, gold by predicted, each cell its rows and its share of the gold row. Multi: for each label its
    true positives, false positives and false negatives.
    """
    return _matrix(scored) if scored.kind == "single" else _errors(scored)


def per_class(scores: Scores) -> "Figure":
    """F1 of each label with its interval and gold rows; grey where they are under 10."""
    found = [score for score in scores.scores if score.metric == "f1"]
    figure, axes = _figure(7.5, 1.3 + 0.32 * len(found))
    value = np.array([score.value for score in found])
    ends = np.array([[score.low, score.high] for score in found])
    low, high = np.where(np.isnan(ends), value[:, None], ends).T  # a single cluster has no interval
    where = np.arange(len(found))
    axes.barh(where, value, color=[GREY if score.count < RARE else BLUE for score in found], height=0.65)
    # The value need not lie within a percentile interval: the whisker is drawn from its own ends.
    axes.errorbar((low + high) / 2, where, xerr=(high - low) / 2, fmt="none", ecolor="black", capsize=3, lw=1)
    names = [f"{score.label} ({score.count}{'*' if score.count < RARE else ''})" for score in found]
    _rows(axes, names)
    axes.set_xlim(0, 1)
    rare = f"; * under {RARE}" if any(score.count < RARE for score in found) else ""
    axes.set_xlabel(f"F1, {100 * found[0].level:g}% interval over {found[0].clusters} clusters (gold rows{rare})")
    axes.grid(axis="x", alpha=0.3)
    return figure


def precision_recall(scored: Scored) -> "Figure":
    """Precision by recall of each label over all thresholds, a panel each; the dot is where the decisions stand.

    The dashed line is the share of gold rows, what guessing gets; a label under 10 gold rows is grey.
    """
    size = len(scored.labels)
    across, down = min(COLUMNS, size), -(-size // COLUMNS)
    figure = _canvas(2.1 * across + 0.6, 2.1 * down + 0.5)
    hit, false, missed = counts(scored).sum(0)[: 3 * size].reshape(3, size)
    area = average_precision(scored, np.ones((1, len(scored.gold))))[0]
    for i, (label, count) in enumerate(zip(scored.labels, scored.support.tolist(), strict=True)):
        axes = figure.add_subplot(down, across, i + 1)
        axes.set_xlim(-0.03, 1.03)
        axes.set_ylim(-0.03, 1.05)
        axes.axhline(count / len(scored.gold), color=GREY, lw=0.8, ls="--")
        colour = GREY if count < RARE else BLUE
        known = f"AP {area[i]:.2f}" if count else "no gold rows"
        if count:
            recall, precision = _curve(scored.gold[:, i], scored.prob[:, i])
            axes.step(recall, precision, where="pre", color=colour, lw=1.3)  # the area beneath is AP
        if count and hit[i] + false[i]:
            axes.plot(hit[i] / (hit[i] + missed[i]), hit[i] / (hit[i] + false[i]), "o", color=RED, ms=4, clip_on=False)
        axes.set_title(f"{label} ({count})\n{known}", fontsize=8)
        axes.set_xticks([0, 0.5, 1], ["0", ".5", "1"], fontsize=7)
        axes.set_yticks([0, 0.5, 1], ["0", ".5", "1"], fontsize=7)
        axes.grid(alpha=0.3)
    figure.supxlabel("recall", fontsize=9)
    figure.supylabel("precision (gold rows in brackets)", fontsize=9)
    return figure


def reliability(scored: Scored) -> "Figure":
    """How often answers of each confidence are right: bins of equal mass, with Wilson's 95% interval.

    Single: a row is one answer, its highest probability. Multi: every label of every row is one, its probability.
    Beneath, how many answers have which confidence.
    """
    sure_M, right_M = (cells.ravel() for cells in decisions(scored))
    order = np.argsort(sure_M, kind="stable")
    parts = [part for part in np.array_split(order, min(BINS, len(order))) if len(part)]
    confidence = np.array([sure_M[part].mean() for part in parts])
    share = np.array([right_M[part].mean() for part in parts])
    low, high = wilson(share, np.array([len(part) for part in parts]))
    figure = _canvas(5, 5.6)
    grid = figure.add_gridspec(2, 1, height_ratios=(4, 1))
    axes = figure.add_subplot(grid[0])
    axes.plot([0, 1], [0, 1], color=GREY, lw=0.8, ls="--")
    axes.errorbar(confidence, share, yerr=(share - low, high - share), fmt="o-", color=BLUE, lw=1.2, ms=4, capsize=2)
    axes.set_ylabel("share that is right" if scored.kind == "single" else "share that is gold")
    axes.set_xlim(0, 1)
    axes.set_ylim(-0.02, 1.02)
    axes.grid(alpha=0.3)
    below = figure.add_subplot(grid[1], sharex=axes)
    below.hist(sure_M, bins=20, range=(0, 1), color=BLUE)
    below.set_ylabel("answers")
    below.set_xlabel("confidence" if scored.kind == "single" else "probability of a label")
    axes.tick_params(labelbottom=False)
    figure.align_ylabels()
    return figure


def wilson(share: Floats, count: Any, z: float = 1.96) -> tuple[Floats, Floats]:  # noqa: ANN401 - integers, any shape
    """Ends of the 95% interval of a share of `count` independent answers (Wilson 1927)."""
    centre = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * np.sqrt(share * (1 - share) / count + z * z / (4 * count**2)) / (1 + z * z / count)
    return np.minimum(centre - half, share), np.maximum(centre + half, share)


def _curve(gold: Any, prob: Floats) -> tuple[Floats, Floats]:  # noqa: ANN401 - bool [N]
    """Recall and precision [T + 1] of falling thresholds; equal probabilities are decided together."""
    order = np.argsort(-prob, kind="stable")
    last = np.flatnonzero(np.append(np.diff(prob[order]) != 0, True))
    tp = np.cumsum(gold[order])[last]
    return np.append(0, tp / gold.sum()), np.append(1, tp / (last + 1))


def learning_curve(rows: Sequence[Mapping[str, Any]]) -> "Figure":
    """Loss, dev metric and learning rate by step.

    Args:
        rows: dicts of `step` and any of `loss`, `lr`, `dev_metric`; what is absent or None has no point.
    """
    panels = zip(CURVES, ("train loss", "dev metric", "learning rate"), (BLUE, ORANGE, GREY), strict=True)
    figure = _canvas(7.5, 6)
    first: Axes | None = None
    for number, (key, name, colour) in enumerate(panels, start=1):
        axes = figure.add_subplot(len(CURVES), 1, number, sharex=first)
        first = first or axes
        points = [(row["step"], row[key]) for row in rows if row.get(key) is not None]
        steps, values = zip(*points, strict=True) if points else ((), ())
        marker = "o" if key == "dev_metric" or len(points) == 1 else ""
        axes.plot(steps, values, color=colour, lw=1.3, marker=marker, ms=4)
        if not points:
            axes.text(0.5, 0.5, "not measured", transform=axes.transAxes, ha="center", va="center", color=GREY)
        axes.set_ylabel(name)
        axes.grid(alpha=0.3)
        axes.tick_params(labelbottom=number == len(CURVES))
    axes.set_xlabel("step")
    figure.align_ylabels()
    return figure


def _matrix(scored: Scored) -> "Figure":
    size = len(scored.labels)
    rows = scored.gold.T.astype(float) @ scored.pred
    share: Floats = rows / np.maximum(rows.sum(1, keepdims=True), 1)
    cell = 0.62 if size > 6 else 0.95
    figure, axes = _figure(2.4 + cell * size, 2.0 + cell * size)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for i, j in np.ndindex(size, size):
        if rows[i, j]:
            text, dark = f"{rows[i, j]:.0f}\n{share[i, j]:.0%}", share[i, j] > 0.55
            axes.text(j, i, text, ha="center", va="center", fontsize=8, color="white" if dark else "black")
    axes.set_xticks(range(size), scored.labels, rotation=45 if size > 3 else 0, ha="right" if size > 3 else "center")
    axes.set_yticks(
        range(size), [f"{label} ({count:.0f})" for label, count in zip(scored.labels, rows.sum(1), strict=True)]
    )
    axes.set_xlabel("predicted")
    axes.set_ylabel("gold (rows)")
    return figure


def _errors(scored: Scored) -> "Figure":
    size = len(scored.labels)
    hit, false, missed = counts(scored).sum(0)[: 3 * size].reshape(3, size)
    figure, axes = _figure(7.5, 1.6 + 0.32 * size)
    where = np.arange(size)
    # What was found and missed lies right of 0 and adds up to the gold rows; false alarms lie left.
    axes.barh(where, hit, color=BLUE, height=0.65, label="true positives")
    axes.barh(where, missed, left=hit, color=ORANGE, height=0.65, label="false negatives")
    axes.barh(where, -false, color=RED, height=0.65, label="false positives")
    _rows(axes, [f"{label} ({count:.0f})" for label, count in zip(scored.labels, hit + missed, strict=True)])
    axes.axvline(0, color="black", lw=0.8)
    axes.xaxis.set_major_formatter(lambda x, _: f"{abs(x):g}")
    axes.set_xlabel("rows (gold rows of the label in brackets)")
    axes.grid(axis="x", alpha=0.3)
    figure.legend(loc="outside upper center", ncols=3, frameon=False)
    return figure


def _rows(axes: "Axes", names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_axisbelow(True)


def _canvas(width: float, height: float) -> "Figure":
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _figure(width: float, height: float) -> "tuple[Figure, Axes]":
    figure = _canvas(width, height)
    return figure, figure.add_subplot()
