import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khabar.text.places import find


def places(text, known=None):
    return [(found.text, found.name) for found in find(text, 0, len(text), known)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("وقع انفجار في بغداد.", [("بغداد", "بغداد")]),
        ("وقع انفجار ببغداد.", [("بغداد", "بغداد")]),
        ("وقع انفجار وببغداد.", [("بغداد", "بغداد")]),
        ("تظاهر الآلاف بالقاهرة أمس.", [("القاهرة", "القاهرة")]),
        ("اشتباكات داخل سورية", [("سورية", "سوريا")]),
        ("في امريكا", [("امريكا", "الولايات المتحدة")]),
        ("في الولايات المتحدة", [("الولايات المتحدة", "الولايات المتحدة")]),
        ("غارة شمال صنعاء", [("صنعاء", "صنعاء")]),
        ("غارة شمال غربي صنعاء", [("صنعاء", "صنعاء")]),
        ("حادث قرب عدن", [("عدن", "عدن")]),
        ("حادث بالقرب من «عدن»", [("عدن", "عدن")]),
        ("في العاصمة اليمنية صنعاء", [("صنعاء", "صنعاء")]),
        ("في مختلف أنحاء العراق", [("العراق", "العراق")]),
        ("في كل من سوريا والعراق ولبنان.", [("سوريا", "سوريا"), ("العراق", "العراق"), ("لبنان", "لبنان")]),
        ("في مدينتي حلب وحمص", [("حلب", "حلب"), ("حمص", "حمص")]),
        ("في جنوب السودان", [("جنوب السودان", "جنوب السودان")]),
        ("في ريف دمشق", [("ريف دمشق", "ريف دمشق")]),
        ("في ريف حلب", [("حلب", "حلب")]),
        ("في دَيْرِ الزُّور", [("دَيْرِ الزُّور", "دير الزور")]),
        ("قصف مدينة حلب السورية", [("مدينة حلب", "حلب")]),
        ("بمدينة «حلب»", [("مدينة «حلب»", "حلب")]),
        ("في ولاية تكساس الأمريكية", [("ولاية تكساس", "تكساس")]),
        ("داخل مخيم جنين", [("مخيم جنين", "جنين")]),
    ],
)
def test_known_places(text, found):
    assert places(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("قصف بلدة سراقب.", [("بلدة سراقب", "سراقب")]),
        ("قصف بلدة سراقب السورية", [("بلدة سراقب", "سراقب")]),
        ("قصف بلدة سراقب الجمعة", [("بلدة سراقب", "سراقب")]),
        ("في مخيم نهر البارد", [("مخيم نهر البارد", "نهر البارد")]),
        ("في ضاحية دار سعد", [("ضاحية دار سعد", "دار سعد")]),
        ("في حي الشيخ مقصود وسط المدينة", [("حي الشيخ مقصود", "الشيخ مقصود")]),
        ("قرية السموع، جنوب الخليل", [("قرية السموع", "السموع"), ("الخليل", "الخليل")]),
        ("في منطقة الحدود الشمالية", [("منطقة الحدود الشمالية", "الحدود الشمالية")]),
        ("في مدينة نيون السويسرية", [("مدينة نيون", "نيون")]),
        ("في بلدة “سيفار” أمس", [("بلدة “سيفار”", "سيفار")]),
    ],
)
def test_a_head_noun_takes_any_name(text, found):
    assert places(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "قالت بغداد إنها سترد.",
        "وصل الوفد إلى بغداد",
        "وصل الوفد إلى مدينة حلب",
        "وصل الوفد إلى شمال سوريا",
        "فازت جنوب السودان",
        "في مدينة كبيرة",
        "في منطقة سكنية",
        "في كل مدينة سورية",
        "في 14 منطقة مختلفة",
        "في مدينة من المدن",
        "داخل منطقة الجزاء",
        "أصيب بقطع في الرباط الصليبي",
        "تنظيم الدولة الإسلامية في العراق والشام",
        "يعيش في بلده الأصلي",
        "دخلت من بابها العريض",
        "باريس",
        "ب",
        "في",
        "مدينة",
    ],
)
def test_no_place_of_an_event(text):
    assert places(text) == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("في سلطنة عمان", "سلطنة عمان"),
        ("في عُمان", "سلطنة عمان"),
        ("في عَمّان", "عمّان"),
        ("في العاصمة الأردنية عمان", "عمّان"),
        ("في عمان", "عمان"),
    ],
)
def test_oman_and_amman(text, name):
    assert [found for _, found in places(text)] == [name]


def test_known_adds_names_and_comes_first():
    known = {"رَأس الرّمال": "رأس الرمال", "جدة": "محافظة جدة"}
    text = "وقع حادث في رأس الرمال وجدة وبغداد."
    assert places(text, known) == [("رأس الرمال", "رأس الرمال"), ("جدة", "محافظة جدة"), ("بغداد", "بغداد")]
    assert places(text) == []
    assert places("في جدة") == [("جدة", "جدة")]


def test_offsets_are_of_the_whole_text_and_only_the_sentence_is_read():
    text = "انتهى في حلب. 😀 وَقَعَ في مَدينة حِمْص، ثم في بغداد."
    start, end = text.index("😀"), text.index(" ثم")
    (found,) = find(text, start, end)
    assert (text[found.start : found.end], found.text, found.name) == ("مَدينة حِمْص", "مَدينة حِمْص", "حمص")


WORDS = [
    "في",
    "ب",
    "إلى",
    "داخل",
    "شمال",
    "غربي",
    "مدينة",
    "بلدة",
    "حي",
    "العاصمة",
    "اليمنية",
    "كل",
    "من",
    "حلب",
    "بحلب",
]
WORDS += ["وحمص", "دير", "الزور", "عمان", "سراقب", "«", "»", "،", "ـ", "ُ", "ء", "😀", "7", " ", "\n"]
TEXTS = st.one_of(st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join), st.text(max_size=60))


@given(TEXTS)
@settings(max_examples=500, deadline=None)
def test_spans_are_trimmed_ordered_and_named(text):
    last = 0
    for found in find(text, 0, len(text)):
        assert last <= found.start < found.end <= len(text)
        assert found.text == text[found.start : found.end] == found.text.strip()
        assert found.name
        last = found.end


@pytest.mark.parametrize(
    "unit", ["في ", "ب", "شمال ", "في حلب وحمص ", "مدينة ", "وحلب ", "في العاصمة ال", "ا", "ُ", " "]
)
def test_time_grows_with_the_text_and_no_faster(unit):
    def seconds(length):
        text = (unit * (length // len(unit) + 1))[:length]
        times = []
        for _ in range(2):
            start = time.process_time()
            find(text, 0, len(text))
            times.append(time.process_time() - start)
        return min(times)

    small, large = seconds(4_000), seconds(32_000)
    assert large < 24 * max(small, 0.002), f"8 times the text took {large / small:.0f} times the time"
