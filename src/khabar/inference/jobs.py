"""One article on its way through a batch: what is asked of it, and what the answers come to."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from tokenizers import Encoding, Tokenizer

from khabar.errors import DataError
from khabar.inference.questions import Question, parse_questions
from khabar.inference.readings import SILENT, Answer, Event, Evidence, Stance
from khabar.inference.watchlist import Watchlist
from khabar.schema import Article, Example, Offsets, Task
from khabar.text import normalizer, sentences


@dataclass
class Job:
    """One article on its way through a batch."""

    reading_id: str
    title: str
    text: str
    date: str | None = None
    source: str | None = None
    questions: list[Question] = field(default_factory=list)
    spans: list[Offsets] = field(default_factory=list)
    examples: list[Example] = field(default_factory=list)
    without: list[tuple[Offsets, ...]] = field(default_factory=list)
    error: str | None = None
    encoding: Encoding | None = None  # of the text, without special tokens

    @classmethod
    def of(
        cls,
        article: "str | Article | Mapping[str, Any]",
        tokenizer: Tokenizer,
        tasks: Mapping[str, Task],
        questions: Sequence[Question],
        watchlist: Watchlist | None,
    ) -> "Job":
        """What the tasks ask of an article: its own questions, those given, and those of the names it mentions.

        Raises:
            DataError: it has no text field, or brings a question that is none. A text that can't be read is no error:
                the job's `error` says why.
        """
        job, own = _taken(article)
        try:
            if not job.text.strip():
                raise DataError("The text is empty.")
            job.text.encode()
            job.encoding = normalizer.encode(tokenizer, job.text)
            offsets = np.array(job.encoding.offsets)
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
        found = watchlist.questions(job.text) if watchlist else ()
        job.questions = list(dict.fromkeys([*own, *questions, *found]))
        for example, without in _examples(job, tasks):
            job.examples.append(example)
            job.without.append(without)
        return job


def _examples(job: Job, tasks: Mapping[str, Task]) -> Iterator[tuple[Example, tuple[Offsets, ...]]]:
    """What to ask of an article, and what to leave out of the unit.

    A sentence task asks each sentence. An article's question is asked of the whole, then of the whole without each
    sentence in turn: the sentence whose absence costs the answer most is its evidence, for one more row of the
    pooling matrix and no more encoding.
    """
    for task in tasks.values():
        if task.level == "sentence":
            for i, span in enumerate(job.spans):
                yield _example(job, task, f"s{i}", None, span), ()
            continue
        asked = dict.fromkeys((h if "holder" in task.asks else None, t) for h, t in job.questions)
        for q, question in enumerate(asked if task.asks else [None]):
            yield _example(job, task, f"q{q}", question), ()
            if question is not None and len(job.spans) > 1 and task.pool != "cls":  # that sees no single sentence
                for i, span in enumerate(job.spans):
                    yield _example(job, task, f"q{q}-{i}", question), (span,)


def _example(job: Job, task: Task, name: str, question: Question | None, span: Offsets | None = None) -> Example:
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


def _taken(article: "str | Article | Mapping[str, Any]") -> tuple[Job, list[Question]]:
    """An article as a job, and the questions it brings."""
    if isinstance(article, str):
        article = {"text": article}
    elif isinstance(article, Article):
        article = {name: getattr(article, name) for name in ("text", "id", "title", "date", "source")}
    text, name, title, date, source = (article.get(key) for key in ("text", "id", "title", "date", "source"))
    if not isinstance(text, str):
        raise DataError(f"An article needs a field 'text' with a string; this one has {', '.join(article) or 'none'}.")
    if name is None or name == "":
        name = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    own = parse_questions(article.get("questions") or ())
    job = Job(str(name), str(title or text.strip().partition("\n")[0]), text)
    job.date, job.source = (str(value) if value else None for value in (date, source))
    return job, own


def answers(task: Task, job: Job, rows: list[int], prob: Any, decided: Any) -> Iterator[Answer]:  # noqa: ANN401
    """The answers to a task; what was asked of an article without one of its sentences is none."""
    for at, row in enumerate(rows):
        if not job.without[row]:
            asked = job.examples[row]
            probabilities = dict(zip(task.labels, prob[at].tolist(), strict=True))
            labels = tuple(label for label, yes in zip(task.labels, decided[at], strict=True) if yes)
            yield Answer(task.name, asked.span, asked.holder, asked.target, probabilities, labels)


def events(task: Task, job: Job, prob: Any, decided: Any) -> Iterator[Event]:  # noqa: ANN401 - arrays
    """What a task of sentences was found to say, sentence by sentence."""
    for i, (start, end) in enumerate(job.spans):
        for k, label in enumerate(task.labels):
            if decided[i, k] and label != task.empty_as:
                yield Event(task.name, label, float(prob[i, k]), start, end, job.text[start:end])


def stances(task: Task, job: Job, rows: list[int], prob: Any, decided: Any) -> Iterator[Stance]:  # noqa: ANN401
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
