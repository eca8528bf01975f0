"""From what was found to an article's answer: what is merged, what stays apart, how stances add up."""

import pytest

from khabar.data.graph import Graph, Name, Role, Spot, Taken
from khabar.inference import assemble
from khabar.schema import OUTLET
from khabar.text import sentences

TEXT = (
    "سلوان تقصف أهداف دراوة\n"
    "قصفت قوات سلوان أهداف دراوة في مدينة الريم الجمعة. ونفت سلوان القصف.\n"
    "وكانت سلوان قد قصفت دراوة في مايو 2019. وقالت دراوة إن القصف على الميناء جريمة حرب كبيرة.\n"
    "وأضافت أن القصف جريمة حرب. وأيد الاتحاد وقف القصف."
)
PLACES = sentences.split(TEXT)


def spot(layer, words, sentence, name=None, score=0.9, **more):
    start = TEXT.index(words, *PLACES[sentence])
    named = Name(name, None) if name else None
    return Spot(layer, start, start + len(words), score, sentence, named, more)


def bombing(words, sentence, status, score=0.9):
    return spot("event", words, sentence, score=score, type="ASSAULT", status=status)


SPOTS = (
    spot("actor", "سلوان", 0, "سلوان"),  # 0
    bombing("تقصف", 0, "happened", 0.7),  # 1
    spot("actor", "دراوة", 0, "دراوة"),  # 2
    bombing("قصفت", 1, "ongoing"),  # 3
    spot("actor", "قوات سلوان", 1, "سلوان"),  # 4
    bombing("القصف", 2, "negated"),  # 5
    spot("actor", "سلوان", 2, "سلوان"),  # 6
    bombing("قصفت", 3, "background"),  # 7
    spot("actor", "سلوان", 3, "سلوان"),  # 8
    spot("actor", "دراوة", 4, "دراوة"),  # 9
    spot("claim", "القصف على الميناء جريمة حرب كبيرة", 4),  # 10
    spot("claim", "القصف جريمة حرب", 5),  # 11
    spot("event", "وأيد", 6, type="SUPPORT", status="happened"),  # 12
    spot("actor", "الاتحاد", 6, "الاتحاد"),  # 13
)
ROLES = (
    Role(1, 0, "actor", 0.8), Role(1, 2, "recipient", 0.7), Role(3, 4, "actor", 0.9), Role(5, 6, "actor", 0.9),
    Role(7, 8, "actor", 0.9), Role(12, 13, "actor", 0.9), Role(3, 9, "source", 0.6),
)  # fmt: skip


def shares(favor=0.0, against=0.0):
    return {"favor": favor, "against": against, "neutral": 0.0, "none": 1 - favor - against}


STANCES = (
    Taken(9, 10, "favor", shares(0.6, 0.1)), Taken(9, 11, "favor", shares(0.7, 0.1)),
    Taken(9, 8, "against", shares(0.1, 0.8)), Taken(13, 8, "favor", shares(0.5, 0.1)),
    Taken(OUTLET, 5, "against", shares(0.1, 0.6)), Taken(9, 3, "against", shares(0.2, 0.6)),
    Taken(9, 1, "favor", shares(0.3, 0.2)), Taken(9, 9, "favor", shares(0.9)),
)  # fmt: skip


def graph(roles=ROLES, same=(), stances=STANCES):
    return Graph(tuple(PLACES), SPOTS, roles, stances, same)


def test_one_act_told_twice_is_one_event_and_denials_and_background_stay_apart():
    events, event_of = assemble.events(graph(), TEXT, "2031-05-12")
    assert [(e.type, e.status, [m.trigger for m in e.mentions]) for e in events] == [
        ("ASSAULT", "happened", ["تقصف", "قصفت"]), ("ASSAULT", "negated", ["القصف"]),
        ("ASSAULT", "background", ["قصفت"]), ("SUPPORT", "happened", ["وأيد"]),
    ]  # fmt: skip
    assert event_of == {1: 0, 3: 0, 5: 1, 7: 2, 12: 3}
    first = events[0]
    assert [one.name for one in first.actors] == ["سلوان"]
    assert [one.text for one in first.recipients] == ["دراوة"]
    assert [one.name for one in first.sources] == ["دراوة"]
    assert first.score == 0.9 and first.news and not events[1].news


def test_a_link_merges_what_shares_no_name_but_never_news_with_a_denial():
    bare = tuple(role for role in ROLES if role.event != 3)
    events, _ = assemble.events(graph(bare), TEXT, None)
    assert len(events[0].mentions) == 1
    events, _ = assemble.events(graph(bare, same=((3, 1), (5, 3))), TEXT, None)
    assert [len(event.mentions) for event in events] == [2, 1, 1, 1]


def test_events_of_other_actors_are_others():
    roles = (*ROLES[:2], Role(3, 9, "actor", 0.9))
    events, _ = assemble.events(graph(roles, same=((3, 1),)), TEXT, None)
    assert [[one.name for one in event.actors] for event in events][:2] == [["سلوان"], ["دراوة"]]


def test_place_and_date_are_those_stated_nearest_and_resolved_by_the_day_of_the_article():
    events, _ = assemble.events(graph(), TEXT, "2031-05-12")  # a Monday
    assert (events[0].place, events[0].date) == ("الريم", "2031-05-09")
    assert (events[2].date, events[2].date_text) == ("2019-05", "مايو 2019")
    assert assemble.events(graph(), TEXT, None)[0][0].date is None


def test_stances_add_up_by_holder_and_target_with_all_their_sentences():
    events, event_of = assemble.events(graph(), TEXT, None)
    found = {(s.holder, s.target): s for s in assemble.stances(graph(), TEXT, events, event_of)}
    claim = found["دراوة", "القصف على الميناء جريمة حرب كبيرة"]  # the shorter wording says the same
    assert (claim.label, claim.kind, len(claim.evidence)) == ("favor", "claim", 2)
    assert claim.probabilities["favor"] == pytest.approx(0.65)
    assert (found["دراوة", "سلوان"].label, found["الاتحاد", "سلوان"].label) == ("against", "favor")
    assert found[OUTLET, "القصف (سلوان)"].kind == "event"
    # two sentences on one event disagree: their mean decides
    assert found["دراوة", "قصفت (سلوان)"].label == "against"
    assert ("دراوة", "دراوة") not in found


def test_other_days_and_other_modes_are_other_events():
    dated = TEXT.replace("القصف على الميناء", "القصف في 3 يناير 2020 على الميناء")
    places = sentences.split(dated)

    def event(words, sentence, mode=None):
        start = dated.index(words, *places[sentence])
        said = {"type": "ASSAULT", "status": "background"} | ({"mode": mode} if mode else {})
        return Spot("event", start, start + len(words), 0.9, sentence, None, said)

    def assembled(*spots):
        linked = Graph(tuple(places), spots, (), (), ((1, 0),))
        return assemble.events(linked, dated, None)[0]

    assert len(assembled(event("قصفت", 3), event("القصف", 4))) == 2  # May 2019, January 2020
    assert len(assembled(event("قصفت", 3), event("القصف", 5))) == 1
    assert len(assembled(event("قصفت", 3, "aerial"), event("القصف", 5, "drone"))) == 2
