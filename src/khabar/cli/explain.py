"""What is wrong with a configuration, in words: the path, what was asked, what is allowed, the nearest name."""

import difflib
import re
import types
import typing
from collections.abc import Iterator
from typing import Any

from khabar import registry
from khabar.config import Record

BOUNDS = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
TYPES = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "tuple_type": "a list, [a,b]",
    "dict_type": "a mapping, {a: b}",
    "model_type": "a mapping of its fields",
}


def explain(record: type[Record], error: dict[str, Any], command: str) -> str:
    """One line for one of pydantic's errors: the path, what was asked, what is allowed, the nearest name."""
    loc: tuple[str | int, ...] = error["loc"]
    path = ".".join(map(str, loc)) or "the configuration"
    kind, context, asked = error["type"], error.get("ctx", {}), shown(error.get("input"))
    if kind == "extra_forbidden":
        return f"{path}: there is no such field. {_nearest(record, loc, command)}"
    if kind == "missing":
        return f"{path}: missing. Set it as {path}=..."
    if kind == "value_error":
        return f"{path}: {error['msg'].removeprefix('Value error, ')}."
    if kind == "literal_error":
        choices = re.findall(r"'([^']*)'", context["expected"])
        return f"{path}: asked {asked}. {registry.suggest(str(error.get('input')), choices)}"
    bounds = [f"{sign} {context[name]:g}" for name, sign in BOUNDS.items() if name in context]
    message = error["msg"].removeprefix("Input should be ")
    allowed = bounds[0] if bounds else TYPES.get(kind, message[:1].lower() + message[1:])
    hint = ""
    if kind == "string_type" and isinstance(error.get("input"), int | float | bool):
        hint = f", that is, quoted: \"{path}='{asked}'\""
    return f"{path}: asked {asked}, allowed: {allowed}{hint}"


def _records(annotation: Any) -> Iterator[tuple[bool, type[Record]]]:  # noqa: ANN401 - any type
    """The record types within a type, and whether each is the value of a dict."""
    if isinstance(annotation, type) and issubclass(annotation, Record):
        yield False, annotation
    elif typing.get_origin(annotation) in (typing.Union, types.UnionType):
        for part in typing.get_args(annotation):
            yield from _records(part)
    elif typing.get_origin(annotation) is dict:
        for _, record in _records(typing.get_args(annotation)[1]):
            yield True, record


def _fields(record: type[Record], prefix: str = "") -> Iterator[str]:
    """The paths of all fields of a record and of the records in it."""
    for name, field in record.model_fields.items():
        yield f"{prefix}{name}"
        for keyed, inner in _records(field.annotation):
            if not keyed:  # the keys of a dict are not known here
                yield from _fields(inner, f"{prefix}{name}.")


def _nearest(record: type[Record], loc: tuple[str | int, ...], command: str) -> str:
    """What an unknown field may have meant: a field beside it, else one of that name elsewhere."""
    *above, asked = map(str, loc)
    holder: type[Record] | None = record
    steps = iter(above)
    for step in steps:
        field = holder.model_fields.get(step) if holder else None
        keyed, holder = next(_records(field.annotation), (False, None)) if field else (False, None)
        if keyed:
            next(steps, None)
    prefix = "".join(f"{step}." for step in above)
    beside = list(holder.model_fields) if holder else []
    if near := difflib.get_close_matches(asked, beside, n=1):
        return f"Did you mean {prefix}{near[0]}?"
    everywhere = list(_fields(record))
    if elsewhere := [path for path in everywhere if path.split(".")[-1] == asked]:
        return f"Did you mean {' or '.join(elsewhere)}?"
    if near := difflib.get_close_matches(".".join(map(str, loc)), everywhere, n=1, cutoff=0.75):
        return f"Did you mean {near[0]}?"
    where = prefix.rstrip(".") or f"khabar {command}"
    return f"{where} has: {', '.join(sorted(beside))}."


def shown(value: Any) -> str:  # noqa: ANN401 - any JSON type
    """A value as a user would write it, shortened."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, list | tuple):
        text = f"[{', '.join(map(shown, value))}]"
    else:
        text = str(value) if value != "" else "''"
    return text if len(text) <= 80 else f"{text[:77]}..."
