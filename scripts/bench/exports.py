"""Every export format of one model beside torch, in one run: size, speed, cold start, and how far its answers are off.

    python -m scripts.bench.exports MODEL --cls CLS_MODEL    # 60 articles of saudinewsnet, some minutes
    python -m scripts.bench.exports MODEL --text seeds/corpus/articles.jsonl

MODEL is what `khabar export model=` takes; CLS_MODEL another, of one task with pool=cls, for format=transformers.
Reads saudinewsnet under KHABAR_DATA (default ../shared/data) unless --text names a file.

Each format is exported and certified as `khabar export` does it: the bundle under torch and the export read the same
articles one after the other in this process, so the ratio holds also on a busy machine. The cold start is a fresh
Python that imports khabar, loads the folder (with its exam) and reads one article; the best of --starts.
"""

import argparse
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scripts.bench.leaks import saudi

from khabar import registry
from khabar.commands._articles import open_source
from khabar.config import MachineConfig
from khabar.inference.certificate import Certificate, certify
from khabar.inference.model import folder_of

FORMATS = [  # name, format, precision of the weights, precision that it runs in
    ("bundle (torch)", "bundle", "fp32", "fp32"),
    ("ONNX fp32", "onnx", "fp32", "fp32"),
    ("ONNX int8", "onnx", "int8", "fp32"),
    ("OpenVINO fp32", "openvino", "fp32", "fp32"),
    ("OpenVINO, `machine.precision=bf16`", "openvino", "fp32", "bf16"),
    ("transformers (torch), the cls model", "transformers", "fp32", "fp32"),
]
COLD = "import sys, khabar; khabar.load(sys.argv[1]).predict([sys.argv[2]], [('إيران', 'وقف إطلاق النار')])"
SHOWN = ("torch", "onnxruntime", "openvino", "transformers")


def main() -> None:
    """Export, certify, and print one Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model")
    parser.add_argument("--cls", help="a model with one cls head, for format=transformers")
    parser.add_argument("--text", help="articles instead of saudinewsnet")
    parser.add_argument("--limit", type=int, default=60)
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--threads", type=int)
    asked = parser.parse_args()
    articles: list[Mapping[str, Any]]
    if asked.text:
        name, articles = asked.text, list(open_source(asked.text).articles)[: asked.limit]
    else:
        texts = saudi(Path(os.environ.get("KHABAR_DATA", "../shared/data")))
        name = "saudinewsnet"
        articles = [{"text": text} for text in random.Random(0).sample(texts, asked.limit)]
    rows: list[str] = []
    made = None
    with tempfile.TemporaryDirectory() as scratch:
        for title, kind, precision, runs_in in FORMATS:
            model = asked.cls if kind == "transformers" else asked.model
            if model is None:
                continue
            source, _ = folder_of(model)
            folder = Path(scratch) / f"{kind}-{precision}"
            if not folder.exists():
                registry.load("formats", kind).write(source, folder, precision=precision)
            machine = MachineConfig.of({"device": "cpu", "precision": runs_in, "threads": asked.threads})
            made = certify(source, folder, machine, name, articles, len(articles))
            rows.append(row(title, made, cold(folder, str(articles[0]["text"]), asked.starts)))
            print(rows[-1], file=sys.stderr, flush=True)
    assert made is not None
    kept = ", ".join(f"{package} {made.packages.get(package, 'absent')}" for package in SHOWN)
    print(f"{len(articles)} articles of {name}; {made.cpu}, {made.threads} threads; {kept}\n")
    print("| format | MiB | articles/s | tokens/s | times torch | cold start, s (CPU) | largest | mean | alike |")
    print("|---|---|---|---|---|---|---|---|---|")
    print("\n".join(rows))


def row(title: str, made: Certificate, seconds: tuple[float, float]) -> str:
    """One line of the table."""
    found, export, own = made.difference, made.speed["export"], made.speed["bundle"]
    assert found is not None
    cells: Sequence[str] = (
        title,
        f"{made.size['export']:.1f}",
        f"{export.articles:.1f}",
        f"{export.tokens:,.0f}",
        f"{export.tokens / own.tokens:.1f}",
        f"{seconds[0]:.1f} ({seconds[1]:.1f})",
        f"{found.largest:.1e}",
        f"{found.mean:.1e}",
        f"{found.alike:,} of {found.answers:,} ({found.alike / found.answers:.1%})",
    )
    return f"| {' | '.join(cells)} |"


def cold(folder: Path, text: str, starts: int) -> tuple[float, float]:
    """Seconds, by the clock and of CPU, of the quickest of several fresh processes that load a model and read once."""
    times = []
    for _ in range(starts):
        start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", COLD, str(folder), text], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        times.append((time.perf_counter() - start, used))
    return min(times)


if __name__ == "__main__":
    main()
