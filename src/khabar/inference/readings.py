"""What a model reads out of articles: plain records, a table, or text for a person."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from khabar.data.wording import rounded
from khabar.inference import accounts
from khabar.schema import Offsets

if TYPE_CHECKING:
    import pandas as pd

    from khabar.inference.reader import Whole

SENTENCES, LABELS, STANCES = 8, 3, 5  # of a printed answer, the surest
SILENT = ("none", "unrelated")  # labels of a text that does not speak of the target
COLUMNS = {
    "article": "string", "kind": "string", "task": "string", "label": "string", "score": "float64", "holder": "string",
    "target": "string", "text": "string", "start": "Int64", "end": "Int64",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Event:
    """A sentence that reports an event: `text` is `article[start:end]`, code points."""

    task: str
    label: str
    score: float
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """The sentence that a stance rests on most."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Stance:
    """The answer to one question of an article."""

    task: str
    holder: str | None
    target: str | None
    label: str
    probabilities: dict[str, float]
    evidence: Evidence | None


@dataclass(frozen=True, slots=True)
class Answer:
    """The whole answer of a task to one sentence (`span`), article or question, whatever it decided for."""

    task: str
    span: Offsets | None
    holder: str | None
    target: str | None
    probabilities: dict[str, float]
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """All that was read out of one article; `error` says why there is nothing, `notes` what was not asked.

    Events, article events and stances are what was found; `answers` are all answers, also of sentences without an
    event, for whoever corrects or ranks them. They are no part of the JSON object. `whole` is the article read whole,
    where that was asked; the JSON object has its events and stances as `account`.
    """

    id: str
    title: str
    events: tuple[Event, ...] = ()
    article_events: dict[str, float] = field(default_factory=dict)
    stances: tuple[Stance, ...] = ()
    model: dict[str, str | None] = field(default_factory=dict)
    error: str | None = None
    notes: tuple[str, ...] = ()
    answers: tuple[Answer, ...] = ()
    whole: "Whole | None" = None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types, scores rounded to six places."""
        plain: dict[str, Any] = rounded(asdict(replace(self, answers=(), whole=None)))
        del plain["title"], plain["answers"], plain["whole"]
        if self.whole is not None and self.error is None:
            account = self.whole.account.to_dict()
            plain["account"] = {name: account[name] for name in ("events", "stances", "copy_of")}
        if not plain["notes"]:
            del plain["notes"]
        return plain


@dataclass(frozen=True)
class Readings(Sequence[Reading]):
    """The readings of a call, in the order of its articles."""

    items: tuple[Reading, ...]

    def __len__(self) -> int:
        """The number of articles."""
        return len(self.items)

    def __getitem__(self, index: Any) -> Any:  # noqa: ANN401 - int or slice
        """One reading, or several by a slice."""
        return self.items[index]

    def __iter__(self) -> Iterator[Reading]:
        """One after the other."""
        return iter(self.items)

    def to_dicts(self) -> list[dict[str, Any]]:
        """One plain dict an article."""
        return [reading.to_dict() for reading in self.items]

    def to_pandas(self) -> "pd.DataFrame":
        """A row a finding: article, kind (event or stance), task, label, score, holder, target, text, start, end."""
        import pandas as pd

        rows = [row for reading in self.items for row in findings(reading)]
        return pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)


def findings(reading: Reading) -> Iterator[tuple[Any, ...]]:
    """A row a finding, its cells in the order of `COLUMNS`; a text that was not found is None.

    Of a whole reading the events and stances of the article follow, the actors of an event as holder and its recipients
    as target.
    """
    for event in reading.events:
        about = (None, None, event.text, event.start, event.end)
        yield reading.id, "event", event.task, event.label, event.score, *about
    for stance in reading.stances:
        found = stance.evidence
        where = (found.text, found.start, found.end) if found else (None, None, None)
        score = stance.probabilities[stance.label]
        yield reading.id, "stance", stance.task, stance.label, score, stance.holder, stance.target, *where
    if reading.whole is not None:
        yield from _account_findings(reading.id, reading.whole.account)


def _account_findings(name: str, account: accounts.Account) -> Iterator[tuple[Any, ...]]:
    for event in account.events:
        actors, recipients = accounts.names(event.actors), accounts.names(event.recipients)
        first = event.mentions[0]
        place = (first.sentence, first.sentence_start, first.sentence_end)
        yield name, "account event", event.status, event.type, event.score, actors, recipients, *place
    for stance in account.stances:
        best = max(stance.evidence, key=lambda one: one.score, default=None)
        where = (best.sentence, best.start, best.end) if best else (None, None, None)
        yield name, "account stance", stance.kind, stance.label, stance.score, stance.holder, stance.target, *where


def to_text(reading: Reading, width: int = 96) -> str:
    """An answer for a person: what happened, who stands where.

    A line is either Latin or Arabic, never both: a terminal orders each line by its own direction.
    """
    if reading.error:
        return f"{reading.id}: {reading.error}"
    title = _short(reading.title, width)
    lines = [title, "─" * len(title)]
    if reading.article_events or reading.events:
        lines += ["", "What happened", *_events(reading, width)]
    if reading.stances:
        lines += ["", "Who stands where", *_stances(reading, width)]
    return "\n".join([*lines, *(f"\n({note})" for note in reading.notes)])


def _events(reading: Reading, width: int) -> Iterator[str]:
    by_sentence: dict[tuple[int, int], list[Event]] = {}
    for event in reading.events:
        by_sentence.setdefault((event.start, event.end), []).append(event)
    surest = sorted(by_sentence, key=lambda span: -max(event.score for event in by_sentence[span]))[:SENTENCES]
    for number, span in enumerate(sorted(surest)):
        yield from [""] * (number > 0)
        best = sorted(by_sentence[span], key=lambda event: -event.score)[:LABELS]
        yield "  " + ", ".join(f"{event.label} {event.score:.2f}" for event in best)
        yield f"      {_short(best[0].text, width)}"
    shown = sum(min(LABELS, len(by_sentence[span])) for span in surest)
    if len(reading.events) > shown:
        yield f"  ({len(reading.events) - shown} less sure; format=jsonl has them all)"
    if not reading.events:
        near = max(reading.article_events, key=reading.article_events.__getitem__)
        yield f"  no event found; the nearest: {near} {reading.article_events[near]:.2f}"


def _stances(reading: Reading, width: int) -> Iterator[str]:
    taken = [stance for stance in reading.stances if stance.label not in SILENT]
    taken.sort(key=lambda stance: -stance.probabilities[stance.label])
    wide = max((len(stance.label) for stance in taken), default=0)
    for number, stance in enumerate(taken[:STANCES]):
        yield from [""] * (number > 0)
        yield f"  {stance.label:<{wide}}  {stance.probabilities[stance.label]:.2f}"
        yield f"      {' ← '.join(part for part in (stance.holder, stance.target) if part)}"
        if stance.evidence:
            yield f"      «{_short(stance.evidence.text, width)}»"
    if len(taken) > STANCES:
        yield f"  ({len(taken) - STANCES} less sure; format=jsonl has them all)"
    if silent := len(reading.stances) - len(taken):
        yield f"  ({silent} {'more ' if taken else ''}asked, no stance found)"


def _short(text: str, width: int) -> str:
    return text if len(text) <= width else text[:width].rsplit(" ", 1)[0] + " …"
