"""What pre-training trains on: raw articles in packed sequences, of which some tokens are hidden.

Legend of the shape suffixes: S sequences, N tokens of a sequence's text, L = N + 2 with [CLS] and [SEP], B sequences of
a batch, M hidden tokens.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer
from torch import Tensor, nn

from khabar.config import MaskingConfig
from khabar.errors import ConfigError, DataError
from khabar.models.masked import MaskedModel

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
HIDDEN, SWAPPED = 0.8, 0.1  # of the chosen tokens: behind the mask, another token in their place; the rest stays


@dataclass(frozen=True)
class Packed:
    """Texts one after the other, a separator between them, cut into sequences of one length.

    `ids_SN` are their tokens, `begins_SN` whether one begins a word; `tokens` of all texts. The last few, which fill no
    sequence, are left out.
    """

    ids_SN: NDArray[np.int32]
    begins_SN: Bools
    tokens: int

    def __len__(self) -> int:
        """How many sequences."""
        return len(self.ids_SN)


def pack(encodings: Iterable[Encoding], separator: int, length: int) -> Packed:
    """Pack texts, given their tokens without special ones, into sequences of `length` tokens with [CLS] and [SEP].

    Raises:
        DataError: they do not fill one sequence.
    """
    ids: list[NDArray[np.int32]] = []
    begins: list[Bools] = []
    tokens = 0
    end = np.array([separator], np.int32), np.array([True])
    for encoding in encodings:
        word = np.array([-1 if number is None else number for number in encoding.word_ids], np.int64)
        ids += [np.array(encoding.ids, np.int32), end[0]]
        begins += [np.diff(word, prepend=-2) != 0, end[1]]
        tokens += len(encoding.ids)
    room = length - 2
    count = (tokens + len(ids) // 2) // room
    if not count:
        raise DataError(
            f"{tokens} tokens fill no sequence of {length}: more text is needed, or a smaller masking.length."
        )
    kept = count * room
    whole, first = np.concatenate(ids), np.concatenate(begins)
    return Packed(whole[:kept].reshape(count, room), first[:kept].reshape(count, room), tokens)


@dataclass(frozen=True)
class Hidden:
    """A batch of which tokens are hidden: what the model reads, where [M] it has to guess, and what stood there [M]."""

    ids_BL: Ints
    types_BL: Ints
    places_M: Ints
    targets_M: Ints


class Masking:
    """Hides tokens of sequences, the same ones for the same seed.

    Args:
        tokenizer: names the special tokens and the vocabulary.
        config: how much is hidden.

    Raises:
        ConfigError: the tokenizer lacks [CLS], [SEP] or [MASK].
    """

    def __init__(self, tokenizer: Tokenizer, config: MaskingConfig) -> None:
        self.config = config
        self.cls, self.sep, self.mask = (
            _special(tokenizer, names) for names in (("[CLS]", "<s>"), ("[SEP]", "</s>"), ("[MASK]", "<mask>"))
        )
        special = {token for token, added in tokenizer.get_added_tokens_decoder().items() if added.special}
        self.special = np.array(sorted(special | {self.cls, self.sep, self.mask}))
        self.words = np.setdiff1d(np.arange(tokenizer.get_vocab_size(with_added_tokens=True)), self.special)

    def hide(self, packed: Packed, rows: Ints, seed: tuple[int, ...]) -> Hidden:
        """Hide a share of the tokens of these sequences.

        `share` of each sequence's tokens are chosen, whole words where that is asked for; of the chosen 80% go behind
        the mask, 10% are swapped for any token, 10% stay as they are (Devlin et al. 2019). A share `pairs` of the
        sequences is two segments, with types 0 and 1.
        """
        draw = np.random.default_rng(seed)
        text_BN = packed.ids_SN[rows].astype(np.int64)
        size, room = text_BN.shape
        wanted = max(1, round(self.config.share * room))
        noise_BN = draw.random((size, room))
        if self.config.whole_words:
            # the tokens of a word have the noise of its first, so that they are chosen together
            first_BN = np.maximum.accumulate(np.where(packed.begins_SN[rows], np.arange(room), 0), axis=1)
            noise_BN = np.take_along_axis(noise_BN, first_BN, axis=1)
        noise_BN[np.isin(text_BN, self.special)] = 2.0
        limit_B1 = np.partition(noise_BN, wanted - 1, axis=1)[:, [wanted - 1]]
        chosen_BN = (noise_BN <= limit_B1) & (noise_BN < 1)
        fate_BN = draw.random((size, room))
        swapped_BN = draw.choice(self.words, (size, room))
        shown_BN = np.where(fate_BN < HIDDEN, self.mask, np.where(fate_BN < HIDDEN + SWAPPED, swapped_BN, text_BN))
        return self._framed(text_BN, np.where(chosen_BN, shown_BN, text_BN), chosen_BN, draw)

    def _framed(self, text_BN: Ints, shown_BN: Ints, chosen_BN: Bools, draw: np.random.Generator) -> Hidden:
        """With [CLS], [SEP] and types; where there are two segments, the first token of the second is its [SEP]."""
        size, room = text_BN.shape
        ids_BL = np.column_stack([np.full(size, self.cls), shown_BN, np.full(size, self.sep)])
        types_BL = np.zeros_like(ids_BL)
        chosen_BL = np.zeros(ids_BL.shape, bool)
        chosen_BL[:, 1:-1] = chosen_BN
        target_BL = np.zeros_like(ids_BL)
        target_BL[:, 1:-1] = text_BN
        cuts = draw.integers(room // 8, max(room // 8 + 1, room - room // 8), size) + 1
        for row in np.flatnonzero(draw.random(size) < self.config.pairs).tolist():
            ids_BL[row, cuts[row]] = self.sep
            chosen_BL[row, cuts[row]] = False
            types_BL[row, cuts[row] + 1 :] = 1
        places_M = np.flatnonzero(chosen_BL)
        return Hidden(ids_BL, types_BL, places_M, target_BL.ravel()[places_M])


def _special(tokenizer: Tokenizer, names: tuple[str, ...]) -> int:
    found = next((number for name in names if (number := tokenizer.token_to_id(name)) is not None), None)
    if found is None:
        raise ConfigError(f"The tokenizer has no token {names[0]}, which pre-training needs.")
    return found


@dataclass
class MaskedWork:
    """Masked language modelling over packed sequences: every epoch in another order, with other tokens hidden.

    A number of a batch is `epoch * S + sequence`, so that what is hidden is a function of seed and epoch.
    """

    packed: Packed
    masking: Masking
    batch_tokens: int
    seed: int

    def plan(self, epoch: int) -> list[list[int]]:
        """All sequences, shuffled."""
        count = len(self.packed)
        size = max(1, self.batch_tokens // self.masking.config.length)
        order = np.random.default_rng((self.seed, epoch)).permutation(count) + epoch * count
        return [order[at : at + size].tolist() for at in range(0, count, size)]

    def count(self, batch: list[int]) -> int:
        """Hidden tokens."""
        return len(self._hidden(batch).places_M)

    def tokens(self, batch: list[int]) -> int:
        """Tokens, with [CLS] and [SEP]."""
        return len(batch) * self.masking.config.length

    def loss(self, model: nn.Module, batch: list[int], device: torch.device) -> Tensor:
        """The summed cross-entropy of the hidden tokens."""
        logits_MV, target_M = guessed(model, self._hidden(batch), device)
        return nn.functional.cross_entropy(logits_MV.float(), target_M, reduction="sum")

    def _hidden(self, batch: list[int]) -> Hidden:
        numbers = np.array(batch, np.int64)
        return self.masking.hide(self.packed, numbers % len(self.packed), (self.seed, 1, *batch[:1]))


def guessed(model: nn.Module, hidden: Hidden, device: torch.device) -> tuple[Tensor, Tensor]:
    """Logits [M, V] of what is hidden, and what stood there [M]."""
    arrays = (hidden.ids_BL, hidden.types_BL, hidden.places_M, hidden.targets_M)
    ids_BL, types_BL, places_M, targets_M = (torch.from_numpy(array).to(device) for array in arrays)
    return model(ids_BL, types_BL, places_M), targets_M


@dataclass
class HeldOut:
    """How well hidden tokens of texts that are not trained on are guessed: always the same ones, in fp32.

    Args:
        packed: the texts.
        masking: what is hidden.
        batch_tokens: of one batch.
    """

    packed: Packed
    masking: Masking
    batch_tokens: int

    def metrics(self, model: nn.Module) -> dict[str, float]:
        """`dev/masked_accuracy` and `dev/loss` (nats a hidden token); the accuracy decides which weights are kept."""
        assert isinstance(model, MaskedModel)
        device = model.word_embeddings.device
        size = max(1, self.batch_tokens // self.masking.config.length)
        loss, right, count = 0.0, 0, 0
        with torch.inference_mode():
            for at in range(0, len(self.packed), size):
                rows = np.arange(at, min(at + size, len(self.packed)))
                logits_MV, target_M = guessed(model, self.masking.hide(self.packed, rows, (0, 2, at)), device)
                loss += float(nn.functional.cross_entropy(logits_MV.float(), target_M, reduction="sum"))
                right += int((logits_MV.argmax(1) == target_M).sum())
                count += len(target_M)
        accuracy = right / max(1, count)
        return {"dev/masked_accuracy": accuracy, "dev/loss": loss / max(1, count), "dev_metric": accuracy}
