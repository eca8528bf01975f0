"""Sentences of UN documents with quad classes by several annotators (Osorio et al. 2024-25), `annotations.jsonl`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from khabar.config import DataConfig
from khabar.data import rows
from khabar.data.problems import Problems
from khabar.errors import DataError
from khabar.schema import Article, Label

TASK = "event_quad"


def read(config: DataConfig, problems: Problems) -> Iterator[Article | Label]:
    """Each sentence as an article of its own, grouped by document, with one label for each annotator's answer.

    The path is the folder of `annotations.jsonl` or that file. An empty list of labels is the answer "none of them".

    Raises:
        DataError: there is no such file.
    """
    path = Path(config.path or ".")
    file = path / "annotations.jsonl" if path.is_dir() else path
    if not file.is_file():
        raise DataError(f"{path} should be the folder of annotations.jsonl, which is missing there")
    for row in rows.objects(file, problems):
        try:
            article, labels = _row(row)
        except rows.RowError as error:
            problems.add(error.field, error.wrong, error.fix)
            continue
        yield article
        yield from labels


def _row(row: dict[str, Any]) -> tuple[Article, list[Label]]:
    for name in ("id", "ar"):
        if not isinstance(row.get(name), str):
            raise rows.RowError(name, "missing or no string.", 'A row is {"id": "...", "ar": "...", "annotations": []}')
    id_ = row["id"]
    answers = row.get("annotations")
    if not isinstance(answers, list):
        raise rows.RowError(
            "annotations", "missing or no list.", 'Write "annotations": [{"annotator": 0, "labels": []}]'
        )
    labels = []
    for number, answer in enumerate(answers):
        match answer:
            case {"annotator": int() | str() as annotator, "labels": list() as names} if all(
                isinstance(name, str) for name in names
            ):
                # the place in the row makes the id, for an annotator may answer twice
                labels.append(
                    Label(id=f"{id_}@{number}", article=id_, annotator=str(annotator), task=TASK, labels=tuple(names))
                )
            case _:
                raise rows.RowError("annotations", f"{answer!r}.", 'Write {"annotator": 0, "labels": ["..."]}')
    return Article(id=id_, text=row["ar"], meta={"group": id_.rsplit("/", 1)[0]}), labels
