"""Loads a pre-trained encoder: weights, tokenizer with its normalisation compiled in, and where each file came from.

A folder or a hub id; safetensors, or a `pytorch_model.bin` that holds tensors alone and is converted once. No code of
a checkpoint is run, and no weight is left random in silence.
"""

import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokenizers import Tokenizer, normalizers

from khabar.config import EncoderConfig
from khabar.errors import ConfigError
from khabar.models import files
from khabar.text import normalizer

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedModel

POOLED = ("bert", "roberta", "xlm-roberta")  # their AutoModel adds a pooler, which no khabar head reads
DROPOUTS = (
    "hidden_dropout_prob",
    "attention_probs_dropout_prob",
    "embedding_dropout",
    "attention_dropout",
    "mlp_dropout",
)


@dataclass(frozen=True)
class Encoder:
    """A pre-trained encoder, ready for fine-tuning.

    Attributes:
        model: fp32, on CPU, in training mode as transformers leaves it; its output has `last_hidden_state`.
        tokenizer: cleans texts as the preset says; padding and truncation are off.
        max_length: the most tokens of one window, special ones included.
        uses_token_types: whether the model takes `token_type_ids`.
        pad_id: the id of the padding token.
        source: `model`, `revision` (the resolved commit, or "folder"), `licence`, `sha256.<file>` of each file read.
    """

    model: "PreTrainedModel"
    tokenizer: Tokenizer
    max_length: int
    uses_token_types: bool
    pad_id: int
    source: dict[str, str]


def load(
    config: EncoderConfig,
    *,
    dropout: float | None = None,
    tokenizer: Tokenizer | None = None,
    shape: Mapping[str, int] | None = None,
) -> Encoder:
    """Load an encoder, from a folder, from what ships with khabar (`seeds/...`), or from the hub and its cache.

    Args:
        config: which one; with `random_weights` its architecture alone, initialised from torch's global seed.
        dropout: of its hidden states and attention; None leaves the checkpoint's own.
        tokenizer: another one, whose vocabulary the random weights are for.
        shape: fields of its configuration to change, for random weights.

    Raises:
        ConfigError: it can't be found, read or trusted, or its weights, tokenizer and configuration don't fit.
    """
    check(config)
    folder, revision = files.find(config)
    settings = settings_of(folder)
    if dropout is not None:
        for name in DROPOUTS:
            if hasattr(settings, name):
                setattr(settings, name, dropout)
    sizes = {**(shape or {}), **({"vocab_size": tokenizer.get_vocab_size()} if tokenizer else {})}
    settings = type(settings).from_dict({**settings.to_dict(), **sizes}) if sizes else settings
    read: list[str] = []
    if tokenizer is None:
        tokenizer, read = _tokenizer(folder, config.normalizer)
    if config.random_weights:
        model = _random(settings)
    else:
        weights = files.weights(folder)
        read += [file.name for file in weights]
        model = _model(folder if weights[0].suffix != ".bin" else files.converted(weights[0]), settings)
    rows, tokens = int(settings.vocab_size), tokenizer.get_vocab_size(with_added_tokens=True)
    if tokens > rows:
        raise ConfigError(f"{config.model}: the tokenizer knows {tokens} tokens, the weights {rows}; they don't fit.")
    return Encoder(
        model=model,
        tokenizer=tokenizer,
        max_length=min(config.max_length, _positions(settings)),
        uses_token_types=(getattr(settings, "type_vocab_size", None) or 0) > 1,
        pad_id=_pad_id(settings, tokenizer),
        source={
            "model": config.model,
            "revision": revision,
            "licence": config.licence,
            **{f"sha256.{name}": files.sha256(folder / name) for name in ["config.json", *read]},
        },
    )


def check(config: EncoderConfig) -> None:
    """Refuse an encoder that khabar can't serve, before anything is read; `load` does it too.

    Raises:
        ConfigError: its texts would have to be segmented by Farasa.
    """
    if config.segmenter == "farasa":
        raise ConfigError(
            f"{config.name} was pre-trained on text segmented by Farasa, which needs Java and a download, takes "
            "minutes, and returns an empty text when it fails; training and serving would read different texts. "
            "Take its successor, trained on plain text: encoder=arabert (aubmindlab/bert-base-arabertv02)."
        )


def licence_line(config: EncoderConfig) -> str:
    """One line on what an encoder's licence allows, printed before its first use."""
    note = f" {config.licence_note}" if config.licence_note else ""
    return f"Encoder {config.name} ({config.model}), licence: {config.licence}.{note}"


def settings_of(folder: Path) -> "PretrainedConfig":
    """The configuration of an architecture that transformers itself knows; one that brings its own code is refused."""
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    try:
        plain = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{folder} holds no readable config.json: {error}") from error
    kind = plain.get("model_type")
    if kind not in CONFIG_MAPPING:
        raise ConfigError(
            f"{folder}: this transformers knows no model type {kind!r}, and khabar never runs a checkpoint's own code."
        )
    settings: PretrainedConfig = CONFIG_MAPPING[kind].from_dict(plain)
    if getattr(settings, "is_encoder_decoder", False) or getattr(settings, "is_decoder", False):
        raise ConfigError(f"{folder}: a {kind} of this kind generates text; an encoder is needed.")
    return settings


def _extra(settings: "PretrainedConfig") -> dict[str, Any]:
    pooler = {"add_pooling_layer": False} if settings.model_type in POOLED else {}
    return {"trust_remote_code": False, "attn_implementation": "sdpa", **pooler}


def _random(settings: "PretrainedConfig") -> "PreTrainedModel":
    import torch
    from transformers import AutoModel

    model: PreTrainedModel = AutoModel.from_config(  # type: ignore[no-untyped-call]
        settings,
        dtype=torch.float32,  # whatever its weights are stored in
        **_extra(settings),
    )
    return model


def _model(folder: Path, settings: "PretrainedConfig") -> "PreTrainedModel":
    """The model of a folder with safetensors, every weight of which came from there."""
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModel

    try:
        with quiet():
            model, report = AutoModel.from_pretrained(
                folder,
                config=settings,
                dtype=torch.float32,
                use_safetensors=True,
                local_files_only=True,
                output_loading_info=True,
                **_extra(settings),
            )
    except (OSError, RuntimeError, SafetensorError) as error:
        raise ConfigError(f"The weights in {folder} don't fit its config.json or can't be read: {error}") from error
    missing = sorted(key for key in report["missing_keys"] if not key.startswith("pooler."))
    if missing:
        raise ConfigError(
            f"{folder} lacks {len(missing)} of the encoder's weights, which would stay random: {_few(missing)}. "
            f"Is its config.json of another model?"
        )
    own = {name for name, _ in model.named_children()} - {"pooler"}
    prefix = f"{model.base_model_prefix}."
    left = [key for key in report["unexpected_keys"] if key.removeprefix(prefix).split(".")[0] in own]
    if left := sorted(key for key in left if not key.endswith("position_ids")):
        raise ConfigError(f"{folder} holds encoder weights that its config.json has no place for: {_few(left)}.")
    model.train()
    return model  # type: ignore[no-any-return]


@contextmanager
def quiet() -> Iterator[None]:
    """Without transformers' progress bar and its table of unread heads: what matters of it is checked here."""
    from transformers.utils import logging as talk

    verbosity, bar = talk.get_verbosity(), talk.is_progress_bar_enabled()
    talk.set_verbosity(logging.ERROR)
    talk.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        talk.set_verbosity(verbosity)
        if bar:
            talk.enable_progress_bar()  # type: ignore[no-untyped-call]


def _tokenizer(folder: Path, preset: str) -> tuple[Tokenizer, list[str]]:
    """The tokenizer of a folder with the preset compiled in, and the files it was read from."""
    if (folder / "tokenizer.json").is_file():
        return normalizer.install(normalizer.load(folder), preset), ["tokenizer.json"]
    if not (folder / "vocab.txt").is_file():
        raise ConfigError(f"{folder} holds neither tokenizer.json nor vocab.txt; other tokenizer formats are not read.")
    path = folder / "tokenizer_config.json"
    plain = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    tokenizer = normalizer.from_vocab(folder / "vocab.txt", "none")
    tokenizer.normalizer = normalizers.BertNormalizer(
        clean_text=True,
        handle_chinese_chars=plain.get("tokenize_chinese_chars", True),
        strip_accents=plain.get("strip_accents"),  # null: as lowercase, which is what the checkpoint was trained with
        lowercase=plain.get("do_lower_case", True),
    )
    return normalizer.install(tokenizer, preset), ["vocab.txt", *([path.name] if path.is_file() else [])]


def _positions(settings: "PretrainedConfig") -> int:
    """The longest window; RoBERTa counts positions from behind the padding id."""
    positions = int(getattr(settings, "max_position_embeddings", 512))
    offset = (settings.pad_token_id or 0) + 1 if "roberta" in settings.model_type else 0
    return positions - offset


def _pad_id(settings: "PretrainedConfig", tokenizer: Tokenizer) -> int:
    if settings.pad_token_id is not None:
        return int(settings.pad_token_id)
    for token in ("[PAD]", "<pad>"):
        if (found := tokenizer.token_to_id(token)) is not None:
            return int(found)
    raise ConfigError("Neither config.json nor the tokenizer names a padding token.")


def _few(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
