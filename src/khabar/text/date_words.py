"""The words and forms of dates in Arabic news: one regular expression over folded letters (see `letters`).

Its named groups say of what kind a date is and what its parts are; `dates` makes sense of them.
"""

from collections.abc import Mapping

from khabar.text.folding import fold
from khabar.text.letters import pattern

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
DOUBTFUL = frozenset(map(fold, ("مارس", "نيسان", "ماي", "جوان", "آب", "أوت", "شباط")))
LEADS = frozenset(map(fold, ("في", "خلال", "منذ", "حتى", "بحلول")))
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
STATED = pattern(
    rf"(?<!\w)[وف]?(?:[بك]|ل(?!ل))?(?:{'|'.join(f'(?P<{kind}>{words})' for kind, words in _KINDS.items())})(?!\w)"
)


def _folded(values: Mapping[str, int]) -> dict[str, int]:
    return {" ".join(map(fold, words.split())): value for words, value in values.items()}


NUMBER, ORDINAL, OFFSET, SHIFT = map(_folded, (_NUMBERS, _ORDINALS, _NEAR, _SHIFTS))
DAY_OF_WEEK = {fold(word): number for number, word in enumerate(_WEEKDAYS)}
UNIT = {fold(word): fold(unit) for unit, words in _UNITS.items() for word in (unit, *words)}
