"""Spans and relations as Label Studio's results, and back again through the importer."""

import json
from collections import Counter
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from khabar.config import AnnotatorsConfig, DataConfig, resource
from khabar.data import corpus, labelling, marks, regions
from khabar.data.importers import label_studio
from khabar.data.importers._controls import own
from khabar.errors import DataError
from khabar.schema import GOLD, OUTLET, UNNAMED, Relation, Span

READER = own()["reader"]
TEXT = "😀 قالت سلوان إن دراوة قصفت العين. ونفت دراوة القصف."


@pytest.fixture(scope="module")
def seeds():
    return corpus.load(resource("seeds/corpus"))


def span(id_, layer, words, **attributes):
    start = TEXT.index(words)
    return Span(
        id=id_, article="a", annotator="1", layer=layer, start=start, end=start + len(words), attributes=attributes
    )


def relation(head, tail, role, label=None):
    return Relation(id=f"{head}{tail}{role}", article="a", annotator="1", head=head, tail=tail, role=role, label=label)


SPANS = (
    span("A", "actor", "سلوان", entity="سلوان"),
    span("B", "actor", "دراوة", entity="دراوة"),
    span("C", "claim", "دراوة قصفت العين"),
    span("E", "event", "قصفت", type="ASSAULT", mode="heavy-weapons", status="alleged"),
    span("F", "event", "القصف", type="ASSAULT", status="background"),
)
RELATIONS = (
    relation("E", "B", "actor"), relation("E", "A", "source"), relation("E", "A", "recipient"),
    relation("A", "C", "stance", "favor"), relation("A", "E", "stance", "against"),
    relation(OUTLET, "B", "stance", "neutral"), relation(UNNAMED, "E", "stance", "against"),
    relation("F", "E", "same_event"),
)  # fmt: skip


def export(folder, *tasks, asked=("reader",), **fields):
    """Tasks, each a text with its annotations by annotator, as the configuration of an export of them."""
    rows = []
    for number, (id_, text, by) in enumerate(tasks, 1):
        given = [
            {"id": 10 * number + n, "completed_by": who, "ground_truth": who == GOLD, "result": list(result)}
            for n, (who, result) in enumerate(by.items())
        ]
        rows.append({"id": number, "project": 1, "data": {"id": id_, "text": text}, "annotations": given})
    path = folder / "export.json"
    path.write_text(json.dumps(rows, ensure_ascii=False), "utf-8")
    tasks = {"tasks": tuple(asked), "default_tasks": tuple(asked)}
    return DataConfig(name="tiny", importer="label_studio", path=str(path), **tasks, **fields)


def read(config):
    return corpus.read(config, {name: own()[name] for name in config.tasks})


def plain(spans, relations):
    """What spans and relations say, whatever their ids."""
    at = {one.id: (one.article, one.annotator, one.layer, one.start, one.end) for one in spans}
    said = Counter((at[one.id], tuple(sorted(one.attributes.items()))) for one in spans)
    arrows = Counter((at.get(one.head, one.head), at[one.tail], one.role, one.label) for one in relations)
    return said, arrows


def moved(spans, by):
    return [replace(one, start=one.start + by, end=one.end + by) for one in spans]


def results(*changes):
    """The regions of SPANS and the arrows of RELATIONS with results put in or, by control, taken out."""
    out = {change for change in changes if isinstance(change, str)}
    made = [one for one in regions.results(TEXT, SPANS, RELATIONS, "reader") if one.get("from_name") not in out]
    return made + [change for change in changes if isinstance(change, dict)]


def chosen(region, control, *labels):
    return {"id": region, "type": "choices", "from_name": control, "to_name": "text", "value": {"choices": [*labels]}}


def arrow(head, tail, *labels, direction="right"):
    return {"type": "relation", "from_id": head, "to_id": tail, "direction": direction, "labels": [*labels]}


def by_words(found):
    """Words -> the attributes of the spans over them; and head, role, label, tail of the relations in words."""
    words = {one.id: TEXT[one.start : one.end] for one in found.spans}
    attributes = {words[one.id]: one.attributes for one in found.spans}
    return attributes, [(words.get(r.head, r.head), r.role, r.label, words[r.tail]) for r in found.relations]


@pytest.mark.parametrize("front", ["", "📰👩‍👧 خبر\n"])
def test_the_corpus_comes_back_as_it_was(seeds, tmp_path, front):
    texts = {id_: front + article.text for id_, article in seeds.articles.items()}
    given = {id_: {} for id_ in texts}
    for who, id_ in sorted({(one.annotator, one.article) for one in seeds.spans}):
        spans, arrows = (
            [one for one in nouns if (one.annotator, one.article) == (who, id_)]
            for nouns in (seeds.spans, seeds.relations)
        )
        given[id_][who] = regions.results(texts[id_], moved(spans, len(front)), arrows, "reader")
    config = export(tmp_path, *((id_, texts[id_], by) for id_, by in given.items()))
    assert label_studio.tasks(config) == {"reader": READER}
    found = read(config)
    assert found.labels == ()
    assert len(found.spans) > 3000 < len(found.relations)
    assert plain(moved(found.spans, -len(front)), found.relations) == plain(seeds.spans, seeds.relations)


def test_what_is_written_is_what_the_configuration_asks_for(seeds):
    view = ElementTree.fromstring(labelling.config({"reader": READER}))
    asked = {
        one.get("name"): {child.get("alias") or child.get("value") for child in one}
        for one in view.iter()
        if one.tag in ("Labels", "Choices")
    }
    arrows = {one.get("value") for one in view.iter("Relation")}
    for id_, article in seeds.articles.items():
        spans = [one for one in seeds.spans if (one.article, one.annotator) == (id_, GOLD)]
        there = {one.id for one in spans}
        relations = [one for one in seeds.relations if one.article == id_ and one.tail in there]
        for one in regions.results(article.text, spans, relations, "reader"):
            if one["type"] == "relation":
                assert set(one["labels"]) <= arrows
            elif one["type"] == "textarea":
                assert one["from_name"] == view.find(".//TextArea").get("name")
            else:
                assert set(one["value"][one["type"]]) <= asked[one["from_name"]]


def test_one_arrow_holds_all_that_goes_from_one_region_to_another():
    made = [one for one in results() if one["type"] == "relation"]
    ends = [(one["from_id"], one["to_id"]) for one in made]
    assert len(ends) == len(set(ends)) == 5
    assert ["source", "recipient"] in [one["labels"] for one in made]
    assert [one["from_name"] for one in results() if "stance" in one.get("from_name", "")] == [
        "outlet_stance",
        "unnamed_stance",
    ]


def test_a_region_is_measured_in_utf16_units_and_an_actors_name_takes_the_place_of_its_words():
    first, name = results()[:2]
    start = TEXT.index("سلوان") + 1
    assert first["value"] == {"start": start, "end": start + 5, "text": "سلوان", "labels": ["actor"]}
    assert name == {
        "id": first["id"], "type": "textarea", "from_name": "entity", "to_name": "text",
        "value": {"start": start, "end": start + 5, "text": ["سلوان"]},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("type_", "mode", "name"),
    [("CONSULT", "visit", "mode_CONSULT"), ("REJECT", "yield", "mode_REJECT"), ("CONSULT", "yield", "mode")],
)
def test_a_mode_is_asked_of_the_types_that_have_it(type_, mode, name):
    assert regions.control("mode", {"type": type_, "mode": mode}) == name
    assert regions.attribute(name) == ("mode", None if name == "mode" else type_)


def test_every_relation_has_a_name_of_its_own():
    assert {name: (link.role, link.label) for name, link in regions.links(READER).items()} == {
        "actor": ("actor", None), "recipient": ("recipient", None), "source": ("source", None),
        "favor": ("stance", "favor"), "against": ("stance", "against"), "neutral": ("stance", "neutral"),
        "same_event": ("same_event", None),
    }  # fmt: skip
    assert {name: holder for name, (_, holder) in regions.held(READER).items()} == {
        "outlet_stance": OUTLET,
        "unnamed_stance": UNNAMED,
    }
    assert regions.held(own()["reader_roles"]) == {}


def test_what_a_region_said_before_it_changed_is_not_read(tmp_path):
    left = [
        chosen("m0", "type", "AID"),  # an actor
        chosen("m2", "status", "planned"),  # a claim
        chosen("m3", "mode_CONSULT", "visit"),  # of another type
        chosen("m4", "mode", "none"),  # what nobody need say
    ]
    attributes, _ = by_words(read(export(tmp_path, ("a", TEXT, {1: results(*left)}))))
    assert attributes == {TEXT[one.start : one.end]: one.attributes for one in SPANS}


def test_an_arrow_that_can_only_be_meant_the_other_way_round_is_turned(tmp_path):
    drawn = [
        arrow("m1", "m3", "actor"),  # from the actor to the event
        arrow("m0", "m3", "recipient", "against"),  # the first is of the event, the second of the actor
        arrow("m2", "m0", "favor"),
        arrow("m4", "m1", "actor", direction="bi"),
        arrow("m0", "m1", "against", direction="bi"),  # two stances
    ]
    kept = [one for one in results() if one["type"] in ("labels", "textarea")]
    found = read(export(tmp_path, ("a", TEXT, {1: [*kept, *drawn]})))
    assert by_words(found)[1] == [
        ("قصفت", "actor", None, "دراوة"),
        ("قصفت", "recipient", None, "سلوان"),
        ("سلوان", "stance", "against", "قصفت"),
        ("سلوان", "stance", "favor", "دراوة قصفت العين"),
        ("القصف", "actor", None, "دراوة"),
        ("سلوان", "stance", "against", "دراوة"),
        ("دراوة", "stance", "against", "سلوان"),
    ]


def test_an_arrow_that_nothing_asks_for_is_kept_and_counted(tmp_path):
    kept = [one for one in results() if one["type"] == "labels"]
    found = read(export(tmp_path, ("a", TEXT, {1: [*kept, arrow("m3", "m4", "actor"), arrow("m0", "m1")]})))
    assert by_words(found)[1] == [("قصفت", "actor", None, "القصف"), ("سلوان", "related", None, "دراوة")]
    assert found.counts["arrows that reader lacks: actor from event to event"] == 1
    assert found.counts["arrows that reader lacks: related from actor to actor"] == 1


def test_other_words_are_spelt_by_the_map(tmp_path):
    words = {"جهة": "actor", "حدث": "event", "قول": "claim", "هجوم": "ASSAULT", "الفاعل": "actor", "ضد": "against"}
    back = {"actor": "جهة", "event": "حدث", "claim": "قول"}
    made = []
    for one in results("type", "outlet_stance", "unnamed_stance", "mode_ASSAULT"):
        if one["type"] == "labels":
            one["value"]["labels"] = [back[label] for label in one["value"]["labels"]]
            one["from_name"] = "علامة"
        made += [one] if one["type"] != "relation" else []
    made += [chosen("m3", "type", "هجوم"), arrow("m3", "m1", "الفاعل"), chosen("m1", "outlet_stance", "ضد")]
    spelt = {"label_map": {"reader": words}, "columns": {"reader": "علامة"}}
    found = read(export(tmp_path, ("a", TEXT, {1: made}), **spelt))
    assert sorted(one.layer for one in found.spans) == ["actor", "actor", "claim", "event", "event"]
    attributes, arrows = by_words(found)
    assert attributes["قصفت"] == {"type": "ASSAULT", "status": "alleged"}
    assert arrows == [(OUTLET, "stance", "against", "دراوة"), ("قصفت", "actor", None, "دراوة")]
    layers = {given: label for given, label in words.items() if label in back}
    partly = read(export(tmp_path, ("a", TEXT, {1: made}), columns=spelt["columns"], label_map={"reader": layers}))
    assert partly.counts["marks with a type that reader lacks: هجوم (data.label_map.reader.هجوم=LABEL)"] == 1
    assert by_words(partly)[0]["قصفت"]["type"] == "هجوم"
    never = read(export(tmp_path, ("a", TEXT, {1: made}), columns=spelt["columns"]))
    assert never.counts["marks with a label that reader lacks: جهة (data.label_map.reader.جهة=LABEL)"] == 2


def test_sentences_and_their_events_stand_beside_the_marks(tmp_path):
    sentence = {"start": 0, "end": 33, "labels": ["sentence"]}
    marks = [
        {"id": "s0", "type": "labels", "from_name": "sentence", "to_name": "text", "value": sentence},
        chosen("s0", "event_type", "ASSAULT", "ACCUSE"),
    ]
    config = export(tmp_path, ("a", TEXT, {1: results(*marks)}), asked=("event_type", "reader"))
    assert list(label_studio.tasks(config)) == ["reader", "event_type"]
    found = read(config)
    assert [(one.task, one.labels, one.span) for one in found.labels] == [
        ("event_type", ("ASSAULT", "ACCUSE"), (0, 32))
    ]
    assert plain(found.spans, found.relations) == plain(SPANS, RELATIONS)
    alone = read(config.model_copy(update={"tasks": ("event_type",), "default_tasks": ("event_type",)}))
    assert plain(alone.spans, alone.relations) == plain(SPANS, RELATIONS)


@pytest.mark.parametrize("layers", [("event",), ("actor", "event"), ("claim",)])
def test_where_some_layers_were_never_marked_the_control_is_known_by_its_name(tmp_path, layers):
    spans = [one for one in SPANS if one.layer in layers]
    config = export(tmp_path, ("a", TEXT, {1: regions.results(TEXT, spans, [], "reader")}))
    assert label_studio.tasks(config) == {"reader": READER}
    assert plain(read(config).spans, ()) == plain(spans, ())


def test_a_control_of_another_name_is_known_by_its_layers(tmp_path):
    config = export(tmp_path, ("a", TEXT, {1: regions.results(TEXT, SPANS, RELATIONS, "marks")}))
    assert label_studio.tasks(config) == {"reader": READER}
    found = read(config)
    assert plain(found.spans, found.relations) == plain(SPANS, RELATIONS)
    assert found.counts["answers to the control 'marks', which is the task reader"] == len(SPANS)
    made = [
        {**one, "from_name": "marks"}
        for one in results()
        if one.get("value", {}).get("labels") in (["actor"], ["event"])
    ]
    config = export(tmp_path, ("a", TEXT, {1: made}))
    assert list(label_studio.tasks(config)) == ["reader_roles"]
    asked = read(config)  # of the reader
    assert sorted(one.layer for one in asked.spans) == ["actor", "actor", "event", "event"]


def test_what_is_said_of_marks_answers_a_task_that_names_its_control(tmp_path):
    config = export(tmp_path, ("a", TEXT, {1: results()}), asked=("event_type",), columns={"event_type": "type"})
    found = read(config)
    assert [(one.task, one.labels) for one in found.labels] == [("event_type", ("ASSAULT",))] * 2
    assert plain(found.spans, found.relations) == plain(SPANS, RELATIONS)


def test_what_is_said_of_a_region_that_is_not_there_is_a_problem(tmp_path):
    config = export(tmp_path, ("a", TEXT, {1: results(chosen("m99", "type", "AID"))}))
    with pytest.raises(DataError, match="region: type is answered for a region that does not exist"):
        read(config)


def test_marks_train_as_those_of_the_corpus_do(seeds, tmp_path):
    """An export of an article makes the examples that the article makes."""
    id_ = "seed-a01"
    spans = [one for one in seeds.spans if one.article == id_]
    arrows = [one for one in seeds.relations if one.article == id_]
    text = seeds.articles[id_].text
    found = read(export(tmp_path, (id_, text, {7: regions.results(text, spans, arrows, "reader")})))
    alone = replace(seeds, articles={id_: seeds.articles[id_]}, spans=tuple(spans), relations=tuple(arrows), labels=())
    one, other = (
        marks.expand(marks.examples(corpus_, READER, AnnotatorsConfig())[0], {"reader": READER})
        for corpus_ in (alone, found)
    )
    assert {row.id: row.gold for row in one} == {row.id: row.gold for row in other}
    assert {row.task for row in other} == {"reader", *(f"reader.{name}" for name in READER.heads)}
