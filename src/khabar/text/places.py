"""Where an Arabic sentence says that something happens: names after في, ب, داخل, شمال, قرب, or after مدينة, بلدة, مخيم.

Names of countries, capitals and large cities are known; after a head noun such as مدينة any name will do. إلى and ل say
where somebody goes, not where something happens, and are left alone.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from khabar.text.folding import fold
from khabar.text.letters import letters, pattern

# a name, and the others that the place goes by
_PLACES = (
    "السعودية|المملكة العربية السعودية", "الإمارات|الإمارات العربية المتحدة", "قطر", "الكويت", "البحرين", "سلطنة عمان",
    "اليمن", "العراق", "سوريا|سورية", "لبنان", "الأردن", "فلسطين|الأراضي الفلسطينية", "إسرائيل", "مصر", "السودان",
    "جنوب السودان", "ليبيا", "تونس", "الجزائر", "المغرب", "موريتانيا", "الصومال|أرض الصومال", "جيبوتي", "جزر القمر",
    "الصحراء الغربية", "تركيا", "إيران", "أفغانستان", "باكستان", "الهند", "بنغلاديش|بنجلاديش", "نيبال",
    "سريلانكا|سري لانكا", "ميانمار|بورما", "تايلاند|تايلند", "فيتنام", "كمبوديا", "ماليزيا", "إندونيسيا", "سنغافورة",
    "الفلبين|الفليبين", "الصين", "تايوان", "هونغ كونغ|هونج كونج", "اليابان", "كوريا الجنوبية", "كوريا الشمالية",
    "منغوليا", "كازاخستان", "أوزبكستان", "تركمانستان", "قرغيزستان|قيرغيزستان", "طاجيكستان", "أذربيجان", "أرمينيا",
    "جورجيا", "روسيا|روسيا الاتحادية", "أوكرانيا", "القرم|شبه جزيرة القرم", "بيلاروسيا|روسيا البيضاء", "بولندا",
    "التشيك", "سلوفاكيا", "المجر|هنغاريا", "رومانيا", "بلغاريا", "اليونان", "قبرص", "مالطا", "ألبانيا", "كوسوفو",
    "صربيا", "كرواتيا", "البوسنة|البوسنة والهرسك", "مقدونيا", "سلوفينيا", "النمسا", "سويسرا", "ألمانيا", "هولندا",
    "بلجيكا", "فرنسا", "إسبانيا", "البرتغال", "إيطاليا", "بريطانيا|المملكة المتحدة", "إنجلترا|إنكلترا",
    "اسكتلندا|اسكوتلندا", "إيرلندا|أيرلندا", "الدنمارك|الدنمرك", "السويد", "النرويج", "فنلندا", "أيسلندا|آيسلندا",
    "إستونيا", "لاتفيا", "ليتوانيا", "الولايات المتحدة|الولايات المتحدة الأمريكية|أمريكا|أميركا", "كندا", "المكسيك",
    "كوبا", "هايتي", "البرازيل", "الأرجنتين", "تشيلي", "كولومبيا", "فنزويلا", "بيرو", "بوليفيا", "الإكوادور",
    "أستراليا", "نيوزيلندا", "إثيوبيا", "إريتريا|أريتريا", "كينيا", "أوغندا", "رواندا", "بوروندي", "تنزانيا",
    "الكونغو|الكونغو الديمقراطية", "أنغولا", "جنوب أفريقيا", "نيجيريا", "النيجر", "تشاد", "مالي", "بوركينا فاسو",
    "السنغال", "غانا", "ساحل العاج", "الكاميرون", "أفريقيا الوسطى", "زيمبابوي", "موزمبيق", "مدغشقر", "الرياض", "جدة",
    "مكة المكرمة|مكة", "المدينة المنورة", "الدمام", "الظهران", "الأحساء", "القطيف", "الجبيل", "الطائف", "تبوك", "حائل",
    "بريدة", "القصيم", "ينبع", "أبها", "عسير", "خميس مشيط", "نجران", "جازان|جيزان", "الباحة", "عرعر", "حفر الباطن",
    "المنطقة الشرقية", "المشاعر المقدسة", "أبوظبي|أبو ظبي", "دبي", "الشارقة", "عجمان", "رأس الخيمة", "الفجيرة",
    "الدوحة", "المنامة", "عمان", "مسقط", "صلالة", "صنعاء", "عدن", "تعز", "الحديدة", "مأرب", "حضرموت", "المكلا", "صعدة",
    "لحج", "أبين", "شبوة", "ذمار", "عمران", "الضالع", "سقطرى", "بغداد", "البصرة", "الموصل", "نينوى", "أربيل", "كركوك",
    "السليمانية", "دهوك", "الأنبار", "الرمادي", "الفلوجة", "تكريت", "بيجي", "سامراء", "ديالى", "بعقوبة", "النجف",
    "كربلاء", "بابل", "الناصرية", "سنجار", "كردستان|كردستان العراق|إقليم كردستان", "دمشق", "ريف دمشق", "حلب", "حمص",
    "حماة", "اللاذقية", "طرطوس", "إدلب", "درعا", "السويداء", "القنيطرة", "دير الزور", "الرقة", "الحسكة", "القامشلي",
    "تدمر", "عين العرب|كوباني", "الزبداني", "دوما", "الغوطة الشرقية", "بيروت", "طرابلس", "صيدا", "زحلة", "بعلبك",
    "عرسال", "الضاحية الجنوبية", "البقاع", "الزرقاء", "إربد", "العقبة", "القدس|القدس المحتلة|القدس الشرقية",
    "رام الله", "غزة|قطاع غزة", "الضفة الغربية|الضفة", "خان يونس", "رفح", "نابلس", "الخليل", "جنين", "بيت لحم",
    "طولكرم", "قلقيلية", "أريحا", "تل أبيب", "حيفا", "يافا", "عكا", "الناصرة", "بئر السبع", "عسقلان", "إيلات",
    "الجولان|هضبة الجولان", "القاهرة", "الإسكندرية", "الجيزة", "بورسعيد|بور سعيد", "السويس", "الإسماعيلية",
    "شرم الشيخ", "الغردقة", "سيناء|شبه جزيرة سيناء", "العريش", "الشيخ زويد", "أسيوط", "الأقصر", "أسوان", "طنطا",
    "المنصورة", "الفيوم", "المنيا", "سوهاج", "دمياط", "الخرطوم", "أم درمان", "دارفور", "بورتسودان", "الفاشر", "جوبا",
    "بنغازي", "مصراتة", "سرت", "درنة", "سبها", "طبرق", "الزنتان", "صفاقس", "سوسة", "القيروان", "القصرين", "وهران",
    "قسنطينة", "عنابة", "غرداية", "الرباط", "الدار البيضاء", "مراكش", "فاس", "طنجة", "أكادير", "نواكشوط", "مقديشو",
    "طهران", "أصفهان|إصفهان", "شيراز", "تبريز", "الأهواز", "أنقرة", "إسطنبول|اسطنبول", "غازي عنتاب", "ديار بكر",
    "إزمير|أزمير", "كابول", "قندهار", "قندوز", "هلمند", "إسلام آباد", "كراتشي", "لاهور", "بيشاور", "نيودلهي|نيو دلهي",
    "مومباي", "دكا", "كوالالمبور", "جاكرتا", "بانكوك", "مانيلا", "بكين", "شنغهاي", "طوكيو", "سيول", "بيونغ يانغ",
    "موسكو", "كييف", "وارسو", "فيينا", "جنيف", "زوريخ", "برلين", "ميونيخ|ميونخ", "فرانكفورت", "باريس", "مرسيليا",
    "لندن", "بروكسل", "لاهاي", "أمستردام", "مدريد", "برشلونة", "روما", "ميلانو", "أثينا", "نيقوسيا", "بلغراد",
    "ستوكهولم", "أوسلو", "كوبنهاغن", "هلسنكي", "واشنطن", "نيويورك", "شيكاغو", "كاليفورنيا", "تكساس", "فلوريدا",
    "أوتاوا", "هافانا", "أديس أبابا", "أسمرة", "نيروبي", "كمبالا", "أبوجا", "لاغوس", "باماكو", "نجامينا", "سيدني",
    "دافوس", "كامب ديفيد",
)  # fmt: skip
# begins like a place and is none: a ligament, and a name of ISIS
_NO_PLACES = ("الرباط الصليبي", "الرباط الداخلي", "الرباط الخارجي", "العراق والشام", "العراق وبلاد الشام")
_AMBIGUOUS, _OMAN, _AMMAN = "عمان", "سلطنة عمان", "عمّان"
_QUOTES = {"«": "»", "“": "”", '"': '"', "(": ")"}
_SHADDA, _DAMMA = "\u0651", "\u064f"

_DIRECTION = "(?:شمال|جنوب(?! (?:السودان|أفريقيا))|شرق|غرب)ي?"
_IN = f"في|داخل|قرب|بالقرب من|قبالة|وسط|{_DIRECTION}"
# words between one of these and the name: في مختلف أنحاء العاصمة اليمنية صنعاء
_OF_IT = "|".join(
    (
        _DIRECTION,
        "وسط|كل من|كافة|جميع|معظم|مختلف|بعض|عدة|أنحاء|أرجاء|دولة|جمهورية|مملكة|إمارة|العاصمة(?: ال\\w+)?",
        "مدن|مناطق|محافظات|قرى|بلدات|مدينتي|محافظتي|بلدتي|قريتي|منطقتي|ريف(?! دمشق)|ضواحي|أطراف|مشارف|حدود",
        "أراضي|أجواء|سماء|أحياء|شوارع|قلب|سواحل|ساحل|شواطئ|جبهات",
    )
)
_HEAD = "مدينة|بلدة|قرية|محافظة|ولاية|إقليم|منطقة|ضاحية|حي|ميناء|مطار|مخيم"
# begins a name that the next word completes, with ال or without
_OPENING = (
    "الملك|الأمير|الأميرة|الشيخ|الشهيد|السلطان|الإمام|القديس|سيدي|عبد|أبو|أبي|أم|ابن|"
    "بن|بني|بنت|آل|ذي|عين|دير|بيت|تل|كفر|خان|رأس|دار|باب|بئر|جبل|وادي|نهر|جسر"
    "|قلعة|برج|سوق|حمام|سان|سانت|نيو|لوس|بورت|كرم|كوم|منشأة|ميت"
)


def _words(lines: str) -> frozenset[str]:
    return frozenset(map(fold, lines.split()))


_NO_NAMES = _words(
    """
    في من على إلى عن مع بين بعد قبل حول منذ حتى لدى عند ضمن أن إن أنه إنه لا لم لن ما هو هي هذا هذه ذلك تلك التي
    الذي الذين كل بعض أي قد كما ثم أو ذات ذو كان كانت كانوا ليس ليست تقع يقع تم سيتم يوجد توجد بما ومن وفي وعلى وإلى وهو
    وهي شمال جنوب شرق غرب وسط بشمال بجنوب بشرق بغرب أخرى آخر واحد واحدة ثانية ثالثة رابعة خامسة جديد جديدة كبير
    كبيرة صغير صغيرة قديم قديمة آمن آمنة عازلة حر حرة كاملة خاص خاصة عام عامة مجاور مجاورة قريب قريبة محاذية واسعة
    محددة معينة مختلفة محتلة مفتوحة مأهولة ساخنة نائية وعرة تابعة خاضعة متكاملة محررة خطرة مهمة دولي جوي بحري عسكري
    سكني شعبي تجاري محلي جزاء الجزاء اليورو المرمى العمليات الوسط العهد الفقيه الأمر العمل التجارة الحادث الانفجار
    """
) | _words(_HEAD.replace("|", " "))
_NO_SECONDS = _words(
    """
    اليوم الأسبوع الشهر الأشهر العام الليلة البارحة الاثنين الثلاثاء الأربعاء الخميس الجمعة السبت الأحد الماضية
    المقبل المقبلة القادم القادمة الحالية المجاور المجاورة القريبة الواقعة الواقع التابعة التابع الخاضعة الخاضع
    المحاصرة المحررة المحتلة الذين المهندس الأستاذ الدكتور الشيخ العميد العقيد اللواء
    """
)
_SIDE = re.compile("ال(?:شمال|جنوب|شرق|غرب)يه?")

_TRIGGER = pattern(
    rf"(?<!\w)(?P<passed>[وف]?(?:إلى|أي|كل|أحد|إحدى|\d{{1,4}}) )?[وف]?(?:(?P<head>(?:{_HEAD}) )"
    rf"|(?:(?:{_IN}) |ب)(?:(?:{_OF_IT}) ){{0,4}}(?P<its_head>(?:{_HEAD}) )?)[«\"“(]?(?=\w)"
)
_AND = pattern(r"[»\"”)]? ?،? و(?=\w)")
_WORDS = pattern(r"\w+(?: \w+){0,3}")
_ANY_NAME = pattern(rf"(?:(?:{_OPENING}) ){{0,2}}(?P<first>\w+)(?: (?P<second>ال\w+))?")


def _key(name: str) -> str:
    return letters(name, 0, len(name))[0].strip()


_KNOWN = {_key(written): place.split("|")[0] for place in _PLACES for written in place.split("|")}
_KNOWN |= {_key(words): "" for words in _NO_PLACES}


@lru_cache(maxsize=8)
def _index(known: tuple[tuple[str, str], ...]) -> dict[str, str]:
    return _KNOWN | {_key(written): name for written, name in known}


@dataclass(frozen=True, slots=True)
class Place:
    """A place: its span, which begins with a head noun such as مدينة where one stands there, and its name without one.

    `name` is how a known place is usually called, else the words as they stand.
    """

    start: int
    end: int
    text: str
    name: str


def find(text: str, start: int, end: int, known: Mapping[str, str] | None = None) -> list[Place]:
    """The places of `text[start:end]`, in order, without overlap; offsets are code points of `text`.

    `known` adds names of at most four words: as they are written -> the name of the place. They come before those of
    this file.
    """
    plain, offsets = letters(text, start, end)
    names = _index(tuple(known.items())) if known else _KNOWN
    found: list[Place] = []
    for first, begin, last, name in _spans(plain, names):
        written = text[offsets[begin] : offsets[last]]
        if first < begin and plain[begin - 1] in _QUOTES and plain[last : last + 1] == _QUOTES[plain[begin - 1]]:
            last += 1
        surface = text[offsets[first] : offsets[last]]
        if surface.startswith("بلده") or text[offsets[last] - 5 : offsets[last]] == "بابها":  # his country and her door
            continue
        if name == _AMBIGUOUS:
            name = _oman(written, plain[max(0, begin - 12) : begin])
        found.append(Place(offsets[first], offsets[last], surface, name or written))
    return found


def _spans(plain: str, names: Mapping[str, str]) -> Iterator[tuple[int, int, int, str | None]]:
    """Where each place begins, where its name does, where both end, and what a known one is called."""
    done = 0
    for match in _TRIGGER.finditer(plain):
        begin = match.end()
        head = "head" if match["head"] else "its_head" if match["its_head"] else None
        first = match.start(head) if head else begin
        if match["passed"] or first < done:
            continue
        listed = _listed(plain, begin, names)
        if listed and head and _describes(plain[begin : listed[0]]):  # مدينة سورية
            listed = None
        if listed is None and head and (end := _any_name(plain, begin)):
            done = end
            yield first, begin, done, None
        while listed:
            done, name = listed
            yield first, begin, done, name
            another = _AND.match(plain, done)
            first = begin = another.end() if another else done
            listed = _listed(plain, begin, names) if another else None


def _listed(plain: str, begin: int, names: Mapping[str, str]) -> tuple[int, str] | None:
    """The end and the name of the longest known name that begins there."""
    words = _WORDS.match(plain, begin)
    end = words.end() if words else begin
    while end > begin:
        if (name := names.get(plain[begin:end])) is not None:
            return (end, name) if name else None
        end = plain.rfind(" ", begin, end)
    return None


def _any_name(plain: str, begin: int) -> int | None:
    """The end of the word or two there if they can be a name."""
    match = _ANY_NAME.match(plain, begin)
    if match is None:
        return None
    first, second = match["first"], match["second"] or ""
    if not first.isalpha() or len(first) < 2 or first in _NO_NAMES or _describes(first):
        return None
    if first.startswith(("بال", "لل", "وال", "فال", "كال")):
        return None
    if second in _NO_SECONDS or (second.endswith(("ي", "يه")) and not _SIDE.fullmatch(second)):
        return match.end("first")
    return match.end()


def _describes(word: str) -> bool:
    """Whether a word after a head noun is an adjective, as in منطقة سكنية."""
    return word.endswith("يه") and not word.startswith("ال")


def _oman(written: str, before: str) -> str:
    """Oman or Amman, which short vowels or the words before tell apart; else the word as it stands."""
    if _SHADDA in written or before.endswith((" الاردنيه ", " الاردن ")):
        return _AMMAN
    return _OMAN if _DAMMA in written or before.endswith("سلطنه ") else written
