"""Articles as one page to read: right to left, what happened marked in the text, who stands where beside it.

The page needs no other file and runs no script. All that comes from an article passes the autoescape, its text stands
there to the letter, and characters that would turn the direction of what follows are shown and shut in.
"""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from markupsafe import Markup, escape

from khabar.data.glosses import ARABIC, OTHER, SIDES, colour
from khabar.data.wording import printable, templates
from khabar.inference import account_html
from khabar.inference.account_html import Held, Mark
from khabar.inference.accounts import Account
from khabar.inference.readings import SILENT, Event, Reading, Stance
from khabar.plover import QUADS
from khabar.schema import Task

CHIPS, REFS, EVENTS, STANCES = 4, 4, 6, 8  # shown of a sentence and of an article, the surest; the rest folds away

# a carriage return alone; control characters; those that set a direction; half a character
_ODD = re.compile("\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True)
class Chip:
    """A label on a sentence or in the summary."""

    name: str
    arabic: str
    colour: int
    score: float
    sentences: int = 1


@dataclass(frozen=True)
class Piece:
    """A stretch of text with one set of marks; what ends with it stands behind it."""

    text: Markup
    colour: int | None = None
    score: float = 0.0
    evidence: bool = False
    chips: tuple[Chip, ...] = ()
    refs: tuple[int, ...] = ()
    held: Held | None = None  # what an account marks


@dataclass(frozen=True)
class Line:
    """A line of the text, with its line break."""

    pieces: tuple[Piece, ...]
    kind: str  # "headline", "gap" or "par"


@dataclass(frozen=True)
class Side:
    """A row of the table of stances."""

    number: int
    stance: Stance
    label: str
    arabic: str
    score: float
    shares: tuple[tuple[str, str, float], ...]  # label, side and probability


class Page:
    """One page of any number of articles, in pieces: head, articles, tail.

    Args:
        about: the model, as `Reading.model`.
        tasks: the model's, for the legend.
        accounts: whether articles come with an account, for the legend.
    """

    def __init__(self, about: Mapping[str, str | None], tasks: Mapping[str, Task], *, accounts: bool = False) -> None:
        kitchen = templates(Path(__file__).parent)
        kitchen.filters |= {"shown": marked, "titled": printable, "percent": lambda share: f"{100 * share:.0f}"}
        self._parts: Any = kitchen.get_template("article.html.j2").module
        self.about = about
        by_sentence = [task for task in tasks.values() if task.level == "sentence"]
        labels = [_name(task.name, label) for task in by_sentence for label in task.labels if label != task.empty_as]
        self.colours = sorted({colour(label) for label in (*labels, *(QUADS if accounts else ()))})
        self.stances = any(task.level == "article" for task in tasks.values())
        self.accounts = accounts

    def head(self) -> str:
        """All before the first article."""
        names = [*QUADS, OTHER]
        legend = [(number, ARABIC[names[number - 1]], names[number - 1]) for number in self.colours]
        return str(self._parts.head(self.about, legend, self.stances, self.accounts))

    def article(self, number: int, article: Mapping[str, Any], reading: Reading, account: Account | None = None) -> str:
        """One article; `number` tells it from the others of the page. Beside an account a reading may be empty."""
        text = article.get("text")
        text = text if isinstance(text, str) else ""
        sides = _sides(reading)
        joint = None if account is None or account.error else account_html.tables(account)
        lines = tuple(_lines(text, reading.events, sides, joint.marks if joint else ()))
        given = article.get("title")
        title = given if given and given.strip() not in (text.strip().partition("\n")[0].strip(), "") else None
        if title is None:
            lines = _headed(lines)
        taken = [side for side in sides if side.label not in SILENT]
        return str(
            self._parts.article(
                number=number,
                reading=reading,
                error=reading.error or (account.error if account else None),
                account=joint,
                copy_of=account.copy_of if account else None,
                title=title,
                about=[article[name] for name in ("source", "date") if article.get(name)],
                url=article.get("url") or None,
                linked=_linked(article.get("url")),
                lines=lines,
                events=_events(reading),
                sides=taken,
                silent=[side for side in sides if side.label in SILENT],
                limits={"events": EVENTS, "stances": STANCES, "chips": CHIPS, "refs": REFS},
            )
        )

    def tail(self) -> str:
        """All after the last article."""
        return str(self._parts.tail(self.about))


def marked(text: str) -> Markup:
    """A text escaped, its control and direction characters shown and shut in, its carriage returns kept."""
    made = Markup()
    at = 0
    for odd in _ODD.finditer(text):
        made += _plain(text[at : odd.start()])
        held = odd[0] != "\x00" and not "\ud800" <= odd[0] <= "\udfff"  # HTML has no way to write these
        letter = _plain(odd[0] if held else "\ufffd")
        made += Markup('<span class="odd" title="U+{:04X}">{}</span>').format(ord(odd[0]), letter)
        at = odd.end()
    return made + _plain(text[at:])


def _plain(text: str) -> Markup:
    return Markup(str(escape(text)).replace("\r", "&#13;"))  # a bare one is read as a line break


def _linked(url: Any) -> bool:  # noqa: ANN401 - of an article
    try:
        return isinstance(url, str) and urlsplit(url).scheme in ("http", "https")
    except ValueError:
        return False


def _name(task: str, label: str) -> str:
    return task if label == "yes" else label


def _chip(event: Event, sentences: int = 1) -> Chip:
    name = _name(event.task, event.label)
    return Chip(name, ARABIC.get(name, ""), colour(name), event.score, sentences)


def _events(reading: Reading) -> list[Chip]:
    """What happened: each label that was found, its highest score and the number of its sentences, the surest first."""
    found: dict[tuple[str, str], list[Event]] = {}
    for event in reading.events:
        found.setdefault((event.task, event.label), []).append(event)
    chips = [_chip(max(same, key=lambda event: event.score), len(same)) for same in found.values()]
    return sorted(chips, key=lambda chip: -chip.score)


def _sides(reading: Reading) -> list[Side]:
    """Who stands where: those who take a stance first, the surest first."""
    order = sorted(reading.stances, key=lambda one: (one.label in SILENT, -one.probabilities[one.label]))
    return [
        Side(
            number=number,
            stance=one,
            label=one.label,
            arabic=ARABIC.get(one.label, ""),
            score=one.probabilities[one.label],
            shares=tuple((label, SIDES.get(label, "mid"), share) for label, share in one.probabilities.items()),
        )
        for number, one in enumerate(order, 1)
    ]


def _lines(text: str, events: Sequence[Event], sides: Sequence[Side], marks: Sequence[Mark]) -> Iterator[Line]:
    """The text line by line; marks may overlap and may run over several lines."""
    at = 0
    for line in re.findall(r"[^\n]*\n|[^\n]+", text):
        end = at + len(line)
        pieces = tuple(_pieces(text, at, end, events, sides, marks))
        yield Line(pieces, "par" if line.strip() else "gap")
        at = end


def _headed(lines: Sequence[Line]) -> tuple[Line, ...]:
    """The lines with the first that says something as the headline, and what is empty before it."""
    first = next((i for i, line in enumerate(lines) if line.kind == "par"), None)
    if first is None:
        return tuple(lines)
    headline = tuple(piece for line in lines[: first + 1] for piece in line.pieces)
    return (Line(headline, "headline"), *lines[first + 1 :])


def _pieces(
    text: str, start: int, end: int, events: Sequence[Event], sides: Sequence[Side], marks: Sequence[Mark]
) -> Iterator[Piece]:
    events = [event for event in events if event.start < end and start < event.end]
    sides = [side for side in sides if (e := side.stance.evidence) and e.start < end and start < e.end]
    marks = [mark for mark in marks if mark.start < end and start < mark.end]
    cuts = {cut for event in events for cut in (event.start, event.end)}
    cuts |= {cut for mark in marks for cut in (mark.start, mark.end)}
    cuts |= {cut for side in sides if (e := side.stance.evidence) for cut in (e.start, e.end)}
    for left, right in itertools.pairwise([start, *sorted(cut for cut in cuts if start < cut < end), end]):
        over = [event for event in events if event.start <= left and right <= event.end]
        best = max(over, key=lambda event: event.score, default=None)
        rests = [(s.number, e.end) for s in sides if (e := s.stance.evidence) and e.start <= left and right <= e.end]
        closing = sorted((event for event in over if event.end == right), key=lambda event: -event.score)
        yield Piece(
            text=marked(text[left:right]),
            colour=None if best is None else colour(_name(best.task, best.label)),
            score=best.score if best else 0.0,
            evidence=bool(rests),
            chips=tuple(map(_chip, closing)),
            refs=tuple(number for number, last in rests if last == right),
            held=account_html.held(marks, left, right),
        )
