"""Answers examples with any runtime: windows in, logits out, probabilities and decisions by the card.

Torch and ONNX Runtime differ in one function, `forward`; everything around it is this file, so that they cannot drift.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from khabar.errors import ConfigError, GateError
from khabar.evaluation import calibration
from khabar.models.bundle import Card, Probe
from khabar.models.windows import Batch, Windower, by_length, collate
from khabar.schema import Example, Offsets, Prediction, Task

Floats = NDArray[np.float64]
Forward = Callable[[Batch], NDArray[np.float32]]
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
    """

    name: str
    card: Card
    tokenizer: Tokenizer
    forward: Forward
    batch_tokens: int = 8192
    precision: str = "fp32"

    def __post_init__(self) -> None:
        """Read the window templates once."""
        self.tasks: dict[str, Task] = self.card.tasks
        self.windower = Windower(self.tokenizer, self.card.windows, self.card.max_length, self.tasks)
        self.columns: dict[str, slice] = {}
        at = 0
        for name, task in self.tasks.items():
            self.columns[name] = slice(at, at := at + len(task.labels))

    def logits(self, examples: Sequence[Example], without: Sequence[tuple[Offsets, ...]] | None = None) -> Floats:
        """Logits of all heads [N, C]; `without` leaves stretches out of a unit (see `Windower.passes`)."""
        passes = self.windower.passes(examples, without)
        found = np.zeros((len(examples), sum(len(task.labels) for task in self.tasks.values())))
        for batch in by_length(passes, self.batch_tokens):
            arrays = collate([passes[i] for i in batch], self.card.pad_id)
            found[arrays.examples] = self.forward(arrays)
        return found

    def probabilities(self, logits: Floats, task: str) -> Floats:
        """Calibrated probabilities of one task [N, K] out of the logits of all [N, C]."""
        return calibration.apply(logits[:, self.columns[task]], self.card.temperature[task], self.tasks[task].kind)

    def decide(self, probabilities: Floats, task: str, threshold: float | None = None) -> NDArray[np.bool_]:
        """Decisions of one task [N, K]; `threshold` in place of the card's own for multi-label tasks."""
        kind = self.tasks[task].kind
        if kind == "single":
            return calibration.decide(probabilities, kind)
        own = np.array(self.card.thresholds[task])
        return calibration.decide(probabilities, kind, own if threshold is None else np.full_like(own, threshold))

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """One prediction for each example, in order.

        Raises:
            ConfigError: an example is of a task that the model has no head for.
            DataError: normalisation leaves nothing of an example.
        """
        if missing := {example.task for example in examples} - self.tasks.keys():
            raise ConfigError(
                f"{self.name} has no head for {', '.join(sorted(missing))}; it has {', '.join(self.tasks)}."
            )
        logits = self.logits(examples)
        found: dict[int, Prediction] = {}
        for name, task in self.tasks.items():
            rows = [i for i, example in enumerate(examples) if example.task == name]
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
