"""Questions as people write them: "holder | target", a target alone, a pair, or several as JSON."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from khabar.errors import DataError
from khabar.schema import OUTLET

Question = tuple[str | None, str]


def parse_question(question: Any) -> Question:  # noqa: ANN401 - what JSON and Hydra bring
    """A question as a pair: "holder | target", "target" (asked of the outlet), or a pair already.

    Raises:
        DataError: neither.
    """
    pair: Any = question
    if isinstance(question, str):
        pair = question.split("|") if "|" in question else (OUTLET, question)
    elif isinstance(question, Mapping):
        pair = (question.get("holder"), question.get("target"))
    if isinstance(pair, Sequence) and len(pair) == 2:
        holder, target = (part.strip() if isinstance(part, str) else part for part in pair)
        if isinstance(holder, str | None) and isinstance(target, str) and target:
            return (holder or None, target)
    raise DataError(
        f"{question!r} is no question. Write 'holder | target', 'target' for the outlet's own stance, or a pair."
    )


def parse_questions(cell: Any) -> list[Question]:  # noqa: ANN401 - a cell of a table, or what JSON brings
    """The questions of a row: one as it is, a JSON list or object in a string, or a list.

    Raises:
        DataError: what begins as JSON is none, or a question is none.
    """
    if isinstance(cell, str) and cell.lstrip().startswith(("[", "{")):
        try:
            cell = json.loads(cell)
        except (ValueError, RecursionError) as error:
            raise DataError(
                f"{cell[:80]!r} begins as JSON and is none ({error}). Write 'holder | target', or a JSON list of such."
            ) from error
    several = cell.tolist() if hasattr(cell, "tolist") else cell if isinstance(cell, list | tuple) else [cell]
    return [parse_question(question) for question in several]
