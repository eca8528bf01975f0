"""An account on the page: the text to the letter however marks lie; rows and marks link to each other; no markup."""

import dataclasses
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khabar.data import glosses
from khabar.inference import account_html, readings
from khabar.inference.accounts import Account, Event, Evidence, Mention, Participant, Stance
from khabar.inference.html import Page
from khabar.inference.readings import Reading
from khabar.plover import MODES, QUAD_CODE
from khabar.schema import OUTLET, UNNAMED
from unit.inference.test_html import HOSTILE, Shown, whole
from unit.inference.tiny_account import ACCOUNT, ARTICLE, EVENTS, STANCES, TEXT

LABELS = ("favor", "against", "neutral", "none")
PAGE = Page({}, {}, accounts=True)
NONE = Reading("seed-x", ACCOUNT.title)
LETTERS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)


@st.composite
def articles(draw):
    """A text and an account of it whose mentions overlap, nest and repeat as they like."""
    text = draw(st.one_of(LETTERS, st.sampled_from(HOSTILE), st.text("اب \n\r<&", max_size=60)))
    if not text:
        return text, Account("a", "")
    spans = st.integers(0, len(text) - 1).flatmap(
        lambda start: st.integers(start + 1, len(text)).map(lambda end: (start, end))
    )

    def participants():
        found = draw(st.lists(st.tuples(st.sampled_from("سدن"), spans), max_size=3))
        return tuple(Participant(name, text[slice(*span)], *span, 0.5) for name, span in found)

    def mention(span):
        return Mention(text[slice(*span)], *span, text, 0, len(text), 0.5)

    def evidence(span, target):
        return Evidence(text[slice(*span)], *span, draw(st.floats(0, 1)), *(target or (None, None)))

    events = tuple(
        Event(
            draw(st.sampled_from(sorted(QUAD_CODE))),
            None,
            draw(st.sampled_from(sorted(glosses.STATUSES))),
            participants(),
            participants(),
            participants(),
            tuple(map(mention, draw(st.lists(spans, min_size=1, max_size=3)))),
            0.5,
        )
        for _ in range(draw(st.integers(0, 5)))
    )
    stances = tuple(
        Stance(
            draw(st.sampled_from(("س", OUTLET, UNNAMED))), "د", "claim", draw(st.sampled_from(LABELS)), 0.5, {},
            tuple(
                evidence(span, target)
                for span, target in draw(st.lists(st.tuples(spans, st.none() | spans), max_size=3))
            ),
        )
        for _ in range(draw(st.integers(0, 5)))
    )  # fmt: skip
    return text, Account("a", "", events=events, stances=stances)


def page_of(account=ACCOUNT, text=TEXT, reading=NONE, **fields):
    return whole(text, reading, account, **(fields or {"source": ARTICLE["source"]}))


def links(page):
    """The anchors of a page and what links to them, in order."""
    found = Shown(page)
    assert found.stack == []
    anchors = [value for name, value in found.attributes if name == "id"]
    aims = [value[1:] for name, value in found.attributes if name == "href" and value.startswith("#")]
    assert len(anchors) == len(set(anchors))
    return anchors, aims


def part(page, of):
    """A row of the page."""
    return re.search(rf'<tr id="a1-{of}">.*?</tr>', page, re.S)[0]


@settings(deadline=None)
@given(articles())
def test_the_text_is_there_to_the_letter_however_marks_lie(made):
    text, account = made
    spans = [(mention.start, mention.end) for event in account.events for mention in event.mentions]
    wash = tuple(readings.Event("event_type", "AID", 0.5, *span, text[slice(*span)]) for span in spans[:2])
    for reading in (NONE, Reading("a", "", events=wash)):
        page = PAGE.article(1, {"text": text}, reading, account)
        assert Shown(page).text == text
        anchors, aims = links(page)
        assert set(aims) <= set(anchors)  # no link leads nowhere
    marks = account_html.tables(account).marks
    assert {f"a1-{mark.anchor}" for mark in marks} <= set(anchors)
    for event in account.events:
        for one in (*event.mentions, *event.actors, *event.recipients, *event.sources):
            assert any((mark.start, mark.end) == (one.start, one.end) for mark in marks)


def test_rows_and_marks_link_to_each_other():
    page = page_of()
    anchors, aims = links(page)
    assert [anchor for anchor in anchors if re.match(r"a1-[vh]\d", anchor)] == [
        *(f"a1-v{number}" for number in range(1, len(EVENTS) + 1)),
        *(f"a1-h{number}" for number in (1, 2, 3, 4, 5, 7, 6)),  # those without a side before the outlet's
    ]
    text = page[page.index('<div class="text">') :]
    for kind in "tpoq":  # each mark is reached from a row
        marks = [anchor for anchor in anchors if re.match(rf"a1-{kind}\d+-", anchor)]
        assert marks
        assert set(marks) <= set(aims)
    for row in (*(f"v{number}" for number in range(1, 11) if number != 7), "h1", "h2", "h3", "h4", "h5", "h6"):
        assert f'href="#a1-{row}"' in text or f'href="#a1-{row}"' in page[page.index("<h2") : page.index("</h2>")]
    start, end = EVENTS[3].mentions[0].start, EVENTS[3].mentions[0].end
    assert f'<a id="a1-t{start}-{end}" href="#a1-v3" title="هجوم، أسلحة ثقيلة، وقع (3)">قصفا</a>' in text
    assert f'<a href="#a1-t{start}-{end}"><bdi>قصفا</bdi></a>' in part(page, "v3")


def test_what_a_row_says():
    row = part(page_of(), "v3")
    assert '<bdi class="chip c4" dir="ltr" lang="en">ASSAULT <b>91</b></bdi> <span>هجوم</span>' in row
    assert 'أسلحة ثقيلة <bdi class="code" dir="ltr" lang="en">heavy-weapons</bdi>' in row
    assert re.sub(r"<[^>]+>|\s+", " ", row).split() == [
        "3", "ASSAULT", "91", "هجوم", "أسلحة", "ثقيلة", "heavy-weapons", "،", "وقع", "جيش", "دراوة", "أربعة", "قتلى",
        "مصادر", "طبية", "←", "وكالة", "نبأ", "بلدة", "العين", "،", "2024-03-14", "قصفا", "جملة",
    ]  # fmt: skip
    assert 'title="الخميس">2024-03-14<' in row
    assert '<span class="count">جملتان</span>' in part(page_of(), "v1")


def test_news_comes_first_and_the_rest_is_folded():
    page = page_of()
    folded = page[page.index("ما ليس خبرا، من خلفية ونفي وشرط وزعم: 4") : page.index("من يقف وأين")]
    assert re.findall(r'<tr id="a1-(v\d+)">', folded) == ["v7", "v8", "v9", "v10"]
    assert re.findall(r'class="status \w*" title="(\w+)"', page) == [
        "happened", "happened", "happened", "happened", "ongoing", "planned", "alleged", "negated", "background",
        "conditional",
    ]  # fmt: skip
    assert 'class="trigger c4 apart"' in page


def test_stances_by_holder_and_the_outlets_apart():
    page = page_of()
    between, own = page.split("أين يقف الناشر")
    headings = re.findall(r'<th scope="rowgroup"[^>]*><bdi>(.*?)</bdi>', between)
    assert headings == ["ليلى القاضي", "سعد الهاني", UNNAMED, "سلوان"]
    assert re.findall(r'<tr id="a1-(h\d)">', own) == ["h6"]
    assert OUTLET not in headings
    row = part(page, "h2")
    assert '<bdi class="chip side con" dir="ltr" lang="en">against <b>86</b></bdi>' in row
    for found in STANCES[0].evidence:
        assert f'<a href="#a1-q{found.start}-{found.end}">«<bdi>' in row
    assert "سُئل عنها ولا موقف: 1" in page
    assert "<bdi>الأمم المتحدة</bdi> ← <bdi>وقف إطلاق النار</bdi>" in part(page, "h7")


def test_much_folds_away_and_stances_never_run_out_of_letters():
    many = account_html.NEWS + 3
    events = tuple(dataclasses.replace(EVENTS[0], score=n / 100) for n in range(many))
    stances = tuple(
        dataclasses.replace(STANCES[0], holder=f"س{n}", evidence=STANCES[0].evidence * 3) for n in range(60)
    )
    page = page_of(dataclasses.replace(ACCOUNT, events=events, stances=stances))
    assert "المزيد: 3<" in page
    assert f"المزيد: {60 - account_html.HOLDERS}<" in page
    assert 'dir="ltr">+3<' in part(page, "h1")
    assert [re.search(r'number">(.*?)<', part(page, f"h{number}"))[1] for number in (1, 28, 29, 57)] == [
        "أ", "غ", "أ2", "أ3",
    ]  # fmt: skip
    assert re.search(r'dir="ltr" title="[^"]*">\+\d+</a></sup>', page)
    assert set(links(page)[1]) <= set(links(page)[0])


def test_a_near_copy_says_so():
    assert "يكاد يكرر" not in page_of()
    page = page_of(dataclasses.replace(ACCOUNT, copy_of="<b>"))
    assert "هذا المقال يكاد يكرر مقالا سبقه: <bdi>&lt;b&gt;</bdi>" in page


def test_nothing_found_and_nothing_read():
    page = page_of(Account("a", ""))
    assert "لا خبر عن حدث في النص" in page
    assert "من يقف وأين" not in page
    assert "لا حدث في النص" not in page  # that is said of a reading
    page = page_of(Account("a", "", error="no text: <b>"), text="")
    assert "no text: &lt;b&gt;</p>" in page
    assert "ما الذي حدث" not in page


def test_a_reading_stands_beside_an_account():
    reading = Reading(
        "a", "", events=(readings.Event("event_type", "AID", 0.9, 0, 9, TEXT[:9]),),
        stances=(readings.Stance("stance", "س", "ص", "favor", {"favor": 1.0}, readings.Evidence(2, 20, TEXT[2:20])),),
    )  # fmt: skip
    page = page_of(reading=reading)
    assert Shown(page).text == TEXT
    assert "AID <b>90</b>" in page
    for heading in ("ما الذي حدث", "من يقف وأين", "أحداث الجمل", "أجوبة الأسئلة"):
        assert page.count(f"<h3>{heading}</h3>") == 1
    assert {"a1-s1", "a1-e1", "a1-h1", "a1-v1"} <= set(links(page)[0])
    assert "AID <b>90</b>" in page_of(Account("a", "", error="broken"), reading=reading)
    assert page_of(reading=reading, account=None) == whole(TEXT, reading, source=ARTICLE["source"])


def test_the_legend_names_all_four_classes():
    for accounts, colours in ((True, 4), (False, 0)):
        head = Page({}, {}, accounts=accounts).head()
        assert head.count('<span class="key c') == colours
        assert ("كلمة الحدث" in head) == accounts


@pytest.mark.parametrize("bad", [*HOSTILE, "\ud800\x00", "", " "])
def test_markup_in_any_field_stays_text(bad):
    mention = dataclasses.replace(EVENTS[0].mentions[0], trigger=bad, sentence=bad)
    party = dataclasses.replace(EVENTS[0].actors[0], name=bad, text=bad, wikidata=bad)
    event = Event(bad, bad, bad, (party,), (party, party), (party,), (mention,), 0.5, bad, bad, bad)
    stances = tuple(
        Stance(holder, bad, bad, label, 0.5, {}, (Evidence(bad, 0, 9, 0.5, 1, 4),))
        for holder in (bad, OUTLET) for label in (bad, "none")
    )  # fmt: skip
    page = page_of(Account(bad, bad, bad, bad, (event,), stances, bad), text=TEXT)
    found, calm = Shown(page), Shown(page_of(dataclasses.replace(ACCOUNT, copy_of="b")))
    page.encode()
    assert found.text == TEXT
    assert set(found.tags) <= set(calm.tags)
    assert {name for name, _ in found.attributes} <= {name for name, _ in calm.attributes}
    assert "script" not in found.tags
    assert found.tags.count("style") == 1
    assert "default-src 'none'" in page


def test_all_that_plover_knows_has_an_arabic_name():
    assert set(QUAD_CODE) <= set(glosses.ARABIC)
    assert {mode for modes in MODES.values() for mode in modes} == set(glosses.MODES)
    for count, said in ((1, "جملة"), (2, "جملتان"), (3, "3 جمل"), (10, "10 جمل"), (11, "11 جملة"), (103, "103 جمل")):
        assert glosses.sentences(count) == said
