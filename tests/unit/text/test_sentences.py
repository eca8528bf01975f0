import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.text.growth import linear

from khabar.text.sentences import split


def sentences(text):
    return [text[start:end] for start, end in split(text)]


@pytest.mark.parametrize(
    "parts",
    [
        ["انتهى الاجتماع."],
        ["انتهى الاجتماع.", "وغادر الوفد المدينة."],
        ["هل انتهى الاجتماع؟", "نعم!", "انتهى…", "ثم غادروا"],
        ["ارتفع السعر إلى 3.5 ريال.", "وانخفض بعدها."],
        ["قال د. سامي إن الخطة جاهزة.", "ثم جلس."],
        ["حضر أ.د. ليلى وم. كمال ود. هند الحفل.", "ثم غادروا."],
        ["حضر (د. ليلى) الحفل.", "ثم غادر."],
        ["كتب J. Doe إلى Mr. Roe.", "ولم يجب."],
        ["صندوق ص.ب. 12 مغلق.", "انتهى."],
        ["افتتح عام 2015 م.", "وأغلق بعد سنة."],
        ["افتتح عام 1436هـ.", "وأغلق بعد سنة."],
        ["وقع في 12.5.2015 أو 12. 5. 2015 حادث.", "لم يصب أحد."],
        ["1. المادة الأولى ملغاة.", "2. المادة الثانية سارية."],
        ["-3. المادة الثالثة ملغاة.", "انتهى."],
        ["بلغ العدد 15.", "وقال إنه سيزيد."],
        ["راجع https://example.org/a?b=1.html الآن.", "ثم عد."],
        ["راجع ناشر@example.org أو www.example.org.", "ثم عد."],
        ["قال: «انتهى الأمر.»", "وخرج."],
        ['قال: "هل انتهى؟"', '"نعم."', "وخرج."],
        ["«هل انتهى؟»، سأل المدير.", "ولم يجب أحد."],
        ["أمر غريب (!) حدث هنا.", "قال «نعم [...] سنفعل».", "ثم سكت."],
        ["انتظر.....", "ثم مضى؟!", "لا أحد يدري."],
        ["انتهى الاجتماع .", "وغادر الوفد ."],
        ["لم نعرف ! ! !", "ثم عرفنا."],
        ["انتهى.وقال شيئا."],
    ],
)
def test_one_line(parts):
    assert sentences(" ".join(parts)) == parts


def test_a_line_end_ends_a_sentence():
    assert sentences("عنوان الخبر\n\n  مقدمة قصيرة \r\nنص د.\nآخر") == ["عنوان الخبر", "مقدمة قصيرة", "نص د.", "آخر"]


def test_spans_point_into_the_raw_text():
    text = "\n  وَقَعَ الحادث.  ثم انتهى. "
    assert split(text) == [(3, 17), (19, 28)]
    assert [text[start:end] for start, end in split(text)] == ["وَقَعَ الحادث.", "ثم انتهى."]


@pytest.mark.parametrize("text", ["", " \n ", "***", "...\n—", "😀"])
def test_no_word_no_sentence(text):
    assert split(text) == []


def test_a_long_sentence_is_cut_at_a_semicolon_before_a_comma():
    clause = "كلمة " * 39 + "كلمة"
    assert len(split(f"{clause}، {clause}، {clause}.")) == 1
    long = f"{clause}، {clause}؛ {clause}، {clause}، {clause}."
    assert sentences(long) == [f"{clause}، {clause}؛", f"{clause}، {clause}، {clause}."]
    assert sentences(long.replace("؛", "،")) == [f"{clause}، {clause}، {clause}،", f"{clause}، {clause}."]
    assert len(split("كلمة " * 400)) == 1
    assert len(split("قال، " + "كلمة " * 400 + "ثم، مضى")) == 1


WORDS = ("خبر", "د", "م", "وم", "12", "3.5", "ُ", "😀")
PIECES = st.sampled_from([*WORDS, ".", "..", *'…؟!»«"()،؛', " ", "  ", "\u00a0", "\n"])
TEXTS = st.one_of(st.lists(PIECES, max_size=60).map("".join), st.text(max_size=80))


@given(TEXTS)
@settings(max_examples=500, deadline=None)
def test_spans_are_trimmed_ordered_and_hold_every_word(text):
    covered, last = set(), 0
    for start, end in split(text):
        assert last <= start < end <= len(text)
        assert text[start:end] == text[start:end].strip()
        assert "\n" not in text[start:end]
        assert any(map(str.isalnum, text[start:end]))
        covered.update(range(start, end))
        last = end
    assert all(not char.isalnum() or index in covered for index, char in enumerate(text))


@given(st.lists(PIECES, max_size=60).map("".join))
@settings(max_examples=300, deadline=None)
def test_lines_are_split_one_by_one(text):
    assert sentences(text) == [sentence for line in text.split("\n") for sentence in sentences(line)]


@pytest.mark.parametrize("unit", [".", ". ", "خ. ", "د. ", "! ", '."', "ا", "ا ", "ا، ", "ا؛ ", "\n", "("])
def test_time_grows_with_the_text_and_no_faster(unit):
    linear(split, unit)
