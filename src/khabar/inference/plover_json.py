"""An account as PLOVER 0.8's JSON records: one object an event, in the fields of its manual (chapter "Data Fields").

Left out, as the manual says: events that are said not to have happened, those without an actor, those of a type that
requires a recipient and have none, a MOBILIZE beside the ASSAULT of the same actors, and an ACCUSE `allege` beside a
SANCTION `convict` of the same recipient.
"""

import calendar
import datetime
import re
from collections.abc import Sequence
from typing import Any

from khabar.inference.accounts import Account, Event, Participant
from khabar.inference.label_studio import version
from khabar.plover import QUAD_CODE
from khabar.text import sentences

NEEDS_RECIPIENT = ("COOPERATE", "AID", "SANCTION")
AUXILIARY = {  # status -> the manual's auxiliary modes, which it wants in the context
    "background": "historical",
    "planned": "future",
    "conditional": "hypothetical",
    "negated": "negation",
}
NOW, DONE = ("happened", "ongoing"), ("happened", "ongoing", "background")  # statuses of what is no mere plan or claim
WIKIDATA = "https://www.wikidata.org/wiki/"
_ISO = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?(?=[T ]|\Z)")


def records(
    account: Account,
    *,
    text: str | None = None,
    negated: bool = False,
    incomplete: bool = False,
    coded_date: str | None = None,
) -> list[dict[str, Any]]:
    """One record an event, in the account's order; none of an account with an error.

    An event without a date of its own takes the article's, and its `comment` says so; of a month or a year, `date` is
    the first day and `enddate` the last. `text_info` is the sentence of the first mention, `event_text` all triggers.
    Events that share a trigger (a conviction that is also an arrest) have one `link`.

    Args:
        account: of one article; its id is unique in the data set, and so are the records' ids.
        text: of the article, for the number of the sentence (`text_info.sequence`, from 1).
        negated: keep what is said not to have happened.
        incomplete: keep events without an actor, a required recipient or any date, though the format requires these.
        coded_date: of all records, YYYY-MM-DD.
    """
    coded = [
        (number, event)
        for number, event in enumerate(account.events, 1)
        if (negated or event.status != "negated") and (incomplete or _complete(event, account))
    ]
    events = [event for _, event in coded]
    coded = [(number, event) for number, event in coded if not _covered(event, events)]
    links = _links([event for _, event in coded])
    spans = sentences.split(text) if text is not None else []
    made = []
    for (number, event), link in zip(coded, links, strict=True):
        one = {"id": f"{account.id}-{number}"} | _record(event, account) | {"text_info": _place(event, spans)}
        if links.count(link) > 1:
            one["link"] = f"{account.id}-{coded[link][0]}"
        if coded_date is not None:
            one["coded_date"] = coded_date
        made.append(one)
    return made


def _record(event: Event, account: Account) -> dict[str, Any]:
    """The fields that an event has by itself; without those that would be empty, save the required."""
    own = _days(event.date)
    first, last = own or _days(account.date) or (None, None)
    cited = {"publication": account.source, "title": account.title, "date": account.date}
    comment = {
        "status": event.status,
        "told by": " ← ".join(dict.fromkeys(one.name for one in event.sources)),
        "date": "" if own else "the article's",
        "near copy of": account.copy_of,
    }
    return {"date": first, "actor": _entities(event.actors), "event": [event.type]} | _filled(
        enddate=last,
        recipient=_entities(event.recipients),
        event_loc=_filled(extracted_place=event.place),
        event_text=list(dict.fromkeys(mention.trigger for mention in event.mentions)),
        quad_code=QUAD_CODE.get(event.type),
        mode=[event.mode] if event.mode else None,
        context=[AUXILIARY[event.status]] if event.status in AUXILIARY else None,
        cite_info=_filled(**cited),
        coder=version(account.model),
        comment="; ".join(f"{name}: {said}" for name, said in comment.items() if said),
    )


def _filled(**fields: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON type
    return {name: value for name, value in fields.items() if value}


def _entities(participants: Sequence[Participant]) -> list[dict[str, str]]:
    """An object an entity, by its first mention."""
    first: dict[str, Participant] = {}
    for one in participants:
        first.setdefault(one.name, one)
    return [
        {"entity_text": one.text, "identifier_text": one.name}
        | ({"identifier_id": WIKIDATA + one.wikidata} if one.wikidata else {})
        for one in first.values()
    ]


def _place(event: Event, spans: Sequence[tuple[int, int]]) -> dict[str, int]:
    first = event.mentions[0]
    before = sum(start <= first.sentence_start for start, _ in spans)
    return {"start": first.sentence_start, "end": first.sentence_end} | ({"sequence": before} if before else {})


def _complete(event: Event, account: Account) -> bool:
    """Whether it has what the format and the type require."""
    dated = _days(event.date) or _days(account.date)
    return bool(event.actors and dated and (event.recipients or event.type not in NEEDS_RECIPIENT))


def _covered(event: Event, coded: Sequence[Event]) -> bool:
    """Whether another event of the document is to be coded in its place (the manual on MOBILIZE and ACCUSE)."""
    if event.type == "MOBILIZE":
        who = _who(event.actors)
        return any(one.type == "ASSAULT" and who <= _who(one.actors) and _beside(event, one) for one in coded if who)
    if (event.type, event.mode) == ("ACCUSE", "allege"):
        whom = _who(event.recipients)
        convictions = (one for one in coded if (one.type, one.mode) == ("SANCTION", "convict") and one.status in DONE)
        return any(whom <= _who(one.recipients) for one in convictions if whom)
    return False


def _beside(event: Event, other: Event) -> bool:
    """Whether both are told of one time: of now, or of before."""
    return other.status == "background" if event.status == "background" else other.status in NOW


def _who(participants: Sequence[Participant]) -> set[str]:
    return {one.name for one in participants}


def _links(events: Sequence[Event]) -> list[int]:
    """For each event the place of the first that it shares a trigger with, directly or over others; else its own."""
    triggers = [{(mention.start, mention.end) for mention in event.mentions} for event in events]
    links = list(range(len(events)))
    for later in links.copy():
        joined = {links[earlier] for earlier in range(later) if triggers[earlier] & triggers[later]}
        links = [min(joined) if link in {*joined, later} else link for link in links] if joined else links
    return links


def _days(date: str | None) -> tuple[str, str | None] | None:
    """The day of an ISO date, or the first and the last of its month or year; None of anything else."""
    found = _ISO.match(date or "")
    if found is None:
        return None
    year, month, day = (int(part or 0) for part in found.groups())
    try:
        first = datetime.date(year, month or 1, day or 1)
    except ValueError:
        return None
    last = first.replace(month=month or 12)
    last = last.replace(day=calendar.monthrange(year, last.month)[1])
    return first.isoformat(), None if day else last.isoformat()
