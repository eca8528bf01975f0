"""The labelling configuration: well-formed, right to left, with a control for every task."""

from xml.etree import ElementTree

import pytest

from khabar.data import labelling, regions
from khabar.data.importers._controls import own
from khabar.plover import MODES
from khabar.schema import OUTLET, UNNAMED, Task

READER = own()["reader"]


def parsed(tasks):
    return ElementTree.fromstring(labelling.config(tasks))


def controls(view):
    """Name -> the element of every control."""
    return {one.get("name"): one for one in view.iter() if one.tag in ("Choices", "Labels")}


def labels(control):
    """What is answered, whatever is shown."""
    return tuple(choice.get("alias", choice.get("value")) for choice in control)


def marks(view):
    """Name -> the controls that belong to a task that marks, other than those that mark."""
    own_ = {one.get("name"): one for one in view.iter() if one.tag in ("Choices", "TextArea")}
    return {name: one for name, one in own_.items() if one.get("perRegion") and name not in own()}


def whole(name):
    """A task, what is shown for it alone, and its controls; the text is shown right to left."""
    task = own()[name]
    view = parsed({name: task})
    assert (view.tag, view.get("style")) == ("View", "direction: rtl; text-align: right")
    (text,) = view.iter("Text")
    assert text.attrib == {"name": "text", "value": "$text", "granularity": "word"}
    return task, view, controls(view)


@pytest.mark.parametrize("name", sorted(name for name, task in own().items() if not task.marks))
def test_every_task_alone_is_a_whole_configuration(name):
    task, _, found = whole(name)
    control = found[f"{name}_{{{{idx}}}}" if task.asks else name]
    assert labels(control) == task.labels
    assert control.get("choice") == ("multiple" if task.kind == "multi" else "single")
    assert {one.get("toName") for one in found.values()} == {"text"}
    assert ("sentence" in found) == (task.level == "sentence") == (control.get("perRegion") == "true")
    assert len(found) == 1 + ("sentence" in found)


@pytest.mark.parametrize("name", sorted(name for name, task in own().items() if task.marks))
def test_every_task_that_marks_is_a_whole_configuration(name):
    task, view, found = whole(name)
    assert (found[name].tag, labels(found[name])) == ("Labels", task.labels)
    assert {one.get("toName") for one in (*found.values(), *marks(view).values())} == {"text"}
    assert found.keys() - {name} == marks(view).keys() - {"entity"}
    (relations,) = view.iter("Relations")
    assert relations.get("choice") == "multiple"  # Label Studio draws one arrow from one region to another
    assert [one.get("value") for one in relations] == [*regions.links(task)]


def test_the_reader_asks_of_each_layer_what_it_has():
    view = parsed({"reader": READER})
    found = marks(view)
    modes = {f"mode_{type_}": values for type_, values in MODES.items()}
    assert found.keys() == {"entity", "type", "status", "outlet_stance", "unnamed_stance", *modes}
    assert (found["entity"].tag, found["entity"].get("whenLabelValue")) == ("TextArea", "actor")
    for name in ("type", "status", *modes):
        assert (found[name].get("whenLabelValue"), found[name].get("choice")) == ("event", "single")
    assert labels(found["type"]) == READER.heads["type"].labels
    assert labels(found["status"]) == READER.heads["status"].labels
    for name, values in modes.items():
        assert sorted(labels(found[name])) == sorted(values)
        when = {"visibleWhen": "choice-selected", "whenTagName": "type", "whenChoiceValue": name.partition("_")[2]}
        assert when.items() <= found[name].attrib.items()
    for name in ("outlet_stance", "unnamed_stance"):
        assert labels(found[name]) == ("favor", "against", "neutral")
    assert [one.get("value") for one in view.iter("Relation")] == [
        "actor", "recipient", "source", "favor", "against", "neutral", "same_event",
    ]  # fmt: skip


def test_a_control_is_shown_while_a_region_that_it_is_about_is_chosen():
    view = parsed({"reader": READER})
    shown = {}
    for part in view.findall("View"):
        assert part.get("visibleWhen") == "region-selected"
        shown |= {one.get("name"): part.get("whenLabelValue") for one in part.iter() if one.get("name")}
    assert shown.keys() == marks(view).keys()
    assert (shown["entity"], shown["type"], shown["mode_ASSAULT"]) == ("actor", "event", "event")
    assert shown["outlet_stance"] == shown["unnamed_stance"] == "actor,event,claim"


def test_annotators_see_arabic_and_answer_labels():
    view = parsed({"reader": READER})
    shown = [one for one in view.iter() if one.tag in ("Choice", "Label")]
    assert all(one.get("value").endswith(f" ({one.get('alias')})") for one in shown)
    assert ("هجوم (ASSAULT)", "ASSAULT") in [(one.get("value"), one.get("alias")) for one in shown]
    headers = [one.get("value") for one in view.iter("Header")]
    assert any("same_event = الحدث نفسه" in header and "against = معارض" in header for header in headers)
    assert f"stance: {OUTLET}" in headers and f"stance: {UNNAMED}" in headers


def test_a_mode_that_no_type_has_is_asked_of_every_event():
    mode = READER.heads["mode"]
    odd = mode.model_copy(update={"labels": ("none", "visit", "بالبريد")})
    task = READER.model_copy(update={"heads": {**READER.heads, "mode": odd}})
    found = marks(parsed({"reader": task}))
    assert labels(found["mode"]) == ("بالبريد",)
    assert [name for name in found if name.startswith("mode_")] == ["mode_CONSULT"]
    alone = task.model_copy(update={"heads": {"mode": odd}})
    assert labels(marks(parsed({"reader": alone}))["mode"]) == ("visit", "بالبريد")


def test_all_tasks_together_show_the_text_once_and_each_question_once():
    view = parsed(own())
    assert len(list(view.iter("Text"))) == len(list(view.iter("Relations"))) == 1
    assert labels(controls(view)["sentence"]) == ("sentence",)
    (repeater,) = view.iter("Repeater")
    assert repeater.attrib == {"on": "$questions", "indexFlag": "{{idx}}"}
    assert repeater[0].get("value") == "$questions[{{idx}}].text"
    asked = {name for name, task in own().items() if task.asks}
    assert controls(repeater).keys() == {f"{name}_{{{{idx}}}}" for name in asked}
    marked = marks(view).keys()
    assert controls(view).keys() - controls(repeater).keys() - marked == (own().keys() - asked) | {"sentence"}
    assert marked == marks(parsed({"reader": READER})).keys()
    names = [one.get("name") for one in view.iter() if one.get("name")]
    assert len(names) == len(set(names))


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
