"""Articles in and answers out, for the commands that read articles: files, folders, standard input."""

import contextlib
import io
import itertools
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from khabar.config import MachineConfig, Record, locate
from khabar.data.decoding import PLAIN, detect, encoding_of, sniff
from khabar.errors import ConfigError, DataError

if TYPE_CHECKING:
    from khabar.inference.watchlist import Watchlist


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
    """Articles, and whether there is only one, to be answered as text."""

    articles: Iterator[Mapping[str, Any]]
    single: bool


def open_source(given: str) -> Source:
    """The articles of a .txt file, a .jsonl file, a folder of .txt files, or standard input."""
    if given == "-":
        lines = _decoded(_stdin(), "standard input")
        ahead = []  # to its first line with a character
        for line in lines:
            ahead.append(line)
            if line.strip():
                break
        rest = itertools.chain(ahead, lines)
        if ahead and ahead[-1].lstrip().startswith("{"):
            return Source(_jsonl(rest, "standard input"), single=False)
        return Source(iter([{"text": "".join(rest)}]), single=True)
    path = locate(given)
    if path.is_dir():
        files = sorted(path.glob("*.txt"))
        if not files:
            raise DataError(f"The folder {given} holds no .txt file.")
        return Source(_folder(files, given), single=False)
    if not path.is_file():
        raise DataError(f"There is no file {given}.")
    if path.suffix == ".txt":
        return Source(iter([{"id": path.stem, "text": "".join(_lines(path))}]), single=True)
    if path.suffix in (".jsonl", ".ndjson"):
        return Source(_jsonl(_lines(path), given), single=False)
    raise ConfigError(f"input={given}: khabar reads .txt, .jsonl, a folder of .txt, and - for standard input.")


def _folder(files: Iterable[Path], name: str) -> Iterator[Mapping[str, Any]]:
    encodings: Counter[str] = Counter()
    for file in files:
        encoding = encoding_of(file)
        encodings[encoding] += 1
        yield {"id": file.stem, "text": file.read_text(encoding=encoding)}
    for encoding, count in encodings.items():
        _say(f"{count} of the files in {name}", encoding)


def _lines(path: Path) -> Iterator[str]:
    encoding = encoding_of(path)
    _say(str(path), encoding)
    with path.open(encoding=encoding) as file:
        yield from file


def _stdin() -> TextIO:
    """Standard input, in its own encoding whatever the locale says: all of it is looked at if it is a file."""
    if isinstance(sys.stdin, io.TextIOWrapper):
        buffer: Any = sys.stdin.buffer
        encoding = detect(buffer, "standard input") if buffer.seekable() else sniff(buffer.peek())
        _say("standard input", encoding)
        sys.stdin.reconfigure(encoding=encoding, errors="strict")
    return sys.stdin


def _say(name: str, encoding: str) -> None:
    if encoding != PLAIN:
        print(f"{name} read as {encoding}", file=sys.stderr)


def _decoded(lines: Iterable[str], name: str) -> Iterator[str]:
    """Lines of a stream that began as one encoding, and may go on otherwise."""
    try:
        yield from lines
    except UnicodeDecodeError as error:
        raise DataError(
            f"{name} is not {error.encoding.upper()} ({error}). Convert it first: iconv -f ITS-ENCODING -t UTF-8."
        ) from error


def _jsonl(lines: Iterable[str], name: str) -> Iterator[Mapping[str, Any]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise DataError(f"{name}, line {number}: no JSON ({error}).") from error
        if not isinstance(row, dict) or not isinstance(row.get("text"), str):
            raise DataError(f"{name}, line {number}: an object with a string in the field 'text' is needed.")
        yield row


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
