"""Annotations become examples: one question each, with the answer that the annotators settle on."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

from khabar.config import AnnotatorsConfig
from khabar.data import marks
from khabar.data.corpus import Corpus
from khabar.errors import ConfigError
from khabar.registry import suggest
from khabar.schema import GOLD, Article, Example, Label, Offsets, Task, question

LONG = {"sentence": 30, "article": 350}  # words; 350 are about what one window of 512 tokens holds
RARE = 20  # a source with fewer examples is the slice "other": no interval says anything of it
NO_MAJORITY = "no majority"
NONE = "(none of them)"  # an empty answer, as it is shown


class Unit(NamedTuple):
    """What is answered: an article or a span of it, perhaps with a question. All rows of one unit are votes on it."""

    article: str
    span: Offsets | None
    holder: str | None
    target: str | None


def examples(
    corpus: Corpus,
    task: Task,
    annotators: AnnotatorsConfig = AnnotatorsConfig(),  # noqa: B008 - frozen
) -> tuple[list[Example], dict[str, int]]:
    """The examples of a task, in an order that depends on ids alone, and how many units were dropped, by reason.

    With `annotators.soft`, an example that votes decide has their shares in `soft`, and a unit without a majority is
    kept, with `gold` None: something to train on, never to be scored on. What `gold` or the adjudicator answered is
    hard, its `soft` None. The count "not annotated" is of articles that have no row of the task at all, not
    even a bad one.

    Raises:
        ConfigError: no row of the corpus is by an annotator whom `annotators` names.
    """
    check_names(annotators, corpus)
    if task.marks:
        return marks.examples(corpus, task, annotators)
    answered = units(corpus, task)
    overruled = {name for row in corpus.labels for name in row.adjudicates}
    made: list[Example] = []
    dropped: Counter[str] = Counter()
    for unit, given in answered.items():
        rows = [row for row in given if row.id not in overruled]
        labels, reason = gold(rows, task, annotators)
        shares = soft(rows, task, annotators) if annotators.soft and reason in ("", NO_MAJORITY) else None
        if labels is None and shares is None:
            dropped[reason] += 1
        else:
            example = _example(corpus.articles[unit.article], unit, task, labels, _heard(rows, annotators)[0])
            made.append(replace(example, soft=shares))
    refused = {article for article, name in corpus.refused if name in (task.name, task.reads)}
    if missing := len(corpus.articles.keys() - {unit.article for unit in answered} - refused):
        dropped["not annotated"] = missing
    return _fold_sources(made), dict(dropped)


def units(corpus: Corpus, task: Task) -> dict[Unit, list[Label]]:
    """The rows of a task by what they answer, in an order that depends on ids alone.

    Where a unit has answers to the task itself, those to the task it reads are left out.
    """
    found: defaultdict[Unit, list[Label]] = defaultdict(list)
    for row in corpus.labels:
        if row.task in (task.name, task.reads):
            found[Unit(row.article, row.span, row.holder, row.target)].append(row)
    return {
        unit: [row for row in found[unit] if row.task == task.name] or found[unit]
        for unit in sorted(found, key=_order)
    }  # fmt: skip


def gold(
    rows: Sequence[Label],
    task: Task,
    annotators: AnnotatorsConfig = AnnotatorsConfig(),  # noqa: B008 - frozen
) -> tuple[tuple[str, ...] | None, str]:
    """The answer that the rows on one unit settle on, or None and the reason.

    Annotator `gold` wins, then the adjudicator. Else each answer of an annotator is a vote of the annotator's weight
    (the same answer twice is one vote, two different ones are two; nobody hears a weight of 0): a label is gold when
    more than half of the weight gives it, and "none of them" is the answer when no label reaches that and more than
    half of the weight is empty. In a single-label task "none of them" is `empty_as`.
    """
    votes = _votes(rows, annotators)
    if not votes:
        return None, "no answer left"
    total = sum(weight for _, weight in votes)
    agreed = {name for name, weight in _weigh(votes).items() if 2 * weight > total}
    if not agreed and 2 * sum(weight for labels, weight in votes if not labels) <= total:
        return None, NO_MAJORITY
    if task.kind == "multi":
        return tuple(name for name in task.labels if name in agreed), ""
    if len(agreed) > 1:
        return None, "two or more labels"
    if not agreed:
        return (None, "none of the labels") if task.empty_as is None else ((task.empty_as,), "")
    return tuple(agreed), ""


def soft(rows: Sequence[Label], task: Task, annotators: AnnotatorsConfig) -> dict[str, float] | None:
    """The share of the votes on one unit that each label of the task has, by weight, or None where no vote is taken.

    Multi-label: the share of the votes that give the label. Single-label: a distribution, in which a vote for several
    labels counts for each in equal parts and an empty one for `empty_as`. None where `gold` or the adjudicator
    answered, and where a single-label task has an empty vote and no label for it.
    """
    votes = _votes(rows, annotators)
    if not votes or _heard(rows, annotators)[1]:
        return None
    if task.kind == "single":
        if task.empty_as is not None:
            votes = [(labels or frozenset({task.empty_as}), weight) for labels, weight in votes]
        elif not all(labels for labels, _ in votes):
            return None
        votes = [(frozenset({name}), weight / len(labels)) for labels, weight in votes for name in labels]
    total, given = sum(weight for _, weight in votes), _weigh(votes)
    return {name: float(given[name] / total) for name in task.labels}


def check_names(annotators: AnnotatorsConfig, corpus: Corpus) -> None:
    """See that everybody whom a configuration names has annotated something.

    Raises:
        ConfigError: somebody has not; the message lists the annotators and the nearest.
    """
    exist = {row.annotator for row in corpus.labels} | {row.annotator for row in corpus.spans}
    for name in [*annotators.weights, *([] if annotators.adjudicator is None else [annotators.adjudicator])]:
        if name not in exist:
            raise ConfigError(f"data.annotators names {name!r}, who annotated nothing here. {suggest(name, exist)}")


def example_id(article: str, span: Offsets | None, holder: str | None, target: str | None) -> str:
    """A stable id: `article#start-end?question`, the question as the first 16 hex digits of its sha256."""
    asked = question(holder, target)
    place = "" if span is None else f"#{span[0]}-{span[1]}"
    digest = "" if asked is None else f"?{hashlib.sha256(asked.encode()).hexdigest()[:16]}"
    return f"{article}{place}{digest}"


def _heard(rows: Sequence[Label], annotators: AnnotatorsConfig) -> tuple[list[Label], bool]:
    """The rows that decide, and whether they do so alone, as `gold` or the adjudicator, rather than by a vote."""
    for name in (GOLD, annotators.adjudicator):
        if deciding := [row for row in rows if row.annotator == name]:
            return deciding, True
    return [row for row in rows if annotators.weights.get(row.annotator, 1) > 0], False


def _votes(rows: Sequence[Label], annotators: AnnotatorsConfig) -> list[tuple[frozenset[str], Fraction]]:
    heard, alone = _heard(rows, annotators)
    weights = {} if alone else annotators.weights
    # exact fractions: 0.1 and 0.2 against 0.3 is a tie, and the order of the rows does not count
    return [
        (labels, Fraction(str(weights.get(annotator, 1))))
        for annotator, labels in {(row.annotator, frozenset(row.labels)) for row in heard}
    ]


def _weigh(votes: Iterable[tuple[frozenset[str], Fraction]]) -> defaultdict[str, Fraction]:
    given: defaultdict[str, Fraction] = defaultdict(Fraction)
    for labels, weight in votes:
        for name in labels:
            given[name] += weight
    return given


def _example(
    article: Article, unit: Unit, task: Task, labels: tuple[str, ...] | None, winners: Sequence[Label]
) -> Example:
    answer = None if labels is None else set(labels) - ({task.empty_as} if task.kind == "single" else set())
    shown = [row for row in winners if row.evidence is not None and set(row.labels) - {task.empty_as} == answer]
    example = Example(
        id=example_id(*unit),
        article=article.id,
        group=article.group,
        task=task.name,
        text=article.text,
        span=unit.span,
        holder=unit.holder,
        target=unit.target,
        gold=labels,
        evidence=min(shown, key=lambda row: row.id).evidence if shown else None,
    )
    slices = {"length": "long" if len(example.unit_text.split()) > LONG[task.level] else "short"}
    if article.source:
        slices["source"] = article.source
    return replace(example, slices=slices)


def _fold_sources(made: list[Example]) -> list[Example]:
    counts = Counter(example.slices["source"] for example in made if "source" in example.slices)
    return [
        replace(example, slices={**example.slices, "source": "other"})
        if 0 < counts[example.slices.get("source", "")] < RARE
        else example
        for example in made
    ]


def _order(unit: Unit) -> tuple[str, Offsets, str, str]:
    return unit.article, unit.span or (-1, -1), unit.holder or "", unit.target or ""
