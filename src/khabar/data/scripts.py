"""What a text is written in: its script by the Unicode names of its letters, and signs that it is not Arabic at all."""

import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import cache

NO_LETTERS = "no letters"
EAST = "Chinese, Japanese or Korean"
_EAST = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO")

# Letters that only these languages write. Arabic news writes پ چ گ in foreign names too, so they decide nothing alone.
_OWN = {
    "Persian": "پچژگ",
    "Urdu": "ٹڈڑںےہھ",
    "Pashto": "ټډړږښڼځڅېۍ",
    "Kurdish": "ێۆڵڕڤە",
}
_THEIRS, _ARABIC = "یک", "يكىة"  # yeh and kaf as Persian keyboards write them, and the letters they stand in for
_DIGITS = {"0123456789": "European", "٠١٢٣٤٥٦٧٨٩": "Arabic-Indic", "۰۱۲۳۴۵۶۷۸۹": "Persian"}
_KINDS = {digit: kind for digits, kind in _DIGITS.items() for digit in digits}


@dataclass(frozen=True, slots=True)
class Profile:
    """What one text is written in.

    Attributes:
        script: that of most letters, such as "Arabic" or "Latin"; `NO_LETTERS` where there is none.
        language: "Persian", "Urdu", "Pashto" or "Kurdish" where the Arabic letters hint at it, else None.
        letters: how many letters there are, of all scripts.
        arabic: how many of them are Arabic.
        marks: short vowels and other combining marks.
        forms: letters in presentation forms (ﻻ, ﷲ aside), which come out of PDF files.
        persian: ک and ی, which look like ك and ي and are other characters.
        digits: the kinds of digits: "European", "Arabic-Indic", "Persian".
    """

    script: str
    language: str | None
    letters: int
    arabic: int
    marks: int
    forms: int
    persian: int
    digits: frozenset[str]


def profile(text: str) -> Profile:
    """Count the characters of a text by what they are."""
    counts = Counter(text)
    scripts: Counter[str] = Counter()
    marks = forms = 0
    for character, count in counts.items():
        script = _script(character)
        if script is not None:
            scripts[script] += count
            forms += count * _is_form(character)
        elif unicodedata.combining(character):
            marks += count
    main = max(scripts, key=lambda name: (scripts[name], name)) if scripts else NO_LETTERS
    return Profile(
        script=main,
        language=_language(counts) if main == "Arabic" else None,
        letters=scripts.total(),
        arabic=scripts["Arabic"],
        marks=marks,
        forms=forms,
        persian=sum(counts[letter] for letter in _THEIRS),
        digits=frozenset(_KINDS[character] for character in counts.keys() & _KINDS.keys()),
    )


def _language(counts: Counter[str]) -> str | None:
    own = {name: sum(counts[letter] for letter in letters) for name, letters in _OWN.items()}
    best = max(own, key=lambda name: own[name])
    foreign = own[best] + sum(counts[letter] for letter in _THEIRS)
    return best if own[best] and foreign > sum(counts[letter] for letter in _ARABIC) else None


@cache
def _script(character: str) -> str | None:
    """The first word of a letter's name, None for what is no letter."""
    if not character.isalpha() or character == "ـ":  # tatweel lengthens a letter and is none
        return None
    first = unicodedata.name(character, "UNKNOWN").split()[0]
    if first == "FULLWIDTH":
        first = "LATIN"
    return EAST if first.startswith(_EAST) else first.capitalize()


def _is_form(character: str) -> bool:
    """Whether a letter is a presentation form, the words in one sign (ﷲ, ﷺ) aside."""
    return "\ufb50" <= character <= "\ufdcf" or "\ufe70" <= character <= "\ufefc"
