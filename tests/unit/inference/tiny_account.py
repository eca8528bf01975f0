"""An invented article and its account, built by hand: all statuses, a chain of sources, nested and shared mentions."""

from khabar.inference.accounts import Account, Event, Evidence, Mention, Participant, Stance
from khabar.schema import OUTLET, UNNAMED
from khabar.text import sentences

TEXT = """\
سلوان تتهم دراوة بقصف وادي الريم وتطالبها بسحب قواتها

طالبت وزيرة خارجية سلوان ليلى القاضي، الجمعة، دراوة بسحب قواتها من وادي الريم، متهمة إياها بقصف القرى الحدودية.
وقالت مصادر طبية لوكالة نبأ إن قصفا مدفعيا شنه جيش دراوة الخميس على بلدة العين أوقع أربعة قتلى، وسط انتقادات واسعة.
ونفى المتحدث باسم جيش دراوة سعد الهاني أن تكون قواته أطلقت النار، وقال إن لواءين نُشرا على الحدود لحماية السكان.
ولم توقع دراوة على الهدنة التي رعتها الأمم المتحدة العام الماضي، وهددت سلوان بإغلاق المعبر ما لم تنسحب القوات.
ومن المقرر أن يزور المبعوث الأممي كريم ناصف سلوان الأحد، في خطوة متأخرة لا تعفي دراوة من مسؤوليتها عن القصف.
"""
SENTENCES = sentences.split(TEXT)
QADI, DARAWA, SALWAN, ARMY = "ليلى القاضي", "دراوة", "سلوان", "جيش دراوة"
HANI, NASIF, UN = "سعد الهاني", "كريم ناصف", "الأمم المتحدة"
WIKIDATA = {UN: "Q1065"}


def span(words: str, sentence: int) -> tuple[int, int]:
    """Where words stand in a sentence, counted from 0: the headline."""
    start = TEXT.index(words, *SENTENCES[sentence])
    return start, start + len(words)


def who(words: str, sentence: int, name: str | None = None, score: float = 0.9) -> Participant:
    name = name or words
    return Participant(name, words, *span(words, sentence), score, WIKIDATA.get(name))


def told(words: str, sentence: int, score: float = 0.8) -> Mention:
    start, end = SENTENCES[sentence]
    return Mention(words, *span(words, sentence), TEXT[start:end], start, end, score)


def shows(sentence: int, score: float, target: str | None = None) -> Evidence:
    start, end = SENTENCES[sentence]
    where = span(target, sentence) if target else (None, None)
    return Evidence(TEXT[start:end], start, end, score, *where)


def sided(holder: str, label: str, target: str, kind: str, score: float, *evidence: Evidence) -> Stance:
    rest = [other for other in ("favor", "against", "neutral", "none") if other != label]
    return Stance(holder, target, kind, label, score, {label: score} | dict.fromkeys(rest, (1 - score) / 3), evidence)


MINISTER = "وزيرة خارجية سلوان ليلى القاضي"
SPOKESMAN = "المتحدث باسم جيش دراوة سعد الهاني"
EVENTS = (
    Event(
        "REQUEST", "yield", "happened", (who(MINISTER, 1, QADI),), (who("دراوة", 1, DARAWA),), (),
        (told("وتطالبها", 0, 0.74), told("طالبت", 1, 0.93)), 0.81, date="2024-03-15", date_text="الجمعة",
    ),
    Event(
        "ACCUSE", "allege", "happened", (who("سلوان", 0, SALWAN), who(MINISTER, 1, QADI)), (who("دراوة", 0, DARAWA),),
        (), (told("تتهم", 0), told("متهمة", 1)), 0.88, date="2024-03-15", date_text="الجمعة",
    ),
    Event(
        "ASSAULT", None, "alleged", (who("دراوة", 1, DARAWA),), (who("القرى الحدودية", 1),),
        (who(MINISTER, 1, QADI),), (told("بقصف", 0, 0.55), told("بقصف", 1, 0.62)), 0.57, place="وادي الريم",
    ),
    Event(
        "ASSAULT", "heavy-weapons", "happened", (who(ARMY, 2),), (who("أربعة قتلى", 2),),
        (who("مصادر طبية", 2), who("لوكالة نبأ", 2, "وكالة نبأ")), (told("قصفا", 2),), 0.91, place="بلدة العين",
        date="2024-03-14", date_text="الخميس",
    ),
    Event(
        "MOBILIZE", "troops", "happened", (who(ARMY, 3),), (), (who(SPOKESMAN, 3, HANI),), (told("نُشرا", 3),), 0.66,
        place="الحدود",
    ),
    Event(
        "SUPPORT", None, "negated", (who("دراوة", 4, DARAWA),), (), (), (told("توقع", 4),), 0.71,
    ),
    Event(
        "CONSULT", "third-party", "background", (who(UN, 4),), (), (), (told("رعتها", 4),), 0.5, date="2023",
        date_text="العام الماضي",
    ),
    Event(
        "THREATEN", "restrict", "ongoing", (who("سلوان", 4, SALWAN),), (who("دراوة", 4, DARAWA),), (),
        (told("وهددت", 4),), 0.83,
    ),
    Event("RETREAT", "withdraw", "conditional", (who("القوات", 4, ARMY),), (), (), (told("تنسحب", 4),), 0.64),
    Event(
        "AGREE", None, "planned", (who("المبعوث الأممي كريم ناصف", 5, NASIF),), (who("سلوان", 5, SALWAN),), (),
        (told("يزور", 5),), 0.77, date="2024-03-17", date_text="الأحد",
    ),
)  # fmt: skip
STANCES = (
    sided(QADI, "against", DARAWA, "actor", 0.86, shows(1, 0.9, "دراوة"), shows(0, 0.7, "دراوة")),
    sided(QADI, "favor", "سحب قواتها من وادي الريم", "claim", 0.92, shows(1, 0.92, "بسحب قواتها من وادي الريم")),
    sided(HANI, "against", "قواته أطلقت النار", "claim", 0.79, shows(3, 0.79, "قواته أطلقت النار")),
    sided(UNNAMED, "against", "قصف بلدة العين", "event", 0.48, shows(2, 0.48, "قصفا")),
    sided(OUTLET, "against", DARAWA, "actor", 0.61, shows(5, 0.61, "دراوة")),
    sided(SALWAN, "favor", "وقف إطلاق النار", "asked", 0.44, shows(4, 0.44)),
    sided(UN, "none", "وقف إطلاق النار", "asked", 0.9),
)
ARTICLE = {"id": "seed-x", "text": TEXT, "date": "2024-03-16", "source": "صحيفة الضفة", "url": "https://example.com/1"}
ACCOUNT = Account(
    "seed-x", TEXT.partition("\n")[0], "2024-03-16", "صحيفة الضفة", EVENTS, STANCES,
    model={"uri": "models:/reader", "version": "3", "fingerprint": "0123456789"},
)  # fmt: skip
