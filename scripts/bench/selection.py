"""Whether `khabar select` beats random choice: learning curves on un_quadclass, with intervals.

    python scripts/bench/selection.py                        # TF-IDF + SVM, 10 seeds: about a quarter of an hour
    python scripts/bench/selection.py --task event_quad      # the multi-label task
    python scripts/bench/selection.py --mini --seeds 3 --sizes 200,800 --strategies mixed   # the embedded encoder

A point of the embedded encoder takes one to three minutes on two cores.

Reads un_quadclass under KHABAR_DATA (default ../shared/data), split by document hash. Each curve starts from the same
random rows of train for all strategies, trains on what is chosen so far, ranks the rest with `selection.rank`, takes as
many as the next size asks for, and goes on. Every model is scored on dev, where the default strategy is chosen, and on
test, which is reported. Rows are sentences, so that each size costs all strategies the same.

The interval of a difference to random choice is over seeds and documents: each of 2,000 draws takes seeds with
replacement, pairs the strategies within a seed, and weighs the documents of the split anew.

Finished curves are kept in --save, and a later call on the same data and sizes goes on from there.
"""

import argparse
import contextlib
import io
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from khabar import cli
from khabar.config import DataConfig, MachineConfig, resource
from khabar.data import dataset
from khabar.data.fold import TrainingFold
from khabar.data.rows import dumps, plain
from khabar.evaluation import bootstrap, metrics, rows
from khabar.inference import selection
from khabar.inference.predictors import tfidf
from khabar.schema import Article, Example, Label, Predictor, Task

STRATEGIES: tuple[selection.Strategy, ...] = ("mixed", "uncertainty", "diversity", "rare")
DRAWS = 2000


def main() -> None:
    """Draw the curves that are missing, then print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--task", default="event_quad5", choices=("event_quad5", "event_quad"))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--sizes", default="100,200,400,800,1200,1600")
    parser.add_argument("--mini", action="store_true", help="the embedded encoder instead of TF-IDF")
    parser.add_argument("--strategies", default=",".join(STRATEGIES), help="to compare with random choice")
    parser.add_argument("--save", type=Path, help="JSON Lines of finished curves")
    asked = parser.parse_args()
    sizes = [int(size) for size in asked.sizes.split(",")]
    strategies = ["random", *asked.strategies.split(",")]
    task = Task.of(yaml.safe_load(resource(f"configs/task/{asked.task}.yaml").read_text("utf-8")))
    loaded = load(task)
    data = loaded.splits
    told = {name: f"{len(part):,} rows of {len({e.group for e in part})} documents" for name, part in data.items()}
    print(f"{task.name}, {loaded.fingerprint[:12]}: " + "; ".join(f"{name} {what}" for name, what in told.items()))
    done: dict[tuple[int, str], list[dict[str, list[int]]]] = {}
    if asked.save and asked.save.is_file():
        for line in asked.save.read_text("utf-8").splitlines():
            row = json.loads(line)
            if (row["data"], row["sizes"]) == (loaded.fingerprint, sizes):
                done[row["seed"], row["strategy"]] = row["answers"]
    sketch = selection.sketches(example.unit_text for example in data["train"])
    for seed in range(asked.seeds):
        for strategy in strategies:
            if (seed, strategy) not in done:
                answers = curve(data, task, sizes, strategy, seed, sketch, mini if asked.mini else with_tfidf)
                done[seed, strategy] = answers
                if asked.save:
                    with asked.save.open("a", encoding="utf-8") as file:
                        row = {"data": loaded.fingerprint, "sizes": sizes, "seed": seed, "strategy": strategy}
                        file.write(json.dumps({**row, "answers": answers}) + "\n")
    for split in ("dev", "test"):
        report(data[split], task, split, sizes, strategies, asked.seeds, done)


def load(task: Task) -> dataset.Dataset:
    """The data set, split by document."""
    config = yaml.safe_load(resource("configs/data/un_quadclass.yaml").read_text("utf-8"))
    config["path"] = str(Path(os.environ.get("KHABAR_DATA", "../shared/data")) / "un_quadclass")
    return dataset.load(DataConfig.of(config), {task.name: task})


def curve(
    data: Mapping[str, list[Example]],
    task: Task,
    sizes: Sequence[int],
    strategy: Any,  # noqa: ANN401 - a selection.Strategy
    seed: int,
    sketch: selection.Sketches,
    fit: Any,  # noqa: ANN401 - (rows, dev, task, seed) -> Predictor
) -> list[dict[str, list[int]]]:
    """The decisions on dev and test at each size, a bit a label."""
    pool = data["train"]
    chosen = [int(i) for i in np.random.default_rng(seed).permutation(len(pool))[: sizes[0]]]
    answers = []
    for size, following in zip(sizes, [*sizes[1:], None], strict=True):
        model = fit([pool[i] for i in chosen], data["dev"], task, seed)
        answers.append({split: _bits(model, data[split], task) for split in ("dev", "test")})
        if following is None:
            break
        free = np.setdiff1d(np.arange(len(pool)), chosen)
        measured = [
            selection.measure({task.name: np.array([list(answer.probabilities.values())])}, {task.name: task})
            for answer in model.predict([pool[i] for i in free])
        ]
        candidates = selection.Pool(
            ids=[pool[i].id for i in free],
            labels=selection.labels({task.name: task}),
            uncertainty=np.array([uncertainty for uncertainty, _ in measured]),
            present=np.array([present for _, present in measured]),
            sketch=sketch[free],
        )
        gold = rows.gold(task, [pool[i] for i in chosen])
        counted = [k for k, label in enumerate(task.labels) if label != task.empty_as]
        shares = (gold.sum(0)[counted] + 1) / (size + 2)
        picks = selection.rank(
            candidates, following - size, strategy, seed * 1000 + size, shares=shares, taken=sketch[chosen]
        )
        chosen += [int(free[pick.row]) for pick in picks]
    return answers


def with_tfidf(train: list[Example], dev: list[Example], task: Task, seed: int) -> Predictor:
    """The baseline at one strength, so that dev decides on nothing but the temperature and thresholds."""
    return tfidf.fit(TrainingFold({"train": train, "dev": dev}), dev, {task.name: task}, seed, strengths=(1.0,))


def mini(train: list[Example], dev: list[Example], task: Task, seed: int) -> Predictor:
    """The embedded encoder, fine-tuned by `khabar train` in a store of its own."""
    from khabar.commands import train as command
    from khabar.inference.model import load as load_model

    with tempfile.TemporaryDirectory() as folder:
        os.environ["KHABAR_HOME"] = f"{folder}/home"
        path = Path(folder) / "corpus"
        path.mkdir()
        nouns: dict[str, list[Article | Label]] = {"articles.jsonl": [], "annotations.jsonl": []}
        for split, part in (("train", train), ("dev", dev)):
            for e in part:
                nouns["articles.jsonl"].append(Article(e.id, e.text, meta={"group": e.group, "split": split}))
                nouns["annotations.jsonl"].append(
                    Label(id=e.id, article=e.id, annotator="gold", task=task.name, labels=e.gold or (), span=e.span)
                )
        for name, written in nouns.items():
            (path / name).write_text("".join(dumps(plain(noun)) + "\n" for noun in written), "utf-8")
        fields = {
            "data": "seeds", "data.path": str(path), "data.tasks": f"[{task.name}]", "task": f"[{task.name}]",
            "data.default_tasks": f"[{task.name}]", "data.split.rule": "field", "audit.on_leak": "warn",
            "encoder": "mini", "windows": "short", "loop.head_lr": "3e-3", "loop.epochs": "8", "loop.eval_every": "2",
            "loop.batch_tokens": "2048", "suite.baselines": "[]", "track.aliases": "[]", "seed": str(seed),
            "resume": "never",
        }  # fmt: skip
        config = cli.compose("train", list(fields.items()))
        assert isinstance(config, command.Config)
        with contextlib.redirect_stdout(io.StringIO()):
            trained = command.train(config)
        return load_model(f"runs:/{trained.run_id}/bundle", MachineConfig()).engine


def report(
    examples: list[Example],
    task: Task,
    split: str,
    sizes: Sequence[int],
    strategies: Sequence[str],
    seeds: int,
    done: Mapping[tuple[int, str], list[dict[str, list[int]]]],
) -> None:
    """Macro-F1 at each size, and the difference to random choice with its interval."""
    drawn: dict[str, Any] = {}
    value: dict[str, Any] = {}
    metric = metrics.named("macro_f1")
    for strategy in strategies:
        scored = [[_scored(examples, task, at[split]) for at in done[seed, strategy]] for seed in range(seeds)]
        value[strategy] = np.array([[metrics.compute(one, "macro_f1") for one in each] for each in scored])
        drawn[strategy] = np.array(
            [[bootstrap.replicate(one, [metric], draws=DRAWS, seed=0)[0] for one in each] for each in scored]
        )  # [seeds, sizes, draws]
    picked = np.random.default_rng(0).integers(seeds, size=(DRAWS, seeds))
    print(f"\n{split}: macro-F1, mean of {seeds} seeds; below, the difference to random at as many rows, 95% interval")
    print("| rows | " + " | ".join([*map(str, sizes), f"mean of {sizes[1]} to {sizes[-1]}"]) + " |")
    print("|---" * (len(sizes) + 2) + "|")
    for strategy in strategies:
        mean = value[strategy].mean(0)
        print(f"| {strategy} | " + " | ".join(f"{number:.3f}" for number in [*mean, mean[1:].mean()]) + " |")
        if strategy == "random":
            continue
        apart = (value[strategy] - value["random"]).mean(0)
        paired = drawn[strategy] - drawn["random"]
        sample = np.stack([paired[picked[draw], :, draw].mean(0) for draw in range(DRAWS)])  # [draws, sizes]
        columns = [sample[:, at] for at in range(1, len(sizes))] + [sample[:, 1:].mean(1)]
        cells = [
            f"{number:+.3f} [{low:+.3f}, {high:+.3f}]"
            for number, (low, high) in zip(
                [*apart[1:], apart[1:].mean()], (bootstrap.interval(column, 0.95) for column in columns), strict=True
            )
        ]
        print("| | same rows | " + " | ".join(cells) + " |")


def _bits(model: Predictor, examples: list[Example], task: Task) -> list[int]:
    answers = model.predict(examples)
    return [sum(1 << k for k, label in enumerate(task.labels) if label in answer.labels) for answer in answers]


def _scored(examples: list[Example], task: Task, bits: list[int]) -> metrics.Scored:
    pred = (np.array(bits)[:, None] >> np.arange(len(task.labels)) & 1).astype(bool)
    return rows.from_arrays(task, examples, pred.astype(np.float64), pred)


if __name__ == "__main__":
    main()
