"""Score a model on a data set, beside the baselines."""

import json
from pathlib import Path
from typing import Literal

from pydantic import Field

from khabar import store
from khabar.config import AuditConfig, DataConfig, MachineConfig, Record, SuiteConfig, TrackConfig
from khabar.errors import ConfigError
from khabar.schema import flat


class Config(Record):
    """Configuration of `khabar evaluate`."""

    data: DataConfig
    audit: AuditConfig
    suite: SuiteConfig
    track: TrackConfig
    machine: MachineConfig
    model: str
    split: Literal["train", "dev", "test"] = "test"
    seed: int = Field(0, ge=0)
    output: str | None = None


def run(config: Config) -> None:
    """Score the tasks that model and data set share, print the tables, log them."""
    from khabar import tracking
    from khabar.commands import _predictions, _reporting, _scoring
    from khabar.data import corpus, dataset, marks
    from khabar.data.fold import TrainingFold
    from khabar.inference.model import load

    print(f"Store: {store.address().uri}")
    model = load(config.model, config.machine)
    offered = config.data.tasks or tuple(corpus.tasks(config.data))
    tasks = {name: task for name, task in model.tasks.items() if name in offered}
    if not tasks:
        raise ConfigError(
            f"{config.model} answers {', '.join(model.tasks)}; the data set {config.data.name} offers "
            f"{', '.join(offered)}. They share no task: choose another data= or model=."
        )
    data = dataset.load(config.data, tasks, config.audit, need=(config.split,))
    fitting = marks.expand_splits(data.splits, tasks)
    trained_on = model.engine.card.data.get("fingerprint")
    if trained_on != data.fingerprint:
        print(
            "The model was trained on other data, or another version of it: its training rows may stand in this split."
        )
    train, dev = TrainingFold(fitting), fitting["dev"]
    rivals = _scoring.baselines(config.suite.baselines if train else (), train, dev, tasks, config.seed)
    if not train and config.suite.baselines:
        print("This data set has no training rows, so there are no baselines to fit.")
    scored = _scoring.score(
        model.engine, rivals, config.split, marks.expand(data.splits[config.split], tasks), flat(tasks),
        config.suite, config.seed, dev,
    )  # fmt: skip
    print(f"\n{_scoring.tables(scored)}")

    tags = {
        "khabar.command": "evaluate",
        "model": config.model,
        "task": "+".join(tasks),
        "data": config.data.name,
        "split": config.split,
        "data.fingerprint": data.fingerprint,
    }
    with tracking.run(config.track.experiment, f"evaluate {config.model}", tags=tags) as tracked:
        _reporting.start(tracked, config, data, (config.split,))
        tracked.log(0, _scoring.track(tracked, scored))
        tracked.note(_scoring.markdown(scored))
        print(f"Run {tracked.id} in experiment {config.track.experiment!r}; khabar ui shows it.")
    if config.output:
        folder = Path(config.output)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "scores.json").write_text(json.dumps(_scoring.plain(scored), indent=1), "utf-8")
        lines = _predictions.lines(scored.examples, scored.answers)
        (folder / "predictions.jsonl").write_text(lines, "utf-8")
        print(f"Written: {folder}/scores.json, {folder}/predictions.jsonl")
