"""PLOVER's records: the fields of its manual, what it wants left out, and its rules about a whole document."""

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khabar.inference.accounts import Account, Event
from khabar.inference.plover_json import records
from khabar.plover import QUAD_CODE
from unit.inference.tiny_account import ACCOUNT, EVENTS, TEXT, told, who

FIELDS = {  # table "PLOVER JSON" of the manual
    "id", "has_event", "date", "time", "enddate", "endtime", "actor", "recipient", "event", "event_loc", "event_text",
    "quad_code", "event_scale", "mode", "context", "link", "text", "text_info", "cite_info", "coder", "coded_date",
    "coded_time", "comment",
}  # fmt: skip
REQUIRED = {"id", "date", "actor", "event"}
ARMY, VICTIM, OTHER = who("جيش دراوة", 2), who("أربعة قتلى", 2), who("سلوان", 0)


def event(type_, mode=None, status="happened", *, actors=(ARMY,), recipients=(), trigger="قصفا", date=None):
    return Event(type_, mode, status, actors, recipients, (), (told(trigger, 2),), 0.9, date=date)


def made(*events, date="2024-03-16", **options):
    return records(Account("a", "عنوان", date, events=events), **options)


def types(*events, **options):
    return [(*one["event"], *one.get("mode", ())) for one in made(*events, **options)]


def test_a_whole_record():
    assert records(ACCOUNT, text=TEXT, coded_date="2024-04-01")[3] == {
        "id": "seed-x-4",
        "date": "2024-03-14",
        "actor": [{"entity_text": "جيش دراوة", "identifier_text": "جيش دراوة"}],
        "recipient": [{"entity_text": "أربعة قتلى", "identifier_text": "أربعة قتلى"}],
        "event": ["ASSAULT"],
        "event_loc": {"extracted_place": "بلدة العين"},
        "event_text": ["قصفا"],
        "quad_code": 4,
        "mode": ["heavy-weapons"],
        "text_info": {"start": TEXT.index("وقالت مصادر"), "end": TEXT.index("\nونفى"), "sequence": 3},
        "cite_info": {"publication": "صحيفة الضفة", "title": ACCOUNT.title, "date": "2024-03-16"},
        "coder": "khabar-01234567",
        "coded_date": "2024-04-01",
        "comment": "status: happened; told by: مصادر طبية ← وكالة نبأ",
    }


@pytest.mark.parametrize("options", [{}, {"negated": True}, {"incomplete": True, "text": TEXT}])
def test_all_records_keep_to_the_format(options):
    found = records(dataclasses.replace(ACCOUNT, copy_of="seed-w"), **options)
    assert len({one["id"] for one in found}) == len(found)
    for one in found:
        assert set(one) >= REQUIRED
        assert set(one) <= FIELDS
        assert one["quad_code"] == QUAD_CODE[one["event"][0]]
        assert json.loads(json.dumps(one)) == one
        assert one["comment"].endswith("near copy of: seed-w")
        assert ("sequence" in one["text_info"]) == ("text" in options)


def test_what_is_negated_is_left_out_unless_asked_for():
    assert {one["comment"].split(";")[0] for one in records(ACCOUNT)} == {
        f"status: {status}" for status in ("happened", "ongoing", "planned", "background", "conditional", "alleged")
    }
    (kept,) = [one for one in records(ACCOUNT, negated=True) if one.get("context") == ["negation"]]
    assert kept["id"] == "seed-x-6"


def test_auxiliary_modes_are_in_the_context():
    contexts = {
        status: made(event("ASSAULT", status=status), negated=True)[0].get("context")
        for status in ("happened", "ongoing", "alleged", "background", "planned", "conditional", "negated")
    }
    assert contexts == {
        "happened": None, "ongoing": None, "alleged": None, "background": ["historical"], "planned": ["future"],
        "conditional": ["hypothetical"], "negated": ["negation"],
    }  # fmt: skip


@pytest.mark.parametrize("type_", sorted(QUAD_CODE))
def test_some_types_require_a_recipient_and_all_an_actor(type_):
    kept = [] if type_ in ("COOPERATE", "AID", "SANCTION") else [(type_,)]
    assert types(event(type_)) == kept
    assert types(event(type_), incomplete=True) == [(type_,)]
    assert types(event(type_, recipients=(VICTIM,))) == [(type_,)]
    assert types(event(type_, actors=(), recipients=(VICTIM,))) == []
    assert made(event(type_, actors=(), recipients=(VICTIM,)), incomplete=True)[0]["actor"] == []


def test_entities_have_one_object_each_and_wikidata_where_known():
    again = dataclasses.replace(who("دراوة", 0), name="جيش دراوة")
    (one,) = made(event("ASSAULT", actors=(ARMY, OTHER, again), recipients=(who("الأمم المتحدة", 4),)))
    assert [entity["entity_text"] for entity in one["actor"]] == ["جيش دراوة", "سلوان"]
    assert one["recipient"] == [
        {
            "entity_text": "الأمم المتحدة",
            "identifier_text": "الأمم المتحدة",
            "identifier_id": "https://www.wikidata.org/wiki/Q1065",
        }
    ]


@pytest.mark.parametrize(
    ("own", "articles", "first", "last", "told"),
    [
        ("2024-03-15", "2024-03-16", "2024-03-15", None, False),
        ("2024-02", "2024-03-16", "2024-02-01", "2024-02-29", False),
        ("2023", None, "2023-01-01", "2023-12-31", False),
        (None, "2024-03-16T08:00:00Z", "2024-03-16", None, True),
        (None, "2024-03", "2024-03-01", "2024-03-31", True),
        ("2024-13", "2024-03-16", "2024-03-16", None, True),
        ("2024-02-30", "2024-03-16", "2024-03-16", None, True),
    ],
)
def test_dates_are_days(own, articles, first, last, told):
    (one,) = made(event("ASSAULT", date=own), date=articles)
    assert (one["date"], one.get("enddate")) == (first, last)
    assert ("date: the article's" in one["comment"]) == told


@pytest.mark.parametrize("date", [None, "16 مارس 2024", "0000", "2024-3-1", "20240316", "٢٠٢٤-٠٣-١٦x"])
def test_without_any_date_a_record_is_incomplete(date):
    assert made(event("ASSAULT"), date=date) == []
    assert made(event("ASSAULT"), date=date, incomplete=True)[0]["date"] is None


def test_a_move_of_forces_beside_their_assault_is_no_event_of_its_own():
    assert [one["event"] for one in records(ACCOUNT)].count(["MOBILIZE"]) == 0
    move, assault = event("MOBILIZE", "troops"), event("ASSAULT", "firearms")
    both = [("MOBILIZE", "troops"), ("ASSAULT", "firearms")]
    assert types(move, assault) == types(assault, move) == both[1:]
    assert types(move) == both[:1]
    assert types(move, dataclasses.replace(assault, actors=(ARMY, OTHER))) == both[1:]
    assert types(move, dataclasses.replace(assault, actors=(OTHER,))) == both
    assert types(dataclasses.replace(move, actors=(ARMY, OTHER)), assault) == both
    for status in ("negated", "conditional", "planned", "alleged", "background"):  # no assault now
        assert ("MOBILIZE", "troops") in types(move, dataclasses.replace(assault, status=status), negated=True)
    past = dataclasses.replace(move, status="background")
    assert types(past, assault) == both
    assert types(past, dataclasses.replace(assault, status="background")) == both[1:]
    assert types(dataclasses.replace(move, actors=()), assault, incomplete=True) == both


def test_an_allegation_beside_a_conviction_is_no_event_of_its_own():
    charge = event("ACCUSE", "allege", recipients=(OTHER,), actors=(VICTIM,))
    verdict = event("SANCTION", "convict", recipients=(OTHER,))
    both = [("ACCUSE", "allege"), ("SANCTION", "convict")]
    assert types(charge, verdict) == both[1:]
    assert types(charge) == both[:1]
    assert types(charge, dataclasses.replace(verdict, status="background")) == both[1:]
    for status in ("negated", "conditional", "planned", "alleged"):
        assert types(charge, dataclasses.replace(verdict, status=status), negated=True) == both
    assert types(charge, dataclasses.replace(verdict, recipients=(VICTIM,))) == both
    assert types(dataclasses.replace(charge, recipients=()), verdict) == both
    assert types(dataclasses.replace(charge, mode="disapprove"), verdict)[0] == ("ACCUSE", "disapprove")
    assert types(charge, dataclasses.replace(verdict, mode="expel"))[0] == both[0]
    assert types(charge, dataclasses.replace(verdict, actors=())) == both[:1]  # what is not coded covers nothing


def test_events_of_one_trigger_have_one_link():
    verdict = event("SANCTION", "convict", recipients=(OTHER,))
    arrest = event("COERCE", "arrest", recipients=(OTHER,))
    apart = event("ACCUSE", "disapprove", trigger="انتقادات")
    found = made(apart, verdict, arrest)
    assert [one.get("link") for one in found] == [None, "a-2", "a-2"]
    over = dataclasses.replace(apart, mentions=(*apart.mentions, *arrest.mentions))
    assert [one.get("link") for one in made(apart, verdict, over)] == ["a-1"] * 3


@given(st.lists(st.lists(st.integers(0, 6), min_size=1, max_size=3), max_size=6))
def test_links_are_the_same_whatever_the_order(triggers):
    events = [
        dataclasses.replace(
            EVENTS[3], mentions=tuple(dataclasses.replace(EVENTS[3].mentions[0], start=at, end=at + 1) for at in starts)
        )
        for starts in triggers
    ]

    def groups(order):
        found = made(*(events[index] for index in order))
        return {
            frozenset(order[n] for n, one in enumerate(found) if one.get("link") == other["link"])
            for other in found if "link" in other
        }  # fmt: skip

    forth = list(range(len(events)))
    assert groups(forth) == groups(forth[::-1])


def test_no_record_of_an_error():
    assert records(Account("in.jsonl:3", "", error="not JSON")) == []
