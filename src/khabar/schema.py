"""The nouns: articles and what people or models say of them.

Offsets are code points, half-open, into `Article.text`: all that was published, raw, the headline its first line.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol, get_args

from pydantic import Field, model_validator

from khabar.config import Record

OUTLET = "الناشر"  # the holder of a stance that the outlet itself takes
UNNAMED = "غير مسمى"  # the holder of a stance that nobody in particular takes
HOLDERS = (OUTLET, UNNAMED)  # of a stance, where no span holds it
GOLD = "gold"

Kind = Literal["single", "multi", "spans"]
Layer = Literal["actor", "event", "claim"]
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
    """A labelled arrow between two spans; the head of a stance may be `OUTLET` or `UNNAMED` instead."""

    id: str
    article: str
    annotator: str
    head: str
    tail: str
    role: str
    label: str | None = None


class Task(Record):
    """A question with a closed set of answers. One YAML of `configs/task/` serves training, scoring and inference.

    A task of kind `spans` marks stretches of text, its labels are their layers, and its `heads` are questions about
    what is marked: of level `span`, about each span of a layer in `on` (the answer is the span's attribute of the
    head's name); of level `pair`, about a span of `on` and one of `to` (the answer is a relation: its role, or its
    label where the role is the head's name).
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?$")
    labels: tuple[str, ...] = Field(min_length=2)
    kind: Kind = "single"
    level: Literal["article", "sentence", "span", "pair"] = "article"
    asks: tuple[Literal["holder", "target"], ...] = ()
    main_metric: str = "macro_f1"
    pool: Literal["cls", "mean", "max", "attention"] = "mean"
    reads: str | None = None  # the task whose rows it takes, when they are shared (event_quad5 reads event_quad)
    empty_as: str | None = None  # the label that stands for "none of them" in a single-label task
    target_is: Literal["topic", "text"] = "topic"  # text: a claim or headline, which may leak like a text does
    about: dict[str, str] = Field({})  # a definition of each label, one line
    on: tuple[Layer, ...] = ()
    to: tuple[Layer, ...] = ()
    heads: "dict[str, Task]" = Field({})

    @model_validator(mode="after")
    def _fits(self) -> "Task":
        if len(set(self.labels)) != len(self.labels):
            raise ValueError(f"labels repeat: {', '.join(self.labels)}")
        if unknown := set(self.about) - set(self.labels):
            raise ValueError(f"about defines {', '.join(sorted(unknown))}, not among the labels")
        if self.empty_as is not None and self.empty_as not in self.labels:
            raise ValueError(f"empty_as is {self.empty_as!r}, not among the labels")
        if self.marks and (unknown := set(self.labels) - set(get_args(Layer))):
            raise ValueError(f"labels of kind spans are actor, event or claim, not {', '.join(sorted(unknown))}")
        if self.heads and not self.marks:
            raise ValueError(f"heads are about what a task of kind spans marks; kind is {self.kind}")
        for name, head in self.heads.items():
            if name != head.name:
                raise ValueError(f"the head {name!r} calls itself {head.name!r}")
            if lacking := {*head.on, *head.to} - set(self.labels):
                raise ValueError(f"the head {name!r} is about {', '.join(sorted(lacking))}, which labels do not mark")
            if not head.on or bool(head.to) != (head.level == "pair"):
                raise ValueError(f"the head {name!r} is of level {head.level}: give `on`, and `to` for a pair alone")
        return self

    @property
    def empty(self) -> int | None:
        """The column of the empty label of a single-label question about pairs, None of any other.

        Most pairs have no relation: such a question decides for one by a threshold.
        """
        asks_all = self.level == "pair" and self.kind == "single" and self.empty_as is not None
        return self.labels.index(self.empty_as or "") if asks_all else None

    @property
    def reads_whole(self) -> bool:
        """Whether an article can be read with it: events need types and participants."""
        return self.marks and {"type", "role"} <= self.heads.keys()

    @property
    def links(self) -> bool:
        """Whether it asks about two spans of a kind, if they are one; that does not hang on how sure either is."""
        return self.level == "pair" and self.on == self.to

    @property
    def marks(self) -> bool:
        """Whether it marks spans, rather than labels a unit it is given."""
        return self.kind == "spans"


def overlap(one: Offsets, other: Offsets) -> bool:
    """Whether two stretches share a character."""
    return one[0] < other[1] and other[0] < one[1]


def flat(tasks: Mapping[str, Task]) -> dict[str, Task]:
    """All questions that tasks ask, each under its own name: a task, then its heads as `TASK.HEAD`."""
    found: dict[str, Task] = {}
    for name, task in tasks.items():
        found[name] = task
        for head in task.heads.values():
            found[f"{name}.{head.name}"] = head.model_copy(update={"name": f"{name}.{head.name}"})
    return found


@dataclass(frozen=True, slots=True)
class Marks:
    """What one annotator marked in an article: its sentences, headline first, spans by place, and relations."""

    sentences: tuple[Offsets, ...]
    spans: tuple[Span, ...]
    relations: tuple[Relation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One question to a model: which labels of `task` hold of `text[span]` (the whole text without a span)?

    `group` is the cluster of the bootstrap and what a split keeps together. `gold` is None where it is not known. Of a
    task that marks, `span` is the sentence to mark, `gold` the layers that occur in it and `marks` those of its
    article. Of a question about marks, `span` is the head (None: `holder`, the outlet or somebody unnamed), `tail` the
    other span of a pair, and `within` the sentence.
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
    tail: Offsets | None = None
    within: Offsets | None = None
    marks: Marks | None = None

    @property
    def unit_text(self) -> str:
        """The text that is classified; of a question about marks, its sentence."""
        place = self.within or self.span
        return self.text if place is None else self.text[slice(*place)]

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
    """A model's answer to one example: a probability for each label and those it decides for.

    Of a task that marks: the spans it found in the sentence, and for each layer the highest probability.
    """

    example: str
    task: str
    probabilities: dict[str, float]
    labels: tuple[str, ...]
    spans: "tuple[Found, ...]" = ()


class Found(NamedTuple):
    """A span that a model found: layer, offsets, probability."""

    layer: str
    start: int
    end: int
    score: float


class Predictor(Protocol):
    """Anything that answers examples: a bundle, a baseline, a file of another system's answers."""

    name: str
    tasks: dict[str, Task]

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """One prediction for each example, in order."""
        ...
