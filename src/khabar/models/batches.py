"""What an encoder reads in one run: passes of windows, padded together into a batch.

Legend of the shape suffixes: W windows of a batch, L tokens of the longest, U units (one an example).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from khabar.models.pieces import Pair, Unit, Words

Ints = NDArray[np.int64]
PAD_TO = 8  # lengths are rounded up: fewer shapes, aligned rows


@dataclass(frozen=True, slots=True)
class Pass:
    """What one run of the encoder shares: windows of one text under one question, and the units pooled out of them."""

    ids: tuple[Ints, ...]
    types: tuple[Ints, ...]
    units: tuple[Unit, ...]
    pairs: tuple[Pair, ...] = ()
    words: tuple[Words, ...] = ()

    @property
    def examples(self) -> Ints:
        """The examples that it answers, `PART` where a unit is none: units, pairs, then sentences to mark."""
        found = [each.example for part in (self.units, self.pairs, self.words) for each in part]
        return np.array(found, np.int64)

    @property
    def length(self) -> int:
        """Tokens of its longest window, rounded up to what it is padded to."""
        return -(-max(len(ids) for ids in self.ids) // PAD_TO) * PAD_TO


@dataclass(frozen=True, slots=True)
class Batch:
    """Padded arrays: ids_WL, types_WL, mask_WL (int64), membership_UT (bool, T = W * L), the example of each row.

    A row is a unit or a pair; after them come the words of the sentences to mark, in the order of `words`. pairs_P4 are
    head, tail, sentence (rows of units) and distance; words_N3 are the places in T of a word's first and last token,
    and whether it is the first of its sentence; edges_U2 those of the tokens on either side of a unit, special ones at
    the ends of a window.
    """

    ids_WL: Ints
    types_WL: Ints
    mask_WL: Ints
    membership_UT: NDArray[np.bool_]
    examples: Ints
    pairs_P4: Ints = field(default_factory=lambda: np.zeros((0, 4), np.int64))
    words_N3: Ints = field(default_factory=lambda: np.zeros((0, 3), np.int64))
    words: tuple[Words, ...] = ()
    edges_U2: Ints = field(default_factory=lambda: np.zeros((0, 2), np.int64))

    @property
    def tokens(self) -> int:
        """Tokens that are not padding."""
        return int(self.mask_WL.sum())

    @property
    def inputs(self) -> dict[str, NDArray[Any]]:
        """The arrays by the names that exported graphs give their inputs."""
        return {
            "input_ids": self.ids_WL,
            "attention_mask": self.mask_WL,
            "token_type_ids": self.types_WL,
            "membership": self.membership_UT,
        }


def collate(passes: Sequence[Pass], pad_id: int) -> Batch:
    """Pad passes into one batch."""
    length = max(item.length for item in passes)
    windows = [window for item in passes for window in zip(item.ids, item.types, strict=True)]
    ids_WL = np.full((len(windows), length), pad_id, np.int64)
    types_WL = np.zeros_like(ids_WL)
    mask_WL = np.zeros_like(ids_WL)
    for row, (ids, types) in enumerate(windows):
        ids_WL[row, : len(ids)] = ids
        types_WL[row, : len(ids)] = types
        mask_WL[row, : len(ids)] = 1
    shifts = list(accumulate((len(item.ids) for item in passes[:-1]), initial=0))  # windows of the passes before
    units = [(shift, unit) for shift, item in zip(shifts, passes, strict=True) for unit in item.units]
    membership_UT = np.zeros((len(units), len(windows) * length), bool)
    edges_U2: list[tuple[int, int]] = []
    for row, (shift, unit) in enumerate(units):
        places = (unit.windows + shift) * length + unit.positions
        membership_UT[row, places] = True
        edges_U2.append((int(places[0]) - 1, int(places[-1]) + 1))
    before = accumulate((len(item.units) for item in passes[:-1]), initial=0)  # units of the passes before
    pairs_P4 = [
        (pair.head if pair.head < 0 else pair.head + first, pair.tail + first, pair.within + first, pair.distance)
        for first, item in zip(before, passes, strict=True)
        for pair in item.pairs
    ]
    words = [(shift, each) for shift, item in zip(shifts, passes, strict=True) for each in item.words]
    firsts = [
        np.column_stack([(each.windows + shift) * length + each.positions, np.arange(len(each.places)) == 0])
        for shift, each in words
    ]
    examples = [unit.example for _, unit in units] + [pair.example for item in passes for pair in item.pairs]
    return Batch(
        ids_WL, types_WL, mask_WL, membership_UT, np.array(examples, np.int64),
        np.array(pairs_P4, np.int64).reshape(-1, 4),
        np.concatenate(firsts) if firsts else np.zeros((0, 3), np.int64),
        tuple(each for _, each in words),
        np.array(edges_U2, np.int64).reshape(-1, 2),
    )  # fmt: skip


def by_length(passes: Sequence[Pass], budget: int, order: np.random.Generator | None = None) -> list[list[int]]:
    """Indices of passes in batches of at most `budget` padded tokens (a larger pass stands alone), alike in length.

    Args:
        passes: what to batch.
        budget: padded tokens a batch.
        order: a numpy Generator that shuffles passes of one length and then the batches, None for longest first.
    """
    indices = np.arange(len(passes)) if order is None else order.permutation(len(passes))
    lengths = np.array([passes[i].length for i in indices.tolist()])
    batches: list[list[int]] = []
    windows = 0
    for i in indices[np.argsort(-lengths, kind="stable")].tolist():
        longest = passes[batches[-1][0]].length if batches else 0
        if not batches or (windows + len(passes[i].ids)) * longest > budget:
            batches.append([])
            windows = 0
        batches[-1].append(i)
        windows += len(passes[i].ids)
    return batches if order is None else [batches[i] for i in order.permutation(len(batches))]
