"""Draws a second of the clustered bootstrap.

.venv/bin/python scripts/bench/bootstrap.py

5,000 clusters of four rows, 16 labels: all count metrics over 10,000 draws, then average precision over 1,000. Best of
three.
"""

import time
from collections.abc import Callable

import numpy as np

from khabar.evaluation.bootstrap import replicate
from khabar.evaluation.metrics import METRICS, CountMetric, RankMetric
from khabar.evaluation.scored import Scored

CLUSTERS, ROWS, LABELS, DRAWS, RANK_DRAWS = 5000, 4, 16, 10_000, 1000


def main() -> None:
    """Time both families and print a line for each."""
    rng = np.random.default_rng(0)
    shape = (CLUSTERS * ROWS, LABELS)
    gold, prob = rng.random(shape) < 0.1, rng.random(shape)
    names = tuple(f"label{i}" for i in range(LABELS))
    scored = Scored(names, "multi", gold, prob, prob > 0.9, np.repeat(np.arange(CLUSTERS), ROWS))
    counted = [metric for metric in METRICS if isinstance(metric, CountMetric) and metric.applies(scored)]
    ranked = [metric for metric in METRICS if isinstance(metric, RankMetric)]
    seconds = _best(lambda: replicate(scored, counted, draws=DRAWS, seed=0))
    print(f"{len(counted)} count metrics: {DRAWS} draws in {seconds:.2f} s, {DRAWS / seconds:,.0f} draws/s")
    seconds = _best(lambda: replicate(scored, ranked, draws=RANK_DRAWS, seed=0))
    print(f"{len(ranked)} rank metrics: {RANK_DRAWS} draws in {seconds:.2f} s, {RANK_DRAWS / seconds:,.0f} draws/s")


def _best(work: Callable[[], object]) -> float:
    times = []
    for _ in range(3):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


if __name__ == "__main__":
    main()
