"""From spans and relations to questions: what is asked, of whom, and what silence means."""

import itertools
from dataclasses import replace

import pytest

from khabar.config import AnnotatorsConfig
from khabar.data import marks
from khabar.schema import GOLD, OUTLET, UNNAMED, Label, flat
from unit.data import marked

TASKS = {"reader": marked.TASK}


def rows(**parts):
    return marks.examples(marked.corpus(**parts), marked.TASK, AnnotatorsConfig())[0]


def asked(name, **parts):
    return [one for one in marks.expand(rows(**parts), TASKS) if one.task == f"reader.{name}"]


def words(example, place):
    return None if place is None else example.text[slice(*place)]


def pairs(name, **parts):
    return {
        (words(one, one.span) or one.holder, words(one, one.tail), one.unit_text[:6]): one.gold
        for one in asked(name, **parts)
    }


def test_a_sentence_to_mark_tells_the_layers_it_holds_and_keeps_the_marks_of_its_article():
    found = rows()
    assert [(one.span, one.gold) for one in found] == list(
        zip(
            marked.sentences(),
            [("actor", "event"), ("actor", "event", "claim"), ("actor", "event", "claim"), ("event",)],
            strict=True,
        )
    )
    assert len({id(one.marks) for one in found}) == 1
    assert [span.id for span in marks.inside(found[3])] == ["E3"]


def test_an_event_is_asked_for_its_attributes_in_its_sentence():
    assert [one.gold for one in asked("type")] == [("REQUEST",), ("REQUEST",), ("REJECT",), ("REQUEST",)]
    assert [one.gold for one in asked("mode")] == [("none",), ("yield",), ("none",), ("none",)]
    assert [one.gold for one in asked("status")] == [("happened",)] * 3 + [("background",)]
    assert all(one.span == one.tail and one.within in marked.sentences() for one in asked("type"))


def test_a_role_is_asked_of_the_actors_of_the_sentence_then_of_headline_and_sentence_before():
    found = pairs("role")
    assert found["طالبت", "سلوان", "طالبت "] == ("actor",)
    assert found["طالبت", "جارتها دراوة", "طالبت "] == ("recipient",)
    # Darawa stands in the sentence, so that of headline and sentence before only Salwan is asked
    assert {key[1] for key in found if key[0] == "ورفضت"} == {"دراوة", "سلوان"}
    assert found["ورفضت", "سلوان", "ورفضت "] == ()
    # nobody is named in the last sentence: the headline's mentions are asked, by one mention an entity
    assert {key[1]: gold for key, gold in found.items() if key[0] == "المطالبة"} == {"سلوان": ("actor",), "دراوة": ()}


def test_stances_are_asked_of_every_holder_on_every_target_of_the_sentence():
    found = pairs("stance")
    assert found["سلوان", "بسحب القوات", "طالبت "] == ("favor",)
    assert found[OUTLET, "القوات في الوادي", "ورفضت "] == ("against",)
    assert found[UNNAMED, "المطالبة", "وقالت "] == ("against",)
    assert found["جارتها دراوة", "بسحب القوات", "طالبت "] == ("none",)
    assert not any(holder == target for holder, target, _ in found)


def test_links_are_closed_over_chains_and_asked_of_alike_types_alone():
    found = pairs("same_event")
    assert found == {
        ("طالبت", "تطالب", "طالبت "): ("yes",),
        ("المطالبة", "تطالب", "وقالت "): ("yes",),
        ("المطالبة", "طالبت", "وقالت "): ("yes",),
    }


def test_what_a_corpus_never_annotates_is_not_asked():
    spans = [
        replace(one, attributes={k: v for k, v in one.attributes.items() if k != "status"}) for one in marked.SPANS
    ]
    arrows = [one for one in marked.RELATIONS if one.role != "stance"]
    names = {one.task for one in marks.expand(rows(spans=spans, relations=arrows), TASKS)}
    assert names == {"reader", "reader.type", "reader.mode", "reader.role", "reader.same_event"}


def test_gold_goes_before_the_adjudicator_and_both_before_a_lone_annotator():
    others = [replace(one, id=f"x{one.id}", annotator="x") for one in marked.SPANS[:2]]
    both = [replace(one, id=f"y{one.id}", annotator="y") for one in marked.SPANS[:4]]
    made, dropped = marks.examples(marked.corpus(spans=[*others, *both], relations=()), marked.TASK, AnnotatorsConfig())
    assert (made, dropped) == ([], {"several annotators and none of them gold": 1})
    chosen, _ = marks.examples(
        marked.corpus(spans=[*others, *both], relations=()), marked.TASK, AnnotatorsConfig(adjudicator="y")
    )
    assert len(chosen[0].marks.spans) == 4
    lone, _ = marks.examples(marked.corpus(spans=others, relations=()), marked.TASK, AnnotatorsConfig())
    assert len(lone[0].marks.spans) == 2


def test_an_article_without_marks_is_not_annotated():
    assert marks.examples(marked.corpus(articles=("a", "b")), marked.TASK, AnnotatorsConfig())[1] == {
        "not annotated": 1
    }


def test_ids_of_questions_are_unique():
    every = marks.expand(rows(), TASKS)
    assert len({(one.task, one.id) for one in every}) == len(every)
    assert {one.task for one in every} == set(flat(TASKS))


@pytest.mark.parametrize(
    "wrong", [{"heads": {"x": {"name": "x", "labels": ["a", "b"], "level": "pair", "on": ["event"]}}}]
)
def test_a_head_that_can_not_be_asked_is_refused(wrong):
    with pytest.raises(ValueError, match="give `on`, and `to` for a pair alone"):
        marked.TASK.of({**marked.TASK.model_dump(mode="json"), **wrong})


def test_a_stance_on_an_actor_holds_in_its_sentence_alone():
    arrows = [*marked.RELATIONS, marked.arrow("S1", "stance", "D1", "against")]
    found = pairs("stance", relations=arrows)
    assert found["سلوان", "جارتها دراوة", "طالبت "] == ("against",)
    assert found["سلوان", "دراوة", "ورفضت "] == ("none",)  # of the headline's Salwan, in another sentence


def test_a_decoy_is_no_annotated_span_and_takes_part_in_nothing():
    real = {(span.layer, span.start, span.end) for span in marked.SPANS}
    more = marks.expand(rows(), TASKS, decoys=True)
    plain = {one.id for one in marks.expand(rows(), TASKS)}
    decoys = [one for one in more if one.id not in plain]
    assert decoys and {one.task for one in decoys} == {"reader.role", "reader.stance"}
    assert {one.gold for one in decoys} == {(), ("none",)}
    for one in decoys:
        assert (
            one.span is None
            or ("actor", *one.span) in real
            or not any(start < one.span[1] and one.span[0] < end for layer, start, end in real if layer == "actor")
        )
    assert [one.id for one in more] == [one.id for one in marks.expand(rows(), TASKS, decoys=True)]


def test_relations_of_layers_that_are_not_asked_are_left_out():
    roles = marked.TASK.model_copy(
        update={"labels": ("actor", "event"), "heads": {"role": marked.TASK.heads["role"]}, "name": "reader_roles"}
    )
    made, _ = marks.examples(marked.corpus(), roles, AnnotatorsConfig())
    assert {one.role for one in made[0].marks.relations} == {"actor", "recipient", "same_event", "stance"}
    assert not {"C1", "C2"} & {end for one in made[0].marks.relations for end in (one.head, one.tail)}


def test_units_that_overlap_are_no_sentences():
    labels = [
        Label(id=f"x{i}", article="a", annotator=GOLD, task="t", labels=(), span=at)
        for i, at in enumerate([(0, 30), (0, 60)])
    ]
    made = replace(marked.corpus(), labels=tuple(labels))
    places = marks.examples(made, marked.TASK, AnnotatorsConfig())[0][0].marks.sentences
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(places)) and len(places) == 4


def test_an_article_cut_to_some_rows_has_the_marks_of_those_alone():
    ((own, held),) = marks.articles(rows()[1:3], "reader")
    assert held.sentences == tuple(row.span for row in own)
    assert {span.id for span in held.spans} == {"E1", "S1", "D1", "C1", "E2", "D2", "C2"}
    assert {one.role for one in held.relations} == {"actor", "recipient", "stance"}  # no link to the headline
