"""A mention of an actor taken apart: its words, what is written onto the first, and a person's name after a title.

The lists of nouns decide; what they do not know stays with the name.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from khabar.inference import words
from khabar.inference.words import Key

Known = Callable[[Key], bool]  # whether bare keys are a name by themselves


def _keys(text: str) -> frozenset[str]:
    return frozenset(words.keys(text))


def _whole(text: str) -> frozenset[str]:
    return frozenset(words.key(word) for word, _ in words.spoken(text))


# before a person's name; their feminine and what is written onto them (زعيمهم) count as well
TITLES = _keys(
    "نائب وزير رئيس ناطق متحدث سيد دكتور مبعوث موفد سفير قنصل أمير ملك شيخ قائد زعيم أمين مدير محافظ عضو مستشار منسق "
    "مندوب ممثل مساعد جنرال لواء عميد عقيد قاضي قاض نقيب حاج مهندس مرشح مرشد إمام مفتي كبير معالي سمو فخامة وكيل "
    "أستاذ قيادي خبير محلل باحث صحافي صحفي مراسل ناشط سياسي نظير بابا بطريرك حاكم مسؤول محامي مفوض ولي"
)
STATES = _keys("دولة جمهورية مملكة إمارة سلطنة")
OUTLETS = _keys("صحيفة جريدة مجلة قناة وكالة موقع إذاعة شبكة ناقلة سفينة")
# a name after one of these and the name alone are one (حركة حماس, حماس)
NAMING = frozenset.union(
    STATES, OUTLETS, _keys("شركة مؤسسة منظمة حزب حركة جماعة كتلة قائمة تنظيم ائتلاف تحالف تيار تجمع جبهة ميليشيا"),
    _keys("مرصد ولاية مدينة بلدة قرية جزر"),
)  # fmt: skip
GOVERNING = _keys("حكومة سلطات")
OFFICIALS = STATES | GOVERNING | _keys("مسؤول مسؤولة مسؤولون إدارة رئاسة خارجية قيادة")  # speak for their state
OFFICES = _keys("وزارة رئاسة")  # so do these with one more word
PARTS = _keys("أحد إحدى بعض كل معظم نصف بقية جميع عدد عشرات مئات آلاف أخرى آخر")  # of what they do not name
BODIES = _keys(
    "هيئة لجنة مجلس برلمان محكمة نقابة اتحاد جمعية رابطة غرفة مكتب جيش شرطة قوات كتائب لواء فرقة وحدات وفد بعثة سفارة "
    "قنصلية بلدية مفوضية نيابة أركان جهاز أجهزة بنك جامعة فريق دائرة شؤون دفاع داخلية مالية عدل حرس جمارك بحرية سلاح "
    "مخابرات أمن إقليم محافظة منطقة ميناء شعب أنصار أعضاء عناصر أهالي سكان أبناء جنود ضباط مقاتلو مسلحو متمردو ثوار "
    "عمال موظفو طلاب تجار أطباء نواب وزراء قادة زعماء رؤساء شيوخ رجال نساء شباب عائلات أسر ضحايا أسرى رهائن حلفاء خصوم "
    "وكلاء"
)
IMPERSONAL = (NAMING | OFFICIALS | OFFICES | BODIES | PARTS) - TITLES
LEXICON = TITLES | IMPERSONAL
NUMBERS = _keys("اثنين ثلاث أربع خمس ست سبع ثماني تسع عشر عشرين ثلاثين أربعين خمسين ستين سبعين ثمانين تسعين مئة")
PREPOSITIONS = _whole("في من إلى عن مع لدى ضد بين بعد قبل خلال منذ حول عبر باسم لشؤون بشأن التي الذي الذين لم")
PLURAL = ("ون", "ين", "ات")
LONGEST = 4  # words of a person's name
_ENCLOSED = _whole("فيه فيها له لها منه منها عنه عنها")
_COMPOUND = _keys("الدين الله الإسلام")  # have the article inside a person's name, as does what follows عبد
_POSSESSIVE = re.compile("(?:ه|ها|هم|هما|هن|نا|كم)$")
_BRACKETS = re.compile(r"[(\[]([^()\[\]]*)[)\]]")
_QUOTED = re.compile(r"[«“„\"]([^«»“”„\"]+)")
_BEFORE_QUOTE = re.compile(r"(?<!\S)[وفبكل]{1,2}\u0640*(?=[«“„\"])")


@dataclass(slots=True, eq=False)
class Mention:
    """A way of mentioning an actor: words as written and as keys, the first without its proclitics."""

    at: int  # its place among the article's ways of mentioning
    times: int
    shown: list[str]
    keys: Key
    commas: frozenset[int]  # words that a comma follows
    others: list[Key]  # bare keys of what stands in its brackets or quotes
    bares: Key = ()  # keys without the article
    articled: tuple[bool, ...] = ()  # which words have it
    person: tuple[int, int] | None = None  # the words of a person's name after a title

    @property
    def core(self) -> Key:
        """The bare keys of a person's name, else of all words."""
        return self.bares[slice(*self.person)] if self.person else self.bares

    @property
    def full(self) -> bool:
        """Whether a person's name of several words follows a title."""
        return self.person is not None and len(self.core) > 1


def read(times: Counter[str], known: Known) -> dict[str, Mention]:
    """The mentions of an article by their text.

    Args:
        times: each mention's text and how often it stands there, in the order of the article.
        known: tells bare keys that are a name by themselves from elsewhere, a watchlist's.
    """
    said = {text: _words(text, at, times[text]) for at, text in enumerate(times)}
    _take_proclitics(list(said.values()), known)
    names = {
        way.bares[-1:]
        for way in said.values()
        if len(way.keys) == 1 or (len(way.keys) == 2 and way.keys[0] in STATES)
    }  # fmt: skip
    for way in said.values():
        way.person = _person(way, lambda name: name in names or known(name))
    return said


def _words(text: str, at: int, times: int) -> Mention:
    outside = _BEFORE_QUOTE.sub("", _BRACKETS.sub(" ", text))
    spoken = words.spoken(outside) or words.spoken(text)
    if not spoken:  # punctuation, like no other
        return Mention(at, times, [text.strip() or text], (f" {text}",), frozenset(), [])
    commas = frozenset(number for number, (_, comma) in enumerate(spoken[:-1]) if comma)
    way = Mention(at, times, [word for word, _ in spoken], tuple(words.key(word) for word, _ in spoken), commas, [])
    found = _BRACKETS.findall(text)
    if words.bare(way.keys[0]) in NAMING:
        found += _QUOTED.findall(text)
    way.others = [other for other in map(words.keys, found) if other]
    return way


def _take_proclitics(ways: Sequence[Mention], known: Known) -> None:
    """Take off what is written onto first words, where what stays is known from elsewhere or has the article."""
    wholes = {way.keys for way in ways}
    firsts = {way.keys[0] for way in ways if len(way.keys) > 1}
    inside = {key for way in ways for key in way.keys[1:]}
    within = inside | {way.keys[0] for way in ways if len(way.keys) == 1}
    left = Counter((key, *way.keys[1:]) for way in ways for key, _, _ in islice(words.unprefixed(way.keys[0]), 1))

    def stands(first: str, rest: Key, written: str) -> bool:
        return (
            (f"ال{first}", *rest) in wholes
            or left[first, *rest] > 1  # after different proclitics
            or first in (firsts if rest else within)
            or words.bare(first) in LEXICON
            or titled(first)
            or (not written.endswith("ة") and any(noun in LEXICON for noun in owned(first)))
            or bool(rest and number(first))
            or known((words.bare(first), *map(words.bare, rest)))
        )

    for way in ways:
        first, rest, written = way.keys[0], way.keys[1:], way.shown[0]
        options = [] if first.startswith("ال") or known(words.bares(way.keys)) else list(words.unprefixed(first))
        whole = [option for option in options if (option[0], *rest) in wholes]
        if words.definite(first):
            options = [option for option in options if words.definite(option[0])]
            options = whole or [option for option in options if stands(option[0], rest, written)] or options
        elif first in LEXICON or (not rest and first in inside):
            options = []
        else:
            options = whole or [option for option in options if stands(option[0], rest, written)]
        if options:
            key, letters, instead = options[0]
            way.keys = (key, *rest)
            way.shown[0] = words.cut(written, letters, instead) or written
        way.bares = words.bares(way.keys)
        way.articled = tuple(map(words.definite, way.keys, way.shown))


@lru_cache(maxsize=1 << 13)
def titled(word: str) -> bool:
    """Whether a key is a title, also with an ending of the feminine or a possessive."""
    noun = words.bare(word)
    held = _POSSESSIVE.sub("", noun)
    return bool({noun, noun.removesuffix("ه"), held, held.removesuffix("ت")} & TITLES)


@lru_cache(maxsize=1 << 13)
def owned(written: str) -> tuple[str, ...]:
    """What a noun written with a possessive may be without it, as keys: نقابتهم is of نقابة."""
    word = words.key(written)
    noun = _POSSESSIVE.sub("", word)
    if noun == word or len(noun) < 3 or written.endswith("ة"):
        return ()
    return (noun, noun[:-1] + "ه") if noun.endswith("ت") else (noun, noun + "ن") if noun.endswith("ي") else (noun,)


def number(word: str) -> str:
    """A number's key, in one gender; empty for other words."""
    return word if word[0].isdigit() else word.removesuffix("ه") if {word, word.removesuffix("ه")} & NUMBERS else ""


@lru_cache(maxsize=1 << 13)
def common(word: str) -> bool:
    """Whether a key is no part of a person's name: a preposition, a number, a noun of the lists, also after و or ل."""
    forms = (word, *(form for form, _, _ in words.unprefixed(word)))
    return word in PREPOSITIONS or bool(number(word)) or any(words.bare(form) in LEXICON for form in forms)


def _person(way: Mention, known: Known) -> tuple[int, int] | None:
    """Where a person's name stands after a title: what follows the last word that must belong to the title.

    What is no title of the list counts as one where all its words have the article (الطبيبة, الضابط المتقاعد).
    """
    start = 0
    for end in (*sorted(at + 1 for at in way.commas), len(way.keys)):
        title = titled(way.keys[0]) or titled(way.keys[start])
        latest = start
        if title:
            latest = end
        elif way.bares[start] not in IMPERSONAL and way.keys[start] not in PREPOSITIONS:
            while latest < end and way.articled[latest]:
                latest += 1
        for at in range(min(latest, end - 1) - 1, -1, -1):
            if _ends_title(way, at, known) and _is_name(way, at, end, known):
                return at + 1, end
        start = end
    return None


def _ends_title(way: Mention, at: int, known: Known) -> bool:
    """Whether a word ends a title with what goes with it: وزير الخارجية, رئيس بلدية أم المرايا, النائب في البرلمان."""
    before = way.keys[at - 1] if at else ""
    annexed = before[:1] in ("ل", "ب") and before[1:] in IMPERSONAL  # لحركة حماس
    if at in way.commas or annexed or way.keys[at] in _ENCLOSED:
        return True
    if way.articled[at]:
        return before in LEXICON or (way.bares[at] not in _COMPOUND and before != "عبد")
    if not at:
        return titled(way.keys[0]) and bool(owned(way.shown[0]))
    if before in PREPOSITIONS:
        return way.bares[at] not in LEXICON
    return at > 1 and before in LEXICON and (way.keys[at - 2] in PREPOSITIONS or known((way.bares[at],)))


def _is_name(way: Mention, at: int, end: int, known: Known) -> bool:
    """Whether the words after one and up to an end may be a person's name."""
    name, title = way.keys[at + 1 : end], titled(way.keys[at])
    if len(name) > LONGEST or (len(name) == 1 and not title and not titled(way.keys[0])):
        return False
    if way.articled[at + 1] and not (title and len(name) == 1 and way.articled[at]):
        return False
    if "على" in way.shown[at + 1 : end]:  # folds to علي, which is a name
        return False
    if any(common(word) and before != "عبد" for before, word in zip(("", *name), name, strict=False)):
        return False
    return name[0][0] != "ل" or known((words.bare(name[-1]),))
