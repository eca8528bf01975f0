"""A real bundle that fits in 200 KB: a random BERT with the tasks event_type and stance, and what to ask of it."""

from pathlib import Path
from typing import Any

import torch
import yaml
from transformers import BertConfig, BertModel

from khabar.config import MachineConfig, WindowsConfig, resource
from khabar.inference import probes
from khabar.inference.engine import Engine
from khabar.inference.predictors.bundle import in_memory
from khabar.models import bundle
from khabar.models.bundle import Card
from khabar.models.classifier import Classifier
from khabar.schema import Task, flat
from khabar.text.normalizer import from_vocab
from tiny import vocab

TEXT = (
    "قصف الجيش مدينة غزة\n"
    "أكد رئيس الحكومة أن إيران رفضت وقف إطلاق النار. دعا مجلس الأمم المتحدة إلى اتفاق؟ وقع الوزير اتفاق مساعدات!\n"
    "تظاهرة في القاهرة ضد الحرب."
)
QUESTION = ("إيران", "وقف إطلاق النار")


def task(name: str) -> Task:
    return Task.of(yaml.safe_load(resource(f"configs/task/{name}.yaml").read_text("utf-8")))


def engine(*names: str, seed: int = 0, pool: str | None = None, spread: float = 0.5) -> tuple[Engine, Classifier]:
    """A model in memory whose random answers differ from text to text.

    Args:
        names: of its tasks.
        seed: of the weights.
        pool: of all heads, else the tasks' own.
        spread: of the weights; 0.5 is far more than any trained model's, and magnifies every rounding.
    """
    tasks = {name: task(name) for name in names or ("event_type", "stance")}
    if pool:
        tasks = {name: one.model_copy(update={"pool": pool}) for name, one in tasks.items()}
    words = vocab()
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        initializer_range=spread,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        classifier = Classifier(BertModel(config, add_pooling_layer=False), tasks, uses_token_types=True).eval()
        for head in (
            *classifier.heads.values(),
            *(part.out for part in (*classifier.pairs.values(), *classifier.taggers.values())),
        ):
            torch.nn.init.normal_(head.weight, std=0.5)
        for one in classifier.pools.values():
            if one.dense is not None:
                torch.nn.init.normal_(one.dense.weight, std=0.5)
    asked = flat(tasks)
    card = Card(
        khabar="0.1.0",
        tasks=tasks,
        temperature=dict.fromkeys(asked, 1.5),
        thresholds={
            name: (0.5,) * (1 if task.empty is not None else len(task.labels))
            for name, task in asked.items()
            if task.kind != "single" or task.empty is not None
        },
        windows=WindowsConfig(),
        max_length=512,
        pad_id=0,
        uses_token_types=True,
        encoder={"name": "tiny"},
        data={"name": "none"},
        seed=seed,
    )
    return in_memory(classifier, card, from_vocab(words, "arabert_v02"), MachineConfig(device="cpu")), classifier


def write(folder: Path, *names: str, **more: Any) -> Path:
    """A bundle as `khabar train` writes it."""
    made, classifier = engine(*names, **more)
    bundle.write(folder, classifier, made.tokenizer, made.card, probes.record(made))
    return folder
