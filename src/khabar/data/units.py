"""What a split must not tear: a unit.

By the rules hash and date that is a group with all groups that copies tie to it, by source and target a source or a
target, and by field the lone article, whose publisher has decided.
"""

import datetime
import functools
import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from khabar.config import SplitConfig
from khabar.data import leaks
from khabar.data.corpus import Corpus
from khabar.data.ties import Ties
from khabar.schema import Article, Example, Task
from khabar.text.folding import fold

if TYPE_CHECKING:
    from khabar.data.duplicates import Copies

UnitOf = Callable[[Article, str | None], str]  # of a question, by its target, on an article

_ISO = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")


def sha(name: str) -> int:
    """The sha256 of a name as a number, the same on every machine."""
    return int(hashlib.sha256(name.encode()).hexdigest(), 16)


def unit_of(
    examples: Sequence[Example],
    corpus: Corpus,
    config: SplitConfig,
    copies: "Copies | None",
    tasks: Mapping[str, Task],
) -> UnitOf:
    """The unit of a question (by its target) on an article; "" where it lacks a source or target to go by."""
    folded = functools.cache(fold)
    if config.rule == "field":
        return lambda article, target: article.id
    if config.rule == "source":
        return lambda article, target: folded(article.source or "")
    if config.rule == "target":
        return lambda article, target: folded(target or "")
    first = {} if copies is None else first_groups(tying(examples, corpus, copies, tasks), corpus)
    return lambda article, target: first.get(article.group, article.group)


def first_groups(tied_by: Sequence[Collection[str]], corpus: Corpus) -> dict[str, str]:
    """Group -> the first of all groups it is tied to, of those that are tied to any."""
    tied: Ties[str] = Ties()
    for first_one, *others in tied_by:
        for group in others:
            tied.join(first_one, group)
    days = first_days(corpus)
    first = {}
    for groups in tied.sets():
        earliest = min(groups, key=lambda group: (days.get(group, "undated"), sha(group)))
        first.update(dict.fromkeys(groups, earliest))
    return first


def tying(
    examples: Sequence[Example], corpus: Corpus, copies: "Copies", tasks: Mapping[str, Task]
) -> list[dict[str, str]]:
    """What ties groups together: for each set of copies that two or more groups hold, those groups, each with a text.

    Texts that are too short tie nothing.
    """
    from khabar.data.duplicates import ties

    holders: defaultdict[int, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for group, text in texts(examples, corpus, tasks):
        if text in copies.cluster:
            holders[copies.cluster[text]][group].append(text)
    found = []
    for by_group in holders.values():
        if len(by_group) > 1:  # asked only where there are copies, for it takes a while with a long text
            long = {group: [text for text in held if ties(text)] for group, held in by_group.items()}
            found.append({group: min(held) for group, held in long.items() if held})
    return [by_group for by_group in found if len(by_group) > 1]


def texts(examples: Sequence[Example], corpus: Corpus, tasks: Mapping[str, Task]) -> set[tuple[str, str]]:
    """Each group with the texts by which it may be tied.

    Articles without an answer count too, so that two tasks on one corpus see the same copies of articles.
    """
    found = {(article.group, article.text) for article in corpus.articles.values()}
    return found | {(each.group, text) for each in examples for text in leaks.texts(each, tasks.get(each.task))}


def first_days(corpus: Corpus) -> dict[str, str]:
    """Group -> the earliest day of its articles, of those groups that have a dated one."""
    days: dict[str, str] = {}
    for article in corpus.articles.values():
        if day := day_of(article):
            days[article.group] = min(day, days.get(article.group, day))
    return days


def day_of(article: Article) -> str | None:
    """The day as YYYY-MM-DD, which sorts as text does; None where there is no date or it is not ISO."""
    day = (article.date or "")[:10]
    try:
        return datetime.date.fromisoformat(day).isoformat() if _ISO.fullmatch(day) else None
    except ValueError:
        return None
