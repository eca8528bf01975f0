"""Rows of every format, one at a time, with the bad ones in their places."""

import datetime
import json

import pandas as pd
import pytest

from khabar.commands import _rows
from khabar.commands._articles import open_source
from khabar.errors import DataError
from khabar.schema import OUTLET


def rows(path, columns=None):
    return list(open_source(str(path), columns or {}).rows)


def good(path, columns=None):
    return [row.article for row in rows(path, columns) if not row.error]


def faults(path):
    return [(str(row.place).removeprefix(str(path)), row.error) for row in rows(path) if row.error]


@pytest.fixture
def table(tmp_path):
    """Writes the same three articles in any format."""
    frame = pd.DataFrame(
        {
            "id": ["1", "2", "3"],
            "text": ["خبر أول، قال.\nسطر", "خبر «ثان»", 'ثالث "مقتبس"'],
            "title": ["عنوان", None, None],
            "questions": ['["إيران | هدنة", "مصر"]', "إيران | هدنة", None],
            "more": [1, 2, 3],
        }
    )

    def write(name):
        path = tmp_path / name
        match path.suffix:
            case ".parquet":
                frame.to_parquet(path)
            case ".csv":
                frame.to_csv(path, index=False)
            case ".tsv":
                frame.to_csv(path, index=False, sep="\t")
            case _:
                frame.to_json(path, orient="records", lines=True, force_ascii=False)
        return path

    return write


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.parquet", "A.CSV"])
def test_tables_give_the_same_rows(table, name):
    path = table(name.lower())
    path = path.rename(path.with_name(name))
    found = rows(path)
    assert [row.article["text"] for row in found] == ["خبر أول، قال.\nسطر", "خبر «ثان»", 'ثالث "مقتبس"']
    assert [row.article["title"] for row in found] == ["عنوان", None, None]
    assert [row.article["questions"] for row in found] == [
        [("إيران", "هدنة"), (OUTLET, "مصر")],
        [("إيران", "هدنة")],
        None,
    ]
    assert "more" not in found[0].article
    assert _rows.count(path) == 3
    places = [", row 1", ", row 2", ", row 3"] if name.endswith("parquet") else [":2", ":4", ":5"]
    assert [str(row.place).removeprefix(str(path)) for row in found] == places


def test_columns_by_other_names(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("\ufeffالنص;text;العنوان\r\nخبر;x;ع\r\n", "utf-8")  # as Excel saves it
    (row,) = good(path, {"text": "النص", "title": "العنوان"})
    assert (row["text"], row["title"]) == ("خبر", "ع")
    with pytest.raises(DataError, match=r"has no column 'النصص'\. Did you mean 'النص'"):
        rows(path, {"text": "النصص"})
    path.write_text("body\nx\n")
    with pytest.raises(DataError, match=r"no column 'text'\. There are: body\..*columns\.text=NAME"):
        rows(path)
    lines = tmp_path / "a.jsonl"
    lines.write_text('{"body": "خبر", "text": 5, "other": [1]}\n{"text": "x"}\n', "utf-8")
    assert good(lines, {"text": "body"}) == [{"body": "خبر", "text": "خبر", "other": [1]}]


def test_a_quote_that_nobody_closed_costs_its_own_row(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('id,text\n1,"خبر\n2,خبر\n3,"آخر, مع\nسطر"\n4,x,y\n5,a"b\n6,"a"b\n\n7,خبر\n', "utf-8")
    assert [row["id"] for row in good(path)] == ["2", "3", "5", "7"]
    assert good(path)[1]["text"] == "آخر, مع\nسطر"
    told = faults(path)
    assert [place for place, _ in told] == [":2", ":6", ":8"]
    assert "broken" in told[0][1] and "3 cells, the header has 2" in told[1][1]
    assert rows(path)[0].raw == '1,"خبر'
    path.write_text('id,text\n1,خبر\n2,"خبر\n3,خبر\n4,خبر', "utf-8")  # to the end of the file
    assert [row["id"] for row in good(path)] == ["1", "3", "4"]
    assert [place for place, _ in faults(path)] == [":3"]


def test_a_cell_without_end_does_not_fill_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(_rows, "CELL", 100)
    path = tmp_path / "a.csv"
    path.write_text('id,text\n1,"خبر\n' + "".join(f"{n},خبر\n" for n in range(2, 100)), "utf-8")
    assert [row["id"] for row in good(path)] == [str(n) for n in range(2, 100)]
    assert "field larger than field limit" in faults(path)[0][1]


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv"])
def test_bytes_of_another_encoding_cost_their_own_row(tmp_path, name):
    path = tmp_path / name
    lines = [json.dumps({"id": str(n), "text": "خبر\u2028آخر"}, ensure_ascii=False) for n in range(3)]
    if name.endswith("csv"):
        lines = ["id,text", *(f"{n},خبر آخر" for n in range(3))]
    raw = [line.encode() for line in lines]
    raw[-2] = raw[-2].replace("خ".encode(), b"\xe9")
    path.write_bytes(b"\xef\xbb\xbf" + b"\n".join(raw))
    assert [row["id"] for row in good(path)] == ["0", "2"]
    ((place, why),) = faults(path)
    assert place == (":2" if name.endswith("jsonl") else ":3")
    assert "not UTF-8 (the byte e9" in why
    bad = next(row for row in rows(path) if row.error)
    assert "\\xe9" in str(bad.raw)


def test_a_parquet_file_may_hold_any_type(tmp_path):
    path = tmp_path / "a.parquet"
    frame = pd.DataFrame(
        {
            "text": ["خبر", None, "خبر"],
            "id": [1.0, float("nan"), 3.0],
            "date": [datetime.date(2024, 3, 15)] * 3,
            "questions": [["إيران | هدنة"], [], [" | "]],
        }
    )
    frame.to_parquet(path)
    first, second, third = rows(path)
    assert first.article == {"text": "خبر", "id": "1.0", "date": "2024-03-15", "questions": [("إيران", "هدنة")]}
    assert second.error == "text: missing. The row has: text, id, date, questions"
    assert "is no question" in third.error
    path.write_bytes(b"PAR1")
    with pytest.raises(DataError, match="is no Parquet file"):
        rows(path)


def test_a_damaged_parquet_file_gives_what_it_can(tmp_path):
    path = tmp_path / "a.parquet"
    pd.DataFrame({"text": [f"خبر {n}" for n in range(8000)]}).to_parquet(path, row_group_size=2000, compression="gzip")
    raw = bytearray(path.read_bytes())
    half = len(raw) // 2
    raw[half : half + 200] = bytes(200)
    path.write_bytes(raw)
    found = rows(path)
    assert [row.article["text"] for row in found[:-1]] == [f"خبر {n}" for n in range(len(found) - 1)]
    assert len(found) > 2000
    assert "The rest is not read" in found[-1].error


def test_a_folder_is_read_in_order_with_paths_as_ids(tmp_path, table, capsys):
    (tmp_path / "ب" / "٢").mkdir(parents=True)
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "ب" / "٢" / "x.txt").write_text("خبر\r\nسطر", "utf-8", newline="")
    (tmp_path / "أ.txt").write_bytes("خبر العاصمة".encode("cp1256"))
    (tmp_path / "broken.txt").write_bytes("été".encode("latin-1"))
    (tmp_path / ".hidden" / "y.txt").write_text("خبر")
    (tmp_path / "z.pdf").write_text("-")
    table("m.csv")
    source = open_source(str(tmp_path), but=[tmp_path / "out.jsonl"])
    assert source.total() == 6
    (tmp_path / "out.jsonl").write_text("{}")
    assert open_source(str(tmp_path), but=[tmp_path / "out.jsonl"]).total() == 6
    found = list(source.rows)
    assert [row.article.get("id") for row in found] == [None, "1", "2", "3", "أ", "ب/٢/x"]
    assert "not UTF-8" in found[0].error
    assert found[0].place.file == "broken.txt"
    assert found[-1].article["text"] == "خبر\r\nسطر"
    assert "1 of the files" in capsys.readouterr().err
    (tmp_path / "n.csv").write_text("body\nx\n")
    with pytest.raises(DataError, match=r"n\.csv has no column 'text'"):
        open_source(str(tmp_path))


def test_counting_without_parsing(tmp_path):
    for name, text, number in (
        ("a.csv", "", 0),
        ("a.csv", "id,text\n", 0),
        ("b.csv", 'id,text\n1,"a\nb ""c\n"" d"\n2,x', 2),
        ("a.jsonl", '{"text": "\\"a"}\n{"text": "b"}', 2),
        ("b.jsonl", "", 0),
    ):
        path = tmp_path / name
        path.write_text(text)
        assert _rows.count(path) == number, name
    utf16 = tmp_path / "c.csv"
    utf16.write_text('id,text\n1,"آخر\nآ"\n2,آ\n', "utf-16")
    assert _rows.count(utf16) == 2


def test_a_command_that_can_not_do_with_part_of_the_rows_stops_at_the_first_bad_one(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "x"}\n{\n')
    articles = open_source(str(path)).articles
    assert next(articles) == {"text": "x"}
    with pytest.raises(DataError, match=r"a\.jsonl:2: not JSON"):
        next(articles)
