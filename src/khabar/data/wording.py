"""Figures and texts as the printed and the HTML report, the summary and the findings put them into words."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment

WIDTH = 100  # columns of what is printed
SHOWN = 100  # characters of a text that is shown
NAME = 30  # characters of a label


def many(count: int, what: str) -> str:
    """`1 row`, `2 rows`."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def shown(text: str, limit: int = SHOWN) -> str:
    """A text as it may stand in a terminal or a page: one line, cut, without control and direction characters."""
    clean = printable(" ".join(text.split()))
    return clean if len(clean) <= limit else f"{clean[: limit - 2].rstrip()} …"


def printable(text: str) -> str:
    """The same without control and direction characters; the joiners of Persian spelling stay."""
    return "".join(letter for letter in text if letter.isprintable() or letter in "\u200c\u200d")


def unmarked(text: object, limit: int = 400) -> str:
    """The same for a page: a text in which nothing is Markdown or HTML."""
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>|#" else letter for letter in shown(str(text), limit))


def templates(folder: Path) -> "Environment":
    """The templates of a folder, for pages: all that is put into them is escaped, and what is missing is an error."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def share(part: int, whole: int) -> str:
    """A percentage with one digit, but never 0.0% of something nor 100.0% of less than all."""
    if part in (0, whole):
        return "0%" if not part else "100%"
    if 0 < part < whole * 0.0005:
        return "<0.1%"
    if whole > part > whole * 0.9995:
        return ">99.9%"
    return f"{part / whole:.1%}"


def table(columns: Sequence[str], rows: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    """Counts, a name a line."""
    width = _width(rows)
    space = room(rows, columns)
    wide = {column: max(9, min(len(column), space) + 2) for column in columns}
    yield "  " + " " * width + "".join(f"{shown(column, space):>{wide[column]}}" for column in columns)
    for name, counts in rows.items():
        yield f"  {shown(name, NAME):<{width}}" + "".join(
            f"{counts.get(column, 0):>{wide[column]},}" for column in columns
        )


def _width(rows: Iterable[str]) -> int:
    return max(len(shown(name, NAME)) for name in rows) + 2


def room(rows: Iterable[str], columns: Sequence[str]) -> int:
    """Characters that each column's name may take, so that the line holds all of them."""
    return max(8, (WIDTH - 2 - _width(rows)) // len(columns) - 2)


def rounded(value: Any) -> Any:  # noqa: ANN401 - any JSON type
    """Plain JSON types with all numbers rounded to six places."""
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(item) for item in value]
    return value
