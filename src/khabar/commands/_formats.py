"""What answers look like in a file: pieces of text, one an article, between a head and a tail.

Pieces can be cut off and gone on with. Parquet can not, so its rows are written as JSON Lines first and converted, in
batches, when all is there.
"""

import csv
import io
import itertools
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from khabar.commands._rows import Row
from khabar.inference import account_text, plover_json, readings
from khabar.inference.readings import COLUMNS, Reading, to_text

if TYPE_CHECKING:
    from khabar.inference.model import Model

BY_SUFFIX = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".html": "html",
    ".htm": "html",
    ".txt": "text",
}  # all else is jsonl
FORMULA = re.compile(r"'*[=+\-@\t\r]")  # what a spreadsheet may run, and the same already quoted
QUOTED = "cells quoted"
BATCH = 20_000  # rows of a row group
DIGITS = 6  # of a score
PARQUET = {"string": "string", "float64": "float64", "Int64": "int64"}


@dataclass(frozen=True)
class Format:
    """How answers are written.

    Args:
        piece: an article's place in the input (counted from 0), its row and what was read, as text.
        head: before the first piece.
        between: before every other.
        tail: after the last.
        finish: makes the file itself out of the pieces.
    """

    piece: Callable[[int, Row, Reading], str]
    head: str = ""
    between: str = ""
    tail: str = ""
    finish: Callable[[Path, Path], None] | None = None


def choose(asked: str, output: str, *, single: bool) -> str:
    """The format in force: `auto` goes by the suffix of the output, and by what is natural on a terminal."""
    if asked != "auto":
        return asked
    if output == "-":
        return "text" if single else "jsonl"
    return BY_SUFFIX.get(Path(output).suffix.lower(), "jsonl")


def make(name: str, model: "Model", tally: Counter[str], *, bom: bool) -> Format:
    """A format by name.

    Args:
        name: of it.
        model: whose answers they are.
        tally: counts the cells that had to be quoted.
        bom: whether to begin a CSV file with a byte order mark, without which Excel takes it for Windows-1256.
    """
    match name:
        case "csv" | "tsv":
            return _separated("," if name == "csv" else "\t", tally, bom=bom)
        case "parquet":
            return Format(lambda number, row, reading: "".join(map(_json, findings(reading))), finish=to_parquet)
        case "html":
            from khabar.inference import html

            page = html.Page(model.about, model.tasks, accounts=model.reads)

            def section(number: int, row: Row, reading: Reading) -> str:
                account = reading.whole.account if reading.whole else None
                return page.article(number + 1, row.article, reading, account)

            return Format(section, head=page.head(), tail=page.tail())
        case "label_studio":
            return Format(partial(_task, _marking(model)), "[", ",", "\n]\n")
        case "text":
            return Format(lambda number, row, reading: _text(reading) + "\n", between="\n\n")
        case "plover":
            return Format(_records)
    return Format(lambda number, row, reading: _json(reading.to_dict()))


def findings(reading: Reading) -> Iterator[tuple[Any, ...]]:
    """A row a finding, in the columns of `Readings.to_pandas`; scores rounded as in JSON."""
    name = reading.id.encode("utf-8", "backslashreplace").decode()  # nothing else may hold half a character
    for _, kind, task, label, score, *rest in readings.findings(reading):
        yield name, kind, task, label, round(score, DIGITS), *rest


def to_parquet(spool: Path, output: Path) -> None:
    """The rows of a spool as a Parquet file, a batch at a time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(name, pa.type_for_alias(PARQUET[kind])) for name, kind in COLUMNS.items()])
    with spool.open(encoding="utf-8", newline="\n") as lines, pq.ParquetWriter(output, schema) as writer:
        while batch := list(itertools.islice(lines, BATCH)):
            columns = zip(*map(json.loads, batch), strict=True)
            writer.write_table(pa.table([list(column) for column in columns], schema=schema))


def _json(value: Any) -> str:  # noqa: ANN401 - any JSON type
    return json.dumps(value, ensure_ascii=False) + "\n"


def _text(reading: Reading) -> str:
    """The account of a whole reading, with the answers to the questions that were asked besides; else the reading."""
    if reading.whole is None or reading.error:
        return to_text(reading)
    asked = to_text(replace(reading, events=(), article_events={}, notes=())).split("\n", 2)[2:]
    return "\n".join([account_text.to_text(reading.whole.account), *(asked if reading.stances else [])])


def _records(number: int, row: Row, reading: Reading) -> str:
    """PLOVER's records, one a line."""
    if reading.whole is None:
        return ""
    text = row.article.get("text")
    return "".join(_json(record) for record in plover_json.records(reading.whole.account, text=text))


def _marking(model: "Model") -> str:
    """The name of the task that marks; of a model without one it is not looked at."""
    return next((name for name, task in model.tasks.items() if task.marks), "reader")


def _task(marking: str, number: int, row: Row, reading: Reading) -> str:
    """A task to annotate; there is none of a row without a text."""
    from khabar.inference import label_studio

    if not isinstance(row.article.get("text"), str):
        return ""
    graph = reading.whole.graph if reading.whole else None
    task = label_studio.task(row.article, reading, graph=graph, marking=marking)
    return "\n" + json.dumps(task, ensure_ascii=False)


def _separated(delimiter: str, tally: Counter[str], *, bom: bool) -> Format:
    def cell(value: Any) -> Any:  # noqa: ANN401 - a string or a number
        if isinstance(value, str) and FORMULA.match(value):
            tally[QUOTED] += 1
            return f"'{value}"
        return value

    def lines(rows: Iterator[tuple[Any, ...]]) -> str:
        text = io.StringIO()
        csv.writer(text, delimiter=delimiter).writerows([cell(value) for value in row] for row in rows)
        return text.getvalue()

    return Format(
        lambda number, row, reading: lines(findings(reading)), ("\ufeff" if bom else "") + lines(iter([tuple(COLUMNS)]))
    )
