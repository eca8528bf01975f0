"""Fine-tune an encoder, track the run, score it, write the bundle, register the model."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from khabar import store
from khabar.commands._dev import Dev
from khabar.commands._trained import Trained, finish
from khabar.config import (
    AuditConfig,
    DataConfig,
    EncoderConfig,
    LoopConfig,
    MachineConfig,
    Record,
    SuiteConfig,
    TrackConfig,
    WindowsConfig,
)
from khabar.errors import ConfigError
from khabar.schema import Task, flat

if TYPE_CHECKING:
    from torch import nn

    from khabar.data.dataset import Dataset
    from khabar.inference.engine import Engine
    from khabar.models.encoder import Encoder
    from khabar.tracking import Run


IN_NAME = ("encoder", "task", "data", "seed", "data.split.fold", "data.split.inner_fold")


class Config(Record):
    """Configuration of `khabar train`."""

    data: DataConfig
    audit: AuditConfig
    task: dict[str, Task] = Field(min_length=1)
    encoder: EncoderConfig
    windows: WindowsConfig
    loop: LoopConfig
    suite: SuiteConfig
    track: TrackConfig
    machine: MachineConfig
    seed: int = Field(0, ge=0)
    resume: str = "auto"
    from_run: str | None = None

    def named(self, said: str = "") -> str:
        """What the run is called in the UI; `said` are the overrides that tell it from the others of a sweep."""
        split = self.data.split
        fold = "" if split.folds is None else f" f{split.fold}"
        fold += "" if split.inner_fold is None else f".{split.inner_fold}"
        made = f"{self.encoder.name} {'+'.join(self.task)} {self.data.name}{fold} s{self.seed}"
        own = [each for each in said.split() if each.partition("=")[0] not in IN_NAME]
        return " ".join([self.track.run_name or made, *own])

    @property
    def tags(self) -> dict[str, str]:
        """What the UI filters and groups by."""
        fold = {} if self.data.split.folds is None else {"fold": str(self.data.split.fold)}
        return {
            "task": "+".join(self.task),
            "encoder": self.encoder.name,
            "data": self.data.name,
            "seed": str(self.seed),
            **fold,
        }

    @property
    def model_name(self) -> str:
        """What the model is registered as: aliases compare equal task sets only."""
        return self.track.model_name or f"khabar-{'-'.join(self.task)}"


def run(config: Config) -> None:
    """Train once."""
    train(config)


def rebuilt(run_id: str) -> dict[str, Any]:
    """The configuration of an earlier run, for `from_run`.

    Raises:
        ConfigError: there is no such run, or it trained nothing.
    """
    from khabar.commands import _earlier

    return {**_earlier.find(run_id).config, "resume": "auto"}


def multirun(configs: Sequence[tuple[list[str], Config]]) -> None:
    """Train every configuration under one parent run; repeats by seed or fold are summed up in a run of their own."""
    from khabar.commands import _multirun

    _multirun.run(configs, train)


def train(config: Config, parent: str | None = None, said: str = "") -> Trained:
    """Train once, under a parent run or none."""
    from khabar.commands import _earlier, _unfinished
    from khabar.data import dataset
    from khabar.models import encoder as encoders

    encoders.check(config.encoder)
    if unknown := set(config.loop.repeat) - set(config.task):
        raise ConfigError(f"loop.repeat names {', '.join(unknown)}; the tasks are {', '.join(config.task)}.")
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise ConfigError("khabar train runs in one process; start it without `accelerate launch` or `torchrun`.")
    print(f"Store: {store.address().uri}")
    data = dataset.load(config.data, config.task, config.audit)
    print(data.summary())
    earlier = _earlier.find(config.from_run) if config.from_run else None
    if earlier:
        print(earlier.compared(config, data))
    print(encoders.licence_line(config.encoder), flush=True)
    tags = {"khabar.command": "train", **config.tags, "data.fingerprint": data.fingerprint}
    tags["data.corpus"] = data.corpus.fingerprint
    tags |= {"overrides": said} if said else {}
    tags |= {"from_run": config.from_run} if config.from_run else {}
    key = _unfinished.key(config, data.fingerprint, "resume", "from_run", "track")
    name, experiment = config.named(said), config.track.experiment
    with _unfinished.run(config.resume, key, experiment, name, tags, parent) as (tracked, folder):
        trained = _train(config, data, tracked, folder)
    if earlier:
        print(earlier.result(trained.metrics))
    return trained


def _train(config: Config, data: "Dataset", tracked: "Run", folder: Path) -> Trained:
    from accelerate.utils import set_seed

    from khabar.commands import _looping, _reporting
    from khabar.data import marks
    from khabar.data.fold import TrainingFold
    from khabar.models import encoder as encoders
    from khabar.models.classifier import Classifier
    from khabar.models.pieces import PART
    from khabar.models.windows import Windower
    from khabar.training.sampling import ClassificationWork

    set_seed(config.seed)
    encoder = encoders.load(config.encoder, dropout=config.loop.dropout)
    _reporting.start(tracked, config, data, tuple(data.splits))
    tracked.tags({f"encoder.{key}": str(value)[:500] for key, value in encoder.source.items()})
    report = _reporting.report(data, encoder.tokenizer, f"those of {config.encoder.name}", windows=config.windows)
    for name, text in {"report.txt": report.to_text(), **_reporting.files(report)}.items():
        tracked.text(text, f"data/{name}")
    tracked.text(report.to_card(), "data_card.md")
    if told := _reporting.actions(report):
        print(f"Worth mending in the data (all of it: the run's artifact data/report.html):\n{told}", flush=True)
    classifier = Classifier(
        encoder.model,
        config.task,
        uses_token_types=encoder.uses_token_types,
        dropout=0.1 if config.loop.dropout is None else config.loop.dropout,
    )
    card = _card(config, encoder, data)
    windower = Windower(encoder.tokenizer, config.windows, encoder.max_length, flat(config.task))
    asked = marks.expand_splits(data.splits, config.task)
    training = TrainingFold(asked)
    passes = windower.passes(training)
    units = sum(int((item.examples != PART).sum()) for item in passes)
    windows = sum(len(item.ids) for item in passes)
    longest = min(config.windows.length, encoder.max_length)
    print(f"{units:,} examples in {windows:,} windows of at most {longest} tokens.")
    if str(windower.cut):
        print(str(windower.cut))
    tracked.log(
        0,
        {"train/cut_text_tokens": windower.cut.text_tokens, "train/cut_question_tokens": windower.cut.question_tokens},
    )

    work = ClassificationWork(
        passes,
        training,
        config.task,
        encoder.pad_id,
        config.loop.batch_tokens,
        config.loop.mixing,
        config.loop.loss,
        config.seed,
        config.loop.repeat,
        config.loop.oversample,
        config.loop.mask,
        _mask_id(encoder, config),
    )
    dev = Dev(asked["dev"], config.task)

    def evaluate(model: "nn.Module") -> dict[str, float]:
        return dev.metrics(_engine(model, card, encoder, config))

    outcome = _looping.run(config, classifier, work, tracked, folder, evaluate if dev.examples else None)
    return finish(config, data, tracked, folder, classifier, encoder, card, dev, outcome)


def _engine(classifier: "nn.Module", card: Any, encoder: "Encoder", config: Config) -> "Engine":  # noqa: ANN401
    from khabar.inference.predictors.bundle import in_memory
    from khabar.models.classifier import Classifier

    assert isinstance(classifier, Classifier)
    return in_memory(classifier, card, encoder.tokenizer, config.machine)


def _mask_id(encoder: "Encoder", config: Config) -> int | None:
    found = [encoder.tokenizer.token_to_id(token) for token in ("[MASK]", "<mask>")]
    known = next((number for number in found if number is not None), None)
    if config.loop.mask and known is None:
        raise ConfigError(f"loop.mask={config.loop.mask}: the tokenizer of {config.encoder.name} has no mask token.")
    return known


def _card(config: Config, encoder: "Encoder", data: "Dataset") -> Any:  # noqa: ANN401 - Card, whose import takes time
    from importlib.metadata import version

    from khabar.models.bundle import Card

    asked = flat(config.task)
    cut = {name: task for name, task in asked.items() if task.kind != "single"}
    rare = {name: (0.5,) for name, task in asked.items() if task.empty is not None}
    return Card(
        khabar=version("khabar"),
        tasks=config.task,
        temperature=dict.fromkeys(asked, 1.0),
        thresholds={**{name: (0.5,) * len(task.labels) for name, task in cut.items()}, **rare},
        windows=config.windows,
        max_length=encoder.max_length,
        pad_id=encoder.pad_id,
        uses_token_types=encoder.uses_token_types,
        encoder={"name": config.encoder.name, "licence_note": config.encoder.licence_note, **encoder.source},
        data={"name": config.data.name, "fingerprint": data.fingerprint, "licence": config.data.licence},
        seed=config.seed,
    )
