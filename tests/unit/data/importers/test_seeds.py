import json

import pytest

from khabar.config import DataConfig
from khabar.data import corpus
from khabar.errors import ConfigError, DataError

ARTICLE = {"id": "a1", "text": "التقى الوزير وفدا زائرا.\nورحب به."}
LABEL = {"kind": "label", "id": "l1", "article": "a1", "annotator": "gold", "task": "event_type", "labels": ["CONSULT"]}


def make(folder):
    """A tiny valid data set of this importer."""
    rows = [
        LABEL | {"span": [0, 24]},
        LABEL | {"id": "l2", "labels": [], "span": [25, 33]},
        {"kind": "span", "id": "s1", "article": "a1", "annotator": "gold", "layer": "actor", "start": 6, "end": 12},
        {"kind": "span", "id": "s2", "article": "a1", "annotator": "gold", "layer": "actor", "start": 13, "end": 17},
        {
            "kind": "relation",
            "id": "r1",
            "article": "a1",
            "annotator": "gold",
            "head": "s1",
            "tail": "s2",
            "role": "to",
        },
    ]
    return build(folder, [ARTICLE], rows)


def build(folder, articles, annotations, **more):
    for name, rows in (("articles", articles), ("annotations", annotations)):
        lines = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows]
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    tasks = ("event_type", "stance")
    return DataConfig(
        name="tiny", importer="seeds", path=str(folder), tasks=tasks, default_tasks=("event_type",), **more
    )


def test_an_empty_list_is_an_answer_and_everything_is_read(tmp_path, tasks):
    read = corpus.read(make(tmp_path), tasks("event_type"))
    assert [label.labels for label in read.labels] == [("CONSULT",), ()]
    assert read.counts == {"articles": 1, "labels": 2, "spans": 2, "relations": 1, "rows read": 6}


BROKEN = [
    ("{no json", "annotations.jsonl:1: line: not JSON"),
    ("[1]", "annotations.jsonl:1: line: a JSON list"),
    (LABEL | {"kind": "lable"}, "Did you mean 'label'"),
    (LABEL | {"labels": ["CONSLUT"]}, "labels: 'CONSLUT' is no label of event_type. Did you mean 'CONSULT'"),
    (LABEL | {"labels": "CONSULT"}, "labels: 'CONSULT' is not a list of strings"),
    (LABEL | {"task": "event_typ"}, "task: this data set offers no task 'event_typ'. Did you mean 'event_type'"),
    (LABEL | {"span": [0, 99]}, "span: [0, 99) lies outside the text of 'a1' (33 characters)"),
    (LABEL | {"span": [5, 5]}, "lies outside"),
    (LABEL | {"span": [-1, 5]}, "lies outside"),
    (LABEL | {"span": [5, 6]}, "white space only"),
    (LABEL | {"span": [5]}, "is not two offsets"),
    (LABEL | {"evidence": [3, 40]}, "evidence: [3, 40) lies outside"),
    (LABEL | {"article": "a1x"}, "there is no article 'a1x'. Did you mean 'a1'?"),
    (LABEL | {"adjudicates": ["l9"]}, "there is no label 'l9'"),
    (LABEL | {"spam": [0, 5]}, "spam: no field of label. Did you mean 'span'?"),
    (LABEL | {"id": 7}, "id: 7 is not a string"),
    (LABEL | {"holder": "الوزير"}, "event_type does not ask for a holder"),
    (
        LABEL | {"task": "stance", "labels": ["favor"], "target": "الهدنة"},
        "holder: missing; stance asks for holder and",
    ),
    (LABEL | {"task": "stance", "labels": ["favor"], "holder": "أ", "target": " "}, "target: blank"),
    (
        LABEL | {"task": "stance", "labels": ["favor", "none"], "holder": "أ", "target": "ب"},
        "takes one label, here are 2",
    ),
    ({"kind": "span", "id": "s", "article": "a1", "annotator": "g", "layer": "x", "start": 0}, "end: missing"),
    (
        {"kind": "relation", "id": "r", "article": "a1", "annotator": "g", "head": "s1", "tail": "s2", "role": "x"},
        "head: there is no span 's1'",
    ),
]


@pytest.mark.parametrize(("row", "message"), BROKEN, ids=[message[:40] for _, message in BROKEN])
def test_a_broken_annotation_is_named_with_its_place(tmp_path, tasks, row, message):
    config = build(tmp_path, [ARTICLE], [row])
    with pytest.raises(DataError) as error:
        corpus.read(config, tasks("event_type", "stance"))
    assert message in str(error.value)
    assert "annotations.jsonl:1" in str(error.value)
    assert str(error.value).startswith("1 problem ")
    skipped = corpus.read(config.model_copy(update={"on_error": "skip"}), tasks("event_type", "stance"))
    assert skipped.counts["bad rows skipped"] == 1
    assert (skipped.labels, skipped.spans, skipped.relations) == ((), (), ())


def test_bad_articles(tmp_path, tasks):
    articles = [ARTICLE, ARTICLE, {"id": "a2", "text": " \n"}, {"id": "a3"}, {"id": "a4", "text": "خبر", "titel": "x"}]
    config = build(tmp_path, articles, [LABEL, LABEL, LABEL | {"id": "l2", "article": "a2"}])
    with pytest.raises(DataError) as error:
        corpus.read(config, tasks("event_type"))
    message = str(error.value)
    assert message.startswith("5 problems")  # the label of the rejected a2 is not a sixth
    assert "articles.jsonl:2: id: the article 'a1' exists already" in message
    assert "articles.jsonl:3: text: the article 'a2' has no text" in message
    assert "articles.jsonl:4: text: missing" in message
    assert "articles.jsonl:5: titel: no field of article. Did you mean 'title'" in message
    assert "annotations.jsonl:2: id: 'l1' is taken already, at annotations.jsonl:1" in message


def test_twenty_problems_are_shown_and_all_are_counted(tmp_path, tasks):
    config = build(tmp_path, [ARTICLE], [LABEL | {"id": f"l{n}", "labels": [f"X{n}"]} for n in range(33)])
    with pytest.raises(DataError) as error:
        corpus.read(config, tasks("event_type"))
    lines = str(error.value).splitlines()
    assert lines[0] == "33 problems in the data:"
    assert sum("is no label" in line for line in lines) == 20
    assert "and 13 more" in lines[21]
    assert "data.on_error=skip" in lines[22]


def test_a_label_in_other_words_is_one_line_however_many_rows_hold_it(tmp_path, tasks):
    given = ["مؤيد", "AGRE", "مؤيد", "قوي جدا", *["مؤيد"] * 30]
    rows = [LABEL | {"id": f"l{n}", "labels": [name]} for n, name in enumerate(given)]
    config = build(tmp_path, [ARTICLE], rows)
    with pytest.raises(DataError) as error:
        corpus.read(config, tasks("event_type"))
    first, *lines, last = str(error.value).splitlines()
    assert first == "34 problems in the data:"
    assert len(lines) == 3
    assert lines[0].startswith("  annotations.jsonl:1: labels: 'مؤيد' is no label of event_type. There are: ")
    assert " Spell it so: data.label_map.event_type.مؤيد=LABEL" in lines[0]
    assert lines[0].endswith(" (32 rows, this is the first)")
    assert "data.label_map.event_type.AGRE=AGREE" in lines[1]
    assert "'data.label_map.event_type.قوي جدا=LABEL'" in lines[2]
    assert "task=[NAME]" in lines[0]  # the data set offers others, and this one may have been assumed
    assert last.startswith("Mend the rows")
    skipped = corpus.read(config.model_copy(update={"on_error": "skip"}), tasks("event_type"))
    assert skipped.counts["bad rows skipped"] == 34
    spelled = config.model_copy(update={"label_map": {"event_type": dict.fromkeys(given, "AGREE")}})
    assert len(corpus.read(spelled, tasks("event_type")).labels) == 34


def test_options_that_an_importer_does_not_have_are_refused(tmp_path, tasks):
    config = build(tmp_path, [ARTICLE], [LABEL], options={"emty": "missing"})
    with pytest.raises(ConfigError, match=r"data.options.emty: seeds has no such option. There are none"):
        corpus.read(config, tasks("event_type"))


def test_a_file_that_is_not_utf8_or_not_there(tmp_path, tasks):
    config = make(tmp_path)
    (tmp_path / "articles.jsonl").write_bytes('{"id": "a", "text": "été"}\n'.encode("latin-1"))
    with pytest.raises(DataError, match=r"articles.jsonl:1: not UTF-8"):
        corpus.read(config, tasks("event_type"))
    (tmp_path / "articles.jsonl").unlink()
    with pytest.raises(DataError, match=r"articles.jsonl is missing"):
        corpus.read(config, tasks("event_type"))


def test_rows_of_a_task_nobody_asked_for_stay(tmp_path, tasks):
    row = LABEL | {"task": "stance", "labels": ["favor"], "holder": "الوزير", "target": "الزيارة"}
    assert len(corpus.read(build(tmp_path, [ARTICLE], [row]), tasks("event_type")).labels) == 1
