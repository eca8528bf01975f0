"""Offsets into a text that a browser counted, turned into code points."""

import re
from typing import Any

from khabar.data.rows import RowError
from khabar.schema import Offsets
from khabar.text import utf16


class Ruler:
    """Turns the offsets of one text into code points.

    Label Studio runs in a browser and counts UTF-16 units, of which an emoji has two; some versions and most scripts
    count code points, and a browser may count a Windows line end once. The words that an export repeats tell which.
    """

    def __init__(self, text: str, characters: bool = False) -> None:
        self.text = text
        plain = range(len(text) + 1)
        astral = max(text, default="") > "\uffff"  # without such a character the two units are one
        units: dict[str, dict[int, int] | range] = {
            "UTF-16 units": _places(text) if astral else plain,
            "characters rather than UTF-16 units": plain,
        }
        if characters:
            units = dict(reversed(units.items()))
        if "\r\n" in text:
            units["a Windows line end as one"] = _places(text, line_ends=True)
        self.units = units

    def span(self, value: dict[str, Any]) -> tuple[Offsets, str]:
        """The span in code points, and the unit it was counted in where that is not the one to expect.

        Raises:
            RowError: the offsets are no numbers, lie outside, or do not hold the words that they are said to.
        """
        start, end = value.get("start"), value.get("end")
        if type(start) is not int or type(end) is not int:
            wrong = f"start and end are {start!r} and {end!r}, no whole numbers."
            raise RowError("value", wrong, "khabar reads spans of a <Text> tag, not of HyperText or Paragraphs")
        said = value.get("text")
        expected = next(iter(self.units))
        units = self.units if isinstance(said, str) else {expected: self.units[expected]}
        spans: dict[Offsets, str] = {}
        for unit, places in units.items():
            if start in places and end in places and start < end:
                spans.setdefault((places[start], places[end]), unit)
        if not spans:
            size = len(self.text.encode("utf-16-le", "surrogatepass")) // 2
            wrong = f"[{start}, {end}) lies outside the text ({size} UTF-16 units) or within a character."
            raise RowError("value", wrong, "The text must be the one that was annotated, letter for letter")
        for span, unit in spans.items():
            if not isinstance(said, str) or _plain(self.text[slice(*span)]) == _plain(said):
                return span, "" if unit == expected else unit
        found = self.text[slice(*next(iter(spans)))]
        wrong = f"[{start}, {end}) of the text is {found[:60]!r}, but what was marked is {str(said)[:60]!r}."
        raise RowError("value", wrong, "The text must be the one that was annotated, letter for letter")


def _places(text: str, *, line_ends: bool = False) -> dict[int, int]:
    """UTF-16 offset -> code point offset, for every offset between two characters."""
    return {offset: index for index, offset in enumerate(utf16.offsets(text, line_ends=line_ends))}


def _plain(text: str) -> str:
    """Without the differences that browsers and older versions (backslash and n for a line end) make of white space."""
    return re.sub(r"\r\n|\\n|\s", " ", text)
