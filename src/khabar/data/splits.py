"""Train, dev and test: a rule names one for each unit, by its hash, date or name, never by chance or by order."""

import difflib
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from khabar.config import SplitConfig, locate
from khabar.data import frozen
from khabar.data.corpus import Corpus
from khabar.data.frozen import SPLITS, Frozen
from khabar.data.units import UnitOf, day_of, first_days, sha, unit_of
from khabar.errors import ConfigError, DataError
from khabar.registry import suggest
from khabar.schema import Article, Example, Task
from khabar.text.folding import fold

if TYPE_CHECKING:
    from khabar.data.duplicates import Copies

RARE = 200  # a label that fewer units carry is balanced; with more units the hash comes as near by itself (LOG.md)

Splits = dict[str, list[Example]]
Units = Mapping[str, Sequence[Example]]  # unit -> its examples


def bucket(group: str) -> int:
    """The bucket of a group, 0 to 99: the whole sha256 as a number, modulo 100; the same on every machine."""
    return sha(group) % 100


def split(
    examples: Sequence[Example],
    corpus: Corpus,
    config: SplitConfig,
    copies: "Copies | None" = None,
    tasks: Mapping[str, Task] = {},
) -> Splits:
    """The examples by split, in their order; the order does not decide anything.

    `copies` (of the texts of this corpus) ties groups together under the rules hash and date: those that share a
    whole article, a classified text, or a target that is a text (`tasks` tells). Tied groups go where the earliest
    dated one of them goes (the day; of equals, and where none is dated, the one of smallest sha256), so that a later
    copy follows its original. The other rules leave copies to the audit: to tie them would undo what was asked.

    What new articles can move:

    - By hash, source, target and field, and by folds of these: nothing, if they are copies of nothing and belong to new
      groups, or to old ones without copies. A new copy moves the groups it is tied to only where it becomes the first
      of them (dated before them; or, where days do not tell, as in an undated corpus, of smaller sha256) or where it
      ties groups that were apart.
    - By date: nothing, if they are copies of nothing and belong to new groups. One that lies before a border takes the
      later articles of its group, and their copies, along.
    - With `stratify`: also groups near a border, or more when a label ceases to be rare or another becomes the rarest.
    - With a frozen split (`config.file`): no row that the file names, whatever happens. A new article goes with those
      of its unit that the file names (test before dev before train, where they disagree), else by the rule.

    Raises:
        ConfigError: a source or target named in `config` does not exist.
        DataError: an article lacks what the rule goes by, or no article lies where the dates look for them, or the
            file of the frozen split is missing, bad or of another corpus.
    """
    unit_for = unit_of(examples, corpus, config, copies, tasks)
    own = [unit_for(corpus.articles[example.article], example.target) for example in examples]
    units: defaultdict[str, list[Example]] = defaultdict(list)
    for unit, example in zip(own, examples, strict=True):
        units[unit].append(example)
    kept = Frozen({}) if config.file is None else frozen.of_corpus(locate(config.file), corpus)
    held = _held(kept, corpus, unit_for)
    decided = {**_decide(units, held, corpus, config), **held}
    made: Splits = {name: [] for name in SPLITS}
    for unit, example in zip(own, examples, strict=True):
        made[kept.of(example.article, example.target) or decided[unit]].append(example)
    if config.rule == "date":
        _check_dates(made, corpus, config)
    return made


def freeze(splits: Splits, path: Path, corpus: Corpus, config: SplitConfig) -> None:
    """Write the splits as a file for `config.file`: ids only, no text of an article."""
    frozen.write(frozen.freeze(splits, config.rule, corpus), path)


def _held(kept: Frozen, corpus: Corpus, unit_for: UnitOf) -> dict[str, str]:
    """The units of which the frozen split names a part, and where the rest of each goes: to the most protected."""
    held: dict[str, str] = {}
    for (id_, target), name in kept.rows.items():
        if id_ in corpus.articles and (unit := unit_for(corpus.articles[id_], target)):
            held[unit] = max(name, held.get(unit, name), key=SPLITS.index)
    return held


def _decide(units: Units, held: Collection[str], corpus: Corpus, config: SplitConfig) -> dict[str, str]:
    """The split of every unit that is not held."""
    free = {unit: examples for unit, examples in units.items() if unit not in held}
    if config.rule == "field":
        return {unit: _published(corpus.articles[unit], config) for unit in free}
    if config.rule == "date":
        return _by_date(free, corpus, config)
    named = {} if config.rule == "hash" else _named(free, corpus, config)
    # those that are held are ranked too: a lone new unit must not always come first
    numbers = _numbers({unit: examples for unit, examples in units.items() if unit not in named}, config)
    return {unit: named.get(unit) or _cut(numbers[unit], config) for unit in free}


def _published(article: Article, config: SplitConfig) -> str:
    """The split that the article's publisher gave it."""
    if config.field not in article.meta:
        wrong = f"The split goes by meta[{config.field!r}], which the article {article.id!r} lacks"
        if not article.meta:
            raise DataError(
                f"{wrong}, as it lacks any such column. Add one that names its split, or let khabar split: "
                "data.split.rule=hash"
            )
        raise DataError(f"{wrong}. Set data.split.field. {suggest(config.field, article.meta)}")
    value = str(article.meta[config.field])
    values = _values(config)
    for name in SPLITS:
        if value in values[name]:
            return name
    listed = "; ".join(f"data.split.{name}_values={list(values[name])}" for name in SPLITS)
    raise DataError(
        f"The article {article.id!r} has {config.field} {value!r}, which no split names. There are: {listed}. "
        "Add it to one of them"
    )


def _values(config: SplitConfig) -> dict[str, tuple[str, ...]]:
    return {"train": config.train_values, "dev": config.dev_values, "test": config.test_values}


def _named(units: Units, corpus: Corpus, config: SplitConfig) -> dict[str, str]:
    """The sources or targets that the configuration names, folded, with their split."""
    if lacking := units.get(""):
        asking = ", ".join(sorted({example.task for example in lacking}))
        raise DataError(
            f"The split goes by {config.rule}, which {len(lacking):,} examples of {asking} lack, such as "
            f"{lacking[0].id!r}. Add the {config.rule}, or choose another data.split.rule"
        )
    if config.rule == "source":
        exist = {article.source for article in corpus.articles.values() if article.source}
    else:
        exist = {label.target for label in corpus.labels if label.target}
        exist |= {example.target for examples in units.values() for example in examples if example.target}
    folded = {fold(name) for name in exist}
    named: dict[str, str] = {}
    for name, values in _values(config).items():
        for value in values:
            if fold(value) in folded:
                named[fold(value)] = name
            elif value != name:  # the defaults name nothing
                shown = {*difflib.get_close_matches(value, exist), *sorted(exist)[:20]}
                raise ConfigError(
                    f"data.split.{name}_values names the {config.rule} {value!r}, which no row has. "
                    f"{suggest(value, shown)}"
                )
    return named


def _numbers(units: Units, config: SplitConfig) -> dict[str, int]:
    """A number of each unit, 0 to 99 or that of its fold: its sha256 modulo 100 or folds.

    With `stratify`, units with a rare label are laid out by sha256 along each such label's examples, and the number is
    where the middle of the unit's own comes to lie: every split and fold gets its share of the label's examples.
    """
    modulus = config.folds or 100
    numbers = {unit: sha(unit) % modulus for unit in units}
    if config.stratify:
        for stratum in _strata(units):
            total, before = sum(stratum.values()), 0
            for unit in sorted(stratum, key=sha):
                numbers[unit] = (2 * before + stratum[unit]) * modulus // (2 * total)
                before += stratum[unit]
    return numbers


def _strata(units: Units) -> list[dict[str, int]]:
    """For each rare label, the units of which it is the rarest, with the number of their examples that carry it."""
    carried = {
        unit: Counter((example.task, label) for example in examples for label in example.gold or ())
        for unit, examples in units.items()
    }
    carriers = Counter(label for labels in carried.values() for label in labels)
    strata: defaultdict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for unit, labels in carried.items():
        rarest = min(labels, key=lambda label: (carriers[label], label), default=None)
        if rarest is not None and carriers[rarest] < RARE:
            strata[rarest][unit] = labels[rarest]
    return list(strata.values())


def _cut(number: int, config: SplitConfig) -> str:
    """The split of a number that `_numbers` gave."""
    if config.folds is None:
        return "train" if number < config.train else "dev" if number < config.train + config.dev else "test"
    if number == config.fold:
        return "test"
    if config.inner_fold is None:
        return "dev" if number == (config.fold + 1) % config.folds else "train"
    remaining = [other for other in range(config.folds) if other != config.fold]
    return "dev" if number == remaining[config.inner_fold] else "train"


def _by_date(units: Units, corpus: Corpus, config: SplitConfig) -> dict[str, str]:
    """Each unit by its earliest day: a story that began before the border and was copied after it lies before it."""
    articles = {example.article for examples in units.values() for example in examples}
    if lacking := sorted(id_ for id_ in articles if day_of(corpus.articles[id_]) is None):
        raise DataError(
            f"The split goes by date, which {len(lacking):,} of {len(articles):,} articles lack or do not write as "
            f"YYYY-MM-DD, such as {lacking[0]!r} ({corpus.articles[lacking[0]].date!r}). Date them or leave them out, "
            "or choose another data.split.rule"
        )
    days = first_days(corpus)
    return {unit: _period(days[unit], config) for unit in units}


def _period(day: str, config: SplitConfig) -> str:
    if config.test_from is not None and day >= config.test_from:
        return "test"
    return "dev" if config.dev_from is not None and day >= config.dev_from else "train"


def _check_dates(made: Splits, corpus: Corpus, config: SplitConfig) -> None:
    """Dates that miss the corpus are a mistake, unless all is test: an older model may be scored on newer articles."""
    wanted = SPLITS if config.dev_from is not None else ("train", "test")
    empty = [name for name in wanted if not made[name]]
    if empty and (made["train"] or made["dev"]):
        asked = f"data.split.dev_from={config.dev_from} data.split.test_from={config.test_from}"
        raise DataError(f"With {asked} nothing is in {' or '.join(empty)}. {date_hint(made, corpus, config)}")


def date_hint(made: Splits, corpus: Corpus, config: SplitConfig) -> str:
    """A sentence for an error: the days that the examples span, and the borders that would cut them as planned."""
    days = sorted(day for part in made.values() for each in part if (day := day_of(corpus.articles[each.article])))
    shares = {"dev_from": config.train} if config.dev_from is not None else {}
    shares["test_from"] = config.train + config.dev
    distinct = sorted(set(days))
    if len(distinct) <= len(shares):
        return f"The articles are of {' and '.join(distinct)} only; choose another data.split.rule"
    borders: list[str] = []
    for number, percent in enumerate(shares.values()):
        # each border leaves a day to what comes before it and to each part that comes after it
        possible = distinct[
            (distinct.index(borders[-1]) if borders else 0) + 1 : len(distinct) - len(shares) + number + 1
        ]
        borders.append(min(possible, key=lambda day: abs(100 * bisect_left(days, day) - percent * len(days))))
    told = " ".join(f"data.split.{name}={day}" for name, day in zip(shares, borders, strict=True))
    parts = [bisect_left(days, day) for day in borders]
    sizes = [end - start for start, end in zip([0, *parts], [*parts, len(days)], strict=True)]
    cut = " / ".join(f"{100 * size / len(days):.0f}%" for size in sizes)
    return f"The articles are of {distinct[0]} to {distinct[-1]}; {told} cuts them {cut}"
