"""The ways of writing Arabic taken away, to compare texts; never for text that a model reads."""

import re
import unicodedata

_LETTERS = str.maketrans(
    {"ٱ": "ا", "ى": "ي", "ی": "ي", "ک": "ك", "ة": "ه", "ء": None, "ـ": None}
    | {digit: str(value) for value, digit in enumerate("٠١٢٣٤٥٦٧٨٩")}
    | {digit: str(value) for value, digit in enumerate("۰۱۲۳۴۵۶۷۸۹")}
)
_OTHER = re.compile(r"[\W_]+")  # spaces, punctuation, symbols and combining marks


def fold(text: str) -> str:
    """What is left of a text when the ways of writing it are taken away; two texts that fold alike are duplicates.

    NFKD takes ligatures and presentation forms apart and splits hamza and madda off their carriers (أ إ آ -> ا,
    ؤ -> و, ئ -> ي); then ٱ -> ا, ى and ی -> ي, ک -> ك, ة -> ه, digits to 0-9; a lone hamza, tatweel, diacritics,
    punctuation, symbols and all space go; case is folded. A text of punctuation alone folds to itself.
    """
    folded = _OTHER.sub("", unicodedata.normalize("NFKD", text).translate(_LETTERS)).casefold()
    return folded or text.strip()
