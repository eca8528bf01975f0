"""What labels are called in Arabic, for readers and annotators, and the number of their colour."""

from khabar.plover import QUADS

OTHER = "other"
COLOURS = {label: number for number, labels in enumerate(QUADS.values(), 1) for label in labels}
COLOURS |= {quad: number for number, quad in enumerate(QUADS, 1)} | {"event_protest": 4, "event_assault": 4}
SIDES = {"favor": "pro", "agree": "pro", "against": "con", "disagree": "con"}  # all else is neither

ARABIC = {
    "verbal cooperation": "تعاون بالقول",
    "material cooperation": "تعاون بالفعل",
    "verbal conflict": "نزاع بالقول",
    "material conflict": "نزاع بالفعل",
    OTHER: "غير ذلك",
    "AGREE": "اتفاق",
    "CONSULT": "تشاور",
    "SUPPORT": "تأييد",
    "CONCEDE": "تنازل",
    "COOPERATE": "تعاون",
    "AID": "مساعدة",
    "RETREAT": "انسحاب",
    "REQUEST": "مطالبة",
    "ACCUSE": "اتهام",
    "REJECT": "رفض",
    "THREATEN": "تهديد",
    "PROTEST": "احتجاج",
    "SANCTION": "عقوبات",
    "MOBILIZE": "حشد",
    "COERCE": "إكراه",
    "ASSAULT": "هجوم",
    "event_protest": "احتجاج",
    "event_assault": "هجوم",
    "favor": "مؤيد",
    "against": "معارض",
    "neutral": "محايد",
    "none": "بلا موقف",
    "agree": "موافق",
    "disagree": "مخالف",
    "discuss": "مناقش",
    "unrelated": "لا صلة",
}
STATUSES = {
    "happened": "وقع",
    "ongoing": "مستمر",
    "planned": "مقرر",
    "background": "خلفية",
    "negated": "منفي",
    "conditional": "مشروط",
    "alleged": "مزعوم",
}
MODES = {
    "visit": "زيارة",
    "third-party": "برعاية طرف ثالث",
    "multilateral": "متعدد الأطراف",
    "phone": "عن بعد",
    "withdraw": "انسحاب",
    "release": "إفراج",
    "disarm": "نزع سلاح",
    "ceasefire": "وقف إطلاق النار",
    "access": "سماح بالدخول",
    "resign": "استقالة",
    "assist": "مساعدة",
    "change": "تغيير",
    "yield": "تنازل",
    "meet": "لقاء",
    "disapprove": "استنكار",
    "investigate": "تحقيق",
    "allege": "ادعاء",
    "restrict": "تقييد",
    "arrest": "اعتقال",
    "relations": "قطع علاقات",
    "expel": "طرد",
    "territory": "ضم أراض",
    "violence": "عنف",
    "demo": "مظاهرة",
    "riot": "شغب",
    "strike": "إضراب",
    "hunger": "إضراب عن الطعام",
    "boycott": "مقاطعة",
    "obstruct": "قطع طريق",
    "vandalize": "تخريب",
    "convict": "إدانة",
    "discontinue": "وقف التعامل",
    "troops": "قوات",
    "weapons": "أسلحة",
    "police": "شرطة",
    "militia": "ميليشيا",
    "seize": "مصادرة",
    "censor": "رقابة",
    "curfew": "حظر تجول",
    "martial-law": "أحكام عرفية",
    "deport": "ترحيل",
    "withhold": "قطع خدمات",
    "misinformation": "تضليل",
    "cyber": "هجوم إلكتروني",
    "abduct": "خطف",
    "beat": "ضرب",
    "torture": "تعذيب",
    "sexual": "عنف جنسي",
    "targeted": "قتل متعمد",
    "destroy": "تدمير",
    "primitive": "سلاح بدائي",
    "firearms": "سلاح ناري",
    "explosives": "متفجرات",
    "suicide-attack": "هجوم انتحاري",
    "aerial": "غارة جوية",
    "drone": "طائرة مسيرة",
    "heavy-weapons": "أسلحة ثقيلة",
    "crowd-control": "تفريق حشود",
    "unconventional": "سلاح غير تقليدي",
}
KINDS = {"actor": "جهة", "event": "حدث", "claim": "قول", "asked": "سؤال"}  # of a stance's target
ARROWS = {  # what relations of an event are called
    "actor": "الفاعل",
    "recipient": "إلى",
    "source": "المصدر",
    "same_event": "الحدث نفسه",
}


def colour(name: str) -> int:
    """The number of a label's colour: its quad class, from 1, or one past the last for all else."""
    return COLOURS.get(name, len(QUADS) + 1)


def sentences(count: int) -> str:
    """`جملة`, `جملتان`, `3 جمل`, `11 جملة`."""
    if count in (1, 2):
        return ("جملة", "جملتان")[count - 1]
    return f"{count} {'جمل' if 3 <= count % 100 <= 10 else 'جملة'}"
