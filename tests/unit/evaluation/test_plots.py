import io
import sys

import numpy as np
import pytest

from khabar.evaluation import plots
from khabar.evaluation.harness import score

# As many as event_type has, and as long.
EVENTS = tuple(f"{name}{i}" for i, name in enumerate(["AGREE", "COOPERATE", "THREATEN", "MOBILIZE"] * 4))


def drawn(figure):
    """Draws it, and returns the texts that stand outside the figure or on another tick's label."""
    figure.savefig(io.BytesIO(), format="png")
    renderer = figure.canvas.get_renderer()
    page = figure.bbox
    wrong = []
    for axes in figure.axes:
        for axis, (low, high) in ((axes.xaxis, sorted(axes.get_xlim())), (axes.yaxis, sorted(axes.get_ylim()))):
            side = [tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
            boxes = [label.get_window_extent(renderer) for label in side if label.get_visible() and label.get_text()]
            wrong += [box for box in boxes if box.x0 < page.x0 - 1 or box.y0 < page.y0 - 1]
            if all(label.get_rotation() == 0 for label in side):
                wrong += [a for i, a in enumerate(boxes) for b in boxes[i + 1 :] if a.overlaps(b)]
        for label in (axes.xaxis.label, axes.yaxis.label):
            box = label.get_window_extent(renderer)
            wrong += [box] if box.width and (box.x0 < page.x0 - 1 or box.x1 > page.x1 + 1) else []
    return wrong


@pytest.mark.parametrize("labels", [EVENTS, ("favor", "against", "neutral", "none"), ("yes", "no")])
@pytest.mark.parametrize("kind", ["single", "multi"])
def test_nothing_overlaps_or_leaves_the_page(make, kind, labels):
    it = make(kind, 300, size=len(labels), labels=labels, rare=0.05)
    assert drawn(plots.confusion(it)) == []
    assert drawn(plots.per_class(score(it, draws=20))) == []
    assert drawn(plots.precision_recall(it)) == []
    assert drawn(plots.reliability(it)) == []


def test_the_matrix_has_counts_and_row_shares(make):
    it = make(labels=("a", "b", "c", "d"))
    (axes,) = plots.confusion(it).axes
    gold, pred = it.gold.argmax(1), it.pred.argmax(1)
    first = int(((gold == 0) & (pred == 0)).sum())
    assert axes.texts[0].get_text() == f"{first}\n{first / (gold == 0).sum():.0%}"


@pytest.mark.parametrize("kind", ["single", "multi"])
def test_a_precision_recall_curve_passes_through_the_decisions_of_a_threshold(make, kind):
    it = make(kind, 300)
    panels = plots.precision_recall(it).axes
    assert [axes.get_title().split(" (")[0] for axes in panels] == list(it.labels)
    recall, precision = panels[0].lines[1].get_data()
    chosen = it.prob[:, 0] >= np.sort(it.prob[:, 0])[-40]
    hit = (chosen & it.gold[:, 0]).sum()
    at = np.flatnonzero(np.isclose(recall, hit / it.gold[:, 0].sum()) & np.isclose(precision, hit / chosen.sum()))
    assert len(at) >= 1
    assert (precision[0], recall[0], recall[-1]) == (1, 0, 1)


def test_a_label_without_gold_rows_has_no_curve(make):
    it = make("multi", 30)
    it.gold[:, 0] = False
    assert "no gold rows" in plots.precision_recall(it).axes[0].get_title()


def test_reliability_bins_hold_all_answers_and_intervals_are_wilsons(make):
    it = make("multi", 90)
    axes, below = plots.reliability(it).axes
    assert sum(bar.get_height() for bar in below.patches) == it.prob.size
    shares = axes.containers[0].lines[0].get_ydata()
    assert np.isclose(np.mean(shares), it.gold.mean())  # the bins are of one size here: 360 answers in 15
    low, high = plots.wilson(np.array([0.5, 0.0]), np.array([10, 10]))
    assert np.allclose([low, high], [[0.2366, 0.0], [0.7634, 0.2775]], atol=1e-4)  # Wilson (1927), as statsmodels


def test_one_cluster_has_no_whiskers(make):
    drawn(plots.per_class(score(make(clusters=1), draws=5)))


def test_learning_curve():
    rows = [{"step": i, "loss": 1 / i, "lr": 1e-5, "dev_metric": 0.5 if i % 5 == 0 else None} for i in range(1, 20)]
    figure = plots.learning_curve([*rows, {"step": 20, "dev_metric": 0.6}])
    assert [len(axes.lines[0].get_xdata()) for axes in figure.axes] == [19, 4, 19]
    assert drawn(figure) == []
    drawn(plots.learning_curve([]))


def test_no_pyplot(make):
    loaded = "matplotlib.pyplot" in sys.modules
    plots.confusion(make())
    assert ("matplotlib.pyplot" in sys.modules) == loaded
