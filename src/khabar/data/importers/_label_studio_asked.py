"""What a Label Studio project asked, as far as the answers of its export show: the export does not say."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from khabar.config import DataConfig
from khabar.data.importers import _controls
from khabar.data.importers._controls import Control
from khabar.data.importers._label_studio import Annotation, Item
from khabar.data.labelling import SENTENCE
from khabar.schema import Offsets, Task


@dataclass(frozen=True)
class Asked:
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
        found = {unit.span for unit in labels_of(annotation, control)}
        hosts = self.hosts.get(control.name, set())
        for answer in annotation.answers:
            if answer.marks and hosts & {(answer.control, label) for label in answer.labels}:
                found.add(answer.span)
        return {span for span in found if span is not None}


def gather(found: Sequence[Item], config: DataConfig) -> Asked:
    """What all answers together show."""
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
    asked = Asked((), hosts, units, shown, repeated, marking, about)
    left = [one for one in controls if one.name not in units | about - {*config.columns.values()}]
    return replace(asked, controls=tuple(_completed(control, asked, found) for control in left))


def _completed(control: Control, asked: Asked, found: Sequence[Item]) -> Control:
    """The control with what its answers show: several labels at once, none at all, a question beside the text."""
    pairs = [(item, annotation) for item in found for annotation in item.annotations]
    return replace(
        control,
        several=any(len(labels) > 1 for _, one in pairs for labels in labels_of(one, control).values()),
        empty=any(_left(asked, item, one, control) for item, one in pairs),
        asks=() if control.spans else _asks(found, control),
    )


class Unit(NamedTuple):
    """What is answered: the whole text or a span, perhaps one of its questions by number."""

    span: Offsets | None
    question: int | None


def labels_of(annotation: Annotation, control: Control) -> dict[Unit, dict[str, None]]:
    """The labels that one annotation gives by one control, merged where it marked the same words twice."""
    found: defaultdict[Unit, dict[str, None]] = defaultdict(dict)
    for answer in annotation.answers:
        if answer.control == control.name:
            labels = [label for label in answer.labels if label in control.labels]
            if labels or not answer.labels:  # of a narrowed control, other labels are no answers
                found[Unit(answer.span, answer.question)] |= dict.fromkeys(labels)
    return found


def spans_lacking(annotation: Annotation, control: Control) -> set[Offsets]:
    """The spans to which an annotation gave a label that a narrowed control no longer has."""
    answers = (one for one in annotation.answers if one.control == control.name and one.span is not None)
    return {one.span for one in answers if one.span is not None and set(one.labels) - set(control.labels)}


def _left(asked: Asked, item: Item, annotation: Annotation, control: Control) -> bool:
    """Whether leaving a control blank was an answer here, as far as can be told before its task is known."""
    if not asked.may_answer(item, annotation, control.name):
        return False
    given = labels_of(annotation, control)
    if any(not labels for labels in given.values()):
        return True
    if not control.spans:  # beside answers to other controls, a blank one may have been hidden or optional
        return annotation.blank
    hosts = {name for name, _ in asked.hosts.get(control.name, ())}
    regions = asked.hosted(annotation, control)
    if not regions:
        return annotation.blank or not hosts
    return hosts <= asked.units and any(Unit(span, None) not in given for span in regions)


def _asks(found: Iterable[Item], control: Control) -> tuple[Literal["holder", "target"], ...]:
    """The parts of the question that every answer to a control has beside it."""
    parts = [
        item.beside(unit.question) for item in found for one in item.annotations for unit in labels_of(one, control)
    ]
    names: tuple[Literal["holder", "target"], ...] = ("holder", "target")
    return tuple(name for name in names if parts and all(name in part for part in parts))
