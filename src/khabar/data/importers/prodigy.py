"""Prodigy's `db-out`: choices among options, yes-or-no questions on one label, marked spans; what was accepted of each.

What one annotator answered on one text stands in as many rows as questions were put; a sheet brings them together.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from khabar.config import DataConfig
from khabar.data.importers import _exports
from khabar.data.importers._articles import Articles
from khabar.data.importers._controls import Control
from khabar.data.importers._exports import Mark
from khabar.data.problems import Place, Problems
from khabar.data.rows import RowError
from khabar.registry import suggest
from khabar.schema import Article, Label, Span, Task

EXPORT = "Export with: prodigy db-out DATASET > export.jsonl"
SHAPE = 'A row is {"text": "...", "answer": "accept"} and a label, or options and accept, or spans'
VERDICTS = ("accept", "reject", "ignore")
UNNAMED = "unnamed"
CLOCK = re.compile(r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d")  # the name of a session that nobody named
OPTIONS = {"unasked": ("missing", "absent")}


@dataclass
class Sheet:
    """What one annotator answered on one text.

    `choices`: the options offered -> those accepted. `verdicts`: a label asked alone -> accepted or rejected.
    """

    place: Place
    text: str
    annotator: str
    cells: dict[str, str]
    choices: dict[tuple[str, ...], tuple[str, ...]] = field(default_factory=dict)
    verdicts: dict[str, bool] = field(default_factory=dict)
    marks: dict[str, Mark] = field(default_factory=dict)

    @property
    def accepted(self) -> tuple[str, ...]:
        """The labels asked alone and accepted."""
        return tuple(label for label, yes in self.verdicts.items() if yes)


@dataclass
class Export:
    """All sheets, and whether several options could be chosen at once."""

    sheets: list[Sheet]
    multiple: bool


def tasks(config: DataConfig) -> dict[str, Task]:
    """The tasks that the export answers: of its choices, of its labels asked alone and of its spans.

    Raises:
        ConfigError: an option or a column that does not exist.
        DataError: no such export, or nothing in it makes a task.
    """
    problems = Problems()
    return _exports.answered(_questions(_export(config, problems), config), config, problems)


def read(config: DataConfig, problems: Problems) -> Iterator[Article | Label | Span]:
    """Every answered text once, with each annotator's answers, and the marks as labels or spans.

    The path is a file or a folder of them. Ignored answers, and rejected choices and spans, are passed over and
    counted. Of two answers of one annotator to the same question the later one stands. Labels asked one by one make
    one answer: see `_verdict`; the option `unasked` says whether a label that was not asked is `missing` or `absent`.

    Raises:
        ConfigError: an option or a column that does not exist.
        DataError: no such export, or nothing in it answers an asked task.
    """
    export = _export(config, problems)
    questions = _questions(export, config)
    answers = _exports.Answers(questions, config, problems)
    absent = _exports.option(config, OPTIONS, "unasked") == "absent"
    alone = next((control.labels for control in questions if control.name == "label"), ())
    articles = Articles(config)
    for sheet in export.sheets:
        problems.at(*sheet.place)
        try:
            article, new = _exports.article(articles, sheet.text, sheet.cells)
        except RowError as error:
            problems.add(error.field, error.wrong, error.fix)
            continue
        if new:
            yield article
        for chosen in sheet.choices.values():
            yield from answers.label("choice", chosen, article.id, sheet.annotator, sheet.cells)
        task = answers.task("label")
        if sheet.verdicts and task is not None:
            verdict = _verdict(sheet, alone, task, config.label_map.get(task.name, {}), absent)
            if verdict is None:
                problems.note("texts with labels that were not asked, passed over")
            else:
                yield from answers.label("label", verdict, article.id, sheet.annotator, sheet.cells)
        yield from answers.marks("spans", [*sheet.marks.values()], article.id, sheet.annotator, sheet.cells)


def _verdict(
    sheet: Sheet, labels: Sequence[str], task: Task, spelling: Mapping[str, str], absent: bool
) -> tuple[str, ...] | None:
    """What the labels asked one by one come to, None where an answer is missing for that.

    Accepted labels are given, rejected ones are not. A multi-label task needs an answer on every label that the file
    asks about, unless those not asked are read as absent. Of a single-label task one accepted label is the answer, and
    so is the one label left when all others of the task were rejected.
    """
    if task.kind == "single" and sheet.accepted:
        return sheet.accepted
    if task.kind == "single":
        rejected = {spelling.get(label, label) for label in sheet.verdicts}
        left = [label for label in task.labels if label not in rejected]
        if len(left) == 1:
            # in the file's spelling, for the map is applied once more
            return (next((name for name, mapped in spelling.items() if mapped == left[0]), left[0]),)
    return sheet.accepted if absent or len(sheet.verdicts) == len(labels) else None


def _questions(export: Export, config: DataConfig) -> list[Control]:
    found = []
    chosen = [(sheet, accepted) for sheet in export.sheets for accepted in sheet.choices.values()]
    labels = {label for sheet, _ in chosen for options in sheet.choices for label in options}
    if labels:
        several = export.multiple or any(len(accepted) > 1 for _, accepted in chosen)
        # where one of several options is chosen, no choice is a lack of an answer, not a kind of it
        empty = (several or len(labels) == 1) and any(not accepted for _, accepted in chosen)
        asks = _exports.asks(sheet.cells for sheet, _ in chosen)
        found.append(Control("choice", tuple(sorted(labels)), several, spans=False, empty=empty, asks=asks))
    asked = [sheet for sheet in export.sheets if sheet.verdicts]
    labels = {label for sheet in asked for label in sheet.verdicts}
    if labels:
        several = any(len(sheet.accepted) > 1 for sheet in asked)
        absent = _exports.option(config, OPTIONS, "unasked") == "absent"
        empty = any(not sheet.accepted and (absent or len(sheet.verdicts) == len(labels)) for sheet in asked)
        asks = _exports.asks(sheet.cells for sheet in asked)
        found.append(Control("label", tuple(sorted(labels)), several, spans=False, empty=empty, asks=asks))
    return found + _exports.span_control("spans", ([*sheet.marks.values()] for sheet in export.sheets))


def _export(config: DataConfig, problems: Problems) -> Export:
    cells = _exports.Cells(config)
    sheets: dict[tuple[str | None, ...], Sheet] = {}
    multiple = False
    for _, raw in _exports.objects(_exports.jsonl(config, EXPORT), config, problems):
        try:
            text = _exports.text_of(raw, SHAPE)
            verdict = _answer(raw)
            if verdict == "ignore" or (verdict == "reject" and not _alone(raw)):
                problems.note(f"answers passed over: {verdict}")
                continue
            row = Sheet(problems.place, text, _annotator(raw), cells(raw))
            _fill(row, raw, verdict == "accept")
        except RowError as error:
            problems.add(error.field, error.wrong, error.fix)
            continue
        key = (row.annotator, text, *(row.cells.get(name) for name in ("id", "group", "split", *_exports.ASKED)))
        sheet = sheets.setdefault(key, row)
        if sheet is not row:
            _merge(sheet, row, problems)
        style = raw.get("config")
        multiple = multiple or (isinstance(style, dict) and style.get("choice_style") == "multiple")
        if raw.get("relations"):
            problems.note("rows whose relations are not read")
    cells.check()
    return Export([*sheets.values()], multiple)


def _answer(raw: dict[str, Any]) -> str:
    verdict = raw.get("answer")
    if verdict is None:
        raise RowError("answer", "missing.", EXPORT)
    if verdict not in VERDICTS:
        raise RowError("answer", f"{verdict!r}.", suggest(str(verdict), VERDICTS))
    return str(verdict)


def _alone(raw: dict[str, Any]) -> bool:
    """Whether the row asks about one label."""
    return raw.get("label") is not None and raw.get("options") is None


def _annotator(raw: dict[str, Any]) -> str:
    name = raw.get("_annotator_id") or raw.get("_session_id")
    return UNNAMED if not isinstance(name, str) or CLOCK.fullmatch(name) else _exports.person(name)


def _fill(sheet: Sheet, raw: dict[str, Any], accepted: bool) -> None:
    if raw.get("options") is not None:
        options = _options(raw["options"])
        sheet.choices[tuple(options.values())] = _accepted(raw, options)
    elif _alone(raw):
        label = raw["label"]
        if not isinstance(label, str) or not label.strip():
            raise RowError("label", f"{label!r} is no label.", SHAPE)
        sheet.verdicts[label.strip()] = accepted
    # where a label or a choice is asked for, marks are highlights that patterns left
    if not _alone(raw) and raw.get("_view_id") != "choice":
        sheet.marks = {mark.id: mark for mark in _marks(raw, sheet.text)}
    if raw.get("options") is None and raw.get("label") is None and raw.get("spans") is None:
        raise RowError("answer", "accepts nothing: no label, options or spans.", SHAPE)


def _options(options: object) -> dict[str | int, str]:
    """Id -> label: the id itself, the option's words where the ids are numbers."""
    found: dict[str | int, str] = {}
    for option in options if isinstance(options, list) else [options]:
        match option:
            case {"id": str() as id_} if id_.strip():
                found[id_] = id_.strip()
            case {"id": int() as id_, "text": str() as words} if words.strip():
                found[id_] = words.strip()
            case _:
                raise RowError("options", f"{option!r}.", 'An option is {"id": "...", "text": "..."}')
    return found


def _accepted(raw: dict[str, Any], options: Mapping[str | int, str]) -> tuple[str, ...]:
    accepted = raw.get("accept") or []
    if not isinstance(accepted, list):
        raise RowError("accept", f"{accepted!r} is no list.", 'Write "accept": ["..."]')
    for id_ in accepted:
        if not isinstance(id_, str | int) or id_ not in options:
            raise RowError("accept", f"{id_!r} is no option of this row.", suggest(str(id_), map(str, options)))
    return tuple(options[id_] for id_ in accepted)


def _marks(raw: dict[str, Any], text: str) -> Iterator[Mark]:
    spans = raw.get("spans") or []
    if not isinstance(spans, list):
        raise RowError("spans", f"{spans!r} is no list.", SHAPE)
    for span in spans:
        label = span.get("label") if isinstance(span, dict) else None
        if not isinstance(label, str) or not label.strip():
            raise RowError("spans", f"{span!r}.", 'A span is {"start": 0, "end": 4, "label": "..."}')
        start, end = (_exports.offset(span, name) for name in ("start", "end"))
        words = span.get("text")
        if isinstance(words, str) and text[max(start, 0) : max(end, 0)] != words:
            raise RowError("spans", f"[{start}, {end}) is not {words!r} in the text.", "Offsets count code points")
        yield Mark(f"{start}-{end}-{label.strip()}", label.strip(), start, end)


def _merge(sheet: Sheet, row: Sheet, problems: Problems) -> None:
    """Add a later row of the same annotator on the same text."""
    replaced = sum(sheet.choices.get(question, answer) != answer for question, answer in row.choices.items())
    replaced += sum(sheet.verdicts.get(label, answer) != answer for label, answer in row.verdicts.items())
    if replaced:
        problems.note("answers that a later one of the same annotator replaces", replaced)
    sheet.choices |= row.choices
    sheet.verdicts |= row.verdicts
    sheet.marks |= row.marks
    sheet.place = row.place
