"""Raw articles to pre-train on: which are fit for it, and which lie too near to texts that a model is scored on."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from khabar.data import duplicates
from khabar.errors import DataError
from khabar.text import sentences
from khabar.text.folding import fold

SHORT = 20  # words; below, an article is a caption or a remnant
TELLING = 40  # folded characters from which a sentence that two texts share tells that one was taken from the other


@dataclass(frozen=True)
class Raw:
    """The texts that are left, and how many were left out, by reason."""

    texts: tuple[str, ...]
    left_out: dict[str, int]


def choose(texts: Iterable[str], apart: Sequence[str] = (), near: float = 0.5) -> Raw:
    """Leave out what is short, what came before, and what is like a text that must stay unseen.

    Alike are an article that is a near copy of such a text (see `duplicates.find`), one that holds such a text's
    sentence, and one that holds the whole of such a text.

    Args:
        texts: the articles.
        apart: texts that must stay unseen, articles or sentences.
        near: Jaccard similarity of shingles from which texts are near copies.
    """
    left = {f"under {SHORT} words": 0, "there before": 0, "like a text that must stay unseen": 0}
    kept: dict[str, str] = {}  # folded -> text
    for text in texts:
        if len(text.split()) < SHORT:
            left[f"under {SHORT} words"] += 1
        elif (key := fold(text)) in kept:
            left["there before"] += 1
        else:
            kept[key] = text
    if apart:
        unseen = _sentences(apart)
        clusters = duplicates.find([*kept.values(), *apart], near).cluster
        taken = {clusters[text] for text in apart}
        alike = {text for text in kept.values() if clusters[text] in taken or not unseen.isdisjoint(_sentences([text]))}
        left["like a text that must stay unseen"] = len(alike)
        kept = {key: text for key, text in kept.items() if text not in alike}
    return Raw(tuple(kept.values()), {reason: count for reason, count in left.items() if count})


def part(texts: Sequence[str], share: float, near: float = 0.5) -> tuple[list[str], list[str]]:
    """Training and held-out texts, near copies on one side: of wire copies one would tell the other's words.

    Which are held out, about a share of them, a hash decides.

    Raises:
        DataError: all texts are copies of one.
    """
    clusters = duplicates.find(texts, near).cluster
    together: defaultdict[int, list[str]] = defaultdict(list)
    for text in texts:
        together[clusters[text]].append(text)
    if len(together) < 2:
        raise DataError("Pre-training needs two articles at least that are no copies, one of them to be held out.")
    training, *others = sorted(together.values(), key=lambda group: min(map(_hash, group)))
    held_out: list[str] = []
    for group in others:
        (held_out if len(held_out) < share * len(texts) else training).extend(group)
    return training, held_out


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _sentences(texts: Iterable[str]) -> set[str]:
    found = (fold(text[start:end]) for text in texts for start, end in sentences.split(text))
    return {one for one in found if len(one) >= TELLING}
