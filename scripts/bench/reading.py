"""What a whole reading costs: an article of about 600 words read whole, beside its sentence labels alone, on CPU.

python -m scripts.bench.reading [MODEL] [--articles 20] [--rounds 5]

MODEL needs the tasks event_type and reader (default: models:/khabar-event_type-reader@candidate). The texts are of
saudinewsnet (KHABAR_DATA), cut at a sentence's end after 600 words. Both are measured in turn, in one process, one
article a call; the figure is the ratio of the medians.
"""

import argparse
import os
import statistics
import time
from pathlib import Path

from scripts.bench.leaks import saudi

import khabar
from khabar.text import sentences

WORDS = 600


def main() -> None:
    """Read every article both ways, several times, and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default="models:/khabar-event_type-reader@candidate")
    parser.add_argument("--articles", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    model = khabar.load(args.model)
    texts = articles(args.articles)
    ways = {
        "sentence labels": lambda text: model.predict(text, tasks=["event_type"]),
        "whole": lambda text: model.read(text),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for way in ways.values():
        way(texts[0])
    found = [0, 0]
    for _ in range(args.rounds):
        for text in texts:
            for name, way in ways.items():
                began = time.perf_counter()
                answer = way(text)
                seconds[name].append(time.perf_counter() - began)
                if name == "whole":
                    found[0] += len(answer[0].events)
                    found[1] += len(answer[0].stances)
    medians = {name: statistics.median(taken) for name, taken in seconds.items()}
    reads = args.rounds * len(texts)
    print(f"{len(texts)} articles of {statistics.mean(len(t.split()) for t in texts):.0f} words, {args.rounds} rounds")
    for name, median in medians.items():
        print(f"{name:<16} {1000 * median:7.1f} ms an article (median)")
    print(f"ratio {medians['whole'] / medians['sentence labels']:.2f}")
    print(f"{found[0] / reads:.1f} events and {found[1] / reads:.1f} stances an article")


def articles(wanted: int) -> list[str]:
    """The first newspaper articles that are long enough, cut to about 600 words."""
    found = []
    for text in saudi(Path(os.environ.get("KHABAR_DATA", "../shared/data"))):
        if len(text.split()) >= WORDS:
            ends = (end for _, end in sentences.split(text) if len(text[:end].split()) >= WORDS)
            found.append(text[: next(ends, len(text))])
        if len(found) == wanted:
            return found
    raise SystemExit(f"There are {len(found)} articles of {WORDS} words; set KHABAR_DATA.")


if __name__ == "__main__":
    main()
