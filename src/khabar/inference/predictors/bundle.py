"""A bundle folder, run by torch."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from khabar.config import MachineConfig
from khabar.inference.engine import Engine, Forward
from khabar.models import bundle
from khabar.models.bundle import Card
from khabar.models.windows import Batch
from khabar.text import normalizer

if TYPE_CHECKING:
    import torch

    from khabar.models.classifier import Classifier


def open_(folder: Path, machine: MachineConfig | None = None) -> Engine:
    """The predictor of a bundle, after its exam.

    Raises:
        DataError: the bundle is damaged.
        GateError: it does not answer as recorded.
    """
    machine = machine or MachineConfig()
    card = bundle.read_card(folder)
    classifier = bundle.read_classifier(folder, card)
    tokenizer = normalizer.load(folder)
    engine = Engine(folder.name, card, tokenizer, forward(classifier, machine), precision=precision(machine))
    engine.examine(bundle.read_probes(folder))
    return engine


def in_memory(classifier: "Classifier", card: Card, tokenizer: Tokenizer, machine: MachineConfig) -> Engine:
    """The predictor of a model that is being trained, where it lies; fp32 on CPU, for the exam is recorded there."""
    return Engine("model", card, tokenizer, forward(classifier, machine, move=False))


def device(machine: MachineConfig) -> "torch.device":
    """The device to run on: the one asked for, else CUDA, else CPU."""
    import torch

    if machine.device != "auto":
        return torch.device(machine.device)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def precision(machine: MachineConfig) -> str:
    """The precision that inference runs in: fp32 unless bf16 was asked for by name."""
    return "bf16" if machine.precision == "bf16" else "fp32"


def forward(classifier: "Classifier", machine: MachineConfig, *, move: bool = True) -> Forward:
    """The forward function of a torch classifier."""
    import torch

    if machine.threads:
        torch.set_num_threads(machine.threads)
    if move:
        classifier.to(device(machine))
    half = precision(machine) == "bf16"

    def run(batch: Batch) -> NDArray[np.float32]:
        arrays = [batch.ids_WL, batch.mask_WL, batch.types_WL, batch.membership_UT]
        if classifier.reads:
            arrays += [batch.pairs_P4, batch.words_N]
        at = next(classifier.parameters()).device  # a model in training may move
        reduced = half and (move or at.type != "cpu")
        with torch.inference_mode(), torch.autocast(at.type, torch.bfloat16, enabled=reduced):
            logits = classifier(*(torch.from_numpy(array).to(at) for array in arrays))
        answer: NDArray[np.float32] = logits.float().cpu().numpy()
        return answer

    return run
