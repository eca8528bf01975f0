"""An account's part of the page: rows of events and of stances, and the marks in the text; each links to the other.

Rows and marks have anchors: `v1` is an event's row, `h1` a stance's, `t5-9` the trigger at `[5, 9)`, `p` a participant,
`o` the target of a stance, `q` a sentence that one rests on.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from khabar.data.glosses import ARABIC, KINDS, MODES, SIDES, STATUSES, colour, sentences
from khabar.inference.account_text import short
from khabar.inference.accounts import Account, Event, Evidence, Participant, Stance
from khabar.inference.readings import SILENT
from khabar.schema import OUTLET, UNNAMED

NEWS, HOLDERS, QUOTES = 12, 8, 3  # shown of an article and of a stance, the rest folds away or is left out
QUOTE = 110  # characters of a sentence in a row
LETTERS = "أبجدهوزحطيكلمنسعفصقرشتثخذضظغ"  # stances are lettered, in the order of the abjad, as events are numbered
ROLES = {"actors": "الفاعل", "recipients": "إلى", "sources": "المصدر"}
TRIGGER, PARTY, TARGET, QUOTED = "tpoq"


@dataclass(frozen=True)
class Ref:
    """What the text shows of a row that it links to."""

    row: str  # its anchor
    name: str  # its number or letter
    style: str = ""


@dataclass(frozen=True)
class Mark:
    """A stretch of the text that rows speak of; `kind` is the letter of its anchor."""

    kind: str
    start: int
    end: int
    rows: tuple[Ref, ...]
    style: str = ""
    title: str = ""

    @property
    def anchor(self) -> str:
        """Where rows find it."""
        return _anchor(self.kind, self.start, self.end)


@dataclass(frozen=True)
class Held:
    """All that is marked at a piece of text: the anchors that begin there, its link, and the refs that end there."""

    anchors: tuple[str, ...]
    link: Ref | None
    title: str
    styles: tuple[str, ...]
    refs: tuple[Ref, ...]


@dataclass(frozen=True)
class Name:
    """A name, a trigger or a quotation, with the anchors of its places in the text."""

    name: str
    anchors: tuple[str, ...]


@dataclass(frozen=True)
class EventRow:
    """A row of the table of events."""

    ref: Ref
    event: Event
    type: str
    mode: str
    status: str
    actors: tuple[Name, ...]
    recipients: tuple[Name, ...]
    sources: tuple[Name, ...]
    triggers: tuple[Name, ...]
    sentences: str


@dataclass(frozen=True)
class StanceRow:
    """A row of the table of stances; `quotes` are shortened sentences, the surest first."""

    ref: Ref
    stance: Stance
    label: str
    side: str
    kind: str
    target: Name
    quotes: tuple[Name, ...]
    more: int  # sentences that are not quoted


@dataclass(frozen=True)
class Holder:
    """Who takes stances."""

    name: str
    unnamed: bool
    rows: tuple[StanceRow, ...]


@dataclass(frozen=True)
class Tables:
    """All that the page shows of an account beside the text."""

    news: tuple[EventRow, ...]
    apart: tuple[EventRow, ...]
    holders: tuple[Holder, ...]
    own: tuple[StanceRow, ...]
    silent: tuple[StanceRow, ...]
    marks: tuple[Mark, ...]
    limits: dict[str, int]


def tables(account: Account) -> Tables:
    """The rows of an account, numbered as the page shows them, and the marks that link to them."""
    events = sorted(account.events, key=lambda event: not event.news)
    rows = [_event_row(number, event) for number, event in enumerate(events, 1)]
    taken, own, silent = _ordered(account.stances)
    stances = [_stance_row(number, stance) for number, stance in enumerate([*taken, *own, *silent])]
    by_holder: dict[str, list[StanceRow]] = {}
    for row in stances[: len(taken)]:
        by_holder.setdefault(row.stance.holder, []).append(row)
    return Tables(
        news=tuple(row for row in rows if row.event.news),
        apart=tuple(row for row in rows if not row.event.news),
        holders=tuple(Holder(name, name == UNNAMED, tuple(found)) for name, found in by_holder.items()),
        own=tuple(stances[len(taken) : len(taken) + len(own)]),
        silent=tuple(stances[len(taken) + len(own) :]),
        marks=tuple(_marks(rows, stances)),
        limits={"news": NEWS, "holders": HOLDERS},
    )


def held(marks: Sequence[Mark], left: int, right: int) -> Held | None:
    """What is marked at `[left, right)`, a stretch that no mark begins or ends within; None where nothing is."""
    over = [mark for mark in marks if mark.start <= left and right <= mark.end]
    if not over:
        return None
    links = [mark for mark in over if mark.kind != QUOTED]
    inner = min(links, key=lambda mark: (mark.end - mark.start, "tpo".index(mark.kind)), default=None)
    refs: dict[str, Ref] = {}
    for mark in sorted((mark for mark in over if mark.end == right), key=lambda mark: "tpqo".index(mark.kind)):
        if mark.kind in (TRIGGER, QUOTED):
            refs |= {ref.row: ref for ref in mark.rows}
        elif mark.kind == PARTY and len(mark.rows) > 1:  # else its link says it all
            refs = {ref.row: replace(ref, style="plain") for ref in mark.rows} | refs
    return Held(
        anchors=tuple(mark.anchor for mark in over if mark.start == left),
        link=inner.rows[0] if inner else None,
        title=inner.title if inner else "",
        styles=tuple(dict.fromkeys(mark.style for mark in over if mark.style)),
        refs=tuple(refs.values()),
    )


def _anchor(kind: str, start: int, end: int) -> str:
    return f"{kind}{start}-{end}"


def _ordered(stances: Sequence[Stance]) -> tuple[list[Stance], list[Stance], list[Stance]]:
    """Of all but the outlet, holder by holder; the outlet's; and those without a side. The surest first."""
    surest = sorted(stances, key=lambda stance: -stance.score)
    taken = [stance for stance in surest if stance.label not in SILENT and stance.holder != OUTLET]
    first = {stance.holder: number for number, stance in reversed(list(enumerate(taken)))}
    return (
        sorted(taken, key=lambda stance: first[stance.holder]),
        [stance for stance in surest if stance.label not in SILENT and stance.holder == OUTLET],
        [stance for stance in surest if stance.label in SILENT],
    )


def _event_row(number: int, event: Event) -> EventRow:
    return EventRow(
        ref=Ref(f"v{number}", str(number), f"c{colour(event.type)}"),
        event=event,
        type=ARABIC.get(event.type, ""),
        mode=MODES.get(event.mode or "", ""),
        status=STATUSES.get(event.status, event.status),
        actors=_names(event.actors),
        recipients=_names(event.recipients),
        sources=_names(event.sources),
        triggers=tuple(Name(one.trigger, (_anchor(TRIGGER, one.start, one.end),)) for one in event.mentions),
        sentences=sentences(event.sentences),
    )


def _names(participants: Sequence[Participant]) -> tuple[Name, ...]:
    found: dict[str, list[str]] = {}
    for one in participants:
        found.setdefault(one.name, []).append(_anchor(PARTY, one.start, one.end))
    return tuple(Name(name, tuple(dict.fromkeys(anchors))) for name, anchors in found.items())


def _stance_row(number: int, stance: Stance) -> StanceRow:
    surest = sorted(stance.evidence, key=lambda one: -one.score)
    aims = dict.fromkeys(_anchor(TARGET, *aim) for aim in map(_aimed, surest) if aim)
    turn, letter = divmod(number, len(LETTERS))
    return StanceRow(
        ref=Ref(f"h{number + 1}", f"{LETTERS[letter]}{turn + 1 if turn else ''}"),
        stance=stance,
        label=ARABIC.get(stance.label, ""),
        side=SIDES.get(stance.label, "mid"),
        kind=KINDS.get(stance.kind, stance.kind),
        target=Name(stance.target, tuple(aims)),
        quotes=tuple(
            Name(short(one.sentence, QUOTE), (_anchor(QUOTED, one.start, one.end),)) for one in surest[:QUOTES]
        ),
        more=max(0, len(surest) - QUOTES),
    )


def _aimed(evidence: Evidence) -> tuple[int, int] | None:
    if evidence.target_start is None or evidence.target_end is None:
        return None
    return evidence.target_start, evidence.target_end


def _marks(events: Sequence[EventRow], stances: Sequence[StanceRow]) -> Iterator[Mark]:
    """One mark a kind and stretch, with all the rows that speak of it; the longer first."""
    found: dict[tuple[str, int, int], dict[str, Any]] = {}

    def add(kind: str, start: int, end: int, ref: Ref, note: str, style: str) -> None:
        if start < end:
            mark = found.setdefault((kind, start, end), {"rows": {}, "style": style})
            mark["rows"].setdefault(ref, []).append(note)

    for row in events:
        gloss = "، ".join(filter(None, (row.type or row.event.type, row.mode, row.status)))
        style = f"trigger {row.ref.style}{'' if row.event.news else ' apart'}"
        for mention in row.event.mentions:
            add(TRIGGER, mention.start, mention.end, row.ref, gloss, style)
        for role, said in ROLES.items():
            for one in getattr(row.event, role):
                add(PARTY, one.start, one.end, row.ref, f"{one.name}: {said}", "party")
    for stance in stances:
        for one in stance.stance.evidence:
            add(QUOTED, one.start, one.end, stance.ref, "", "quoted")
            if where := _aimed(one):
                note = f"{stance.stance.holder}: {stance.label}"
                add(TARGET, *where, stance.ref, note, f"aim {stance.side}")
    for (kind, start, end), mark in sorted(found.items(), key=lambda item: item[0][1] - item[0][2]):
        notes = [f"{'، '.join(said)} ({ref.name})" for ref, said in mark["rows"].items() if any(said)]
        yield Mark(kind, start, end, tuple(mark["rows"]), mark["style"], "؛ ".join(notes))
