"""Answers beside gold: the order of the rows, and a page that no text can write to."""

import json
import re

from khabar.commands import _predictions
from khabar.schema import Example, Prediction

LABELS = ("yes", "no")


def pair(number, gold, said, sure, text="نص"):
    example = Example(id=f"e{number}", article="a", group="a", task="t", text=text, gold=gold)
    share = {label: sure if label in said else 1 - sure for label in LABELS}
    return example, Prediction(example=example.id, task="t", probabilities=share, labels=said)


def made(*pairs):
    return [list(side) for side in zip(*pairs, strict=True)]


def test_wrong_answers_come_first_the_surest_on_top():
    found = made(pair(1, ("yes",), ("yes",), 0.9), pair(2, ("no",), ("yes",), 0.6), pair(3, ("yes",), ("no",), 0.8))
    rows = [dict(zip(_predictions.COLUMNS, row, strict=True)) for row in _predictions.rows(*found)]
    assert [row["example"] for row in rows] == ["e3", "e2", "e1"]
    assert [row["right"] for row in rows] == [False, False, True]
    assert (rows[0]["gold"], rows[0]["predicted"], rows[0]["probability"]) == ("yes", "no", 0.8)


def test_an_empty_answer_is_named():
    (row,) = _predictions.rows(*made(pair(1, (), (), 0.9)))
    assert row[2] == row[3] == "(none of them)"
    assert row[0] is True


def test_the_page_is_right_to_left_and_markup_stays_text():
    text = "<script>alert(1)</script> \u202e نص"
    rows = _predictions.rows(*made(pair(1, ("yes",), ("no",), 0.7, text), pair(2, ("no",), ("no",), 0.7)))
    page = _predictions.page("m, <dev>", rows)
    assert 'dir="rtl"' in page
    assert "1 of 2 right" in page
    assert not re.search("<script|\u202e|<dev>", page)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_the_file_has_all_probabilities():
    found = made(pair(1, ("yes",), ("no",), 0.75))
    assert json.loads(_predictions.lines(*found)) == {
        "example": "e1", "task": "t", "labels": ["no"], "gold": ["yes"], "probabilities": {"yes": 0.25, "no": 0.75},
    }  # fmt: skip
