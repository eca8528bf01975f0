"""`khabar predict`: what it reads, what it writes, and what it refuses."""

import io
import json
import os
import sys

import pytest

from khabar.commands import _articles, predict
from khabar.commands._rows import Row
from khabar.data.problems import Place
from khabar.errors import ConfigError, DataError
from khabar.inference.model import CHUNK
from unit.inference import tiny_bundle
from unit.inference.tiny_bundle import TEXT


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_bundle.write(tmp_path_factory.mktemp("made") / "bundle")


@pytest.fixture
def answered(folder, capsys, monkeypatch):
    """What the command prints; `stdin` are bytes."""

    def run(stdin=b"", **fields):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="ascii"))
        predict.run(predict.Config.of({"machine": {"device": "cpu"}, "model": str(folder), **fields}))
        return capsys.readouterr().out

    return run


def objects(printed):
    return [json.loads(line) for line in printed.split("\n") if line]


def jsonl(*rows):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def test_a_text_file_is_one_article_answered_as_text(answered, tmp_path):
    path = tmp_path / "مقال.txt"
    path.write_text("\ufeff" + TEXT, "utf-8")
    shown = answered(input=str(path))
    assert shown.startswith("قصف الجيش مدينة غزة\n")
    assert "What happened" in shown
    (plain,) = objects(answered(input=str(path), format="jsonl"))
    assert plain["id"] == "مقال"
    assert all(TEXT[event["start"] : event["end"]] == event["text"] for event in plain["events"])


def test_a_jsonl_file_is_an_article_a_line(answered, tmp_path):
    path = tmp_path / "in.jsonl"
    rows = [{"id": "1", "text": TEXT, "questions": ["إيران | هدنة"]}, {"text": "خبر\u2028آخر"}, {"id": "3", "text": ""}]
    path.write_bytes(b"\n".join(jsonl(row) for row in rows))
    first, second, third = objects(answered(input=str(path), questions=["هدنة"]))
    assert [len(answer["stances"]) for answer in (first, second, third)] == [2, 1, 0]
    assert (first["id"], first["error"], third["error"]) == ("1", None, "The text is empty.")
    assert answered(input=str(path), format="text").count("What happened") == 2


def test_a_folder_is_an_article_a_text_file(answered, tmp_path):
    for name in ("ب", "أ"):
        (tmp_path / f"{name}.txt").write_text(TEXT, "utf-8")
    (tmp_path / "other.md").write_text("-")
    assert [answer["id"] for answer in objects(answered(input=str(tmp_path)))] == ["أ", "ب"]


def test_standard_input_is_jsonl_if_it_starts_with_a_brace(answered):
    rows = jsonl({"id": "1", "text": TEXT}, {"id": "2", "text": "خبر\u2028آخر"})
    for start in (b"", b"\n \n", b"\xef\xbb\xbf"):
        assert [answer["id"] for answer in objects(answered(start + rows))] == ["1", "2"]


def test_standard_input_is_one_article_otherwise(answered):
    assert answered(TEXT.encode()).startswith("قصف الجيش مدينة غزة\n")
    (plain,) = objects(answered(f"\n\n{TEXT}".encode(), format="jsonl"))
    assert plain["events"][0]["start"] == 2
    with pytest.raises(DataError, match=r"^standard input: The text is empty\.$"):
        answered(b"")


def test_the_output_file_gets_its_name_when_it_is_whole(answered, tmp_path):
    path = tmp_path / "new" / "out.jsonl"
    assert answered(jsonl({"text": TEXT}), output=str(path)) == ""
    assert objects(path.read_text("utf-8"))[0]["events"]
    with pytest.raises(DataError):
        answered(b"{", output=str(path))
    assert len(objects(path.read_text("utf-8"))) == 1
    assert answered(jsonl({"text": TEXT}), output="/dev/null") == ""


def test_watchlist_and_threshold_reach_the_model(answered, tmp_path):
    names = tmp_path / "names.yaml"
    names.write_text("- name: إيران\n", "utf-8")
    (plain,) = objects(answered(jsonl({"text": TEXT}), watchlist=str(names), threshold=0.97))
    assert [stance["target"] for stance in plain["stances"]] == ["إيران"]
    assert all(event["score"] >= 0.97 for event in plain["events"])


@pytest.mark.parametrize(
    ("row", "where", "why"),
    [
        (b"\n{'text'}", 3, "not JSON: Expecting property name"),
        (jsonl({"txt": TEXT}), 2, "text: missing. The row has: txt."),
        (jsonl({"text": 5}), 2, "text: '5' is not a string."),
        (b"[1]", 2, "a JSON list, not an object"),
        (b"{", 2, "not JSON"),
        (b'{"text": "\xe9"}', 2, "not UTF-8 (the byte e9 at character 11). Save it as UTF-8: iconv"),
        (jsonl({"text": TEXT, "questions": [5]}), 2, "questions: 5 is no question."),
        (b'{"text": "x", "questions": "\\ud800"}', 2, "half a character"),
        (jsonl({"text": TEXT, "title": [1]}), 2, "title: '[1]' is not a string"),
        (jsonl({"text": ""}), 2, "The text is empty."),
    ],
)
def test_a_bad_row_is_told_and_put_aside_and_the_others_are_read(answered, tmp_path, capsys, row, where, why):
    output = tmp_path / "out.jsonl"
    stdin = jsonl({"id": "1", "text": TEXT}) + row.rstrip(b"\n") + b"\n" + jsonl({"id": "2", "text": TEXT})
    answered(stdin, output=str(output))
    first, bad, last = objects(output.read_text("utf-8"))
    assert (first["id"], last["id"], first["error"], last["error"]) == ("1", "2", None, None)
    assert first["events"] == last["events"] != bad["events"] == []
    assert why in bad["error"]
    (aside,) = objects((tmp_path / "out.jsonl.errors.jsonl").read_text("utf-8"))
    assert aside["place"] == f"standard input:{where}"
    assert (aside["error"], aside["id"]) == (bad["error"], bad["id"])
    assert aside["row"]


def test_bad_rows_are_told_one_by_one_at_first_then_counted(folder, tmp_path, capsys):
    path, output, errors = (tmp_path / name for name in ("in.jsonl", "out.jsonl", "bad.jsonl"))
    path.write_bytes(jsonl({"text": TEXT}) + b"{\n" * 50)
    fields = {"machine": {"device": "cpu"}, "model": str(folder), "input": str(path), "errors": str(errors)}
    predict.run(predict.Config.of({**fields, "output": str(output)}))
    err = capsys.readouterr().err
    assert err.count("not JSON") == 5
    assert "in.jsonl:6: not JSON" in err and "More bad rows are only counted." in err
    assert err.splitlines()[-1].endswith(f"50 bad rows ({errors}).")
    assert len(objects(errors.read_text("utf-8"))) == 50
    path.write_bytes(jsonl({"text": TEXT}))
    predict.run(predict.Config.of({**fields, "output": str(output)}))
    assert not errors.exists()  # it would speak of an earlier input
    path.write_bytes(jsonl({"text": TEXT}) + b"{\n")
    predict.run(predict.Config.of(fields))
    out, err = capsys.readouterr()
    assert [answer["error"] is None for answer in objects(out)] == [True, False]
    assert len(objects(errors.read_text("utf-8"))) == 1


def test_an_input_without_one_good_row_is_an_error(answered, tmp_path):
    path, output = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    path.write_bytes(b"{\n[]\n")
    output.write_text("earlier")
    with pytest.raises(DataError, match=r"Not one of 2 rows could be read\. .*in\.jsonl:1: not JSON"):
        answered(input=str(path), output=str(output))
    assert output.read_text() == "earlier"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["in.jsonl", "out.jsonl", "out.jsonl.errors.jsonl"]
    path.write_bytes(b"")
    answered(input=str(path), output=str(output))
    assert output.read_text() == ""


@pytest.mark.parametrize("name", ["in.txt", "in.jsonl"])
def test_a_file_that_is_no_text_says_where_and_how_to_convert_it(answered, tmp_path, name):
    path = tmp_path / name
    path.write_bytes("\nété".encode("latin-1"))
    with pytest.raises(DataError, match=f"{name}:2: not UTF-8 .*iconv"):
        answered(input=str(path))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1256"])
def test_other_encodings_are_read_alike_and_said(folder, tmp_path, capsys, monkeypatch, encoding):
    raw = TEXT.encode(encoding)
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "in.txt", tmp_path / "folder" / "in.txt"):
        path.write_bytes(raw)
    (tmp_path / "in.jsonl").write_bytes(jsonl({"text": TEXT}).decode().encode(encoding))
    shown = {}
    for given in ("-", "in.txt", "in.jsonl", "folder"):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw), encoding="ascii"))
        path = given if given == "-" else str(tmp_path / given)
        fields = {"machine": {"device": "cpu"}, "model": str(folder), "input": path, "format": "jsonl"}
        predict.run(predict.Config.of(fields))
        out, err = capsys.readouterr()
        shown[given] = [event["text"] for event in objects(out)[0]["events"]]
        assert (f" read as {encoding}" in err) == (encoding != "utf-8")
    assert len({tuple(texts) for texts in shown.values()}) == 1
    assert shown["-"]


def test_a_pipe_is_told_by_its_first_bytes(folder, capsys, monkeypatch):
    def run(raw):
        read, write = os.pipe()
        os.write(write, raw)
        os.close(write)
        with os.fdopen(read, encoding="ascii") as pipe:
            monkeypatch.setattr(sys, "stdin", pipe)
            predict.run(predict.Config.of({"machine": {"device": "cpu"}, "model": str(folder), "format": "jsonl"}))
        return capsys.readouterr()

    out, err = run(TEXT.encode("cp1256"))
    assert objects(out)[0]["events"]
    assert "standard input read as cp1256" in err
    with pytest.raises(DataError, match=r"standard input: not UTF-8 .*iconv"):
        run(TEXT.encode() * 3 + b"\xe9\n")


def test_an_input_that_is_none_is_refused(answered, tmp_path):
    with pytest.raises(DataError, match="There is no file"):
        answered(input=str(tmp_path / "nowhere.txt"))
    with pytest.raises(DataError, match=r"holds no \.txt"):
        answered(input=str(tmp_path))
    with pytest.raises(ConfigError, match=r"columns: khabar reads no column 'txt'\. Did you mean 'text'"):
        answered(jsonl({"text": TEXT}), columns={"txt": "a"})
    (tmp_path / "in.pdf").write_bytes(b"%PDF")
    with pytest.raises(ConfigError, match=r"khabar reads \.txt"):
        answered(input=str(tmp_path / "in.pdf"))
    with pytest.raises(ConfigError, match="is a folder"):
        answered(TEXT.encode(), output=str(tmp_path))
    with pytest.raises(ConfigError, match="same file"):
        answered(TEXT.encode(), output=str(tmp_path / "a"), errors=str(tmp_path / "a"))
    with pytest.raises(ConfigError, match="needs a file"):
        answered(TEXT.encode(), format="parquet")


def test_label_studio_gets_one_array_of_tasks(answered, tmp_path, folder):
    path = tmp_path / "tasks.json"
    rows = [{"id": str(number), "text": f"{TEXT} 😀 {number}", "questions": ["إيران | هدنة"]} for number in range(40)]
    rows.insert(1, {"id": "bad", "text": "نص \ud800", "title": "عنوان"})
    source = tmp_path / "in.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    assert answered(input=str(source), output=str(path), format="label_studio") == ""
    tasks = json.loads(path.read_text("utf-8"))
    assert [(task["data"]["id"], task["data"]["text"]) for task in tasks] == [(row["id"], row["text"]) for row in rows]
    assert tasks[1]["predictions"] == []
    assert "half a character" in tasks[1]["meta"]["error"]
    assert all(len(task["predictions"]) == 1 for task in tasks[:1] + tasks[2:])
    assert list(tmp_path.glob("*.part*")) == []
    some = jsonl({"text": TEXT}) + b"{\n" + jsonl({"text": ""})
    tasks = json.loads(answered(some, format="label_studio"))
    assert len(tasks) == 2  # there is nothing to annotate in a row without a text
    assert tasks[1]["meta"] == {"error": "The text is empty."}


def test_label_studio_is_told_where_its_configuration_comes_from(folder, tmp_path, capsys):
    path = tmp_path / "in.txt"
    path.write_text(TEXT, "utf-8")
    fields = {"machine": {"device": "cpu"}, "model": str(folder), "input": str(path), "format": "label_studio"}
    predict.run(predict.Config.of(fields))
    assert f"khabar labelling model={folder} output=labelling.xml" in capsys.readouterr().err


def test_articles_are_read_as_they_come(folder, capsys, monkeypatch):
    """The first answer is written before the last article is read."""
    written = io.StringIO()
    seen = []

    def given():
        for number in range(300):
            seen.append((number, written.getvalue().count("model_version")))
            yield Row(Place("made", number), {"id": str(number), "text": TEXT}, None)

    monkeypatch.setattr(predict, "open_source", lambda *given_: _articles.Source(given()))
    monkeypatch.setattr(sys, "stdout", written)
    predict.run(predict.Config.of({"machine": {"device": "cpu"}, "model": str(folder), "format": "label_studio"}))
    assert len(json.loads(written.getvalue())) == 300
    assert all(number - done <= 2 * CHUNK for number, done in seen)
    assert seen[-1][1]


def test_an_input_is_not_written_over(folder, tmp_path, capsys):
    source = tmp_path / "in.jsonl"
    source.write_bytes(jsonl({"text": TEXT}))
    for fields in ({"output": str(source)}, {"output": str(tmp_path / "o.jsonl"), "errors": str(source)}):
        plain = {"machine": {"device": "cpu"}, "model": str(folder), "input": str(source), **fields}
        with pytest.raises(ConfigError, match="is an input, which would be overwritten"):
            predict.run(predict.Config.of(plain))
    assert source.read_bytes() == jsonl({"text": TEXT})


def test_a_damaged_table_in_a_folder_costs_itself_alone(answered, tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"no parquet")
    (tmp_path / "c.jsonl").write_bytes(jsonl({"id": "c", "text": TEXT}))
    (tmp_path / "empty.csv").write_bytes(b"")
    first, second = objects(answered(input=str(tmp_path)))
    assert "is no Parquet file" in first["error"]
    assert (second["id"], second["error"]) == ("c", None)
