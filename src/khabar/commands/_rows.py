"""The rows of any input one at a time, each with its place: an article, or the reason why it is none.

Nothing of a file is held but the row on its way. A bad row costs itself alone: a line that is no JSON, a quote that
nobody closed, bytes in another encoding.
"""

import csv
import functools
import json
import math
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from khabar.data.decoding import PLAIN, detect, sniff
from khabar.data.importers._tables import delimiter
from khabar.data.problems import Place
from khabar.errors import DataError
from khabar.registry import suggest

FIELDS = ("text", "id", "title", "date", "source", "url", "questions")
CELL = 10_000_000  # characters of one CSV cell; what is longer is taken for a quote that nobody closed
BATCH = 32  # rows of a Parquet file that are decoded at a time
BLOCK = 1 << 20
_BYTE = re.compile("[\udc80-\udcff]")  # one that is no UTF-8, as "surrogateescape" keeps it
Say = Callable[[str, str], None]  # told a file and its encoding


@dataclass(frozen=True, slots=True)
class Row:
    """One row: `article` holds what could be read of it, `raw` all that stands there, `error` what is wrong."""

    place: Place
    article: Mapping[str, Any]
    raw: Any
    error: str | None = None


class ColumnError(DataError):
    """A table that lacks a column: no row of it can be read, and the user can name another."""


class _FieldError(ValueError):
    """A field and what is wrong with it, in one line."""


def check(path: Path, columns: Mapping[str, str]) -> None:
    """Nothing, if a table can be opened and has a column for the text and all that `columns` names.

    Raises:
        DataError: it can't, or lacks some; the message lists what it has. A JSON Lines file has no header to check.
    """
    match path.suffix.lower():
        case ".csv" | ".tsv":
            with _text(path) as file:
                header = _header(file, path)
        case ".parquet":
            header = _opened(path).schema_arrow.names
        case _:
            return
    for field, column in {"text": "text", **columns}.items():
        if column not in header:
            how = "" if field in columns else " Name the column that holds the text: columns.text=NAME."
            raise ColumnError(f"{path} has no column {column!r}. {suggest(column, header)}{how}")


def _header(file: Iterable[str], path: Path) -> list[str]:
    try:
        header = next(csv.reader(file, delimiter=_between(path)), None)
    except csv.Error as error:
        raise DataError(f"{path} has no header that can be read: {error}.") from None
    if header is None:
        raise DataError(f"{path} holds no row.")
    return header


def of_file(path: Path, name: str, columns: Mapping[str, str], say: Say) -> Iterator[Row]:
    """The rows of a table, whose places call it `name`."""
    match path.suffix.lower():
        case ".parquet":
            yield from _parquet(path, name, columns)
        case ".csv" | ".tsv":
            say(str(path), encoding(path))
            with _text(path) as lines:
                yield from _separated(lines, name, _between(path), columns)
        case _:
            say(str(path), encoding(path))
            with _text(path) as lines:
                yield from of_lines(lines, name, columns)


def of_lines(lines: Iterable[str], name: str, columns: Mapping[str, str]) -> Iterator[Row]:
    """The rows of JSON Lines; bytes that could not be decoded stand there as lone surrogates ("surrogateescape")."""
    number = 0
    try:
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield _object(line, Place(name, number), columns)
    except UnicodeDecodeError as error:  # UTF-16 that breaks off or goes on as something else
        yield Row(Place(name, number + 1), {}, None, f"not {error.encoding}: {error.reason}. The rest is not read")


def of_text(text: str, place: Place, name: str | None = None) -> Row:
    """A whole text as one article."""
    if fault := _undecoded(text):
        return Row(place, {"id": name} if name else {}, _visible(text), fault)
    article = {"id": name, "text": text} if name else {"text": text}
    return Row(place, article, article)


def count(path: Path) -> int:
    """How many rows a table holds, as far as that can be told without parsing it; empty lines count as rows."""
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        return int(_opened(path).metadata.num_rows)
    table = suffix in (".csv", ".tsv")
    lines, inside, last = 0, False, "\n"
    with _text(path) as file:
        while block := file.read(BLOCK):
            last = block[-1]
            # a line break within quotes ends no row
            for piece in block.split('"') if table else [block]:
                lines += 0 if inside else piece.count("\n")
                inside = table and not inside
            inside = table and not inside  # the last piece goes on in the next block
    return max(0, lines + (last != "\n") - table)


def _object(line: str, place: Place, columns: Mapping[str, str]) -> Row:
    if fault := _undecoded(line):
        return Row(place, {}, _visible(line.rstrip("\n")), fault)
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        why = f"{error.msg}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else error
        return Row(place, {}, line.rstrip("\n"), f"not JSON: {why}")
    if not isinstance(row, dict):
        return Row(place, {}, row, f"a JSON {type(row).__name__}, not an object with a field 'text'")
    return _article(row, place, columns)


def _article(row: Mapping[str, Any], place: Place, columns: Mapping[str, str]) -> Row:
    """The row with its own columns under khabar's names, or with its first fault."""
    article = dict(row)
    for field, column in columns.items():
        if column in row:
            article[field] = row[column]
        else:
            article.pop(field, None)
    try:
        for field in FIELDS:
            if field in article:
                article[field] = _value(field, article[field], columns.get(field, field))
        if article.get("text") is None:
            wanted = columns.get("text", "text")
            raise _FieldError(f"{wanted}: missing. The row has: {', '.join(map(str, row)) or 'nothing'}")
    except _FieldError as error:
        return Row(place, {k: v for k, v in article.items() if isinstance(v, str)}, row, str(error))
    return Row(place, article, row)


def _value(field: str, value: Any, column: str) -> Any:  # noqa: ANN401 - what JSON and Parquet bring
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if field == "questions":
        return _questions(value, column)
    if isinstance(value, str):
        return value
    if field == "text" or isinstance(value, bool | bytes | list | dict):
        raise _FieldError(f"{column}: {str(value)[:60]!r} is not a string")
    return str(value)  # numbers as ids, dates


def _questions(value: Any, column: str) -> Any:  # noqa: ANN401 - any JSON type
    from khabar.inference.questions import parse_questions

    if isinstance(value, str) and not value.strip():
        return None
    try:
        found = parse_questions(value)
    except DataError as error:
        raise _FieldError(f"{column}: {str(error).rstrip('.')}") from None
    for question in found:
        try:
            "".join(part or "" for part in question).encode()
        except UnicodeEncodeError:
            raise _FieldError(f"{column}: {question!r} holds half a character (a lone surrogate)") from None
    return found


class _Again:
    """Lines that can be read a second time, since the last row that was whole."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.lines = iter(lines)
        self.kept: list[str] = []
        self.waiting: deque[str] = deque()
        self.number = 0

    def __iter__(self) -> "_Again":
        return self

    def __next__(self) -> str:
        line = self.waiting.popleft() if self.waiting else next(self.lines)
        self.number += 1
        self.kept.append(line)
        return line

    def back(self) -> str:
        """Drop the first kept line, which is returned, and read those after it anew."""
        first, *rest = self.kept
        self.waiting.extendleft(reversed(rest))
        self.number -= len(rest)
        return first


def _separated(lines: Iterable[str], name: str, delimiter: str, columns: Mapping[str, str]) -> Iterator[Row]:
    csv.field_size_limit(CELL)
    again = _Again(lines)
    reader = csv.reader(again, delimiter=delimiter, strict=True)
    header: list[str] | None = None
    while True:
        again.kept.clear()
        start = again.number + 1  # where the row begins: its cells may hold line breaks
        try:
            cells = next(reader, None)
        except csv.Error as error:
            # a quote that nobody closed swallows the rows after it: they get a second chance
            line = again.back()
            yield Row(Place(name, start), {}, _visible(line.rstrip("\r\n")), f"broken ({error}). Close its quotes")
            continue
        except UnicodeDecodeError as error:
            yield Row(Place(name, start), {}, None, f"not {error.encoding}: {error.reason}. The rest is not read")
            return
        if cells is None:
            return
        if header is None:
            header = cells
        elif cells:
            yield _cells(header, cells, Place(name, start), columns)


def _cells(header: Sequence[str], cells: Sequence[str], place: Place, columns: Mapping[str, str]) -> Row:
    for cell in cells:
        if fault := _undecoded(cell):
            return Row(place, {}, [_visible(cell) for cell in cells], fault)
    if len(cells) != len(header):
        wrong = f"{len(cells)} cells, the header has {len(header)}. Quote cells that hold a separator or a line break"
        return Row(place, {}, list(cells), wrong)
    text = columns.get("text", "text")  # the one cell that may be empty without being absent
    row = {name: cell if cell or name == text else None for name, cell in zip(header, cells, strict=True)}
    return _of_table(row, place, columns)


def _of_table(row: dict[str, Any], place: Place, columns: Mapping[str, str]) -> Row:
    """The row of a table: only the columns that khabar knows."""
    names = {columns.get(field, field) for field in FIELDS}
    row = {name: value for name, value in row.items() if name in names}
    return _article(row, place, columns)


def _parquet(path: Path, name: str, columns: Mapping[str, str]) -> Iterator[Row]:
    import pyarrow as pa

    file = _opened(path)
    wanted = [columns.get(field, field) for field in FIELDS]
    number = 0
    try:
        for batch in file.iter_batches(BATCH, columns=[at for at in file.schema_arrow.names if at in wanted]):
            for row in batch.to_pylist():
                number += 1
                yield _of_table(row, Place(name, number, "row"), columns)
    except (pa.ArrowException, OSError) as error:
        yield Row(Place(name, number + 1, "row"), {}, None, f"damaged ({error}). The rest is not read")


def _opened(path: Path) -> Any:  # noqa: ANN401 - pyarrow has no types
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # in pieces: a file may be one row group
        return pq.ParquetFile(path, buffer_size=BLOCK, pre_buffer=False)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path} is no Parquet file: {error}") from None


def _between(path: Path) -> str:
    if path.suffix.lower() == ".tsv":
        return "\t"
    with _text(path) as file:
        return delimiter(file.readline())


def encoding(path: Path) -> str:
    """The encoding of a file; one that is not UTF-8 throughout is taken for UTF-8 with bad rows.

    Raises:
        DataError: it begins as UTF-16 and does not go on so.
    """
    about = path.stat()
    return _encoding(path, about.st_size, about.st_mtime_ns)


@functools.lru_cache(maxsize=4)  # looking at all of a large file takes seconds
def _encoding(path: Path, size: int, changed: int) -> str:
    with path.open("rb") as file:
        return encoding_of_stream(file, path.name)


def encoding_of_stream(file: BinaryIO, name: str) -> str:
    """The same of anything that can be read twice; the position is left where it was."""
    start = file.tell()
    try:
        return detect(file, name)
    except DataError:
        begins = sniff(file.read(BLOCK))
        if begins.startswith("utf-16"):
            raise
        return begins if begins == "utf-8-sig" else PLAIN
    finally:
        file.seek(start)


def _text(path: Path) -> Any:  # noqa: ANN401 - a text file
    newline = "\n" if path.suffix.lower() in (".jsonl", ".ndjson") else ""  # CSV may end its lines as it likes
    return path.open(encoding=encoding(path), errors="surrogateescape", newline=newline)


def _undecoded(text: str) -> str | None:
    """What to say of bytes in a text that are no UTF-8."""
    if text.isascii() or not (found := _BYTE.search(text)):
        return None
    byte, at = ord(found[0]) - 0xDC00, found.start() + 1
    return f"not UTF-8 (the byte {byte:02x} at character {at:,}). Save it as UTF-8: iconv -f ITS-ENCODING -t UTF-8"


def _visible(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
