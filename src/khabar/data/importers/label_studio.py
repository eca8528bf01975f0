"""An unmodified JSON export of Label Studio: choices, taxonomies, spans and relations, of any team's own project."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from khabar.config import DataConfig
from khabar.data.importers import _controls
from khabar.data.importers._controls import Control
from khabar.data.importers._exports import answered
from khabar.data.importers._label_studio import COLUMNS, OPTIONS, Annotation, Item, items
from khabar.data.importers._label_studio_asked import Asked, Unit, gather, labels_of, spans_lacking
from khabar.data.importers._label_studio_marks import Marks
from khabar.data.problems import Problems
from khabar.errors import ConfigError, DataError
from khabar.registry import suggest
from khabar.schema import Article, Label, Offsets, Relation, Span, Task

__all__ = ["OPTIONS", "read", "tasks"]


def tasks(config: DataConfig) -> dict[str, Task]:
    """The tasks that the export answers.

    Raises:
        ConfigError: an option that does not exist.
        DataError: the file is no JSON export, or nobody answered anything that makes a task; bad rows are told first.
    """
    problems = Problems()
    return answered(gather(items(config, problems), config).controls, config, problems)


def read(config: DataConfig, problems: Problems) -> Iterator[Article | Label | Span | Relation]:
    """Each text as an article, the annotators' answers as labels, what they marked besides as spans and relations.

    Tasks of one id (`data.id`, else the task's) and text are one article. An annotator is a number, never an e-mail
    address; `ground_truth` makes it `gold`. Cancelled annotations and predictions are passed over and counted, unless
    the option `predictions` is `true`: then each model is one annotator more, by its version.

    What an annotator who submitted left blank is "none of them" where the task has that answer (it takes several
    labels, or an `empty_as`), otherwise no answer: of the whole text; of every region that others answered for; and of
    spans, of each that somebody else marked and that overlaps none of the annotator's own, or of the whole text where
    nobody marked any. A mark whose label the task lacks is no answer to it, and no such blank either: it may be one of
    the task's labels in other words.

    What a task of khabar's asks to be marked are spans. What is answered for such a region is said of its span, or is
    the stance of the outlet or of somebody unnamed, by the names of `data/regions.py`; an arrow that can only be meant
    the other way round is turned.

    Raises:
        ConfigError: an option or a column that does not exist.
        DataError: the file is no JSON export, or it does not answer an asked task.
    """
    found = items(config, problems)
    asked = gather(found, config)
    known = _controls.known(asked.controls, config)
    marks = {answer.control for item in found for one in item.annotations for answer in one.answers if answer.marks}
    asked = replace(asked, controls=_controls.narrow(asked.controls, config, marks))
    try:
        answers = _controls.assign(asked.controls, config)
    except DataError:
        problems.settle(config.on_error)  # bad rows may be why nothing answers a task: they are told first
        raise
    for name in config.columns:
        if name not in COLUMNS and name not in known:
            exist = {*COLUMNS, *known}
            raise ConfigError(f"data.columns.{name}: no field and no task has that name. {suggest(name, exist)}")
    reader = _Reader(config, problems, asked, {name: (task, known.get(task)) for name, task in answers.items()})
    by_id: dict[str, list[Item]] = {}
    for item in found:
        first = by_id.setdefault(item.article.id, [item])[0]
        if first is item:
            continue
        if (first.article.text, first.article.meta) == (item.article.text, item.article.meta):
            by_id[item.article.id].append(item)
        else:
            wrong = f"{item.article.id!r} is taken by {first.place}, of another text, group or split."
            problems.add("id", wrong, "Name a field with ids of their own: data.columns.id=FIELD", item.place)
    for group in by_id.values():
        problems.at(*group[0].place)
        yield group[0].article
        yield from reader.nouns(group)


class _Reader:
    """The nouns of one article after the other."""

    def __init__(
        self, config: DataConfig, problems: Problems, asked: Asked, answers: dict[str, tuple[str, Task | None]]
    ) -> None:
        self.config = config
        self.problems = problems
        self.asked = asked
        self.answers = answers
        self.controls = {control.name: control for control in asked.controls}
        self.ids: Counter[str] = Counter()
        self.marks = Marks(config, problems, asked, answers, self._id)

    def nouns(self, group: list[Item]) -> Iterator[Label | Span | Relation]:
        """What all annotators said of one article."""
        pairs = [(item, annotation) for item in group for annotation in item.annotations]
        for control, (name, task) in self.answers.items():
            if control not in self.asked.marking:
                yield from self._labels(pairs, self.controls[control], name, task)
        for item, annotation in pairs:
            self.problems.at(*item.place)
            yield from self.marks.read(item, annotation)
            for name in self.controls.keys() - self.answers.keys():
                if any(answer.control == name and not answer.marks for answer in annotation.answers):
                    self.problems.note(f"answers to {name}, which no asked task takes")

    def _labels(
        self, pairs: list[tuple[Item, Annotation]], control: Control, name: str, task: Task | None
    ) -> Iterator[Label]:
        if task is None:
            none, asks = control.several or control.empty, control.asks
        else:
            none, asks = task.kind == "multi" or task.empty_as is not None, task.asks
        everywhere = {unit.span for _, one in pairs for unit in labels_of(one, control) if unit.span}
        lacking = any(spans_lacking(one, control) for _, one in pairs)
        for item, annotation in pairs:
            self.problems.at(*item.place)
            given = self._given(annotation, control, none)
            if none and self.asked.may_answer(item, annotation, control.name):
                blank = self._blank(item, annotation, control, everywhere)
                blank -= {Unit(None, None)} if lacking else set()
                given |= dict.fromkeys(blank - given.keys(), ())
            for unit in sorted(given, key=lambda unit: (unit.span or (-1, -1), unit.question or 0)):
                parts = item.beside(unit.question)
                yield Label(
                    id=self._id(item, annotation, ""),
                    article=item.article.id,
                    annotator=annotation.annotator,
                    task=name,
                    labels=_controls.taken(given[unit], control.name, name, task, self.config, self.problems),
                    span=unit.span,
                    holder=parts.get("holder") if "holder" in asks else None,
                    target=parts.get("target") if "target" in asks else None,
                )

    def _given(self, annotation: Annotation, control: Control, none: bool) -> dict[Unit, tuple[str, ...]]:
        found: dict[Unit, tuple[str, ...]] = {}
        for unit, labels in labels_of(annotation, control).items():
            if control.spans and unit.span is None:
                wrong = f"{control.name} is answered for a region that does not exist."
                self.problems.add("region", wrong, "Export the project again, unchanged")
            elif labels or none:
                found[unit] = tuple(labels)
        return found

    def _blank(self, item: Item, annotation: Annotation, control: Control, everywhere: set[Offsets]) -> set[Unit]:
        """What an annotation leaves without an answer, where that is one."""
        if control.name in self.asked.repeated:
            return {Unit(None, number) for number in range(len(item.questions or ()))}
        if not control.spans:
            return {Unit(None, None)}
        own = self.asked.hosted(annotation, control)
        lacking = spans_lacking(annotation, control)
        if self.asked.hosts.get(control.name) and not annotation.blank:
            return {Unit(span, None) for span in own - lacking}  # regions of others need not be what this one is about
        if not own and not everywhere:
            return {Unit(None, None)}
        marked = own | lacking
        apart = {span for span in everywhere if not any(span[0] < end and start < span[1] for start, end in marked)}
        return {Unit(span, None) for span in (own - lacking) | apart}

    def _id(self, item: Item, annotation: Annotation, kind: str) -> str:
        """The article, the annotation and a number: two exports of one name may be read as one file."""
        prefix = f"{item.article.id}@{annotation.key}.{kind}"
        self.ids[prefix] += 1
        return f"{prefix}{self.ids[prefix]}"
