"""Where answers go, so that interrupted work goes on where it stopped.

What is done stands in `OUTPUT.part` and the bad rows in `OUTPUT.errors.jsonl.part`; the journal `OUTPUT.part.json` says
how many rows that are and how long both files were then. A later start cuts both to that length, so that whatever was
written after the last entry is written again. The files get their names when all is done.
"""

import hashlib
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO

from filelock import FileLock, Timeout

from khabar.errors import ConfigError

Key = Mapping[str, str]  # what the answers depend on, by the name a user knows it by
Finish = Callable[[Path, Path], None]  # makes the second file out of the first


def digest(value: Any) -> str:  # noqa: ANN401 - any JSON type
    """A short name for a value of JSON types."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:16]


def side_file(output: str, errors: str | None) -> Path | None:
    """Where the bad rows go: None for standard output without a file of its own for them."""
    if errors:
        return Path(errors)
    regular = output != "-" and (not Path(output).exists() or Path(output).is_file())
    return Path(f"{output}.errors.jsonl") if regular else None


class Stream:
    """Standard output, or a pipe: what is written is gone."""

    def __init__(self, output: str, side: Path | None) -> None:
        self.file: TextIO = sys.stdout if output == "-" else Path(output).open("w", encoding="utf-8")  # noqa: SIM115
        self.side = side
        self.rows = 0
        self.tally: Counter[str] = Counter()
        self._bad: TextIO | None = None

    def write(self, text: str) -> None:
        """Answers."""
        self.file.write(_whole(text).decode())

    def bad(self, row: Mapping[str, Any]) -> None:
        """A bad row."""
        if self.side is not None:
            if self._bad is None:
                self.side.parent.mkdir(parents=True, exist_ok=True)
                self._bad = self.side.open("w", encoding="utf-8")
            self._bad.write(_whole(_line(row)).decode())

    def mark(self, rows: int) -> None:
        """So many rows of the input are answered."""
        self.rows = rows
        self.file.flush()

    def finish(self, convert: Finish | None, *, keep: bool) -> None:
        """All is answered."""
        if self._bad is None and self.side is not None:
            self.side.unlink(missing_ok=True)  # of an earlier run

    def close(self) -> None:
        """Let go of the files."""
        self.file.flush()
        if self.file is not sys.stdout:
            self.file.close()
        if self._bad is not None:
            self._bad.close()


class Files:
    """A file, its side file and the journal of both.

    Args:
        output: the file that is to be.
        side: the file of bad rows.
        key: what the answers depend on; None: nothing can go on, because the input can't be read twice.
        resume: whether to look for unfinished work.

    Raises:
        ConfigError: another process writes the same file.
    """

    def __init__(self, output: Path, side: Path, key: Key | None, *, resume: bool) -> None:
        self.output, self.side, self.key = output, side, key
        self.part = output.with_name(output.name + ".part")
        self.side_part = side.with_name(side.name + ".part")
        self.journal = output.with_name(output.name + ".part.json")
        self.rows = 0
        self.tally: Counter[str] = Counter()
        for path in (self.part, self.side_part):
            path.parent.mkdir(parents=True, exist_ok=True)
        self.lock = FileLock(output.with_name(output.name + ".part.lock"))
        try:
            self.lock.acquire(timeout=0)
        except Timeout:
            raise ConfigError(f"Another process writes {output} at the moment. Choose another output=.") from None
        lengths = self._lengths() if resume and key is not None else (0, 0)
        if not self.rows:
            self.journal.unlink(missing_ok=True)
        self.file, self.bad_rows = (_opened(path, length) for path, length in
                                    zip((self.part, self.side_part), lengths, strict=True))  # fmt: skip

    def _lengths(self) -> tuple[int, int]:
        """How far the two files are good; says what is gone on with, or why not."""
        assert self.key is not None
        try:
            known = json.loads(self.journal.read_text("utf-8"))
            lengths = (int(known["bytes"]), int(known["errors_bytes"]))
            rows, tally, key = int(known["rows"]), Counter(known["tally"]), dict(known["key"])
        except FileNotFoundError:
            return 0, 0
        except (OSError, ValueError, KeyError, TypeError):
            print(f"Starting anew: {self.journal} can't be read.", file=sys.stderr)
            return 0, 0
        if other := [name for name in {**self.key, **key} if self.key.get(name) != key.get(name)]:
            print(f"Starting anew: {self.part} was begun with another {', '.join(other)}.", file=sys.stderr)
            return 0, 0
        for path, length in zip((self.part, self.side_part), lengths, strict=True):
            if not path.is_file() or path.stat().st_size < length:
                print(f"Starting anew: {path} is shorter than {self.journal.name} says.", file=sys.stderr)
                return 0, 0
        self.rows, self.tally = rows, tally
        print(f"Going on with {self.part}: {rows:,} rows are done.", file=sys.stderr)
        return lengths

    def write(self, text: str) -> None:
        """Answers."""
        self.file.write(_whole(text))

    def bad(self, row: Mapping[str, Any]) -> None:
        """A bad row."""
        self.bad_rows.write(_whole(_line(row)))

    def mark(self, rows: int) -> None:
        """So many rows of the input are answered: an entry in the journal, once the data it speaks of is on disk."""
        self.rows = rows
        if self.key is None:
            return
        for file in (self.file, self.bad_rows):
            file.flush()
            os.fsync(file.fileno())
        entry = {
            "rows": rows,
            "bytes": self.file.tell(),
            "errors_bytes": self.bad_rows.tell(),
            "tally": dict(self.tally),
            "key": dict(self.key),
        }
        aside = self.journal.with_name(self.journal.name + ".new")
        with aside.open("w", encoding="utf-8") as file:
            json.dump(entry, file)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(self.journal)

    def finish(self, convert: Finish | None, *, keep: bool) -> None:
        """All is answered: the files get their names, the answers only if they are worth it."""
        for file in (self.file, self.bad_rows):
            file.flush()
            os.fsync(file.fileno())
        made = self.part
        if keep and convert is not None:
            made = self.output.with_name(self.output.name + ".whole")
            convert(self.part, made)
        if self.bad_rows.tell():
            self.side_part.replace(self.side)
        else:
            self.side_part.unlink()
            self.side.unlink(missing_ok=True)  # of an earlier run
        if keep:
            made.replace(self.output)
        self.part.unlink(missing_ok=True)
        self.journal.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the files; what is there of them can be gone on with."""
        self.file.close()
        self.bad_rows.close()
        Path(self.lock.lock_file).unlink(missing_ok=True)  # while it is held: whoever waits for it looks again
        self.lock.release()


def _opened(path: Path, length: int) -> Any:  # noqa: ANN401 - a binary file
    file = path.open("r+b" if length else "wb")
    file.truncate(length)
    file.seek(length)
    return file


def _line(row: Mapping[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False, default=str) + "\n"


def _whole(text: str) -> bytes:
    """UTF-8; half a character, which has none, by its escape, that JSON reads back."""
    return text.encode("utf-8", "backslashreplace")
