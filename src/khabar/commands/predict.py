"""Read articles: events with their sentences, stances with their evidence."""

import contextlib
import io
import itertools
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TextIO

from pydantic import Field
from tqdm import tqdm

from khabar.config import MachineConfig, Record, locate
from khabar.errors import ConfigError, DataError


class Config(Record):
    """Configuration of `khabar predict`."""

    machine: MachineConfig
    model: str
    input: str = "-"
    output: str = "-"
    format: Literal["auto", "text", "jsonl"] = "auto"
    watchlist: str | None = None
    questions: tuple[str, ...] = ()
    threshold: float | None = Field(None, gt=0, lt=1)


def run(config: Config) -> None:
    """Read every article of the input and write one answer each; one that can't be read gets an error as answer."""
    from khabar.inference import watchlist
    from khabar.inference.model import load, parse_question
    from khabar.inference.readings import to_text

    names = watchlist.load(locate(config.watchlist)) if config.watchlist else None
    asked = [parse_question(question) for question in config.questions]
    source = _open(config.input)
    model = load(config.model, config.machine)
    as_text = config.format == "text" or (config.format == "auto" and config.output == "-" and source.single)
    failed = 0
    with _sink(config.output) as sink:
        answers = model.stream(source.articles, asked, watchlist=names, threshold=config.threshold)
        quiet = source.single or not sys.stderr.isatty()
        for count, reading in enumerate(tqdm(answers, unit="article", disable=quiet, file=sys.stderr)):
            failed += reading.error is not None
            if as_text:
                sink.write(("\n\n" if count else "") + to_text(reading) + "\n")
            else:
                sink.write(json.dumps(reading.to_dict(), ensure_ascii=False) + "\n")
    if cut := str(model.engine.windower.cut):
        print(cut, file=sys.stderr)
    if failed:
        several = "1 article" if failed == 1 else f"{failed} articles"
        print(f"{several} could not be read; the field 'error' of the answer says why.", file=sys.stderr)


@dataclass(frozen=True)
class _Source:
    articles: Iterator[Mapping[str, Any]]
    single: bool


def _open(given: str) -> _Source:
    """The articles of a .txt file, a .jsonl file, a folder of .txt files, or standard input."""
    if given == "-":
        if isinstance(sys.stdin, io.TextIOWrapper):
            sys.stdin.reconfigure(encoding="utf-8-sig", errors="strict")  # whatever the locale says
        lines = _decoded(sys.stdin, "standard input")
        ahead = []  # to its first line with a character
        for line in lines:
            ahead.append(line)
            if line.strip():
                break
        rest = itertools.chain(ahead, lines)
        if ahead and ahead[-1].lstrip().startswith("{"):
            return _Source(_jsonl(rest, "standard input"), single=False)
        return _Source(iter([{"text": "".join(rest)}]), single=True)
    path = locate(given)
    if path.is_dir():
        files = sorted(path.glob("*.txt"))
        if not files:
            raise DataError(f"The folder {given} holds no .txt file.")
        return _Source(({"id": file.stem, "text": _read(file)} for file in files), single=False)
    if not path.is_file():
        raise DataError(f"There is no file {given}.")
    if path.suffix == ".txt":
        return _Source(iter([{"id": path.stem, "text": _read(path)}]), single=True)
    if path.suffix in (".jsonl", ".ndjson"):
        return _Source(_jsonl(_lines(path), given), single=False)
    raise ConfigError(f"input={given}: khabar reads .txt, .jsonl, a folder of .txt, and - for standard input.")


def _read(path: Path) -> str:
    return "".join(_lines(path))


def _lines(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8-sig") as file:
        yield from _decoded(file, str(path))


def _decoded(lines: Iterable[str], name: str) -> Iterator[str]:
    try:
        yield from lines
    except UnicodeDecodeError as error:
        raise DataError(f"{name} is not UTF-8 ({error}). Convert it first: iconv -f WINDOWS-1256 -t UTF-8.") from error


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
def _sink(output: str) -> Iterator[TextIO]:
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
