"""The dates that an Arabic sentence states, resolved against the day of its article.

One regular expression over folded letters, so that short vowels, tatweel, hamzas and the shape of digits do not matter.
Clocks and Hijri dates are left alone. A week has no date of the forms that are given: it is as precise as its month.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from khabar.text.folding import fold
from khabar.text.letters import letters, pattern

AHEAD = 31  # days after its article in which a day and month without a year may lie; beyond, it is of the year before

_MONTHS = (
    "يناير|كانون (?:ال)?ثاني?|جانفي",
    "فبراير|شباط|فيفري",
    "مارس|آذار",
    "أبريل|نيسان|أفريل",
    "مايو|أيار|ماي",
    "يونيو|يونيه|حزيران|جوان",
    "يوليو|يوليه|يوليوز|تموز|جويلية",
    "أغسطس|آب|غشت|أوت",
    "سبتمبر|أيلول|شتنبر",
    "أكتوبر|تشرين (?:ال)?أول",
    "نوفمبر|تشرين (?:ال)?ثاني?|نونبر",
    "ديسمبر|كانون (?:ال)?أول|دجنبر",
)
# also "practised", Nissan, (Theresa) May, Joan, father, out and a surname: months only beside more of a date
_DOUBTFUL = frozenset(map(fold, ("مارس", "نيسان", "ماي", "جوان", "آب", "أوت", "شباط")))
_LEADS = frozenset(map(fold, ("في", "خلال", "منذ", "حتى", "بحلول")))
_WEEKDAYS = ("اثنين", "ثلاثاء", "أربعاء", "خميس", "جمعة", "سبت", "أحد")
_NEAR = {
    "اليوم": 0, "هذا اليوم": 0, "أمس": -1, "الأمس": -1, "الليلة الماضية": -1, "أمس الأول": -2, "أول أمس": -2,
    "أول من أمس": -2, "قبل أمس": -2, "غدا": 1, "غد": 1, "الغد": 1, "بعد غد": 2, "بعد الغد": 2,
}  # fmt: skip
_SHIFTS = {
    "قبل الماضي": -2, "الماضي": -1, "المنصرم": -1, "الفائت": -1, "الجاري": 0, "الحالي": 0, "المقبل": 1, "القادم": 1,
    "بعد المقبل": 2,
}  # fmt: skip
_UNITS = {
    "يوم": ("يوما", "أيام", "يومين"),
    "أسبوع": ("أسبوعا", "أسابيع", "أسبوعين"),
    "شهر": ("شهرا", "أشهر", "شهور", "شهرين"),
    "عام": ("عاما", "أعوام", "عامين"),
    "سنة": ("سنوات", "سنين", "سنتين"),
}
_ONES = {"ثلاث": 3, "أربع": 4, "خمس": 5, "ست": 6, "سبع": 7, "ثماني": 8, "تسع": 9, "عشر": 10}
_TENS = {"عشرين": 20, "ثلاثين": 30, "أربعين": 40, "خمسين": 50, "ستين": 60, "سبعين": 70, "ثمانين": 80, "تسعين": 90}
_NUMBERS = (
    {one + end: value for one, value in _ONES.items() for end in ("", "ة")}
    | {f"{one}{end} عشر": 10 + value for one, value in _ONES.items() for end in ("", "ة") if value < 10}
    | {f"{one} عشرة": 10 + value for one, value in _ONES.items() if value < 10}
    | {"أحد عشر": 11, "إحدى عشرة": 11, "اثني عشر": 12, "اثنتي عشرة": 12}
    | _TENS
)
_LATER = {"ثاني": 2, "ثالث": 3, "رابع": 4, "خامس": 5, "سادس": 6, "سابع": 7, "ثامن": 8, "تاسع": 9}
_FIRST = {"أول": 1, **_LATER, "عاشر": 10}
_OF_MORE = {"حادي": 1, **_LATER}
_ORDINALS = (
    {f"ال{word}": value for word, value in _FIRST.items()}
    | {f"ال{word} عشر": 10 + value for word, value in _OF_MORE.items()}
    | {f"ال{word} والعشرين": 20 + value for word, value in _OF_MORE.items()}
    | {"العشرين": 20, "الثلاثين": 30, "الحادي والثلاثين": 31}
)
# what bears a date as its name: no date unless a year follows
_NAMED = (
    "ثورة|ثورتي|حرب|مدينة|محافظة|ميدان|جامعة|كوبري|جسر|محور|شارع|مستشفى|انتفاضة|هجمات|"
    "أحداث|اعتداءات|ذكرى|قوى|فريق|تحالف|تيار|حركة|معسكر"
)
_GENERAL = (
    "الأمين|المدير|النائب|المدعي|القائد|المفتش|المنسق|المراقب|المشرف|المستشار|القطاع|الرأي|السكرتير|القنصل|الحاكم"
)
_A_CERTAIN_DAY = "الوطني|العالمي|الدولي|العربي|التالي|الذي|الواحد|الأخير|الدراسي|المفتوح|السابق|الموعود|ذاته|نفسه"


def _any(words: str) -> str:
    return f"(?:{'|'.join(sorted(words.split('|'), key=len, reverse=True))})(?!\\w)"


def _shift(name: str) -> str:
    return f"(?P<{name}>(?:{'|'.join(_SHIFTS)})ة?)(?!\\w)"


def _after(weekday: str) -> str:
    return rf"(?:{_PART} )?(?:(?:ال)?يومي? )?(?:{weekday}[،,]? \(?(?:الموافق )?)?"


_YEAR = r"(?:1[5-9]|20)\d\d(?!\d|[.,٫٬]\d| ?ه(?!\w))"  # no Hijri year, no 2,015 or 2015.5
_DAY = r"(?:0?[1-9]|[12]\d|3[01])(?!\d)"
_NUMBERED_MONTH = r"(?:0?[1-9]|1[0-2])(?!\d)"
_NTH = _any("|".join(_ORDINALS))
_WEEKDAY = f"(?:ال|لل){_any('|'.join(_WEEKDAYS))}"
_ANY_MONTH = _any("|".join(_MONTHS))
_MONTH = "|".join(  # or two names of one month: يوليو/تموز, يوليو تموز, يوليو (تموز)
    rf"(?P<month{number}>{name}(?: ?[/\-]? ?{name}| ?\( ?{name} ?\))?)"
    for number, name in enumerate((_any(names) for names in _MONTHS), 1)
)
_PART = _any("منتصف ليل|صباح|فجر|ظهر|عصر|مساء|ليل|ليلة|نهار")
_EDGE = f"(?:{_any('أوائل|مطلع|بداية|مستهل|منتصف|أواسط|أواخر|نهاية|ختام')}|(?:الأسبوع|النصف) (?:{_NTH}|الأخير) من)"
_HIJRI = "(?:رمضان|شعبان|رجب|محرم|صفر|شوال|ذي|ذو|ربيع|جمادى)"
_A_YEAR = "(?:ال|لل)?(?:عام|سنة)"

_KINDS = {
    "other": "|".join(  # looks like a date and is none; matched first, and passed over
        (
            f"(?:صلاة|خطبة|خطبتي|خطيب|خطباء|أيام|كلا|هذين|الواحد) {_WEEKDAY}",
            f"بين الاثنين(?! و{_WEEKDAY})",
            f"{_WEEKDAY} {_any('السوداء|الأسود|العظيمة|الحزينة|الدامي')}",
            "(?:أمس|بأمس) (?:ال)?حاجة|الأمس القريب",
            "(?:ذلك|نفس|ذات|طوال|طيلة|بقية|مدار|المصري|روسيا|دار|عين|صحيفة|جريدة) اليوم",
            f'[«"“]اليوم[»"”]|في اليوم(?! {_WEEKDAY})|اليوم {_any(_A_CERTAIN_DAY)}',
            f"اليوم {_NTH}(?! من)",
            f"{_any(_GENERAL)} العام",
            rf"{_any(_NAMED)} (?:(?:{_DAY}|{_NTH}) ?(?:من )?)?{_ANY_MONTH}"
            rf"(?! ?[/،]? ?(?:{_A_YEAR} )?{_YEAR}| (?:{'|'.join(_SHIFTS)}))(?: و{_DAY} {_ANY_MONTH})?",
        )
    ),
    "numeric": (
        rf"{_after(_WEEKDAY)}(?:"
        rf"(?P<y>{_YEAR}) ?(?P<mark>[/\-.]) ?(?P<m>{_NUMBERED_MONTH}) ?(?P=mark) ?(?P<d>{_DAY})"
        rf"|(?P<d_first>{_DAY}) ?(?P<mark2>[/\-.]) ?(?P<m_then>{_NUMBERED_MONTH}) ?(?P=mark2) ?(?P<y_last>{_YEAR}))م?"
    ),
    "calendar": (
        rf"{_after(f'(?P<on>{_WEEKDAY})')}(?P<edge>{_EDGE} )?"
        rf"(?:(?:ال)?(?P<day>{_DAY}) ?[/\-]? ?(?:من )?|(?P<nth>{_NTH}) (?:من )?)?(?P<of>(?:ال)?شهري? )?(?:{_MONTH})"
        rf"(?:[،,]? ?[/\-]? ?(?:من |في )?(?:{_A_YEAR} )?(?P<year>{_YEAR})(?: ?م(?!\w))?"
        rf"|[،,]? (?:من |في )?(?:(?:العام|السنة) {_shift('of_year')}|(?P<this_year>هذا العام|هذه السنة))"
        rf"|[،,]? (?:من |في )?(?P<lost>(?:نفس|ذات|كل) {_A_YEAR}|{_A_YEAR} (?:نفسه|ذاته|التالي|السابق)ا?ة?)"
        rf"| (?:من )?{_shift('of_month')})?"
    ),
    "of_a_month": (
        rf"(?:(?:ال)?يوم )?(?:(?:ال)?(?P<its_day>{_DAY}) (?:من )?|(?P<its_nth>{_NTH}) من )"
        rf"(?:الشهر {_shift('its_month')}|هذا الشهر)|(?P<bare_day>{_DAY}) (?:من )?{_shift('bare_month')}"
    ),
    "period": (
        rf"(?:{_EDGE} )?(?:(?:هذا|هذه) ال(?P<this>أسبوع|شهر|عام|سنة)"
        rf"|[ال]ل(?P<the>أسبوع|شهر|عام|سنة) {_shift('its_shift')})"
    ),
    "ago": (
        r"(?:قبل|منذ) (?:(?:نحو|حوالي|قرابة|زهاء|ما يقارب) )?"
        rf"(?:(?P<count>\d{{1,3}}(?!\d)|{_any('|'.join(_NUMBERS))}) "
        rf"(?P<units>{_any('|'.join((*_UNITS, *(word for words in _UNITS.values() for word in words[:-1]))))})"
        rf"|(?P<two>{_any('|'.join(words[-1] for words in _UNITS.values()))})"
        rf"|(?P<one>{_any('|'.join(_UNITS))})(?: واحدة?|(?! (?:\d|{_ANY_MONTH}|{_HIJRI}|ال|أمس|غد))))(?!\w)"
        rf"(?=(?P<since> من(?!\w)(?! {_any('الآن|اليوم')}))?)"
    ),
    "nearby": (
        rf"(?P<part>{_PART} )?(?P<a_day>(?:ال)?يومي? )?(?:(?P<near>{_any('|'.join(_NEAR))})"
        rf"(?: ?\( ?(?:يوم )?(?P<near_in>{_WEEKDAY}) ?\)|،? (?:يوم )?(?P<near_on>{_WEEKDAY}))?"
        rf"|(?P<weekday>{_WEEKDAY})(?: {_shift('weekday_shift')})?"
        rf"(?=(?P<hijri>[،,]? \(?\d{{1,4}} ?(?:[/\-]|(?:من )?{_HIJRI}))?))"
    ),
    "year_alone": (
        rf"(?:{_EDGE} )?(?:ال|لل)?(?:عام|عامي|سنة) (?P<only>{_YEAR})(?: ?م(?!\w))?"
        rf"|(?:(?<=منذ )|(?<=بحلول ))(?P<since_year>{_YEAR})(?! (?:عام|سنة|يوم|شخص))"
        rf"|(?<=عامي \d\d\d\d و)(?P<second>{_YEAR})|{_EDGE} (?P<edge_of>{_YEAR})"
        rf"|(?<=في )(?P<in>{_YEAR})(?= ?[^\w\s(%]| و| (?:إلى|من|على|عن|بعد|قبل|بسبب|حتى|مع|أي|دون)(?!\w)|\Z)"
    ),
}
_STATED = pattern(
    rf"(?<!\w)[وف]?(?:[بك]|ل(?!ل))?(?:{'|'.join(f'(?P<{kind}>{words})' for kind, words in _KINDS.items())})(?!\w)"
)


def _folded(values: Mapping[str, int]) -> dict[str, int]:
    return {" ".join(map(fold, words.split())): value for words, value in values.items()}


_NUMBER, _ORDINAL, _OFFSET, _SHIFT = map(_folded, (_NUMBERS, _ORDINALS, _NEAR, _SHIFTS))
_DAY_OF_WEEK = {fold(word): number for number, word in enumerate(_WEEKDAYS)}
_UNIT = {fold(word): fold(unit) for unit, words in _UNITS.items() for word in (unit, *words)}


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
    for match in _STATED.finditer(plain):
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
    if month is None or match[f"month{month}"] not in _DOUBTFUL:
        return False
    if any(match[name] for name in ("on", "edge", "day", "nth", "of", "year", "of_year", "this_year", "of_month")):
        return False
    before = match.string[max(0, match.start() - 8) : match.start()].split()
    return not before or not {before[-1], before[-1][1:]} & _LEADS


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
    unit = _UNIT[match["this"] or match["the"]]
    return None if today is None else _moved(today, unit, _by(match["its_shift"]) or 0)


def _ago(match: re.Match[str], today: date | None) -> str | None:
    if today is None or match["since"]:  # قبل يومين من الانتخابات counts from another day than the article's
        return None
    number = 2 if match["two"] else 1 if match["one"] else 0
    count = number or _NUMBER.get(match["count"]) or int(match["count"])
    return _moved(today, _UNIT[match["two"] or match["one"] or match["units"]], -count)


def _nearby(match: re.Match[str], today: date | None) -> str | None:
    if today is None:
        return None
    if match["near"]:
        day = today + timedelta(_OFFSET[match["near"]])
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
    return None if words is None else _SHIFT[words.removesuffix("ه")]


def _day(digits: str | None, ordinal: str | None) -> int | None:
    return int(digits) if digits else _ORDINAL[ordinal] if ordinal else None


def _weekday(name: str) -> int:
    return _DAY_OF_WEEK[name[2:]]


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
