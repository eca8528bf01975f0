"""A tiny real run whose pieces a test can change; `runs.py FOLDER '{"signal_at": 3}'` trains in its own process."""

import itertools
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors.torch import save_file
from tests.tiny import vocab
from transformers import BertConfig, BertModel

from khabar.config import LoopConfig, LossConfig, MachineConfig, WindowsConfig
from khabar.data.fold import TrainingFold
from khabar.models.batches import Pass
from khabar.models.classifier import Classifier
from khabar.models.windows import Windower
from khabar.schema import Example, Task
from khabar.text.normalizer import from_vocab
from khabar.training.loop import Loop, Outcome
from khabar.training.sampling import ClassificationWork

TASKS = {
    "event": Task(name="event", labels=("conflict", "cooperation"), kind="multi", level="sentence", pool="max"),
    "stance": Task(name="stance", labels=("favor", "against", "none"), asks=("target",), pool="attention"),
}
EVENTS = {"هجوم على غزة.": ("conflict",), "اتفاق بين مصر و إيران.": ("cooperation",), "قال وزير.": ()}
STANCES = {"أكد رئيس مصر": "favor", "رفض مجلس الأمم": "against", "زيارة إلى القاهرة": "none"}
LOOP = {"batch_tokens": 64, "head_lr": 5e-2, "layer_decay": 0.9, "checkpoint_every": 0.0}
FULL = {**LOOP, "epochs": 4.0, "accumulate": 2, "mixing": 0.5, "eval_every": 0.5}


def events(articles: int, first: int = 0) -> list[Example]:
    """Three sentences of each article, one question each; they share a pass."""
    found = []
    for number in range(first, first + articles):
        sentences = list(EVENTS)[number % 3 :] + list(EVENTS)[: number % 3]
        text = f"{number} {' '.join(sentences)}"
        for sentence in sentences:
            start = text.index(sentence)
            found.append(
                Example(
                    id=f"event-{number}-{start}",
                    article=f"e{number}",
                    group=f"e{number}",
                    task="event",
                    text=text,
                    span=(start, start + len(sentence)),
                    gold=EVENTS[sentence],
                )
            )
    return found


def stances(articles: int, first: int = 0) -> list[Example]:
    """One question about each article; no two share a pass."""
    found = []
    for number in range(first, first + articles):
        words, label = list(STANCES.items())[number % 3]
        found.append(
            Example(
                id=f"stance-{number}",
                article=f"s{number}",
                group=f"s{number}",
                task="stance",
                text=f"{number} " + f"{words} " * (1 + number % 5),
                target="حرب غزة",
                gold=(label,),
            )
        )
    return found


TRAIN = events(4) + stances(12)
# half of dev says otherwise, so that its metric turns before the end
DEV = events(2, 100) + [replace(example, gold=("none",)) for example in stances(6, 100)]


def passes(examples: Sequence[Example]) -> list[Pass]:
    """Windows with the real tokenizer."""
    return Windower(from_vocab(vocab(), "arabert_v02"), WindowsConfig(length=48, stride=8, question=12), 512).passes(
        examples
    )


def work(
    examples: Sequence[Example] = TRAIN, *, seed: int = 0, batch_tokens: int = 64, mixing: float = 1.0
) -> ClassificationWork:
    """What is trained on."""
    return ClassificationWork(
        passes(examples), TrainingFold({"train": examples}), TASKS, 0, batch_tokens, mixing, LossConfig(), seed
    )


def model(*, dropout: float = 0.1) -> Classifier:
    """Always the same new weights, whatever was drawn before."""
    with torch.random.fork_rng():
        torch.manual_seed(7)
        config = BertConfig(
            vocab_size=len(vocab()),
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=64,
            hidden_dropout_prob=dropout,
            attention_probs_dropout_prob=dropout,
        )
        return Classifier(BertModel(config, add_pooling_layer=False), TASKS, uses_token_types=True, dropout=dropout)


@dataclass
class Run:
    """A loop and what it told; call it to train."""

    loop: Loop
    told: list[tuple[int, dict[str, float]]]

    def __call__(self) -> Outcome:
        return self.loop.run()

    @property
    def weights(self) -> dict[str, torch.Tensor]:
        return {name: value.clone() for name, value in self.loop.raw.state_dict().items()}

    @property
    def losses(self) -> list[float]:
        return [metrics["loss"] for _, metrics in self.told if "loss" in metrics]


def prepare(
    folder: Path,
    *,
    seed: int = 0,
    trained: Classifier | None = None,
    data: ClassificationWork | None = None,
    dev: Sequence[float] | None = None,
    evaluated: bool = True,
    precision: str = "fp32",
    progress: bool = False,
    heard: Callable[[int, dict[str, float]], None] = lambda step, metrics: None,
    **loop: object,
) -> Run:
    """A run; `dev` are metrics told in place of real ones, `heard` is called after each step and evaluation."""
    config = LoopConfig.of({**LOOP, **loop})
    held = work(DEV)
    count = held.count(list(range(len(held.passes))))
    script = itertools.chain(dev or (), itertools.repeat(0.0))

    def evaluate(now: torch.nn.Module) -> dict[str, float]:
        if dev is not None:
            return {"dev_metric": next(script)}
        with torch.inference_mode():
            loss = held.loss(now, list(range(len(held.passes))), torch.device("cpu"))
        return {"dev_metric": -float(loss) / count}

    told: list[tuple[int, dict[str, float]]] = []

    def log(step: int, metrics: dict[str, float]) -> None:
        told.append((step, metrics))
        heard(step, metrics)

    made = Loop(
        trained or model(),
        data or work(seed=seed, batch_tokens=config.batch_tokens, mixing=config.mixing),
        config,
        lr=2e-2,
        machine=MachineConfig.of({"device": "cpu", "precision": precision, "threads": 1, "progress": progress}),
        seed=seed,
        folder=folder,
        evaluate=evaluate if evaluated else None,
        log=log,
    )
    return Run(made, told)


def same(left: dict[str, torch.Tensor], right: dict[str, torch.Tensor]) -> bool:
    """Bit for bit."""
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


def main(folder: Path, *, signal_at: int = 0, number: int = signal.SIGKILL, rank: int = 0, on: str = "loss") -> None:
    """Train, signal oneself after a step or in an evaluation, and save the weights where the training ends."""

    def heard(step: int, metrics: dict[str, float]) -> None:
        if step == signal_at and on in metrics and int(os.environ.get("RANK", "0")) == rank:
            os.kill(os.getpid(), number)

    accumulate = 2 // int(os.environ.get("WORLD_SIZE", "1"))
    run = prepare(folder, heard=heard, **{**FULL, "accumulate": accumulate})
    print(f"from step {run.loop.state.step}", flush=True)
    run()
    save_file(run.weights, folder / f"weights{os.environ.get('RANK', '')}.safetensors")


if __name__ == "__main__":
    main(Path(sys.argv[1]), **json.loads(sys.argv[2]))
