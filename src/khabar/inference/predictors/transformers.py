"""A transformers export, run by torch: windows, events and stances as a bundle has them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from khabar.config import MachineConfig
from khabar.inference.engine import Engine
from khabar.inference.predictors.bundle import forward, precision
from khabar.models import bundle
from khabar.models.bundle import Probe
from khabar.models.encoder import quiet
from khabar.models.export.transformers import read
from khabar.text import normalizer


def open_(folder: Path, machine: MachineConfig | None = None) -> Engine:
    """The predictor of an exported folder, after its exam.

    Raises:
        DataError: the folder is damaged or holds no such model.
        GateError: it does not answer as recorded.
    """
    machine = machine or MachineConfig()
    card = bundle.read_card(folder)
    run = forward(read(folder, card), machine)
    engine = Engine(folder.name, card, normalizer.load(folder), run, precision=precision(machine))
    engine.examine(bundle.read_probes(folder))
    return engine


def by_pipeline(folder: Path, probes: Sequence[Probe]) -> list[dict[str, float]]:
    """What plain `pipeline("text-classification")` answers, without khabar: label -> probability, a probe each."""
    from transformers import pipeline

    with quiet():
        classify = pipeline("text-classification", model=str(folder), device="cpu", top_k=None)
    questions = [probe.example(number).question for number, probe in enumerate(probes)]
    given: list[Any] = [
        probe.text if question is None else {"text": question, "text_pair": probe.text}
        for probe, question in zip(probes, questions, strict=True)
    ]
    found: list[Any] = classify(given)
    return [{row["label"]: row["score"] for row in answer} for answer in found]
