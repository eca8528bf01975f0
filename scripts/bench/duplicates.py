"""Seconds and memory of `duplicates.find` on 125,000 to 1,000,000 sentences.

    python -m scripts.bench.duplicates            # five minutes, two cores
    python -m scripts.bench.duplicates --most 250000

Reads saudinewsnet under KHABAR_DATA (default ../shared/data): all its sentences, in random order, copies included. It
holds 260,000; the rest are made of them: the first half of one sentence and the second half of another, with every
fifth word taken from a third, so that they read like news and are copies of nothing. Each size is a process of its own,
so that each has its own peak of memory; what the texts themselves take is told apart.
"""

import argparse
import multiprocessing
import os
import random
import resource
import time
from collections import Counter
from pathlib import Path

from scripts.bench.leaks import saudi
from tests import planting

from khabar.config import AuditConfig
from khabar.data import duplicates

SIZES = (125_000, 250_000, 500_000, 1_000_000)


def texts(data: Path, size: int) -> list[str]:
    """Distinct sentences."""
    draw = random.Random(0)
    own = sorted(set(planting.units(saudi(data))))
    draw.shuffle(own)
    made = dict.fromkeys(own[:size])
    words = [text.split() for text in own]
    while len(made) < size:
        first, second, third = draw.sample(words, 3)
        joined = [*first[: len(first) // 2], *second[len(second) // 2 :]]
        joined[::5] = [draw.choice(third) for _ in joined[::5]]
        made[" ".join(joined)] = None
    return list(made)


def measure(data: Path, size: int, near: float) -> tuple[float, float, float, int, int]:
    """Seconds, GB of texts and what was there before, GB at the peak, rows in near clusters, largest cluster."""
    given = texts(data, size)
    before = _peak()
    start = time.perf_counter()
    copies = duplicates.find(given, near)
    seconds = time.perf_counter() - start
    clusters = Counter(copies.cluster[text] for text in given)
    return seconds, before, _peak(), sum(n for n in clusters.values() if n > 1), max(clusters.values())


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main() -> None:
    """One line for each size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--near", type=float, default=AuditConfig().near)
    parser.add_argument("--most", type=int, default=SIZES[-1], help="sentences")
    options = parser.parse_args()
    data = Path(os.environ.get("KHABAR_DATA", "../shared/data"))
    last = None
    for size in (size for size in SIZES if size <= options.most):
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            seconds, before, peak, copied, largest = pool.apply(measure, (data, size, options.near))
        ratio = "" if last is None else f", {seconds / last:.2f} times the half"
        last = seconds
        print(
            f"{size:9,} sentences: {seconds:6.1f} s{ratio}; peak {peak:.2f} GB, {before:.2f} of it before; "
            f"{copied:,} are copies of another, largest cluster {largest}",
            flush=True,
        )


if __name__ == "__main__":
    main()
