import json

import pytest

from khabar.config import DataConfig, SplitConfig
from khabar.data import corpus, dataset
from khabar.data.examples import examples
from khabar.errors import ConfigError, DataError
from khabar.schema import Relation, Span, Task

MARCH = "خرج سكان الحي في مسيرة ثم عادوا."
FIGHT = "هاجم مجهولون مستودعا قرب الميناء."
CALM = "كان الطقس معتدلا."


def row(id_, text, label, **more):
    return {"id": id_, "text": text, "label": label, "Comments": [], **more}


def make(folder):
    """A tiny valid data set of this importer."""
    rows = [row(1, MARCH, ["PROTEST"]), row(2, FIGHT, ["ASSAULT", "COERCE"]), row(3, CALM, [])]
    return build(folder, {"export": rows}, default_tasks=("event_type",))


def build(folder, files, **more):
    """One file if it is called export, else the folder of them."""
    for name, rows in files.items():
        lines = (each if isinstance(each, str) else json.dumps(each, ensure_ascii=False) for each in rows)
        (folder / f"{name}.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    path = folder / "export.jsonl" if set(files) == {"export"} else folder
    return DataConfig(name="doccano", importer="doccano", path=str(path), **more)


def found(config):
    """What the cli does where no task was chosen."""
    tasks = corpus.tasks(config)
    return corpus.read(config.model_copy(update={"default_tasks": tuple(tasks)}), tasks), tasks


def labels(read):
    return {(label.article, label.annotator): label.labels for label in read.labels}


def test_labels_of_whole_texts(tmp_path, tasks):
    read = corpus.read(make(tmp_path), tasks("event_type"))
    assert {id_: article.text for id_, article in read.articles.items()} == {"1": MARCH, "2": FIGHT, "3": CALM}
    assert labels(read) == {("1", "gold"): ("PROTEST",), ("2", "gold"): ("ASSAULT", "COERCE"), ("3", "gold"): ()}


def test_the_file_says_which_task_it_answers(tmp_path):
    assert set(corpus.tasks(make(tmp_path).model_copy(update={"default_tasks": ()}))) == {"event_type"}
    (tmp_path / "own").mkdir()
    read, tasks = found(build(tmp_path / "own", {"export": [row(1, MARCH, ["سلمي"]), row(2, FIGHT, ["عنيف"])]}))
    assert tasks == {"label": Task(name="label", labels=("سلمي", "عنيف"))}
    assert labels(read) == {("1", "gold"): ("سلمي",), ("2", "gold"): ("عنيف",)}


def test_no_label_is_none_of_them_only_where_a_task_knows_that(tmp_path):
    rows = [row(1, MARCH, ["peaceful"]), row(2, FIGHT, ["violent"]), row(3, CALM, [])]
    read, tasks = found(build(tmp_path, {"export": rows}))
    assert tasks["label"].kind == "single"
    assert ("3", "gold") not in labels(read)
    assert read.counts["texts without a label, passed over"] == 1
    read, tasks = found(build(tmp_path, {"export": [*rows, row(4, "نص رابع.", ["peaceful", "violent"])]}))
    assert tasks["label"].kind == "multi"
    assert labels(read)["3", "gold"] == ()
    assert read.counts["texts without a label, read as none of them"] == 1


def test_no_label_is_no_answer_where_the_user_says_so(tmp_path, tasks):
    config = make(tmp_path).model_copy(update={"options": {"empty": "missing"}})
    read = corpus.read(config, tasks("event_type"))
    assert set(labels(read)) == {("1", "gold"), ("2", "gold")}
    assert len(read.articles) == 3


def test_a_lone_label_and_the_texts_without_it(tmp_path):
    read, tasks = found(build(tmp_path, {"export": [row(1, MARCH, ["Protest!"]), row(2, CALM, [])]}))
    assert tasks["label"].labels == ("Protest!", "none")
    assert [example.gold for example in sorted_examples(read, tasks["label"])] == [("Protest!",), ("none",)]


def sorted_examples(read, task):
    from khabar.data.examples import examples

    return sorted(examples(read, task)[0], key=lambda example: example.id)


def test_each_members_file_is_an_annotator(tmp_path, tasks):
    files = {
        "salma": [row(1, MARCH, ["PROTEST"]), row(2, CALM, [])],
        "badr@example.org": [row(1, MARCH, ["ASSAULT"]), row(2, CALM, [])],
        "idle": [row(1, MARCH, []), row(2, CALM, [])],
    }
    read = corpus.read(build(tmp_path, files), tasks("event_type"))
    assert len(read.articles) == 2
    names = {label.annotator for label in read.labels}
    (pseudonym,) = names - {"salma"}
    assert pseudonym.startswith("user-")
    assert "badr" not in repr(read)
    assert labels(read)["1", "salma"] == ("PROTEST",)
    assert labels(read)["1", pseudonym] == ("ASSAULT",)
    assert read.counts["members who labelled nothing"] == 1


def test_a_file_of_shared_annotations_is_gold(tmp_path, tasks):
    read = corpus.read(build(tmp_path, {"all": [row(1, MARCH, ["PROTEST"])]}), tasks("event_type"))
    assert labels(read) == {("1", "gold"): ("PROTEST",)}


def test_spans_answer_a_sentence_task_or_stay_spans(tmp_path, tasks):
    rows = [row(1, MARCH, [[0, 22, "PROTEST"], [4, 8, "Actor"]]), row(2, FIGHT, [[0, 33, "ASSAULT"]]), row(3, CALM, [])]
    read = corpus.read(build(tmp_path, {"export": rows}), tasks("event_type"))
    assert {(label.article, label.span, label.labels) for label in read.labels} == {
        ("1", (0, 22), ("PROTEST",)),
        ("2", (0, 33), ("ASSAULT",)),
    }
    (span,) = read.spans
    assert (span.layer, read.articles["1"].text[span.start : span.end]) == ("actor", "سكان")
    assert read.counts["marks with a label that event_type lacks: Actor (data.label_map.event_type.Actor=LABEL)"] == 1


def test_a_label_of_several_is_looked_for_where_the_map_says_so(tmp_path, tasks):
    rows = [row(1, MARCH, ["PROTEST", "ASSAULT"]), row(2, FIGHT, ["ASSAULT"]), row(3, CALM, [])]
    config = build(tmp_path, {"export": rows}, label_map={"event_protest": {"PROTEST": "yes"}})
    read = corpus.read(config, tasks("event_protest"))
    assert labels(read) == {("1", "gold"): ("yes",), ("2", "gold"): (), ("3", "gold"): ()}
    made, _ = examples(read, tasks("event_protest")["event_protest"])
    assert {example.article: example.gold for example in made} == {"1": ("yes",), "2": ("no",), "3": ("no",)}
    assert read.counts["answers of ASSAULT, which event_protest lacks: alone it means no"] == 2
    assert read.counts["answers to the control 'label', which is the task event_protest"] == 3


def test_a_mark_of_another_label_is_no_negative_of_the_one_looked_for(tmp_path, tasks):
    rows = [row(1, MARCH, [[0, 22, "PROTEST"]]), row(2, FIGHT, [[0, 33, "ASSAULT"]])]
    config = build(tmp_path, {"export": rows}, label_map={"event_protest": {"PROTEST": "yes"}})
    read = corpus.read(config, tasks("event_protest"))
    assert [(label.article, label.labels) for label in read.labels] == [("1", ("yes",))]


def test_labels_that_a_task_lacks_are_bad_rows_and_no_negatives(tmp_path, tasks):
    rows = [row(1, MARCH, ["احتجاج"]), row(2, FIGHT, ["ASSAULT"])]
    config = build(tmp_path, {"export": rows}, label_map={"event_type": {"x": "AID", "ASSAULT": "ASSAULT"}})
    with pytest.raises(DataError, match=r"'احتجاج' is no label of event_type.* data.label_map.event_type.احتجاج=LABEL"):
        corpus.read(config, tasks("event_type"))
    read = corpus.read(config.model_copy(update={"on_error": "skip"}), tasks("event_type"))
    assert labels(read) == {("2", "gold"): ("ASSAULT",)}


def test_two_labels_on_one_stretch_are_one_answer(tmp_path, tasks):
    rows = [row(1, MARCH, [[0, 22, "PROTEST"], [0, 22, "ASSAULT"]])]
    read = corpus.read(build(tmp_path, {"export": rows}), tasks("event_type"))
    assert [label.labels for label in read.labels] == [("PROTEST", "ASSAULT")]


def relational(*relations, entities=None):
    entities = entities or [
        {"id": 70, "label": "PROTEST", "start_offset": 17, "end_offset": 22},
        {"id": 71, "label": "ASSAULT", "start_offset": 26, "end_offset": 31},
        {"id": 72, "label": "Actor", "start_offset": 4, "end_offset": 8},
    ]
    return {"id": 1, "text": MARCH, "entities": entities, "relations": list(relations), "Comments": []}


def test_relations_point_at_spans(tmp_path, tasks):
    config = build(tmp_path, {"export": [relational({"id": 5, "from_id": 70, "to_id": 72, "type": "agent"})]})
    read = corpus.read(config, tasks("event_type"))
    spans = {span.id: span for span in read.spans}
    (arrow,) = read.relations
    assert isinstance(arrow, Relation)
    assert (spans[arrow.head].layer, spans[arrow.tail].layer, arrow.role) == ("protest", "actor", "agent")
    assert {label.labels for label in read.labels} == {("PROTEST",), ("ASSAULT",)}
    assert len(spans) == 2  # what no relation points at is an answer alone


def test_layers_that_a_task_marks_are_spans(tmp_path, tasks):
    entities = [
        {"id": 70, "label": "event", "start_offset": 17, "end_offset": 22},
        {"id": 72, "label": "actor", "start_offset": 4, "end_offset": 8},
    ]
    arrow = {"id": 5, "from_id": 70, "to_id": 72, "type": "actor"}
    read, known = found(build(tmp_path, {"export": [relational(arrow, entities=entities)]}))
    assert list(known) == ["reader_roles"]
    assert read.labels == ()
    assert [(span.layer, span.start, span.end) for span in read.spans] == [("event", 17, 22), ("actor", 4, 8)]
    assert [(one.role, one.head, one.tail) for one in read.relations] == [("actor", *(one.id for one in read.spans))]
    assert not [note for note in read.counts if note.startswith("marks")]


def test_categories_beside_spans(tmp_path, tasks):
    rows = [{"text": MARCH, "cats": ["PROTEST"], "entities": [[4, 8, "Actor"]]}]
    read = corpus.read(build(tmp_path, {"export": rows}), tasks("event_type"))
    assert [label.labels for label in read.labels] == [("PROTEST",)]
    assert [type(span) for span in read.spans] == [Span]


def test_a_text_without_an_id_is_one_article_however_often_it_stands(tmp_path, tasks):
    rows = [{"text": MARCH, "label": ["PROTEST"]}]
    read = corpus.read(build(tmp_path, {"a": rows, "b": rows}), tasks("event_type"))
    assert [article.text for article in read.articles.values()] == [MARCH]
    assert len(read.labels) == 2


def test_meta_gives_the_question_the_group_and_the_split(tmp_path, tasks):
    rows = [
        row(1, MARCH, ["favor"], topic="المسيرة", story="s1", part="train"),
        row(2, FIGHT, ["against"], meta={"topic": "المسيرة", "story": "s2", "part": "held"}),
    ]
    more = {"columns": {"target": "topic", "group": "story"}, "default_tasks": ("stance_target",)}
    split = SplitConfig(rule="field", field="part", test_values=("held",))
    data = dataset.load(build(tmp_path, {"export": rows}, split=split, **more), tasks("stance_target"))
    assert {label.target for label in data.corpus.labels} == {"المسيرة"}
    assert {article.group for article in data.corpus.articles.values()} == {"s1", "s2"}
    assert [len(part) for part in data.splits.values()] == [1, 0, 1]


def test_a_split_may_go_by_what_is_shown_of_an_article(tmp_path, tasks):
    rows = [row(1, MARCH, ["PROTEST"], source="أ"), row(2, FIGHT, ["ASSAULT"], source="ب")]
    split = SplitConfig(rule="field", field="source", train_values=("أ",), test_values=("ب",))
    data = dataset.load(build(tmp_path, {"export": rows}, split=split), tasks("event_type"))
    assert [len(part) for part in data.splits.values()] == [1, 0, 1]


def test_a_target_that_no_task_asks_for_is_left_alone(tmp_path, tasks):
    rows = [row(1, MARCH, ["PROTEST"], target="x")]
    read = corpus.read(build(tmp_path, {"export": rows}), tasks("event_type"))
    assert [label.target for label in read.labels] == [None]


def test_utf16_and_a_bom_are_read(tmp_path, tasks):
    line = json.dumps(row(1, MARCH, ["PROTEST"]), ensure_ascii=False) + "\n"
    for encoding in ("utf-16", "utf-8-sig"):
        (tmp_path / "export.jsonl").write_bytes(line.encode(encoding))
        config = DataConfig(name="d", importer="doccano", path=str(tmp_path / "export.jsonl"))
        assert corpus.read(config, tasks("event_type")).articles["1"].text == MARCH


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ('{"text": ', "export.jsonl:2: line: not JSON"),
        ({"label": ["PROTEST"]}, "export.jsonl:2: text: missing"),
        ({"text": " ", "label": []}, "export.jsonl:2: text: blank"),
        ({"text": MARCH}, "export.jsonl:2: label: missing"),
        ({"text": MARCH, "annotations": [{"label": 3}]}, "labels as text"),
        (row(2, MARCH, [3]), "export.jsonl:2: label: 3 is a number"),
        (row(2, MARCH, [" "]), "export.jsonl:2: label: a blank label"),
        (row(2, MARCH, {"a": 1}), "export.jsonl:2: label: {'a': 1} is no list"),
        (row(2, MARCH, [["0", 4, "PROTEST"]]), "A span is [start, end, label]"),
        (row(2, MARCH, ["PROTESTT"]), "Did you mean 'PROTEST'"),
        (row(1, CALM, ["PROTEST"]), "export.jsonl:2: text: the article '1' has another text"),
        (row(1, MARCH, ["PROTEST"], group="g"), "export.jsonl:2: group: the article '1' is"),
        (relational({"id": 1, "from_id": 70, "to_id": 99, "type": "x"}), "export.jsonl:2: relations: there is no"),
        (relational({"from_id": 70, "type": "x"}), "A relation is"),
        (relational(entities=[{"id": 1, "label": "PROTEST", "start_offset": 1}]), "end_offset: None is no whole"),
    ],
)
def test_a_bad_row_is_named(tmp_path, tasks, bad, message):
    labelled = {"columns": {"event_type": "label"}} if "PROTESTT" in str(bad) else {}
    with pytest.raises(DataError) as error:
        corpus.read(build(tmp_path, {"export": [row(1, MARCH, ["PROTEST"]), bad]}, **labelled), tasks("event_type"))
    assert message in str(error.value)


@pytest.mark.parametrize("label", ["PROTEST", "Actor"])  # a label and a span
@pytest.mark.parametrize("place", [(0, 900), (8, 4), (-3, 4), (4, 4)])
def test_offsets_outside_the_text_are_named(tmp_path, tasks, label, place):
    rows = [row(1, MARCH, [[0, 22, "PROTEST"]]), row(2, MARCH, [[*place, label]])]
    with pytest.raises(DataError) as error:
        corpus.read(build(tmp_path, {"export": rows}), tasks("event_type"))
    assert f"export.jsonl:2: span: [{place[0]}, {place[1]}) lies outside the text of '2'" in str(error.value)


def test_bad_rows_are_left_out_and_counted(tmp_path, tasks):
    config = build(tmp_path, {"export": [row(1, MARCH, ["PROTEST"]), "{", "[]"]}, on_error="skip")
    read = corpus.read(config, tasks("event_type"))
    assert (len(read.labels), read.counts["bad rows skipped"]) == (1, 2)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            {"export": [{"text": MARCH, "label": "PROTEST", "answer": "reject", "_task_hash": 4}]},
            "export.jsonl is no export of doccano, it looks like one of prodigy: data=prodigy",
        ),
        ({"export": ['[{"text": "x"}]']}, "An export of Label Studio is an array: data=label_studio"),
        ({"export": ['[{"text": "x"}]']}, "is a JSON array, not one JSON object a line. In doccano"),
        ({"export": ["PK\x03\x04"]}, "is an archive. Unpack it"),
        ({"export": []}, "holds no row"),
        ({"export": ["text,label", "a,b"]}, "export.jsonl:1: line: not JSON"),
        ({}, "holds no .jsonl file. In doccano"),
        ({"export": [{"text": MARCH, "answer": "accept"}]}, "export.jsonl:1: label: missing. A row is"),
        ({"export": [row(1, CALM, [])]}, "No task can be made of what the annotators answered"),
    ],
)
def test_another_export_is_told_of(tmp_path, files, message):
    with pytest.raises(DataError) as error:
        corpus.tasks(build(tmp_path, files))
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("more", "error", "message"),
    [
        ({"options": {"emty": "missing"}}, ConfigError, "Did you mean 'empty'"),
        ({"options": {"empty": "mising"}}, ConfigError, "Did you mean 'missing'"),
        ({"columns": {"taget": "topic"}}, ConfigError, "Did you mean 'target'"),
        ({"columns": {"target": "topc"}}, DataError, "No row has 'topc'"),
    ],
)
def test_a_setting_that_does_not_exist_is_told_of(tmp_path, tasks, more, error, message):
    with pytest.raises(error, match=message):
        corpus.read(build(tmp_path, {"export": [row(1, MARCH, ["PROTEST"], topic="x")]}, **more), tasks("event_type"))
