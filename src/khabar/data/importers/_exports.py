"""What the exports of annotation tools share: files, people, each text once, answers and marks as khabar's nouns."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote

from khabar.config import DataConfig
from khabar.data import rows
from khabar.data.addresses import without_addresses
from khabar.data.importers._articles import SHOWN, Articles
from khabar.data.importers._controls import (
    Control,
    assign,
    known,
    lacked,
    marking,
    narrow,
    own,
    spelled,
    taken,
    tasks,
    told,
)
from khabar.data.problems import Problems
from khabar.data.rows import RowError
from khabar.errors import ConfigError, DataError
from khabar.registry import suggest
from khabar.schema import Article, Label, Offsets, Span, Task

ASKED: tuple[Literal["holder", "target"], ...] = ("holder", "target")
COLUMNS = ("id", *SHOWN, "group", "split", *ASKED)


@dataclass(frozen=True)
class Mark:
    """A marked stretch of a text; `id` is its own within what one annotator marked in that text."""

    id: str
    label: str
    start: int
    end: int
    attributes: dict[str, str] = field(default_factory=dict)


def jsonl(config: DataConfig, export: str) -> list[Path]:
    """The export's files: the one that `config.path` names, or every `.jsonl` of that folder.

    Args:
        config: the data set.
        export: how the tool exports what khabar reads, a sentence for the error.

    Raises:
        DataError: there is none, or one is an archive or a JSON array.
    """
    path = Path(config.path or ".")
    found = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    if not found:
        raise DataError(f"{path} holds no .jsonl file. {export}")
    for file in found:
        with file.open("rb") as opened:
            head = opened.read(64).lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n")  # the order marks, UTF-16's zeros
        if head.startswith(b"PK\x03\x04"):
            raise DataError(f"{file} is an archive. Unpack it and give the folder: data.path=FOLDER")
        if head.startswith(b"["):
            raise DataError(
                f"{file} is a JSON array, not one JSON object a line. {export} An export of Label Studio is an array: "
                "data=label_studio"
            )
    return found


def tool(row: Any) -> str | None:  # noqa: ANN401 - any JSON
    """The importer that an exported row is for, by its keys, if they are plain."""
    match row:
        case {"data": dict(), "annotations": list()}:
            return "label_studio"
        case {"Comments": _}:
            return "doccano"
        case {"answer": str()} if "_task_hash" in row or "_input_hash" in row:
            return "prodigy"
        case {"text": str()} if "answer" not in row and isinstance(row.get("label", row.get("entities")), list):
            return "doccano"
    return None


def objects(files: Iterable[Path], config: DataConfig, problems: Problems) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Every object of the files, `problems.place` set to each.

    Raises:
        DataError: there is not one, what is wrong with the lines being told first; or the first is of another tool.
    """
    none = True
    for path in files:
        for row in rows.objects(path, problems):
            if none and (other := tool(row)) not in (None, config.importer):
                raise DataError(f"{path} is no export of {config.importer}, it looks like one of {other}: data={other}")
            none = False
            yield path, row
    if none:
        problems.settle("stop")
        raise DataError(f"{path} holds no row")


def person(name: str) -> str:
    """An annotator's name, an e-mail address in it replaced by a pseudonym, the same in every file and run."""
    return without_addresses(unquote(name)).strip()


def option(config: DataConfig, options: Mapping[str, Sequence[str]], name: str) -> str:
    """The value of one of an importer's `OPTIONS`, the first choice where none is given."""
    return config.options.get(name, options[name][0])


def known_columns(config: DataConfig, names: Iterable[str]) -> None:
    """Check that `config.columns` has no others than these and tasks (of a task: the control that answers it).

    Raises:
        ConfigError: it has.
    """
    exist = {*names, *own(), *config.tasks, *config.default_tasks}
    for name in config.columns:
        if name not in exist:
            raise ConfigError(f"data.columns.{name}: khabar knows no such column. {suggest(name, exist)}")


class Cells:
    """What an exported row says of its text, beside the answer: at its top or under `meta`, named by `columns`."""

    def __init__(self, config: DataConfig) -> None:
        known_columns(config, COLUMNS)
        self.keys = {name: config.columns.get(name, name) for name in COLUMNS}
        if config.split.rule == "field" and config.split.field not in self.keys:
            self.keys[config.split.field] = config.split.field
        self.named = [name for name in COLUMNS if name in config.columns]
        self.seen: set[str] = set()

    def __call__(self, row: Mapping[str, Any]) -> dict[str, str]:
        """The cells that are there, as strings, by khabar's names."""
        meta = row.get("meta")
        all_ = {**meta, **row} if isinstance(meta, dict) else row
        self.seen |= all_.keys()
        found = {name: _string(all_.get(key)) for name, key in self.keys.items()}
        return {name: value for name, value in found.items() if value is not None}

    def check(self) -> None:
        """Once all rows are read: what the user named has to be in one of them.

        Raises:
            DataError: it is in none.
        """
        for name in self.named:
            if self.keys[name] not in self.seen:
                exist = suggest(self.keys[name], self.seen)
                raise DataError(f"No row has {self.keys[name]!r}, which data.columns.{name} says holds it. {exist}")


def asks(seen: Iterable[Mapping[str, str]]) -> tuple[Literal["holder", "target"], ...]:
    """The parts of a question that rows bring along, of their cells."""
    there = {name for cells in seen for name in cells}
    return tuple(name for name in ASKED if name in there)


def article(articles: Articles, text: str, cells: Mapping[str, str]) -> tuple[Article, bool]:
    """The article of a text with these cells, and whether it is new; as `Articles.take`."""
    apart = {"id", *SHOWN, *ASKED} - {articles.split}
    meta: dict[str, Any] = {name: value for name, value in cells.items() if name not in apart}
    return articles.take(text, cells.get("id"), meta, cells)


def answered(controls: Sequence[Control], config: DataConfig, problems: Problems) -> dict[str, Task]:
    """The tasks that the controls of a file answer.

    Raises:
        DataError: they answer none; bad rows may be why, and are told first.
    """
    try:
        return tasks(controls, config)
    except DataError:
        problems.settle("stop")
        raise


class Answers:
    """Answers and marks as labels and spans of the tasks that were asked, each with an id of its own."""

    def __init__(self, controls: Sequence[Control], config: DataConfig, problems: Problems) -> None:
        controls = narrow(controls, config, {control.name for control in controls if control.spans})
        try:
            self.asked = assign(controls, config)
        except DataError:
            problems.settle(config.on_error)  # bad rows may be why a question is not found: they are told first
            raise
        self.tasks = known(controls, config)
        self.marking = marking(controls, config)
        self.labels = {control.name: set(control.labels) for control in controls}
        self.config = config
        self.problems = problems
        self.ids: Counter[str] = Counter()

    def task(self, control: str) -> Task | None:
        """The asked task that a control answers."""
        return self.tasks.get(self.asked.get(control, ""))

    def label(
        self,
        control: str,
        labels: Sequence[str],
        article: str,
        annotator: str,
        cells: Mapping[str, str],
        span: Offsets | None = None,
    ) -> Iterator[Label]:
        """The answer as a label, unless the control answers nothing that was asked."""
        task = self.task(control)
        if task is None:
            return
        labels = taken(labels, control, task.name, task, self.config, self.problems)
        place = "" if span is None else f"#{span[0]}-{span[1]}"
        yield Label(
            id=self.id(f"{article}@{annotator}/{task.name}{place}"),
            article=article,
            annotator=annotator,
            task=task.name,
            labels=tuple(dict.fromkeys(labels)),
            span=span,
            holder=cells.get("holder") if "holder" in task.asks else None,
            target=cells.get("target") if "target" in task.asks else None,
        )

    def marks(
        self,
        control: str,
        marks: Sequence[Mark],
        article: str,
        annotator: str,
        cells: Mapping[str, str],
        held: Collection[str] = (),
    ) -> Iterator[Label | Span]:
        """Marks as labels where an asked task has their label, as spans elsewhere, as both where in `held`.

        Several labels on the same stretch are one answer. `held` are the ids that a relation points at. What a task of
        khabar's asks to be marked are spans.
        """
        task, layered = self.task(control), self.marking.get(control)
        asked = self.labels.get(control, set()) if task is not None and layered is None else set()
        answers: dict[Offsets, list[str]] = {}
        for mark in marks:
            layer = (mark.label if layered is None else spelled(mark.label, layered.name, self.config)).lower()
            if layered is not None:
                told(control, layered.name, self.problems)
            if mark.label in asked:
                answers.setdefault((mark.start, mark.end), []).append(mark.label)
            elif layered is None or layer not in layered.labels:
                self.problems.note(f"marks kept as spans: {mark.label}" if task is None else lacked(task, mark.label))
            if mark.label not in asked or mark.id in held:
                yield Span(
                    id=span_id(article, annotator, mark.id),
                    article=article,
                    annotator=annotator,
                    layer=layer,
                    start=mark.start,
                    end=mark.end,
                    attributes=mark.attributes,
                )
        for span, labels in answers.items():
            yield from self.label(control, labels, article, annotator, cells, span)

    def id(self, wanted: str) -> str:
        """The wanted id, numbered from its second use on."""
        self.ids[wanted] += 1
        return wanted if self.ids[wanted] == 1 else f"{wanted}-{self.ids[wanted]}"


def span_id(article: str, annotator: str, mark: str) -> str:
    """The id of a mark among all spans of a corpus."""
    return f"{article}@{annotator}/{mark}"


def span_control(name: str, texts: Iterable[Sequence[Mark]]) -> list[Control]:
    """The question that marks answer, none without marks; one item of `texts` is what one annotator marked in one."""
    labels: set[str] = set()
    several = False
    for marks in texts:
        distinct = {(mark.start, mark.end, mark.label) for mark in marks}
        several = several or len({place[:2] for place in distinct}) < len(distinct)
        labels |= {mark.label for mark in marks}
    return [Control(name, tuple(sorted(labels)), several, spans=True)] if labels else []


def offset(row: Mapping[str, Any], key: str) -> int:
    """A whole number of a mark.

    Raises:
        RowError: it is missing or something else.
    """
    value = row.get(key)
    if not isinstance(value, int) or isinstance(value, bool):
        raise RowError(key, f"{value!r} is no whole number.", "Offsets count code points from 0")
    return value


def text_of(row: Mapping[str, Any], shape: str) -> str:
    """The text of a row.

    Raises:
        RowError: it is missing or blank; `shape` says what a row looks like.
    """
    text = row.get("text")
    if not isinstance(text, str):
        raise RowError("text", "missing or no string.", shape)
    if not text.strip():
        raise RowError("text", "blank.", "Add the text or leave the row out")
    return text


def _string(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return without_addresses(str(value)).strip() or None
