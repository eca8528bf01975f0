"""What `khabar.load` returns: readings of all kinds of input, with true offsets, alone or among others."""

import hashlib
import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import khabar
from khabar.errors import ConfigError, DataError
from khabar.inference import readings as records
from khabar.inference.jobs import Job
from khabar.inference.model import CHUNK, Model
from khabar.inference.questions import parse_question
from khabar.inference.watchlist import Entry, Watchlist
from khabar.schema import OUTLET, Article
from unit.inference import tiny_bundle
from unit.inference.tiny_bundle import QUESTION, TEXT

OTHER = "دعا رئيس الحكومة إلى لقاء في بغداد. رفض المجلس اتفاق وقف إطلاق النار."


def asked(reading):
    return [(stance.holder, stance.target) for stance in reading.stances]


def test_a_text_a_dict_an_article_and_a_list_of_them_are_read(model):
    several = [TEXT, {"text": TEXT, "id": 0}, {"text": TEXT, "id": "ب"}, Article("ج", TEXT, title="عنوان")]
    hashed = hashlib.sha256(TEXT.encode()).hexdigest()[:16]
    assert [reading.id for reading in model.predict(several)] == [hashed, "0", "ب", "ج"]
    assert [reading.title for reading in model.predict(several)] == ["قصف الجيش مدينة غزة"] * 3 + ["عنوان"]
    for one in several:
        assert len(model.predict(one)) == 1
    assert [reading.id for reading in model.predict(iter(several))][1:] == ["0", "ب", "ج"]
    assert model.predict(TEXT)[0].model == {**model.about, "version": None}
    assert len(model.about["fingerprint"]) == 16


def test_offsets_slice_back_to_the_text(model):
    reading = model.predict({"text": f"\n  {TEXT}\n"}, [QUESTION])[0]
    text = f"\n  {TEXT}\n"
    found = [*reading.events, *(stance.evidence for stance in reading.stances if stance.evidence)]
    assert len({item.start for item in reading.events}) == 5
    assert all(text[item.start : item.end] == item.text for item in found)


@settings(max_examples=40, deadline=None)
@given(text=st.text(alphabet=st.sampled_from([*"ابتثنوي .؟!\n<>br/ـً0a😀\u200f&;«»"]), max_size=60))
def test_whatever_the_text_it_has_a_reading(model, text):
    reading = model.predict(text, [QUESTION])[0]
    assert bool(reading.error) == (not reading.stances)
    assert all(text[event.start : event.end] == event.text for event in reading.events)


def test_a_long_text_is_read_to_its_end(model):
    reading = model.predict(TEXT.replace("\n", " ") * 40)[0]
    assert len(model.engine.tokenizer.encode(TEXT * 40).ids) > 3 * 512
    assert reading.error is None
    assert max(event.end for event in reading.events) == len(TEXT) * 40


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        (" \n\t", "empty"),
        ("ـــ", "leaves no token"),
        ("<br>", "leaves no token"),
        ("نص \ud800", "half a character"),
    ],
)
def test_a_text_that_cannot_be_read_costs_itself_alone(model, text, why):
    among = model.predict([TEXT, text, OTHER], [QUESTION])
    assert why in among[1].error
    assert (among[1].events, among[1].stances) == ((), ())
    assert json.dumps(among[1].to_dict(), ensure_ascii=False).encode()
    assert records.to_text(among[1]).startswith(among[1].id)
    alone = model.predict([TEXT, OTHER], [QUESTION])
    assert [among[0].to_dict(), among[2].to_dict()] == [reading.to_dict() for reading in alone]


def test_a_sentence_of_which_nothing_is_left_costs_itself_alone(model):
    reading = model.predict("قصف الجيش مدينة غزة.\n<br>\nدعا المجلس إلى اتفاق.", [QUESTION])[0]
    assert reading.error is None
    assert {event.text for event in reading.events} == {"قصف الجيش مدينة غزة.", "دعا المجلس إلى اتفاق."}


def test_a_question_of_which_nothing_is_left_is_named(model):
    readings = model.predict([{"text": TEXT, "questions": [{"target": "ـ"}]}, OTHER])
    assert "question" in readings[0].error
    assert readings[1].error is None


def test_questions_come_from_the_call_the_input_and_the_watchlist_once_each(model):
    names = Watchlist((Entry(name="إيران"), Entry(name="مصر")))
    article = {"text": TEXT, "questions": ["إيران | وقف إطلاق النار", ["مصر", "إيران"]]}
    reading = model.predict(article, [QUESTION, " إيران|اتفاق "], targets=["إيران"], watchlist=names)[0]
    assert asked(reading) == [QUESTION, ("مصر", "إيران"), ("إيران", "اتفاق"), (OUTLET, "إيران")]
    assert reading.notes == ()
    assert asked(model.predict({"text": TEXT, "questions": "أ | ب"})[0]) == [("أ", "ب")]


def test_without_a_question_no_stance_is_asked_and_the_answer_says_so(model):
    reading = model.predict(TEXT, watchlist=Watchlist((Entry(name="بريطانيا"),)))[0]
    assert reading.stances == ()
    assert "no stance was asked" in reading.to_dict()["notes"][0]
    assert "no stance was asked" in records.to_text(reading)


def test_a_task_that_asks_for_the_target_alone_is_asked_once_a_target():
    engine, _ = tiny_bundle.engine("stance_claim")
    reading = Model(engine, uri="").predict(TEXT, [("أ", "هدنة"), ("ب", "هدنة"), (None, "هدنة")])[0]
    assert asked(reading) == [(None, "هدنة")]


@pytest.mark.parametrize(
    "bad", [{"txt": "?"}, {}, {"text": None}, {"text": TEXT, "questions": 5}, {"text": TEXT, "questions": [[1, 2]]}]
)
def test_what_is_no_article_is_refused(model, bad):
    with pytest.raises(DataError, match=r"text|question"):
        model.predict([bad])


def test_a_threshold_stands_in_for_the_models_own(model):
    most = model.predict(TEXT, threshold=0.01)[0]
    few = model.predict(TEXT, threshold=0.9)[0]
    assert len(most.events) > len(model.predict(TEXT)[0].events) > len(few.events) > 0
    assert all(event.score >= 0.9 for event in few.events)
    assert model.predict(TEXT, [QUESTION], threshold=0.9)[0].stances == model.predict(TEXT, [QUESTION])[0].stances


def best(reading, k, task=None, at_least=0.0):
    """The k most probable labels of each sentence, by its answers."""
    found = set()
    for answer in (answer for answer in reading.answers if answer.span and answer.task == (task or answer.task)):
        most = sorted(answer.probabilities.items(), key=lambda pair: -pair[1])
        found |= {
            (*answer.span, label) for label, p in [pair for pair in most if pair[0] != "none"][:k] if p >= at_least
        }
    return found


@pytest.mark.parametrize("k", [1, 3, 100])
def test_top_k_takes_the_most_probable_labels_of_every_sentence(model, k):
    plain, found = model.predict(TEXT, [QUESTION])[0], model.predict(TEXT, [QUESTION], top_k=k)[0]
    assert {(event.start, event.end, event.label) for event in found.events} == best(plain, k)
    assert len(found.events) == 5 * min(k, 16)
    assert (found.stances, found.article_events) == (plain.stances, plain.article_events)
    middle = float(np.median([event.score for event in found.events]))
    above = model.predict(TEXT, [QUESTION], top_k=k, threshold=middle)[0]
    assert {(event.start, event.end, event.label) for event in above.events} == best(plain, k, at_least=middle)
    assert 0 < len(above.events) < len(found.events)


def test_top_k_counts_no_label_that_stands_for_none_and_counts_by_task():
    engine, _ = tiny_bundle.engine("event_quad5", "event_type")
    reader = Model(engine, uri="")
    for k in (1, 5):
        found = reader.predict(TEXT, top_k=k)[0]
        for task in ("event_quad5", "event_type"):
            events = {(event.start, event.end, event.label) for event in found.events if event.task == task}
            assert events == best(found, k, task)
    assert sum(event.task == "event_quad5" for event in found.events) == 5 * 4


def test_tasks_limit_what_is_answered_and_what_is_encoded(model):
    windows = []
    forward = model.engine.forward

    def counted(batch):
        windows.append(len(batch.ids_WL))
        return forward(batch)

    both = model.predict(TEXT, [QUESTION])[0]
    reader = Model(model.engine, uri="")
    model.engine.forward = counted
    try:
        events = reader.predict(TEXT, [QUESTION], tasks=["event_type"])[0]
        assert windows == [1]  # the text without a question, once
        stances = reader.predict(TEXT, [QUESTION], tasks="stance")[0]
        assert windows == [1, 1]
    finally:
        model.engine.forward = forward
    assert [(event.start, event.label) for event in events.events] == [(e.start, e.label) for e in both.events]
    assert events.article_events == pytest.approx(both.article_events, abs=1e-5)
    assert (events.stances, events.notes) == ((), ())
    assert (stances.events, stances.article_events) == ((), {})
    assert stances.stances[0].probabilities == pytest.approx(both.stances[0].probabilities, abs=1e-5)
    assert "no stance was asked" in reader.predict(TEXT, tasks=["stance"])[0].notes[0]


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"tasks": ["event_typ"]}, "does not answer 'event_typ'. Did you mean 'event_type'"),
        ({"tasks": ["stance", "x"]}, "does not answer 'x'. There are: event_type, stance"),
        ({"threshold": 0}, "threshold is 0;"),
        ({"threshold": 2.0}, "threshold is 2.0;"),
        ({"threshold": float("nan")}, "threshold is nan;"),
        ({"top_k": 0}, "top_k is 0;"),
    ],
)
def test_what_cannot_be_asked_for_is_named_before_anything_is_read(model, options, why):
    with pytest.raises(ConfigError, match=why):
        model.predict([TEXT], **options)
    with pytest.raises(ConfigError, match=why):
        model.stream([TEXT], **options)


def test_article_events_are_the_highest_of_the_sentences(model):
    reading = model.predict(TEXT, threshold=1e-9)[0]
    highest = dict.fromkeys(model.tasks["event_type"].labels, 0.0)
    for event in reading.events:
        highest[event.label] = max(highest[event.label], event.score)
    assert reading.article_events == highest


def test_labels_that_two_tasks_share_keep_apart():
    engine, _ = tiny_bundle.engine("event_assault", "event_protest")
    found = Model(engine, uri="").predict(TEXT)[0].article_events
    assert list(found) == ["event_assault.yes", "event_protest.yes"]


def test_a_label_that_stands_for_none_is_no_event():
    engine, _ = tiny_bundle.engine("event_quad5")
    reading = Model(engine, uri="").predict([TEXT, OTHER])[0]
    assert "none" not in {*reading.article_events, *(event.label for event in reading.events)}


def test_questions_may_be_json_in_a_string(model):
    reading = model.predict({"text": TEXT, "questions": '["إيران | هدنة", "مصر"]'})[0]
    assert [(stance.holder, stance.target) for stance in reading.stances] == [("إيران", "هدنة"), (OUTLET, "مصر")]
    with pytest.raises(DataError, match="begins as JSON and is none"):
        model.predict({"text": TEXT, "questions": "["})


def test_evidence_is_the_sentence_whose_absence_costs_most(model):
    stance = next(s for s in model.predict(TEXT, [QUESTION, (None, "الأمم المتحدة")])[0].stances if s.evidence)
    spans = {(event.start, event.end) for event in model.predict(TEXT, threshold=1e-9)[0].events}
    assert (stance.evidence.start, stance.evidence.end) in spans
    assert stance.evidence.text == TEXT[stance.evidence.start : stance.evidence.end]
    job = Job.of(TEXT, model.engine.tokenizer, model.tasks, [(stance.holder, stance.target)], None)
    asks = [(e, skip) for e, skip in zip(job.examples, job.without, strict=True) if e.task == "stance"]
    logits = model.engine.logits([e for e, _ in asks], [skip for _, skip in asks])
    left = model.engine.probabilities(logits, "stance")[1:, model.tasks["stance"].labels.index(stance.label)]
    assert asks[1 + int(np.argmin(left))][1] == ((stance.evidence.start, stance.evidence.end),)


@pytest.mark.parametrize(("push", "silent"), [(50.0, True), (-50.0, False)])
def test_a_stance_of_silence_has_no_evidence(push, silent):
    engine, classifier = tiny_bundle.engine("stance")
    with torch.no_grad():
        classifier.heads["stance"].bias[engine.tasks["stance"].labels.index("none")] += push
    reading = Model(engine, uri="").predict(TEXT, [QUESTION, (None, "مصر")])[0]
    assert [(stance.label == "none", stance.evidence is None) for stance in reading.stances] == [(silent, silent)] * 2
    assert ("2 asked, no stance found" in records.to_text(reading)) == silent


def test_answers_do_not_depend_on_neighbours(model):
    texts = [TEXT, OTHER, TEXT.replace("\n", " ") * 20, "نعم.", *(f"{OTHER} {i}" for i in range(CHUNK))]
    together = model.predict(texts, [QUESTION])
    for i in (0, 1, 2, 3, len(texts) - 1):
        alone = model.predict(texts[i], [QUESTION])[0]
        ours, its = together[i], alone
        assert ours.article_events == pytest.approx(its.article_events, abs=1e-5)
        assert ours.stances[0].probabilities == pytest.approx(its.stances[0].probabilities, abs=1e-5)


def test_a_stream_holds_one_chunk_at_a_time(model):
    taken = []

    def articles():
        for number in range(3 * CHUNK):
            taken.append(number)
            yield {"id": number, "text": f"نص {number}"}

    stream = model.stream(articles())
    assert next(stream).id == "0"
    assert len(taken) == CHUNK
    assert [reading.id for reading in stream] == [str(number) for number in range(1, 3 * CHUNK)]


def test_a_chunk_of_long_articles_with_many_questions_is_smaller(model, monkeypatch):
    taken = []
    asked = [QUESTION, (None, "اتفاق")]
    alike = model.predict([TEXT] * 5, asked).to_dicts()
    examples = 5 + 2 * 6
    monkeypatch.setattr("khabar.inference.model.WEIGHT", len(TEXT) * examples)
    stream = model.stream((taken.append(1) or TEXT for _ in range(5)), asked)
    assert next(stream).error is None
    assert len(taken) == 2
    assert [reading.id for reading in stream] == [reading["id"] for reading in alike[1:]]
    assert len(taken) == 5


def test_a_table_has_one_row_a_finding_whatever_was_found(model):
    readings = model.predict([TEXT, ""], [QUESTION])
    table = readings.to_pandas()
    assert list(table.columns) == [
        *("article", "kind", "task", "label", "score", "holder", "target", "text", "start", "end")
    ]
    assert len(table) == len(readings[0].events) + 1
    first = table[table.kind == "event"].iloc[0]
    assert TEXT[first.start : first.end] == first.text
    empty = model.predict([]).to_pandas()
    assert len(empty) == 0
    assert list(empty.dtypes) == list(table.dtypes)
    assert [str(dtype) for dtype in table.dtypes] == ["string"] * 4 + ["float64"] + ["string"] * 3 + ["Int64"] * 2


def test_the_output_object_is_as_documented(model):
    reading = model.predict({"id": "أ", "text": TEXT}, [QUESTION])[0]
    plain = reading.to_dict()
    assert list(plain) == ["id", "events", "article_events", "stances", "model", "error"]
    assert list(plain["events"][0]) == ["task", "label", "score", "start", "end", "text"]
    assert list(plain["stances"][0]) == ["task", "holder", "target", "label", "probabilities", "evidence"]
    assert list(plain["model"]) == ["uri", "version", "fingerprint"]
    assert plain["error"] is None
    assert sum(plain["stances"][0]["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert (
        json.loads(json.dumps(plain)) == plain == model.predict([{"id": "أ", "text": TEXT}], [QUESTION]).to_dicts()[0]
    )


def test_text_for_a_person_keeps_arabic_on_lines_of_its_own(model):
    shown = records.to_text(model.predict(TEXT + " كلمة" * 60, [QUESTION], targets=["ط" * i for i in range(1, 20)])[0])
    assert "What happened" in shown
    assert "Who stands where" in shown
    assert "إيران ← وقف إطلاق النار" in shown or "asked, no stance found" in shown
    for line in shown.splitlines():
        letters = [letter for letter in line if letter.isalpha()]
        assert len({letter.isascii() for letter in letters}) <= 1, line
        assert len(line) < 110
    assert "no event found; the nearest: " in records.to_text(model.predict(TEXT, threshold=0.999999)[0])


@pytest.mark.parametrize(
    ("given_", "found"),
    [
        ("إيران | هدنة", ("إيران", "هدنة")),
        ("هدنة", (OUTLET, "هدنة")),
        ("| هدنة", (None, "هدنة")),
        ({"holder": "إيران", "target": " هدنة"}, ("إيران", "هدنة")),
        ({"target": "هدنة"}, (None, "هدنة")),
        (("إيران", "هدنة"), ("إيران", "هدنة")),
        ([None, "هدنة"], (None, "هدنة")),
    ],
)
def test_a_question_has_many_forms(given_, found):
    assert parse_question(given_) == found


@pytest.mark.parametrize(
    "bad",
    ["", "  ", "إيران |", "أ | ب | ج", {"holder": "إيران"}, (None, ""), ("أ",), ("أ", "ب", "ج"), (1, "ب"), 5, None],
)
def test_what_is_no_question_is_refused_with_the_forms(bad):
    with pytest.raises(DataError, match=r"is no question. Write 'holder \| target'"):
        parse_question(bad)


def test_a_model_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"There is no folder .*nowhere"):
        khabar.load(str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match="not a khabar bundle"):
        khabar.load(str(tmp_path))


def test_a_cls_model_tells_sentences_apart_and_gives_no_evidence_it_has_not():
    engine, _ = tiny_bundle.engine(pool="cls")
    reading = Model(engine, uri="x").predict(TEXT, [QUESTION])[0]
    answers = [tuple(answer.probabilities.values()) for answer in reading.answers if answer.span]
    assert len(answers) == len(set(answers)) == 5
    lone = Model(engine, uri="x").predict(TEXT.splitlines()[0], [QUESTION])[0]  # read alone as it is read among others
    assert lone.answers[0].probabilities == pytest.approx(reading.answers[0].probabilities, abs=1e-6)
    assert [stance.evidence for stance in reading.stances] == [None]
    assert sum(engine.windower.cut.__dict__.values()) == 0
