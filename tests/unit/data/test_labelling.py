"""The labelling configuration: well-formed, right to left, with a control for every task."""

from xml.etree import ElementTree

import pytest

from khabar.data import labelling
from khabar.data.importers._controls import own
from khabar.schema import Task


def parsed(tasks):
    return ElementTree.fromstring(labelling.config(tasks))


def controls(view):
    """Name -> the element of every control."""
    return {one.get("name"): one for one in view.iter() if one.tag in ("Choices", "Labels")}


def labels(control):
    return tuple(choice.get("value") for choice in control)


@pytest.mark.parametrize("name", sorted(own()))
def test_every_task_alone_is_a_whole_configuration(name):
    task = own()[name]
    view = parsed({name: task})
    assert (view.tag, view.get("style")) == ("View", "direction: rtl; text-align: right")
    (text,) = view.iter("Text")
    assert text.attrib == {"name": "text", "value": "$text", "granularity": "word"}
    found = controls(view)
    control = found[f"{name}_{{{{idx}}}}" if task.asks else name]
    assert labels(control) == task.labels
    assert control.get("choice") == ("multiple" if task.kind == "multi" else "single")
    assert {one.get("toName") for one in found.values()} == {"text"}
    assert ("sentence" in found) == (task.level == "sentence") == (control.get("perRegion") == "true")
    assert len(found) == 1 + ("sentence" in found)


def test_all_tasks_together_show_the_text_once_and_each_question_once():
    view = parsed(own())
    assert len(list(view.iter("Text"))) == 1
    assert labels(controls(view)["sentence"]) == ("sentence",)
    (repeater,) = view.iter("Repeater")
    assert repeater.attrib == {"on": "$questions", "indexFlag": "{{idx}}"}
    assert repeater[0].get("value") == "$questions[{{idx}}].text"
    asked = {name for name, task in own().items() if task.asks}
    assert controls(repeater).keys() == {f"{name}_{{{{idx}}}}" for name in asked}
    assert controls(view).keys() - controls(repeater).keys() == (own().keys() - asked) | {"sentence"}


def test_what_is_asked_of_a_sentence_is_shown_beside_a_chosen_one():
    view = parsed({"event_type": own()["event_type"]})
    (region,) = view.findall("View")
    assert region.attrib == {"visibleWhen": "region-selected", "whenTagName": "sentence"}
    hints = {choice.get("value"): choice.get("hint") for choice in controls(region)["event_type"]}
    assert hints == own()["event_type"].about


def test_any_label_is_escaped():
    names = ('قال "نعم" & <لا>', "it's", "a > b")
    task = Task(name="odd", labels=names, kind="multi", about={names[1]: '<b> & "c"\nd'})
    control = controls(parsed({"odd": task}))["odd"]
    assert labels(control) == names
    assert control[1].get("hint") == '<b> & "c"\nd'
    assert "قال &quot;نعم&quot; &amp; &lt;لا" in labelling.config({"odd": task})  # Arabic stays as it is
