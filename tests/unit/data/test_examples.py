from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khabar.config import AnnotatorsConfig, DataConfig
from khabar.data import corpus as corpora
from khabar.data.corpus import Corpus
from khabar.data.examples import example_id, examples, gold, soft
from khabar.errors import ConfigError
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


# weights, an adjudicator, soft labels


def settled(*rows, task=MULTI, **annotators):
    """(gold, soft) of the one unit, or None, and what was dropped."""
    found, dropped = examples(corpus(*rows), task, AnnotatorsConfig(**annotators))
    return ((found[0].gold, found[0].soft) if found else None), dropped


VOTES = row("1", "A"), row("2", "B"), row("3", "B")


def test_weights_decide_the_majority():
    assert settled(*VOTES)[0] == (("B",), None)
    assert settled(*VOTES, weights={"1": 2.5})[0] == (("A",), None)
    assert settled(*VOTES, weights={"1": 2.0}) == (None, {"no majority": 1})  # half is not more than half
    assert settled(*VOTES, weights={"2": 0.0}) == (None, {"no majority": 1})  # not heard
    assert settled(*VOTES, weights={"2": 0.0, "3": 0.0})[0] == (("A",), None)
    assert settled(*VOTES, weights={"1": 0.0, "2": 0.0, "3": 0.0}) == (None, {"no answer left": 1})
    # a tie is a tie, though 0.1 + 0.2 > 0.3 in floating point
    assert settled(*VOTES, weights={"1": 0.3, "2": 0.1, "3": 0.2}) == (None, {"no majority": 1})
    assert settled(row("1"), row("2", "A"), row("3", "C"), weights={"1": 3.0})[0] == ((), None)


def test_gold_then_the_adjudicator_then_votes():
    chief = row("chief", "C")
    assert settled(*VOTES, chief) == (None, {"no majority": 1})
    assert settled(*VOTES, chief, adjudicator="chief")[0] == (("C",), None)
    assert settled(*VOTES, row("chief"), adjudicator="chief")[0] == ((), None)
    assert settled(*VOTES, chief, row("gold", "A"), adjudicator="chief")[0] == (("A",), None)
    assert settled(*VOTES, chief, adjudicator="chief", weights={"chief": 0.0, "1": 9.0})[0] == (("C",), None)
    # who is in two minds has not adjudicated
    assert settled(*VOTES, chief, row("chief", "A"), adjudicator="chief") == (None, {"no majority": 1})
    other = row("chief", "A", article="b")
    articles = {name: Article(id=name, text="نص قصير") for name in "ab"}
    found, _ = examples(corpus(*VOTES, other, articles=articles), MULTI, AnnotatorsConfig(adjudicator="chief"))
    assert [example.gold for example in found] == [("B",), ("A",)]


def test_evidence_is_of_those_who_decide():
    rows = [row("1", "A", evidence=(0, 4)), row("2", "A", evidence=(5, 9)), row("chief", "A", evidence=(11, 22))]
    for config, evidence in (
        ({}, (0, 4)),
        ({"weights": {"1": 0.0}}, (5, 9)),
        ({"adjudicator": "chief"}, (11, 22)),
    ):
        (found,), _ = examples(corpus(*rows), MULTI, AnnotatorsConfig(**config))
        assert found.evidence == evidence


@pytest.mark.parametrize("config", [{"weights": {"anna": 2.0}}, {"adjudicator": "anna"}])
def test_a_name_that_nobody_has_is_an_error(config):
    with pytest.raises(ConfigError) as error:
        examples(corpus(row("hanna", "A"), row("2", "A")), SINGLE, AnnotatorsConfig(**config))
    assert str(error.value).endswith("'anna', who annotated nothing here. Did you mean 'hanna'? There are: 2, hanna.")


def test_soft_labels_of_a_multi_label_task_are_shares_of_votes():
    answers = row("1", "A"), row("2", "A", "B"), row("3"), row("4", "A")
    assert settled(*answers, soft=True)[0] == (("A",), {"A": 0.75, "B": 0.25, "C": 0.0})
    assert settled(*answers, soft=True, weights={"2": 5.0})[0] == (("A", "B"), {"A": 0.875, "B": 0.625, "C": 0.0})
    assert settled(row("1"), soft=True)[0] == ((), {"A": 0.0, "B": 0.0, "C": 0.0})
    assert settled(row("1", "A"), row("2", "B"), soft=True) == ((None, {"A": 0.5, "B": 0.5, "C": 0.0}), {})


def test_soft_labels_of_a_single_label_task_are_a_distribution():
    answers = row("1", "A"), row("2", "A", "B"), row("3"), row("4", "A")
    assert settled(*answers, soft=True, task=VIEW)[0] == (("A",), {"none": 0.25, "A": 0.625, "B": 0.125, "C": 0.0})
    assert settled(row("1", "A"), row("2"), soft=True, task=VIEW) == (
        (None, {"none": 0.5, "A": 0.5, "B": 0.0, "C": 0.0}),
        {},
    )
    # an agreed answer that the task has no place for is dropped as ever
    assert settled(row("1", "A", "B"), soft=True, task=VIEW) == (None, {"two or more labels": 1})
    # without a label for it, a share of "none of them" can't be said
    plain = row("1", "A", task="s"), row("2", "A", task="s"), row("3", task="s")
    assert settled(*plain, soft=True, task=SINGLE)[0] == (("A",), None)
    assert settled(*plain[1:], soft=True, task=SINGLE) == (None, {"no majority": 1})


def test_an_adjudicated_answer_is_hard():
    assert settled(*VOTES, row("gold", "A"), soft=True)[0] == (("A",), None)
    assert settled(*VOTES, soft=True, adjudicator="1")[0] == (("A",), None)
    both = row("1", "A", id_="x"), row("2", "B", id_="y")
    assert settled(*both, row("3", "C", adjudicates=("x", "y")), soft=True)[0] == (
        ("C",),
        {"A": 0.0, "B": 0.0, "C": 1.0},
    )


@given(
    st.lists(st.tuples(st.frozensets(st.sampled_from("ABC")), st.sampled_from([0.0, 0.1, 0.5, 1.0, 3.0])), min_size=1),
    st.sampled_from([MULTI, VIEW]),
    st.randoms(use_true_random=False),
)
def test_shares_and_gold_agree_whatever_the_votes(votes, task, random):
    rows = [row(str(number), *sorted(vote)) for number, (vote, _) in enumerate(votes)]
    config = AnnotatorsConfig(weights={str(number): weight for number, (_, weight) in enumerate(votes)}, soft=True)
    shares, (answer, _) = soft(rows, task, config), gold(rows, task, config)
    if not any(weight for _, weight in votes):
        assert (shares, answer) == (None, None)
        return
    assert set(shares) == set(task.labels)
    if task.kind == "single":
        assert sum(shares.values()) == pytest.approx(1)
        assert all(shares[label] <= 0.5 or (label,) == answer for label in shares if answer is not None)
    elif answer is not None:
        assert answer == tuple(label for label in task.labels if shares[label] > 0.5)
    random.shuffle(rows)
    assert soft(rows, task, config) == shares


@pytest.mark.real_data
def test_soft_labels_keep_every_un_sentence(real, data_config, tasks):
    task = tasks("event_quad")
    read = corpora.read(data_config("un_quadclass", path=real("un_quadclass")), task)
    hard, dropped = examples(read, task["event_quad"])
    kept, left = examples(read, task["event_quad"], AnnotatorsConfig(soft=True))
    assert dropped["no majority"] == 318 == len(kept) - len(hard)
    assert left == {"not annotated": 1}
    assert sum(example.gold is None for example in kept) == 318
    assert [example.gold for example in kept if example.gold is not None] == [example.gold for example in hard]


def test_a_bad_row_is_no_missing_answer(tmp_path, write_jsonl, tasks):
    lines = [{"text": f"خبر {n}", "label": "AID" if n else "لا شيء من هذا"} for n in range(3)]
    config = DataConfig(
        name="mine", importer="files", path=str(write_jsonl(tmp_path / "rows.jsonl", lines)), tasks=("event_type",),
        default_tasks=("event_type",), on_error="skip",
    )  # fmt: skip
    read = corpora.read(config, tasks("event_type"))
    assert len(read.refused) == 1 and read.counts["bad rows skipped"] == 1
    made, dropped = examples(read, tasks("event_type")["event_type"])
    assert (len(made), dropped) == (2, {})
