"""Compiles a preset into the tokenizer itself, so that training and serving clean text alike and offsets stay raw.

Everything a preset does becomes a part of `tokenizer.json`: replacements are its normalizer, inserted spaces its
pre-tokenizer, stand-ins its added tokens. A folder written by `save` needs no code of khabar to be read.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Encoding, Regex, Tokenizer, normalizers, pre_tokenizers
from tokenizers.decoders import WordPiece as WordPieceDecoder
from tokenizers.models import WordPiece
from tokenizers.processors import TemplateProcessing

from khabar.errors import DataError
from khabar.text.presets import Preset, Replace, StandIn, get

SPECIAL = {
    "unk_token": "[UNK]",
    "sep_token": "[SEP]",
    "pad_token": "[PAD]",
    "cls_token": "[CLS]",
    "mask_token": "[MASK]",
}
INPUTS = ["input_ids", "token_type_ids", "attention_mask"]

# A noncharacter marks the tail of a match for the span of one replacement; one that came with the text becomes another.
_MARK, _OTHER = "\ufdd0", "\ufdd1"


class EmptyTextError(DataError):
    """A text of which normalisation leaves no token, so that a model would answer about nothing."""


def install(tokenizer: Tokenizer, preset: str) -> Tokenizer:
    """A copy of the tokenizer that does what the preset says; `none` changes nothing.

    The vocabulary never grows: a stand-in such as `[رابط]` is one token where the vocabulary holds it, else three.
    Special tokens are looked up in the normalised text, as they are when cleaning comes before the tokenizer.
    Padding and truncation are switched off: what is cut from a text is decided, and counted, elsewhere.

    Raises:
        ConfigError: there is no such preset.
    """
    chosen = get(preset)
    copy = _parse(tokenizer.to_str())
    if not chosen.steps:
        return copy
    copy.normalizer = _normalizer(chosen)
    copy.pre_tokenizer = pre_tokenizers.Sequence(
        [
            *(pre_tokenizers.Split(Regex(pattern), "isolated") for pattern in chosen.breaks),
            pre_tokenizers.BertPreTokenizer(),
        ]
    )
    copy.add_tokens([token for token in chosen.tokens if copy.token_to_id(token) is not None])
    # an added token's flags can't be changed through the API once it is there
    state = json.loads(copy.to_str())
    for token in state["added_tokens"]:
        token["normalized"] = True
    return _parse(json.dumps(state))


def from_vocab(vocab: Sequence[str] | str | Path, preset: str) -> Tokenizer:
    """A cased WordPiece BERT tokenizer: `[CLS] A [SEP]`, or `[CLS] A [SEP] B [SEP]` with type ids 0 and 1.

    Args:
        vocab: the tokens in the order of their ids, or the path of a `vocab.txt` with one a line.
        preset: how texts are cleaned; see `presets.PRESETS`.

    Raises:
        DataError: the vocabulary can't be read, repeats a token, or lacks a special one.
        ConfigError: there is no such preset.
    """
    tokens = _read_vocab(vocab) if isinstance(vocab, str | Path) else list(vocab)
    ids = {token: index for index, token in enumerate(tokens)}
    if len(ids) < len(tokens):
        twice = next(token for index, token in enumerate(tokens) if ids[token] != index)
        raise DataError(f"The vocabulary holds {twice!r} more than once; ids would be ambiguous.")
    if lacking := [token for token in SPECIAL.values() if token not in ids]:
        raise DataError(f"The vocabulary of {len(tokens)} tokens lacks {', '.join(lacking)}.")
    tokenizer = Tokenizer(WordPiece(ids, unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.BertNormalizer(
        clean_text=True, handle_chinese_chars=True, strip_accents=False, lowercase=False
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0",
        pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[(token, ids[token]) for token in ("[CLS]", "[SEP]")],
    )
    tokenizer.decoder = WordPieceDecoder()
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIAL.values()])
    return install(tokenizer, preset)


def encode(tokenizer: Tokenizer, text: str) -> Encoding:
    """The tokens of one text without special ones; offsets are code points, half-open, into `text` as given.

    Raises:
        EmptyTextError: no token is left.
    """
    encoding: Encoding = tokenizer.encode(text, add_special_tokens=False)
    if not encoding.ids:
        shown = repr(text[:60]) + (" ..." if len(text) > 60 else "")
        raise EmptyTextError(
            f"Normalisation leaves no token of a text of {len(text)} characters: {shown}. "
            "Leave it out, or choose a preset that keeps what it is made of."
        )
    return encoding


def save(tokenizer: Tokenizer, folder: str | Path, max_length: int) -> None:
    """Write `tokenizer.json` and a `tokenizer_config.json` with which plain `transformers.AutoTokenizer` agrees.

    Args:
        tokenizer: what `install`, `from_vocab` or `load` returned.
        folder: made if it isn't there.
        max_length: the number of tokens the encoder takes.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    config: dict[str, Any] = {
        # any other class is rebuilt by transformers 5 as a stock BERT tokenizer, which drops the normalizer in silence
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_input_names": INPUTS,  # without it, that class forgets token_type_ids
        "model_max_length": max_length,
        "clean_up_tokenization_spaces": False,
        **{role: token for role, token in SPECIAL.items() if tokenizer.token_to_id(token) is not None},
    }
    tokenizer.save(str(folder / "tokenizer.json"))
    text = json.dumps(config, ensure_ascii=False, indent=2) + "\n"
    (folder / "tokenizer_config.json").write_text(text, encoding="utf-8")


def load(folder: str | Path) -> Tokenizer:
    """The tokenizer of a folder's `tokenizer.json`, without the padding or truncation it may ask for.

    Raises:
        DataError: the file is absent or isn't a tokenizer.
    """
    path = Path(folder) / "tokenizer.json"
    try:
        return _parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"There is no tokenizer at {path}: {error.strerror}.") from error
    except Exception as error:  # tokenizers raises a bare Exception for anything it can't parse
        raise DataError(f"{path} is not a tokenizer: {error}.") from error


def _parse(state: str) -> Tokenizer:
    tokenizer: Tokenizer = Tokenizer.from_str(state)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def _read_vocab(path: str | Path) -> list[str]:
    try:
        lines = Path(path).read_text(encoding="utf-8").split("\n")  # splitlines would cut at U+2028 and U+0085
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"The vocabulary {path} can't be read: {error}.") from error
    return [line.rstrip("\r") for line in (lines[:-1] if lines[-1] == "" else lines)]


def _normalizer(preset: Preset) -> normalizers.Normalizer:
    compiled: list[normalizers.Normalizer] = [normalizers.Replace(_MARK, _OTHER)]
    for step in preset.steps:
        compiled.extend(_compile(step))
    return normalizers.Sequence(compiled)


def _compile(step: Replace | StandIn) -> list[normalizers.Normalizer]:
    if isinstance(step, Replace):
        return [normalizers.Replace(Regex(step.pattern), step.content)]
    # A replacement is aligned to the last character of what it replaces, so the two ends are replaced one by one.
    half = len(step.token) // 2
    return [
        normalizers.Replace(Regex(step.pattern), _MARK),
        normalizers.Replace(Regex(rf"(?m:.)(?={_MARK})"), f" {step.token[:half]}"),
        normalizers.Replace(_MARK, f"{step.token[half:]} "),
    ]
