"""Where the sentences of raw Arabic news text begin and end, for inference.

The rules are typographic and few, because a wrong cut loses more than a missed one: a line end always ends a sentence,
a mark of `. ؟ ? ! …` does where space or the end of the line follows it, closing quotes and brackets included.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator

LONGEST = 150  # words, beyond which a sentence may be cut at a semicolon, else at a comma
SHORTEST = 20  # words that such a cut leaves on either side

_LINE = re.compile(r"[^\n\r\v\f\x85\u2028\u2029]+")
# the look-behind starts one attempt per run of marks, so that a long run costs linear time
_MARK = re.compile(r"""(?<![.؟?!…۔])([.؟?!…۔]++)["'»”’)\]}]*+(?=\s|\Z)""")
_OPENING = "\"'«“‘([{"
_BULLETS = _OPENING + "-–—*•· "
_DIACRITICS = str.maketrans("", "", "ـًٌٍَُِّْ")
_INITIALS = re.compile(r"(?:[^\W\d_]\.)*[^\W\d_]")
_TITLES = frozenset(("ود", "وأ", "وم", "Mr", "Mrs", "Ms", "Dr", "Prof", "St", "No", "vs"))
_YEAR_OR_UNIT = re.compile(r"\d\s*[مه]\Z")
_LOOK_BACK = 24  # characters before a full stop that are looked at


def split(text: str) -> list[tuple[int, int]]:
    """Spans of the sentences: half-open code points of `text`, trimmed, in order, without overlap.

    Every letter and digit lies in one span; a line without any is no sentence. Quotes that close right after a mark
    belong to its sentence. A sentence over 150 words is cut at `؛`, else at `،`, where 20 words are left on both sides.
    """
    return [
        piece
        for line in _LINE.finditer(text)
        for start, end in _sentences(text, *line.span())
        for piece in _shorten(text, start, end)
    ]


def _sentences(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The sentences of one line; a piece without letter or digit goes with the one before it."""
    first = last = start  # where the sentence so far begins and ends
    worded = False
    for mark in [*_MARK.finditer(text, start, end), None]:
        if mark is not None and not _ends(text, last, mark):
            continue
        cut = end if mark is None else mark.end()
        if any(map(str.isalnum, text[last:cut])):
            if worded:
                yield _trim(text, first, last)
                first = last
            worded = True
        last = cut
    if worded:
        yield _trim(text, first, last)


def _ends(text: str, start: int, mark: re.Match[str]) -> bool:
    """Whether a mark followed by space ends the sentence that starts at `start`."""
    at = mark.start()
    if at == start or text[at - 1] in _OPENING:  # (!) and [...] comment on a word or stand for one
        return False
    if mark[1] != ".":
        return True
    before = text[max(start, at - _LOOK_BACK) : at].translate(_DIACRITICS).strip()
    word = before.split()[-1].lstrip(_BULLETS) if before else ""
    following = text[mark.end() : mark.end() + 2].strip()
    if word.isdecimal() and len(word) <= 3:  # "1. first point" and "12. 5. 2015"
        return before.lstrip(_BULLETS) != word and not following[:1].isdecimal()
    if word in _TITLES:
        return False
    return not _INITIALS.fullmatch(word) or _YEAR_OR_UNIT.search(before) is not None


def _shorten(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The pieces of one sentence: itself, unless it is too long and has a pause to be cut at."""
    words = [start + word.start() for word in re.finditer(r"\S+", text[start:end])]
    here = 0  # the index of the word that the piece starts with
    while len(words) - here > LONGEST:
        earliest, latest = words[here + SHORTEST], words[min(here + LONGEST, len(words) - SHORTEST)]
        pauses = [match for mark in "،؛" for match in re.finditer(rf"{mark}(?=\s)", text[earliest:latest])]
        if not pauses:
            break
        cut = earliest + pauses[-1].end()  # the last semicolon, or where there is none the last comma
        yield start, cut
        here = bisect_left(words, cut)
        start = words[here]
    yield start, end


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    while text[start].isspace():
        start += 1
    while text[end - 1].isspace():
        end -= 1
    return start, end
