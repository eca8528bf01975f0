"""What it costs to ask through khabar.Model, MLflow's pyfunc and HTTP, beside the bare engine, in one run.

    OMP_NUM_THREADS=1 python -m scripts.bench.serving        # models:/khabar-quickstart@champion
    OMP_NUM_THREADS=1 python -m scripts.bench.serving --model models:/NAME@ALIAS --articles 256 --rounds 5

Reads saudinewsnet under KHABAR_DATA (default ../shared/data), else the project's own articles. The bare engine is
`engine.logits` on examples that are ready: tokenise, cut windows, encode, pool. The rest is splitting into sentences,
decisions, evidence, tables, JSON, HTTP. Every way reads the same articles, in the same portions as the bare engine
beside it; the ways take turns, and each counts with its fastest round. The server is `mlflow models serve` on loopback
with one worker. CPU time is that of this process and the server together: other work on the machine distorts it least.
"""

import argparse
import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import mlflow
import pandas as pd
import psutil
from scripts.bench.leaks import saudi

import khabar
from khabar import store
from khabar.config import resource
from khabar.data import corpus
from khabar.inference.engine import Engine

QUESTION = "الحكومة"
Portions = list[list[str]]


def texts(count: int) -> list[str]:
    """Articles in random order."""
    data = Path(os.environ.get("KHABAR_DATA", "../shared/data"))
    found = saudi(data) or [article.text for article in corpus.load(resource("seeds/corpus")).articles.values()]
    random.Random(0).shuffle(found)
    return (found * (count // len(found) + 1))[:count]


def bare(engine: Engine, ask: Callable[[list[str]], object], portions: Portions) -> Callable[[], object]:
    """The engine's share of reading some portions, again and again."""
    calls = []
    logits = engine.logits

    def kept(*given: object) -> object:
        calls.append(given)
        return logits(*given)

    engine.logits = kept
    for portion in portions:
        ask(portion)
    engine.logits = logits
    return lambda: [logits(*given) for given in calls]


@contextlib.contextmanager
def served(uri: str) -> Iterator[tuple[str, psutil.Process]]:
    """The address of a server that is up, and its process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", uri, "--env-manager", "local"]
    bins = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "MLFLOW_TRACKING_URI": store.address().full, "PATH": bins}
    process = subprocess.Popen(
        [*command, "--port", str(port)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        started = time.perf_counter()
        while True:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=1):
                break
            if process.poll() is not None or time.perf_counter() - started > 300:
                raise SystemExit(f"The server did not start: {' '.join(command)}")
            time.sleep(0.1)
        print(f"server up after {time.perf_counter() - started:.1f} s")
        yield f"http://127.0.0.1:{port}/invocations", psutil.Process(process.pid)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def table(portion: list[str]) -> pd.DataFrame:
    """A portion as MLflow takes it."""
    return pd.DataFrame({"text": portion, "questions": [QUESTION] * len(portion)})


def post(address: str, portion: list[str]) -> int:
    """Ask the server; the result is how many articles it answered."""
    rows = [{"text": text, "questions": QUESTION} for text in portion]
    body = json.dumps({"dataframe_records": rows}).encode()
    request = urllib.request.Request(address, data=body, headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=600) as answer:
        return len(json.load(answer)["predictions"])


def spent(process: psutil.Process) -> float:
    """CPU seconds of this process, and of another with its children."""
    times = [one.cpu_times() for one in (psutil.Process(), process, *process.children(recursive=True))]
    return sum(each.user + each.system for each in times)


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="models:/khabar-quickstart@champion")
    parser.add_argument("--articles", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()

    articles = texts(options.articles)
    model = khabar.load(options.model)
    pyfunc = mlflow.pyfunc.load_model(options.model)
    with served(options.model) as (address, server):

        def in_python(portion: list[str]) -> object:
            return model.predict(portion, [QUESTION])

        ways = {
            "Model.predict": in_python,
            "pyfunc.predict": lambda portion: pyfunc.predict(table(portion)),
            "HTTP": lambda portion: post(address, portion),
        }
        runs: dict[tuple[int, str], Callable[[], object]] = {}
        for size in (len(articles), 32, 1):
            portions = [articles[at : at + size] for at in range(0, len(articles), size)]
            runs[size, "engine.logits"] = bare(model.engine, in_python, portions)
            for name, ask in ways.items():
                runs[size, name] = lambda ask=ask, portions=portions: [ask(portion) for portion in portions]
        wall, cpu = (dict.fromkeys(runs, float("inf")) for _ in range(2))
        for _ in range(options.rounds):
            for key, run in runs.items():
                before, used = time.perf_counter(), spent(server)
                run()
                wall[key] = min(wall[key], time.perf_counter() - before)
                cpu[key] = min(cpu[key], spent(server) - used)
    print(f"{len(articles)} articles of {sum(map(len, articles)) // len(articles):,} characters, one question each")
    print("\n| articles a call | way | CPU ms an article | engine = 1 | over it, ms an article | articles/s |")
    print("|---|---|---|---|---|---|")
    for (size, name), used in cpu.items():
        each, plain = (1000 * value / len(articles) for value in (used, cpu[size, "engine.logits"]))
        rate = len(articles) / wall[size, name]
        print(f"| {size} | {name} | {each:.1f} | {each / plain:.2f} | {each - plain:.1f} | {rate:.1f} |")


if __name__ == "__main__":
    main()
