"""Spans as tags of words and back: for each layer, does a span begin at this word, does one go on.

Punctuation belongs to no span's end. Layers are tagged apart, so that a claim may hold actors; spans of one layer do
not overlap. Shapes: N words, Y layers.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from khabar.schema import Found, overlap
from khabar.text.words import WORD

GRID = np.array([0.01, 0.02, 0.03, *np.round(np.arange(0.05, 0.96, 0.05), 2)])  # thresholds that are tried
RECALL = 4.0  # F-measure's beta squared of a layer whose spans a relation must still confirm

Floats = NDArray[np.float64]


def words(text: str, start: int, end: int) -> NDArray[np.int64]:
    """Offsets of the words of a stretch of text [N, 2]."""
    return np.array([match.span() for match in WORD.finditer(text, start, end)], np.int64).reshape(-1, 2)


def tags(
    places_N2: NDArray[np.int64], spans: Sequence[tuple[str, int, int]], layers: Sequence[str]
) -> NDArray[np.float32]:
    """Targets [N, 2 Y]: columns 2y and 2y + 1 are 1 where a span of layer y begins and where it goes on."""
    made = np.zeros((len(places_N2), 2 * len(layers)), np.float32)
    for layer, start, end in spans:
        inside = np.flatnonzero((places_N2[:, 0] < end) & (places_N2[:, 1] > start))
        if layer in layers and len(inside):
            column = 2 * layers.index(layer)
            made[inside[0], column] = 1.0
            made[inside[1:], column + 1] = 1.0
    return made


def decode(
    places_N2: NDArray[np.int64], prob_NK: Floats, thresholds: Sequence[float], layers: Sequence[str]
) -> list[Found]:
    """The spans whose first word begins one, and every further word goes on, with a probability over the threshold.

    A word that rather begins a span than goes on ends the one before. The score is the mean over its words.
    """
    found = []
    for y, (layer, cut) in enumerate(zip(layers, thresholds, strict=True)):
        begins, goes = prob_NK[:, 2 * y], prob_NK[:, 2 * y + 1]
        starts = np.flatnonzero(begins >= cut)
        inside = (goes >= np.maximum(cut, begins)).tolist()
        taken = -1
        for first in starts.tolist():
            if first <= taken:
                continue
            last = first
            while last + 1 < len(inside) and inside[last + 1]:
                last += 1
            taken = last
            score = float((begins[first] + goes[first + 1 : last + 1].sum()) / (last - first + 1))
            found.append(Found(layer, int(places_N2[first, 0]), int(places_N2[last, 1]), score))
    return sorted(found, key=lambda one: (one.start, -one.end))


def fit_thresholds(
    tagged: Sequence[tuple[NDArray[np.int64], Floats, Sequence[tuple[str, int, int]]]],
    layers: Sequence[str],
    patient: Sequence[bool],
) -> tuple[float, ...]:
    """Of each layer, the threshold of the best F-measure of spans that share a word with a gold one.

    A `patient` layer counts recall `RECALL` times as much as precision (F2): what is found needless there, a relation's
    scorer can still say no to. A trigger is an event at once, so its layer weighs both alike (F1).

    Args:
        tagged: for each sentence the words, probabilities [N, 2 Y] and gold spans.
        layers: the Y layers.
        patient: of each layer.
    """
    chosen = []
    for y, layer in enumerate(layers):
        weight = RECALL if patient[y] else 1.0
        best = (-1.0, 0.5)
        for cut in GRID.tolist():
            right = told = met = there = 0
            for places, prob, gold in tagged:
                mine = [(start, end) for name, start, end in gold if name == layer]
                found = decode(places, prob[:, 2 * y : 2 * y + 2], (cut,), (layer,))
                right += sum(any(overlap((one.start, one.end), each) for each in mine) for one in found)
                met += sum(any(overlap((one.start, one.end), each) for one in found) for each in mine)
                told += len(found)
                there += len(mine)
            precision, recall = right / max(1, told), met / max(1, there)
            value = (1 + weight) * precision * recall / max(1e-9, weight * precision + recall)
            best = max(best, (value, cut))
        chosen.append(best[1])
    return tuple(chosen)
