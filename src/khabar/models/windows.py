"""From examples to what an encoder reads: windows of running text, and which tokens of them belong to which example.

A text is tokenised once and cut into overlapping windows. A token that lies in two windows is owned by the one in which
it lies deeper, so every token counts once. A sentence, an article and a span are all the same thing, a unit: the owned
tokens of a stretch of text. Nothing here depends on which other examples stand in the batch.

A task whose pool is `cls` looks at the first token of a window alone, by which all sentences of a text would be alike:
its units are texts of their own.

What a reader asks rests on the same units: a pair is two of them in a third, the sentence; a sentence to mark brings
its words, each by its first and last token.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from khabar.config import WindowsConfig
from khabar.models.batches import PAD_TO, Pass
from khabar.models.pieces import Pieces
from khabar.schema import Example, Offsets, Task
from khabar.text.normalizer import EmptyTextError

Ints = NDArray[np.int64]


@dataclass
class Cut:
    """What the limits cut off, counted in texts and tokens."""

    texts: int = 0
    text_tokens: int = 0
    questions: int = 0
    question_tokens: int = 0

    def __str__(self) -> str:
        """One line for a person, empty if nothing was cut."""
        parts = []
        if self.texts:
            parts.append(f"{self.text_tokens:,} tokens of {self.texts:,} long texts (windows.max_windows)")
        if self.questions:
            parts.append(f"{self.question_tokens:,} tokens of {self.questions:,} long questions (windows.question)")
        return f"cut off: {'; '.join(parts)}" if parts else ""


@dataclass(frozen=True, slots=True)
class _Template:
    """The special tokens around one segment or two, read off the tokenizer itself: BERT's and RoBERTa's differ."""

    pieces: tuple[Ints, ...]
    types: tuple[Ints, ...]
    text_type: int
    question_type: int

    @classmethod
    def of(cls, tokenizer: Tokenizer, *, pair: bool) -> "_Template":
        # sequence_ids is None where the tokenizer put a special token
        done = tokenizer.encode("ا", "ا") if pair else tokenizer.encode("ا")
        pieces: list[list[int]] = [[]]
        types: list[list[int]] = [[]]
        segments: list[int] = []
        before = None
        for token, kind, sequence in zip(done.ids, done.type_ids, done.sequence_ids, strict=True):
            if sequence is None:
                pieces[-1].append(token)
                types[-1].append(kind)
            elif sequence != before:
                pieces.append([])
                types.append([])
                segments.append(kind)
            before = sequence
        return cls(
            tuple(np.array(piece, np.int64) for piece in pieces),
            tuple(np.array(kind, np.int64) for kind in types),
            segments[-1],
            segments[0],
        )

    @property
    def size(self) -> int:
        return sum(len(piece) for piece in self.pieces)

    def fill(self, text: Ints, question: Ints | None) -> tuple[Ints, Ints]:
        segments = [text] if question is None else [question, text]
        kinds = [self.text_type] if question is None else [self.question_type, self.text_type]
        ids, types = [self.pieces[0]], [self.types[0]]
        for segment, kind, piece, piece_type in zip(segments, kinds, self.pieces[1:], self.types[1:], strict=True):
            ids += [segment, piece]
            types += [np.full(len(segment), kind, np.int64), piece_type]
        return np.concatenate(ids), np.concatenate(types)

    def text_starts(self, question: Ints | None) -> int:
        return len(self.pieces[0]) + (0 if question is None else len(question) + len(self.pieces[1]))


def longest(config: WindowsConfig, max_length: int) -> int:
    """Tokens of the longest window: a batch is padded to a multiple of PAD_TO, and an encoder has only so many."""
    return min(config.length, max_length // PAD_TO * PAD_TO)


def starts(tokens: int, room: int, overlap: int) -> Ints:
    """First tokens of the windows over a text; neighbours share `overlap` tokens or, at the end of the text, more."""
    if tokens <= room:
        return np.zeros(1, np.int64)
    step = room - overlap
    count = -(-(tokens - overlap) // step)
    first = np.arange(count, dtype=np.int64) * step
    first[-1] = tokens - room  # the last window is full: its tokens keep their context
    return first


def owners(tokens: int, first: Ints, room: int) -> Ints:
    """The window that owns each token: the one in which it lies farther from a border that cuts the text."""
    borders = (first[1:] + first[:-1] + room + 1) // 2  # the middle of what two neighbours share
    return np.searchsorted(borders, np.arange(tokens), side="right").astype(np.int64)


@dataclass(frozen=True, slots=True)
class Document:
    """A whole text without a question: its windows, and of each token its offsets [N, 2], window and position there."""

    ids: tuple[Ints, ...]
    types: tuple[Ints, ...]
    offsets: Ints
    windows: Ints
    positions: Ints

    def bounds(self, span: Offsets) -> tuple[int, int]:
        """The tokens that overlap a span, as a half-open range."""
        first = int(np.searchsorted(self.offsets[:, 1], span[0], side="right"))
        return first, int(np.searchsorted(self.offsets[:, 0], span[1], side="left"))


@dataclass
class Windower:
    """Makes passes of examples, with one tokenizer and one set of limits; `cut` counts what the limits cost.

    `tasks` are asked for how they pool; a task that is not among them reads its units in their context.
    """

    tokenizer: Tokenizer
    config: WindowsConfig
    max_length: int
    tasks: Mapping[str, Task] = field(default_factory=dict)
    cut: Cut = field(default_factory=Cut)

    def __post_init__(self) -> None:
        """Read the templates off the tokenizer."""
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        self._single = _Template.of(self.tokenizer, pair=False)
        self._pair = _Template.of(self.tokenizer, pair=True)
        self._length = longest(self.config, self.max_length)
        self._question_limit = min(self.config.question, self._length // 2)

    def passes(self, examples: Sequence[Example], without: Sequence[tuple[Offsets, ...]] | None = None) -> list[Pass]:
        """All passes of these examples; a unit names its example by the index in this sequence.

        Args:
            examples: questions to texts.
            without: for each example, stretches of its text that are left out of its unit (not out of the windows).

        Raises:
            EmptyTextError: normalisation leaves nothing of an example, or of its question.
        """
        examples = [self._alone(example) for example in examples]
        together: dict[tuple[str, str | None], list[int]] = {}
        for index, example in enumerate(examples):
            together.setdefault((example.text, example.question), []).append(index)
        texts = list({text: None for text, _ in together})
        tokens = {
            text: (np.array(e.ids, np.int64), np.array(e.offsets, np.int64).reshape(-1, 2))
            for text, e in zip(texts, self.tokenizer.encode_batch(texts, add_special_tokens=False), strict=True)
        }
        skip = without or [()] * len(examples)
        found: list[Pass] = []
        for (text, asked), members in together.items():
            found += self._passes_of(tokens[text], asked, [(i, examples[i], skip[i]) for i in members])
        return found

    def document(self, encoding: Encoding) -> Document:
        """A text as it is encoded once for all that is asked of it; windows and owners are those of `passes`.

        `encoding` are its tokens, without special ones.
        """
        ids, offsets = np.array(encoding.ids, np.int64), np.array(encoding.offsets, np.int64)
        room = self._length - self._single.size
        first = starts(len(ids), room, min(self.config.stride, (room - 1) // 2))
        owner = owners(len(ids), first, room)
        filled = [self._single.fill(ids[start : start + room], None) for start in first]
        positions = np.arange(len(ids)) - first[owner] + self._single.text_starts(None)
        return Document(tuple(i for i, _ in filled), tuple(t for _, t in filled), offsets, owner, positions)

    def _alone(self, example: Example) -> Example:
        """A unit without its context, where the pool could not tell it from its neighbours."""
        task = self.tasks.get(example.task)
        if task is None or task.pool != "cls" or example.span is None:
            return example
        return replace(example, text=example.unit_text, span=None)

    def _passes_of(
        self, tokens: tuple[Ints, Ints], asked: str | None, members: list[tuple[int, Example, tuple[Offsets, ...]]]
    ) -> Iterator[Pass]:
        ids, offsets = tokens
        question = self._question(asked, members[0][1].id)
        template = self._single if question is None else self._pair
        room = self._length - template.size - (0 if question is None else len(question))
        first = starts(len(ids), room, min(self.config.stride, (room - 1) // 2))  # an encoder may be short
        owner = owners(len(ids), first, room)
        at = template.text_starts(question)

        def kept(example: Example, span: Offsets | None, skip: tuple[Offsets, ...]) -> Ints:
            """The tokens of a unit that the limits leave."""
            inside = _inside(offsets, span, skip)
            if not len(inside):
                raise EmptyTextError(
                    f"Nothing is left of {example.id!r} after normalisation: {example.unit_text[:60]!r}."
                )
            last = np.unique(owner[inside])[: self.config.max_windows][-1]
            keep: Ints = inside[owner[inside] <= last]
            if len(keep) < len(inside):
                self.cut.texts += not skip  # a unit that leaves a stretch out is the same text once more
                self.cut.text_tokens += 0 if skip else len(inside) - len(keep)
            return keep

        wanted: list[tuple[int, list[Ints]]] = []  # example, the tokens of its unit or of its pair's
        known: dict[Offsets, Ints] = {}  # a span stands in many pairs
        for index, example, skip in members:
            if example.within is None:
                wanted.append((index, [kept(example, example.span, skip)]))
                continue
            spans = [span for span in (example.within, example.span, example.tail) if span is not None]
            for span in spans:
                if span not in known:
                    # of a mark that normalisation leaves nothing of, such as a lone sign, its sentence speaks
                    there = bool(len(_inside(offsets, span, ())))
                    known[span] = kept(example, span if there else example.within, ())
            wanted.append((index, [known[span] for span in spans]))

        by_index = {index: example for index, example, _ in members}
        for group in _pack(wanted, owner, self.config.max_windows):
            used = np.unique(np.concatenate([owner[inside] for _, parts in group for inside in parts]))
            filled = [template.fill(ids[first[w] : first[w] + room], question) for w in used]
            place = np.searchsorted(used, owner)  # window of the text -> window of the pass

            def at_(tokens: Ints, place: Ints = place) -> tuple[Ints, Ints]:
                return place[tokens], tokens - first[owner[tokens]] + at

            pieces = Pieces(by_index, offsets, at_)
            for index, parts in group:
                task = self.tasks.get(by_index[index].task)
                pieces.add(index, parts, marks=task is not None and task.marks)
            yield Pass(
                tuple(i for i, _ in filled), tuple(t for _, t in filled),
                tuple(pieces.units), pieces.pairs(), tuple(pieces.words),
            )  # fmt: skip

    def _question(self, asked: str | None, example: str) -> Ints | None:
        if asked is None:
            return None
        ids = np.array(self.tokenizer.encode(asked, add_special_tokens=False).ids, np.int64)
        if not len(ids):
            raise EmptyTextError(f"Nothing is left of the question of {example!r} after normalisation: {asked[:60]!r}.")
        if len(ids) > self._question_limit:
            self.cut.questions += 1
            self.cut.question_tokens += len(ids) - self._question_limit
        return ids[: self._question_limit]


def _inside(offsets: Ints, span: Offsets | None, skip: tuple[Offsets, ...]) -> Ints:
    """Tokens that overlap a span and lie in no skipped stretch."""
    inside = np.ones(len(offsets), bool)
    if span is not None:
        inside &= (offsets[:, 1] > span[0]) & (offsets[:, 0] < span[1])
    for start, end in skip:
        inside &= (offsets[:, 1] <= start) | (offsets[:, 0] >= end)
    return np.flatnonzero(inside)


def _pack(wanted: list[tuple[int, list[Ints]]], owner: Ints, limit: int) -> Iterator[list[tuple[int, list[Ints]]]]:
    """Units and pairs in order of place, a pair by its sentence, together while their windows are at most `limit`."""
    group: list[tuple[int, list[Ints]]] = []
    used: set[int] = set()
    for index, parts in sorted(wanted, key=lambda one: (int(one[1][0][0]), one[0])):
        needs = {int(window) for inside in parts for window in np.unique(owner[inside])}
        if group and len(used | needs) > limit:
            yield group
            group, used = [], set()
        group.append((index, parts))
        used |= needs
    if group:
        yield group
