"""The records that a composed configuration becomes: frozen, strict, nothing unknown.

One class per folder of `configs/`; one YAML file there is one value of it. `Task`, the value of the `task` folder,
stands in `schema.py`, because training, scoring and inference all speak of tasks. No other layer sees a Hydra object.
"""

import json
import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

Fraction = Annotated[float, Field(ge=0, le=1)]


def _as_text(value: object) -> object:
    """A bare number or a bare true, where a name is meant."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


Name = Annotated[str, BeforeValidator(_as_text)]  # of a person, a source, an option: 4 and true are names too


class Record(BaseModel):
    """A frozen, strict record; made from JSON types, so that a list becomes a tuple and no string becomes a number."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    @classmethod
    def of(cls, plain: dict[str, Any]) -> Self:
        """Validate a dict of plain JSON types."""
        return cls.model_validate_json(json.dumps(plain, ensure_ascii=False))


class SplitConfig(Record):
    """How rows become train, dev and test; what is not named here is decided by a hash, the same on every machine.

    `hash`: bucket = sha256(group) mod 100; the first `train` buckets train, the next `dev` dev, the rest test.
    `field`: the article's `meta[field]` decides by the lists `train_values`, `dev_values`, `test_values`.
    `date`: articles from `test_from` on are test, those from `dev_from` on dev, older ones train (ISO dates).
    `source`, `target`: whole sources or targets, the lists first, a hash for those that no list names.
    `folds` cuts the groups by hash into that many folds instead: `fold` is test, the next one dev, the rest train;
    with `inner_fold` dev is that one of the remaining folds, for nested cross-validation.
    `file`: a frozen split, as `khabar ingest` writes it; it goes before the rule, which decides on new articles only.
    """

    rule: Literal["hash", "field", "date", "source", "target"] = "hash"
    train: int = Field(70, ge=0, le=100)
    dev: int = Field(15, ge=0, le=100)
    stratify: bool = False
    folds: int | None = Field(None, ge=3)
    fold: int = Field(0, ge=0)
    inner_fold: int | None = Field(None, ge=0)
    dev_from: str | None = None
    test_from: str | None = None
    field: str = "split"
    train_values: tuple[Name, ...] = ("train",)
    dev_values: tuple[Name, ...] = ("dev",)
    test_values: tuple[Name, ...] = ("test",)
    file: str | None = None

    @property
    def brought(self) -> bool:
        """Whether somebody else decided it, so that khabar may not group duplicates first."""
        return self.rule == "field"

    @property
    def ignored(self) -> tuple[str, ...]:
        """What was set otherwise than by default and that the rule does not look at.

        It is told and no error, for it may have come from the data set's YAML when `rule` alone was changed.
        """
        lists = ("train_values", "dev_values", "test_values")
        unused = {
            "field": ("train", "dev"),
            "date": ("field", *lists),  # by train and dev it advises borders
            "hash": ("field", *lists),
            "source": ("field",),
            "target": ("field",),
        }[self.rule]
        names = (*unused, *(("train", "dev") if self.folds is not None else ()))
        return tuple(name for name in names if getattr(self, name) != type(self).model_fields[name].default)

    @model_validator(mode="after")
    def _fits(self) -> "SplitConfig":
        if self.train + self.dev > 100:
            raise ValueError(f"train + dev is {self.train + self.dev}, over 100 buckets")
        if self.folds is not None:
            if self.rule not in ("hash", "source", "target"):
                raise ValueError(f"folds are cut by a hash; rule is {self.rule}")
            if self.fold >= self.folds:
                raise ValueError(f"fold is {self.fold}, of {self.folds} folds counted from 0")
            if self.inner_fold is not None and self.inner_fold >= self.folds - 1:
                raise ValueError(f"inner_fold is {self.inner_fold}, of {self.folds - 1} remaining folds counted from 0")
            if self.file is not None:
                raise ValueError("a frozen file fixes what is test, so every fold would be the same: leave one out")
        elif self.inner_fold is not None or self.fold:
            name = "inner_fold" if self.inner_fold is not None else "fold"
            raise ValueError(f"{name} needs folds, how many there are: data.split.folds=5")
        if self.stratify and self.rule in ("field", "date"):
            raise ValueError(f"stratify has no say in the rule {self.rule}")
        if self.rule == "date":
            self._dates_fit()
        elif dated := [name for name in ("dev_from", "test_from") if getattr(self, name) is not None]:
            raise ValueError(
                f"{' and '.join(dated)} {'are' if len(dated) > 1 else 'is'} for the rule date, and rule is "
                f"{self.rule}: set data.split.rule=date, or {' '.join(f'data.split.{name}=null' for name in dated)}"
            )
        return self

    def _dates_fit(self) -> None:
        if self.test_from is None:
            raise ValueError("the rule date needs test_from, and dev_from before it where dev is wanted")
        for name in ("dev_from", "test_from"):
            day = getattr(self, name)
            if day is not None and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", day):
                raise ValueError(f"{name} is {day!r}; write the day as YYYY-MM-DD")
        if self.dev_from is not None and self.dev_from >= self.test_from:
            raise ValueError(f"dev_from {self.dev_from} is not before test_from {self.test_from}")


class AnnotatorsConfig(Record):
    """What several annotators' answers come to.

    Gold is what more than half of the votes say, each vote weighing `weights[annotator]` (1 where not named; 0: not
    heard). With an `adjudicator` that annotator's answer is gold wherever there is one. `soft` trains on the shares of
    the votes rather than on the winner, also on rows where none wins; dev and test are scored on gold alone.
    """

    adjudicator: Name | None = None
    weights: dict[str, Annotated[float, Field(ge=0)]] = {}
    soft: bool = False


class DataConfig(Record):
    """A data set: who reads it, from where, which tasks it offers, how it is split.

    No `tasks`: it offers whatever is asked, and its importer can tell what a file answers.
    """

    name: str
    importer: str
    path: str | None = None
    tasks: tuple[str, ...] = ()
    default_tasks: tuple[str, ...] = ()
    label_map: dict[str, dict[str, str]] = {}
    columns: dict[str, str] = {}
    options: dict[str, Name] = {}  # the importer's own; it names those it knows
    split: SplitConfig = SplitConfig()
    annotators: AnnotatorsConfig = AnnotatorsConfig()
    on_leak: Literal["stop", "drop", "warn"] = "stop"  # advised for this set; audit.on_leak overrides it
    on_error: Literal["stop", "skip"] = "stop"
    limit: int | None = Field(None, ge=1)
    licence: str = "not stated"


class AuditConfig(Record):
    """What the leak audit looks for, and what happens to what it finds in a split that was brought along."""

    on_leak: Literal["stop", "drop", "warn"] | None = None  # null: what the data set's YAML advises
    near: float = Field(0.5, gt=0, le=1)  # two texts this alike are copies (Jaccard of character shingles); 1: none
    examples: int = Field(3, ge=1)  # shown of each finding


class EncoderConfig(Record):
    """A pre-trained encoder: a hub id or a folder, and how its texts are normalised."""

    name: str
    model: str
    revision: str = "main"
    max_length: int = Field(512, ge=16)
    normalizer: Literal["arabert_v02", "arabert_v02_twitter", "none"] = "none"
    segmenter: Literal["none", "farasa"] = "none"
    lr: float = Field(2e-5, gt=0, le=1)  # advised for fine-tuning; loop.lr overrides it
    licence: str
    licence_note: str | None = None
    random_weights: bool = False  # for benchmarks: the architecture without its weights


class WindowsConfig(Record):
    """How running text is cut into windows that the encoder reads, in tokens."""

    length: int = Field(512, ge=16)
    stride: int = Field(64, ge=0)
    max_windows: int = Field(16, ge=1)
    question: int = Field(96, ge=4)

    @model_validator(mode="after")
    def _fits(self) -> "WindowsConfig":
        if self.length - self.question - 3 <= 2 * self.stride:
            raise ValueError(
                f"length {self.length} leaves {self.length - self.question - 3} tokens beside a question of "
                f"{self.question}; that must be over twice the stride ({self.stride})"
            )
        return self


class LossConfig(Record):
    """The loss of the heads."""

    class_weights: Literal["none", "balanced"] = "none"
    focal_gamma: float = Field(0.0, ge=0, le=10)
    label_smoothing: float = Field(0.0, ge=0, lt=1)


class MaskingConfig(Record):
    """What pre-training reads and hides: sequences of `length` tokens, texts one after the other.

    `share` of a sequence's tokens is to be guessed, whole words at once with `whole_words`; `pairs` of the sequences
    are two segments, as a question and its text are. `held_out` of the articles tell how well it is done.
    """

    length: int = Field(128, ge=16)
    share: float = Field(0.2, gt=0, lt=1)
    whole_words: bool = False
    pairs: Fraction = 0.15
    held_out: float = Field(0.01, gt=0, lt=1)


class ShapeConfig(Record):
    """The size of an encoder that is begun anew; null: as the encoder it is named after."""

    vocabulary: int | None = Field(None, ge=100)  # learn so many word pieces from the input
    hidden: int | None = Field(None, ge=8)
    layers: int | None = Field(None, ge=1)
    heads: int | None = Field(None, ge=1)
    vectors: bool = False  # begin with word vectors of the input (PPMI-SVD), else at random

    @model_validator(mode="after")
    def _fits(self) -> "ShapeConfig":
        if self.hidden and self.heads and self.hidden % self.heads:
            raise ValueError(f"hidden {self.hidden} is not divisible by heads {self.heads}")
        return self


class LoopConfig(Record):
    """The training loop."""

    epochs: float = Field(5.0, gt=0)
    max_steps: int | None = Field(None, ge=1)
    batch_tokens: int = Field(4096, ge=64)
    accumulate: int = Field(1, ge=1)
    lr: float | None = Field(None, gt=0, le=1)  # null: the encoder's
    head_lr: float | None = Field(None, gt=0, le=1)  # null: lr
    layer_decay: float = Field(1.0, gt=0, le=1)
    weight_decay: float = Field(0.01, ge=0)
    warmup: Fraction = 0.1
    schedule: Literal["linear", "cosine", "constant"] = "linear"
    clip: float = Field(1.0, gt=0)
    dropout: float | None = Field(None, ge=0, lt=1)
    mixing: Fraction = 1.0  # tasks are drawn in proportion to rows ** mixing: 1 as they are, 0 all alike
    repeat: dict[str, Annotated[int, Field(ge=1)]] = {}  # task -> how often an epoch draws its rows
    oversample: Fraction = 0.0  # rows are drawn by (1 / rows of their rarest label) ** oversample: 1 all labels alike
    mask: float = Field(0.0, ge=0, lt=1)  # share of a text's tokens that training hides behind the mask token
    eval_every: float = Field(1.0, gt=0)  # epochs
    checkpoint_every: float = Field(300.0, ge=0)  # seconds; and after every evaluation
    patience: int | None = Field(None, ge=1)  # evaluations without a better dev metric
    keep: Literal["best", "last"] = "best"
    overfit_batch: bool = False  # first learn one batch by heart, on a copy; an error if that fails
    loss: LossConfig = LossConfig()


class SuiteConfig(Record):
    """What an evaluation measures."""

    draws: int = Field(2000, ge=100)
    level: float = Field(0.95, gt=0, lt=1)
    baselines: tuple[Literal["majority", "tfidf", "rules"], ...] = ("majority", "tfidf", "rules")
    calibrate: bool = True


class TrackConfig(Record):
    """What MLflow is told. `model_name` null: `khabar-` and the tasks; an empty `aliases` registers nothing."""

    experiment: str = "khabar"
    run_name: str | None = None
    model_name: str | None = None
    aliases: tuple[str, ...] = ("candidate",)
    log_every: int = Field(10, ge=1)  # steps
    code_diff: bool = True  # what differs from the commit, as an artifact
    system_metrics: bool = True  # processor, memory, disk, network and GPU while the run lasts


class MachineConfig(Record):
    """The device."""

    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    threads: int | None = Field(None, ge=1)
    progress: bool | None = None  # null: a bar where there is a terminal


def project_root() -> Path | None:
    """The checkout this package runs from, or None when it was installed as a wheel."""
    root = Path(__file__).resolve().parents[2]
    return root if (root / "configs").is_dir() and (root / "pyproject.toml").is_file() else None


def resource(relative: str) -> Path:
    """A file or folder that ships with khabar (`configs/...`, `seeds/...`): of the checkout, else of the wheel."""
    return (project_root() or Path(__file__).resolve().parent) / relative


def locate(path: str) -> Path:
    """A path as the user means it: from the current folder, else what ships with khabar under that name."""
    here = Path(os.path.expandvars(path)).expanduser()
    shipped = resource(path)
    return shipped if not here.exists() and path.startswith("seeds/") and shipped.exists() else here
