"""A tiny real encoder with a head for each way of pooling."""

from collections.abc import Iterator

import pytest
import torch
from tests.tiny import vocab
from tokenizers import Tokenizer
from transformers import BertConfig, BertModel

from khabar.config import WindowsConfig
from khabar.models.bundle import Card
from khabar.models.classifier import Classifier
from khabar.schema import Task
from khabar.text.normalizer import from_vocab

POOLS = ("cls", "mean", "max", "attention")


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Sums in one order, so that equal work gives equal bits."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def tokenizer() -> Tokenizer:
    return from_vocab(vocab(), "arabert_v02")


@pytest.fixture
def tasks() -> dict[str, Task]:
    """One task for each pool, with two labels, three, four and five."""
    letters = "abcde"
    return {
        pool: Task(name=pool, labels=tuple(f"{pool}_{x}" for x in letters[: 2 + i]), pool=pool)
        for i, pool in enumerate(POOLS)
    }


@pytest.fixture
def classifier(tasks: dict[str, Task]) -> Classifier:
    return tiny_classifier(tasks)


def tiny_classifier(tasks: dict[str, Task], positions: int = 512, seed: int = 0) -> Classifier:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        config = BertConfig(
            vocab_size=len(vocab()),
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=64,
            max_position_embeddings=positions,
            initializer_range=0.2,
        )
        made = Classifier(BertModel(config, add_pooling_layer=False), tasks, uses_token_types=True).eval()
        for head in made.heads.values():
            torch.nn.init.normal_(head.weight)
            torch.nn.init.normal_(head.bias)
    return made


def tiny_card(tasks: dict[str, Task]) -> Card:
    return Card(
        khabar="0.1.0",
        tasks=tasks,
        temperature=dict.fromkeys(tasks, 1.5),
        thresholds={},
        windows=WindowsConfig(length=32, stride=4, question=8),
        max_length=512,
        pad_id=0,
        uses_token_types=True,
        encoder={"name": "tiny"},
        data={"name": "made up"},
        seed=0,
        main_metrics={"mean": 0.5},
    )
