"""`khabar.load(...)` and what it returns: a model that reads articles.

model = khabar.load("models:/khabar-event_type-stance@champion")
readings = model.predict([text], questions=[("إيران", "وقف إطلاق النار")])
readings.to_pandas()
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from khabar import registry
from khabar.config import MachineConfig, locate
from khabar.errors import ConfigError, DataError
from khabar.inference import accounts, jobs
from khabar.inference.accounts import Account, Accounts
from khabar.inference.engine import Engine
from khabar.inference.jobs import Job
from khabar.inference.questions import Question, parse_question
from khabar.inference.reader import Reader, Wanted, Whole
from khabar.inference.readings import SILENT, Answer, Event, Reading, Readings, Stance
from khabar.inference.watchlist import Watchlist
from khabar.models import bundle
from khabar.registry import suggest
from khabar.schema import OUTLET, Article, Task

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
    whole: Wanted | None = None


class Model:
    """Reads articles: events with their sentences, stances with their evidence."""

    def __init__(self, engine: Engine, *, uri: str, version: str | None = None, fingerprint: str | None = None) -> None:
        self.engine = engine
        self.tasks: dict[str, Task] = engine.tasks
        self.about: dict[str, str | None] = {"uri": uri, "version": version, "fingerprint": fingerprint}
        by_sentence = [task for task in self.tasks.values() if task.level == "sentence"]
        times = Counter(label for task in by_sentence for label in task.labels)
        self.reads = any(task.reads_whole for task in self.tasks.values())
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

    def read(
        self,
        articles: "str | Article | Mapping[str, Any] | Iterable[str | Article | Mapping[str, Any]]",
        *,
        watchlist: Watchlist | None = None,
        holders: Sequence[str] = (),
        targets: Sequence[str] = (),
    ) -> Accounts:
        """Read articles whole: distinct events with who did what to whom, and who stands where.

        Args:
            articles: texts, `Article`s, or dicts with `text` and perhaps `id`, `title`, `date`, `source`.
            watchlist: names to look for, and what mentions of an actor are called by.
            holders: names whose stances are looked for, besides those that the model finds.
            targets: names, issues or claims on which stances are looked for; one that a text does not hold is asked by
                the pair template (of the outlet and the `holders`), where the model has a task that asks holder and
                target.

        Raises:
            ConfigError: the model marks no spans, or is an export.
            DataError: an article has no text field.
        """
        several = [articles] if isinstance(articles, str | Article | Mapping) else list(articles)
        wanted = Wanted(watchlist, tuple(holders), tuple(targets))
        jobs = [Job.of(article, self.engine.tokenizer, {}, (), None) for article in several]
        read = self.reader.read(jobs, wanted)
        return Accounts(tuple(self._asked(one, job, wanted) for one, job in zip(read, jobs, strict=True)))

    @cached_property
    def reader(self) -> Reader:
        """What reads articles whole.

        Raises:
            ConfigError: the model marks no spans, or is an export.
        """
        return Reader(self.engine, self.about)

    def _asked(self, read: Whole, job: Job, wanted: Wanted) -> Account:
        """The account with the stances on targets that are no span of the text, asked one by one."""
        account = read.account
        asking = [name for name, task in self.tasks.items() if task.asks == ("holder", "target")]
        absent = [] if job.error else [entry.name for entry in wanted.absent(job.text, read.graph)]
        if not absent or not asking:
            return account
        questions = [(holder, target) for target in absent for holder in (OUTLET, *wanted.holders)]
        answers = self.predict(job.text, questions, tasks=asking[:1])[0].stances
        found = tuple(
            accounts.Stance(
                one.holder or OUTLET, one.target or "", "asked", one.label, one.probabilities[one.label],
                one.probabilities, tuple(
                    accounts.Evidence(each.text, each.start, each.end, one.probabilities[one.label])
                    for each in [one.evidence] if each is not None
                ),
            )
            for one in answers
            if one.label not in SILENT
        )  # fmt: skip
        return replace(account, stances=(*account.stances, *found))

    def stream(
        self,
        articles: "Iterable[str | Article | Mapping[str, Any]]",
        questions: Sequence[Question | str] = (),
        *,
        watchlist: Watchlist | None = None,
        threshold: float | None = None,
        tasks: Sequence[str] = (),
        top_k: int | None = None,
        whole: Wanted | None = None,
    ) -> Iterator[Reading]:
        """The readings one after the other, in constant memory; arguments and errors as of `predict`.

        With `whole` each article is read whole besides (see `read`), encoded once for both; copies are looked for among
        128 articles at a time.
        """
        named = (tasks,) if isinstance(tasks, str) else tasks
        for name in named:
            if name not in self.tasks:
                raise ConfigError(f"tasks: the model does not answer {name!r}. {suggest(str(name), self.tasks)}")
        if threshold is not None and not 0 < threshold < 1:
            raise ConfigError(f"threshold is {threshold}; write a probability between 0 and 1, such as 0.5.")
        if top_k is not None and top_k < 1:
            raise ConfigError(f"top_k is {top_k}; write how many labels of a sentence are wanted, 1 or more.")
        kept = {name: task for name, task in self.tasks.items() if (name in named or not named) and not task.marks}
        asked = [parse_question(question) for question in questions]
        return self._stream(articles, _Wanted(asked, watchlist, kept, threshold, top_k, whole))

    def _stream(self, articles: "Iterable[str | Article | Mapping[str, Any]]", wanted: _Wanted) -> Iterator[Reading]:
        chunk: list[Job] = []
        weight = 0
        for article in articles:
            job = Job.of(article, self.engine.tokenizer, wanted.tasks, wanted.questions, wanted.watchlist)
            chunk.append(job)
            weight += len(job.text) * len(job.examples)
            if len(chunk) == CHUNK or weight > WEIGHT:
                yield from self._read(chunk, wanted)
                chunk, weight = [], 0
        yield from self._read(chunk, wanted)

    def _read(self, chunk: list[Job], wanted: _Wanted) -> Iterator[Reading]:
        """Answer a chunk in one go; where that fails, one by one, so that a bad text costs itself alone."""
        good = [job for job in chunk if not job.error]
        whole: dict[int, Whole] = {}
        if wanted.whole is not None:
            shared = [name for name, task in wanted.tasks.items() if task.level == "sentence" and task.pool != "cls"]
            read = self.reader.read(good, wanted.whole, shared)
            whole = {
                id(job): replace(one, account=self._asked(one, job, wanted.whole))
                for job, one in zip(good, read, strict=True)
            }
        try:
            logits = self._logits(good, whole)
        except DataError:
            logits = {}
            for job in good:
                try:
                    logits |= self._logits([job], whole)
                except DataError as error:
                    job.error = str(error)
        for job in chunk:
            if job.error:
                yield Reading(job.reading_id, job.title, model=self.about, error=job.error)
            else:
                yield replace(self._reading(job, logits[id(job)], wanted), whole=whole.get(id(job)))

    def _logits(self, chunk: list[Job], whole: Mapping[int, Whole]) -> dict[int, np.ndarray[Any, np.dtype[np.float64]]]:
        """The logits of all heads [N, C] for the examples of each job; those of a whole reading are there already."""
        known = {id(job): dict(whole[id(job)].sentences) if id(job) in whole else {} for job in chunk}
        asked = [(job, i) for job in chunk for i, one in enumerate(job.examples) if one.task not in known[id(job)]]
        found = {id(job): np.zeros((len(job.examples), self.engine.width)) for job in chunk}
        if asked:
            examples = [job.examples[i] for job, i in asked]
            logits = self.engine.logits(examples, [job.without[i] for job, i in asked])
            for (job, i), row in zip(asked, logits, strict=True):
                found[id(job)][i] = row
        for job in chunk:
            for name, rows in known[id(job)].items():
                places = [i for i, one in enumerate(job.examples) if one.task == name]
                found[id(job)][places, self.engine.columns[name]] = rows
        return found

    def _reading(self, job: Job, logits: Any, wanted: _Wanted) -> Reading:  # noqa: ANN401 - array
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
            answers += jobs.answers(task, job, rows, prob, decided)
            if task.level == "sentence":
                events += jobs.events(task, job, prob, decided)
                for label, highest in zip(task.labels, prob.max(0).tolist(), strict=True):
                    if label != task.empty_as:
                        article_events[self._rolled_up[name, label]] = highest
            else:
                stances += jobs.stances(task, job, rows, prob, decided)
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
