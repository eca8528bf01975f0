"""The certificate of an export: how its answers differ from the bundle's, its size, its speed beside torch.

Both read the same articles one after the other in this process, on the CPU.
"""

import os
import platform
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from khabar.config import MachineConfig, Record
from khabar.errors import DataError, GateError
from khabar.inference.engine import TOLERANCE
from khabar.inference.model import Model, load
from khabar.inference.readings import Answer
from khabar.models import bundle
from khabar.models.batches import Batch
from khabar.schema import OUTLET, Task

PACKAGES = ("khabar", "numpy", "onnxruntime", "openvino", "tokenizers", "torch", "transformers")
WARM = 2  # articles read before the clock starts


class Difference(Record):
    """How far two models' answers are apart: of a probability, and in what they decide."""

    answers: int
    mean: float
    largest: float
    alike: int  # answers with the same labels
    where: str  # the largest


class Speed(Record):
    """Articles and tokens (with special ones, without padding) a second."""

    articles: float
    tokens: float


class Certificate(Record):
    """`certificate.json`. Sizes in MiB; `bundle` is the fingerprint of what was exported."""

    runtime: str
    precision: str
    bundle: str
    probe: dict[str, float]  # questions, largest, allowed
    pipeline: dict[str, float] | None = None  # the same by plain transformers, on the questions that fill one window
    text: str | None = None
    articles: int = 0
    difference: Difference | None = None
    size: dict[str, float]  # export, bundle
    speed: dict[str, Speed] = Field({})  # export, bundle
    threads: int
    cpu: str
    packages: dict[str, str]

    def lines(self) -> Iterator[str]:
        """For a person."""
        yield f"size   {self.size['export']:.1f} MiB; the bundle {self.size['bundle']:.1f} MiB"
        for name, told in (("probe", self.probe), ("plain", self.pipeline)):
            if told:
                by = " by transformers' own pipeline" if name == "plain" else ""
                yield (
                    f"{name}  {told['questions']:.0f} questions{by}: largest difference of a probability "
                    f"{told['largest']:.1e} ({told['allowed']:.0e} allowed for {self.precision})"
                )
        if self.difference:
            found = self.difference
            yield f"text   {self.articles} articles of {self.text}, {found.answers} answers:"
            yield f"       {found.alike} decide alike ({found.alike / found.answers:.1%}); difference of a probability"
            yield f"       {found.mean:.1e} in the mean, {found.largest:.1e} at most ({found.where})"
            export, own = self.speed["export"], self.speed["bundle"]
            yield f"speed  {export.articles:.1f} articles/s, {export.tokens:,.0f} tokens/s; the bundle under torch"
            yield f"       {own.articles:.1f} and {own.tokens:,.0f} ({self.threads} threads, {self.cpu})"


@dataclass(frozen=True)
class Timed:
    """What a model answered, and how fast."""

    answers: list[tuple[str, Answer]]
    speed: Speed


def certify(
    source: Path,
    folder: Path,
    machine: MachineConfig,
    text: str | None,
    articles: Iterable[Mapping[str, Any]],
    limit: int,
) -> Certificate:
    """Examine an export, and compare it with its bundle on real text.

    Args:
        source: the bundle.
        folder: the export, sealed.
        machine: threads and precision; the device is the CPU, where an exam is recorded.
        text: what the articles are called.
        articles: of which the first are read; none: no text is compared.
        limit: how many.

    Raises:
        GateError: the probe differs by more than its precision allows, or the text does in fp32. What int8 and bf16 do
            to a text is told and no error: no limit fits every model, and the user can judge decisions.
    """
    on_cpu = machine.model_copy(update={"device": "cpu"})
    model = load(str(folder), on_cpu)
    engine, probes = model.engine, bundle.read_probes(folder)
    allowed = TOLERANCE[engine.precision]
    probe = {"questions": len(probes), "largest": engine.examine(probes), "allowed": allowed}
    found: dict[str, Any] = {}
    taken = list(islice(with_questions(articles, model.tasks.values()), limit))
    if taken:
        own = load(str(source), on_cpu.model_copy(update={"precision": "fp32"}))
        own.tasks = model.tasks  # an export may carry one head of several
        ours, theirs = timed(own, taken), timed(model, taken)
        difference = compare(ours.answers, theirs.answers)
        if engine.precision == "fp32" and not difference.largest <= allowed:
            raise GateError(
                f"The export does not read {text} as the bundle does: {difference.where} is off by "
                f"{difference.largest:.1e}, over {allowed:.0e} for fp32."
            )
        found = {"text": text, "articles": len(taken), "difference": difference}
        found["speed"] = {"export": theirs.speed, "bundle": ours.speed}
    return Certificate(
        runtime=engine.card.runtime,
        precision=engine.precision,
        bundle=bundle.fingerprint(source),
        probe=probe,
        pipeline=_by_pipeline(folder, model) if engine.card.runtime == "transformers" else None,
        size={"export": size(folder), "bundle": size(source)},
        threads=machine.threads or cores(),
        cpu=cpu(),
        packages=dict(_packages()),
        **found,
    )


def with_questions(articles: Iterable[Mapping[str, Any]], tasks: Iterable[Task]) -> Iterator[dict[str, Any]]:
    """Articles; where a task asks and one brings no question, it is asked for its outlet's stance on its headline."""
    asks = any(task.asks for task in tasks)
    for article in articles:
        headline = next((line.strip() for line in article["text"].splitlines() if line.strip()), "")
        own = article.get("questions") or ([(OUTLET, headline)] if asks and headline else [])
        yield {**article, "questions": own}


def timed(model: Model, articles: Sequence[Mapping[str, Any]]) -> Timed:
    """Let a model read articles and measure it; the first few are read twice, to warm it up."""
    model.predict(articles[:WARM])
    engine, forward, tokens = model.engine, model.engine.forward, 0

    def counted(batch: Batch) -> Any:  # noqa: ANN401 - logits
        nonlocal tokens
        tokens += batch.tokens
        return forward(batch)

    engine.forward = counted
    start = time.perf_counter()
    try:
        readings = list(model.stream(articles))
    finally:
        engine.forward = forward
    seconds = time.perf_counter() - start
    answers = [(reading.id, answer) for reading in readings for answer in reading.answers]
    return Timed(answers, Speed(articles=len(articles) / seconds, tokens=tokens / seconds))


def compare(ours: Sequence[tuple[str, Answer]], theirs: Sequence[tuple[str, Answer]]) -> Difference:
    """The difference of two models' answers to the same questions, in the same order.

    Raises:
        DataError: there is no answer to compare, or they are not to the same questions.
    """

    def asked(answers: Sequence[tuple[str, Answer]]) -> list[Any]:
        return [(article, a.task, a.span, a.holder, a.target, tuple(a.probabilities)) for article, a in answers]

    if not ours or asked(ours) != asked(theirs):
        raise DataError("The articles hold nothing that both models answer; give text= with readable articles.")
    each = [
        np.abs(np.subtract(list(a.probabilities.values()), list(b.probabilities.values())))
        for (_, a), (_, b) in zip(ours, theirs, strict=True)
    ]
    worst = int(np.argmax([differences.max() for differences in each]))
    article, answer = ours[worst]
    place = f", characters {answer.span[0]} to {answer.span[1]}" if answer.span else ""
    every = np.concatenate(each)
    return Difference(
        answers=len(ours),
        mean=float(every.mean()),
        largest=float(every.max()),
        alike=sum(a.labels == b.labels for (_, a), (_, b) in zip(ours, theirs, strict=True)),
        where=f"{answer.task} of article {article!r}{place}",
    )


def size(folder: Path) -> float:
    """MiB of all files of a folder."""
    return sum(path.stat().st_size for path in folder.iterdir()) / 2**20


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cpu() -> str:
    """The processor by its maker's name, where the system tells it."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _by_pipeline(folder: Path, model: Model) -> dict[str, float]:
    """The exam as plain transformers takes it.

    Raises:
        GateError: it answers otherwise than khabar.
    """
    from khabar.inference.predictors.transformers import by_pipeline

    probes = bundle.read_probes(folder)
    passes = model.engine.windower.passes([probe.example(number) for number, probe in enumerate(probes)])
    single = [probes[item.units[0].example] for item in passes if len(item.ids) == 1]
    answers = by_pipeline(folder, single)
    largest = max(
        abs(answer[label] - value)
        for answer, probe in zip(answers, single, strict=True)
        for label, value in probe.probabilities.items()
    )
    if not largest <= TOLERANCE["fp32"]:
        raise GateError(f"Plain transformers does not answer as khabar does: off by {largest:.1e}. Please report it.")
    return {"questions": len(single), "largest": largest, "allowed": TOLERANCE["fp32"]}


def _packages() -> Iterator[tuple[str, str]]:
    for package in PACKAGES:
        with suppress(PackageNotFoundError):
            yield package, version(package)
