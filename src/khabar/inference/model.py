"""`khabar.load(...)` and what it returns: a model that reads articles.

model = khabar.load("models:/khabar-event_type-stance@champion")
readings = model.predict([text], questions=[("إيران", "وقف إطلاق النار")])
readings.to_pandas()
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from khabar.config import MachineConfig, locate
from khabar.errors import ConfigError, DataError
from khabar.inference.engine import Engine
from khabar.inference.readings import Event, Evidence, Reading, Readings, Stance
from khabar.inference.watchlist import Watchlist
from khabar.models import bundle
from khabar.schema import OUTLET, Article, Example, Offsets, Task
from khabar.text import sentences

Question = tuple[str | None, str]
CHUNK = 32  # articles whose windows are batched together
UNASKED = "no stance was asked: give questions, or a watchlist with a name that the text mentions"


def load(uri: str, machine: MachineConfig | None = None) -> "Model":
    """A model by folder, `models:/NAME@ALIAS`, `models:/NAME/VERSION` or `runs:/RUN_ID/bundle`.

    Raises:
        ConfigError: there is no such model; the message says what exists.
        DataError: the bundle is damaged.
        GateError: it does not answer its probe as it was recorded.
    """
    from khabar.inference.predictors import bundle as torch_bundle
    from khabar.inference.predictors import onnx

    folder, version = folder_of(uri)
    opener = onnx.open_ if (folder / "model.onnx").is_file() else torch_bundle.open_
    return Model(opener(folder, machine), uri=uri, version=version, fingerprint=bundle.fingerprint(folder))


@dataclass
class _Job:
    """One article on its way through a batch."""

    reading_id: str
    title: str
    text: str
    spans: list[Offsets]
    questions: list[Question]
    examples: list[Example]
    without: list[tuple[Offsets, ...]]
    error: str | None = None


class Model:
    """Reads articles: events with their sentences, stances with their evidence."""

    def __init__(self, engine: Engine, *, uri: str, version: str | None = None, fingerprint: str | None = None) -> None:
        self.engine = engine
        self.tasks: dict[str, Task] = engine.tasks
        self.about: dict[str, str | None] = {"uri": uri, "version": version, "fingerprint": fingerprint}

    def predict(
        self,
        articles: "str | Article | Mapping[str, Any] | Sequence[str | Article | Mapping[str, Any]]",
        questions: Sequence[Question] = (),
        *,
        targets: Sequence[str] = (),
        watchlist: Watchlist | None = None,
        threshold: float | None = None,
    ) -> Readings:
        """Read articles.

        Args:
            articles: texts, `Article`s, or dicts with `text` and perhaps `id`, `title`, `questions` (pairs or strings
                "holder | target").
            questions: pairs (holder, target) that every article is asked; holder None: the target alone.
            targets: targets on which the outlet itself is asked.
            watchlist: names that become questions where a text mentions them.
            threshold: for all labels of multi-label tasks, in place of the model's own.

        Raises:
            DataError: an article has no text field. A text that can't be read is no error of the call: its reading
                says why.
        """
        several = [articles] if isinstance(articles, str | Article | Mapping) else articles
        asked = [*questions, *((OUTLET, target) for target in targets)]
        return Readings(tuple(self.stream(several, asked, watchlist=watchlist, threshold=threshold)))

    def stream(
        self,
        articles: "Iterable[str | Article | Mapping[str, Any]]",
        questions: Sequence[Question] = (),
        *,
        watchlist: Watchlist | None = None,
        threshold: float | None = None,
    ) -> Iterator[Reading]:
        """The readings one after the other, in constant memory."""
        chunk: list[_Job] = []
        for article in articles:
            chunk.append(self._job(article, questions, watchlist))
            if len(chunk) == CHUNK:
                yield from self._read(chunk, threshold)
                chunk = []
        yield from self._read(chunk, threshold)

    def _job(
        self, article: "str | Article | Mapping[str, Any]", questions: Sequence[Question], watchlist: Watchlist | None
    ) -> _Job:
        own: list[Question] = []
        if isinstance(article, Mapping):
            if not isinstance(article.get("text"), str):
                raise DataError(
                    f"An article needs a field 'text' with a string; this one has {', '.join(article) or 'none'}."
                )
            own = [parse_question(question) for question in article.get("questions") or ()]
            text, name, title = article["text"], article.get("id"), article.get("title")
        elif isinstance(article, Article):
            text, name, title = article.text, article.id, article.title
        else:
            text, name, title = article, None, None
        name = str(name) if name else hashlib.sha256(text.encode()).hexdigest()[:16]
        job = _Job(name, title or text.strip().split("\n", 1)[0], text, [], [], [], [])
        if not text.strip():
            job.error = "the text is empty"
            return job
        job.spans = sentences.split(text)
        found: list[Question] = list(watchlist.questions(text)) if watchlist else []
        job.questions = list(dict.fromkeys([*own, *questions, *found]))
        for example, without in self._examples(job):
            job.examples.append(example)
            job.without.append(without)
        return job

    def _examples(self, job: _Job) -> Iterator[tuple[Example, tuple[Offsets, ...]]]:
        """What to ask of an article, and what to leave out of the unit.

        A sentence task asks each sentence. An article's question is asked of the whole, then of the whole without each
        sentence in turn: the sentence whose absence costs the answer most is its evidence, for one more row of the
        pooling matrix and no more encoding.
        """
        for task in self.tasks.values():
            if task.level == "sentence":
                for i, span in enumerate(job.spans):
                    yield self._example(job, task, f"s{i}", None, span), ()
                continue
            for q, question in enumerate(job.questions if task.asks else [None]):
                yield self._example(job, task, f"q{q}", question), ()
                if question is not None and len(job.spans) > 1:
                    for i, span in enumerate(job.spans):
                        yield self._example(job, task, f"q{q}-{i}", question), (span,)

    @staticmethod
    def _example(job: _Job, task: Task, name: str, question: Question | None, span: Offsets | None = None) -> Example:
        holder, target = question or (None, None)
        return Example(
            id=f"{task.name}:{name}",
            article=job.reading_id,
            group=job.reading_id,
            task=task.name,
            text=job.text,
            span=span,
            holder=holder if "holder" in task.asks else None,
            target=target,
        )

    def _read(self, jobs: list[_Job], threshold: float | None) -> Iterator[Reading]:
        """Answer a chunk in one go; where that fails, one by one, so that a bad text costs itself alone."""
        good = [job for job in jobs if not job.error]
        try:
            logits = self._logits(good)
        except DataError:
            logits = {}
            for job in good:
                try:
                    logits |= self._logits([job])
                except DataError as error:
                    job.error = str(error)
        for job in jobs:
            if job.error:
                yield Reading(job.reading_id, job.title, model=self.about, error=job.error)
            else:
                yield self._reading(job, logits[id(job)], threshold)

    def _logits(self, jobs: list[_Job]) -> dict[int, np.ndarray[Any, np.dtype[np.float64]]]:
        examples = [example for job in jobs for example in job.examples]
        without = [skip for job in jobs for skip in job.without]
        logits = self.engine.logits(examples, without) if examples else np.zeros((0, 0))
        ends = np.cumsum([len(job.examples) for job in jobs])
        return {id(job): logits[end - len(job.examples) : end] for job, end in zip(jobs, ends, strict=True)}

    def _reading(self, job: _Job, logits: Any, threshold: float | None) -> Reading:  # noqa: ANN401 - array
        events: list[Event] = []
        article_events: dict[str, float] = {}
        stances: list[Stance] = []
        notes: list[str] = []
        for name, task in self.tasks.items():
            rows = [i for i, example in enumerate(job.examples) if example.task == name]
            if not rows:
                notes += [UNASKED] if task.asks else []
                continue
            prob = self.engine.probabilities(logits[rows], name)
            decided = self.engine.decide(prob, name, threshold)
            if task.level == "sentence":
                events += self._events(task, job, prob, decided)
                article_events |= {label: float(p) for label, p in zip(task.labels, prob.max(0), strict=True)
                                   if label != task.empty_as}  # fmt: skip
            else:
                stances += self._stances(task, job, rows, prob, decided)
        events.sort(key=lambda event: (event.start, -event.score))
        return Reading(
            job.reading_id, job.title, tuple(events), article_events, tuple(stances), self.about, notes=tuple(notes)
        )

    @staticmethod
    def _events(task: Task, job: _Job, prob: Any, decided: Any) -> Iterator[Event]:  # noqa: ANN401 - arrays
        for i, (start, end) in enumerate(job.spans):
            for k, label in enumerate(task.labels):
                if decided[i, k] and label != task.empty_as:
                    yield Event(task.name, label, float(prob[i, k]), start, end, job.text[start:end])

    @staticmethod
    def _stances(task: Task, job: _Job, rows: list[int], prob: Any, decided: Any) -> Iterator[Stance]:  # noqa: ANN401
        at = 0
        while at < len(rows):
            example = job.examples[rows[at]]
            label = int(decided[at].argmax())
            variants = 0
            while at + 1 + variants < len(rows) and job.without[rows[at + 1 + variants]]:
                variants += 1
            evidence = None
            if task.labels[label] not in ("none", "unrelated") and job.spans:
                drop = prob[at, label] - prob[at + 1 : at + 1 + variants, label]
                start, end = job.spans[int(drop.argmax())] if variants else job.spans[0]
                evidence = Evidence(start, end, job.text[start:end])
            yield Stance(
                task.name,
                example.holder,
                example.target,
                task.labels[label],
                dict(zip(task.labels, prob[at].tolist(), strict=True)),
                evidence,
            )
            at += 1 + variants


def parse_question(question: Any) -> Question:  # noqa: ANN401 - what JSON and Hydra bring
    """A question as a pair: "holder | target", "target" (asked of the outlet), or a pair already.

    Raises:
        DataError: neither.
    """
    if isinstance(question, str):
        parts = [part.strip() for part in question.split("|")]
        if len(parts) == 1 and parts[0]:
            return (OUTLET, parts[0])
        if len(parts) == 2 and parts[1]:
            return (parts[0] or None, parts[1])
    elif isinstance(question, Mapping) and isinstance(question.get("target"), str):
        return (question.get("holder"), question["target"])
    elif isinstance(question, Sequence) and len(question) == 2 and isinstance(question[1], str):
        return (question[0], question[1])
    raise DataError(
        f"{question!r} is no question. Write 'holder | target', 'target' for the outlet's own stance, or a pair."
    )


def folder_of(uri: str) -> tuple[Path, str | None]:
    """The local bundle folder of a model URI, and the registered version it stands for.

    Raises:
        ConfigError: there is no such model.
    """
    version = None
    if uri.startswith(("models:/", "runs:/")):
        from khabar import store

        folder, version = store.download(uri)
    else:
        folder = locate(uri)
        if not folder.is_dir():
            raise ConfigError(
                f"There is no folder {uri}. A model is a bundle folder, models:/NAME@ALIAS or runs:/ID/bundle."
            )
    inside = folder / "artifacts" / "bundle"  # where MLflow puts the artifacts of a model
    return (inside if inside.is_dir() else folder), version
