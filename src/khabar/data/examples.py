"""Annotations become examples: one question each, with the answer that the annotators settle on."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from khabar.data.corpus import Corpus
from khabar.schema import GOLD, Article, Example, Label, Offsets, Task, question

LONG = {"sentence": 30, "article": 350}  # words; 350 are about what one window of 512 tokens holds
RARE = 20  # a source with fewer examples is the slice "other": no interval says anything of it


class Unit(NamedTuple):
    """What is answered: an article or a span of it, perhaps with a question. All rows of one unit are votes on it."""

    article: str
    span: Offsets | None
    holder: str | None
    target: str | None


def examples(corpus: Corpus, task: Task) -> tuple[list[Example], dict[str, int]]:
    """The examples of a task, in an order that depends on ids alone, and how many units were dropped, by reason.

    The count "not annotated" is of articles that have no row of the task at all.
    """
    units: defaultdict[Unit, list[Label]] = defaultdict(list)
    for row in corpus.labels:
        if row.task in (task.name, task.reads):
            units[Unit(row.article, row.span, row.holder, row.target)].append(row)
    overruled = {name for row in corpus.labels for name in row.adjudicates}
    made: list[Example] = []
    dropped: Counter[str] = Counter()
    for unit in sorted(units, key=_order):
        # an answer to the task itself goes before one to the task it reads
        own = [row for row in units[unit] if row.task == task.name] or units[unit]
        rows = [row for row in own if row.id not in overruled]
        labels, reason = gold(rows, task)
        if labels is None:
            dropped[reason] += 1
        else:
            made.append(_example(corpus.articles[unit.article], unit, task, labels, rows))
    if missing := len(corpus.articles.keys() - {unit.article for unit in units}):
        dropped["not annotated"] = missing
    return _fold_sources(made), dict(dropped)


def gold(rows: Sequence[Label], task: Task) -> tuple[tuple[str, ...] | None, str]:
    """The answer that the rows on one unit settle on, or None and the reason.

    Annotator `gold` wins. Else each answer of an annotator is a vote (the same answer twice is one vote, two different
    ones are two): a label is gold when more than half of the votes give it, and "none of them" is the answer when no
    label reaches that and more than half of the votes are empty. In a single-label task "none of them" is `empty_as`.
    """
    votes = _votes([row for row in rows if row.annotator == GOLD] or rows)
    if not votes:
        return None, "no answer left"
    given = Counter(name for vote in votes for name in vote)
    agreed = tuple(name for name, count in given.items() if 2 * count > len(votes))
    if not agreed and 2 * sum(not vote for vote in votes) <= len(votes):
        return None, "no majority"
    if task.kind == "multi":
        return tuple(name for name in task.labels if name in agreed), ""
    if len(agreed) > 1:
        return None, "two or more labels"
    if not agreed:
        return (None, "none of the labels") if task.empty_as is None else ((task.empty_as,), "")
    return agreed, ""


def example_id(article: str, span: Offsets | None, holder: str | None, target: str | None) -> str:
    """A stable id: `article#start-end?question`, the question as the first 16 hex digits of its sha256."""
    asked = question(holder, target)
    place = "" if span is None else f"#{span[0]}-{span[1]}"
    digest = "" if asked is None else f"?{hashlib.sha256(asked.encode()).hexdigest()[:16]}"
    return f"{article}{place}{digest}"


def _votes(rows: Iterable[Label]) -> list[frozenset[str]]:
    return [labels for _, labels in {(row.annotator, frozenset(row.labels)) for row in rows}]


def _example(article: Article, unit: Unit, task: Task, labels: tuple[str, ...], rows: Sequence[Label]) -> Example:
    winners = [row for row in rows if row.annotator == GOLD] or rows
    answer = set(labels) - ({task.empty_as} if task.kind == "single" else set())
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
