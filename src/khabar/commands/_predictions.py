"""A model's answers beside the gold ones: a file for programs, a table for the MLflow UI, a page for a person."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from khabar.data.examples import NONE
from khabar.data.wording import shown, templates
from khabar.schema import Example, Prediction

COLUMNS = ("right", "text", "gold", "predicted", "probability", "task", "holder", "target", "example")
TEXT = 300  # characters of a text that are shown
PAGE = 2000  # rows of a page


def rows(examples: Sequence[Example], answers: Sequence[Prediction]) -> list[tuple[Any, ...]]:
    """Cells in the order of `COLUMNS`: wrong answers first, the surest of them on top."""
    made = []
    for example, answer in zip(examples, answers, strict=True):
        gold, said = set(example.gold or ()), set(answer.labels)
        wrong = max((answer.probabilities[label] for label in gold ^ said), default=0.0)
        row = (
            gold == said,
            shown(example.unit_text, TEXT),
            ", ".join(example.gold or (NONE,)),
            ", ".join(answer.labels or (NONE,)),
            round(max(answer.probabilities[label] for label in said or answer.probabilities), 3),
            example.task,
            example.holder or "",
            example.target or "",
            example.id,
        )
        made.append((gold == said, -wrong, row))
    return [row for _, _, row in sorted(made, key=lambda one: one[:2])]


def page(title: str, found: Sequence[tuple[Any, ...]]) -> str:
    """The rows as one page, right to left, that needs no other file and runs no script; all of it is escaped.

    The UI's own table is laid out from left to right, and cuts an Arabic text off at its beginning.
    """
    cut = [dict(zip(COLUMNS, row, strict=True)) for row in found[:PAGE]]
    right = sum(row[0] for row in found)
    return (
        templates(Path(__file__).parent)
        .get_template("predictions.html.j2")
        .render(title=title, rows=cut, right=right, total=len(found))
    )


def lines(examples: Sequence[Example], answers: Sequence[Prediction]) -> str:
    """A predictions file: one JSON object a line, with the gold answer beside it."""
    made = []
    for example, answer in zip(examples, answers, strict=True):
        row = {
            "example": answer.example,
            "task": answer.task,
            "labels": answer.labels,
            "gold": example.gold,
            "probabilities": {label: round(p, 6) for label, p in answer.probabilities.items()},
        }
        made.append(json.dumps(row, ensure_ascii=False) + "\n")
    return "".join(made)
