"""The nouns: articles and what people or models say of them.

Offsets are code points, half-open, into `Article.text`: all that was published, raw, the headline its first line.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from pydantic import Field, model_validator

from khabar.config import Record

OUTLET = "الناشر"  # the holder of a stance that the outlet itself takes
UNNAMED = "غير مسمى"  # the holder of a stance that nobody in particular takes
GOLD = "gold"

Kind = Literal["single", "multi"]
Offsets = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Article:
    """One published text. `title` is a copy for display and is never encoded; `meta["group"]` keeps kin together."""

    id: str
    text: str
    title: str | None = None
    date: str | None = None
    source: str | None = None
    url: str | None = None
    meta: dict[str, Any] = field(default_factory=dict)

    @property
    def group(self) -> str:
        """What must not be torn apart by a split: a story, document or claim; by default the article itself."""
        return str(self.meta.get("group", self.id))


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """One answer of one annotator: to a task, on an article or a span of it, perhaps to a question.

    `labels=()` is a true "none of them"; a missing answer is no row.
    """

    id: str
    article: str
    annotator: str
    task: str
    labels: tuple[str, ...]
    span: Offsets | None = None
    holder: str | None = None
    target: str | None = None
    evidence: Offsets | None = None
    adjudicates: tuple[str, ...] = ()
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A marked stretch of text on a layer (actor, trigger, claim, ...)."""

    id: str
    article: str
    annotator: str
    layer: str
    start: int
    end: int
    attributes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """A labelled arrow between two spans."""

    id: str
    article: str
    annotator: str
    head: str
    tail: str
    role: str
    label: str | None = None


class Task(Record):
    """A question with a closed set of answers. One YAML of `configs/task/` serves training, scoring and inference."""

    name: str = Field(pattern="^[a-z][a-z0-9_]*$")
    labels: tuple[str, ...] = Field(min_length=2)
    kind: Kind = "single"
    level: Literal["article", "sentence"] = "article"
    asks: tuple[Literal["holder", "target"], ...] = ()
    main_metric: str = "macro_f1"
    pool: Literal["cls", "mean", "max", "attention"] = "mean"
    reads: str | None = None  # the task whose rows it takes, when they are shared (event_quad5 reads event_quad)
    empty_as: str | None = None  # the label that stands for "none of them" in a single-label task
    target_is: Literal["topic", "text"] = "topic"  # text: a claim or headline, which may leak like a text does
    about: dict[str, str] = Field({})  # a definition of each label, one line

    @model_validator(mode="after")
    def _fits(self) -> "Task":
        if len(set(self.labels)) != len(self.labels):
            raise ValueError(f"labels repeat: {', '.join(self.labels)}")
        if unknown := set(self.about) - set(self.labels):
            raise ValueError(f"about defines {', '.join(sorted(unknown))}, not among the labels")
        if self.empty_as is not None and self.empty_as not in self.labels:
            raise ValueError(f"empty_as is {self.empty_as!r}, not among the labels")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One question to a model: which labels of `task` hold of `text[span]` (the whole text without a span)?

    `group` is the cluster of the bootstrap and what a split keeps together. `gold` is None where it is not known.
    """

    id: str
    article: str
    group: str
    task: str
    text: str
    span: Offsets | None = None
    holder: str | None = None
    target: str | None = None
    gold: tuple[str, ...] | None = None
    evidence: Offsets | None = None
    slices: dict[str, str] = field(default_factory=dict)
    soft: dict[str, float] | None = None  # label -> share of the votes, a training target in place of gold

    @property
    def unit_text(self) -> str:
        """The text that is classified."""
        return self.text if self.span is None else self.text[slice(*self.span)]

    @property
    def question(self) -> str | None:
        """Segment A of the encoder's input, None for a task that asks nothing."""
        return question(self.holder, self.target)


def question(holder: str | None, target: str | None) -> str | None:
    """The pair template: holder and target, or the target alone."""
    if target is None:
        return None
    return target if holder is None else f"الجهة: {holder} | الهدف: {target}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """A model's answer to one example: a probability for each label and those it decides for."""

    example: str
    task: str
    probabilities: dict[str, float]
    labels: tuple[str, ...]


class Predictor(Protocol):
    """Anything that answers examples: a bundle, a baseline, a file of another system's answers."""

    name: str
    tasks: dict[str, Task]

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """One prediction for each example, in order."""
        ...
