"""The dates that an Arabic sentence states, resolved against the day of its article.

One regular expression over folded letters, so that short vowels, tatweel, hamzas and the shape of digits do not matter.
Clocks and Hijri dates are left alone. A week has no date of the forms that are given: it is as precise as its month.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta

from khabar.text.date_words import DAY_OF_WEEK, DOUBTFUL, LEADS, NUMBER, OFFSET, ORDINAL, SHIFT, STATED, UNIT
from khabar.text.letters import letters

AHEAD = 31  # days after its article in which a day and month without a year may lie; beyond, it is of the year before


@dataclass(frozen=True, slots=True)
class Stated:
    """A stated date, its words without a و ف ب ك or ل before them, and what they mean.

    `date` is as precise as the words are: YYYY-MM-DD, YYYY-MM or YYYY; None where it can't be told.
    """

    start: int
    end: int
    text: str
    date: str | None


def find(text: str, start: int, end: int, published: str | None) -> list[Stated]:
    """The dates stated in `text[start:end]`, in order, without overlap; offsets are code points of `text`.

    `published` is the article's day (ISO; a time may follow). Without one that can be read, words that count from it
    (أمس, الجمعة, قبل شهرين, a month without a year) have no date. What the words leave open is the latest that is not
    after the article, except that a day and month without a year may lie `AHEAD` days after it.
    """
    plain, offsets = letters(text, start, end)
    today = _read(published)
    found = []
    for match in STATED.finditer(plain):
        kind = match.lastgroup or ""
        if kind in _RESOLVE and not _is_a_word(match):
            first, last = offsets[match.start(kind)], offsets[match.end(kind)]
            found.append(Stated(first, last, text[first:last], _RESOLVE[kind](match, today)))
    return found


def _read(published: str | None) -> date | None:
    """The article's day, if that is what it is; a year such as 1 or 9999 stands for no date in many an export."""
    try:
        day = date.fromisoformat((published or "")[:10])
    except ValueError:
        return None
    return day if 1500 <= day.year < 2100 else None


def _is_a_word(match: re.Match[str]) -> bool:
    """Whether a month or day is more likely another word that is written alike, or غد no noun of a date."""
    if match["near"] in ("غد", "الغد"):
        return not (match["part"] or match["a_day"] or match["near_in"] or match["near_on"])
    month = _month(match)
    if month is None or match[f"month{month}"] not in DOUBTFUL:
        return False
    if any(match[name] for name in ("on", "edge", "day", "nth", "of", "year", "of_year", "this_year", "of_month")):
        return False
    before = match.string[max(0, match.start() - 8) : match.start()].split()
    return not before or not {before[-1], before[-1][1:]} & LEADS


def _month(match: re.Match[str]) -> int | None:
    return next((number for number in range(1, 13) if match[f"month{number}"]), None)


def _numeric(match: re.Match[str], today: date | None) -> str | None:
    year, month, day = match.group("y", "m", "d") if match["y"] else match.group("y_last", "m_then", "d_first")
    return _iso(int(year), int(month), int(day))


def _calendar(match: re.Match[str], today: date | None) -> str | None:
    month, day = _month(match) or 0, _day(match["day"], match["nth"])
    if match["year"]:
        return _iso(int(match["year"]), month, day)
    if today is None or match["lost"]:
        return None
    if match["of_year"] or match["this_year"]:
        return _iso(today.year + (_by(match["of_year"]) or 0), month, day)
    shift = _by(match["of_month"])
    year = _year(month, day, shift, today)
    if match["on"] and day and shift is None:  # of the years around, the one in which it is that day of the week
        for near in (year, year - 1, year + 1):
            stated = _iso(near, month, day)
            if stated and date.fromisoformat(stated).weekday() == _weekday(match["on"]):
                return stated
    return _iso(year, month, day)


def _year(month: int, day: int | None, shift: int | None, today: date) -> int:
    """The year of a month, or of a day of it, that is named without one."""
    if shift is None and day:
        today += timedelta(AHEAD)
    stated, now = (month, day or today.day), (today.month, today.day)
    if shift is None:
        return today.year - (stated > now)
    if shift < 0:
        return today.year - (stated >= now) + shift + 1
    return today.year + ((stated <= now) + shift - 1 if shift else 0)


def _of_a_month(match: re.Match[str], today: date | None) -> str | None:
    if today is None:
        return None
    months = _by(match["its_month"] or match["bare_month"]) or 0
    return _moved(today, "شهر", months, _day(match["its_day"] or match["bare_day"], match["its_nth"]))


def _period(match: re.Match[str], today: date | None) -> str | None:
    unit = UNIT[match["this"] or match["the"]]
    return None if today is None else _moved(today, unit, _by(match["its_shift"]) or 0)


def _ago(match: re.Match[str], today: date | None) -> str | None:
    if today is None or match["since"]:  # قبل يومين من الانتخابات counts from another day than the article's
        return None
    number = 2 if match["two"] else 1 if match["one"] else 0
    count = number or NUMBER.get(match["count"]) or int(match["count"])
    return _moved(today, UNIT[match["two"] or match["one"] or match["units"]], -count)


def _nearby(match: re.Match[str], today: date | None) -> str | None:
    if today is None:
        return None
    if match["near"]:
        day = today + timedelta(OFFSET[match["near"]])
        name = match["near_in"] or match["near_on"]
        # the name of the day counts for more: many an article is dated a day late
        return str(day + timedelta((_weekday(name) - day.weekday() + 3) % 7 - 3) if name else day)
    if match["hijri"]:  # of a date that may lie in another week
        return None
    shift, back = _by(match["weekday_shift"]), (today.weekday() - _weekday(match["weekday"])) % 7
    if not shift:
        return str(today - timedelta(back))
    return str(today - timedelta((back or 7) + 7 * (-shift - 1)) if shift < 0 else today + timedelta(7 * shift - back))


def _year_alone(match: re.Match[str], today: date | None) -> str | None:
    years: tuple[str | None, ...] = match.group("only", "second", "edge_of", "since_year", "in")
    return next(filter(None, years))


_RESOLVE = {
    "numeric": _numeric,
    "calendar": _calendar,
    "of_a_month": _of_a_month,
    "period": _period,
    "ago": _ago,
    "nearby": _nearby,
    "year_alone": _year_alone,
}


def _by(words: str | None) -> int | None:
    """How many years, months, weeks or days on الماضي, الجاري, المقبل and the like are."""
    return None if words is None else SHIFT[words.removesuffix("ه")]


def _day(digits: str | None, ordinal: str | None) -> int | None:
    return int(digits) if digits else ORDINAL[ordinal] if ordinal else None


def _weekday(name: str) -> int:
    return DAY_OF_WEEK[name[2:]]


def _moved(today: date, unit: str, by: int, day: int | None = None) -> str | None:
    """So many units from today, as precise as the unit; `day` is a day of that month."""
    if unit == "يوم":
        return str(today + timedelta(by))
    if unit == "اسبوع":
        return _iso((today + timedelta(7 * by)).year, (today + timedelta(7 * by)).month, None)
    if unit == "شهر":
        years, months = divmod(today.month - 1 + by, 12)
        return _iso(today.year + years, months + 1, day)
    return f"{today.year + by}"


def _iso(year: int, month: int, day: int | None) -> str | None:
    """The date in ISO form, None for a day that the month does not have."""
    if day is None:
        return f"{year}-{month:02}"
    try:
        return str(date(year, month, day))
    except ValueError:
        return None
