"""Reads an article whole: one pass of the encoder, three kinds of heads, one answer (`Account`).

Candidates are what the tagger marks, the names of a watchlist, and those that the caller gives; a target that the text
does not hold is asked by the pair template, where the model has a task for it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import numpy as np

from khabar.config import AuditConfig
from khabar.data import duplicates
from khabar.data.graph import Graph, Name, Spot
from khabar.errors import ConfigError
from khabar.evaluation import calibration
from khabar.evaluation.scored import Bools, Floats, Ints
from khabar.inference import assemble, graph, names
from khabar.inference.accounts import Account
from khabar.inference.engine import Engine, Heads
from khabar.inference.jobs import Job
from khabar.inference.watchlist import Entry, Watchlist
from khabar.models import tagging
from khabar.models.batches import Pass, by_length, collate
from khabar.models.pieces import distances, tokens_of
from khabar.models.windows import Document
from khabar.schema import HOLDERS, Found, Offsets, Task

CHUNK = 16  # articles that are encoded together


@dataclass(frozen=True)
class Wanted:
    """What a call adds to what the model finds by itself."""

    watchlist: Watchlist | None = None
    holders: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()

    @cached_property
    def known(self) -> Watchlist:
        """The watchlist, and the caller's names as entries of their own."""
        own = self.watchlist.entries if self.watchlist else ()
        there = {entry.name for entry in own}
        added = [Entry(name=name, kind="actor", role=("holder",)) for name in self.holders if name not in HOLDERS]
        added += [Entry(name=name, kind="issue", role=("target",)) for name in self.targets if name not in self.holders]
        return Watchlist((*own, *(entry for entry in added if entry.name not in there)))

    def absent(self, text: str, found: Graph | None) -> list[Entry]:
        """The caller's targets that are no span of their own in a text."""
        mine = [entry for entry in self.known.entries if entry.name in self.targets]
        spots = {spot.at for spot in found.spots} if found else set()
        return [entry for entry in mine if not any(m.span() in spots for m in entry.pattern.finditer(text))]


@dataclass(frozen=True)
class Whole:
    """One article read: its account, what was found before anything was merged, and the logits of its sentences."""

    account: Account
    graph: Graph | None = None
    sentences: Mapping[str, Floats] = field(default_factory=dict)


class Reader:
    """Reads articles with the marking task of a model.

    Raises:
        ConfigError: the model has none, or is an export that can't take its heads apart.
    """

    def __init__(self, engine: Engine, about: dict[str, str | None]) -> None:
        task = next((task for task in engine.tasks.values() if task.reads_whole), None)
        if task is None:
            raise ConfigError(
                f"{engine.name} answers {', '.join(engine.tasks)}; reading needs a task that marks spans and tells "
                "types and roles. Train one: khabar train task=[event_type,reader]"
            )
        if engine.heads is None:
            raise ConfigError(f"{engine.name} is an export, which can't read articles whole; take its bundle.")
        self.task, self.engine, self.heads, self.about = task, engine, engine.heads, about

    def read(self, jobs: Sequence[Job], wanted: Wanted, sentence_tasks: Sequence[str] = ()) -> list[Whole]:
        """Every article in order, with the logits [S, K] of its S sentences for the tasks that are named.

        A text that can't be read has an account that says why.
        """
        good = [job for job in jobs if not job.error]
        copies = _copies(good)
        found: dict[int, Whole] = {}
        for at in range(0, len(good), CHUNK):
            chunk = good[at : at + CHUNK]
            for job, scorer in zip(chunk, self.scorers(chunk), strict=True):
                graph_ = graph.build(
                    self.task, job.spans, scorer, partial(named, job.text, wanted.known),
                    [one for one in _added(wanted, job.text, self.task) if scorer.holds(one)],
                )  # fmt: skip
                account = self._account(job, graph_, copies.get(id(job)))
                found[id(job)] = Whole(account, graph_, scorer.sentences(sentence_tasks))
        bad = {
            id(job): Whole(Account(job.reading_id, job.title, job.date, job.source, model=self.about, error=job.error))
            for job in jobs
            if job.error
        }
        return [(found | bad)[id(job)] for job in jobs]

    def scorers(self, jobs: Sequence[Job]) -> "Iterator[EngineScorer]":
        """Each article encoded, ready to be asked."""
        documents = [self.engine.windower.document(job.encoding) for job in jobs if job.encoding is not None]
        passes = [
            Pass((ids,), (types,), ()) for each in documents for ids, types in zip(each.ids, each.types, strict=True)
        ]
        states: list[Any] = [None] * len(passes)
        for batch in by_length(passes, self.engine.batch_tokens):
            arrays = collate([passes[i] for i in batch], self.engine.card.pad_id)
            hidden = self.heads.encode(arrays)
            length = arrays.ids_WL.shape[1]
            for row, i in enumerate(batch):
                states[i] = hidden[row * length : (row + 1) * length]
        first = 0
        for job, document in zip(jobs, documents, strict=True):
            own = states[first : first + len(document.ids)]
            first += len(document.ids)
            base = np.cumsum([0, *(len(each) for each in own[:-1])])
            tokens = base[document.windows] + document.positions
            yield EngineScorer(self.engine, self.heads, self.task, job, document, self.heads.joined(own), tokens)

    def _account(self, job: Job, found: Graph, copy_of: str | None) -> Account:
        events, event_of = assemble.events(found, job.text, job.date)
        return Account(
            job.reading_id, job.title, job.date, job.source, tuple(events),
            tuple(assemble.stances(found, job.text, events, event_of)), copy_of, self.about,
        )  # fmt: skip


@dataclass
class EngineScorer:
    """A model as a scorer: the article is encoded, and every question is asked of its states (see `Heads`)."""

    engine: Engine
    heads: Heads
    task: Task
    job: Job
    document: Document
    states: Any
    tokens: Ints

    def __post_init__(self) -> None:
        """Pool nothing yet."""
        self.cuts = self.engine.card.thresholds
        self._units: dict[Offsets, int] = {}
        self._ends: list[tuple[int, int]] = []
        self._pooled: Any = None

    def spans(self) -> list[Found]:
        """What is marked, by place."""
        if not self.job.spans:
            return []
        words = [tagging.words(self.job.text, start, end) for start, end in self.job.spans]
        places, tokens = tokens_of(np.concatenate(words), self.document.offsets)
        ends = np.searchsorted(places[:, 0], [end for _, end in self.job.spans])
        begins = np.isin(np.arange(len(places)), [0, *ends])
        logits = self.heads.words(self.task.name, self.states, np.column_stack([self.tokens[tokens], begins]))
        prob = calibration.apply(logits, 1.0, "multi")
        prob[begins, 1::2] = 0.0  # nothing goes on from the sentence before
        return tagging.decode(places, prob, self.cuts[self.task.name], self.task.labels)

    def sentences(self, tasks: Sequence[str]) -> dict[str, Floats]:
        """The logits of the sentences [S, K] for tasks that ask them."""
        bounds = [self.document.bounds(span) for span in self.job.spans]
        return {task: self.heads.units(task, self.states, self.tokens, bounds) for task in tasks}

    def answer(self, head: Task, spots: Sequence[Spot], asked_P3: Ints) -> tuple[Floats, Bools]:
        """Probabilities and decisions [P, K] of one head's questions (see `Scorer`)."""
        first_P, tail_P, within_P = asked_P3.T
        ends = asked_P3[:, :2]
        asked = np.flatnonzero(np.bincount(ends[ends >= 0], minlength=len(spots))).tolist()
        self._pool([*self.job.spans, *(spots[number].at for number in asked)])
        unit = np.arange(len(spots))
        unit[asked] = [self._units[spots[number].at] for number in asked]
        sentence = np.array([self._units[span] for span in self.job.spans])
        head_P = np.where(first_P < 0, first_P, unit[np.maximum(first_P, 0)])
        pairs_P3 = np.stack([head_P, unit[tail_P], sentence[within_P]], axis=1)
        name = f"{self.task.name}.{head.name}"
        far = distances(np.array(self._ends, np.int64), pairs_P3)
        logits = self.heads.pairs(name, self._pooled, np.column_stack([pairs_P3, far]))
        prob = calibration.apply(logits, self.engine.card.temperature[name], head.kind)
        return prob, self.engine.decide(prob, name)

    def holds(self, found: Found) -> bool:
        """Whether normalisation leaves something of a span, in a sentence."""
        first, last = self.document.bounds((found.start, found.end))
        return first < last and any(start <= found.start and found.end <= end for start, end in self.job.spans)

    def _pool(self, spans: Sequence[Offsets]) -> None:
        """Have the units of these spans."""
        new = [span for span in dict.fromkeys(spans) if span not in self._units]
        if new:
            self._units |= {span: len(self._ends) + i for i, span in enumerate(new)}
            ends = [self.document.bounds(span) for span in new]
            self._ends += ends
            pooled = self.heads.spans(self.states, self.tokens, ends)
            self._pooled = pooled if self._pooled is None else self.heads.joined([self._pooled, pooled])


def named(text: str, known: Watchlist | None, found: Sequence[Found]) -> list[Name]:
    """The names of the actors that were found in a text."""
    return names.resolve([text[one.start : one.end] for one in found], known)


def _added(wanted: Wanted, text: str, task: Task) -> Iterator[Found]:
    """The names of the watchlist and of the caller where the text mentions them: actors, and issues as claims."""
    for entry in wanted.known.entries:
        layer = "claim" if entry.kind == "issue" else "actor"
        if layer in task.labels:
            for match in entry.pattern.finditer(text):
                yield Found(layer, *match.span(), 1.0)


def _copies(jobs: Sequence[Job]) -> dict[int, str]:
    """Of each article that nearly repeats an earlier one, that one's id."""
    if len(jobs) < 2:
        return {}
    copies = duplicates.find({job.text for job in jobs}, AuditConfig().near)
    first: dict[Any, str] = {}
    found: dict[int, str] = {}
    for job in jobs:
        key = copies.cluster.get(job.text, job.text)
        if key in first:
            found[id(job)] = first[key]
        first.setdefault(key, job.reading_id)
    return found
