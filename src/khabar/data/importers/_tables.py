"""Tables as rows by column name, whatever their format, each with its place in the file."""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from khabar.data import rows
from khabar.data.decoding import encoding_of
from khabar.data.problems import Problems
from khabar.errors import DataError

SUFFIXES = (".jsonl", ".ndjson", ".csv", ".tsv", ".parquet")
Rows = Iterator[dict[str, Any]]


def table(path: Path, problems: Problems) -> tuple[tuple[str, ...], Rows]:
    """The columns of a table, and its rows; `problems.place` is set to each row before it is given.

    Raises:
        DataError: the file is empty, in no encoding that khabar reads, or not what its suffix says.
    """
    match path.suffix.lower():
        case ".parquet":
            return _parquet(path, problems)
        case ".csv":
            return _separated(path, problems, _delimiter(path, problems))
        case ".tsv":
            return _separated(path, problems, "\t")
    return _jsonl(path, problems)


def require(columns: tuple[str, ...], needed: Iterable[str], path: Path) -> None:
    """Nothing, if a table has the columns that its format prescribes.

    Raises:
        DataError: it lacks some; the message lists those and what it has.
    """
    if missing := [name for name in needed if name not in columns]:
        raise DataError(
            f"{path} has no column {', '.join(missing)}. It has: {', '.join(columns)}. Is it the file as published?"
        )


def _jsonl(path: Path, problems: Problems) -> tuple[tuple[str, ...], Rows]:
    # any row may be the first to name a column, so all are read before one is given
    read = [(problems.place, row) for row in rows.objects(path, problems)]
    if not read and not problems.total:
        raise DataError(f"{path} holds no row")

    def placed() -> Rows:
        for place, row in read:
            problems.at(*place)
            yield row

    columns = tuple(dict.fromkeys(name for _, row in read for name in row))
    if not columns:
        problems.settle("stop")  # not one row can be read: say why rather than which column is missing
    return columns, placed()


def _separated(path: Path, problems: Problems, delimiter: str) -> tuple[tuple[str, ...], Rows]:
    csv.field_size_limit(2**31 - 1)  # an article is longer than the 131,072 characters allowed by default
    cells = _cells(path, problems, delimiter)
    header = next(cells, None)
    if header is None:
        problems.settle("stop")
        raise DataError(f"{path} holds no row")

    def placed() -> Rows:
        for row in cells:
            if len(row) == len(header):
                yield dict(zip(header, row, strict=True))
            elif row:
                wrong = f"{len(row)} cells, the header has {len(header)}."
                problems.add("line", wrong, "Quote cells that hold a separator or a line break")

    return tuple(header), placed()


def delimiter(header: str) -> str:
    """What stands between the cells of a .csv: Excel writes a semicolon where the comma is the decimal point."""
    return next((mark for mark in (";", "\t") if mark in header and "," not in header), ",")


def _delimiter(path: Path, problems: Problems) -> str:
    with path.open(encoding=encoding_of(path)) as file:
        found = delimiter(file.readline())
    if found != ",":
        problems.note(f"{path.name} read with {'tabs' if found == chr(9) else found} between cells")
    return found


def _cells(path: Path, problems: Problems, delimiter: str) -> Iterator[list[str]]:
    problems.at(path.name)
    with path.open(encoding=encoding_of(path, problems), newline="") as file:
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        before = 0
        try:
            for row in reader:
                if before:  # the header is no row
                    problems.at(path.name, before + 1)  # where the row begins: its cells may hold line breaks
                before = reader.line_num
                yield row
        except csv.Error as error:
            problems.at(path.name, before + 1)
            problems.add("line", f"broken ({error}); the rest is not read.", "Close its quotes")


def _parquet(path: Path, problems: Problems) -> tuple[tuple[str, ...], Rows]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
    except pa.ArrowException as error:
        raise DataError(f"{path} is no Parquet file: {error}") from None

    def placed() -> Rows:
        number = 0
        for batch in file.iter_batches():
            for row in batch.to_pylist():
                number += 1
                problems.at(path.name, number, "row")
                yield row

    return tuple(file.schema_arrow.names), placed()
