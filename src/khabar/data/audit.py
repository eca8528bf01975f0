"""Leaks between splits: the same text, letter for letter or but for spelling, in train and in what measures it."""

import hashlib
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import Literal

from khabar.data.splits import Splits
from khabar.errors import DataError
from khabar.schema import Example

Kind = Literal["exact", "normalised"]
PAIRS = (("train", "test"), ("train", "dev"), ("dev", "test"))  # the row of the first one is the one to give way

_LETTERS = str.maketrans(
    {"ٱ": "ا", "ى": "ي", "ی": "ي", "ک": "ك", "ة": "ه", "ء": None, "ـ": None}
    | {digit: str(value) for value, digit in enumerate("٠١٢٣٤٥٦٧٨٩")}
    | {digit: str(value) for value, digit in enumerate("۰۱۲۳۴۵۶۷۸۹")}
)
_OTHER = re.compile(r"[\W_]+")  # spaces, punctuation, symbols and combining marks


@dataclass(frozen=True, slots=True)
class Leak:
    """A row whose text another split holds too: `row` should give way to `other`, the first such row there."""

    kind: Kind
    split: str
    row: Example
    other_split: str
    other: Example


def fold(text: str) -> str:
    """What is left of a text when the ways of writing it are taken away; two texts that fold alike are duplicates.

    NFKD takes ligatures and presentation forms apart and splits hamza and madda off their carriers (أ إ آ -> ا,
    ؤ -> و, ئ -> ي); then ٱ -> ا, ى and ی -> ي, ک -> ك, ة -> ه, digits to 0-9; a lone hamza, tatweel, diacritics,
    punctuation, symbols and all space go; case is folded. A text of punctuation alone folds to itself.
    """
    folded = _OTHER.sub("", unicodedata.normalize("NFKD", text).translate(_LETTERS)).casefold()
    return folded or text.strip()


def find(splits: Splits) -> list[Leak]:
    """Every row of train that dev or test holds too, and of dev that test holds; one leak a row and other split.

    What is compared is the text that is classified, and the whole article besides: a sentence whose article stands in
    another split under another name was read there in its context. The question does not count: an article that
    comes back with another claim is still an article that was learnt.
    """
    keys = _Keys()
    held = {name: keys.index(examples) for name, examples in splits.items()}
    leaks = []
    for left, right in PAIRS:
        for row in splits.get(left, []):
            hits = [other for key in keys.of(row) if (other := held.get(right, {}).get(key))]
            if hits:
                texts = _texts(row)
                same = next((other for other in hits if texts & _texts(other)), None)
                leaks.append(Leak("normalised" if same is None else "exact", left, row, right, same or hits[0]))
    return leaks


def resolve(
    splits: Splits, on_leak: Literal["stop", "drop", "warn"], *, published: bool = False
) -> tuple[Splits, dict[str, int]]:
    """The splits without their leaks, and the counts of what was dropped or what remains.

    `drop` drops the train row, so that train never overlaps dev or test. A dev row that test holds too is dropped
    from dev, unless the split is `published`: then dev and test stay as they are and the overlap is counted.

    Raises:
        DataError: `on_leak` is "stop" and there is a leak; the message counts them and shows three.
    """
    leaks = find(splits)
    counts: Counter[str] = Counter()
    drop: dict[str, set[str]] = {"train": set(), "dev": set()}
    for name, ids in drop.items():
        kinds: dict[str, Kind] = {}
        for leak in leaks:
            if leak.split == name:
                key = _key(leak.row)
                kinds[key] = "exact" if "exact" in (leak.kind, kinds.get(key)) else "normalised"
        done = "dropped" if on_leak == "drop" and not (name == "dev" and published) else "kept"
        others = "dev or test" if name == "train" else "test"
        for kind in kinds.values():
            counts[f"{name} rows whose text is in {others}, {kind}, {done}"] += 1
        if done == "dropped":
            ids.update(kinds)
    if leaks and on_leak == "stop":
        raise DataError(_report(leaks, counts))
    kept = {
        name: [example for example in examples if _key(example) not in drop.get(name, ())]
        for name, examples in splits.items()
    }
    return kept, dict(counts)


def _key(example: Example) -> str:
    return f"{example.task} {example.id}"


def _texts(example: Example) -> set[str]:
    return {example.unit_text, example.text}


class _Keys:
    """Digests of folded texts, each text folded once: an article is the text of all its sentences."""

    def __init__(self) -> None:
        self._digests: dict[str, bytes] = {}

    def of(self, example: Example) -> list[bytes]:
        return [self._digest(text) for text in sorted(_texts(example))]

    def index(self, examples: list[Example]) -> dict[bytes, Example]:
        """The first example of each digest."""
        found: dict[bytes, Example] = {}
        for example in examples:
            for key in self.of(example):
                found.setdefault(key, example)
        return found

    def _digest(self, text: str) -> bytes:
        if text not in self._digests:
            self._digests[text] = hashlib.sha256(fold(text).encode("utf-8", "surrogatepass")).digest()
        return self._digests[text]


def _report(leaks: list[Leak], counts: dict[str, int]) -> str:
    shown = "\n".join(
        f"  {leak.row.id} ({leak.split}) and {leak.other.id} ({leak.other_split}), {leak.kind}: "
        f"{' '.join(leak.row.unit_text.split())[:60]!r}"
        for leak in leaks[:3]
    )
    total = "; ".join(f"{count:,} {what.removesuffix(', kept')}" for what, count in counts.items())
    return (
        f"The same text stands in two splits: {total}. For example:\n{shown}\n"
        "Drop the rows that give way with data.on_leak=drop, or keep them and be told with data.on_leak=warn"
    )
