"""What is asked about the spans of an article, of gold as of those that a model found: which, and which pairs of them.

A participant may be named in the sentence, else in the headline, else in the sentence before (seeds/GUIDELINES.md), and
outside its own sentence by one mention: of several of one actor the first in that order.

A question is three numbers: head, tail (the head again where one span is asked about) and sentence. A head below 0 is
no span: -1 the outlet, -2 somebody unnamed. Shapes: P questions.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from khabar.data.graph import Spot
from khabar.schema import HOLDERS, Offsets, Task

Ints = NDArray[np.int64]
CODES = tuple(range(-1, -1 - len(HOLDERS), -1))  # of the holders that no span is


def holder(head: int) -> str | None:
    """The holder that a head below 0 stands for."""
    return HOLDERS[-1 - head] if head < 0 else None


class Layout:
    """The spans of an article by sentence; one that lies in no sentence is asked about nowhere.

    Args:
        sentences: of the article, headline first.
        spots: all spans of the article, which go by their numbers.
        among: the numbers of those to ask about; None: all.
        decoys: numbers of spans that no annotator marked: they are asked about beside real ones, and only there.
    """

    def __init__(
        self,
        sentences: Sequence[Offsets],
        spots: Sequence[Spot],
        among: Iterable[int] | None = None,
        decoys: Collection[int] = (),
    ) -> None:
        self._spots, self._decoys = spots, decoys
        self._own: list[list[int]] = [[] for _ in sentences]
        self._alike: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        starts = [start for start, _ in sentences]
        numbers = range(len(spots)) if among is None else among
        for one in sorted(numbers, key=lambda number: spots[number].at):
            at = bisect_right(starts, spots[one].start) - 1
            if at >= 0 and spots[one].end <= sentences[at][1]:
                self._own[at].append(one)
                if one not in decoys:
                    self._alike[spots[one].layer, spots[one].type].append(one)
        self._near: dict[int, list[int]] = {}

    def questions(self, head: Task) -> Ints:
        """What a head asks of the article, sentence by sentence [P, 3]."""
        asked = [self._asked(head, sentence) for sentence in range(len(self._own))]
        return self._of_others(head, np.concatenate([np.zeros((0, 3), np.int64), *asked]))

    def of_sentence(self, head: Task, sentence: int) -> Ints:
        """What a head asks of one sentence [P, 3]."""
        return self._of_others(head, self._asked(head, sentence))

    def _asked(self, head: Task, sentence: int) -> Ints:
        """That, and what somebody thinks of himself."""
        if head.level == "span":
            ends = [(one, one) for one in self._on(head, sentence)]
        elif head.links:  # the later and an earlier one that may be the same
            ends = [(one, other) for one in self._on(head, sentence) for other in self._before(one)]
        elif "actor" in head.on:  # every holder on every target
            holders = np.array([*CODES, *self.near(sentence)], np.int64)
            targets = np.array(self._of(sentence, lambda one: self._spots[one].layer in head.to), np.int64)
            head_P, tail_P = np.tile(holders, len(targets)), np.repeat(targets, len(holders))
            return np.stack([head_P, tail_P, np.full(len(head_P), sentence)], axis=1)
        else:
            ends = [(one, other) for one in self._on(head, sentence) for other in self.near(sentence)]
        return np.array([(*pair, sentence) for pair in ends], np.int64).reshape(-1, 3)

    def near(self, sentence: int) -> list[int]:
        """The actors of a sentence, then those whom only the headline names, then only the sentence before."""
        if sentence not in self._near:
            found = self._of(sentence, lambda one: self._spots[one].layer == "actor")
            named = {self._spots[one].called for one in found}
            for other in dict.fromkeys((0, max(0, sentence - 1))):
                for one in self._own[other] if other != sentence else ():
                    spot = self._spots[one]
                    if spot.layer == "actor" and spot.called not in named and one not in self._decoys:
                        named.add(spot.called)
                        found.append(one)
            self._near[sentence] = found
        return self._near[sentence]

    @cached_property
    def _key(self) -> Ints:
        """Of each span a number for its key."""
        return _numbered(spot.key for spot in self._spots)

    @cached_property
    def _place(self) -> Ints:
        """Of each span a number for its offsets."""
        return _numbered(spot.at for spot in self._spots)

    def _of(self, sentence: int, wanted: Callable[[int], bool]) -> list[int]:
        return [one for one in self._own[sentence] if wanted(one)]

    def _on(self, head: Task, sentence: int) -> list[int]:
        return self._of(sentence, lambda one: self._spots[one].layer in head.on and one not in self._decoys)

    def _before(self, one: int) -> list[int]:
        spot = self._spots[one]
        return [other for other in self._alike[spot.layer, spot.type] if self._spots[other].start < spot.start]

    def _of_others(self, head: Task, asked_P3: Ints) -> Ints:
        """The questions without those for what somebody thinks of himself."""
        if head.level == "span" or "actor" not in head.on:
            return asked_P3
        head_P, tail_P, _ = asked_P3.T
        first_P = np.maximum(head_P, 0)
        one_P = (self._key[first_P] == self._key[tail_P]) | (self._place[first_P] == self._place[tail_P])
        kept_P3: Ints = asked_P3[(head_P < 0) | ~one_P]
        return kept_P3


def _numbered(values: Iterable[Hashable]) -> Ints:
    """The same number for the same value."""
    known: dict[Hashable, int] = {}
    return np.array([known.setdefault(value, len(known)) for value in values], np.int64)
