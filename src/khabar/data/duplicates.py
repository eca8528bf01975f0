"""Which texts are copies of each other: letter for letter, but for spelling, or but for some words."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from khabar.data.ties import Ties
from khabar.text.folding import fold

Kind = Literal["exact", "normalised", "near"]
KINDS: tuple[Kind, ...] = ("exact", "normalised", "near")  # the closest first

SHORTEST = 25  # folded characters, about five words: of shorter texts only equal ones are copies
TYING = 40  # folded characters from which a text ties groups together
PART = 120  # folded characters of a text that is looked for inside another
CONTAINED = 0.9  # of its shingles stand in the other text
SHARE = 1 / 3  # of the other text's shingles it has at least: a quotation makes no copy


@dataclass(frozen=True)
class Copies:
    """Which of the texts are copies of each other.

    Attributes:
        cluster: text -> cluster number; the texts of one cluster are copies, transitively.
        spelling: text -> number of its folded form; texts that fold alike share it, and their cluster.
    """

    cluster: Mapping[str, int]
    spelling: Mapping[str, int] = field(default_factory=dict)

    def key(self, text: str, kind: Kind) -> int | str:
        """What a text shares with its copies of this kind and closer ones, and with no other text."""
        if kind == "normalised":
            return self.spelling[text] if text in self.spelling else fold(text)
        return self.cluster.get(text, text) if kind == "near" else text

    def distinct(self, texts: Iterable[str]) -> int:
        """How many texts these are, those that fold alike being one."""
        return len({self.key(text, "normalised") for text in texts})

    def kind(self, one: str, other: str) -> Kind | None:
        """How two texts are copies of each other, None where they are not."""
        return next((kind for kind in KINDS if self.key(one, kind) == self.key(other, kind)), None)


def find(texts: Iterable[str], near: float) -> Copies:
    """The copies among texts; the result does not depend on their order.

    Near copies are texts of 25 folded characters or more whose shingles (runs of five folded characters) have a
    Jaccard similarity of `near` or more, and texts of 120 or more of whose shingles 90% (`near`, if that is more) stand
    in a text of up to three times the length. 1.0 looks for no near copies at all. Every pair is verified on
    the shingles themselves; which pairs, locality-sensitive hashing tells, so that the time grows with the number of
    texts, and about 1% of the pairs right at `near` may be missed.

    Not found: paraphrases, translations, a sentence quoted in a longer text, near copies of under 25 characters.
    """
    folded = {text: fold(text) for text in texts}
    distinct = sorted(set(folded.values()))
    number = {key: at for at, key in enumerate(distinct)}
    spelling = {text: number[key] for text, key in folded.items()}
    roots = _near(distinct, near) if near < 1 else range(len(distinct))
    return Copies({text: roots[at] for text, at in spelling.items()}, spelling)


def ties(text: str) -> bool:
    """Whether a text is long enough that its copies tie two groups together.

    Boilerplate ("he added:") would weld an eighth of a news corpus into one group.
    """
    return len(fold(text)) >= TYING


def _near(texts: Sequence[str], near: float) -> list[int]:
    """The cluster of each folded text."""
    tied: Ties[int] = Ties()
    shingles = lru_cache(maxsize=64)(_shingles)
    for one, other in _candidates(texts, near):
        if tied.root(one) != tied.root(other):
            left, right = shingles(texts[one]), shingles(texts[other])
            shared = len(left & right)
            small, large = sorted((len(left), len(right)))
            if shared >= near * (small + large - shared) or (
                shared >= max(CONTAINED, near) * small
                and small >= SHARE * large
                and min(len(texts[one]), len(texts[other])) >= PART
            ):
                tied.join(one, other)
    return [tied.root(at) for at in range(len(texts))]


def _candidates(texts: Sequence[str], near: float) -> Iterator[tuple[int, int]]:
    from khabar.data import candidates

    long = [at for at, text in enumerate(texts) if len(text) >= SHORTEST]
    for one, other in candidates.alike([texts[at] for at in long], near).tolist():
        yield long[one], long[other]
    parts = [at for at in long if len(texts[at]) >= PART]
    for one, other in candidates.overlapping([texts[at] for at in parts]).tolist():
        yield parts[one], parts[other]


def _shingles(text: str) -> frozenset[str]:
    from khabar.data.candidates import SHINGLE

    return frozenset({text[at : at + SHINGLE] for at in range(len(text) - SHINGLE + 1)})
