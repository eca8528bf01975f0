"""Khabar's labelling configuration for Label Studio: every task as annotators answer it, right to left.

`data=label_studio` reads what comes of it, and `khabar predict format=label_studio` writes texts for it. The text is
`data.text`. A sentence is a region marked `sentence`; what a task asks of sentences is answered for each of them, and
none chosen is the answer "none of them". What asks about a target is asked once for each of `data.questions`, a list
(empty where nothing is asked) of objects with `holder`, `target` and `text`, the question in words; the answer to
question 3, counted from 0, bears the name `stance_3`.
"""

from collections.abc import Mapping
from xml.etree import ElementTree as Xml

from khabar.schema import Task

SENTENCE = "sentence"
INDEX = "{{idx}}"
ONE, SEVERAL = "اختر إجابة واحدة", "اختر كل ما ينطبق"
EACH = "حدّد الجمل، ثم صنّف كل جملة"  # mark the sentences, then label each


def config(tasks: Mapping[str, Task]) -> str:
    """The configuration in XML, to be pasted into a project's Labeling Interface, Code."""
    view = Xml.Element("View", style="direction: rtl; text-align: right")
    sentences = [task for task in tasks.values() if task.level == "sentence"]
    asking = [task for task in tasks.values() if task.level == "article" and task.asks]
    if sentences:
        _add(view, "Header", value=EACH)
        marks = _add(view, "Labels", name=SENTENCE, toName="text")
        _add(marks, "Label", value=SENTENCE)
    _add(view, "Text", name="text", value="$text", granularity="word")
    for task in sentences:
        region = _add(view, "View", visibleWhen="region-selected", whenTagName=SENTENCE)
        _choices(region, task, task.name, perRegion="true")
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


def _add(parent: Xml.Element, tag: str, **attributes: str) -> Xml.Element:
    return Xml.SubElement(parent, tag, attributes)
