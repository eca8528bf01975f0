"""Keys of words: what is written alike, what the article and proclitics are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khabar.inference import words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("أمريكية", "امريكيه"),
        ("عُمان", "عمان"),
        ("الحوثيون", "الحوثيين"),
        ("البلدان", "البلدين"),
        ("مفتشو", "مفتشي"),
        ("نزيلاً", "نزيل"),
        ("لواءً", "لواء"),
        ("«حماس»", "حماس"),
    ],
)
def test_words_of_one_key(one, other):
    assert words.key(one) == words.key(other)


@pytest.mark.parametrize(("one", "other"), [("الحكومة", "حكومة"), ("وإيران", "إيران"), ("إيران", "إيراني")])
def test_words_of_two_keys(one, other):
    assert words.key(one) != words.key(other)


@pytest.mark.parametrize(
    ("word", "bare"),
    [
        ("الهيئة", "هيئة"),
        ("والهيئة", "هيئة"),
        ("بالهيئة", "هيئة"),
        ("للهيئة", "هيئة"),
        ("وللهيئة", "هيئة"),
        ("هيئة", "هيئة"),
        ("والدة", "والدة"),
        ("وكالات", "وكالات"),
        ("بالي", "بالي"),
        ("الي", "الي"),
    ],
)
def test_the_article_goes_with_the_proclitic_before_it(word, bare):
    assert words.bare(words.key(word)) == words.key(bare)


def test_a_hamza_is_no_article():
    assert words.definite(words.key("الحكومة"), "الحكومة")
    assert not words.definite(words.key("ألمانيا"), "ألمانيا")
    assert not words.definite(words.key("حكومة"))


@pytest.mark.parametrize(
    ("word", "options"),
    [
        ("وايران", ["ايران"]),
        ("وبايران", ["بايران", "ايران"]),
        ("للجنه", ["الجنه", "اللجنه", "لجنه"]),
        ("وللامم", ["للامم", "الامم", "اللامم", "لامم"]),
        ("ايران", []),
        ("ولد", []),
    ],
)
def test_what_a_word_may_be_without_proclitics(word, options):
    assert [option for option, _, _ in words.unprefixed(word)] == options


@pytest.mark.parametrize(
    ("word", "letters", "instead", "cut"),
    [("وَإيران", 1, "", "إيران"), ("للولايات", 2, "ال", "الولايات"), ("وبِعُمان", 2, "", "عُمان")],
)
def test_letters_are_cut_with_their_vowel_signs(word, letters, instead, cut):
    assert words.cut(word, letters, instead) == cut


@pytest.mark.parametrize(
    ("name", "nisba"),
    [
        ("إيران", "إيراني"),
        ("إيران", "الإيرانيين"),
        ("سوريا", "السورية"),
        ("فرنسا", "فرنسيون"),
        ("العراق", "العراقيات"),
        ("فلسطين", "فلسطينيين"),
    ],
)
def test_a_nisba_and_its_name_share_a_root(name, nisba):
    assert words.stem(words.key(nisba)) == words.root(words.key(name))


def test_words_without_punctuation_and_the_commas_after_them():
    assert words.spoken("رئيس النقابة، «بدري» – (؟)") == [("رئيس", False), ("النقابة", True), ("بدري", False)]
    assert words.spoken("… ،") == []
    assert words.keys("للولايات المتحدة") == words.keys("الولايات المتحدة")


@given(st.text(alphabet="ابتدرسكلمنويةىأإءًُ ـ،.«»x1", max_size=30))
def test_any_text_has_keys(text):
    for word, _ in words.spoken(text):
        key = words.key(word)
        assert key and words.bare(key)
        for option, letters, instead in words.unprefixed(key):
            assert len(option) > 2
            assert words.cut(word, letters, instead).startswith(instead)
