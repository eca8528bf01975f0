"""Answers examples with any runtime: windows in, logits out, probabilities and decisions by the card.

Shapes: N examples, C columns of all heads, K of one, M words of a sentence.

Torch and ONNX Runtime differ in one function, `forward`; everything around it is this file, so that they cannot drift.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from khabar.errors import ConfigError, GateError
from khabar.evaluation import calibration
from khabar.models import tagging
from khabar.models.batches import Batch, by_length, collate
from khabar.models.bundle import Card, Probe
from khabar.models.pieces import PART, Words
from khabar.models.windows import Windower
from khabar.schema import Example, Offsets, Prediction, Task, flat

Floats = NDArray[np.float64]
Forward = Callable[[Batch], NDArray[np.float32]]


class Heads(Protocol):
    """The parts of a model one by one, for a reader that encodes a text once and asks it twice.

    States and units are the runtime's own arrays; logits come as numpy. A text is the states [T, H] of its windows one
    after the other, and the places [N] in T of its own tokens; a range counts those tokens.
    """

    def encode(self, batch: Batch) -> Any:  # noqa: ANN401 - the runtime's array
        """Hidden states of all tokens [T, H]."""
        ...

    def words(self, task: str, state_TH: Any, words_N3: NDArray[np.int64]) -> Floats:  # noqa: ANN401
        """Logits of a tagger for words as `Batch` has them [N, K]."""
        ...

    def units(self, task: str, state_TH: Any, tokens_N: NDArray[np.int64], bounds: Sequence[Offsets]) -> Floats:  # noqa: ANN401
        """Logits of a task of sentences for ranges of tokens [U, K]."""
        ...

    def spans(self, state_TH: Any, tokens_N: NDArray[np.int64], bounds: Sequence[Offsets]) -> Any:  # noqa: ANN401
        """Ranges of tokens as pairs take them [U, X]."""
        ...

    def joined(self, parts: Sequence[Any]) -> Any:  # noqa: ANN401
        """States one after the other."""
        ...

    def pairs(self, question: str, unit_UX: Any, pairs_P4: NDArray[np.int64]) -> Floats:  # noqa: ANN401
        """Logits of a question for pairs of units as `Batch` has them [P, K]."""
        ...


TOLERANCE = {"fp32": 1e-4, "bf16": 2e-2, "int8": 2e-2}  # of a probability, against the probe's record


@dataclass
class Engine:
    """A predictor over one forward function.

    Args:
        name: who answers, for tables and messages.
        card: tasks, temperatures, thresholds and window limits.
        tokenizer: with the normaliser inside.
        forward: logits [U, C] of a batch.
        batch_tokens: padded tokens of one batch.
        precision: that `forward` computes in: fp32, bf16 or int8.
        heads: the parts of the model, where the runtime has them.
    """

    name: str
    card: Card
    tokenizer: Tokenizer
    forward: Forward
    batch_tokens: int = 8192
    precision: str = "fp32"
    heads: Heads | None = None

    def __post_init__(self) -> None:
        """Read the window templates once."""
        self.tasks: dict[str, Task] = self.card.tasks
        self.questions = flat(self.tasks)
        self.windower = Windower(self.tokenizer, self.card.windows, self.card.max_length, self.questions)
        self.columns: dict[str, slice] = {}
        at = 0
        for name, task in self.questions.items():
            self.columns[name] = slice(at, at := at + len(task.labels) * (2 if task.marks else 1))
        self.width = at

    def logits(self, examples: Sequence[Example], without: Sequence[tuple[Offsets, ...]] | None = None) -> Floats:
        """Logits of all heads [N, C]; `without` leaves stretches out of a unit (see `Windower.passes`)."""
        return self.answer(examples, without)[0]

    def answer(
        self, examples: Sequence[Example], without: Sequence[tuple[Offsets, ...]] | None = None
    ) -> tuple[Floats, dict[int, tuple[Words, Floats]]]:
        """Logits of all heads [N, C], and by example the words of the sentences to mark with their logits [M, K]."""
        passes = self.windower.passes(examples, without)
        found = np.zeros((len(examples), self.width))
        tagged: dict[int, tuple[Words, Floats]] = {}
        for batch in by_length(passes, self.batch_tokens):
            arrays = collate([passes[i] for i in batch], self.card.pad_id)
            logits = self.forward(arrays)
            asked = np.flatnonzero(arrays.examples != PART)
            found[arrays.examples[asked]] = logits[asked]
            at = len(arrays.examples)
            for each in arrays.words:
                column = self.columns[examples[each.example].task]
                tagged[each.example] = each, logits[at : at + len(each.places), column].astype(np.float64)
                at += len(each.places)
        return found, tagged

    def probabilities(self, logits: Floats, task: str) -> Floats:
        """Calibrated probabilities of one task [N, K] out of the logits of all [N, C]."""
        return calibration.apply(logits[:, self.columns[task]], self.card.temperature[task], self.questions[task].kind)

    def decide(self, probabilities: Floats, task: str, threshold: float | None = None) -> NDArray[np.bool_]:
        """Decisions of one task [N, K]; `threshold` stands in place of the card's own, for multi-label tasks."""
        asked = self.questions[task]
        cuts = np.array(self.card.thresholds.get(task, ()))
        if threshold is not None and asked.kind == "multi":
            cuts = np.full_like(cuts, threshold)
        return calibration.decide(probabilities, asked.kind, cuts, empty=asked.empty)

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """One prediction for each example, in order.

        Raises:
            ConfigError: an example is of a task that the model has no head for.
            DataError: normalisation leaves nothing of an example.
        """
        if missing := {example.task for example in examples} - self.questions.keys():
            raise ConfigError(
                f"{self.name} has no head for {', '.join(sorted(missing))}; it has {', '.join(self.questions)}."
            )
        logits, tagged = self.answer(examples)
        found: dict[int, Prediction] = {}
        for name, task in self.questions.items():
            rows = [i for i, example in enumerate(examples) if example.task == name]
            if task.marks:
                found |= {i: self._marked(examples[i], task, *tagged[i]) for i in rows}
                continue
            prob = self.probabilities(logits[rows], name)
            decided = self.decide(prob, name)
            for at, i in enumerate(rows):
                found[i] = Prediction(
                    example=examples[i].id,
                    task=name,
                    probabilities=dict(zip(task.labels, prob[at].tolist(), strict=True)),
                    labels=tuple(label for label, yes in zip(task.labels, decided[at], strict=True) if yes),
                )
        return [found[i] for i in range(len(examples))]

    def _marked(self, example: Example, task: Task, words: Words, logits: Floats) -> Prediction:
        """What is marked in a sentence; the probability of a layer is the highest that a span of it begins."""
        prob = calibration.apply(logits, 1.0, "multi")
        spans = tagging.decode(words.places, prob, self.card.thresholds[task.name], task.labels)
        highest = prob.max(0, initial=0.0)[::2]
        return Prediction(
            example=example.id,
            task=task.name,
            probabilities=dict(zip(task.labels, highest.tolist(), strict=True)),
            labels=tuple(label for label in task.labels if any(span.layer == label for span in spans)),
            spans=tuple(spans),
        )

    def examine(self, probes: Sequence[Probe]) -> float:
        """Take the exam; the result is the largest difference of a probability.

        Raises:
            GateError: a difference above the precision's tolerance; the message names the row.
        """
        if not probes:
            return 0.0
        answers = self.predict([probe.example(number) for number, probe in enumerate(probes)])
        differences = [
            max(abs(answer.probabilities[label] - value) for label, value in probe.probabilities.items())
            for answer, probe in zip(answers, probes, strict=True)
        ]
        worst = int(np.argmax(differences))
        if not differences[worst] <= TOLERANCE[self.precision]:
            coarse = "" if self.precision == "fp32" else f"this model does not bear {self.precision} (take fp32), or "
            raise GateError(
                f"{self.name} does not answer as it was recorded: probe {worst} ({probes[worst].task}, "
                f"{probes[worst].text[:40]!r}) is off by {differences[worst]:.2e}, over "
                f"{TOLERANCE[self.precision]:.0e} for {self.precision}. Either {coarse}the file was damaged, or a "
                "library computes differently: export the model again here."
            )
        return differences[worst]
