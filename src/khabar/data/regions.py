"""Spans and relations in Label Studio: what its controls and arrows are called, and the marks of a text as its results.

`data/labelling.py` asks by these names, `data/importers/label_studio.py` reads them back.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from khabar.data.graph import ENTITY
from khabar.plover import MODES
from khabar.schema import HOLDERS, OUTLET, UNNAMED, Relation, Span, Task
from khabar.text import utf16

TYPE, MODE = "type", "mode"
PREFIXES = {OUTLET: "outlet", UNNAMED: "unnamed"}  # of the controls that take the place of an arrow from nowhere


class Link(NamedTuple):
    """What an arrow or a choice says: the head it answers, and the relation's role and label."""

    head: Task
    role: str
    label: str | None


def links(task: Task) -> dict[str, Link]:
    """The relations that a task asks for, by what they are called in Label Studio: their label, else their role."""
    found: dict[str, Link] = {}
    for head in (head for head in task.heads.values() if head.level == "pair"):
        given = [label for label in head.labels if label != head.empty_as]
        if head.kind == "multi":
            found |= {label: Link(head, label, None) for label in given}
        elif given == ["yes"]:
            found[head.name] = Link(head, head.name, None)
        else:
            found |= {label: Link(head, head.name, label) for label in given}
    return found


def held(task: Task) -> dict[str, tuple[Task, str]]:
    """Control -> the head and the holder, for whom no region stands, whose stance it asks for."""
    heads = [head for head in task.heads.values() if head.level == "pair" and "actor" in head.on]
    return {f"{PREFIXES[holder]}_{head.name}": (head, holder) for head in heads for holder in HOLDERS}


def control(attribute: str, attributes: Mapping[str, str]) -> str:
    """The control that asks for one of a span's attributes; every type that has modes has its own."""
    type_ = attributes.get(TYPE, "")
    return f"{MODE}_{type_}" if attribute == MODE and attributes[MODE] in MODES.get(type_, ()) else attribute


def attribute(control: str) -> tuple[str, str | None]:
    """The attribute that a control asks for, and the one type of which it does: the opposite of `control`."""
    name, _, type_ = control.partition("_")
    return (MODE, type_) if name == MODE and type_ in MODES else (control, None)


def described(task: Task, layer: str, said: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The attributes of a span.

    What is said of it that its layer or its type is not asked for is left from before the annotator changed these.

    Args:
        task: that marks.
        layer: of the span.
        said: control -> what was chosen or typed for the region.
    """
    found: dict[str, str] = {}
    sides = held(task)
    for name, given in said.items():
        key, type_ = attribute(name)
        head = task.heads.get(key)
        layers = ("actor",) if key == ENTITY else (layer,) if head is None else head.on
        other = type_ is not None and said.get(TYPE) and type_ not in said[TYPE]
        value = ", ".join(given)
        if value and layer in layers and not other and name not in sides and (head is None or value != head.empty_as):
            found[key] = value
    return found


def sided(task: Task, layer: str, said: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, Link]]:
    """The stances that those take to a span for whom no region stands: holder, relation. As `described`."""
    called = links(task)
    for name, (head, holder) in held(task).items():
        for label in said.get(name, ()):
            if layer in head.to and label in called:
                yield holder, called[label]


def joined(task: Task, head: str, tail: str, name: str) -> tuple[Link, bool] | None:
    """What an arrow of that name says from one layer to another, and whether it points the other way round.

    None where the task asks for no such arrow in either direction.
    """
    link = links(task).get(name)
    if link is None:
        return None
    on, to = link.head.on, link.head.to
    if head in on and tail in to:
        return link, False
    return (link, True) if tail in on and head in to else None


def results(
    text: str,
    spans: Sequence[Span],
    relations: Sequence[Relation],
    name: str,
    scores: Mapping[str, float] | None = None,
) -> Iterator[dict[str, Any]]:
    """What one annotator marked in a text, as the `result` of an annotation or a prediction.

    Args:
        text: of the article.
        spans: with their attributes.
        relations: between these spans, or from `OUTLET` or `UNNAMED` to one of them.
        name: of the task that marks, which is the control that marks.
        scores: span id -> probability, where a model marked it.
    """
    places = utf16.offsets(text)
    regions: dict[str, tuple[str, dict[str, Any]]] = {}
    for number, span in enumerate(spans):
        where = {"start": places[span.start], "end": places[span.end], "text": text[span.start : span.end]}
        id_ = f"m{number}"
        regions[span.id] = id_, where
        score = {} if scores is None or span.id not in scores else {"score": scores[span.id]}
        yield {**_result(id_, "labels", name, {**where, "labels": [span.layer]}), **score}
        for key, value in span.attributes.items():
            if key == ENTITY:  # its words take the place of the marked ones
                yield _result(id_, "textarea", ENTITY, {**where, "text": [value]})
            else:
                yield _result(id_, "choices", control(key, span.attributes), {**where, "choices": [value]})
    arrows: dict[tuple[str, str], list[str]] = {}  # there is one arrow from one region to another, with all its labels
    for relation in relations:
        called = relation.label or relation.role
        id_, where = regions[relation.tail]
        if relation.head in HOLDERS:
            asked = f"{PREFIXES[relation.head]}_{relation.role}"
            yield _result(id_, "choices", asked, {**where, "choices": [called]})
        else:
            arrows.setdefault((regions[relation.head][0], id_), []).append(called)
    for (head, tail), labels in arrows.items():
        yield {"from_id": head, "to_id": tail, "type": "relation", "direction": "right", "labels": labels}


def _result(region: str, kind: str, name: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"id": region, "type": kind, "from_name": name, "to_name": "text", "value": value}
