import pytest
from hypothesis import given
from hypothesis import strategies as st

from khabar.text.folding import fold


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("أعلنت", "اعلنت"),
        ("إلى", "الي"),
        ("آخر", "اخر"),
        ("ٱلخبر", "الخبر"),
        ("مدرسة", "مدرسه"),
        ("مَدْرَسَةٌ", "مدرسة"),
        ("خــبر", "خبر"),
        ("مسؤول شيء قائد", "مسوول شي قايد"),
        ("«قال»: نعم!", "قال نعم"),
        ("قال\n\tنعم", "قال نعم "),
        ("عام ٢٠١٥", "عام 2015"),
        ("عام ۲۰۱۵", "عام 2015"),
        ("ﻻ ﷲ", "لا الله"),
        ("UN قال", "un قال"),
        ("كتب\u200fه\u200c", "كتبه"),
        ("کتاب علی", "كتاب علي"),
    ],
)
def test_ways_of_writing_fold_alike(one, other):
    assert fold(one) == fold(other)


@pytest.mark.parametrize(("one", "other"), [("قال 7", "قال 8"), ("نعم", "لا"), ("!", "؟"), ("كتب", "كاتب")])
def test_other_texts_do_not(one, other):
    assert fold(one) != fold(other)


@given(st.text())
def test_folding_twice_is_folding_once(text):
    once = fold(text)
    assert bool(once) == bool(text.strip())
    assert fold(f" {text}\n") == once
