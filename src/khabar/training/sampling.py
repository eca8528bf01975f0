"""What the loop trains on, and in which order: batches by length, the same for the same seed and epoch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from khabar.config import LossConfig
from khabar.data import marks
from khabar.data.fold import TrainingFold, required
from khabar.models import tagging
from khabar.models.batches import Batch, Pass, by_length, collate
from khabar.models.classifier import columns
from khabar.models.losses import class_weights, joint
from khabar.models.pieces import PART, Words
from khabar.schema import Example, Offsets, Task, flat


class Work(Protocol):
    """What the training loop needs to know of its data and objective; the loop knows nothing else of them."""

    def plan(self, epoch: int) -> list[list[int]]:
        """The micro-batches of an epoch, each a list of row numbers; a function of the seed and the epoch alone."""
        ...

    def count(self, batch: list[int]) -> int:
        """The answers in a micro-batch: what a step's loss is divided by."""
        ...

    def tokens(self, batch: list[int]) -> int:
        """The tokens in a micro-batch, for the speed that is shown."""
        ...

    def loss(self, model: nn.Module, batch: list[int], device: torch.device) -> Tensor:
        """The sum of the losses over a micro-batch's answers; torch's generators were seeded for it."""
        ...


def targets(examples: Sequence[Example], tasks: Mapping[str, Task]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Answers as (target [N, C], asked [N, J]): shares of the votes where an example has them, else 1 for gold.

    J are the questions of the tasks (see `flat`). A missing answer is never a negative one; a sentence to mark has its
    answers word by word, and none here.
    """
    place, questions = columns(tasks), flat(tasks)
    target = np.zeros((len(examples), max(column.stop for column in place.values())), np.float32)
    asked = np.zeros((len(examples), len(place)), bool)
    order = {name: j for j, name in enumerate(place)}
    for row, example in enumerate(examples):
        answer = dict.fromkeys(example.gold or (), 1.0) if example.soft is None else example.soft
        if (example.gold is None and example.soft is None) or questions[example.task].marks:
            continue
        asked[row, order[example.task]] = True
        for label, share in answer.items():
            target[row, place[example.task].start + questions[example.task].labels.index(label)] = share
    return target, asked


@dataclass
class ClassificationWork:
    """The masked joint loss of several tasks over passes of windows.

    What is counted, drawn again or hidden is so on the training fold alone: it takes nothing else.
    """

    passes: Sequence[Pass]
    examples: TrainingFold
    tasks: Mapping[str, Task]
    pad_id: int
    batch_tokens: int
    mixing: float
    config: LossConfig
    seed: int
    repeat: Mapping[str, int] = field(default_factory=dict)
    oversample: float = 0.0
    mask: float = 0.0
    mask_id: int | None = None

    def __post_init__(self) -> None:
        """Lay out the targets and count the labels."""
        required(self.examples)
        self._target, self._asked = targets(self.examples, self.tasks)
        self._questions = flat(self.tasks)
        self._columns = columns(self.tasks)
        self._weights = {
            name: torch.from_numpy(
                # shares of the votes are summed: a label's weight meets as much of the target as another's
                class_weights(
                    self._target[self._asked[:, j], column].astype(float), self._questions[name].kind, self.config
                )
            )
            for j, (name, column) in enumerate(self._columns.items())
        }
        self._tags = {each.example: self._tagged(each) for item in self.passes for each in item.words}
        self._units = [item.examples[item.examples != PART] for item in self.passes]
        self._answers = [len({self._sentence(i) for i in units if self._answered(i)}) for units in self._units]
        groups: dict[tuple[str, ...], list[int]] = {}
        for i, units in enumerate(self._units):
            groups.setdefault(tuple(sorted({self.examples[u].task for u in units})), []).append(i)
        self._groups = [np.array(groups[key]) for key in sorted(groups)]
        self._rarity = self._rarities()

    def plan(self, epoch: int) -> list[list[int]]:
        """Passes drawn so that a task's rows come in proportion to rows ** mixing, batched by length and shuffled."""
        order = np.random.default_rng((self.seed, epoch))
        rows = self._mix(order)
        batches = by_length([self.passes[i] for i in rows], self.batch_tokens, order)
        return [[int(rows[i]) for i in batch] for batch in batches]

    def _mix(self, order: np.random.Generator) -> NDArray[np.int64]:
        rows = np.array([max(1, sum(self._answers[i] for i in group)) for group in self._groups], float)
        share = rows**self.mixing / (rows**self.mixing).sum()
        drawn = []
        for group, rounds in zip(self._groups, share * rows.sum() / rows, strict=True):
            # whole rounds first: no pass twice before all came once
            often = max(self.repeat.get(self.examples[unit].task, 1) for unit in self._units[group[0]])
            size = max(1, round(often * rounds * len(group)))
            drawn.append(_drawn(group, size, self._rarity[group] ** self.oversample, order))
        return np.concatenate(drawn)

    def _rarities(self) -> NDArray[np.float64]:
        """Of each pass: the mean over its units of 1 / rows of the rarest label given; an empty answer is a label."""
        count = np.maximum(self._target.sum(0), 1)
        empty = self._asked.any(1) & ~self._target.any(1)
        rarest = (self._target / count).max(1)
        marked = np.array([example.marks is not None for example in self.examples], bool)  # their labels are words'
        rarest = np.where(empty, 1 / max(1, empty.sum()), np.where(marked, 1 / max(1, marked.sum()), rarest))
        return np.array([rarest[units].mean() for units in self._units])

    def count(self, batch: list[int]) -> int:
        """Answered (unit, task) pairs; all that one head is asked of the marks in one sentence is one answer."""
        return sum(self._answers[i] for i in batch)

    def tokens(self, batch: list[int]) -> int:
        """Tokens of all windows, padding left out."""
        return sum(len(ids) for i in batch for ids in self.passes[i].ids)

    def loss(self, model: nn.Module, batch: list[int], device: torch.device) -> Tensor:
        """The summed joint loss."""
        arrays = collate([self.passes[i] for i in batch], self.pad_id)
        if self.mask and model.training:
            self._hide(arrays)
        inputs = [arrays.ids_WL, arrays.mask_WL, arrays.types_WL, arrays.membership_UT]
        target_UC, asked_UJ = self._target[arrays.examples], self._asked[arrays.examples]
        asked_UJ[arrays.examples == PART] = False
        if any(task.marks for task in self.tasks.values()):
            inputs += [arrays.pairs_P4, arrays.words_N3, arrays.edges_U2]
            tagged = [self._tags[each.example] for each in arrays.words]
            target_UC = np.concatenate([target_UC, *(target for target, _ in tagged)])
            asked_UJ = np.concatenate([asked_UJ, *(asked for _, asked in tagged)])
        logits = model(*(torch.from_numpy(array).to(device) for array in inputs))
        target, asked = torch.from_numpy(target_UC).to(device), torch.from_numpy(asked_UJ).to(device)
        weights = {name: weight.to(device) for name, weight in self._weights.items()}
        return joint(logits, target, asked, self.tasks, weights, self.config)

    def _tagged(self, sentence: Words) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """The targets of the words of a sentence to mark [N, C], and what is asked of them [N, J]."""
        example = self.examples[sentence.example]
        column = self._columns[example.task]
        target = np.zeros((len(sentence.places), self._target.shape[1]), np.float32)
        spans = [(span.layer, span.start, span.end) for span in marks.inside(example)]
        target[:, column] = tagging.tags(sentence.places, spans, self.tasks[example.task].labels)
        asked = np.zeros((len(target), len(self._columns)), bool)
        asked[:, list(self._columns).index(example.task)] = example.marks is not None
        return target, asked

    def _answered(self, row: int) -> bool:
        return bool(self._asked[row].any()) or self.examples[row].marks is not None

    def _sentence(self, row: int) -> tuple[str, int | Offsets]:
        """What counts as one answer: a row, or what a head is asked about the marks of one sentence."""
        example = self.examples[row]
        return example.task, row if example.within is None else example.within

    def _hide(self, arrays: Batch) -> None:
        """Hide tokens that belong to a unit, in place; questions and special tokens stay. Seeded as dropout is."""
        assert self.mask_id is not None
        text_WL = arrays.membership_UT.any(0).reshape(arrays.ids_WL.shape)
        arrays.ids_WL[text_WL & (torch.rand(arrays.ids_WL.shape).numpy() < self.mask)] = self.mask_id


def _drawn(
    group: NDArray[np.int64], size: int, weight: NDArray[np.float64], order: np.random.Generator
) -> NDArray[np.int64]:
    """Draw `size` of a group by weight, by systematic sampling: alike ones come once before any twice."""
    shuffled = order.permutation(len(group))
    share = weight[shuffled] / weight.sum() * size
    ends = np.floor(np.cumsum(share) + order.random()).astype(np.int64)
    ends[-1] = size
    return np.repeat(group[shuffled], np.diff(np.minimum(ends, size), prepend=0))
