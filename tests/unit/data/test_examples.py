from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from khabar.data.corpus import Corpus
from khabar.data.examples import example_id, examples, gold
from khabar.schema import Article, Label, Task

MULTI = Task(name="m", kind="multi", level="sentence", labels=("A", "B", "C"))
SINGLE = Task(name="s", labels=("A", "B", "C"))
VIEW = Task(name="v", level="sentence", labels=("none", "A", "B", "C"), reads="m", empty_as="none")
ASKS = Task(name="q", labels=("A", "B"), asks=("holder", "target"))


def row(annotator, *labels, id_=None, task="m", article="a", **more):
    row.number += 1
    return Label(id=id_ or str(row.number), article=article, annotator=annotator, task=task, labels=labels, **more)


row.number = 0


def corpus(*labels, articles=None):
    made = articles or {"a": Article(id="a", text="جملة أولى. جملة ثانية.", source="س")}
    return Corpus("c", made, labels, (), (), "MIT", {})


def settle(*rows, task=MULTI):
    found, dropped = examples(corpus(*rows), task)
    return (found[0].gold if found else None), dropped


def test_more_than_half():
    assert settle(row("1", "A"), row("2", "A", "B"), row("3", "B", "C"))[0] == ("A", "B")
    assert settle(row("1", "A"), row("2", "B")) == (None, {"no majority": 1})
    assert settle(row("1", "A"), row("2")) == (None, {"no majority": 1})  # half is not more than half
    assert settle(row("1"), row("2"), row("3", "A"))[0] == ()
    assert settle(row("1"), row("2", "A"), row("3", "B"), row("4")) == (None, {"no majority": 1})
    assert settle(row("1", "A"))[0] == ("A",)
    assert settle(row("1"))[0] == ()


def test_nobody_answered():
    assert settle() == (None, {"not annotated": 1})


def test_gold_wins():
    assert settle(row("1", "A"), row("2", "A"), row("gold", "B"))[0] == ("B",)
    assert settle(row("1", "A"), row("2", "A"), row("gold"))[0] == ()


def test_an_adjudication_wins_over_those_it_names():
    both = row("1", "A", id_="x"), row("2", "B", id_="y")
    assert settle(*both, row("3", "C", adjudicates=("x", "y")))[0] == ("C",)
    assert settle(*both, row("3", "B", adjudicates=("x",)))[0] == ("B",)
    assert settle(*both, row("3", "C", adjudicates=("x",)))[0] is None
    chain = row("3", "C", id_="z", adjudicates=("x", "y")), row("4", "A", adjudicates=("z",))
    assert settle(*both, *chain)[0] == ("A",)
    circle = row("1", "A", id_="x", adjudicates=("y",)), row("2", "A", id_="y", adjudicates=("x",))
    assert settle(*circle) == (None, {"no answer left": 1})


def test_one_annotator_twice():
    assert settle(row("1", "A"), row("1", "A"), row("2", "B"))[0] is None  # said twice is said once
    assert settle(row("1", "A"), row("1", "B"), row("2", "B"))[0] == ("B",)


def test_the_single_label_view_of_a_multi_label_task():
    assert settle(row("1"), task=VIEW)[0] == ("none",)
    assert settle(row("1", "B"), task=VIEW)[0] == ("B",)
    assert settle(row("1", "B", "A"), task=VIEW) == (None, {"two or more labels": 1})
    assert settle(row("1", "A"), row("2", "B"), task=VIEW) == (None, {"no majority": 1})
    # a row of the task itself goes before those it reads
    assert settle(row("1", "A"), row("1", "none", task="v"), task=VIEW)[0] == ("none",)
    assert settle(row("1", task="s"), task=SINGLE) == (None, {"none of the labels": 1})


@given(st.lists(st.frozensets(st.sampled_from("ABC")), min_size=1, max_size=7), st.randoms(use_true_random=False))
def test_the_rule_whatever_the_order_and_the_number(votes, random):
    rows = [row(str(number), *sorted(vote)) for number, vote in enumerate(votes)]
    answer, reason = gold(rows, MULTI)
    counts = Counter(label for vote in votes for label in vote)
    agreed = tuple(label for label in "ABC" if counts[label] > len(votes) / 2)
    if agreed:
        assert answer == agreed
    elif votes.count(frozenset()) > len(votes) / 2:
        assert answer == ()
    else:
        assert (answer, reason) == (None, "no majority")
    random.shuffle(rows)
    assert gold(rows, MULTI) == (answer, reason)


def test_one_example_for_each_span_and_question():
    rows = [
        row("1", "A", task="q", holder="أ", target="ب", evidence=(0, 10)),
        row("2", "A", task="q", holder="أ", target="ب", evidence=(11, 22)),
        row("3", "B", task="q", holder="أ", target="ب", evidence=(2, 3)),
        row("1", "B", task="q", holder="أ", target="ت"),
        row("1", "A", span=(0, 10)),
        row("1", "B", span=(11, 22)),
    ]
    asked, _ = examples(corpus(*rows), ASKS)
    assert [(e.target, e.gold, e.evidence) for e in asked] == [("ب", ("A",), (0, 10)), ("ت", ("B",), None)]
    marked, _ = examples(corpus(*rows), MULTI)
    assert [(e.id, e.unit_text, e.gold) for e in marked] == [
        ("a#0-10", "جملة أولى.", ("A",)),
        ("a#11-22", "جملة ثانية.", ("B",)),
    ]
    backwards, _ = examples(corpus(*rows[::-1]), ASKS)
    assert [e.id for e in backwards] == [e.id for e in asked]


def test_ids_are_stable():
    assert example_id("a", None, None, None) == "a"
    assert example_id("a", (3, 9), None, None) == "a#3-9"
    assert example_id("a", None, None, "x") == "a?2d711642b726b044"
    ids = {example_id("a", span, holder, "هدف") for span in (None, (0, 1)) for holder in (None, "جهة")}
    assert len(ids) == 4


def test_groups_and_slices():
    articles = {
        str(n): Article(id=str(n), text="كلمة " * (n + 20), source="كبير", meta={"group": "g"}) for n in range(25)
    }
    articles["z"] = Article(id="z", text="نص", source="صغير")
    found, _ = examples(corpus(*[row("gold", "A", article=name) for name in articles], articles=articles), MULTI)
    slices = {example.article: example.slices for example in found}
    assert slices["1"] == {"length": "short", "source": "كبير"}
    assert slices["24"] == {"length": "long", "source": "كبير"}
    assert slices["z"] == {"length": "short", "source": "other"}
    assert {example.group for example in found} == {"g", "z"}
