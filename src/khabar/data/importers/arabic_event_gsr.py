"""Sentences with votes on ASSAULT and PROTEST, and who did what to whom in some of them (Arabic Event GSR).

`assault_gsr.csv`, `protest_gsr.csv`: a sentence, how many annotators accepted and rejected the event, and the published
label. `assault_spans.json`, `protest_spans.json`: the verb, source and target that each coder marked, as words.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from khabar.config import DataConfig
from khabar.data.importers import _event_marks as _marks
from khabar.data.importers._exports import option
from khabar.data.importers._tables import require, table
from khabar.data.problems import Problems
from khabar.data.rows import RowError
from khabar.errors import DataError
from khabar.schema import GOLD, Article, Label, Relation, Span

EVENTS = ("assault", "protest")
OPTIONS = {"votes": ("published", "majority", "unanimous")}
COLUMNS = ("id", "text", "label", "accept", "reject", "total")
LABELS = ("yes", "difficult no", "easy no", "ambiguous")


def read(config: DataConfig, problems: Problems) -> Iterator[Article | Label | Span | Relation]:
    """Each sentence as an article, grouped by its document; it answers the tasks `event_assault`, `event_protest`.

    A sentence that both files hold under one id is one article with an answer to each. The annotators have no names:
    their votes are labels by `vote-1`, `vote-2`, ..., the accepting ones first, so that a share of the votes means
    something and one annotator's habits do not. `options.votes` says what decides:

    - `published`: the published label, by annotator `gold`; "ambiguous" sentences have no answer, and no votes.
    - `majority`: the votes alone, published as ambiguous or not; a tie is no answer.
    - `unanimous`: two or more votes that all agree; other sentences have no answer, and no votes.

    The marks of a span file (`_event_marks`) go to the sentence of the same text; a text that no sentence has is an
    article without an answer.

    Raises:
        ConfigError: another option, or another value of `votes`.
        DataError: the folder lacks the table of an asked task, or a file is broken.
    """
    rule = option(config, OPTIONS, "votes")
    folder = Path(config.path or ".")
    tables = {event: folder / f"{event}_gsr.csv" for event in EVENTS}
    for event, path in tables.items():
        if not path.is_file() and (f"event_{event}" in config.default_tasks or not config.default_tasks):
            raise DataError(f"{folder} should hold {path.name}, which is missing there")
    sentences = _Sentences()
    for event, path in tables.items():
        if path.is_file():
            yield from _table(path, event, rule, sentences, problems)
    for event in EVENTS:
        path = folder / f"{event}_spans.json"
        if path.is_file():
            yield from _spans(path, sentences, problems)


def group(id_: str) -> str:
    """The document of a sentence: its id up to the last hyphen, or up to the last underscore where there is none."""
    return id_.rsplit("-" if "-" in id_ else "_", 1)[0]


class _Sentences:
    """The articles so far, by id and by text."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.first: dict[str, str] = {}

    def take(self, id_: str, text: str, document: str) -> Article | None:
        """The article, None if an earlier row gave it."""
        if id_ in self.texts:
            if self.texts[id_] != text:
                raise RowError(
                    "text", f"the sentence {id_!r} has another text in an earlier row.", "Give it its own id"
                )
            return None
        self.texts[id_] = text
        self.first.setdefault(text, id_)
        return Article(id=id_, text=text, meta={"group": document})

    def of(self, source: str, text: str) -> str | None:
        """The sentence of this text, `source` if it has it."""
        return source if self.texts.get(source) == text else self.first.get(text)


def _table(path: Path, event: str, rule: str, sentences: _Sentences, problems: Problems) -> Iterator[Article | Label]:
    columns, rows = table(path, problems)
    require(columns, COLUMNS, path)
    answered: set[str] = set()
    for row in rows:
        try:
            accept, reject = _counts(row)
            id_ = row["id"].strip()
            if not id_ or id_ in answered:
                raise RowError("id", f"{id_!r} is {'taken already' if id_ else 'empty'}.", "Give each row its own id")
            article = sentences.take(id_, row["text"], group(id_))
        except RowError as error:
            problems.add(error.field, error.wrong, error.fix)
            continue
        answered.add(id_)
        if article is not None:
            yield article
        names = _answers(row["label"], accept, reject, rule)
        if not names:
            problems.note(
                f"event_{event}: {'ambiguous' if rule == 'published' else 'not unanimous'}, without an answer"
            )
        for annotator, label in names.items():
            yield Label(
                id=f"{id_}@{annotator}/{event}",
                article=id_,
                annotator=annotator,
                task=f"event_{event}",
                labels=(label,),
            )


def _counts(row: dict[str, Any]) -> tuple[int, int]:
    if row["label"] not in LABELS:
        raise RowError("label", f"{row['label']!r} is none of {', '.join(LABELS)}.", "Take the file as published")
    for name in ("accept", "reject", "total"):
        if not row[name].strip().isdecimal():
            raise RowError(name, f"{row[name]!r} is no count of votes.", "Write a whole number")
    accept, reject, total = (int(row[name]) for name in ("accept", "reject", "total"))
    if accept + reject != total or not total:
        raise RowError("total", f"{accept} accepted and {reject} rejected, of {total}.", "Correct the counts")
    return accept, reject


def _answers(published: str, accept: int, reject: int, rule: str) -> dict[str, str]:
    """Annotator -> answer, as the rule wants them; empty where it leaves the sentence without one."""
    if (rule == "published" and published == "ambiguous") or (
        rule == "unanimous" and (min(accept, reject) or accept + reject < 2)
    ):
        return {}
    votes = ["yes"] * accept + ["no"] * reject
    gold = {GOLD: published} if rule == "published" else {}
    return gold | {f"vote-{number}": vote for number, vote in enumerate(votes, 1)}


def _spans(path: Path, sentences: _Sentences, problems: Problems) -> Iterator[Article | Span | Relation]:
    for number, entry in enumerate(_marks.entries(path, problems), 1):
        problems.at(path.name, number, "entry")
        try:
            marks = _marks.parse(entry)
        except RowError as error:
            problems.add(error.field, error.wrong, error.fix)
            continue
        article = sentences.of(marks.source, marks.text)
        if article is None:
            article = f"spans/{marks.id}"
            problems.note("span entries whose text no sentence has")
            made = sentences.take(article, marks.text, group(marks.source))
            if made is not None:
                yield made
        yield from _marks.nouns(marks, article, problems)
