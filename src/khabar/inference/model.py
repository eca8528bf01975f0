"""`khabar.load(...)` and what it returns: a model that reads articles.

model = khabar.load("models:/khabar-event_type-stance@champion")
readings = model.predict([text], questions=[("إيران", "وقف إطلاق النار")])
readings.to_pandas()
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from khabar import registry
from khabar.config import MachineConfig, locate
from khabar.errors import ConfigError, DataError
from khabar.inference.engine import Engine
from khabar.inference.readings import SILENT, Answer, Event, Evidence, Reading, Readings, Stance
from khabar.inference.watchlist import Watchlist
from khabar.models import bundle
from khabar.registry import suggest
from khabar.schema import OUTLET, Article, Example, Offsets, Task
from khabar.text import normalizer, sentences

Question = tuple[str | None, str]
CHUNK = 128  # articles whose windows are batched together, those alike in length
WEIGHT = 5e7  # characters times examples of a chunk, some 250 MB: long articles with many questions come in fewer
UNASKED = "no stance was asked: give questions, or a watchlist with a name that the text mentions"


def load(uri: str, machine: MachineConfig | None = None) -> "Model":
    """A model by folder, `models:/NAME@ALIAS`, `models:/NAME/VERSION` or `runs:/RUN_ID/bundle`.

    A bundle or any export: the card in the folder says which file of `inference/predictors/` opens it.

    Raises:
        ConfigError: there is no such model; the message says what exists.
        DataError: the bundle is damaged.
        GateError: it does not answer its probe as it was recorded.
    """
    folder, version = folder_of(uri)
    opener = registry.load("predictors", bundle.runtime(folder))
    if not hasattr(opener, "open_"):
        raise DataError(f"{folder} asks for {opener.__name__}, which opens no folder. Copy or export it again.")
    return Model(opener.open_(folder, machine), uri=uri, version=version, fingerprint=bundle.fingerprint(folder))


@dataclass(frozen=True)
class _Wanted:
    """What a call asks of every article, and what counts as found."""

    questions: Sequence[Question]
    watchlist: Watchlist | None
    tasks: Mapping[str, Task]
    threshold: float | None
    top_k: int | None


@dataclass
class _Job:
    """One article on its way through a batch."""

    reading_id: str
    title: str
    text: str
    questions: list[Question] = field(default_factory=list)
    spans: list[Offsets] = field(default_factory=list)
    examples: list[Example] = field(default_factory=list)
    without: list[tuple[Offsets, ...]] = field(default_factory=list)
    error: str | None = None


class Model:
    """Reads articles: events with their sentences, stances with their evidence."""

    def __init__(self, engine: Engine, *, uri: str, version: str | None = None, fingerprint: str | None = None) -> None:
        self.engine = engine
        self.tasks: dict[str, Task] = engine.tasks
        self.about: dict[str, str | None] = {"uri": uri, "version": version, "fingerprint": fingerprint}
        by_sentence = [task for task in self.tasks.values() if task.level == "sentence"]
        times = Counter(label for task in by_sentence for label in task.labels)
        self._rolled_up = {  # a label that two tasks share (yes, no) goes by both names
            (task.name, label): label if times[label] == 1 else f"{task.name}.{label}"
            for task in by_sentence
            for label in task.labels
            if label != task.empty_as
        }

    def predict(
        self,
        articles: "str | Article | Mapping[str, Any] | Iterable[str | Article | Mapping[str, Any]]",
        questions: Sequence[Question | str] = (),
        *,
        targets: Sequence[str] = (),
        watchlist: Watchlist | None = None,
        threshold: float | None = None,
        tasks: Sequence[str] = (),
        top_k: int | None = None,
    ) -> Readings:
        """Read articles.

        Args:
            articles: texts, `Article`s, or dicts with `text` and perhaps `id`, `title`, `questions`.
            questions: asked of every article, as pairs (holder, target) or strings "holder | target"; holder None: the
                target alone.
            targets: targets on which the outlet itself is asked.
            watchlist: names that become questions where a text mentions them.
            threshold: for all labels of multi-label tasks, in place of the model's own.
            tasks: answer these alone, and encode nothing for the others; none named: all.
            top_k: of each sentence and task the k most probable events, in place of the thresholds; with `threshold`,
                the k most probable of those that reach it. A stance always has all its probabilities.

        Raises:
            ConfigError: a task that the model does not answer, or a threshold or top_k out of range.
            DataError: an article has no text field, or a question is none. A text that can't be read is no error of the
                call: its reading says why.
        """
        several = [articles] if isinstance(articles, str | Article | Mapping) else articles
        asked = [*questions, *((OUTLET, target) for target in targets)]
        read = self.stream(several, asked, watchlist=watchlist, threshold=threshold, tasks=tasks, top_k=top_k)
        return Readings(tuple(read))

    def stream(
        self,
        articles: "Iterable[str | Article | Mapping[str, Any]]",
        questions: Sequence[Question | str] = (),
        *,
        watchlist: Watchlist | None = None,
        threshold: float | None = None,
        tasks: Sequence[str] = (),
        top_k: int | None = None,
    ) -> Iterator[Reading]:
        """The readings one after the other, in constant memory; arguments and errors as of `predict`."""
        named = (tasks,) if isinstance(tasks, str) else tasks
        for name in named:
            if name not in self.tasks:
                raise ConfigError(f"tasks: the model does not answer {name!r}. {suggest(str(name), self.tasks)}")
        if threshold is not None and not 0 < threshold < 1:
            raise ConfigError(f"threshold is {threshold}; write a probability between 0 and 1, such as 0.5.")
        if top_k is not None and top_k < 1:
            raise ConfigError(f"top_k is {top_k}; write how many labels of a sentence are wanted, 1 or more.")
        kept = {name: task for name, task in self.tasks.items() if name in named} if named else self.tasks
        asked = [parse_question(question) for question in questions]
        return self._stream(articles, _Wanted(asked, watchlist, kept, threshold, top_k))

    def _stream(self, articles: "Iterable[str | Article | Mapping[str, Any]]", wanted: _Wanted) -> Iterator[Reading]:
        chunk: list[_Job] = []
        weight = 0
        for article in articles:
            job = self._job(article, wanted)
            chunk.append(job)
            weight += len(job.text) * len(job.examples)
            if len(chunk) == CHUNK or weight > WEIGHT:
                yield from self._read(chunk, wanted)
                chunk, weight = [], 0
        yield from self._read(chunk, wanted)

    def _job(self, article: "str | Article | Mapping[str, Any]", wanted: _Wanted) -> _Job:
        job, own = _taken(article)
        try:
            if not job.text.strip():
                raise DataError("The text is empty.")
            job.text.encode()
            offsets = np.array(normalizer.encode(self.engine.tokenizer, job.text).offsets)
        except UnicodeEncodeError as error:
            job.error = f"The text holds half a character (a lone surrogate) at {error.start}."
        except DataError as error:
            job.error = str(error)
        if job.error:
            return job
        # normalisation leaves nothing of some sentences, such as a line that is one HTML tag
        job.spans = [
            (start, end)
            for start, end in sentences.split(job.text)
            if ((offsets[:, 1] > start) & (offsets[:, 0] < end)).any()
        ]
        found = wanted.watchlist.questions(job.text) if wanted.watchlist else ()
        job.questions = list(dict.fromkeys([*own, *wanted.questions, *found]))
        for example, without in self._examples(job, wanted.tasks):
            job.examples.append(example)
            job.without.append(without)
        return job

    def _examples(self, job: _Job, tasks: Mapping[str, Task]) -> Iterator[tuple[Example, tuple[Offsets, ...]]]:
        """What to ask of an article, and what to leave out of the unit.

        A sentence task asks each sentence. An article's question is asked of the whole, then of the whole without each
        sentence in turn: the sentence whose absence costs the answer most is its evidence, for one more row of the
        pooling matrix and no more encoding.
        """
        for task in tasks.values():
            if task.level == "sentence":
                for i, span in enumerate(job.spans):
                    yield self._example(job, task, f"s{i}", None, span), ()
                continue
            asked = dict.fromkeys((h if "holder" in task.asks else None, t) for h, t in job.questions)
            for q, question in enumerate(asked if task.asks else [None]):
                yield self._example(job, task, f"q{q}", question), ()
                if question is not None and len(job.spans) > 1 and task.pool != "cls":  # that sees no single sentence
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
            holder=holder,
            target=target,
        )

    def _read(self, jobs: list[_Job], wanted: _Wanted) -> Iterator[Reading]:
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
                yield self._reading(job, logits[id(job)], wanted)

    def _logits(self, jobs: list[_Job]) -> dict[int, np.ndarray[Any, np.dtype[np.float64]]]:
        examples = [example for job in jobs for example in job.examples]
        without = [skip for job in jobs for skip in job.without]
        logits = self.engine.logits(examples, without) if examples else np.zeros((0, 0))
        ends = np.cumsum([len(job.examples) for job in jobs])
        return {id(job): logits[end - len(job.examples) : end] for job, end in zip(jobs, ends, strict=True)}

    def _reading(self, job: _Job, logits: Any, wanted: _Wanted) -> Reading:  # noqa: ANN401 - array
        events: list[Event] = []
        article_events: dict[str, float] = {}
        stances: list[Stance] = []
        answers: list[Answer] = []
        unasked = False
        for name, task in wanted.tasks.items():
            rows = [i for i, example in enumerate(job.examples) if example.task == name]
            if not rows:
                unasked |= bool(task.asks)
                continue
            prob = self.engine.probabilities(logits[rows], name)
            decided = self._decide(prob, task, wanted)
            answers += _answers(task, job, rows, prob, decided)
            if task.level == "sentence":
                events += _events(task, job, prob, decided)
                for label, highest in zip(task.labels, prob.max(0).tolist(), strict=True):
                    if label != task.empty_as:
                        article_events[self._rolled_up[name, label]] = highest
            else:
                stances += _stances(task, job, rows, prob, decided)
        return Reading(
            id=job.reading_id,
            title=job.title,
            events=tuple(sorted(events, key=lambda event: (event.start, -event.score))),
            article_events=article_events,
            stances=tuple(stances),
            model=self.about,
            notes=(UNASKED,) if unasked else (),
            answers=tuple(answers),
        )

    def _decide(self, prob: Any, task: Task, wanted: _Wanted) -> Any:  # noqa: ANN401 - arrays
        """What counts as found of a task's answers [N, K]."""
        if wanted.top_k is None or task.level != "sentence":
            return self.engine.decide(prob, task.name, wanted.threshold)
        events = prob.copy()
        if task.empty_as is not None:
            events[:, task.labels.index(task.empty_as)] = -1
        most = np.argsort(-events, axis=1, kind="stable")[:, : wanted.top_k]
        found = np.zeros(prob.shape, bool)
        np.put_along_axis(found, most, True, axis=1)
        return found & (events >= (wanted.threshold or 0))


def _taken(article: "str | Article | Mapping[str, Any]") -> tuple[_Job, list[Question]]:
    """An article as a job, and the questions it brings."""
    if isinstance(article, str):
        article = {"text": article}
    elif isinstance(article, Article):
        article = {"text": article.text, "id": article.id, "title": article.title}
    text, name, title = (article.get(key) for key in ("text", "id", "title"))
    if not isinstance(text, str):
        raise DataError(f"An article needs a field 'text' with a string; this one has {', '.join(article) or 'none'}.")
    if name is None or name == "":
        name = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    own = article.get("questions") or ()
    if isinstance(own, str) or not isinstance(own, Sequence):
        own = [own]
    return _Job(str(name), str(title or text.strip().partition("\n")[0]), text), [parse_question(q) for q in own]


def _answers(task: Task, job: _Job, rows: list[int], prob: Any, decided: Any) -> Iterator[Answer]:  # noqa: ANN401
    """The answers to a task; what was asked of an article without one of its sentences is none."""
    for at, row in enumerate(rows):
        if not job.without[row]:
            asked = job.examples[row]
            probabilities = dict(zip(task.labels, prob[at].tolist(), strict=True))
            labels = tuple(label for label, yes in zip(task.labels, decided[at], strict=True) if yes)
            yield Answer(task.name, asked.span, asked.holder, asked.target, probabilities, labels)


def _events(task: Task, job: _Job, prob: Any, decided: Any) -> Iterator[Event]:  # noqa: ANN401 - arrays
    for i, (start, end) in enumerate(job.spans):
        for k, label in enumerate(task.labels):
            if decided[i, k] and label != task.empty_as:
                yield Event(task.name, label, float(prob[i, k]), start, end, job.text[start:end])


def _stances(task: Task, job: _Job, rows: list[int], prob: Any, decided: Any) -> Iterator[Stance]:  # noqa: ANN401
    """The answers to an article's questions; each whole article is followed by itself without each sentence."""
    whole = [at for at, row in enumerate(rows) if not job.without[row]]
    for at, following in zip(whole, [*whole[1:], len(rows)], strict=True):
        for k in np.flatnonzero(decided[at]).tolist():
            label, evidence = task.labels[k], None
            if label not in (*SILENT, task.empty_as) and job.spans:
                dropped = prob[at, k] - prob[at + 1 : following, k]
                if len(dropped) or len(job.spans) == 1:
                    start, end = job.spans[int(dropped.argmax()) if len(dropped) else 0]
                    evidence = Evidence(start, end, job.text[start:end])
            example = job.examples[rows[at]]
            probabilities = dict(zip(task.labels, prob[at].tolist(), strict=True))
            yield Stance(task.name, example.holder, example.target, label, probabilities, evidence)


def parse_question(question: Any) -> Question:  # noqa: ANN401 - what JSON and Hydra bring
    """A question as a pair: "holder | target", "target" (asked of the outlet), or a pair already.

    Raises:
        DataError: neither.
    """
    pair: Any = question
    if isinstance(question, str):
        pair = question.split("|") if "|" in question else (OUTLET, question)
    elif isinstance(question, Mapping):
        pair = (question.get("holder"), question.get("target"))
    if isinstance(pair, Sequence) and len(pair) == 2:
        holder, target = (part.strip() if isinstance(part, str) else part for part in pair)
        if isinstance(holder, str | None) and isinstance(target, str) and target:
            return (holder or None, target)
    raise DataError(
        f"{question!r} is no question. Write 'holder | target', 'target' for the outlet's own stance, or a pair."
    )


def parse_questions(cell: Any) -> list[Question]:  # noqa: ANN401 - a cell of a table, or what JSON brings
    """The questions of a row: one as it is, a JSON list or object in a string, or a list.

    Raises:
        DataError: what begins as JSON is none, or a question is none.
    """
    if isinstance(cell, str) and cell.lstrip().startswith(("[", "{")):
        try:
            cell = json.loads(cell)
        except (ValueError, RecursionError) as error:
            raise DataError(
                f"{cell[:80]!r} begins as JSON and is none ({error}). Write 'holder | target', or a JSON list of such."
            ) from error
    several = cell.tolist() if hasattr(cell, "tolist") else cell if isinstance(cell, list | tuple) else [cell]
    return [parse_question(question) for question in several]


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
