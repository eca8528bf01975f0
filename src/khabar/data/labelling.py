"""Khabar's labelling configuration for Label Studio: every task as annotators answer it, right to left.

`data=label_studio` reads what comes of it, and `khabar predict format=label_studio` writes texts for it. The text is
`data.text`. A sentence is a region marked `sentence`; what a task asks of sentences is answered for each of them, and
none chosen is the answer "none of them". What asks about a target is asked once for each of `data.questions`, a list
(empty where nothing is asked) of objects with `holder`, `target` and `text`, the question in words; the answer to
question 3, counted from 0, bears the name `stance_3`.

A task that marks is a control of its name, whose labels are its layers; regions may lie in each other. A chosen region
shows what is asked of its layer, by the names of `data/regions.py`: an actor's `entity`, an event's `type`, `status`
and the modes of its type, and of a stance's target where the outlet and somebody unnamed stand. All else that goes
together is an arrow. What the annotators see is Arabic, what they answer are the labels.
"""

from collections.abc import Mapping, Sequence
from xml.etree import ElementTree as Xml

from khabar.data import glosses
from khabar.data.glosses import ARABIC, ARROWS
from khabar.data.graph import ENTITY
from khabar.data.regions import MODE, TYPE, held, links
from khabar.plover import MODES
from khabar.schema import Task

SENTENCE = "sentence"
INDEX = "{{idx}}"
ONE, SEVERAL = "اختر إجابة واحدة", "اختر كل ما ينطبق"
EACH = "حدّد الجمل، ثم صنّف كل جملة"  # mark the sentences, then label each
MARK = "حدّد الكلمات، ثم صف كل علامة واربط بينها"  # mark the words, then describe and join what is marked
# from an event to an actor, from a holder to a target, from a later trigger to an earlier one
WAYS = "السهم من الحدث إلى الجهة، ومن صاحب الموقف إلى هدفه، ومن الذكر اللاحق إلى السابق"
NAME = "اسم واحد للجهة في المقال كله"  # one name throughout the article
GLOSSES = {**ARABIC, **glosses.STATUSES, **glosses.MODES, **glosses.KINDS}


def config(tasks: Mapping[str, Task]) -> str:
    """The configuration in XML, to be pasted into a project's Labeling Interface, Code."""
    view = Xml.Element("View", style="direction: rtl; text-align: right")
    sentences = [task for task in tasks.values() if task.level == "sentence"]
    asking = [task for task in tasks.values() if task.level == "article" and task.asks]
    marking = [task for task in tasks.values() if task.marks]
    if sentences:
        _add(view, "Header", value=EACH)
        marks = _add(view, "Labels", name=SENTENCE, toName="text")
        _add(marks, "Label", value=SENTENCE)
    if marking:
        _layers(view, marking)
    _add(view, "Text", name="text", value="$text", granularity="word")
    for task in sentences:
        region = _add(view, "View", visibleWhen="region-selected", whenTagName=SENTENCE)
        _choices(region, task, task.name, perRegion="true")
    _described(view, marking)
    for task in tasks.values():
        if task.level == "article" and not task.asks:
            _choices(view, task, task.name)
    if asking:
        repeater = _add(view, "Repeater", on="$questions", indexFlag=INDEX)
        _add(repeater, "Header", value=f"$questions[{INDEX}].text")
        for task in asking:
            _choices(repeater, task, f"{task.name}_{INDEX}")
    Xml.indent(view)
    return Xml.tostring(view, encoding="unicode") + "\n"


def _choices(parent: Xml.Element, task: Task, name: str, **more: str) -> None:
    several = task.kind == "multi"
    _add(parent, "Header", size="5", value=f"{task.name}: {SEVERAL if several else ONE}")
    choice = "multiple" if several else "single"
    choices = _add(parent, "Choices", name=name, toName="text", choice=choice, showInline="true", **more)
    for label in task.labels:
        about = {"hint": task.about[label]} if label in task.about else {}
        _add(choices, "Choice", value=label, **about)


def _layers(view: Xml.Element, tasks: Sequence[Task]) -> None:
    """The layers of each task, and the arrows of all: a configuration has one set of them."""
    _add(view, "Header", value=MARK)
    for task in tasks:
        marks = _add(view, "Labels", name=task.name, toName="text")
        for layer in task.labels:
            _add(marks, "Label", **_glossed(layer))
    names = dict.fromkeys(name for task in tasks for name in links(task))
    if names:
        arrows = _add(view, "Relations", choice="multiple")  # one region has no more than one arrow to another
        for name in names:  # an arrow has no alias
            _add(arrows, "Relation", value=name)
        told = "، ".join(f"{name} = {ARROWS.get(name) or ARABIC.get(name, name)}" for name in names)
        _add(view, "Header", size="5", value=f"{WAYS}: {told}")


def _described(view: Xml.Element, tasks: Sequence[Task]) -> None:
    """What is asked of a chosen region; what two tasks ask by one name is asked once, as the first of them does."""
    if any("actor" in task.labels for task in tasks):
        region = _region(view, ["actor"])
        _add(region, "Header", size="5", value=f"{ENTITY}: {NAME}")
        only = {"perRegion": "true", "whenLabelValue": "actor"}
        _add(region, "TextArea", name=ENTITY, toName="text", maxSubmissions="1", editable="true", **only)
    heads = {name: head for task in reversed(tasks) for name, head in task.heads.items() if head.level == "span"}
    types = heads[TYPE].labels if TYPE in heads else ()
    for head in heads.values():
        # said again of the control itself: what was answered before a region changed its label is not sent then
        only = {"whenLabelValue": head.on[0]} if len(head.on) == 1 else {}
        region, labels = _region(view, head.on), _offered(head)
        for type_ in types if head.name == MODE else ():
            fit = [label for label in labels if label in MODES.get(type_, ())]
            when = {"visibleWhen": "choice-selected", "whenTagName": TYPE, "whenChoiceValue": type_}
            if fit:
                _per_region(_add(region, "View", **when), head, f"{MODE}_{type_}", fit, **only, **when)
        if head.name == MODE:
            labels = [label for label in labels if not any(label in MODES.get(type_, ()) for type_ in types)]
        if labels:
            _per_region(region, head, head.name, labels, **only)
    sides = {name: asked for task in reversed(tasks) for name, asked in held(task).items()}
    for name, (head, holder) in sides.items():
        _per_region(_region(view, head.to), head, name, _offered(head), title=f"{head.name}: {holder}")


def _offered(head: Task) -> list[str]:
    """The labels to choose from: none chosen is `empty_as`."""
    return [label for label in head.labels if label != head.empty_as]


def _region(view: Xml.Element, layers: Sequence[str]) -> Xml.Element:
    """What is shown while a region of these layers is chosen."""
    return _add(view, "View", visibleWhen="region-selected", whenLabelValue=",".join(layers))


def _per_region(
    parent: Xml.Element, head: Task, name: str, labels: Sequence[str], title: str = "", **more: str
) -> None:
    _add(parent, "Header", size="5", value=title or f"{head.name}: {SEVERAL if head.kind == 'multi' else ONE}")
    choice = "multiple" if head.kind == "multi" else "single"
    control = {"name": name, "toName": "text", "choice": choice, "showInline": "true", "perRegion": "true"}
    choices = _add(parent, "Choices", **control, **more)
    for label in labels:
        about = {"hint": head.about[label]} if label in head.about else {}
        _add(choices, "Choice", **_glossed(label), **about)


def _glossed(label: str) -> dict[str, str]:
    """A label as annotators see it, with the label itself as what they answer."""
    return {"value": f"{GLOSSES[label]} ({label})", "alias": label} if label in GLOSSES else {"value": label}


def _add(parent: Xml.Element, tag: str, **attributes: str) -> Xml.Element:
    return Xml.SubElement(parent, tag, attributes)
