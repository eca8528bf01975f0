"""An account as text for a terminal: what happened, what is kept apart from it, who stands where."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from khabar.data.wording import shown
from khabar.inference.accounts import Account, Event, Participant, Stance, names
from khabar.inference.readings import SILENT
from khabar.schema import OUTLET

EVENTS, APART, STANCES, OWN = 8, 6, 6, 4  # of a printed account, the surest
T = TypeVar("T", Event, Stance)


def to_text(account: Account, width: int = 96) -> str:
    """An account for a person; `width` is the most characters of a name or a sentence.

    A line is either Latin or Arabic, never both: a terminal orders each line by its own direction.
    """
    if account.error:
        return f"{account.id}: {account.error}"
    title = short(account.title, width)
    lines = [title, "─" * len(title), *(short(part, width) for part in (account.source, account.date) if part)]
    news = [event for event in account.events if event.news]
    lines += ["", "What happened", *_listed(news, EVENTS, lambda event: _event(event, width))]
    if not news:
        lines.append("  no event found")
    if apart := [event for event in account.events if not event.news]:
        lines += ["", "Kept apart", *_listed(apart, APART, lambda event: _apart(event, width), gap=False)]
    lines += _stances(account, width)
    if account.copy_of is not None:
        lines += ["", "Nearly repeats", f"      {short(account.copy_of, width)}"]
    return "\n".join(lines)


def _listed(items: Sequence[T], limit: int, lines: Callable[[T], Iterator[str]], *, gap: bool = True) -> Iterator[str]:
    """The surest, in the order they came in, and how many are left out."""
    surest = sorted(range(len(items)), key=lambda index: -items[index].score)[:limit]
    for number, index in enumerate(sorted(surest)):
        yield from [""] * (gap and number > 0)
        yield from lines(items[index])
    if len(items) > limit:
        yield f"  ({len(items) - limit} less sure; format=jsonl has them all)"


def _event(event: Event, width: int) -> Iterator[str]:
    yield _head(event)
    if parts := _parts(event, width):
        yield f"      {parts}"
    told = {"المصدر": _chain(event.sources), "المكان": event.place}
    if told_by := _labelled(told, width):
        yield f"      {told_by}"
    yield f"      «{short(event.mentions[0].sentence, width)}» (الجمل: {event.sentences})"


def _apart(event: Event, width: int) -> Iterator[str]:
    yield _head(event)
    yield f"      {' | '.join(filter(None, (_parts(event, width), f'«{short(event.mentions[0].trigger, width)}»')))}"


def _head(event: Event) -> str:
    return f"  {' · '.join(filter(None, (event.type, event.mode, event.status, event.date)))} {event.score:.2f}"


def _parts(event: Event, width: int) -> str:
    return _labelled({"الفاعل": names(event.actors), "إلى": names(event.recipients)}, width)


def _labelled(parts: dict[str, str | None], width: int) -> str:
    return " | ".join(f"{label}: {short(part, width)}" for label, part in parts.items() if part)


def _chain(sources: Sequence[Participant]) -> str:
    return " ← ".join(dict.fromkeys(one.name for one in sources))


def _stances(account: Account, width: int) -> Iterator[str]:
    surest = sorted(account.stances, key=lambda stance: -stance.score)
    taken = [stance for stance in surest if stance.label not in SILENT]
    own = [stance for stance in taken if stance.holder == OUTLET]
    others = [stance for stance in taken if stance.holder != OUTLET]
    silent = len(surest) - len(taken)
    if others or silent:
        yield from ("", "Who stands where")
        yield from _listed(others, STANCES, lambda stance: _stance(stance, f"{stance.holder} ← {stance.target}", width))
    if silent:
        yield f"  ({silent} {'more ' if others else ''}asked, no stance found)"
    if own:
        yield from ("", "Where the outlet stands")
        yield from _listed(own, OWN, lambda stance: _stance(stance, stance.target, width))


def _stance(stance: Stance, who: str, width: int) -> Iterator[str]:
    yield f"  {stance.label} {stance.score:.2f}"
    yield f"      {short(who, width)}"
    if best := max(stance.evidence, key=lambda one: one.score, default=None):
        yield f"      «{short(best.sentence, width)}»"


def short(text: str, width: int) -> str:
    """A text on one line, cut at a word, without control and direction characters."""
    clean = shown(text, len(text))
    return clean if len(clean) <= width else clean[: width - 1].rsplit(" ", 1)[0] + " …"
