import csv
import hashlib
import json

import pytest

from khabar.config import DataConfig, SplitConfig
from khabar.data import corpus, dataset, decoding
from khabar.errors import ConfigError, DataError

TEXT = "أعلن الحزب رفض القرار."


def make(folder):
    """A tiny valid data set of this importer."""
    return build(
        folder, [{"text": TEXT, "label": "REJECT"}, {"text": "اجتمع المجلس اليوم.", "label": ["CONSULT", "AGREE"]}]
    )


def config(path, **changes):
    tasks = ("event_type", "event_quad", "event_quad5", "stance", "stance_target")
    return DataConfig(
        name="files", importer="files", path=str(path), tasks=tasks, default_tasks=("event_type",), **changes
    )


def build(folder, rows, **changes):
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return config(path, **changes)


def separated(path, rows, delimiter=",", encoding="utf-8"):
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
    return config(path)


def answers(read):
    return [(read.articles[label.article].text, label.labels) for label in read.labels]


def test_jsonl_csv_tsv_and_parquet_read_alike(tmp_path, tasks):
    import pyarrow as pa
    import pyarrow.parquet as pq

    long = 'خبر\nطويل، فيه "اقتباس" ' * 20_000  # over the csv module's limit, with line breaks and quotes
    rows = [(TEXT, "REJECT|ACCUSE"), (long, ""), ("ثالث", " AID ")]
    files = [build(tmp_path, [{"text": text, "label": label} for text, label in rows])]
    files.append(separated(tmp_path / "a.csv", [("text", "label"), *rows], encoding="utf-8-sig"))
    files.append(separated(tmp_path / "a.tsv", [("text", "label"), *rows], delimiter="\t"))
    pq.write_table(
        pa.table({"text": [text for text, _ in rows], "label": [label.split("|") for _, label in rows]}),
        tmp_path / "a.parquet",
    )
    files.append(config(tmp_path / "a.parquet"))
    read = [corpus.read(file, tasks("event_type")) for file in files]
    assert answers(read[0]) == [(TEXT, ("REJECT", "ACCUSE")), (long, ()), ("ثالث", ("AID",))]
    assert len({each.fingerprint for each in read}) == 1


def test_the_default_id_is_the_hash_of_the_text(tmp_path, tasks):
    read = corpus.read(make(tmp_path), tasks("event_type"))
    assert next(iter(read.articles)) == hashlib.sha256(TEXT.encode()).hexdigest()[:16]


def test_rows_may_share_an_article_and_differ_in_span_or_question(tmp_path, tasks):
    rows = [
        {"text": TEXT, "label": "REJECT", "start": 0, "end": 10},
        {"text": TEXT, "label": "", "start": "11", "end": 22.0},
        {"text": TEXT, "label": "against", "task": "stance", "holder": "الحزب", "target": "القرار"},
        {"text": TEXT, "label": "none", "task": "stance", "holder": "الناشر", "target": "القرار"},
    ]
    rows[0]["task"] = rows[1]["task"] = "event_type"
    read = corpus.read(build(tmp_path, rows), tasks("event_type", "stance"))
    assert len(read.articles) == 1
    assert [label.span for label in read.labels] == [(0, 10), (11, 22), None, None]
    assert len({label.id for label in read.labels}) == 4


def test_without_offsets_the_whole_text_is_the_unit(tmp_path, tasks):
    data = dataset.load(make(tmp_path).model_copy(update={"split": SplitConfig(train=100, dev=0)}), tasks("event_type"))
    assert {example.unit_text for example in data.splits["train"]} == {TEXT, "اجتمع المجلس اليوم."}


def test_null_is_no_answer_and_an_empty_one_is(tmp_path, tasks):
    read = corpus.read(
        build(tmp_path, [{"text": "أ", "label": None}, {"text": "ب", "label": []}, {"text": "ت", "label": "AID"}]),
        tasks("event_type"),
    )
    assert answers(read) == [("ب", ()), ("ت", ("AID",))]
    assert read.counts["rows without an answer"] == 1


def test_columns_map_and_codes_are_spelled_out(tmp_path, tasks):
    rows = [{"نص": TEXT, "code": 1}, {"نص": "آخر", "code": 2.0}, {"نص": "ثالث", "code": True}]
    spelling = {"event_type": {"1": "REJECT", "2": "AID", "true": "AGREE"}}
    read = corpus.read(
        build(tmp_path, rows, columns={"text": "نص", "label": "code"}, label_map=spelling), tasks("event_type")
    )
    assert [label.labels for label in read.labels] == [("REJECT",), ("AID",), ("AGREE",)]


def test_a_missing_column_names_those_that_exist(tmp_path, tasks):
    file = build(tmp_path, [{"text": TEXT, "labels": "AID"}])
    with pytest.raises(
        DataError, match=r"no column 'label'.*Did you mean 'labels'\? There are: labels, text\..*data.columns.label"
    ):
        corpus.read(file, tasks("event_type"))
    with pytest.raises(DataError, match="no column 'speaker', which should hold the holder"):
        corpus.read(file.model_copy(update={"columns": {"label": "labels", "holder": "speaker"}}), tasks("event_type"))
    with pytest.raises(ConfigError, match=r"data.columns.lable: .* Did you mean 'label'"):
        corpus.read(file.model_copy(update={"columns": {"lable": "labels"}}), tasks("event_type"))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"text": "", "label": "AID"}, "text: empty"),
        ({"text": 5, "label": "AID"}, "text: 5 is no string"),
        ({"text": TEXT, "label": "ADI"}, "'ADI' is no label of event_type. Did you mean 'AID'"),
        ({"text": TEXT, "label": "AID", "start": 0}, "end: missing, though the other is given"),
        ({"text": TEXT, "label": "AID", "start": "x", "end": 3}, "start: 'x' is no whole number"),
        ({"text": TEXT, "label": "AID", "start": 3, "end": 99}, "lies outside"),
        ({"id": "a", "text": TEXT, "label": "AID"}, "the article 'a' has another text in an earlier row"),
        ({"id": "a", "text": "أول", "label": "AID", "group": "g"}, "group: the article 'a' is {} in an earlier row"),
    ],
)
def test_a_bad_row_is_named_with_its_line(tmp_path, tasks, row, message):
    with pytest.raises(DataError) as error:
        corpus.read(build(tmp_path, [{"id": "a", "text": "أول", "label": "AID"}, row]), tasks("event_type"))
    assert f"rows.jsonl:2: {message}" in str(error.value) or (message in str(error.value) and ":2:" in str(error.value))


def test_broken_csv(tmp_path, tasks):
    path = tmp_path / "a.csv"
    path.write_text('text,label\n"سطر\nثان",AID\nخبر,AID,3\n"بلا نهاية,AID\n', encoding="utf-8")
    with pytest.raises(DataError) as error:
        corpus.read(config(path), tasks("event_type"))
    assert "a.csv:4: line: 3 cells, the header has 2" in str(error.value)
    assert "a.csv:5: line: broken" in str(error.value)
    path.write_bytes("text,label\nخبر,AID\nخبر\u00e9,AID\n".encode("latin-1", "replace") + b"\xe9")
    with pytest.raises(DataError, match=r"a.csv:3: not UTF-8 \(the byte at offset 22"):
        corpus.read(config(path), tasks("event_type"))
    path.write_text("")
    with pytest.raises(DataError, match="holds no row"):
        corpus.read(config(path), tasks("event_type"))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1256"])
def test_a_table_in_another_encoding_is_read_and_said(tmp_path, tasks, encoding):
    plain = corpus.read(separated(tmp_path / "a.csv", [("text", "label"), (TEXT, "REJECT")]), tasks("event_type"))
    other = corpus.read(
        separated(tmp_path / "b.csv", [("text", "label"), (TEXT, "REJECT")], encoding=encoding), tasks("event_type")
    )
    assert other.fingerprint == plain.fingerprint
    assert other.counts == plain.counts | {f"b.csv read as {decoding.told(encoding)}": 1}
    assert plain.counts["rows read"] == 1


@pytest.mark.parametrize(("delimiter", "called"), [(";", ";"), ("\t", "tabs")])
def test_a_csv_of_excel_may_have_other_separators(tmp_path, tasks, delimiter, called):
    rows = [("text", "label"), (f"{TEXT}, ثم؛ ; عاد", "REJECT")]
    plain = corpus.read(separated(tmp_path / "a.csv", rows), tasks("event_type"))
    other = corpus.read(separated(tmp_path / "b.csv", rows, delimiter), tasks("event_type"))
    assert other.fingerprint == plain.fingerprint
    assert other.counts == plain.counts | {f"b.csv read with {called} between cells": 1}
    # a comma in the header: a semicolon is part of a name
    commas = [("text", "label", "a;b"), (TEXT, "REJECT", "x")]
    assert len(corpus.read(separated(tmp_path / "c.csv", commas), tasks("event_type")).labels) == 1


def test_a_column_that_is_called_holder_by_chance_is_passed_over(tmp_path, tasks):
    rows = [
        {"text": TEXT, "label": "against", "target": "القرار", "holder": "مكتبة الحي"},
        {"text": "خبر", "label": "favor", "target": "الحديقة"},
    ]
    read = corpus.read(build(tmp_path, rows), tasks("stance_target"))
    assert [(label.holder, label.target) for label in read.labels] == [(None, "القرار"), (None, "الحديقة")]
    assert read.counts["cells of the column holder, for which no asked task asks, passed over"] == 1
    # named by the user it is meant, and so it is where one of several tasks asks for it
    named = [{**row, "who": row.get("holder", "الناشر")} for row in rows]
    with pytest.raises(DataError, match=r"'مكتبة الحي' is given, but stance_target does not ask for a holder"):
        corpus.read(build(tmp_path, named, columns={"holder": "who"}), tasks("stance_target"))
    both = [{**row, "task": "stance_target"} for row in rows]
    with pytest.raises(DataError, match="stance_target does not ask for a holder"):
        corpus.read(build(tmp_path, both), tasks("stance_target", "stance"))


def test_broken_jsonl_and_parquet(tmp_path, tasks):
    path = tmp_path / "a.jsonl"
    path.write_text("oops\n")
    with pytest.raises(DataError, match=r"a.jsonl:1: line: not JSON: Expecting value, column 1\. Write"):
        corpus.read(config(path), tasks("event_type"))
    path.write_text("\n")
    with pytest.raises(DataError, match="holds no row"):
        corpus.read(config(path), tasks("event_type"))
    (tmp_path / "a.parquet").write_text("no")
    with pytest.raises(DataError, match="is no Parquet file"):
        corpus.read(config(tmp_path / "a.parquet"), tasks("event_type"))
    with pytest.raises(DataError, match=r"is no table. data.path takes one file: .jsonl"):
        corpus.read(config(tmp_path), tasks("event_type"))


def test_several_tasks_need_a_column(tmp_path, tasks):
    with pytest.raises(ConfigError, match="no column that names the task of a row"):
        corpus.read(make(tmp_path), tasks("event_type", "stance"))
    rows = [{"text": TEXT, "label": "AID", "task": "event_type"}, {"text": TEXT, "label": "AID", "task": ""}]
    with pytest.raises(DataError, match=r"rows.jsonl:2: task: empty"):
        corpus.read(build(tmp_path, rows), tasks("event_type", "stance"))
    # two tasks that share their rows need none
    both = build(tmp_path, [{"text": TEXT, "label": "verbal conflict"}, {"text": "آخر", "label": ""}])
    read = corpus.read(both, tasks("event_quad", "event_quad5"))
    assert {label.task for label in read.labels} == {"event_quad"}


def test_a_text_in_two_published_splits_stays_in_both_for_the_audit(tmp_path, tasks):
    rows = [{"text": TEXT, "label": "REJECT", "split": split} for split in ("train", "test")]
    rows.append({"text": "آخر", "label": "AID", "split": "train"})
    split = SplitConfig(rule="field", field="split")
    with pytest.raises(DataError, match="1 train row whose text is in dev or test, exact"):
        dataset.load(build(tmp_path, rows, split=split), tasks("event_type"))
    data = dataset.load(build(tmp_path, rows, split=split, on_leak="drop"), tasks("event_type"))
    assert [len(data.splits[name]) for name in ("train", "dev", "test")] == [1, 0, 1]


def test_a_split_by_a_column_of_any_name(tmp_path, tasks):
    rows = [{"text": "أول", "label": "AID", "part": 1.0}, {"text": "ثان", "label": "AID", "part": 2}]
    split = SplitConfig(rule="field", field="part", train_values=("1",), dev_values=("2",))
    data = dataset.load(build(tmp_path, rows, split=split), tasks("event_type"))
    assert [len(data.splits[name]) for name in ("train", "dev", "test")] == [1, 1, 0]
