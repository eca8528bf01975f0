"""Train, dev and test: decided by an article's group or by what the source published, never by chance or by order."""

import hashlib
from collections.abc import Iterable

from khabar.config import SplitConfig
from khabar.data.corpus import Corpus
from khabar.errors import DataError
from khabar.registry import suggest
from khabar.schema import Article, Example

SPLITS = ("train", "dev", "test")
Splits = dict[str, list[Example]]


def bucket(group: str) -> int:
    """The bucket of a group, 0 to 99: the whole sha256 as a number, modulo 100; the same on every machine."""
    return int(hashlib.sha256(group.encode()).hexdigest(), 16) % 100


def assign(article: Article, config: SplitConfig) -> str:
    """The split of an article: "train", "dev" or "test".

    It depends on this article alone, so that adding articles never moves another.

    Raises:
        DataError: the rule is `field`, and the article lacks it or has a value that no split names.
    """
    if config.rule == "hash":
        number = bucket(article.group)
        return "train" if number < config.train else "dev" if number < config.train + config.dev else "test"
    if config.field not in article.meta:
        raise DataError(
            f"The split goes by meta[{config.field!r}], which the article {article.id!r} lacks. "
            f"Set data.split.field. {suggest(config.field, article.meta)}"
        )
    value = str(article.meta[config.field])
    values = {"train": config.train_values, "dev": config.dev_values, "test": config.test_values}
    for split in SPLITS:
        if value in values[split]:
            return split
    listed = "; ".join(f"data.split.{split}_values={list(values[split])}" for split in SPLITS)
    raise DataError(
        f"The article {article.id!r} has {config.field} {value!r}, which no split names. There are: {listed}. "
        "Add it to one of them"
    )


def split(examples: Iterable[Example], corpus: Corpus, config: SplitConfig) -> Splits:
    """The examples by split, in their order."""
    made: Splits = {name: [] for name in SPLITS}
    for example in examples:
        made[assign(corpus.articles[example.article], config)].append(example)
    return made
