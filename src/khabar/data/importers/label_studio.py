"""An unmodified JSON export of Label Studio: choices, taxonomies, spans and relations, of any team's own project."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from khabar.config import DataConfig
from khabar.data import regions
from khabar.data.importers import _controls
from khabar.data.importers._controls import Control
from khabar.data.importers._exports import answered
from khabar.data.importers._label_studio import COLUMNS, OPTIONS, Annotation, Arrow, Item, items
from khabar.data.labelling import SENTENCE
from khabar.data.problems import Problems, respelled
from khabar.errors import ConfigError, DataError
from khabar.registry import suggest
from khabar.schema import Article, Label, Offsets, Relation, Span, Task

__all__ = ["OPTIONS", "read", "tasks"]

RELATED = "related"  # the role of a relation that was given no label
_Said = defaultdict[str, dict[str, tuple[str, ...]]]  # region -> control -> labels


def tasks(config: DataConfig) -> dict[str, Task]:
    """The tasks that the export answers.

    Raises:
        ConfigError: an option that does not exist.
        DataError: the file is no JSON export, or nobody answered anything that makes a task; bad rows are told first.
    """
    problems = Problems()
    return answered(_gather(items(config, problems), config).controls, config, problems)


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
    asked = _gather(found, config)
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


@dataclass(frozen=True)
class _Asked:
    """What the project asked, as far as its answers show.

    `hosts` are the marks (control and label) whose regions a control was answered for, `units` the controls that only
    mark such regions; `shown` pairs projects with the controls that they have; `repeated` are those that a Repeater
    shows once for each question. `marking` are the controls that mark what a task asks to be marked, and `about` those
    that were answered for such regions alone.
    """

    controls: tuple[Control, ...]
    hosts: dict[str, set[tuple[str, str]]]
    units: set[str]
    shown: set[tuple[str, str]]
    repeated: set[str]
    marking: dict[str, Task]
    about: set[str]

    def may_answer(self, item: Item, annotation: Annotation, control: str) -> bool:
        """Whether the annotator saw the control, and nothing that was said of it got lost."""
        return (item.project, control) in self.shown and control not in annotation.broken

    def hosted(self, annotation: Annotation, control: Control) -> set[Offsets]:
        """The regions of an annotation that a control is about, whether or not it was answered there."""
        found = {unit.span for unit in _given(annotation, control)}
        hosts = self.hosts.get(control.name, set())
        for answer in annotation.answers:
            if answer.marks and hosts & {(answer.control, label) for label in answer.labels}:
                found.add(answer.span)
        return {span for span in found if span is not None}


def _gather(found: Sequence[Item], config: DataConfig) -> _Asked:
    labels: defaultdict[str, dict[str, None]] = defaultdict(dict)
    spans: set[str] = set()
    shown: set[tuple[str, str]] = set()
    repeated: set[str] = set()
    hosts: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    for project, annotation in ((item.project, one) for item in found for one in item.annotations):
        marks = {answer.region: answer for answer in annotation.answers if answer.marks}
        for answer in annotation.answers:
            labels[answer.control] |= dict.fromkeys(answer.labels)
            shown.add((project, answer.control))
            if answer.span is not None:
                spans.add(answer.control)
            if answer.question is not None:
                repeated.add(answer.control)
            if not answer.marks and (mark := marks.get(answer.region)):
                hosts[answer.control] |= {(mark.control, label) for label in mark.labels}
    controls = [Control(name, tuple(labels[name]), False, name in spans) for name in labels]
    marking = _controls.marking(controls, config)
    carriers = {control for group in hosts.values() for control, _ in group}
    units = {name for name in carriers if len(labels[name]) == 1} - marking.keys()
    units |= {SENTENCE} if list(labels.get(SENTENCE, ())) == [SENTENCE] else set()
    about = {name for name, group in hosts.items() if {control for control, _ in group} <= marking.keys()}
    asked = _Asked((), hosts, units, shown, repeated, marking, about)
    left = [one for one in controls if one.name not in units | about - {*config.columns.values()}]
    return replace(asked, controls=tuple(_completed(control, asked, found) for control in left))


def _completed(control: Control, asked: _Asked, found: Sequence[Item]) -> Control:
    """The control with what its answers show: several labels at once, none at all, a question beside the text."""
    pairs = [(item, annotation) for item in found for annotation in item.annotations]
    return replace(
        control,
        several=any(len(labels) > 1 for _, one in pairs for labels in _given(one, control).values()),
        empty=any(_left(asked, item, one, control) for item, one in pairs),
        asks=() if control.spans else _asks(found, control),
    )


class _Unit(NamedTuple):
    """What is answered: the whole text or a span, perhaps one of its questions by number."""

    span: Offsets | None
    question: int | None


def _given(annotation: Annotation, control: Control) -> dict[_Unit, dict[str, None]]:
    """The labels that one annotation gives by one control, merged where it marked the same words twice."""
    found: defaultdict[_Unit, dict[str, None]] = defaultdict(dict)
    for answer in annotation.answers:
        if answer.control == control.name:
            labels = [label for label in answer.labels if label in control.labels]
            if labels or not answer.labels:  # of a narrowed control, other labels are no answers
                found[_Unit(answer.span, answer.question)] |= dict.fromkeys(labels)
    return found


def _lacking(annotation: Annotation, control: Control) -> set[Offsets]:
    """The spans to which an annotation gave a label that a narrowed control no longer has."""
    answers = (one for one in annotation.answers if one.control == control.name and one.span is not None)
    return {one.span for one in answers if one.span is not None and set(one.labels) - set(control.labels)}


def _left(asked: _Asked, item: Item, annotation: Annotation, control: Control) -> bool:
    """Whether leaving a control blank was an answer here, as far as can be told before its task is known."""
    if not asked.may_answer(item, annotation, control.name):
        return False
    given = _given(annotation, control)
    if any(not labels for labels in given.values()):
        return True
    if not control.spans:  # beside answers to other controls, a blank one may have been hidden or optional
        return annotation.blank
    hosts = {name for name, _ in asked.hosts.get(control.name, ())}
    regions = asked.hosted(annotation, control)
    if not regions:
        return annotation.blank or not hosts
    return hosts <= asked.units and any(_Unit(span, None) not in given for span in regions)


def _asks(found: Iterable[Item], control: Control) -> tuple[Literal["holder", "target"], ...]:
    """The parts of the question that every answer to a control has beside it."""
    parts = [item.beside(unit.question) for item in found for one in item.annotations for unit in _given(one, control)]
    names: tuple[Literal["holder", "target"], ...] = ("holder", "target")
    return tuple(name for name in names if parts and all(name in part for part in parts))


class _Placed(NamedTuple):
    """A region as the span that it became, with the task that asked for it to be marked."""

    id: str
    layer: str
    task: Task | None


class _Reader:
    """The nouns of one article after the other."""

    def __init__(
        self, config: DataConfig, problems: Problems, asked: _Asked, answers: dict[str, tuple[str, Task | None]]
    ) -> None:
        self.config = config
        self.problems = problems
        self.asked = asked
        self.answers = answers
        self.controls = {control.name: control for control in asked.controls}
        self.ids: Counter[str] = Counter()

    def nouns(self, group: list[Item]) -> Iterator[Label | Span | Relation]:
        """What all annotators said of one article."""
        pairs = [(item, annotation) for item in group for annotation in item.annotations]
        for control, (name, task) in self.answers.items():
            if control not in self.asked.marking:
                yield from self._labels(pairs, self.controls[control], name, task)
        for item, annotation in pairs:
            self.problems.at(*item.place)
            yield from self._marked(item, annotation)
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
        everywhere = {unit.span for _, one in pairs for unit in _given(one, control) if unit.span}
        lacking = any(_lacking(one, control) for _, one in pairs)
        for item, annotation in pairs:
            self.problems.at(*item.place)
            given = self._given(annotation, control, none)
            if none and self.asked.may_answer(item, annotation, control.name):
                blank = self._blank(item, annotation, control, everywhere)
                blank -= {_Unit(None, None)} if lacking else set()
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

    def _given(self, annotation: Annotation, control: Control, none: bool) -> dict[_Unit, tuple[str, ...]]:
        found: dict[_Unit, tuple[str, ...]] = {}
        for unit, labels in _given(annotation, control).items():
            if control.spans and unit.span is None:
                wrong = f"{control.name} is answered for a region that does not exist."
                self.problems.add("region", wrong, "Export the project again, unchanged")
            elif labels or none:
                found[unit] = tuple(labels)
        return found

    def _blank(self, item: Item, annotation: Annotation, control: Control, everywhere: set[Offsets]) -> set[_Unit]:
        """What an annotation leaves without an answer, where that is one."""
        if control.name in self.asked.repeated:
            return {_Unit(None, number) for number in range(len(item.questions or ()))}
        if not control.spans:
            return {_Unit(None, None)}
        own = self.asked.hosted(annotation, control)
        lacking = _lacking(annotation, control)
        if self.asked.hosts.get(control.name) and not annotation.blank:
            return {_Unit(span, None) for span in own - lacking}  # regions of others need not be what this one is about
        if not own and not everywhere:
            return {_Unit(None, None)}
        marked = own | lacking
        apart = {span for span in everywhere if not any(span[0] < end and start < span[1] for start, end in marked)}
        return {_Unit(span, None) for span in (own - lacking) | apart}

    def _marked(self, item: Item, annotation: Annotation) -> Iterator[Span | Relation]:
        """The regions that no task takes and those that a relation joins, then the relations."""
        joined = {end for arrow in annotation.arrows for end in (arrow.head, arrow.tail)}
        said = self._said(annotation)
        placed: dict[str, _Placed] = {}
        for answer in annotation.answers:
            if not answer.marks or answer.span is None:
                continue
            start, end = answer.span
            marking = self.asked.marking.get(answer.control)
            for label in answer.labels or (answer.control,):
                _, task = self.answers.get(answer.control, ("", None))
                if task is not None and label in set(answer.labels) - set(self.controls[answer.control].labels):
                    self.problems.note(_controls.lacked(task, label))
                if self._taken(answer.control, label) and answer.region not in joined:
                    continue
                layer = (label if marking is None else self._spelled(marking, label)).lower()
                if marking is not None:
                    _controls.told(answer.control, marking.name, self.problems)
                    if layer not in marking.labels:
                        self.problems.note(_controls.lacked(marking, label))
                one = _Placed(self._id(item, annotation, "s"), layer, marking)
                if answer.region not in placed or (marking and not placed[answer.region].task):
                    placed[answer.region] = one
                yield Span(
                    id=one.id,
                    article=item.article.id,
                    annotator=annotation.annotator,
                    layer=layer,
                    start=start,
                    end=end,
                    attributes={} if marking is None else self._attributes(marking, layer, said[answer.region]),
                )
        yield from self._relations(item, annotation, placed, said)

    def _relations(
        self, item: Item, annotation: Annotation, placed: dict[str, _Placed], said: _Said
    ) -> Iterator[Relation]:
        found: dict[tuple[str, str, str, str | None], None] = {}  # an arrow both ways may say one thing twice
        for region, one in placed.items():
            for holder, link in () if one.task is None else regions.sided(one.task, one.layer, said[region]):
                found[holder, one.id, link.role, link.label] = None
        for arrow in annotation.arrows:
            if missing := [end for end in (arrow.head, arrow.tail) if end not in placed]:
                if not annotation.broken:  # else the region has been told of
                    wrong = f"it joins the region {missing[0]!r}, which is not there."
                    self.problems.add("relation", wrong, "Export the project again, unchanged")
                continue
            found |= dict.fromkeys(self._meant(arrow, placed[arrow.head], placed[arrow.tail]))
        for head, tail, role, label in found:
            yield Relation(
                id=self._id(item, annotation, "r"),
                article=item.article.id,
                annotator=annotation.annotator,
                head=head,
                tail=tail,
                role=role,
                label=label,
            )

    def _said(self, annotation: Annotation) -> _Said:
        """What is said, beside its layer, of every region that a task asks to be marked."""
        found: _Said = defaultdict(dict)
        answers = annotation.answers
        tasks = {one.region: self.asked.marking[one.control] for one in answers if one.control in self.asked.marking}
        for answer in answers:
            if answer.control in self.asked.about:
                if (task := tasks.get(answer.region)) is not None:
                    found[answer.region][answer.control] = tuple(self._spelled(task, label) for label in answer.labels)
                else:
                    wrong = f"{answer.control} is answered for a region that does not exist."
                    self.problems.add("region", wrong, "Export the project again, unchanged")
        for answer in annotation.written:
            if answer.region in tasks:
                found[answer.region][answer.control] = answer.labels
            else:
                self.problems.note("results of the type textarea, which khabar does not read")
        return found

    def _attributes(self, task: Task, layer: str, said: dict[str, tuple[str, ...]]) -> dict[str, str]:
        found = regions.described(task, layer, said)
        for name, value in found.items():
            head = task.heads.get(name)
            if head is not None and value not in head.labels:
                respelt = respelled(task.name, value, head.labels)
                self.problems.note(f"marks with a {name} that {task.name} lacks: {value} ({respelt})")
        return found

    def _meant(self, arrow: Arrow, head: _Placed, tail: _Placed) -> Iterator[tuple[str, str, str, str | None]]:
        """Head, tail, role and label of what an arrow says."""
        for given in arrow.labels or (RELATED,):
            if head.task is None or tail.task is None:
                yield head.id, tail.id, given, None
                continue
            name = self._spelled(head.task, given)
            found = regions.joined(head.task, head.layer, tail.layer, name)
            if found is None:
                self.problems.note(f"arrows that {head.task.name} lacks: {name} from {head.layer} to {tail.layer}")
                yield head.id, tail.id, name, None
            else:
                link, turned = found
                ends = (tail.id, head.id) if turned else (head.id, tail.id)
                yield *ends, link.role, link.label

    def _spelled(self, task: Task, label: str) -> str:
        return _controls.spelled(label, task.name, self.config)

    def _taken(self, control: str, label: str) -> bool:
        """Whether a mark says no more than a label of a task, or than that here is a sentence."""
        if control in self.asked.marking:
            return False
        return control in self.asked.units or (control in self.answers and label in self.controls[control].labels)

    def _id(self, item: Item, annotation: Annotation, kind: str) -> str:
        """The article, the annotation and a number: two exports of one name may be read as one file."""
        prefix = f"{item.article.id}@{annotation.key}.{kind}"
        self.ids[prefix] += 1
        return f"{prefix}{self.ids[prefix]}"
