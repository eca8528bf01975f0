"""Answers as tables: the same rows as `to_pandas`, and no cell that a spreadsheet runs."""

import csv
import io
import json
import sys
from collections import Counter

import pandas as pd
import pytest

from khabar.commands import _formats, predict
from khabar.inference.readings import COLUMNS, Event, Evidence, Reading, Readings, Stance
from unit.inference import tiny_bundle
from unit.inference.tiny_bundle import TEXT

HOSTILE = ["=cmd|'/c calc'!A0", "- قال", "+1", "@SUM(A1)", "\tx", "'=x", "عادي", "1+1", ' "=x']


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_bundle.write(tmp_path_factory.mktemp("made") / "bundle")


@pytest.fixture
def output(folder, tmp_path, monkeypatch, capsys):
    """The file that the command writes, and what it says."""
    rows = [{"id": f"a{n}", "text": f"{TEXT} {n}", "questions": ["إيران | هدنة", "هدنة"]} for n in range(3)]

    def run(name, **fields):
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines.encode()), encoding="utf-8"))
        path = tmp_path / name
        plain = {"machine": {"device": "cpu"}, "model": str(folder), "output": str(path)}
        predict.run(predict.Config.of({**plain, **fields}))
        return path, capsys.readouterr().err

    return run


def test_all_tables_hold_the_rows_of_to_pandas(output, folder):
    from khabar.inference.model import load

    rows = [{"id": f"a{n}", "text": f"{TEXT} {n}", "questions": ["إيران | هدنة", "هدنة"]} for n in range(3)]
    expected = load(str(folder)).predict(rows).to_pandas().round({"score": 6})
    parquet = pd.read_parquet(output("a.parquet")[0]).astype(COLUMNS)
    pd.testing.assert_frame_equal(parquet, expected)
    for name, mark in (("a.csv", ","), ("a.tsv", "\t")):
        path, _ = output(name)
        assert path.read_bytes().startswith(b"\xef\xbb\xbf")
        found = pd.read_csv(path, sep=mark, dtype=COLUMNS, keep_default_na=False, na_values=[""])
        pd.testing.assert_frame_equal(found, expected)
    assert list(parquet.kind.unique()) == ["event", "stance"]


def test_the_suffix_decides_unless_the_format_is_said(output):
    assert output("a.csv", format="jsonl")[0].read_text("utf-8").startswith('{"id"')
    assert output("a.txt")[0].read_text("utf-8").count("What happened") == 3
    assert output("a.html")[0].read_text("utf-8").startswith("<!DOCTYPE html>")
    assert output("a.xyz")[0].read_text("utf-8").startswith('{"id"')


def test_articles_without_a_finding_are_counted(output):
    path, err = output("a.csv", threshold=0.999)
    found = pd.read_csv(path)
    assert set(found.kind) == {"stance"}
    assert "0 without a finding" in err


def test_no_cell_is_run_by_a_spreadsheet_and_every_text_comes_back():
    events = tuple(Event("t", "L", -0.5, 0, 1, text) for text in HOSTILE)
    stances = (Stance("s", "=1", "-x", "favor", {"favor": 1.0}, Evidence(0, 1, "x")),)
    reading = Reading("=id", "t", events=events, stances=stances)
    tally = Counter()
    text = _formats._separated(",", tally, bom=False).piece(0, None, reading)
    rows = list(csv.reader(io.StringIO(text)))
    cells = [cell for row in rows for cell in row]
    assert not any(cell[:1] in "=+@\t\r" for cell in cells if cell)
    assert {cell for cell in cells if cell.startswith("-")} == {"-0.5"}  # a number is none
    assert [row[7].removeprefix("'") if _formats.FORMULA.match(row[7]) else row[7] for row in rows[:-1]] == HOSTILE
    assert tally == {_formats.QUOTED: 6 + len(rows) + 2}


def test_findings_are_those_of_to_pandas_for_every_kind_of_reading():
    reading = Reading(
        "a",
        "t",
        events=(Event("t", "L", 0.123456789, 3, 7, "نص"),),
        stances=(
            Stance("s", None, "x", "none", {"none": 0.7}, None),
            Stance("s", "h", "x", "favor", {"favor": 0.7}, Evidence(1, 2, "د")),
        ),
    )
    expected = Readings((reading,)).to_pandas().round({"score": 6})
    made = pd.DataFrame(list(_formats.findings(reading)), columns=list(COLUMNS)).astype(COLUMNS)
    pd.testing.assert_frame_equal(made, expected)


def test_parquet_comes_in_row_groups(tmp_path, monkeypatch):
    import pyarrow.parquet as pq

    monkeypatch.setattr(_formats, "BATCH", 4)
    spool = tmp_path / "spool"
    row = ["a", "event", "t", "L", 0.5, None, None, "x", 0, 1]
    spool.write_text("".join(json.dumps(row) + "\n" for _ in range(10)))
    _formats.to_parquet(spool, tmp_path / "a.parquet")
    file = pq.ParquetFile(tmp_path / "a.parquet")
    assert (file.metadata.num_rows, file.metadata.num_row_groups) == (10, 3)
    assert file.schema_arrow.names == list(COLUMNS)
    spool.write_text("")
    _formats.to_parquet(spool, tmp_path / "none.parquet")
    assert pd.read_parquet(tmp_path / "none.parquet").columns.tolist() == list(COLUMNS)


def test_half_a_character_in_an_id_breaks_no_file(folder, tmp_path, capsys):
    path = tmp_path / "in.jsonl"
    path.write_text(json.dumps({"id": "\ud800", "text": TEXT}) + "\n")
    for name in ("a.jsonl", "a.csv", "a.parquet", "a.html"):
        plain = {"machine": {"device": "cpu"}, "model": str(folder), "input": str(path)}
        predict.run(predict.Config.of({**plain, "output": str(tmp_path / name)}))
        assert (tmp_path / name).read_bytes()
