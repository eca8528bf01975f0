"""Peak memory of `khabar predict` on 10,000 and 100,000 texts: it should be the same.

.venv/bin/python scripts/bench/predict_memory.py [10000 100000]

A tiny random model reads made-up articles of ten words, so that reading is quick and memory is that of the plumbing.
Each line is a fresh process with one thread. The peak (ru_maxrss) may be that of loading the model, so what is resident
when the last text is answered (VmRSS, Linux) is told too.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CASES = (("csv", "jsonl"), ("jsonl", "parquet"), ("parquet", "jsonl"))
NEWS = "قصف الجيش مدينة غزة أكد رئيس الحكومة أن إيران رفضت وقف إطلاق النار دعا مجلس الأمم المتحدة إلى اتفاق"
WORDS = NEWS.split()
IN_PROCESS = """
import resource, sys
from khabar.cli import main
code = main(sys.argv[1:])
left = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmRSS"))
print(code, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, left)
"""


def main() -> None:
    """Measure every case and print a line for each."""
    sizes = [int(given) for given in sys.argv[1:]] or [10_000, 100_000]
    sys.path[:0] = [str(ROOT / "tests")]
    from unit.inference import tiny_bundle

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        model = tiny_bundle.write(folder / "bundle", "event_type")
        for size in sizes:
            write(folder, size)
        for given, wanted in CASES:
            found = []
            for size in sizes:
                started = time.perf_counter()
                peak, left = measured(model, folder / f"{size}.{given}", folder / f"out.{wanted}")
                seconds = time.perf_counter() - started
                found.append((peak, left))
                told = f"{given} to {wanted}, {size:,} texts"
                print(f"{told}: peak {peak:.0f} MiB, at the end {left:.0f} MiB, {seconds:.0f} s", flush=True)
            more = [last - first for first, last in zip(found[0], found[-1], strict=True)]
            print(f"{given} to {wanted}: peak {more[0]:+.0f} MiB, at the end {more[1]:+.0f} MiB", flush=True)


def articles(size: int) -> Iterator[dict[str, str]]:
    """Texts that differ, a headline and a sentence each."""
    for number in range(size):
        words = [WORDS[(number * 7 + at * (1 + number % 5)) % len(WORDS)] for at in range(10)]
        yield {"id": f"a{number}", "text": f"{' '.join(words[:4])}\n{' '.join(words[4:])} {number}.", "title": words[0]}


def write(folder: Path, size: int) -> None:
    """The same articles in three formats, the Parquet file as one row group."""
    import pandas as pd

    frame = pd.DataFrame(list(articles(size)))
    frame.to_csv(folder / f"{size}.csv", index=False)
    frame.to_parquet(folder / f"{size}.parquet", row_group_size=size)
    with (folder / f"{size}.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in articles(size))


def measured(model: Path, given: Path, output: Path) -> tuple[float, float]:
    """The peak of one run and what it holds at its end, in MiB."""
    overrides = [f"model={model}", f"input={given}", f"output={output}", "machine.device=cpu", "machine.threads=1"]
    line = [sys.executable, "-c", IN_PROCESS, "predict", *overrides]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    code, peak, left = map(int, done.stdout.split())
    if code:
        raise SystemExit(done.stderr)
    output.unlink()
    return peak / 1024, left / 1024


if __name__ == "__main__":
    main()
