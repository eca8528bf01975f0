"""An article read whole: its distinct events, who did what to whom, and who stands where; plain records and tables.

Offsets are code points, half-open, into the article's text.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from khabar.data.wording import rounded

if TYPE_CHECKING:
    import pandas as pd

NEWS = ("happened", "ongoing", "planned")  # statuses of what an article tells as news; the others are kept apart
EVENTS = {
    "article": "string", "date": "string", "actor": "string", "type": "string", "mode": "string", "status": "string",
    "recipient": "string", "source": "string", "place": "string", "score": "float64", "sentence": "string",
    "trigger": "string", "start": "Int64", "end": "Int64", "sentences": "Int64", "copy_of": "string",
}  # fmt: skip
STANCES = {
    "article": "string", "date": "string", "holder": "string", "label": "string", "target": "string", "kind": "string",
    "score": "float64", "sentence": "string", "start": "Int64", "end": "Int64", "sentences": "Int64",
    "copy_of": "string",
}  # fmt: skip
SEPARATOR = "؛ "  # between several actors in one cell


@dataclass(frozen=True, slots=True)
class Participant:
    """An actor in a part: its canonical name, and the mention `text` at `[start, end)` that played it."""

    name: str
    text: str
    start: int
    end: int
    score: float
    wikidata: str | None = None


@dataclass(frozen=True, slots=True)
class Mention:
    """A trigger and the sentence it stands in, which is also `text[sentence_start:sentence_end]`."""

    trigger: str
    start: int
    end: int
    sentence: str
    sentence_start: int
    sentence_end: int
    score: float


@dataclass(frozen=True, slots=True)
class Event:
    """A distinct event of an article; `mentions` are all its triggers, in the order of the text.

    `sources` is the chain of those who tell of it, the nearest first; empty where the outlet itself does. `date` is
    ISO (YYYY-MM-DD, YYYY-MM or YYYY), `date_text` the words it was read from.
    """

    type: str
    mode: str | None
    status: str
    actors: tuple[Participant, ...]
    recipients: tuple[Participant, ...]
    sources: tuple[Participant, ...]
    mentions: tuple[Mention, ...]
    score: float
    place: str | None = None
    date: str | None = None
    date_text: str | None = None

    @property
    def news(self) -> bool:
        """Whether the article tells it as news, rather than as background, a denial, a condition or an allegation."""
        return self.status in NEWS

    @property
    def sentences(self) -> int:
        """The number of sentences that tell of it, however many triggers they hold."""
        return len({(mention.sentence_start, mention.sentence_end) for mention in self.mentions})


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence in which a stance shows, and the target's own words in it (None: asked for by its name)."""

    sentence: str
    start: int
    end: int
    score: float
    target_start: int | None = None
    target_end: int | None = None


@dataclass(frozen=True, slots=True)
class Stance:
    """Where a holder stands on a target, over the whole article.

    `holder` is a canonical name, `الناشر` for the outlet, `غير مسمى` for somebody unnamed. `kind` says what the target
    is: actor, event, claim, or asked (a target that the caller named and the text does not hold).
    """

    holder: str
    target: str
    kind: str
    label: str
    score: float
    probabilities: dict[str, float]
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Account:
    """All that was read out of one article; `error` says why there is nothing.

    `copy_of` is the id of an earlier article of the same call that this one nearly repeats.
    """

    id: str
    title: str
    date: str | None = None
    source: str | None = None
    events: tuple[Event, ...] = ()
    stances: tuple[Stance, ...] = ()
    copy_of: str | None = None
    model: dict[str, str | None] = field(default_factory=dict)
    error: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types, scores rounded to six places."""
        plain: dict[str, Any] = rounded(asdict(self))
        return plain


@dataclass(frozen=True)
class Accounts(Sequence[Account]):
    """The accounts of a call, in the order of its articles."""

    items: tuple[Account, ...]

    def __len__(self) -> int:
        """The number of articles."""
        return len(self.items)

    def __getitem__(self, index: Any) -> Any:  # noqa: ANN401 - int or slice
        """One account, or several by a slice."""
        return self.items[index]

    def __iter__(self) -> Iterator[Account]:
        """One after the other."""
        return iter(self.items)

    def to_dicts(self) -> list[dict[str, Any]]:
        """One plain dict an article."""
        return [account.to_dict() for account in self.items]

    @property
    def events(self) -> "pd.DataFrame":
        """A row an event, by its first mention; the columns are those of `EVENTS`."""
        return _table([row for account in self.items for row in event_rows(account)], EVENTS)

    @property
    def stances(self) -> "pd.DataFrame":
        """A row a stance, by its surest sentence; the columns are those of `STANCES`."""
        return _table([row for account in self.items for row in stance_rows(account)], STANCES)


def event_rows(account: Account) -> Iterator[tuple[Any, ...]]:
    """Cells in the order of `EVENTS`."""
    for event in account.events:
        first = event.mentions[0]
        yield (
            account.id, event.date or account.date, names(event.actors), event.type, event.mode, event.status,
            names(event.recipients), names(event.sources), event.place, event.score, first.sentence, first.trigger,
            first.start, first.end, event.sentences, account.copy_of,
        )  # fmt: skip


def stance_rows(account: Account) -> Iterator[tuple[Any, ...]]:
    """Cells in the order of `STANCES`."""
    for stance in account.stances:
        best = max(stance.evidence, key=lambda one: one.score, default=None)
        where = (best.sentence, best.start, best.end) if best else (None, None, None)
        yield (
            account.id, account.date, stance.holder, stance.label, stance.target, stance.kind, stance.score, *where,
            len(stance.evidence), account.copy_of,
        )  # fmt: skip


def names(participants: Sequence[Participant]) -> str | None:
    """Their names in one cell, None where there is nobody."""
    return SEPARATOR.join(dict.fromkeys(one.name for one in participants)) or None


def _table(rows: list[tuple[Any, ...]], columns: dict[str, str]) -> "pd.DataFrame":
    import pandas as pd

    return pd.DataFrame(rows, columns=list(columns)).astype(columns)
