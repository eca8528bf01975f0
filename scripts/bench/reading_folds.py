"""Spans and relations over five grouped folds: every sentence is tested once, by a model that never saw its document.

python -m scripts.bench.reading_folds                       # arabic_event_gsr: actors, triggers, roles (KHABAR_DATA)
python -m scripts.bench.reading_folds --data seeds          # the project's own articles: everything
python -m scripts.bench.reading_folds loop.epochs=2         # any further override of khabar train

Trains one model a fold and fits the baselines to the same rows; the answers of all folds are scored together, so that
an interval rests on every document. Some minutes on two cores.
"""

import argparse
import os
from pathlib import Path
from typing import Any

import yaml

import khabar
from khabar.cli.composer import Composer
from khabar.commands import _cuts, _reading, _scoring, train
from khabar.data import dataset, marks
from khabar.data.fold import TrainingFold
from khabar.evaluation import harness, rows
from khabar.evaluation.scored import Scored
from khabar.schema import flat

FOLDS = 5
LOOP = {
    "windows": "short", "loop.lr": 3e-4, "loop.head_lr": 3e-3, "loop.batch_tokens": 1024, "loop.eval_every": 5.0,
    "machine.precision": "bf16", "track.experiment": "reading_folds", "track.aliases": [], "suite.baselines": [],
}  # fmt: skip
SETS: dict[str, dict[str, Any]] = {
    "arabic_event_gsr": {"task": ["reader_roles"], "loop.epochs": 20.0},
    "seeds": {"task": ["event_type", "reader"], "loop.epochs": 30.0},
}
SHOWN = {
    "spans": ["micro_f1", "micro_precision", "micro_recall", "f1"],
    "single": ["macro_f1", "accuracy", "f1"],
    "multi": ["macro_f1", "micro_f1", "f1"],
}
Parts = dict[str, dict[str, list[Scored]]]  # question -> system -> folds


def main() -> None:
    """Train, answer, score."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", choices=SETS, default="arabic_event_gsr")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("overrides", nargs="*", help="further overrides of khabar train, such as loop.epochs=2")
    args = parser.parse_args()
    asked: dict[str, Any] = {"data": args.data, "seed": args.seed, **LOOP, **SETS[args.data]}
    asked |= {name: yaml.safe_load(value) for name, _, value in (one.partition("=") for one in args.overrides)}
    if args.data != "seeds":
        asked["data.path"] = str(Path(os.environ.get("KHABAR_DATA", "../shared/data")) / args.data)
    parts: Parts = {}
    for fold in range(FOLDS):
        test(asked | {"data.split.folds": FOLDS, "data.split.fold": fold}, parts)
    for name, systems in parts.items():
        pooled = {system: harness.score(Scored.pooled(folds), seed=args.seed) for system, folds in systems.items()}
        kind = next(iter(systems.values()))[0].kind
        print(f"\n{name}\n{harness.table(pooled, SHOWN[kind])}")


def test(asked: dict[str, Any], parts: Parts) -> None:
    """Train on one fold's rows, and add what model and baselines make of the test rows."""
    config = Composer("train").of(asked)
    assert isinstance(config, train.Config)
    engine = khabar.train(asked).load().engine
    engine.name = config.encoder.name
    splits = marks.expand_splits(dataset.load(config.data, config.task, config.audit).splits, config.task)
    rivals = _scoring.baselines(["majority", "rules"], TrainingFold(splits), splits["dev"], config.task, config.seed)
    for predictor in [engine, *rivals]:
        can = flat(predictor.tasks)
        rows_ = [example for example in splits["test"] if example.task in can]
        answers = predictor.predict(rows_)
        found = {}
        for name, task in can.items():
            if own := [example for example in rows_ if example.task == name]:
                found[name] = rows.from_predictions(task, own, answers)
        for name, task in config.task.items():
            if task.marks and can.keys() >= flat({name: task}).keys():
                cuts = (
                    engine.card.thresholds if predictor is engine else _cuts.among_found(predictor, task, splits["dev"])
                )
                found |= _reading.scored(predictor, task, rows_, cuts)
        for name, scored in found.items():
            parts.setdefault(name, {}).setdefault(predictor.name, []).append(scored)


if __name__ == "__main__":
    main()
