"""The words of a name as they are compared: letters folded, the article and what is written onto a word told apart."""

import re
from collections.abc import Iterator
from functools import lru_cache

from khabar.text.folding import fold

Key = tuple[str, ...]
_MARKS = "[\u0640\u064b-\u065f\u0670]*"  # tatweel and vowel signs
_TANWIN = re.compile("ا?\u064bا?$")
_AROUND = re.compile(r"^\W+|[^\w\u064b-\u065f\u0670]+$")  # vowel signs at the end stay
_COMMA = re.compile(r"[،,؛]\W*$")
_ARTICLE = re.compile("ال(?=..)|(?!والد)(?:[وفبك]ال|و?لل)(?=...)")
_PROCLITICS = "وفبكل"


def spoken(text: str) -> list[tuple[str, bool]]:
    """The words of a text without punctuation at their ends, and whether a comma follows; punctuation alone is none."""
    return [(word, bool(_COMMA.search(token))) for token in text.split() if (word := _AROUND.sub("", token))]


@lru_cache(maxsize=1 << 14)
def key(word: str) -> str:
    """A word folded, without the accusative's ending, plurals and duals in one case; the article stays."""
    return ended(fold(_TANWIN.sub("", word)) or fold(word))


def ended(folded: str) -> str:
    """A folded word with ون and ان at its end as ين, and و as ي: nominative and oblique are one."""
    if len(folded) > 2 and folded.endswith(("ون", "ان")):
        return folded[:-2] + "ين"
    return folded[:-1] + "ي" if len(folded) > 2 and folded.endswith("و") else folded


@lru_cache(maxsize=1 << 14)
def bare(word: str) -> str:
    """A key without the article and a proclitic before it (والهيئة: هيئة); without the article it stays as it is."""
    article = _ARTICLE.match(word)
    return word[article.end() :] if article else word


def definite(word: str, written: str = "") -> bool:
    """Whether a key has the article; what is written with a hamza (ألمانيا, إلياس) has none."""
    return bare(word) != word and written[:1] not in tuple("أإآ")


def keys(text: str) -> Key:
    """The bare keys of a text's words."""
    return bares(tuple(key(word) for word, _ in spoken(text)))


def bares(whole: Key) -> Key:
    """Keys without the article."""
    return tuple(map(bare, whole))


def unprefixed(word: str) -> Iterator[tuple[str, int, str]]:
    """What a key may be without proclitics, the least taken first: key, letters taken off, letters put in their place.

    و, ف, ب, ك and ل go, at most two, where at least three letters stay. لل is ل and the article, or one of them and the
    noun's own first letter (للجنة).
    """
    for taken in (1, 2):
        if len(word) < 4 or word[0] not in _PROCLITICS:
            return
        if word.startswith("لل"):
            yield "ال" + word[2:], taken + 1, "ال"
            yield "الل" + word[2:], taken + 1, "الل"
            yield word[1:], taken, ""
            return
        word = word[1:]
        yield word, taken, ""


def cut(word: str, letters: int, instead: str) -> str:
    """A written word without its first letters and their vowel signs, others put in their place."""
    return instead + re.sub(rf"^(?:\w{_MARKS}){{{letters}}}", "", word)


def stem(word: str) -> str | None:
    """What a nisba's key is made from (ايرانيين: ايران), ended like a key; None where it has no nisba's ending."""
    found = re.fullmatch("(.{3,}?)ي(?:ه|ين|ات|ا|تين)?", bare(word))
    return root(found[1]) if found else None


def root(word: str) -> str:
    """A key without the letters that a nisba of it drops: the article, ة, ا and يا."""
    return ended(re.sub("(?<=...)(?:يا|ا|ه)$", "", bare(word)))
