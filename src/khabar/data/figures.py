"""The figures of a data set: rows read, kept and dropped, labels, lengths, scripts, sources."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from khabar.config import WindowsConfig
from khabar.data import scripts
from khabar.data.dataset import Dataset
from khabar.data.examples import NONE, Unit, units
from khabar.data.wording import shown
from khabar.schema import Article, Task

ENCODER = 512  # tokens that most encoders take at once, [CLS] and [SEP] among them
SAMPLE = 20_000  # texts whose tokens are counted; of more, those with the smallest sha256
EXAMPLES = 3
TEXT = 160  # characters of a text that is shown
DROPPED = "dropped"

Tokens = Callable[[Sequence[str]], list[int]]  # how many tokens each text has, special ones included


@dataclass(frozen=True)
class Rows:
    """What was read: `read` rows of the source (None: its importer does not say), of which `bad` were left out.

    `texts` counts distinct texts, `dropped` what the audit took out of the splits, `notes` what was odd.
    """

    read: int | None
    bad: int
    articles: int
    texts: int
    annotators: int
    labels: int
    spans: int
    relations: int
    dropped: dict[str, int]
    notes: dict[str, int]


@dataclass(frozen=True)
class TaskRows:
    """The rows of one task.

    Attributes:
        task: its name.
        dropped: reason -> rows that could not be used, before the audit.
        splits: split -> rows.
        labels: label -> split -> rows.
        annotators: annotator -> split, or "dropped" -> label -> answers.
        answers: annotator -> answers; one may carry several labels.
    """

    task: str
    dropped: dict[str, int]
    splits: dict[str, int]
    labels: dict[str, dict[str, int]]
    annotators: dict[str, dict[str, dict[str, int]]]
    answers: dict[str, int]

    @property
    def kept(self) -> int:
        """Rows in all splits."""
        return sum(self.splits.values())

    @property
    def several(self) -> bool:
        """Whether there are annotators to compare."""
        return len(self.answers) > 1

    @property
    def given(self) -> dict[str, dict[str, int]]:
        """Label -> annotator -> answers, whatever became of the row."""
        found: dict[str, dict[str, int]] = {label: {} for label in self.labels}
        for annotator, parts in self.annotators.items():
            for counts in parts.values():
                for label, count in counts.items():
                    row = found.setdefault(label, {})
                    row[annotator] = row.get(annotator, 0) + count
        return found


@dataclass(frozen=True)
class Spread:
    """Of a count: the middle one, the one that 95 in 100 do not exceed, the highest."""

    median: int
    p95: int
    most: int


@dataclass(frozen=True)
class Length:
    """How long distinct texts are; `counted` of them were tokenised, of which `over` exceed `ENCODER` tokens.

    `cut` of those counted are longer than what the windows take, `longest` names the longest rows.
    """

    of: str
    texts: int
    words: Spread
    tokens: Spread | None = None
    counted: int = 0
    over: int = 0
    cut: int = 0
    longest: tuple[str, ...] = ()


@dataclass(frozen=True)
class Written:
    """What the distinct texts are written in; every count is one of texts.

    Attributes:
        scripts: the script of most letters -> texts.
        languages: languages in Arabic script that a text's letters hint at -> texts.
        foreign: texts of which less than half of the letters are Arabic.
        examples: some of them, and of those in `languages`.
        forms: texts with letters in presentation forms, `persian` with ک or ی in what else is Arabic.
        digits: kind, or kinds joined by "+" -> texts.
        marked: texts with short vowels; `marks` is how many there are for each Arabic letter of all texts.
    """

    scripts: dict[str, int]
    languages: dict[str, int]
    foreign: int
    examples: tuple[dict[str, str], ...]
    forms: int
    persian: int
    digits: dict[str, int]
    marked: int
    marks: float

    @property
    def odd(self) -> dict[str, int]:
        """What is worth a look, as named to a person -> texts."""
        return {
            "less than half Arabic letters": self.foreign,
            "presentation forms (as ﻻ)": self.forms,
            "Persian ک or ی in Arabic": self.persian,
        }


@dataclass(frozen=True)
class Origin:
    """Where the articles are from: the sources with most of them, and the dates they bear."""

    sources: dict[str, int]
    other_sources: int
    without_source: int
    first: str | None
    last: str | None
    without_date: int
    odd_dates: int


def rows(dataset: Dataset) -> Rows:
    """What was read, what was left out and why."""
    sizes = {name: dataset.corpus.counts.get(name, 0) for name in ("articles", "labels", "spans", "relations")}
    rest = {what: count for what, count in dataset.counts.items() if not what.startswith(_prefixes(dataset.tasks))}
    bad = rest.pop("bad rows skipped", 0)
    dropped = {what.removesuffix(", dropped"): rest.pop(what) for what in list(rest) if what.endswith(", dropped")}
    notes = {what: count for what, count in rest.items() if what not in sizes and not what.endswith(", kept")}
    texts = len({article.text for article in dataset.corpus.articles.values()})
    read = dataset.corpus.counts.get("rows read") or None
    people = len({label.annotator for label in dataset.corpus.labels})
    return Rows(read=read, bad=bad, texts=texts, annotators=people, dropped=dropped, notes=notes, **sizes)


def _prefixes(tasks: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{name}, dropped, " for name in tasks)


def task_rows(dataset: Dataset, task: Task) -> TaskRows:
    """The rows of one task by split, label and annotator."""
    (prefix,) = _prefixes([task.name])
    examples = {split: dataset.of(split, task.name) for split in dataset.splits}
    none = NONE if task.kind == "multi" or task.empty_as is None else task.empty_as
    split_of = {
        Unit(example.article, example.span, example.holder, example.target): split
        for split, part in examples.items()
        for example in part
    }
    answers: Counter[str] = Counter()
    annotators: dict[str, dict[str, Counter[str]]] = {}
    for unit, rows in units(dataset.corpus, task).items():
        for row in rows:
            answers[row.annotator] += 1
            parts = annotators.setdefault(row.annotator, {})
            parts.setdefault(split_of.get(unit, DROPPED), Counter()).update(row.labels or (none,))
    order = dict(answers.most_common())
    return TaskRows(
        task=task.name,
        dropped={what.removeprefix(prefix): n for what, n in dataset.counts.items() if what.startswith(prefix)},
        splits={split: len(part) for split, part in examples.items()},
        labels=dataset.labels(task.name),
        annotators={name: {split: dict(counts) for split, counts in annotators[name].items()} for name in order},
        answers=order,
    )


def lengths(dataset: Dataset, tokens: Tokens | None, windows: WindowsConfig) -> tuple[tuple[Length, ...], int]:
    """The lengths of articles, sentences and questions, and how many tokens of a text are read at most."""
    every = [example for part in dataset.splits.values() for example in part]
    questions = {example.question: example.id for example in every if example.question is not None}
    asked = _length("questions", questions, tokens, windows.question + 2)
    longest = 0 if asked is None or asked.tokens is None else min(asked.tokens.most - 2, windows.question)
    room = windows.length - 2 - (longest + 1 if longest else 0)  # [CLS] text [SEP], or [CLS] question [SEP] text [SEP]
    reach = room + (windows.max_windows - 1) * (room - min(windows.stride, (room - 1) // 2))
    articles = {article.text: article.id for article in reversed(dataset.corpus.articles.values())}
    pooled = {example.unit_text: example.id for example in every if example.span is not None}
    whole = any(example.span is None for example in every)  # what a sentence answers is never cut off
    found = (
        _length("articles", articles, tokens, reach + 2 if whole else None),
        _length("sentences", pooled, tokens, None),
        asked,
    )
    return tuple(length for length in found if length is not None), reach


def _length(of: str, ids: Mapping[str, str], tokens: Tokens | None, limit: int | None) -> Length | None:
    if not ids:
        return None
    length = Length(of, len(ids), _spread([len(text.split()) for text in ids]))
    if tokens is None:
        return length
    sample = _sample(ids)
    counts = tokens(sample)
    longest = sorted(zip(counts, sample, strict=True), reverse=True)[:EXAMPLES]
    return replace(
        length,
        tokens=_spread(counts),
        counted=len(sample),
        over=sum(count > ENCODER for count in counts),
        cut=0 if limit is None else sum(count > limit for count in counts),
        longest=tuple(f"{shown(ids[text], 60)} ({count:,})" for count, text in longest),
    )


def _sample(texts: Iterable[str]) -> list[str]:
    """All texts, or those that the hash chooses: the same on every machine, whatever order they come in."""
    every = list(texts)
    if len(every) <= SAMPLE:
        return every
    return sorted(every, key=lambda text: hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())[:SAMPLE]


def _spread(counts: Sequence[int]) -> Spread:
    ranked = sorted(counts)
    return Spread(ranked[(len(ranked) - 1) // 2], ranked[-(-95 * len(ranked) // 100) - 1], ranked[-1])


def written(articles: Iterable[Article]) -> Written:
    """What the distinct texts are written in."""
    mains: Counter[str] = Counter()
    languages: Counter[str] = Counter()
    digits: Counter[str] = Counter()
    examples: list[dict[str, str]] = []
    foreign = forms = persian = marked = marks = letters = 0
    for text, id_ in {article.text: article.id for article in articles}.items():
        found = scripts.profile(text)
        mains[found.script] += 1
        few = 2 * found.arabic < found.letters or not found.letters
        foreign += few
        if found.language:
            languages[found.language] += 1
        if (few or found.language) and len(examples) < EXAMPLES:
            examples.append({"id": shown(id_, 60), "in": found.language or found.script, "text": shown(text, TEXT)})
        forms += found.forms > 0
        persian += found.persian > 0 and found.language is None
        marked += found.marks > 0
        marks += found.marks
        letters += found.arabic
        if found.digits:
            digits["+".join(sorted(found.digits))] += 1
    return Written(
        scripts=dict(mains.most_common()),
        languages=dict(languages.most_common()),
        foreign=foreign,
        examples=tuple(examples),
        forms=forms,
        persian=persian,
        digits=dict(digits.most_common()),
        marked=marked,
        marks=round(marks / letters, 4) if letters else 0.0,
    )


def origin(articles: Iterable[Article], top: int = 5) -> Origin:
    """Sources, the `top` most frequent by name, and dates."""
    sources: Counter[str] = Counter()
    dates: list[date] = []
    nameless = undated = odd = 0
    for article in articles:
        if article.source:
            sources[shown(article.source, 60)] += 1
        else:
            nameless += 1
        if not article.date:
            undated += 1
            continue
        try:
            dates.append(date.fromisoformat(article.date[:10]))
        except ValueError:
            odd += 1
    return Origin(
        sources=dict(sources.most_common(top)),
        other_sources=max(0, len(sources) - top),
        without_source=nameless,
        first=min(dates).isoformat() if dates else None,
        last=max(dates).isoformat() if dates else None,
        without_date=undated,
        odd_dates=odd,
    )
