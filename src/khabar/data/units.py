"""What a split must not tear: a unit.

By the rules hash and date that is a group with all groups that copies tie to it, by source and target a source or a
target, and by field the lone article, whose publisher has decided.
"""

import datetime
import functools
import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
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
    first = _first_groups(examples, corpus, copies, tasks)
    return lambda article, target: first.get(article.group, article.group)


def _first_groups(
    examples: Sequence[Example], corpus: Corpus, copies: "Copies | None", tasks: Mapping[str, Task]
) -> dict[str, str]:
    """Group -> the first of all groups it is tied to, of those that are tied to any."""
    from khabar.data.duplicates import ties

    if copies is None:
        return {}
    holders: defaultdict[int, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for group, text in texts(examples, corpus, tasks):
        if text in copies.cluster:
            holders[copies.cluster[text]][group].append(text)
    tied: Ties[str] = Ties()
    for by_group in holders.values():
        # asked only where there are copies, for it takes a while with a long text
        groups = [group for group, texts in by_group.items() if any(map(ties, texts))] if len(by_group) > 1 else []
        for group in groups[1:]:
            tied.join(groups[0], group)
    days = first_days(corpus)
    first = {}
    for groups in tied.sets():
        earliest = min(groups, key=lambda group: (days.get(group, "undated"), sha(group)))
        first.update(dict.fromkeys(groups, earliest))
    return first


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
