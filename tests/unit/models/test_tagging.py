import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from khabar.models import tagging

LAYERS = ("actor", "event", "claim")
TEXT = "قالت الوزيرة سلوى النجار إن «الهدنة قائمة»، ورفضت الشائعات."


def place(phrase, text=TEXT):
    at = text.index(phrase)
    return at, at + len(phrase)


def test_words_are_runs_of_letters_digits_and_marks_without_punctuation():
    text = "وقّعَت الدول الـ7 «اتفاقًا»؛"
    assert [text[start:end] for start, end in tagging.words(text, 0, len(text))] == ["وقّعَت", "الدول", "الـ7", "اتفاقًا"]


def test_spans_that_nest_in_other_layers_come_back_from_their_tags():
    places = tagging.words(TEXT, 0, len(TEXT))
    spans = [
        ("actor", *place("الوزيرة سلوى النجار")), ("event", *place("ورفضت")), ("claim", *place("الهدنة قائمة")),
    ]  # fmt: skip
    tags = tagging.tags(places, spans, LAYERS)
    found = tagging.decode(places, tags.astype(float), (0.5, 0.5, 0.5), LAYERS)
    assert [(one.layer, one.start, one.end) for one in found] == sorted(spans, key=lambda span: span[1])
    assert all(one.score == 1.0 for one in found)


def test_neighbours_of_one_layer_stay_two_spans():
    places = tagging.words("مصر السودان", 0, 11)
    tags = tagging.tags(places, [("actor", 0, 3), ("actor", 4, 11)], ("actor",))
    assert [found[1:3] for found in tagging.decode(places, tags.astype(float), (0.5,), ("actor",))] == [(0, 3), (4, 11)]


@given(st.lists(st.tuples(*[st.floats(0, 1)] * 2), max_size=12), st.floats(0.05, 0.95))
def test_spans_of_a_layer_never_overlap_and_lie_on_words(prob, cut):
    text = " ".join(["كلمة"] * len(prob))
    places = tagging.words(text, 0, len(text))
    found = tagging.decode(places, np.array(prob).reshape(-1, 2), (cut,), ("claim",))
    ends = [(0, 0), *((one.start, one.end) for one in found)]
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(ends))
    assert all({one.start} <= set(places[:, 0]) and {one.end} <= set(places[:, 1]) for one in found)


@pytest.mark.parametrize(("patient", "expected"), [(False, 0.5), (True, 0.25)])
def test_a_patient_layer_takes_a_lower_threshold_for_recall(patient, expected):
    # two of three spans stand over 0.5; the third is found only together with a false one
    places = np.array([[0, 1], [2, 3], [4, 5], [6, 7], [8, 9], [10, 11]])
    prob = np.array([[0.9, 0], [0.6, 0], [0.3, 0], [0.3, 0], [0.3, 0], [0.0, 0]])
    gold = [("actor", 0, 1), ("actor", 2, 3), ("actor", 4, 5)]
    (cut,) = tagging.fit_thresholds([(places, prob, gold)], ("actor",), [patient])
    assert (cut > 0.3) == (expected == 0.5)


def test_pieces_of_one_span_are_no_hits_of_their_own():
    places = np.array([[2 * i, 2 * i + 1] for i in range(6)])
    # one claim of six words: over 0.6 three words begin it anew, over 0.2 it is one span
    prob = np.array([[0.9, 0.1], [0.1, 0.3], [0.7, 0.1], [0.1, 0.3], [0.7, 0.1], [0.1, 0.3]])
    prob[[2, 4], 1] = 0.75
    (cut,) = tagging.fit_thresholds([(places, prob, [("claim", 0, 11)])], ("claim",), [False])
    found = tagging.decode(places, prob, (cut,), ("claim",))
    assert len(found) == 1
