"""khabar's own rows: an article, a label, a span or a relation as one JSON object, both ways."""

import json
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from khabar.data.decoding import encoding_of
from khabar.data.problems import Problems
from khabar.registry import suggest
from khabar.schema import Article, Label, Relation, Span

ARTICLES, ANNOTATIONS = "articles.jsonl", "annotations.jsonl"
KINDS: dict[str, type[Label] | type[Span] | type[Relation]] = {"label": Label, "span": Span, "relation": Relation}
Noun = Article | Label | Span | Relation


class RowError(ValueError):
    """A row that is no noun: the field, what is wrong with it, and the fix."""

    def __init__(self, field: str, wrong: str, fix: str) -> None:
        super().__init__(field, wrong, fix)
        self.field, self.wrong, self.fix = field, wrong, fix


def plain(noun: Noun) -> dict[str, Any]:
    """The JSON object of a noun: None and empty fields left out, but `labels: []` kept, for it is an answer."""
    kind = next((name for name, cls in KINDS.items() if type(noun) is cls), None)
    row: dict[str, Any] = {} if kind is None else {"kind": kind}
    for name in (field.name for field in fields(noun)):
        value = getattr(noun, name)
        if name == "labels" or (value is not None and value != () and value != {}):
            row[name] = list(value) if isinstance(value, tuple) else value
    return row


def dumps(row: dict[str, Any]) -> str:
    """One line of JSON Lines, Arabic as Arabic."""
    return json.dumps(row, ensure_ascii=False, allow_nan=False)


def objects(path: Path, problems: Problems) -> Iterator[dict[str, Any]]:
    """The objects of a JSON Lines file, with `problems.place` set to each; blank lines and a BOM are passed over.

    Raises:
        DataError: the file is in no encoding that khabar reads.
    """
    problems.at(path.name)
    with path.open(encoding=encoding_of(path, problems), newline="\n") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            problems.at(path.name, number)
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                # json counts lines too, from 1 within this one
                why = f"{error.msg}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else error
                problems.add("line", f"not JSON: {why}.", "Write one JSON object a line")
                continue
            if isinstance(row, dict):
                yield row
            else:
                problems.add("line", f"a JSON {type(row).__name__}.", "Write one JSON object a line")


def article(row: dict[str, Any]) -> Article:
    """An article from its JSON object.

    Raises:
        RowError: a field is missing, unknown or of another type.
    """
    _known(row, Article, ("id", "text"))
    for name in ("id", "text", "title", "date", "source", "url"):
        _expect(row, name, str, "a string")
    _expect(row, "meta", dict, "an object")
    given = {name: value for name, value in row.items() if value is not None}
    return Article(**given)


def annotation(row: dict[str, Any]) -> Label | Span | Relation:
    """A label, span or relation from its JSON object; `kind` says which.

    Raises:
        RowError: a field is missing, unknown or of another type.
    """
    kind = row.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise RowError("kind", f"{kind!r}." if "kind" in row else "missing.", suggest(str(kind), KINDS))
    rest = {name: value for name, value in row.items() if name != "kind" and value is not None}
    return _READERS[kind](rest)


def _label(row: dict[str, Any]) -> Label:
    _known(row, Label, ("id", "article", "annotator", "task", "labels"))
    for name in ("id", "article", "annotator", "task", "holder", "target", "reason"):
        _expect(row, name, str, "a string")
    lists: dict[str, Any] = {name: _strings(row, name) for name in ("labels", "adjudicates") if name in row}
    offsets: dict[str, Any] = {name: _offsets(row, name) for name in ("span", "evidence") if name in row}
    return Label(**{**row, **lists, **offsets})


def _span(row: dict[str, Any]) -> Span:
    _known(row, Span, ("id", "article", "annotator", "layer", "start", "end"))
    for name in ("id", "article", "annotator", "layer"):
        _expect(row, name, str, "a string")
    for name in ("start", "end"):
        _expect(row, name, int, "a whole number")
    _expect(row, "attributes", dict, "an object")
    return Span(**row)


def _relation(row: dict[str, Any]) -> Relation:
    _known(row, Relation, ("id", "article", "annotator", "head", "tail", "role"))
    for name in row:
        _expect(row, name, str, "a string")
    return Relation(**row)


_READERS: dict[str, Callable[[dict[str, Any]], Label | Span | Relation]] = {
    "label": _label,
    "span": _span,
    "relation": _relation,
}


def _known(row: dict[str, Any], cls: type[Noun], needed: tuple[str, ...]) -> None:
    exist = [field.name for field in fields(cls)]
    for name in row:
        if name not in exist:
            raise RowError(name, f"no field of {cls.__name__.lower()}.", suggest(name, exist))
    for name in needed:
        if row.get(name) is None:
            raise RowError(name, "missing.", f"Every {cls.__name__.lower()} needs {', '.join(needed)}")


def _expect(row: dict[str, Any], name: str, kind: type, what: str) -> None:
    value = row.get(name)
    if value is not None and (not isinstance(value, kind) or isinstance(value, bool)):
        raise RowError(name, f"{value!r} is not {what}.", f"Write {name} as {what}")


def _strings(row: dict[str, Any], name: str) -> tuple[str, ...]:
    value = row[name]
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise RowError(name, f"{value!r} is not a list of strings.", f'Write "{name}": ["..."]')
    return tuple(value)


def _offsets(row: dict[str, Any], name: str) -> tuple[int, int]:
    match row[name]:
        case [int() as start, int() as end]:
            return start, end
    raise RowError(name, f"{row[name]!r} is not two offsets.", f'Write "{name}": [start, end]')
