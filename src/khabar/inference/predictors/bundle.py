"""A bundle folder, run by torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from khabar.config import MachineConfig
from khabar.inference.engine import Engine, Floats, Forward
from khabar.models import bundle
from khabar.models.batches import Batch
from khabar.models.bundle import Card
from khabar.schema import Offsets
from khabar.text import normalizer

if TYPE_CHECKING:
    import torch
    from torch import Tensor

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
    engine = Engine(
        folder.name,
        card,
        tokenizer,
        forward(classifier, machine),
        precision=precision(machine),
        heads=_heads(classifier),
    )
    engine.examine(bundle.read_probes(folder))
    return engine


def in_memory(classifier: "Classifier", card: Card, tokenizer: Tokenizer, machine: MachineConfig) -> Engine:
    """The predictor of a model that is being trained, where it lies; fp32 on CPU, for the exam is recorded there."""
    return Engine("model", card, tokenizer, forward(classifier, machine, move=False), heads=_heads(classifier))


@dataclass(frozen=True)
class TorchHeads:
    """The parts of a torch classifier (see `Heads`), in fp32, where its weights lie."""

    classifier: "Classifier"

    def encode(self, batch: Batch) -> "Tensor":
        """Hidden states of all tokens [T, H]."""
        import torch

        at = next(self.classifier.parameters()).device
        arrays = (batch.ids_WL, batch.mask_WL, batch.types_WL)
        with torch.inference_mode():
            return self.classifier.encode(*(torch.from_numpy(array).to(at) for array in arrays)).flatten(0, 1)

    def words(self, task: str, state_TH: "Tensor", words_N3: NDArray[np.int64]) -> Floats:
        """Logits of a tagger for words as `Batch` has them [N, K]."""
        import torch

        with torch.inference_mode():
            return _numpy(self.classifier.taggers[task](state_TH, torch.from_numpy(words_N3).to(state_TH.device)))

    def units(self, task: str, state_TH: "Tensor", tokens_N: NDArray[np.int64], bounds: Sequence[Offsets]) -> Floats:
        """Logits of a task of sentences for ranges of tokens [U, K]."""
        import torch

        with torch.inference_mode():
            own_NH = state_TH[torch.from_numpy(tokens_N).to(state_TH.device)]
            return _numpy(self.classifier.unit_logits(task, own_NH[None], _members(own_NH, bounds)))

    def spans(self, state_TH: "Tensor", tokens_N: NDArray[np.int64], bounds: Sequence[Offsets]) -> "Tensor":
        """Ranges of tokens as pairs take them [U, X]; see `Heads`."""
        import torch
        from torch import nn

        ends_U2 = np.array(bounds, np.int64)
        edges_U2 = np.column_stack([tokens_N[ends_U2[:, 0]] - 1, tokens_N[ends_U2[:, 1] - 1] + 1])
        at = state_TH.device
        sizes_U = ends_U2[:, 1] - ends_U2[:, 0]
        starts_U = np.cumsum(sizes_U) - sizes_U
        inside_M = tokens_N[np.arange(sizes_U.sum()) + np.repeat(ends_U2[:, 0] - starts_U, sizes_U)]
        inside, starts = torch.from_numpy(inside_M).to(at), torch.from_numpy(starts_U).to(at)
        with torch.inference_mode():
            # what `Classifier.mean` says; short ranges of a long text cost it a matrix that is nearly all zeros
            mean_UH = nn.functional.embedding_bag(inside, state_TH, starts, mode="mean")
            return self.classifier.with_edges(mean_UH, state_TH, torch.from_numpy(edges_U2).to(at))

    def joined(self, parts: Sequence["Tensor"]) -> "Tensor":
        """States one after the other."""
        import torch

        return torch.cat(list(parts))

    def pairs(self, question: str, unit_UX: "Tensor", pairs_P4: NDArray[np.int64]) -> Floats:
        """Logits of a question for pairs of units as `Batch` has them [P, K]."""
        import torch

        at = unit_UX.device
        head = self.classifier.pairs[question.replace(".", "/")]
        asked_P3, far_P = pairs_P4[:, :3], pairs_P4[:, 3]
        used_U = np.zeros(len(unit_UX), bool)  # that a pair is about: a layer of the head is reckoned once a unit
        used_U[asked_P3[asked_P3 >= 0]] = True
        if not used_U.all():
            asked_P3 = np.where(asked_P3 < 0, asked_P3, (np.cumsum(used_U) - 1)[asked_P3])
            unit_UX, pairs_P4 = unit_UX[torch.from_numpy(used_U).to(at)], np.column_stack([asked_P3, far_P])
        with torch.inference_mode():
            return _numpy(head(unit_UX, torch.from_numpy(pairs_P4).to(at)))


def _members(state_TH: "Tensor", bounds: Sequence[Offsets]) -> "Tensor":
    """Which tokens lie in each range [U, T]."""
    import torch

    place_T = torch.arange(len(state_TH), device=state_TH.device)
    ends_U2 = torch.tensor(bounds, device=state_TH.device).reshape(-1, 2)
    return (place_T >= ends_U2[:, :1]) & (place_T < ends_U2[:, 1:])


def _numpy(logits: "Tensor") -> Floats:
    return np.asarray(logits.float().cpu().numpy(), np.float64)


def _heads(classifier: "Classifier") -> TorchHeads | None:
    return TorchHeads(classifier) if classifier.reads else None


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
            arrays += [batch.pairs_P4, batch.words_N3, batch.edges_U2]
        at = next(classifier.parameters()).device  # a model in training may move
        reduced = half and (move or at.type != "cpu")
        with torch.inference_mode(), torch.autocast(at.type, torch.bfloat16, enabled=reduced):
            logits = classifier(*(torch.from_numpy(array).to(at) for array in arrays))
        answer: NDArray[np.float32] = logits.float().cpu().numpy()
        return answer

    return run
