"""The embedded encoder beside the majority answer and TF-IDF on five public sets, three seeds each.

    OMP_NUM_THREADS=1 python scripts/bench/public_sets.py           # all five, about half an hour
    OMP_NUM_THREADS=1 python scripts/bench/public_sets.py ans mawqif      # some of them

KHABAR_DATA names the folder of the sets (default ../shared/data). Runs are tracked as usual, in the experiment `public
sets`; one that is there already, of the same data and seed, is not trained again. Printed is the mean of the seeds on
test rows with a 95% interval of 2,000 draws of whole groups, each draw the same for all seeds and systems.
"""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from khabar import cli, store
from khabar.commands import train
from khabar.config import project_root
from khabar.data import dataset
from khabar.evaluation import bootstrap, metrics, rows
from khabar.inference.predictors import majority, tfidf
from khabar.schema import Example, Prediction, Task

SEEDS = (0, 1, 2)
DRAWS = 2000
EXPERIMENT = "public sets"
BF16 = "machine.precision=bf16"  # 1.5 times as fast on a processor with avx512_bf16
SETS = {
    "un_quadclass": ("task=event_quad5", "loop.epochs=5", "loop.head_lr=1e-3", "loop.batch_tokens=2048"),
    "unified_fc": (
        *("task=stance_claim", "windows=short", "windows.max_windows=3", "loop.epochs=2", "loop.eval_every=2"),
        "loop.head_lr=1e-3",
    ),
    "arabic_event_gsr": (
        *("task=[event_assault,event_protest]", "loop.epochs=5", "loop.head_lr=1e-3", "loop.batch_tokens=2048"),
    ),
    "ans": ("task=stance_pair", "loop.epochs=5", "loop.head_lr=1e-3", "loop.batch_tokens=2048"),
    "mawqif": ("task=stance_target", "loop.epochs=5", "loop.head_lr=1e-3", "loop.batch_tokens=2048"),
}


def main() -> None:
    """Train what is missing, then print a table for each set."""
    root = project_root() or Path()
    folder = Path(os.environ.get("KHABAR_DATA", root / "../shared/data")).resolve()
    for name in sys.argv[1:] or SETS:
        words = ("data=" + name, f"data.path={folder / name}", *SETS[name], BF16, "suite.baselines=[]")
        print(f"\nkhabar train -m {' '.join(words[:-1]).replace(str(folder), '$KHABAR_DATA')} seed=0,1,2", flush=True)
        configs = [_config(words, seed) for seed in SEEDS]
        ours = [_answers(config) for config in configs]
        _report(configs[0], ours)


def _config(words: Sequence[str], seed: int) -> train.Config:
    overrides = [*words, f"seed={seed}", f"track.experiment={EXPERIMENT}", "track.aliases=[]"]
    config = cli.compose("train", [(key, value) for key, _, value in (word.partition("=") for word in overrides)])
    assert isinstance(config, train.Config)
    return config


def _answers(config: train.Config) -> list[Prediction]:
    """The run's answers to the test rows, trained now unless a finished run of this data is there."""
    client = store.start()
    found = client.get_experiment_by_name(EXPERIMENT)
    digest = dataset.load(config.data, config.task, config.audit).fingerprint
    run = next(
        (
            run
            for run in (client.search_runs([found.experiment_id]) if found else ())
            if run.info.status == "FINISHED"
            and run.data.tags.get("data") == config.data.name
            and run.data.tags.get("seed") == str(config.seed)
            and any(entry.dataset.digest.startswith(digest[:24]) for entry in run.inputs.dataset_inputs)
        ),
        None,
    )
    run_id = run.info.run_id if run else train.train(config).run_id
    lines = Path(client.download_artifacts(run_id, "test/predictions.jsonl")).read_text("utf-8").splitlines()
    return [
        Prediction(
            example=row["example"], task=row["task"], probabilities=row["probabilities"], labels=tuple(row["labels"])
        )
        for row in map(json.loads, lines)
    ]


def _report(config: train.Config, ours: Sequence[Sequence[Prediction]]) -> None:
    data = dataset.load(config.data, config.task, config.audit)
    dev, test = data.splits["dev"], data.splits["test"]
    systems = {
        config.encoder.name: list(ours),
        "majority": [majority.fit(data.training, dev, config.task, 0).predict(test)] * len(SEEDS),
        "TF-IDF + SVM": [tfidf.fit(data.training, dev, config.task, seed).predict(test) for seed in SEEDS],
    }
    for name, task in config.task.items():
        asked = [example for example in test if example.task == name]
        groups = len({example.group for example in asked})
        counts = {label: sum(label in (example.gold or ()) for example in asked) for label in task.labels}
        print(f"{name} on {config.data.name}: {len(asked)} test rows, {groups} groups, {counts}")
        for metric in dict.fromkeys(("macro_f1", task.main_metric)):
            for system, answers in systems.items():
                print(f"  {metric:<10} {system:<14} {_mean(task, asked, answers, metric)}", flush=True)


def _mean(task: Task, asked: Sequence[Example], answers: Sequence[Sequence[Prediction]], metric: str) -> str:
    scored = [rows.from_predictions(task, asked, given) for given in answers]
    values = [float(metrics.compute(each, metric)) for each in scored]
    draws = [bootstrap.replicate(each, [metrics.named(metric)], draws=DRAWS, seed=0)[0] for each in scored]
    low, high = bootstrap.interval(np.mean(draws, axis=0), 0.95)
    return f"{np.mean(values):.3f} [{low:.3f}, {high:.3f}]  seeds {' '.join(f'{value:.3f}' for value in values)}"


if __name__ == "__main__":
    main()
