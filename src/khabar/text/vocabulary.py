"""Learns a WordPiece vocabulary from raw texts, as a preset cleans them."""

import unicodedata
from collections import Counter
from collections.abc import Sequence

from tokenizers import Tokenizer
from tokenizers.trainers import WordPieceTrainer

from khabar.errors import DataError
from khabar.text.normalizer import SPECIAL, from_vocab
from khabar.text.presets import get

ORDER = ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")  # their ids, from 0, as BERT has them
LETTERS = 1_000  # the most frequent ones; what else a text holds is unknown


def learn(texts: Sequence[str], size: int, preset: str) -> Tokenizer:
    """A cased WordPiece tokenizer of `size` tokens, those that stand in for links and the like among them.

    The same texts give the same vocabulary.

    Raises:
        DataError: the texts do not hold so many.
        ConfigError: there is no such preset.
    """
    first = [*(SPECIAL[role] for role in ORDER), *get(preset).tokens]
    tokenizer = from_vocab(first, preset)
    cleaned = [tokenizer.normalizer.normalize_str(text) for text in texts]
    tokenizer.normalizer = None
    count = Counter(letter for text in cleaned for letter in text if not letter.isspace())
    letters = sorted(sorted(count, key=lambda letter: (-count[letter], letter))[:LETTERS])
    # the trainer numbers the pieces inside words as a hash map yields them, and settles ties by number
    # (huggingface/tokenizers#1794): named here, they have theirs
    inside = [f"##{letter}" for letter in letters if not _stands_alone(letter)]
    trainer = WordPieceTrainer(
        vocab_size=size, special_tokens=[*first, *inside], limit_alphabet=LETTERS, show_progress=False
    )
    tokenizer.train_from_iterator(cleaned, trainer)
    ids = tokenizer.get_vocab(with_added_tokens=True)
    if len(ids) != size:
        raise DataError(f"The texts make a vocabulary of {len(ids):,} tokens, {size:,} were asked for.")
    return from_vocab(sorted(ids, key=ids.__getitem__), preset)


def _stands_alone(letter: str) -> bool:
    """Whether it is a word of its own to BERT's pre-tokenizer."""
    return unicodedata.category(letter)[0] == "P" or (letter.isascii() and not letter.isalnum())
