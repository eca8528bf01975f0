"""What the rules look at to answer questions about marks: the trigger's word, who stands next to what, in which order.

The questions of one sentence are looked at together, for which actor is the nearest depends on who else is asked about.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from khabar.inference.predictors._dictionary import Chain, Lexicon, Shares, Words
from khabar.inference.predictors._rules_spans import Layer
from khabar.schema import OUTLET, Example, Offsets, Task

CUES = 4  # words before a trigger that may tell its status
DENIAL = 6  # words before a claim that may deny it
SHORT = 2  # words of an event at most: of longer spans that are no actors, all are claims
FAVOR = ("AGREE", "SUPPORT", "COOPERATE", "AID", "CONCEDE", "RETREAT")
AGAINST = ("ACCUSE", "REJECT", "THREATEN", "SANCTION", "ASSAULT", "COERCE", "PROTEST", "MOBILIZE")
DENIES = ("نفي", "نفت", "نكر", "رفض", "كذب", "فند")  # stems
DOUBTS = ("زعم", "زعوم", "زاعم", "دعي")  # stems of يزعم المزعوم مزاعم يدعي

Numbers = dict[int, list[Chain]]  # of each question, by its number, what there is to see


@dataclass(frozen=True)
class Sight:
    """What answers of one kind may rest on: the words, where triggers are found, and their types."""

    lexicon: Lexicon
    events: Layer | None
    types: tuple[str, ...] = ()
    typed: Shares | None = None

    def look(self, head: Task, rows: Sequence[Example], *, cues: bool = False) -> list[list[Chain]]:
        """Of each question what there is to see."""
        sentences: defaultdict[tuple[str, Offsets], list[int]] = defaultdict(list)
        holders: defaultdict[str, set[Offsets]] = defaultdict(set)
        for number, row in enumerate(rows):
            sentences[row.article, _within(row)].append(number)
            holders[row.article].update({row.span} if row.span else ())
        found: Numbers = {}
        for (article, within), numbers in sentences.items():
            words = self.lexicon.words(rows[numbers[0]].text, within)
            asked = {number: rows[number] for number in numbers}
            if head.level == "span":
                found |= {number: list(of_span(words, _head(row), cues=cues)) for number, row in asked.items()}
            elif head.on == head.to:
                found |= {number: list(self._of_two(words, row)) for number, row in asked.items()}
            elif "actor" in head.on:
                found |= self._of_stances(head, words, asked, holders[article])
            else:
                found |= of_roles(words, asked)
        return [found[number] for number in range(len(rows))]

    def type(self, words: Words, first: int) -> str:
        """The type of a trigger by the dictionary, nothing where its word is unknown."""
        chain = of_word(words, first)
        if self.typed is None or not self.typed.knows(chain):
            return ""
        return self.types[int(self.typed.logits([chain]).argmax())]

    def triggers(self, words: Words) -> list[tuple[int, str]]:
        """The triggers that are found in a sentence: number of the word, and type."""
        if self.events is None:
            return []
        begins = self.events.beginnings(words) >= self.events.begins
        return [(i, self.type(words, i)) for i in begins.nonzero()[0].tolist()]

    def _of_two(self, words: Words, row: Example) -> Iterator[Chain]:
        """Of two triggers that may be one act: whether the words are alike, how the later one looks."""
        later, earlier = (self.lexicon.words(row.text, place) for place in (_head(row), _tail(row)))
        stems = later.stem(0), earlier.stem(0)
        alike = stems[0] == stems[1]
        root = stems[0][:3] == stems[1][:3]
        yield "alike", root, (root, alike), (alike, later.lemmas == earlier.lemmas)
        yield "headline", "\n" not in row.text[: _tail(row)[0]]
        yield "form", later.shape(0)

    def _of_stances(self, head: Task, words: Words, asked: dict[int, Example], holders: set[Offsets]) -> Numbers:
        within = _within(next(iter(asked.values())))
        own = sorted(place for place in holders if _inside(place, within))
        triggers = self.triggers(words)
        found: Numbers = {}
        for number, row in asked.items():
            tail = _tail(row)
            layer = _layer(head, words, tail, holders)
            slot = row.holder or _slot(_head(row), tail, own, within)
            rule = sides(words, row, layer, own, triggers)
            found[number] = [("slot", layer, (layer, slot), (layer, slot, rule))]
        return found


def of_word(words: Words, first: int) -> Chain:
    """A trigger's word."""
    return "word", words.stem(first)[:3], words.stem(first), words.lemma(first)


def of_span(words: Words, place: Offsets, *, cues: bool) -> Iterator[Chain]:
    """Of a question about one span: its words; with cues also its shape and the words before it."""
    at = words.at(place)
    yield of_word(words, at.start)
    for i in at[1:]:
        yield "further", words.stem(i), words.lemma(i)
    if cues:
        yield "shape", words.shape(at.start)
        for i in range(max(0, at.start - CUES), at.start):
            yield "before", words.lemma(i)


def of_roles(words: Words, asked: dict[int, Example]) -> Numbers:
    """Of events and the actors that may have a part in them.

    An actor's rank among those after the trigger, or before it, with the number of other triggers between and how many
    actors there are on both sides; its first word, and the word before it.
    """
    within = _within(next(iter(asked.values())))
    events = {_head(row) for row in asked.values()}
    own = {_tail(row) for row in asked.values() if _inside(_tail(row), within)}
    found: Numbers = {}
    for number, row in asked.items():
        event, actor = _head(row), _tail(row)
        after = sorted(place for place in own if place[0] >= event[1])
        before = sorted((place for place in own if place[0] < event[1]), reverse=True)
        sentence = min(2, len(before)), min(3, len(after))
        if actor not in own:
            found[number] = [("slot", "away", "away", ("away", sentence))]
            continue
        side, nearest = ("after", after) if actor in after else ("before", before)
        slot = side, min(2, nearest.index(actor))
        between = sum(min(event, actor) < other < max(event, actor) for other in events)
        first = words.at(actor).start
        found[number] = [
            ("slot", slot, (slot, min(2, between)), (slot, min(2, between), sentence)),
            ("before", words.stem(first - 1), words.lemma(first - 1)),
            ("actor", words.stem(first), words.lemma(first)),
        ]
    return found


def sides(words: Words, row: Example, layer: str, own: Sequence[Offsets], triggers: Sequence[tuple[int, str]]) -> str:
    """The side that a plain rule gives a holder: favor, against, or none.

    The actor nearest before a claim is for it, or against it after a trigger REJECT or a word of denial; who stands
    nearest a trigger takes its side towards the next actor; the outlet is against what it calls alleged.
    """
    first = words.at(_tail(row)).start
    if row.span is None:
        doubted = any(words.stem(i) in DOUBTS for i in range(first - CUES, first))
        return "against" if row.holder == OUTLET and layer == "claim" and doubted else "none"
    if row.span not in own:
        return "none"
    if layer == "claim":
        if row.span != max((place for place in own if place < _tail(row)), default=None):
            return "none"
        last = next((type_ for i, type_ in reversed(triggers) if i < first), "")
        denied = any(words.stem(i) in DENIES for i in range(first - DENIAL, first))
        return "against" if last == "REJECT" or denied else "favor"
    if layer == "actor" and triggers:
        holder = words.at(row.span).start
        trigger, type_ = min(triggers, key=lambda one: abs(one[0] - holder))
        follows = next((place for place in own if place > row.span), None)
        if follows == _tail(row) and trigger < first:
            return "favor" if type_ in FAVOR else "against" if type_ in AGAINST else "none"
    return "none"


def _layer(head: Task, words: Words, place: Offsets, holders: set[Offsets]) -> str:
    """What a target most likely is: an actor that is asked about as a holder too, a short event, or a claim."""
    if "actor" in head.to and place in holders:
        return "actor"
    if "event" in head.to and ("claim" not in head.to or len(words.at(place)) <= SHORT):
        return "event"
    return "claim" if "claim" in head.to else head.to[0]


def _slot(holder: Offsets, target: Offsets, own: Sequence[Offsets], within: Offsets) -> str:
    """Where a holder stands: before its target or after it, with how many other actors in between, within it, away."""
    if not _inside(holder, within):
        return "away"
    low, high = min(holder, target)[0], max(holder, target)[0]
    between = sum(low < place[0] < high for place in own if place != holder)
    return f"{'before' if holder[0] < target[0] else 'after'} {min(2, between)} {_inside(holder, target)}"


def _within(row: Example) -> Offsets:
    return row.within or (0, len(row.text))


def _head(row: Example) -> Offsets:
    return row.span or _within(row)


def _tail(row: Example) -> Offsets:
    return row.tail or _within(row)


def _inside(place: Offsets, other: Offsets) -> bool:
    return other[0] <= place[0] and place[1] <= other[1]
