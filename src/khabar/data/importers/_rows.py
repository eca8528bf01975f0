"""Rows of named columns become nouns: one labelled row a line, whatever table it comes from."""

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from khabar.config import DataConfig
from khabar.data.importers._articles import SHOWN, Articles
from khabar.data.problems import Problems
from khabar.data.rows import RowError
from khabar.errors import ConfigError, DataError
from khabar.registry import suggest
from khabar.schema import GOLD, Article, Label, Offsets

NEEDED = ("text", "label")
COLUMNS = (
    *("id", *NEEDED, "holder", "target", *SHOWN),
    *("group", "split", "task", "annotator", "start", "end"),
)


def nouns(
    name: str, exist: Iterable[str], rows: Iterable[dict[str, Any]], config: DataConfig, problems: Problems
) -> Iterator[Article | Label]:
    """An article at its first row, and a label for each row that holds an answer.

    Several rows may share an article: the same id, or without ids the same text. Without a `task` column every row
    answers the one task that was asked for. Labels are a list, or a string with `|` between them; an empty string or
    list is the answer "none of them", while null is no answer. A row without `start` and `end` is about the whole text.

    Args:
        name: what errors call the table.
        exist: its columns.
        rows: its rows, `problems.place` set to each.
        config: `columns` names those that bear another name than khabar's.
        problems: takes bad rows.

    Raises:
        ConfigError: `config.columns` names a column that khabar does not know, or no single task is left to assume.
        DataError: the table lacks a column.
    """
    columns = _columns(config, tuple(exist))
    if "task" not in columns and len(config.default_tasks) > 1:
        raise ConfigError(
            f"{name} has no column that names the task of a row, and {len(config.default_tasks)} tasks are asked "
            f"for: {', '.join(config.default_tasks)}. Ask for one, or add the column (data.columns.task=NAME)"
        )
    reader = _Reader(config, columns)
    for row in rows:
        try:
            article, label = reader.row(row)
        except RowError as error:
            problems.add(error.field, error.wrong, error.fix)
            continue
        if article is not None:
            yield article
        if label is None:
            problems.note("rows without an answer")
        else:
            yield label


class _Reader:
    """Rows to nouns."""

    def __init__(self, config: DataConfig, columns: dict[str, str]) -> None:
        self.columns = columns
        self.tasks = config.default_tasks
        self.articles = Articles(config)
        self.label_ids: Counter[str] = Counter()

    def row(self, row: dict[str, Any]) -> tuple[Article | None, Label | None]:
        """The row's article, None if an earlier row gave it, and its label, None if it holds no answer."""
        cells = {name: row.get(column) for name, column in self.columns.items()}
        text = cells["text"]
        if not isinstance(text, str) or not text.strip():
            wrong = "empty." if text is None or isinstance(text, str) else f"{text!r} is no string."
            raise RowError("text", wrong, "Add the text or leave the row out")
        meta = {name: value for name in ("group", "split") if (value := _string(cells.get(name)))}
        if (value := _string(row.get(self.articles.split))) is not None:
            meta[self.articles.split] = value
        shown = {name: _string(cells.get(name)) for name in SHOWN}
        article, new = self.articles.take(text, _string(cells.get("id")), meta, shown)
        return (article if new else None), self._label(article, cells)

    def _label(self, article: Article, cells: dict[str, Any]) -> Label | None:
        labels = _labels(cells.get("label"))
        if labels is None:
            return None
        span = _span(cells.get("start"), cells.get("end"))
        named = {name: _string(cells.get(name)) for name in ("task", "annotator", "holder", "target")}
        if named["task"] is None and len(self.tasks) > 1:
            raise RowError("task", "empty.", f"Several tasks are asked for; name one: {', '.join(self.tasks)}")
        content = json.dumps([named, span, labels], sort_keys=True, ensure_ascii=False)
        id_ = f"{article.id}/{hashlib.sha256(content.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"
        self.label_ids[id_] += 1
        return Label(
            id=id_ if self.label_ids[id_] == 1 else f"{id_}-{self.label_ids[id_]}",
            article=article.id,
            annotator=named["annotator"] or GOLD,
            task=named["task"] or self.tasks[0],
            labels=labels,
            span=span,
            holder=named["holder"],
            target=named["target"],
        )


def _columns(config: DataConfig, exist: tuple[str, ...]) -> dict[str, str]:
    """Khabar's name -> the table's column, for the columns that the table has."""
    for name in config.columns:
        if name not in COLUMNS:
            raise ConfigError(f"data.columns.{name}: khabar knows no such column. {suggest(name, COLUMNS)}")
    found = {}
    for name in COLUMNS:
        column = config.columns.get(name, name)
        if column in exist:
            found[name] = column
        elif name in NEEDED or column != name:  # the user named it, so it is meant to be there
            raise DataError(
                f"The table has no column {column!r}, which should hold the {name}. {suggest(column, exist)} "
                f"Name it with data.columns.{name}=COLUMN"
            )
    return found


def _missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _string(value: object) -> str | None:
    """A cell as a string; an empty cell, null and NaN are None."""
    if _missing(value):
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # a column of whole numbers with a gap comes as floats
    return str(value).strip() or None


def _labels(value: object) -> tuple[str, ...] | None:
    if _missing(value):
        return None
    parts = value if isinstance(value, list) else str(_string(value) or "").split("|")
    return tuple(dict.fromkeys(name for part in parts if (name := _string(part))))


def _span(start: object, end: object) -> Offsets | None:
    first, last = _string(start), _string(end)
    if first is None and last is None:
        return None
    if first is None or last is None:
        raise RowError(
            "end" if last is None else "start", "missing, though the other is given.", "Give both or neither"
        )
    for name, value in (("start", first), ("end", last)):
        if not value.isascii() or not value.removeprefix("-").isdigit():
            raise RowError(name, f"{value!r} is no whole number.", "Offsets count code points from 0")
    return int(first), int(last)
