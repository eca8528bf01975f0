"""What is looked at of a pass: units, pairs of units within a third, words of sentences to mark."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from khabar.models import tagging
from khabar.schema import OUTLET, Example

Ints = NDArray[np.int64]
PART = -1  # the example of a unit that is only a part of others' questions
KNOWN = 2  # heads of a pair that are no unit: the outlet (-1), somebody unnamed (-2)
STEPS = (1, 2, 4, 8, 16)  # tokens between head and tail, on either side, up to which a distance is told from the next
NESTED = len(STEPS) + 1  # head and tail overlap
ELSEWHERE = 2 * len(STEPS) + 3  # the head or tail stands outside the sentence
DISTANCES = ELSEWHERE + 2  # and the last one: the head is no unit


@dataclass(frozen=True, slots=True)
class Unit:
    """The tokens of one example: `windows[i], positions[i]` within its pass."""

    example: int
    windows: Ints
    positions: Ints


@dataclass(frozen=True, slots=True)
class Pair:
    """A question about two units of a pass, within a third; head -1 and -2: the outlet, somebody unnamed."""

    example: int
    head: int
    tail: int
    within: int
    distance: int


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a sentence to mark: windows and positions of first and last token, and their offsets: all [N, 2]."""

    example: int
    windows: Ints
    positions: Ints
    places: Ints


class Pieces:
    """The pieces of one pass, as examples come in.

    Args:
        examples: by number.
        offsets: of the text's tokens [N, 2].
        at: window and position of tokens.
    """

    def __init__(self, examples: Mapping[int, Example], offsets: Ints, at: Callable[[Ints], tuple[Ints, Ints]]) -> None:
        self.units: list[Unit] = []
        self.words: list[Words] = []
        self._pairs: list[tuple[int, int, int, int]] = []
        self._ends: list[tuple[int, int]] = []  # of each unit, half-open
        self._examples, self._offsets, self._at = examples, offsets, at
        self._known: dict[tuple[int, int], int] = {}

    def add(self, index: int, parts: list[Ints], *, marks: bool) -> None:
        """Take in an example, given its tokens, or those of its sentence, head and tail."""
        example = self._examples[index]
        if example.within is not None:
            within, *spans = map(self._part, parts)
            head = spans[0] if example.span is not None else -1 if example.holder == OUTLET else -2
            self._pairs.append((index, head, spans[-1], within))
        elif marks:
            inside = parts[0]
            start, end = example.span or (0, len(example.text))
            places, ends = tokens_of(tagging.words(example.text, start, end), self._offsets[inside])
            self.words.append(Words(index, *self._at(inside[ends]), places))
        else:
            self._unit(index, parts[0])

    def pairs(self) -> tuple[Pair, ...]:
        """The pairs that came in, with their distances."""
        if not self._pairs:
            return ()
        pairs_P3 = np.array([pair[1:] for pair in self._pairs], np.int64)
        far = distances(np.array(self._ends, np.int64), pairs_P3).tolist()
        return tuple(Pair(*pair, distance) for pair, distance in zip(self._pairs, far, strict=True))

    def _part(self, tokens: Ints) -> int:
        key = int(tokens[0]), int(tokens[-1])
        if key not in self._known:
            self._known[key] = self._unit(PART, tokens)
        return self._known[key]

    def _unit(self, example: int, tokens: Ints) -> int:
        self.units.append(Unit(example, *self._at(tokens)))
        self._ends.append((int(tokens[0]), int(tokens[-1]) + 1))
        return len(self.units) - 1


def tokens_of(places_N2: Ints, offsets_M2: Ints) -> tuple[Ints, Ints]:
    """The words of which normalisation left something, and the numbers of the first and last token of each [N, 2].

    Args:
        places_N2: offsets of words.
        offsets_M2: offsets of tokens.
    """
    firsts = np.searchsorted(offsets_M2[:, 0], places_N2[:, 0])
    lasts = np.searchsorted(offsets_M2[:, 0], places_N2[:, 1]) - 1
    there = lasts >= firsts
    return places_N2[there], np.stack([firsts[there], lasts[there]], axis=1)


def distances(ends_U2: Ints, pairs_P3: Ints) -> Ints:
    """How far the tail is behind the head, in steps of tokens, -5 to 5 as 1 to 11; where they can't be compared, more.

    Args:
        ends_U2: first token of each unit, and the one after its last.
        pairs_P3: units that are head (below 0: no unit), tail and sentence.
    """
    head_P2, tail_P2, within_P2 = (ends_U2[np.maximum(pairs_P3[:, i], 0)] for i in range(3))
    ahead = tail_P2[:, 0] - head_P2[:, 1] + 1
    behind = head_P2[:, 0] - tail_P2[:, 1] + 1
    step = np.searchsorted(STEPS, np.maximum(ahead, behind)) + 1
    found = NESTED + np.where(ahead > 0, step, -step)
    found = np.where((ahead <= 0) & (behind <= 0), NESTED, found)
    low, high = np.minimum(head_P2[:, 0], tail_P2[:, 0]), np.maximum(head_P2[:, 1], tail_P2[:, 1])
    found = np.where((low < within_P2[:, 0]) | (high > within_P2[:, 1]), ELSEWHERE, found)
    return np.asarray(np.where(pairs_P3[:, 0] < 0, DISTANCES - 1, found))
