"""Marks spans by a dictionary: how often a word of the training sentences begins one, how often one goes on with it.

A trigger is known by its word, stem and shape; an actor also by the word before it; a claim by the word and
punctuation before it, and by what it stops at. Shapes: N words of a sentence.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from khabar.data import marks
from khabar.evaluation import calibration
from khabar.evaluation.scored import Floats
from khabar.inference.predictors._dictionary import Chain, Lexicon, Shares, Words
from khabar.models.tagging import GRID
from khabar.schema import Example, Found

GOES = (0.3, 0.4, 0.5, 0.6, 0.7)  # shares of going on that are tried
Pair = tuple[int, int]  # the first and last word of a span
Look = Callable[[str, Words, int], list[Chain]]


def beginning(layer: str, words: Words, i: int) -> list[Chain]:
    """What tells that a span begins with a word."""
    before, gap = (words.stem(i - 1), words.lemma(i - 1)), words.gaps[i]
    if layer == "claim":
        return [("before", gap, *((gap, one) for one in before))]
    own: list[Chain] = [("shape", words.shapes[i]), ("word", words.stems[i], words.lemmas[i])]
    return [*own, ("before", *before)] if layer == "actor" else own


def going(layer: str, words: Words, i: int) -> list[Chain]:
    """What tells that a span goes on with a word."""
    gap, lemma, shape = words.gaps[i], words.lemmas[i], words.shapes[i]
    if layer == "claim":
        return [("shape", gap, (gap, shape)), ("word", words.stems[i], lemma, (gap, lemma))]
    if layer == "actor":
        return [
            ("shape", gap, (gap, shape), (gap, words.shape(i - 1), shape)),
            ("word", words.stems[i], lemma),
            ("before", words.stem(i - 1), words.lemma(i - 1)),
        ]
    return [("word", gap, lemma), ("phrase", (words.lemma(i - 1), lemma))]


@dataclass
class Layer:
    """The spans of one layer: one begins where the share is `begins` or more, goes on while it is `goes` or more."""

    name: str
    begin: Shares
    go: Shares
    begins: float = 0.5
    goes: float = 0.5

    def beginnings(self, words: Words) -> Floats:
        """Of each word the share of a span's beginning [N]."""
        return self._shares(self.begin, beginning, words)

    def find(self, words: Words) -> list[Found]:
        """The spans of a sentence, with the mean share of their words; a quotation that opens in one ends in it."""
        begin, go = self.shares(words)
        found = []
        for first, last in decode(begin, go, self.begins, self.goes):
            score = (begin[first] + go[first + 1 : last + 1].sum()) / (last - first + 1)
            inside = "".join(words.gaps[first + 1 : last + 1])
            closes = inside.count("«") > inside.count("»") and words.gaps[last + 1].startswith("»")
            found.append(Found(self.name, words.places[first][0], words.places[last][1] + closes, float(score)))
        return found

    def shares(self, words: Words) -> tuple[Floats, Floats]:
        """Of each word the shares of beginning and of going on [N]."""
        return self.beginnings(words), self._shares(self.go, going, words)

    def _shares(self, shares: Shares, look: Look, words: Words) -> Floats:
        logits = [shares.logits(look(self.name, words, i)) for i in range(len(words.places))]
        return calibration.apply(np.array(logits).reshape(-1, 1), 1.0, "multi")[:, 0]


def decode(begin: Floats, go: Floats, begins: float, goes: float) -> list[Pair]:
    """The spans of a sentence, none overlapping, given the shares of its words [N]."""
    found = []
    first = 0
    while first < len(begin):
        last = first
        if begin[first] >= begins:
            while last + 1 < len(go) and go[last + 1] >= goes:
                last += 1
            found.append((first, last))
        first = last + 1
    return found


def fit(layers: Sequence[str], lexicon: Lexicon, train: Sequence[Example], dev: Sequence[Example]) -> dict[str, Layer]:
    """Count the training sentences; `begins` and `goes` are those of the highest F1 of exact spans on dev."""
    found = {}
    rows, held = ([(lexicon.words(row.text, _sentence(row)), row) for row in part] for part in (train, dev))
    for name in layers:
        told = [(words, _gold(name, words, row)) for words, row in rows]
        begin = Shares(1, "multi", (one for words, gold in told for one in _begin_rows(name, words, gold)))
        go = Shares(1, "multi", (one for words, gold in told for one in _go_rows(name, words, gold)))
        found[name] = layer = Layer(name, begin, go)
        if held:
            _tune(layer, [(words, _gold(name, words, row)) for words, row in held])
    return found


def _sentence(row: Example) -> Pair:
    return row.span or (0, len(row.text))


def _gold(layer: str, words: Words, row: Example) -> list[Pair]:
    numbers = [words.at((span.start, span.end)) for span in marks.inside(row) if span.layer == layer]
    return [(each[0], each[-1]) for each in numbers if each]


def _begin_rows(layer: str, words: Words, gold: Sequence[Pair]) -> Iterator[tuple[list[Chain], Floats]]:
    """The words where a span may begin: none goes on there."""
    firsts = {first for first, _ in gold}
    further = {i for first, last in gold for i in range(first + 1, last + 1)} - firsts
    for i in range(len(words.places)):
        if i not in further:
            yield beginning(layer, words, i), np.array([float(i in firsts)])


def _go_rows(layer: str, words: Words, gold: Sequence[Pair]) -> Iterator[tuple[list[Chain], Floats]]:
    """The words of spans but the first, and the word after each."""
    for first, last in gold:
        for i in range(first + 1, min(last + 2, len(words.places))):
            yield going(layer, words, i), np.array([float(i <= last)])


def _tune(layer: Layer, rows: Sequence[tuple[Words, list[Pair]]]) -> None:
    """Choose `begins` and `goes`; of equally good ones the first."""
    shares = [(*layer.shares(words), set(gold)) for words, gold in rows]
    there = sum(len(gold) for *_, gold in shares)
    best = -1.0
    for begins in GRID.tolist():
        for goes in GOES:
            spans = [decode(begin, go, begins, goes) for begin, go, _ in shares]
            hits = sum(len(gold.intersection(one)) for one, (*_, gold) in zip(spans, shares, strict=True))
            f1 = 2 * hits / max(1, there + sum(map(len, spans)))
            if f1 > best:
                best, layer.begins, layer.goes = f1, begins, goes
