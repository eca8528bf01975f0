import pytest
from hypothesis import given
from hypothesis import strategies as st

from khabar.text.folding import fold
from khabar.text.letters import letters, pattern


@pytest.mark.parametrize(
    ("text", "folded", "offsets"),
    [
        ("", "", (0,)),
        ("أمس،  غدًا", "امس، غدا", (0, 1, 2, 3, 4, 6, 7, 9, 10)),
        ("مــساء ", "مسا ", (0, 3, 4, 6, 7)),
        ("ﻻ 😀٧", "لا 😀7", (0, 0, 1, 2, 3, 4)),
    ],
)
def test_letters_and_where_they_come_from(text, folded, offsets):
    assert letters(text, 0, len(text)) == (folded, offsets)


def test_only_the_span_is_read():
    assert letters("يوم الجمعة", 4, 8) == ("الجم", (4, 5, 6, 7, 8))


@given(st.text())
def test_letters_are_those_of_fold(text):
    plain, offsets = letters(text, 0, len(text))
    assert len(offsets) == len(plain) + 1
    assert list(offsets) == sorted(offsets)
    assert fold(f"0{plain}") == fold(f"0{text}")


def test_a_pattern_is_written_as_usual():
    plain, _ = letters("مَساءَ الأربعاء", 0, 15)
    assert pattern(r"مساء (?P<day>ال(?:أربعاء|خميس))\Z").fullmatch(plain)["day"] == "الاربعا"
