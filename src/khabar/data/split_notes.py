"""The split in words: what made it, and which settings and columns had no say in it."""

from collections import Counter
from collections.abc import Iterator

from khabar.config import SplitConfig, locate
from khabar.data import frozen
from khabar.data.corpus import Corpus
from khabar.data.wording import many, shown

NAMED = 5  # values of a column that are named
TOGETHER = "copies stay together"


def rule(config: SplitConfig) -> str:
    """What decides on an article, in one line."""
    made = _rule(config)
    return made if config.file is None else f"frozen in {config.file}; new articles by {made}"


def _rule(config: SplitConfig) -> str:
    if config.rule == "field":
        named = {"train": config.train_values, "dev": config.dev_values, "test": config.test_values}
        return f"meta {config.field!r}, " + "; ".join(f"{name}: {', '.join(named[name]) or '-'}" for name in named)
    if config.rule == "date":
        dev = "" if config.dev_from is None else f"dev from {config.dev_from}, "
        return f"date of the group, {dev}test from {config.test_from}; {TOGETHER}"
    of = "hash of the group" if config.rule == "hash" else f"whole {config.rule}s, by hash where no list names them"
    rare = ", each rare label spread" if config.stratify else ""
    together = f"; {TOGETHER}" if config.rule == "hash" else ""
    return f"{_folds(config)}{of}{_shares(config)}{rare}{together}"


def _folds(config: SplitConfig) -> str:
    if config.folds is None:
        return ""
    remaining = [fold for fold in range(config.folds) if fold != config.fold]
    dev = (config.fold + 1) % config.folds if config.inner_fold is None else remaining[config.inner_fold]
    return f"fold {config.fold} of {config.folds} (from 0) is test, fold {dev} dev; "


def _shares(config: SplitConfig) -> str:
    return "" if config.folds is not None else f", {config.train}/{config.dev}/{100 - config.train - config.dev}"


def notes(config: SplitConfig, corpus: Corpus) -> Iterator[str]:
    """What a person may have meant to decide the split, and does not."""
    if config.ignored:
        by = f"rule {config.rule}" if config.folds is None else f"rule {config.rule}, {config.folds} folds"
        yield f"ignored: {', '.join(f'data.split.{name}' for name in config.ignored)} ({by})"
    if config.file is not None:
        named, here = frozen.read(locate(config.file)).articles, corpus.articles.keys()
        yield (
            f"the frozen split names {many(len(named), 'article')}, {len(named & here):,} here and "
            f"{len(named - here):,} missing; the corpus has {many(len(here), 'article')}, "
            f"{len(here - named):,} new to it"
        )
    elif config.rule != "field" and config.folds is None:
        brought = [
            str(article.meta[config.field]) for article in corpus.articles.values() if config.field in article.meta
        ]
        values = [shown(value) for value, _ in Counter(brought).most_common()]
        if brought:
            some = "" if len(brought) == len(corpus.articles) else f"{len(brought):,} of {len(corpus.articles):,} "
            more = ", ..." if len(values) > NAMED else ""
            yield (
                f"{some or 'the '}articles bring a split (meta {config.field!r}: {', '.join(values[:NAMED])}{more}), "
                f"which rule={config.rule} does not use: data.split.rule=field keeps it"
            )
