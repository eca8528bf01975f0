"""Offsets in UTF-16 units, which is what a browser counts: most characters are one, an emoji is two."""

import itertools
from collections.abc import Sequence


def offsets(text: str, *, line_ends: bool = False) -> Sequence[int]:
    """The UTF-16 offset at each code point offset, 0 to len(text); `line_ends`: a Windows line end counts once."""
    if max(text, default="") <= "\uffff" and not line_ends:
        return range(len(text) + 1)
    sizes = (
        0 if line_ends and letter == "\n" and before == "\r" else 1 + (letter > "\uffff")
        for before, letter in itertools.pairwise(f" {text}")
    )
    return list(itertools.accumulate(sizes, initial=0))
