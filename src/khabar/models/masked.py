"""What pre-training trains: an encoder, and the head that guesses the tokens that were hidden from it.

Legend of the shape suffixes: B sequences, L tokens a sequence, M hidden tokens, H hidden size, V tokens of the
vocabulary.
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from khabar.config import EncoderConfig
from khabar.errors import ConfigError
from khabar.models import files
from khabar.models.encoder import DROPOUTS, Encoder, settings_of
from khabar.text import normalizer

# this head's names -> those of BERT's checkpoints, AraBERT's among them
NAMES = {
    "dense.weight": "cls.predictions.transform.dense.weight",
    "dense.bias": "cls.predictions.transform.dense.bias",
    "norm.weight": "cls.predictions.transform.LayerNorm.weight",
    "norm.bias": "cls.predictions.transform.LayerNorm.bias",
    "bias": "cls.predictions.bias",
}


class Guess(nn.Module):
    """BERT's head (Devlin et al. 2019): a layer, then the word embeddings once more, and a bias for each token."""

    def __init__(self, hidden: int, vocabulary: int, epsilon: float) -> None:
        super().__init__()
        self.dense = nn.Linear(hidden, hidden)
        self.norm = nn.LayerNorm(hidden, eps=epsilon)
        self.bias = nn.Parameter(torch.zeros(vocabulary))
        nn.init.normal_(self.dense.weight, std=0.02)
        nn.init.zeros_(self.dense.bias)

    def forward(self, state_MH: Tensor, word_VH: Tensor) -> Tensor:
        """Logits [M, V]."""
        seen_MH = self.norm(nn.functional.gelu(self.dense(state_MH)))
        return nn.functional.linear(seen_MH, word_VH, self.bias)


class MaskedModel(nn.Module):
    """An encoder that guesses hidden tokens.

    Args:
        encoder: a transformers encoder; its output has `last_hidden_state`.
        uses_token_types: whether the encoder takes `token_type_ids`.
        head: of a checkpoint, by its names there (see `NAMES`); one that is not whole or does not fit is begun anew.

    Raises:
        ConfigError: the encoder's word embeddings are not as wide as its hidden states.
    """

    def __init__(self, encoder: nn.Module, *, uses_token_types: bool, head: Mapping[str, Tensor] | None = None) -> None:
        super().__init__()
        self.encoder = encoder
        self.uses_token_types = uses_token_types
        vocabulary, width = self.word_embeddings.shape
        settings = encoder.config
        if width != settings.hidden_size:  # type: ignore[union-attr]
            raise ConfigError(
                f"The word embeddings are {width} wide and the hidden states {settings.hidden_size}: "  # type: ignore[union-attr]
                "an encoder of that kind can't be pre-trained here."
            )
        epsilon: float = getattr(settings, "layer_norm_eps", 1e-12)
        self.head = Guess(width, vocabulary, epsilon)
        there = {name: head[theirs] for name, theirs in NAMES.items() if head and theirs in head}
        own = self.head.state_dict()
        self.goes_on = {name: value.shape for name, value in there.items()} == {n: v.shape for n, v in own.items()}
        if self.goes_on:
            self.head.load_state_dict(there)

    @property
    def word_embeddings(self) -> Tensor:
        """The word embeddings."""
        weight: Tensor = self.encoder.get_input_embeddings().weight  # type: ignore[operator]
        return weight

    def forward(self, ids_BL: Tensor, types_BL: Tensor, places_M: Tensor) -> Tensor:
        """Logits [M, V] of the tokens at places of the flattened batch."""
        types = {"token_type_ids": types_BL} if self.uses_token_types else {}
        state_BLH: Tensor = self.encoder(input_ids=ids_BL, **types).last_hidden_state
        logits: Tensor = self.head(state_BLH.flatten(0, 1)[places_M], self.word_embeddings)
        return logits

    def head_tensors(self) -> dict[str, Tensor]:
        """The head by the names of BERT's checkpoints."""
        return {theirs: self.head.state_dict()[name] for name, theirs in NAMES.items()}


def read_head(config: EncoderConfig) -> dict[str, "Tensor"]:
    """The head of pre-training, where the checkpoint has one of BERT's kind, by its names there."""
    from safetensors import safe_open

    folder, _ = files.find(config)
    weights = [file for file in files.weights(folder) if file.suffix != ".json"]
    found: dict[str, Tensor] = {}
    for file in weights:
        safe = file if file.suffix != ".bin" else files.converted(file) / files.SAFE
        with safe_open(safe, "pt") as opened:
            names = [key for key in opened.keys() if key.startswith("cls.predictions.")]  # noqa: SIM118 - no mapping
            found |= {key: opened.get_tensor(key) for key in names}
    return found


def save(config: EncoderConfig, made: Encoder, model: MaskedModel, folder: Path, *, half: bool) -> None:
    """Write an encoder and its head as a folder that `load` and plain transformers read, aside and then renamed.

    Args:
        config: what it was begun from, whose dropout it keeps.
        made: the encoder as it was loaded.
        model: the same with its head.
        folder: where.
        half: as fp16, else fp32.
    """
    from safetensors.torch import save_file

    aside = folder.with_name(folder.name + ".part")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    settings, before = made.model.config, settings_of(files.find(config)[0])
    plain = settings.to_dict() | {name: getattr(before, name) for name in DROPOUTS if hasattr(before, name)}
    plain["torch_dtype"] = "float16" if half else "float32"
    (aside / "config.json").write_text(json.dumps(plain, indent=1, sort_keys=True) + "\n", "utf-8")
    prefix = made.model.base_model_prefix
    tensors = {f"{prefix}.{name}": tensor for name, tensor in made.model.state_dict().items()} | model.head_tensors()
    kind = torch.float16 if half else torch.float32
    plain_tensors = {name: tensor.detach().cpu().to(kind).contiguous().clone() for name, tensor in tensors.items()}
    save_file(plain_tensors, aside / files.SAFE, {"format": "pt"})
    normalizer.save(made.tokenizer, aside, made.max_length)
    shutil.rmtree(folder, ignore_errors=True)
    aside.rename(folder)
