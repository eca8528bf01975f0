"""A frozen split: a file of article ids, each with its split, that can be shared and goes before every rule."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from khabar.data import rows
from khabar.data.corpus import Corpus, write_lines
from khabar.data.problems import Problems
from khabar.errors import DataError
from khabar.registry import suggest
from khabar.schema import Example

SPLITS = ("train", "dev", "test")  # from the least protected to the most
FIELDS = ("article", "target", "split")

Row = tuple[str, str | None]  # an article; or one question on it, where questions on one article part ways


@dataclass(frozen=True, slots=True)
class Frozen:
    """What was decided once and for all, and of which corpus (its fingerprint) by which rule, where the file says it.

    The corpus may have grown or changed since; that is what a frozen split is for, so it is told and no error.
    """

    rows: Mapping[Row, str]
    rule: str | None = None
    corpus: str | None = None

    @property
    def fingerprint(self) -> str:
        """Sha256 of the decisions; two files that decide alike have the same."""
        return hashlib.sha256("\n".join(_lines(self.rows)).encode()).hexdigest()

    def of(self, article: str, target: str | None) -> str | None:
        """The split of a question on an article, None where it is new."""
        return self.rows.get((article, target)) or self.rows.get((article, None))

    @property
    def articles(self) -> set[str]:
        """The ids of the articles that it names."""
        return {article for article, _ in self.rows}


def freeze(splits: Mapping[str, Sequence[Example]], rule: str, corpus: Corpus) -> Frozen:
    """The decisions behind the splits: a row for each article, or for each of its targets if the rule is `target`.

    An article that stands in two splits, as after an older file by target, gets a row for each target too.
    """
    found: defaultdict[str, dict[str | None, str]] = defaultdict(dict)
    for name, examples in splits.items():
        for example in examples:
            found[example.article][example.target] = name
    decided: dict[Row, str] = {}
    for article, by_target in found.items():
        if rule == "target" or len(set(by_target.values())) > 1:
            decided.update({(article, target): name for target, name in by_target.items()})
        else:
            decided[article, None] = next(iter(by_target.values()))
    return Frozen(decided, rule, corpus.fingerprint)


def write(frozen: Frozen, path: Path) -> None:
    """Write JSON Lines: what it is, then `{"article": id, "split": name}` by id. It appears whole or not at all.

    No text of an article is in it; for the rule `target` each row holds its target, in the words of the data set.
    """
    head = rows.dumps({"khabar": "split", "rule": frozen.rule, "corpus": frozen.corpus})
    path.parent.mkdir(parents=True, exist_ok=True)
    write_lines(path, [head, *_lines(frozen.rows)])


def read(path: Path) -> Frozen:
    """A file that `write` wrote, or rows by hand; the line that says what it is may be missing.

    Raises:
        DataError: there is no such file, or lines are bad or contradict each other; the first 20 are listed.
    """
    if not path.is_file():
        raise DataError(f"There is no frozen split {path}. Write one with khabar ingest, or unset data.split.file")
    problems = Problems()
    about: dict[str, Any] = {}
    decided: dict[Row, str] = {}
    for number, row in enumerate(rows.objects(path, problems)):
        try:
            if number == 0 and "khabar" in row:
                about = _about(row)
                continue
            key, name = _row(row)
            if decided.setdefault(key, name) != name:
                raise rows.RowError("split", f"{key[0]!r} was {decided[key]!r} before.", "Keep one of the two lines")
        except rows.RowError as error:
            problems.add(error.field, error.wrong, error.fix)
    if problems.total:
        lines = "\n".join(f"  {problem}" for problem in problems.first)
        more = (
            f"\n  ... and {problems.total - len(problems.first)} more" if problems.total > len(problems.first) else ""
        )
        bad = "1 bad line" if problems.total == 1 else f"{problems.total} bad lines"
        raise DataError(f"{bad} in the frozen split {path}:\n{lines}{more}")
    if not decided:
        raise DataError(f"The frozen split {path} names no article. Unset data.split.file, or write the file anew")
    return Frozen(decided, about.get("rule"), about.get("corpus"))


def of_corpus(path: Path, corpus: Corpus) -> Frozen:
    """The frozen split at a path, of which the corpus has at least one article.

    Raises:
        DataError: as `read`, or it names none of the articles, so that it must be of another corpus.
    """
    kept = read(path)
    if corpus.articles and kept.articles.isdisjoint(corpus.articles):
        raise DataError(
            f"The frozen split {path} is of another corpus: of its {len(kept.articles):,} articles, such as "
            f"{min(kept.articles)!r}, none is among the {len(corpus.articles):,} of {corpus.name}, such as "
            f"{min(corpus.articles)!r}. Name the file of this corpus, or unset data.split.file"
        )
    return kept


def _lines(decided: Mapping[Row, str]) -> list[str]:
    lines = []
    for (article, target), name in sorted(decided.items(), key=lambda item: (item[0][0], item[0][1] or "")):
        asked = {} if target is None else {"target": target}
        lines.append(rows.dumps({"article": article, **asked, "split": name}))
    return lines


def _about(row: dict[str, Any]) -> dict[str, Any]:
    if row["khabar"] != "split":
        raise rows.RowError("khabar", f"{json.dumps(row['khabar'])} is no split.", 'Write {"khabar": "split"}')
    for name in ("rule", "corpus"):
        if not isinstance(row.get(name), str | None):
            raise rows.RowError(name, "no string.", "Write a string or leave it out")
    return row


def _row(row: dict[str, Any]) -> tuple[Row, str]:
    for name in row:
        if name not in FIELDS:
            raise rows.RowError(name, "no field of a frozen split.", suggest(name, FIELDS))
    for name in ("article", "split"):
        if not isinstance(row.get(name), str):
            raise rows.RowError(name, "missing or no string.", 'Write {"article": "...", "split": "train"}')
    if not isinstance(row.get("target"), str | None):
        raise rows.RowError("target", "no string.", "Write the target's words or leave it out")
    if row["split"] not in SPLITS:
        raise rows.RowError("split", f"{row['split']!r} is no split.", suggest(row["split"], SPLITS))
    return (row["article"], row.get("target")), row["split"]
