"""A tiny random BERT in the file layouts of published Arabic checkpoints; built in a fraction of a second."""

import json
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from transformers import BertConfig, BertForPreTraining, RobertaConfig

from khabar.text.normalizer import SPECIAL, from_vocab

LETTERS = "ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىي"
MARKS = list(".,:;!?،؛؟()[]«»\"'-/|%#@_+=&*")
AFFIXES = ["##ات", "##ون", "##ين", "##ها", "ال", "وال"]
WORDS = """
في من على إلى عن أن قال التي الذي مع بين رئيس وزير حكومة مجلس دولة قوات جيش حرب اتفاق وقف إطلاق
النار مظاهرة احتجاج هجوم قصف مساعدات لقاء زيارة إيران مصر السعودية غزة القاهرة بغداد الأمم
المتحدة أكد رفض دعا أدان هدد وقع الجهة الهدف الناشر
"""
PIECES = WORDS.split()


def vocab() -> list[str]:
    """Special tokens, stand-ins, every Arabic letter alone and as a continuation, digits, Latin letters, some words."""
    characters = [*LETTERS, *"0123456789", *"abcdefghijklmnopqrstuvwxyz", *"ABCDEFGHIJKLMNOPQRSTUVWXYZ"]
    joined = [f"##{character}" for character in characters]
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[رابط]", "[بريد]", "[مستخدم]"]
    return list(dict.fromkeys([*special, *MARKS, *characters, *joined, *PIECES, *AFFIXES]))


def tiny_checkpoint(
    folder: Path,
    layout: Literal["safetensors", "bin"] = "bin",
    *,
    tokenizer_json: bool = True,
    heads: bool = True,
    seed: int = 0,
    positions: int = 512,
    **settings: Any,
) -> Path:
    """Write a checkpoint as AraBERT's are published, and return its folder.

    Args:
        folder: made if it isn't there.
        layout: `model.safetensors`, or `pytorch_model.bin`.
        tokenizer_json: with `tokenizer.json`, or with `vocab.txt` alone, as MARBERT.
        heads: with the heads of pre-training, so that the encoder's weights stand behind the prefix `bert.`.
        seed: of the random weights.
        positions: the longest sequence.
        settings: further fields of `BertConfig`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tokens = vocab()
    config = BertConfig(
        vocab_size=len(tokens),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=positions,
        **settings,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = BertForPreTraining(config)
    state = (model if heads else model.bert).state_dict()
    if layout == "safetensors":
        save_file({key: value.clone() for key, value in state.items()}, folder / "model.safetensors", {"format": "pt"})
    else:
        torch.save(dict(state), folder / "pytorch_model.bin")
    (folder / "config.json").write_text(json.dumps({**config.to_dict(), "architectures": ["BertForPreTraining"]}))
    (folder / "vocab.txt").write_text("\n".join(tokens) + "\n", encoding="utf-8")
    (folder / "special_tokens_map.json").write_text(json.dumps(SPECIAL))
    published = {
        "do_lower_case": False,
        "tokenize_chinese_chars": True,
        "strip_accents": False,
        "model_max_length": 512,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(published))
    if tokenizer_json:
        plain_tokenizer().save(str(folder / "tokenizer.json"))
    return folder


def plain_tokenizer() -> Tokenizer:
    """The tokenizer as published: no preset compiled in."""
    return from_vocab(vocab(), "none")


def roberta_config(words: int, **settings: Any) -> RobertaConfig:
    """The architecture of a tiny RoBERTa, which has no token types."""
    return RobertaConfig(
        vocab_size=words,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        type_vocab_size=1,
        **settings,
    )
