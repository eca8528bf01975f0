"""What a model read, as Label Studio imports it, and back again through the importer."""

import json

import pytest
import yaml

from khabar.config import DataConfig, resource
from khabar.data import corpus
from khabar.data.graph import Graph, Name, Role, Spot, Taken
from khabar.data.importers import label_studio as importer
from khabar.data.importers._controls import own
from khabar.data.problems import Problems
from khabar.inference import label_studio
from khabar.inference.model import Model
from khabar.inference.readings import Reading
from khabar.schema import OUTLET, UNNAMED, Label
from khabar.text import sentences
from unit.inference import tiny_bundle
from unit.inference.tiny_bundle import QUESTION, TEXT

EMOJI = TEXT.replace("قصف", "😀 قصف", 1)


def made(model, article, questions=(QUESTION,), **given):
    article = {"text": article} if isinstance(article, str) else article
    return label_studio.task(article, model.predict(article, questions, **given)[0])


def results(task, control):
    return [one for one in task["predictions"][0]["result"] if one.get("from_name") == control]


def utf16(text, value):
    return text.encode("utf-16-le")[2 * value["start"] : 2 * value["end"]].decode("utf-16-le")


def settings(path, **fields):
    plain = yaml.safe_load(resource("configs/data/label_studio.yaml").read_text("utf-8"))
    tasks = ["event_type", "stance"]
    return DataConfig.of({**plain, "path": str(path), "tasks": tasks, "default_tasks": tasks, **fields})


def test_every_sentence_is_a_region_also_those_without_an_event(model):
    task = made(model, TEXT, threshold=0.999999)
    assert [one["value"]["text"] for one in results(task, "sentence")] == [
        TEXT[start:end] for start, end in sentences.split(TEXT)
    ]
    assert [one["id"] for one in results(task, "sentence")] == ["s0", "s1", "s2", "s3", "s4"]
    assert not results(task, "event_type")


def test_a_sentence_task_answers_by_the_id_of_its_region(model):
    task = made(model, {"text": TEXT})
    reading = model.predict(TEXT)[0]
    regions = {one["id"]: one["value"] for one in results(task, "sentence")}
    answered = results(task, "event_type")
    assert answered
    for one in answered:
        here = [event for event in reading.events if event.start == regions[one["id"]]["start"]]
        assert (one["type"], one["to_name"]) == ("choices", "text")
        assert set(one["value"]["choices"]) == {event.label for event in here}
        assert one["score"] == pytest.approx(min(event.score for event in here), abs=1e-6)
        assert {key: one["value"][key] for key in ("start", "end", "text")} == {
            key: regions[one["id"]][key] for key in ("start", "end", "text")
        }


def test_offsets_count_utf16_units(model):
    values = [one["value"] for one in results(made(model, {"text": EMOJI}), "sentence")]
    assert [utf16(EMOJI, value) for value in values] == [value["text"] for value in values]
    assert values[1]["start"] == EMOJI.index("أكد") + 1


def test_a_question_is_answered_by_its_number(model):
    article = {"text": TEXT, "title": "عنوان", "source": "", "questions": ["مصر | اتفاق"]}
    task = made(model, article, [QUESTION, "اتفاق"])
    assert task["data"]["title"] == "عنوان"
    assert "source" not in task["data"]
    assert [(q["holder"], q["target"]) for q in task["data"]["questions"]] == [
        ("مصر", "اتفاق"),
        QUESTION,
        (OUTLET, "اتفاق"),
    ]
    assert task["data"]["questions"][1]["text"] == "الجهة: إيران | الهدف: وقف إطلاق النار"
    stances = model.predict(article, [QUESTION, "اتفاق"])[0].stances
    for number, stance in enumerate(stances):
        (one,) = results(task, f"stance_{number}")
        assert one["value"] == {"choices": [stance.label]}
        assert one["score"] == pytest.approx(stance.probabilities[stance.label], abs=1e-6)


def test_a_single_label_task_of_sentences_answers_each_of_them():
    engine, _ = tiny_bundle.engine("event_quad5", "stance_claim")
    task = made(Model(engine, uri=""), TEXT)
    assert [one["id"] for one in results(task, "event_quad5")] == ["s0", "s1", "s2", "s3", "s4"]
    assert task["data"]["questions"] == [{"target": QUESTION[1], "text": QUESTION[1]}]
    assert len(results(task, "stance_claim_0")) == 1
    assert task["predictions"][0]["model_version"] == "khabar-model"


def test_without_sentence_tasks_no_sentence_is_marked():
    engine, _ = tiny_bundle.engine("stance")
    assert not results(made(Model(engine, uri=""), TEXT), "sentence")
    assert made(Model(engine, uri=""), TEXT, ())["predictions"] == []


def test_the_score_is_how_sure_the_model_is(model):
    task = made(model, TEXT)
    sure = [label_studio.confidence(answer) for answer in model.predict(TEXT, [QUESTION])[0].answers]
    assert len(sure) == 6
    assert task["predictions"][0]["score"] == pytest.approx(sum(sure) / 6, abs=1e-6)
    stance = model.predict(TEXT, [QUESTION])[0].answers[-1]
    assert label_studio.confidence(stance) == pytest.approx(max(stance.probabilities.values()))
    assert task["predictions"][0]["model_version"] == f"khabar-{model.about['fingerprint'][:8]}"


@pytest.mark.parametrize("text", ["", "نص \ud800", "<br>"])
def test_a_text_that_cannot_be_read_is_kept_with_its_error(model, text):
    article = {"id": "1", "text": text}
    task = label_studio.task(article, model.predict(article)[0], {"more": 1})
    assert (task["data"], task["predictions"]) == ({"id": "1", "text": text, "questions": []}, [])
    assert task["meta"]["error"]
    assert task["meta"]["more"] == 1
    written = "".join(label_studio.lines([task])).encode()
    assert json.loads(written) == [task]


def test_the_lines_are_one_array_however_many_tasks():
    for count in range(3):
        tasks = [{"data": {"text": "خبر"}}] * count
        written = "".join(label_studio.lines(iter(tasks)))
        assert json.loads(written) == tasks
        assert len(written.splitlines()) == count + 2


def test_the_hint_names_the_model():
    assert "khabar labelling model=models:/a@b output=labelling.xml" in label_studio.hint("models:/a@b")


def test_model_and_human_come_back_as_two_annotators(model, tmp_path):
    article = {"id": "a", "text": EMOJI}
    task = made(model, article)
    reading = model.predict(article, [QUESTION])[0]
    corrected = json.loads(json.dumps(task["predictions"][0]["result"]))
    first = next(one for one in corrected if one["from_name"] == "event_type")
    was, first["value"]["choices"] = first["value"]["choices"], ["AID"]
    stance = next(one for one in corrected if one["from_name"] == "stance_0")
    stance["value"]["choices"] = ["neutral"]
    exported = {
        "id": 1,
        "project": 1,
        **task,
        "annotations": [{"id": 1, "completed_by": 7, "was_cancelled": False, "result": corrected}],
    }
    path = tmp_path / "export.json"
    path.write_text(json.dumps([exported], ensure_ascii=False), "utf-8")
    nouns = list(importer.read(settings(path, options={"predictions": "true"}), Problems()))
    labels = [noun for noun in nouns if isinstance(noun, Label)]
    version = label_studio.version(reading.model)
    assert {label.annotator for label in labels} == {"7", version}
    by = {who: {(row.task, row.span): row for row in labels if row.annotator == who} for who in ("7", version)}
    assert by["7"].keys() == by[version].keys()
    assert sum(task == "event_type" for task, _ in by["7"]) == 5
    differ = {key for key in by["7"] if set(by["7"][key].labels) != set(by[version][key].labels)}
    assert len(differ - {("stance", None)}) == 1
    (place,) = differ - {("stance", None)}
    assert (by["7"][place].labels, set(by[version][place].labels)) == (("AID",), set(was))
    assert EMOJI[slice(*place[1])] == first["value"]["text"]
    assert by["7"]["stance", None].labels == ("neutral",)
    assert (by["7"]["stance", None].holder, by["7"]["stance", None].target) == QUESTION
    assert by[version]["stance", None].labels == (reading.stances[0].label,)


def test_without_the_option_predictions_are_passed_over(model, tmp_path):
    task = made(model, {"id": "a", "text": TEXT})
    answers = task["predictions"][0]["result"]
    path = tmp_path / "export.json"
    exported = {"id": 1, **task, "annotations": [{"id": 1, "completed_by": 7, "result": answers}]}
    path.write_text(json.dumps([exported]), "utf-8")
    tasks = {name: tiny_bundle.task(name) for name in ("event_type", "stance")}
    read = corpus.read(settings(path), tasks)
    assert {label.annotator for label in read.labels} == {"7"}


def test_an_article_without_an_answer_has_no_prediction():
    task = label_studio.task({"text": "خبر"}, Reading("1", "خبر"))
    assert task == {"data": {"id": "1", "text": "خبر", "questions": []}, "predictions": []}


MARKED = "📰 قالت سلوان إن دراوة قصفت العين.\nونفت دراوة القصف."


def spot(layer, words, score, name=None, **said):
    start = MARKED.index(words)
    return Spot(layer, start, start + len(words), score, 0, name, said)


GRAPH = Graph(
    tuple(sentences.split(MARKED)),
    (
        spot("actor", "سلوان", 0.9, name=Name("جمهورية سلوان")),
        spot("claim", "دراوة قصفت العين", 0.6),
        spot("actor", "دراوة", 0.8, name=Name("دراوة")),
        spot("event", "قصفت", 0.7, type="ASSAULT", mode="heavy-weapons", status="alleged"),
        spot("event", "القصف", 0.5, type="ASSAULT", status="background"),
    ),
    (Role(3, 2, "actor", 0.75), Role(3, 0, "source", 0.65), Role(3, 0, "recipient", 0.55)),
    (
        Taken(0, 1, "favor", {"favor": 0.95, "against": 0.05}),
        Taken(0, 3, "against", {"favor": 0.3, "against": 0.7}),
        Taken(OUTLET, 2, "neutral", {"neutral": 0.6, "none": 0.4}),
        Taken(UNNAMED, 3, "against", {"against": 0.5, "none": 0.5}),
    ),
    ((4, 3),),
)


def marked_task(**given):
    reading = Reading("a", "خبر", model={"fingerprint": "0123456789"})
    return label_studio.task({"id": "a", "text": MARKED}, reading, graph=GRAPH, **given)


def test_what_is_marked_is_a_region_with_what_is_said_of_it_and_arrows():
    task = marked_task()
    assert [(one["value"]["text"], one["value"]["labels"], one["score"]) for one in results(task, "reader")] == [
        ("سلوان", ["actor"], 0.9), ("دراوة قصفت العين", ["claim"], 0.6), ("دراوة", ["actor"], 0.8),
        ("قصفت", ["event"], 0.7), ("القصف", ["event"], 0.5),
    ]  # fmt: skip
    assert all(utf16(MARKED, one["value"]) == one["value"]["text"] for one in results(task, "reader"))
    regions = {one["value"]["text"]: one["id"] for one in results(task, "reader")}
    assert [one["value"]["text"] for one in results(task, "entity")] == [["جمهورية سلوان"], ["دراوة"]]
    for control, words, label in (
        ("mode_ASSAULT", "قصفت", "heavy-weapons"),
        ("outlet_stance", "دراوة", "neutral"),
        ("unnamed_stance", "قصفت", "against"),
    ):
        (one,) = results(task, control)
        assert (one["id"], one["value"]["choices"]) == (regions[words], [label])
    arrows = [one for one in task["predictions"][0]["result"] if one["type"] == "relation"]
    words = {id_: words for words, id_ in regions.items()}
    assert [(words[one["from_id"]], one["labels"], words[one["to_id"]]) for one in arrows] == [
        ("قصفت", ["actor"], "دراوة"),
        ("قصفت", ["source", "recipient"], "سلوان"),
        ("سلوان", ["favor"], "دراوة قصفت العين"),
        ("سلوان", ["against"], "قصفت"),
        ("القصف", ["same_event"], "قصفت"),
    ]


def test_the_score_counts_what_is_marked_and_joined():
    (prediction,) = marked_task()["predictions"]
    sure = [0.9, 0.6, 0.8, 0.7, 0.5, 0.75, 0.65, 0.55, 0.95, 0.7, 0.6, 0.5]
    assert prediction["score"] == pytest.approx(sum(sure) / len(sure), abs=1e-6)
    assert prediction["model_version"] == "khabar-01234567"


def test_a_graph_stands_beside_the_answers(model):
    article = {"id": "a", "text": MARKED}
    reading = model.predict(article)[0]
    alone = label_studio.task(article, reading)
    both = label_studio.task(article, reading, graph=GRAPH, marking="mine")
    assert results(both, "sentence") == results(alone, "sentence")
    assert len(results(both, "mine")) == 5
    ids = {one["id"] for one in results(both, "mine")}
    assert not ids & {one["id"] for one in results(both, "sentence")}


def test_an_article_in_which_nothing_is_marked_has_no_prediction():
    empty = Graph((), (), (), (), ())
    assert label_studio.task({"text": "خبر"}, Reading("1", "خبر"), graph=empty)["predictions"] == []


def test_what_a_model_marked_comes_back_as_its_spans_and_relations(tmp_path):
    path = tmp_path / "export.json"
    path.write_text(json.dumps([{"id": 1, **marked_task(), "annotations": []}], ensure_ascii=False), "utf-8")
    config = settings(path, options={"predictions": "true"}, tasks=["reader"], default_tasks=["reader"])
    read = corpus.read(config, {"reader": own()["reader"]})
    spans, relations = label_studio.nouns(GRAPH, "a", "khabar-01234567")
    at = {span.id: (span.layer, span.start, span.end, span.attributes) for span in (*spans, *read.spans)}
    assert [at[span.id] for span in read.spans] == [at[span.id] for span in spans]

    def said(found):
        return sorted((str(at.get(one.head, one.head)), str(at[one.tail]), one.role, one.label or "") for one in found)

    assert said(read.relations) == said(relations)
    assert {one.annotator for one in (*read.spans, *read.relations)} == {"khabar-01234567"}
