"""Articles in and answers out, for the commands that read articles: files, folders, standard input."""

import contextlib
import io
import itertools
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from khabar.commands import _rows
from khabar.commands._rows import ColumnError, Row
from khabar.config import MachineConfig, Record, locate
from khabar.data.decoding import PLAIN, encoding_of, sniff
from khabar.data.importers._tables import SUFFIXES as TABLES
from khabar.data.problems import Place
from khabar.errors import ConfigError, DataError
from khabar.registry import suggest

if TYPE_CHECKING:
    from khabar.inference.watchlist import Watchlist

STDIN = "standard input"


class Reads(Record):
    """What the configuration of a command that reads articles with a model has in common with the others."""

    machine: MachineConfig
    model: str
    input: str = "-"
    output: str = "-"
    watchlist: str | None = None
    questions: tuple[str, ...] = ()

    def names(self) -> "Watchlist | None":
        """The names that become questions where a text mentions them.

        Raises:
            DataError: there is no such file, or it is no watchlist.
        """
        from khabar.inference import watchlist

        return watchlist.load(locate(self.watchlist)) if self.watchlist else None


@dataclass(frozen=True)
class Source:
    """The rows of an input.

    Args:
        rows: good and bad ones, as they come.
        single: whether there is one article only, to be answered as text.
        files: what they are read from; none for standard input.
    """

    rows: Iterator[Row]
    single: bool = False
    files: Sequence[Path] = ()

    @property
    def articles(self) -> Iterator[Mapping[str, Any]]:
        """The articles, for a command that has no use for part of them.

        Raises:
            DataError: at the first bad row.
        """
        for row in self.rows:
            if row.error:
                raise DataError(f"{row.place}: {row.error}.")
            yield row.article

    def total(self) -> int | None:
        """How many rows there are, as far as that can be told quickly; None for standard input."""
        found = 0
        for file in self.files:
            with contextlib.suppress(DataError, OSError):  # a file that can't be read is told when its turn comes
                found += 1 if file.suffix.lower() == ".txt" else _rows.count(file)
        return found or None

    def stamp(self) -> list[tuple[str, int, int]]:
        """Name, size and time of each file, to know the same input again."""
        known = ((str(file.resolve()), file.stat()) for file in self.files)
        return [(name, about.st_size, about.st_mtime_ns) for name, about in known]


def open_source(given: str, columns: Mapping[str, str] | None = None, but: Iterable[Path] = ()) -> Source:
    """The articles of a text file, a table, a folder of both, or standard input.

    Args:
        given: a path, or "-".
        columns: khabar's name of a column -> the table's.
        but: files of a folder that are no input, because they are written.

    Raises:
        ConfigError: no format that khabar reads, or a column that it does not know.
        DataError: there is no such file, or it can't be opened, or a table lacks a column.
    """
    columns = columns or {}
    for name in columns:
        if name not in _rows.FIELDS:
            raise ConfigError(f"columns: khabar reads no column {name!r}. {suggest(name, _rows.FIELDS)}")
    if given == "-":
        return _from_stdin(columns)
    path = locate(given)
    if path.is_dir():
        return _from_folder(path, given, columns, {file.resolve() for file in but})
    if not path.is_file():
        raise DataError(f"There is no file {given}.")
    suffix = path.suffix.lower()
    if suffix == ".txt":
        encoding = encoding_of(path)
        _say(str(path), encoding)
        return Source(iter([_text_row(path, given, path.stem, encoding)]), single=True, files=[path])
    if suffix not in TABLES:
        raise ConfigError(
            f"input={given}: khabar reads .txt, .jsonl, .csv, .tsv, .parquet, a folder of these, and - for {STDIN}."
        )
    _rows.check(path, columns)
    return Source(_rows.of_file(path, given, columns, _say), files=[path])


def _from_folder(folder: Path, given: str, columns: Mapping[str, str], but: set[Path]) -> Source:
    found = sorted(path for path in folder.rglob("*") if path.is_file() and path.resolve() not in but)
    files = [path for path in found if path.suffix.lower() in (".txt", *TABLES) and not _hidden(path, folder)]
    if not files:
        raise DataError(f"The folder {given} holds no .txt, .jsonl, .csv, .tsv or .parquet.")
    for path in files:
        try:
            _rows.check(path, columns)
        except ColumnError:
            raise
        except (DataError, OSError):
            continue  # one that can't be read is a bad row when its turn comes
    return Source(_folder(files, folder, given, columns), files=files)


def _hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def _folder(files: Iterable[Path], folder: Path, given: str, columns: Mapping[str, str]) -> Iterator[Row]:
    """The rows of all files; a file that can't be read is a bad row."""
    encodings: Counter[str] = Counter()
    for path in files:
        name = path.relative_to(folder).as_posix()
        try:
            if path.suffix.lower() == ".txt":
                encoding = encoding_of(path)
                encodings[encoding] += 1
                yield _text_row(path, name, name[: -len(path.suffix)], encoding)
            else:
                yield from _rows.of_file(path, name, columns, _say)
        except (DataError, OSError) as error:
            yield Row(Place(name), {}, None, str(error).rstrip("."))
    for encoding, count in encodings.items():
        _say(f"{count} of the files in {given}", encoding)


def _text_row(path: Path, name: str, article: str, encoding: str) -> Row:
    with path.open(encoding=encoding, newline="") as file:  # as it stands, so that offsets fit the file
        return _rows.of_text(file.read(), Place(name), article)


def _from_stdin(columns: Mapping[str, str]) -> Source:
    lines = iter(_stdin())
    ahead = []  # to its first line with a character
    for line in lines:
        ahead.append(line)
        if line.strip():
            break
    rest = itertools.chain(ahead, lines)
    if ahead and ahead[-1].lstrip().startswith("{"):
        return Source(_rows.of_lines(rest, STDIN, columns))
    try:
        return Source(iter([_rows.of_text("".join(rest), Place(STDIN))]), single=True)
    except UnicodeDecodeError as error:  # UTF-16 that breaks off
        raise DataError(f"{STDIN} is not {error.encoding}: {error.reason}. Save it as UTF-8.") from None


def _stdin() -> TextIO:
    """Standard input, in its own encoding whatever the locale says: all of it is looked at if it is a file."""
    if isinstance(sys.stdin, io.TextIOWrapper):
        buffer: Any = sys.stdin.buffer
        encoding = _rows.encoding_of_stream(buffer, STDIN) if buffer.seekable() else sniff(buffer.peek())
        _say(STDIN, encoding)
        sys.stdin.reconfigure(encoding=encoding, errors="surrogateescape", newline="\n")
    return sys.stdin


def _say(name: str, encoding: str) -> None:
    if encoding != PLAIN:
        print(f"{name} read as {encoding}", file=sys.stderr)


@contextlib.contextmanager
def open_sink(output: str) -> Iterator[TextIO]:
    """Standard output, or a file that gets its name when it is whole: its input may bear the same name."""
    path = Path(output)
    if output == "-":
        yield sys.stdout
        sys.stdout.flush()
    elif path.exists() and not path.is_file():  # a pipe, /dev/null
        with path.open("w", encoding="utf-8") as file:
            yield file
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(path.name + ".part")
        with aside.open("w", encoding="utf-8") as file:
            yield file
        aside.replace(path)
