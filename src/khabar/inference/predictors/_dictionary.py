"""What the rules know of words: their forms without clitics, and how often something holds where they stand.

Shapes: N words of a stretch of text, L labels.
"""

from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from khabar.evaluation.scored import Floats
from khabar.schema import Kind, Offsets
from khabar.text.folding import fold
from khabar.text.words import WORD

Chain = tuple[Hashable, ...]  # what is looked at, then what is there, the general before the special

WEIGHT = 2.0  # rows that a more general key weighs
LEAST = 1e-4  # of a share, before its logarithm
RARE = 2  # occurrences below which a word's shape is that of an unknown one
STEM = 4  # letters of a stem
EDGE = "|"  # the word before the first and after the last
CLITICS = ("وف", "س", "بلك")  # letters before a word, in their order; the article comes last
HEADS = ("ال", "لل", "ي", "ت", "ن", "ا", "م", "ل", "ب")  # how words of one kind begin
TAILS = ("ات", "ين", "ون", "ان", "يه", "ها", "ه", "ي", "ت", "ا")  # and end
DERIVING = ("ال", "ي", "ت", "ن", "است", "ا", "م")  # before the root of a verb or noun
ENDINGS = ("هما", "ها", "هم", "ات", "ين", "ون", "وا", "ان", "ته", "ت", "ه", "ا")


@dataclass(frozen=True)
class Words:
    """Offsets, lemmas, stems and shapes of words [N], what stands before each and after the last [N + 1].

    `gaps` are punctuation and symbols; of a text of words and spaces all are empty.
    """

    places: tuple[Offsets, ...]
    lemmas: tuple[str, ...]
    stems: tuple[str, ...]
    shapes: tuple[str, ...]
    gaps: tuple[str, ...]

    def lemma(self, i: int) -> str:
        """The lemma of a word, `EDGE` beyond the first and last."""
        return self.lemmas[i] if 0 <= i < len(self.lemmas) else EDGE

    def stem(self, i: int) -> str:
        """The stem of a word, `EDGE` beyond the first and last."""
        return self.stems[i] if 0 <= i < len(self.stems) else EDGE

    def shape(self, i: int) -> str:
        """The shape of a word, `EDGE` beyond the first and last."""
        return self.shapes[i] if 0 <= i < len(self.shapes) else EDGE

    def at(self, place: Offsets) -> range:
        """The numbers of the words that a stretch of text overlaps."""
        ended = sum(end <= place[0] for _, end in self.places)
        return range(ended, max(ended, sum(start < place[1] for start, _ in self.places)))


class Lexicon:
    """The words of training texts; a word is known by what is left without و ف س ب ل ك and the article.

    Args:
        texts: of the training rows.
        stems: that a word has wherever some of it makes one.
    """

    def __init__(self, texts: Iterable[str], stems: Iterable[str] = ()) -> None:
        self.known = Counter(fold(word) for text in texts for word in WORD.findall(text))
        self.lemmas: Counter[str] = Counter()
        for word, count in self.known.items():
            self.lemmas[self.lemma(word)] += count
        self.given = frozenset(stems)
        self.stems = self.given.union(map(stem, self.lemmas))

    def lemma(self, folded: str) -> str:
        """A folded word without its clitics, as far as what is left is a training word: وزير keeps its و."""
        return next((part for part in reversed(_stripped(folded)) if part in self.known), folded)

    def stem(self, folded: str) -> str:
        """The stem of a folded word; of a new one that which is known, where leaving clitics out leads to one."""
        made = [stem(part) for part in _stripped(folded)]
        lemma = self.lemma(folded)
        known = self.given if lemma in self.known else self.stems
        return next((one for one in made if one in known), stem(lemma))

    def words(self, text: str, place: Offsets) -> Words:
        """The words of a stretch of a text."""
        places = tuple(match.span() for match in WORD.finditer(text, *place))
        folded = [fold(text[start:end]) for start, end in places]
        lemmas = tuple(self.lemma(word) for word in folded)
        rare = ["?" if self.lemmas[lemma] < RARE else "" for lemma in lemmas]
        ends, starts = [place[0], *(end for _, end in places)], [*(start for start, _ in places), place[1]]
        return Words(
            places,
            lemmas,
            tuple(self.stem(word) for word in folded),
            tuple(shape(word) + mark for word, mark in zip(folded, rare, strict=True)),
            tuple("".join(text[end:start].split()) for end, start in zip(ends, starts, strict=True)),
        )


def _stripped(folded: str) -> list[str]:
    """A folded word, then ever less of it."""
    parts = [folded]
    for clitics in CLITICS:
        word = parts[-1]
        if word[0] in clitics and len(word) > 3:
            parts.append("ا" + word[1:] if word.startswith("لل") else word[1:])
    if parts[-1].startswith("ال") and len(parts[-1]) > 4:
        parts.append(parts[-1][2:])
    return parts


@lru_cache(50_000)
def stem(lemma: str) -> str:
    """The first letters of a lemma without those of the imperfect, of derivation and of an ending: a light stem."""
    rest = lemma
    for head in DERIVING:
        if rest.startswith(head) and len(rest) - len(head) >= 3:
            rest = rest[len(head) :]
    tail = next((one for one in ENDINGS if rest.endswith(one) and len(rest) - len(one) >= 3), "")
    return rest[: len(rest) - len(tail)][:STEM]


def shape(folded: str) -> str:
    """How a folded word begins and ends: all that is known of a new one."""
    if folded[0].isdigit():
        return "0"
    rest = folded[1:] if folded[0] in "وف" and len(folded) > 4 else folded
    head = next((one for one in HEADS if rest.startswith(one)), "")
    tail = next((one for one in TAILS if rest.endswith(one)), "")
    return f"{head}-{tail}"


class Shares:
    """How often labels hold, by what is known of a row: its chains, (what is looked at, general key, ..., special key).

    In a chain the share of a rare key is drawn to that of the key before it, and the first to that of all rows:
    share(key) = (hits + WEIGHT share(key before)) / (rows + WEIGHT). Chains are taken to be independent, as naive Bayes
    does: what each adds to the log-odds of all rows is summed.

    Args:
        labels: L.
        kind: one label holds (single), or each on its own (multi).
        rows: of each its chains, and 1 where a label holds [L].
    """

    def __init__(self, labels: int, kind: Kind, rows: Iterable[tuple[Iterable[Chain], Floats]]) -> None:
        self.kind: Kind = kind
        self.count: Counter[Hashable] = Counter()
        self.hits: dict[Hashable, Floats] = {}
        total, holds = 0, np.zeros(labels)
        for chains, hit in rows:
            total += 1
            holds += hit
            for look, *keys in chains:
                for depth, key in enumerate(keys):
                    at = look, depth, key
                    self.count[at] += 1
                    self.hits[at] = self.hits[at] + hit if at in self.hits else hit
        self.all: Floats = (holds + (1 / labels if kind == "single" else 0.0)) / (total + 1)

    def logits(self, chains: Iterable[Chain]) -> Floats:
        """Log-odds of each label [L] (multi), or logarithms whose softmax are shares (single)."""
        start = self.log(self.all)
        found = start.copy()
        for look, *keys in chains:
            share = self.all
            for depth, key in enumerate(keys):
                if count := self.count[look, depth, key]:
                    share = (self.hits[look, depth, key] + WEIGHT * share) / (count + WEIGHT)
            found += self.log(share) - start
        return found

    def log(self, share: Floats) -> Floats:
        """The scale on which chains are summed [L]."""
        inside = np.clip(share, LEAST, 1 - LEAST)
        return np.asarray(np.log(inside / (1 - inside) if self.kind == "multi" else inside))

    def knows(self, chain: Chain) -> bool:
        """Whether any key of a chain stood in a row."""
        look, *keys = chain
        return any(self.count[look, depth, key] for depth, key in enumerate(keys))
