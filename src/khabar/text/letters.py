"""A text as it is searched: folded letter by letter, each with its offset, so that a match is a span of the text."""

import re
import unicodedata
from functools import lru_cache

from khabar.text.folding import fold


@lru_cache(maxsize=64)  # dates and places are looked for in the same sentences
def letters(text: str, start: int, end: int) -> tuple[str, tuple[int, ...]]:
    """The letters of `text[start:end]`, folded, and where each comes from, `end` for the place after the last.

    As `fold` does it, but words stay apart: a run of space becomes one space, and punctuation and symbols stay.
    """
    folded = list(map(_letter, text[start:end]))
    plain = "".join(folded)
    if "" not in folded and len(plain) == len(folded) and "  " not in plain:  # most sentences: one for one
        return plain, tuple(range(start, end + 1))
    found: list[str] = []
    offsets: list[int] = []
    last = ""
    for offset, letter in enumerate(folded, start):
        if letter and (letter != " " or last != " "):
            found.append(letter)
            offsets += [offset] * len(letter)
            last = letter
    return "".join(found), (*offsets, end)


def pattern(source: str) -> re.Pattern[str]:
    """A regular expression for folded letters, whose Arabic words may be written as usual."""
    return re.compile(re.sub("[ء-ي]+", lambda word: fold(word[0]), source))


@lru_cache(maxsize=4096)
def _letter(char: str) -> str:
    if char.isspace():
        return " "
    folded = fold(f"0{char}")[1:]  # beside a digit, a character that folds to nothing does not stand for itself
    written = char in "ءـ" or unicodedata.category(char) in ("Mn", "Cf")
    return folded or ("" if written else char)
