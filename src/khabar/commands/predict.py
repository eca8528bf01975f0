"""Read articles: events with their sentences, stances with their evidence."""

import json
import sys
from collections.abc import Iterator, Mapping
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
    if failed:
        print(f"{failed} articles could not be read; their answers say why in the field 'error'.", file=sys.stderr)


class _Source:
    def __init__(self, articles: Iterator[Mapping[str, Any]], *, single: bool) -> None:
        self.articles, self.single = articles, single


def _open(given: str) -> _Source:
    """The articles of a .txt file, a .jsonl file, a folder of .txt files, or standard input."""
    if given == "-":
        text = sys.stdin.read()
        if text.lstrip().startswith("{"):
            return _Source(_jsonl(text.splitlines(), "standard input"), single=False)
        return _Source(iter([{"text": text}]), single=True)
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
        return _Source(_jsonl(path.open(encoding="utf-8-sig"), given), single=False)
    raise ConfigError(f"input={given}: khabar reads .txt, .jsonl, a folder of .txt, and - for standard input.")


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 ({error}). Convert it first: iconv -f WINDOWS-1256 -t UTF-8.") from error


def _jsonl(lines: Any, name: str) -> Iterator[Mapping[str, Any]]:  # noqa: ANN401 - lines of a file or a list
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


class _Stdout:
    def __enter__(self) -> TextIO:
        return sys.stdout

    def __exit__(self, *_: object) -> None:
        sys.stdout.flush()


def _sink(output: str) -> Any:  # noqa: ANN401 - a context manager of a text stream
    if output == "-":
        return _Stdout()
    path = Path(output)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("w", encoding="utf-8")
