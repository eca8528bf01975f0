"""Tables as rows by column name, whatever their format, each with its place in the file."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from khabar.data import rows
from khabar.data.problems import Problems
from khabar.errors import DataError

SUFFIXES = (".jsonl", ".ndjson", ".csv", ".tsv", ".parquet")
Rows = Iterator[dict[str, Any]]


def table(path: Path, problems: Problems) -> tuple[tuple[str, ...], Rows]:
    """The columns of a table, and its rows; `problems.place` is set to each row before it is given.

    Raises:
        DataError: the file is empty or cannot be read as what its suffix says.
    """
    match path.suffix.lower():
        case ".parquet":
            return _parquet(path, problems)
        case ".csv":
            return _separated(path, problems, ",")
        case ".tsv":
            return _separated(path, problems, "\t")
    return _jsonl(path, problems)


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


def _cells(path: Path, problems: Problems, delimiter: str) -> Iterator[list[str]]:
    problems.at(path.name, 1)
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        before = 0
        try:
            for row in reader:
                problems.at(path.name, before + 1)  # where the row begins: its cells may hold line breaks
                before = reader.line_num
                yield row
        except (csv.Error, UnicodeDecodeError) as error:
            problems.at(path.name, before + 1)
            what = "not UTF-8" if isinstance(error, UnicodeDecodeError) else f"broken ({error})"
            problems.add("line", f"{what}; the rest is not read.", "Save the table as UTF-8, its quotes closed")


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
