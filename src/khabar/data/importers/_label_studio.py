"""A JSON export of Label Studio as plain records: texts with what each annotator answered, spans in code points."""

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from khabar.config import DataConfig
from khabar.data.addresses import without_addresses
from khabar.data.decoding import encoding_of
from khabar.data.importers._exports import option, tool
from khabar.data.importers._offsets import Ruler
from khabar.data.problems import Place, Problems
from khabar.data.rows import RowError
from khabar.errors import DataError
from khabar.registry import suggest
from khabar.schema import GOLD, Article, Offsets

COLUMNS = ("id", "text", "holder", "target", "title", "date", "source", "url", "group", "split", "questions")
OPTIONS = {"predictions": ("false", "true"), "offsets": ("utf16", "characters")}
REPEATED = re.compile(r"(.+)_(\d+)")  # how a Repeater names the copies of a control
EXPORT = "Export the project again in the format JSON (not JSON-MIN, CSV or TSV) and give that file unchanged"


@dataclass(frozen=True)
class Answer:
    """What one control got: `marks` if the answer is the span itself, `region` the id it shares with others."""

    control: str
    labels: tuple[str, ...]
    region: str
    marks: bool = False
    span: Offsets | None = None
    question: int | None = None


@dataclass(frozen=True)
class Arrow:
    """A relation between two regions."""

    head: str
    tail: str
    labels: tuple[str, ...]


@dataclass
class Annotation:
    """One submission of one annotator.

    `written` is what was typed, its labels the texts. `broken` names the controls of which an answer could not be read.
    """

    key: str
    annotator: str
    blank: bool
    answers: list[Answer] = field(default_factory=list)
    written: list[Answer] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Item:
    """One text as the project showed it: `asked` are the parts of the question beside the text."""

    place: Place
    project: str
    article: Article
    asked: dict[str, str]
    questions: tuple[dict[str, str], ...] | None
    annotations: tuple[Annotation, ...]

    def beside(self, question: int | None) -> dict[str, str]:
        """Holder and target of one of the questions, or those of the whole text."""
        return self.asked if question is None or self.questions is None else self.questions[question]


def items(config: DataConfig, problems: Problems) -> list[Item]:
    """Every task of the export that can be read.

    Raises:
        ConfigError: an option that does not exist.
        DataError: the file is no JSON export, or no field of the data is the text.
    """
    path = Path(config.path or ".")
    plain = _export(path, problems)
    reader = _Reader(config, problems, plain)
    found = []
    for number, task in enumerate(plain, 1):
        known = task.get("id") if isinstance(task, dict) else None
        problems.at(path.name, known if type(known) is int else number, "task")
        try:
            found.append(reader.item(task))
        except RowError as error:
            problems.add(error.field, error.wrong, error.fix)
    return found


def _export(path: Path, problems: Problems) -> list[Any]:
    if not path.is_file():
        raise DataError(f"data.path={path} should be one file, a JSON export of Label Studio. {EXPORT}")
    problems.at(path.name)
    text = path.read_text(encoding=encoding_of(path, problems))
    if not text.strip():
        raise DataError(f"{path} is empty. {EXPORT}")
    try:
        plain = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is not JSON: {error}. {EXPORT}{_other(text)}") from None
    if not isinstance(plain, list):
        raise DataError(f"{path} holds a JSON {type(plain).__name__}, an export holds a list of tasks. {EXPORT}")
    if not plain:
        raise DataError(f"{path} holds no task. {EXPORT}")
    tasks = [task for task in plain if isinstance(task, dict)]
    if not any(isinstance(task.get("data"), dict) for task in tasks):
        told = " (it looks like JSON-MIN)" if any("annotator" in task or "lead_time" in task for task in tasks) else ""
        raise DataError(f"{path} is no full export{told}: no task has data and annotations. {EXPORT}")
    if any("completions" in task for task in tasks) and not any("annotations" in task for task in tasks):
        raise DataError(f"{path} comes from a Label Studio before 1.0: it has completions, no annotations. {EXPORT}")
    return plain


def _other(text: str) -> str:
    """Whose export a file of one JSON object a line looks like."""
    try:
        other = tool(json.loads(text.lstrip().partition("\n")[0]))
    except (ValueError, RecursionError):
        return ""
    return "" if other is None else f". It looks like an export of another tool: data={other}"


class _Reader:
    """Tasks of one export to items."""

    def __init__(self, config: DataConfig, problems: Problems, plain: list[Any]) -> None:
        data = [task["data"] for task in plain if isinstance(task, dict) and isinstance(task.get("data"), dict)]
        self.columns = {name: config.columns.get(name, name) for name in COLUMNS}
        self.columns["text"] = _text_field(config, data)
        for name in set(config.columns) & set(COLUMNS):
            if not any(self.columns[name] in fields for fields in data):
                exist = sorted({field for fields in data for field in fields})
                raise DataError(
                    f"The data of no task has {self.columns[name]!r}, which should hold the {name}. "
                    f"{suggest(self.columns[name], exist)} Name it with data.columns.{name}=FIELD"
                )
        self.split_field = config.split.field if config.split.rule == "field" else "split"
        self.predictions = option(config, OPTIONS, "predictions") == "true"
        self.characters = option(config, OPTIONS, "offsets") == "characters"
        self.problems = problems
        self.ambiguous = _ambiguous(plain)

    def item(self, task: object) -> Item:
        """One task.

        Raises:
            RowError: its text or its annotations are missing.
        """
        if not isinstance(task, dict) or not isinstance(task.get("data"), dict):
            raise RowError("data", "missing or no object.", EXPORT)
        data: dict[str, Any] = task["data"]
        cells = {name: _string(data.get(column)) for name, column in self.columns.items()}
        text = data.get(self.columns["text"])
        if not isinstance(text, str) or not text.strip():
            wrong = f"{self.columns['text']!r} is {'empty' if text in (None, '') else 'no string'}."
            raise RowError("text", wrong, "Every task needs its text; data.columns.text=FIELD names the field")
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        meta = {name: value for name in ("group", "split") if (value := cells[name])}
        if (value := _string(data.get(self.split_field))) is not None:
            meta[self.split_field] = value
        shown = {name: cells[name] for name in ("title", "date", "source", "url")}
        article = Article(id=cells["id"] or _string(task.get("id")) or digest, text=text, meta=meta, **shown)
        questions = self._questions(data)
        asked = {name: value for name in ("holder", "target") if (value := cells[name])}
        annotations = tuple(self._annotations(task, text, questions))
        project = str(task.get("project"))
        return Item(self.problems.place, project, article, asked if "target" in asked else {}, questions, annotations)

    def _questions(self, data: dict[str, Any]) -> tuple[dict[str, str], ...] | None:
        given = data.get(self.columns["questions"])
        if not isinstance(given, list) or not given or not all(isinstance(entry, dict) for entry in given):
            return None
        return tuple(
            {name: value for name in ("holder", "target") if (value := _string(entry.get(name)))} for entry in given
        )

    def _annotations(
        self, task: dict[str, Any], text: str, questions: tuple[dict[str, str], ...] | None
    ) -> Iterator[Annotation]:
        given = task.get("annotations") or []
        if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
            raise RowError("annotations", "no list of objects.", EXPORT)
        ruler = Ruler(text, self.characters)
        for number, one in enumerate(given, 1):
            if one.get("was_cancelled"):
                self.problems.note("cancelled annotations, passed over")
                continue
            annotator = GOLD if one.get("ground_truth") else _annotator(one.get("completed_by"))
            yield self._annotation(one, _string(one.get("id")) or str(number), annotator, ruler, questions)
        for number, one in enumerate(_objects(task.get("predictions"))):
            if not self.predictions:
                self.problems.note("predictions, passed over (data.options.predictions=true reads them)")
                continue
            model = _string(one.get("model_version")) or "prediction"
            yield self._annotation(one, f"p{_string(one.get('id')) or number}", model, ruler, questions)

    def _annotation(
        self,
        one: dict[str, Any],
        key: str,
        annotator: str,
        ruler: Ruler,
        questions: tuple[dict[str, str], ...] | None,
    ) -> Annotation:
        made = Annotation(key, annotator, blank=not one.get("result"))
        lost: set[str] = set()  # regions that have been told of, so that what else is said of them is not
        for result in _objects(one.get("result")):
            kind, name, region = result.get("type"), str(result.get("from_name")), str(result.get("id"))
            try:
                if kind == "relation":
                    made.arrows += _arrows(result)
                elif region in lost:
                    made.broken.add(name)
                elif kind in ("choices", "taxonomy", "labels"):
                    made.answers.append(self._answer(result, kind, ruler, questions))
                elif kind == "textarea":
                    made.written.append(Answer(name, _texts(result.get("value")), region))
                else:
                    self.problems.note(f"results of the type {kind}, which khabar does not read")
            except RowError as error:
                repeated = REPEATED.fullmatch(name) if questions is not None else None
                made.broken.add(repeated[1] if repeated else name)
                lost.add(region)
                self.problems.add(error.field, error.wrong, error.fix)
        regions = {answer.region: answer.span for answer in made.answers if answer.span is not None}
        made.answers = [
            Answer(a.control, a.labels, a.region, a.marks, a.span or regions.get(a.region), a.question)
            for a in made.answers
        ]
        return made

    def _answer(
        self, result: dict[str, Any], kind: str, ruler: Ruler, questions: tuple[dict[str, str], ...] | None
    ) -> Answer:
        control, value = result.get("from_name"), result.get("value")
        if not isinstance(control, str) or not isinstance(value, dict):
            raise RowError("result", "it has no from_name or no value.", EXPORT)
        ambiguous = self.ambiguous.get(control, set())
        labels = tuple(dict.fromkeys(_label(path, ambiguous) for path in _paths(control, value.get(kind, []))))
        span = None
        if kind == "labels" or "start" in value or "end" in value:
            span, unit = ruler.span(value)
            if unit:
                self.problems.note(f"spans that count {unit}, as their words show")
        question = None
        if questions is not None and (repeated := REPEATED.fullmatch(control)):
            control, question = repeated[1], int(repeated[2])
            if question >= len(questions):
                wrong = f"{result['from_name']!r} answers question {question}, counted from 0, of {len(questions)}."
                raise RowError("questions", wrong, "Give data.questions as it was when the annotators saw it")
        return Answer(control, labels, str(result.get("id")), kind == "labels", span, question)


def _text_field(config: DataConfig, data: list[dict[str, Any]]) -> str:
    if (named := config.columns.get("text")) is not None:
        return named
    if any(isinstance(fields.get("text"), str) for fields in data):
        return "text"
    others = {config.split.field, *(config.columns.get(name, name) for name in COLUMNS)}
    strings = sorted({name for fields in data for name, value in fields.items() if isinstance(value, str)} - others)
    if len(strings) == 1:
        return strings[0]
    exist = ", ".join(sorted({name for fields in data for name in fields})) or "none"
    raise DataError(f"Which field of the data is the text? There are: {exist}. Name it with data.columns.text=FIELD")


def _paths(control: str, given: object) -> Iterator[tuple[str, ...]]:
    """The chosen labels, each as the path to it; a label of a flat list is a path of one."""
    if not isinstance(given, list):
        raise RowError("value", f"the labels of {control!r} are no list.", EXPORT)
    for one in given:
        path = one if isinstance(one, list) else [one]
        if not path or not all(isinstance(step, str) and step.strip() for step in path):
            raise RowError("value", f"a label of {control!r} is {one!r}.", "A label is a text, or a path of texts")
        yield tuple(str(_string(step)) for step in path)


def _texts(value: object) -> tuple[str, ...]:
    """What was typed, one text or a list of them."""
    given = value.get("text") if isinstance(value, dict) else None
    texts = given if isinstance(given, list) else [given]
    return tuple(text for one in texts if isinstance(one, str) and (text := _string(one)))


def _label(path: tuple[str, ...], ambiguous: set[str]) -> str:
    return " / ".join(path) if path[-1] in ambiguous else path[-1]


def _ambiguous(plain: list[Any]) -> dict[str, set[str]]:
    """Control -> the ends that several paths of its taxonomy share, so that the end alone is no name."""
    found: defaultdict[str, defaultdict[str, set[tuple[str, ...]]]] = defaultdict(lambda: defaultdict(set))
    for task in _objects(plain):
        for one in _objects(task.get("annotations")):
            for result in _objects(one.get("result")):
                value = result.get("value")
                paths = value.get("taxonomy") if isinstance(value, dict) else None
                for path in paths if isinstance(paths, list) else []:
                    if isinstance(path, list) and path and all(isinstance(step, str) for step in path):
                        steps = tuple(str(_string(step)) for step in path)
                        found[str(result.get("from_name"))][steps[-1]].add(steps)
    return {
        control: {end for end, paths in ends.items() if len(paths) > 1} for control, ends in found.items()
    }  # fmt: skip


def _objects(given: object) -> list[dict[str, Any]]:
    return [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []


def _arrows(result: dict[str, Any]) -> list[Arrow]:
    head, tail, labels = result.get("from_id"), result.get("to_id"), result.get("labels") or []
    if not isinstance(head, str) or not isinstance(tail, str) or not isinstance(labels, list):
        raise RowError("relation", "it has no from_id or to_id, or its labels are no list.", EXPORT)
    names = tuple(name for label in labels if isinstance(label, str) and (name := _string(label)))
    match result.get("direction"):
        case "left":
            return [Arrow(tail, head, names)]
        case "bi":
            return [Arrow(head, tail, names), Arrow(tail, head, names)]
    return [Arrow(head, tail, names)]


def _annotator(by: object) -> str:
    """The number of the annotator; made up of the address, which is not kept, where there is no number."""
    if isinstance(by, dict):
        number = by.get("id")
        by = number if number is not None else by.get("email")
    return _string(by) or "unknown"


def _string(value: object) -> str | None:
    """A field as a string, an e-mail address in it replaced by the same pseudonym wherever it stands."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return without_addresses(str(value)).strip() or None
