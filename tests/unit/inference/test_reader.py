"""Reading an article whole: encoded once or asked example by example it is the same, and candidates may be added."""

import itertools
from functools import partial
from typing import ClassVar

import numpy as np
import pytest

from khabar.data.graph import Spot
from khabar.errors import ConfigError
from khabar.inference import graph, reader
from khabar.inference.jobs import Job
from khabar.inference.model import Model
from khabar.inference.reader import Reader, Wanted
from khabar.inference.watchlist import Entry, Watchlist
from khabar.schema import OUTLET, Example, Found
from unit.inference import tiny_bundle

TEXT = tiny_bundle.TEXT + "\n" + " ".join(["قالت إيران إن مجلس الأمم رفض هجوم القاهرة على قوات بغداد."] * 40)


@pytest.fixture(scope="module")
def engine():
    made, _ = tiny_bundle.engine("event_type", "reader", "stance", seed=3)
    return made


@pytest.fixture(scope="module")
def model(engine):
    return Model(engine, uri="tiny")


def job(engine, text=TEXT, **more):
    return Job.of({"text": text, "id": "a", **more}, engine.tokenizer, {}, (), None)


def test_encoded_once_it_finds_what_it_finds_asked_example_by_example(engine):
    one = job(engine)
    task = engine.tasks["reader"]
    (whole,) = Reader(engine, {}).read([one], Wanted(), ["event_type"])
    rows = [
        Example(id=str(span), article="a", group="a", task="reader", text=TEXT, span=span, gold=())
        for span in one.spans
    ]
    scorer = graph.PredictorScorer(engine, task, rows, engine.card.thresholds)
    slow = graph.build(task, one.spans, scorer, partial(reader.named, TEXT, None))
    assert whole.graph is not None
    assert [(s.layer, s.at, s.type, s.mode, s.status, s.name) for s in whole.graph.spots] == [
        (s.layer, s.at, s.type, s.mode, s.status, s.name) for s in slow.spots
    ]
    assert len(slow.spots) > 20
    assert {(r.event, r.actor, r.role) for r in whole.graph.roles} == {(r.event, r.actor, r.role) for r in slow.roles}
    assert {(t.holder, t.target, t.label) for t in whole.graph.stances} == {
        (t.holder, t.target, t.label) for t in slow.stances
    }
    assert whole.graph.same == slow.same
    by_fast = {(t.holder, t.target): t.probabilities for t in whole.graph.stances}
    for taken in slow.stances:
        assert taken.probabilities == pytest.approx(by_fast[taken.holder, taken.target], abs=1e-5)


def test_sentence_labels_out_of_a_whole_reading_are_those_of_a_plain_one(model):
    plain = model.predict([TEXT, "خبر قصير"], tasks=["event_type"])
    both = list(model.stream([TEXT, "خبر قصير"], tasks=["event_type"], whole=Wanted()))
    for one, other in zip(plain, both, strict=True):
        assert one.events == pytest.approx(other.events) or [(event.label, event.start) for event in one.events] == [
            (event.label, event.start) for event in other.events
        ]
        for left, right in zip(one.answers, other.answers, strict=True):
            assert left.probabilities == pytest.approx(right.probabilities, abs=1e-5)
    assert both[0].whole.account.events


def test_neighbours_in_the_call_change_nothing(model):
    alone = model.read(TEXT)[0]
    among = model.read(["خبر قصير", TEXT, "قصف الجيش مدينة غزة. " * 30])[1]
    assert [(e.type, e.mentions[0].start) for e in alone.events] == [
        (e.type, e.mentions[0].start) for e in among.events
    ]
    assert np.allclose([e.score for e in alone.events], [e.score for e in among.events], atol=1e-5)


def test_a_watchlist_and_the_caller_add_candidates_under_their_names(engine):
    known = Watchlist(
        (Entry(name="الجمهورية", aliases=("إيران",)), Entry(name="الهدنة", kind="issue", aliases=("وقف إطلاق النار",)))
    )
    wanted = Wanted(known, holders=("القاهرة",), targets=("قوات بغداد",))
    (whole,) = Reader(engine, {}).read([job(engine)], wanted)
    found = {TEXT[slice(*spot.at)]: spot for spot in whole.graph.spots}
    named = {spot.name.name for spot in whole.graph.spots if spot.name}
    assert "الجمهورية" in named or any("إيران" in text for text in found)
    for phrase, layer in (("وقف إطلاق النار", "claim"), ("القاهرة", "actor"), ("قوات بغداد", "claim")):
        start = TEXT.index(phrase)
        assert any(
            spot.layer == layer and spot.start < start + len(phrase) and start < spot.end for spot in whole.graph.spots
        )


def test_a_target_that_the_text_does_not_hold_is_asked_by_the_pair_template(model):
    asked = [one for one in model.read(TEXT, targets=["رفع الرسوم"])[0].stances if one.kind == "asked"]
    answer = model.predict(TEXT, [(OUTLET, "رفع الرسوم")], tasks=["stance"])[0].stances[0]
    assert [(one.holder, one.target, one.label) for one in asked] == (
        [] if answer.label == "none" else [(OUTLET, "رفع الرسوم", answer.label)]
    )


def test_near_copies_in_one_call_are_linked_to_the_first(model):
    wire = "قصف الجيش مدينة غزة ليلة أمس ورفضت إيران وقف إطلاق النار ودعا مجلس الأمم المتحدة إلى اتفاق بين الدول"
    read = model.read(
        [{"text": wire, "id": "x"}, {"text": "خبر آخر لا صلة له", "id": "y"}, {"text": wire + " الكبرى.", "id": "z"}]
    )
    assert [account.copy_of for account in read] == [None, None, "x"]
    assert set(read.events["copy_of"].dropna()) <= {"x"}


def test_a_bad_text_costs_itself_alone_and_says_why(model):
    bad, good = model.read(["  ", TEXT])
    assert bad.error == "The text is empty." and good.events


def test_tables_have_their_columns_also_without_a_finding(model):
    read = model.read(["  "])
    assert list(read.events.columns)[:4] == ["article", "date", "actor", "type"] and len(read.events) == 0
    assert "holder" in read.stances and len(read.stances) == 0


def test_a_model_without_marks_and_an_export_say_what_to_do():
    plain, _ = tiny_bundle.engine("event_type")
    with pytest.raises(ConfigError, match="needs a task that marks spans"):
        Model(plain, uri="tiny").read(TEXT)
    made, _ = tiny_bundle.engine("reader")
    made.heads = None
    with pytest.raises(ConfigError, match="take its bundle"):
        Model(made, uri="tiny").read(TEXT)


def test_questions_about_marks_are_part_of_the_exam(engine):
    from khabar.inference import probes

    record = probes.record(engine)
    assert {probe.task for probe in record} == set(engine.questions)
    assert engine.examine(record) < 1e-6
    assert any(probe.holder == OUTLET and probe.tail for probe in record)


@pytest.mark.parametrize("text", ["؟؟ !!", "😀😀", "<b></b>\nخبر", "عام", "«»\n\n« . »"])
def test_texts_without_sentences_or_words_are_read_like_any(model, text):
    (read,) = model.read(text, targets=["😀", "خبر"])
    assert read.error or isinstance(read.events, tuple)
    (one,) = model.stream([text], whole=Wanted())
    assert one.error or one.whole is not None


def test_overlapping_names_are_one_candidate_the_longest(engine):
    known = Watchlist((Entry(name="مجلس الأمم"), Entry(name="مجلس"), Entry(name="الأمم", aliases=("مجلس",))))
    (whole,) = Reader(engine, {}).read([job(engine)], Wanted(known))
    spots = [(spot.layer, spot.at) for spot in whole.graph.spots]
    assert len(set(spots)) == len(spots)
    actors = sorted(at for layer, at in spots if layer == "actor")
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(actors))


def test_links_do_not_hang_on_how_sure_the_triggers_are(engine):
    task = engine.tasks["reader"]
    places = [(0, 10), (11, 20)]
    said = {"type": "ASSAULT"}
    spots = [Spot("event", 0, 3, 0.05, 0, None, said), Spot("event", 11, 14, 0.05, 1, None, said)]
    asked = {name: graph.pairs(task.heads[name], places, spots, 0.5) for name in ("same_event", "stance")}
    assert [part.tolist() for part in asked["same_event"]] == [[[1, 0, 1]], [1.0]]
    assert not len(asked["stance"][0])  # which needs surer targets


class Sure:
    """A scorer that marks two mentions of one actor and a trigger, and says yes to every role."""

    def __init__(self, text):
        words = [("actor", "إيران"), ("event", "رفضت"), ("actor", "طهران")]
        self.found = [Found(layer, text.index(word), text.index(word) + len(word), 1.0) for layer, word in words]

    def spans(self):
        return list(self.found)

    cuts: ClassVar = {}

    def answer(self, head, spots, asked):
        likely = {"actor": 0.6, "recipient": 0.8, "source": 0.7}
        prob = np.array([[likely.get(label, 0.1) for label in head.labels] for _ in asked])
        return prob, (prob > 0.5) if head.name == "role" else (prob == prob.max(1, keepdims=True)) & (prob > 0.5)


def test_an_actor_does_not_act_on_himself_by_any_of_his_names(engine):
    text = "إيران رفضت وقالت طهران"
    known = Watchlist((Entry(name="إيران", metonyms=("طهران",)),))
    made = graph.build(engine.tasks["reader"], [(0, len(text))], Sure(text), partial(reader.named, text, known))
    assert sorted((role.actor, role.role) for role in made.roles) == [
        (0, "recipient"), (0, "source"), (2, "recipient"), (2, "source"),
    ]  # fmt: skip


def test_a_reader_without_types_is_not_read_whole_by_default():
    made, _ = tiny_bundle.engine("reader_roles")
    model = Model(made, uri="tiny")
    assert not model.reads
    with pytest.raises(ConfigError, match="types and roles"):
        model.read(TEXT)
