"""What a model reads out of articles: plain records, a table, or text for a person."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 12  # stances of a printed answer, the surest first


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
class Reading:
    """All that was read out of one article; `error` says why there is nothing, `notes` what was not asked."""

    id: str
    title: str
    events: tuple[Event, ...] = ()
    article_events: dict[str, float] = field(default_factory=dict)
    stances: tuple[Stance, ...] = ()
    model: dict[str, str | None] = field(default_factory=dict)
    error: str | None = None
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types, scores rounded to six places."""
        plain: dict[str, Any] = _rounded(asdict(self))
        del plain["title"]
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

        columns = ["article", "kind", "task", "label", "score", "holder", "target", "text", "start", "end"]
        rows: list[tuple[object, ...]] = []
        for reading in self.items:
            for event in reading.events:
                rows.append((reading.id, "event", event.task, event.label, event.score, None, None, event.text,
                             event.start, event.end))  # fmt: skip
            for stance in reading.stances:
                found = stance.evidence
                rows.append((reading.id, "stance", stance.task, stance.label, stance.probabilities[stance.label],
                             stance.holder, stance.target, found and found.text, found and found.start,
                             found and found.end))  # fmt: skip
        table = pd.DataFrame(rows, columns=columns)
        return table.astype({"start": "Int64", "end": "Int64"})


def to_text(reading: Reading, width: int = 96) -> str:
    """An answer for a person: what happened, who stands where."""
    if reading.error:
        return f"{reading.id}: {reading.error}"
    lines = [reading.title, ""]
    lines += ["What happened", *_events(reading, width), ""]
    if reading.stances or not reading.notes:
        lines += ["Who stands where", *_stances(reading, width)]
    lines += [f"  ({note})" for note in reading.notes]
    return "\n".join(lines).rstrip()


def _events(reading: Reading, width: int) -> list[str]:
    if not reading.events:
        return ["  no event found"]
    by_sentence: dict[tuple[int, int], list[Event]] = {}
    for event in reading.events:
        by_sentence.setdefault((event.start, event.end), []).append(event)
    lines = []
    for events in by_sentence.values():
        labels = ", ".join(f"{event.label} {event.score:.2f}" for event in sorted(events, key=lambda e: -e.score))
        lines += [f"  {labels}", f"      {_short(events[0].text, width)}"]
    return lines


def _stances(reading: Reading, width: int) -> list[str]:
    taken = [stance for stance in reading.stances if stance.label not in ("none", "unrelated")]
    lines = []
    for stance in sorted(taken, key=lambda s: -s.probabilities[s.label])[:SHOWN]:
        who = " ← ".join(part for part in (stance.target, stance.holder) if part)
        lines.append(f"  {stance.label:<8} {stance.probabilities[stance.label]:.2f}  {who}")
        if stance.evidence:
            lines.append(f"      {_short(stance.evidence.text, width)}")
    if len(taken) > SHOWN:
        lines.append(f"  ({len(taken) - SHOWN} less sure; format=jsonl has them all)")
    silent = len(reading.stances) - len(taken)
    if silent:
        lines.append(f"  ({silent} more questions asked: no stance found)")
    return lines or ["  no stance found"]


def _short(text: str, width: int) -> str:
    return text if len(text) <= width else text[:width].rsplit(" ", 1)[0] + " …"


def _rounded(value: Any) -> Any:  # noqa: ANN401 - any JSON type
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return value
