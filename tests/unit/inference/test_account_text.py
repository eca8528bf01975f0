"""An account in a terminal: one script a line, news before the rest, and a count of what is left out."""

import dataclasses
import re

from hypothesis import given
from hypothesis import strategies as st

from khabar.inference import account_text
from khabar.inference.account_text import to_text
from khabar.inference.accounts import Account
from unit.inference.tiny_account import ACCOUNT, EVENTS, STANCES


def changed(**fields):
    return dataclasses.replace(ACCOUNT, **fields)


def test_the_whole_of_a_short_account():
    only = changed(events=(EVENTS[3], EVENTS[5]), stances=(STANCES[2], STANCES[4], STANCES[6]), copy_of="seed-w")
    shown = """\
سلوان تتهم دراوة بقصف وادي الريم وتطالبها بسحب قواتها
─────────────────────────────────────────────────────
صحيفة الضفة
2024-03-16

What happened
  ASSAULT · heavy-weapons · happened · 2024-03-14 0.91
      الفاعل: جيش دراوة | إلى: أربعة قتلى
      المصدر: مصادر طبية ← وكالة نبأ | المكان: بلدة العين
      «وقالت مصادر طبية لوكالة نبأ إن قصفا مدفعيا شنه جيش دراوة …» (الجمل: 1)

Kept apart
  SUPPORT · negated 0.71
      الفاعل: دراوة | «توقع»

Who stands where
  against 0.79
      سعد الهاني ← قواته أطلقت النار
      «ونفى المتحدث باسم جيش دراوة سعد الهاني أن تكون قواته أطلقت …»
  (1 more asked, no stance found)

Where the outlet stands
  against 0.61
      دراوة
      «ومن المقرر أن يزور المبعوث الأممي كريم ناصف سلوان الأحد، …»

Nearly repeats
      seed-w"""
    assert to_text(only, width=60) == shown


def test_no_line_has_two_scripts_and_none_is_long():
    for line in to_text(ACCOUNT, 80).splitlines():
        assert not (re.search("[a-zA-Z]", line) and re.search("[؀-ۿ]", line)), line
        assert len(line) <= 80 + 24


def test_news_comes_first_in_the_order_of_the_text():
    before, after = to_text(ACCOUNT).split("Kept apart")
    assert re.findall(r"^  ([A-Z]+) .*?(\w+)(?: · [\d-]+)? 0", before, re.M) == [
        (event.type, event.status) for event in EVENTS if event.news
    ]
    assert re.findall(r"^  ([A-Z]+) ", after, re.M) == [event.type for event in EVENTS if not event.news]


def test_sentences_are_counted_once():
    twice = dataclasses.replace(EVENTS[0], mentions=(*EVENTS[0].mentions, EVENTS[0].mentions[1]))
    assert "(الجمل: 2)" in to_text(changed(events=(twice,)))


def test_the_less_sure_are_counted():
    for number in range(4):
        sure = dataclasses.replace(EVENTS[0], score=0.9, type="AID")
        many = (dataclasses.replace(EVENTS[0], score=0.1),) * number + (sure,) * account_text.EVENTS
        apart = (dataclasses.replace(EVENTS[5], score=0.5),) * (account_text.APART + number)
        others = (STANCES[0],) * (account_text.STANCES + number)
        own = (STANCES[4],) * (account_text.OWN + number)
        text = to_text(changed(events=many + apart, stances=others + own))
        assert text.count(f"({number} less sure; format=jsonl has them all)") == (4 if number else 0)
        assert text.count("  AID · ") == account_text.EVENTS
        assert "REQUEST" not in text


def test_nothing_found_and_nothing_read():
    text = to_text(Account("a", "عنوان", events=EVENTS[5:6]))
    assert "What happened\n  no event found\n\nKept apart\n  SUPPORT" in text
    assert "stand" not in text
    assert "Who stands where\n  (1 asked, no stance found)" in to_text(changed(stances=STANCES[6:]))
    assert "Who stands" not in to_text(changed(stances=STANCES[4:5]))
    assert to_text(Account("in.jsonl:3", "", error="not JSON")) == "in.jsonl:3: not JSON"


@given(st.text(), st.integers(4, 100))
def test_no_name_breaks_a_line(name, width):
    bad = dataclasses.replace(EVENTS[3].actors[0], name=name)
    event = dataclasses.replace(EVENTS[3], actors=(bad,), sources=(bad,), place=name)
    stance = dataclasses.replace(STANCES[0], holder=name, target=name)
    text = to_text(changed(title=name, source=name, copy_of=name, events=(event,), stances=(stance,)), width)
    assert all(letter.isprintable() or letter in "\n\u200c\u200d" for letter in text)
    assert text.count("What happened\n") == 1
    assert len(text.splitlines()) <= 22
