"""doccano's JSONL export: labels of whole texts, marked spans and relations between them; one file for each member."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from khabar.config import DataConfig
from khabar.data.importers import _exports
from khabar.data.importers._articles import Articles
from khabar.data.importers._controls import Control
from khabar.data.importers._exports import Mark
from khabar.data.problems import Place, Problems
from khabar.data.rows import RowError
from khabar.registry import suggest
from khabar.schema import GOLD, Article, Label, Relation, Span, Task

EXPORT = "In doccano: Dataset, Actions, Export dataset, format JSONL; of a zip, the folder it unpacks to."
SHAPE = 'A row is {"id": 1, "text": "...", "label": ["..."]}'
SHARED = "all"  # the file's name where members share their annotations
OPTIONS = {"empty": ("answer", "missing")}
CATEGORIES = ("label", "labels", "cats")
Arrow = tuple[str, str, str, str]  # id, head, tail, type


@dataclass(frozen=True)
class Row:
    """One text as one member answered it. `chosen` is None where whole texts were given no labels."""

    place: Place
    text: str
    annotator: str
    cells: dict[str, str]
    chosen: tuple[str, ...] | None
    marks: tuple[Mark, ...]
    arrows: tuple[Arrow, ...]


def tasks(config: DataConfig) -> dict[str, Task]:
    """The tasks that the export answers: of its labels and of its spans.

    Raises:
        ConfigError: an option or a column that does not exist.
        DataError: no such export, or nothing in it makes a task.
    """
    problems = Problems()
    return _exports.answered(_questions(_rows(config, problems), config), config, problems)


def read(config: DataConfig, problems: Problems) -> Iterator[Article | Label | Span | Relation]:
    """Every text once, with one label for each member's answer, and the marks as labels or spans.

    The path is a file or a folder of files, each named after its member (`all.jsonl`: they share their annotations,
    which are gold). A file whose member labelled nothing is passed over. `"label": []` is the answer "none of them"
    where the task allows that, else no answer: doccano writes it for texts nobody got to as well, so export approved
    documents only, or set the option `empty` to `missing`.

    Raises:
        ConfigError: an option or a column that does not exist.
        DataError: no such export, or nothing in it answers an asked task.
    """
    rows = _rows(config, problems)
    answers = _exports.Answers(_questions(rows, config), config, problems)
    articles = Articles(config)
    missing = _exports.option(config, OPTIONS, "empty") == "missing"
    task = answers.task("label")
    allowed = not missing and task is not None and (task.kind == "multi" or task.empty_as is not None)
    for row in rows:
        problems.at(*row.place)
        try:
            article, new = _exports.article(articles, row.text, row.cells)
        except RowError as error:
            problems.add(error.field, error.wrong, error.fix)
            continue
        if new:
            yield article
        if row.chosen or (row.chosen is not None and allowed):
            yield from answers.label("label", row.chosen, article.id, row.annotator, row.cells)
        if row.chosen == () and task is not None:
            problems.note("texts without a label" + (", read as none of them" if allowed else ", passed over"))
        held = {end for _, *ends, _ in row.arrows for end in ends}
        yield from answers.marks("spans", row.marks, article.id, row.annotator, row.cells, held)
        yield from _relations(row, article.id, problems)


def _relations(row: Row, article: str, problems: Problems) -> Iterator[Relation]:
    there = {mark.id for mark in row.marks}
    for id_, head, tail, role in row.arrows:
        lacking = [end for end in (head, tail) if end not in there]
        if lacking:
            problems.add("relations", f"there is no entity {lacking[0]} in this row.", suggest(lacking[0], there))
            continue
        yield Relation(
            id=_exports.span_id(article, row.annotator, f"relation-{id_}"),
            article=article,
            annotator=row.annotator,
            head=_exports.span_id(article, row.annotator, head),
            tail=_exports.span_id(article, row.annotator, tail),
            role=role,
        )


def _questions(rows: Iterable[Row], config: DataConfig) -> list[Control]:
    answered = [row for row in rows if row.chosen is not None]
    labels = {label for row in answered for label in row.chosen or ()}
    several = any(len(row.chosen or ()) > 1 for row in answered)
    # where one of several labels is chosen, a text without one was not answered rather than answered with none
    empty = (several or len(labels) == 1) and any(row.chosen == () for row in answered)
    empty = empty and _exports.option(config, OPTIONS, "empty") == "answer"
    asks = _exports.asks(row.cells for row in answered)
    control = Control("label", tuple(sorted(labels)), several, spans=False, empty=empty, asks=asks)
    return [control] * bool(labels) + _exports.span_control("spans", (row.marks for row in rows))


def _rows(config: DataConfig, problems: Problems) -> list[Row]:
    paths = _exports.jsonl(config, EXPORT)
    folder = Path(config.path or ".").is_dir()
    cells = _exports.Cells(config)
    found: dict[Path, list[Row]] = {path: [] for path in paths}
    for path, raw in _exports.objects(paths, config, problems):
        annotator = _exports.person(path.stem) if folder and path.stem != SHARED else GOLD
        try:
            found[path].append(_row(raw, problems.place, annotator, cells(raw)))
        except RowError as error:
            problems.add(error.field, error.wrong, error.fix)
    cells.check()
    rows = [row for path in paths for row in found[path]]
    idle = [path for path in paths if found[path] and not any(row.chosen or row.marks for row in found[path])]
    if len(paths) > 1 and idle:
        problems.note("members who labelled nothing", len(idle))
        rows = [row for path in paths if path not in idle for row in found[path]]
    return rows


def _row(raw: dict[str, Any], place: Place, annotator: str, cells: dict[str, str]) -> Row:
    text = _exports.text_of(raw, SHAPE)
    if "annotations" in raw:
        wrong = "label numbers, as old versions export them."
        raise RowError("annotations", wrong, "Export JSONL with the labels as text")
    keys = [name for name in (*CATEGORIES, "entities") if raw.get(name) is not None]
    if not any(name in raw for name in (*CATEGORIES, "entities")):
        raise RowError("label", "missing.", SHAPE)
    chosen: list[str] = []
    marks: list[Mark] = []
    for key in keys:
        for item in _list(raw, key):
            if isinstance(item, str) and key != "entities":
                chosen.append(_name(item, key))
            else:
                marks.append(_mark(item, key))
    whole = chosen or any(raw[key] == [] for key in keys if key != "entities")
    arrows = tuple(_arrow(item) for item in _list(raw, "relations"))
    return Row(place, text, annotator, cells, tuple(chosen) if whole else None, tuple(marks), arrows)


def _list(raw: dict[str, Any], key: str) -> list[Any]:
    value = raw.get(key)
    if isinstance(value, str) and key in CATEGORIES:
        return [value]
    if value is not None and not isinstance(value, list):
        raise RowError(key, f"{value!r} is no list.", SHAPE)
    return value or []


def _mark(item: Any, key: str) -> Mark:  # noqa: ANN401 - any JSON
    match item:
        case [int() as start, int() as end, str() as label]:
            return Mark(f"{start}-{end}-{label}", _name(label, key), start, end)
        case {"id": int() | str() as id_, "label": str() as label}:
            start, end = (_exports.offset(item, name) for name in ("start_offset", "end_offset"))
            return Mark(str(id_), _name(label, key), start, end)
        case int():
            raise RowError(key, f"{item} is a number, not the label itself.", "Export JSONL with the labels as text")
    raise RowError(key, f"{item!r}.", "A span is [start, end, label] or has id, label, start_offset and end_offset")


def _arrow(item: Any) -> Arrow:  # noqa: ANN401 - any JSON
    match item:
        case {"from_id": int() | str() as head, "to_id": int() | str() as tail, "type": str() as role} if role.strip():
            return str(item.get("id", f"{head}-{tail}-{role}")), str(head), str(tail), role.strip()
    raise RowError("relations", f"{item!r}.", 'A relation is {"id": 1, "from_id": 2, "to_id": 3, "type": "..."}')


def _name(label: str, key: str) -> str:
    if not label.strip():
        raise RowError(key, "a blank label.", "Name the label or leave it out")
    return label.strip()
