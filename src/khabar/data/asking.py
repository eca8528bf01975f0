"""What is asked about marks, of gold as of those that a model found: which spans, and which pairs of them.

A participant may be named in the sentence, else in the headline, else in the sentence before (seeds/GUIDELINES.md), and
outside its own sentence by one mention: of several of one entity the first in that order.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from khabar.schema import HOLDERS, Offsets, Task


class Candidate(NamedTuple):
    """A span that a question may be about, of gold or found by a model; `entity` is alike for mentions of one actor.

    A decoy is one that no annotator marked; `number` is whoever asks to know it by.
    """

    layer: str
    start: int
    end: int
    entity: str
    type: str = ""
    decoy: bool = False
    number: int = -1

    @property
    def at(self) -> Offsets:
        """Its offsets."""
        return self.start, self.end


class Asked(NamedTuple):
    """A question about marks: head (None: `holder`), tail of a pair, the sentence."""

    head: Candidate | None
    tail: Candidate | None
    within: Offsets
    holder: str | None = None


class Layout:
    """The candidates of an article by sentence; one that lies in no sentence is asked about nowhere.

    Args:
        sentences: of the article, headline first.
        candidates: in any order.
    """

    def __init__(self, sentences: Sequence[Offsets], candidates: Sequence[Candidate]) -> None:
        self.sentences = sentences
        self._own: list[list[Candidate]] = [[] for _ in sentences]
        self._alike: defaultdict[tuple[str, str], list[Candidate]] = defaultdict(list)
        starts = [start for start, _ in sentences]
        for one in sorted(candidates, key=lambda one: (one.start, one.end)):
            at = bisect_right(starts, one.start) - 1
            if at >= 0 and one.end <= sentences[at][1]:
                self._own[at].append(one)
                if not one.decoy:
                    self._alike[one.layer, one.type].append(one)
        self._near: dict[int, list[Candidate]] = {}

    def questions(self, head: Task, sentence: int) -> Iterator[Asked]:
        """What a head asks of a sentence, given by its number."""
        within, own = self.sentences[sentence], self._own[sentence]
        asked = [one for one in own if one.layer in head.on and not one.decoy]
        if head.level == "span":
            yield from (Asked(one, None, within) for one in asked)
        elif head.links:  # the later and an earlier one that may be the same
            for later in asked:
                same = self._alike[later.layer, later.type]
                yield from (Asked(later, one, within) for one in same if one.start < later.start)
        elif "actor" in head.on:  # holders and targets
            holders = self.near(sentence)
            for target in (one for one in own if one.layer in head.to):
                yield from (Asked(None, target, within, holder) for holder in HOLDERS)
                of = target.entity if target.layer == "actor" else None
                yield from (Asked(one, target, within) for one in holders if one.entity != of and one.at != target.at)
        else:
            near = self.near(sentence)
            yield from (Asked(one, other, within) for one in asked for other in near)

    def near(self, sentence: int) -> list[Candidate]:
        """The actors of a sentence, then those whom only the headline names, then only the sentence before."""
        if sentence not in self._near:
            found = [one for one in self._own[sentence] if one.layer == "actor"]
            named = {one.entity for one in found}
            for other in dict.fromkeys((0, max(0, sentence - 1))):
                for one in self._own[other] if other != sentence else ():
                    if one.layer == "actor" and one.entity not in named and not one.decoy:
                        named.add(one.entity)
                        found.append(one)
            self._near[sentence] = found
        return self._near[sentence]
