"""Who counts as an annotator, what is undefined, what they differ on; the values themselves are in tests/golden."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from khabar.data.corpus import Corpus
from khabar.errors import ConfigError
from khabar.evaluation.agreement import NONE, SHARED, TWICE, measure
from khabar.schema import Article, Label, Task

MULTI = Task(name="m", kind="multi", level="sentence", labels=("A", "B", "C"))
SINGLE = Task(name="s", labels=("A", "B", "C"))
VIEW = Task(name="v", level="sentence", labels=("none", "A", "B", "C"), reads="m", empty_as="none")
ASKS = Task(name="q", labels=("A", "B"), asks=("holder", "target"))


def row(annotator, article, *labels, task="m", **more):
    row.number += 1
    id_ = more.pop("id_", str(row.number))
    return Label(id=id_, article=str(article), annotator=annotator, task=task, labels=labels, **more)


row.number = 0


def corpus(*labels, group=lambda article: article):
    names = dict.fromkeys(label.article for label in labels)
    articles = {name: Article(id=name, text=f"جملة أولى {name}. ثانية.", meta={"group": group(name)}) for name in names}
    return Corpus("c", articles, labels, (), (), "MIT", {})


def votes(rows, people="pqrstu", **more):
    """Rows out of one string a unit: the label of each annotator, "." for no answer, "-" for none of them."""
    return [
        row(name, u, *(() if mark == "-" else (mark,)), **more)
        for u, marks in enumerate(rows)
        for name, mark in zip(people, marks, strict=False)
        if mark != "."
    ]


ROWS = ["AA", "AB", "BB", "AA", "B-", "--", "CC"]


def overall(rows, task=MULTI, **more):
    return measure(corpus(*rows), {task.name: task}, draws=20, **more).alphas[0]


def test_gold_the_adjudicator_and_adjudications_are_no_annotators():
    plain = overall(votes(ROWS))
    settled = [row("gold", 1, "A"), row("chief", 4, "C"), row("p", 1, "C", adjudicates=(votes(ROWS)[0].id,))]
    assert overall([*votes(ROWS), *settled], adjudicator="chief") == plain
    assert overall([*votes(ROWS), *settled]) != plain


def test_who_answers_one_unit_twice_differently_has_no_answer_there():
    rows = votes(ROWS)
    expected = overall([given for given in rows if (given.annotator, given.article) != ("p", "2")])
    found = measure(corpus(*rows, row("p", 2, "C")), {"m": MULTI}, draws=20)
    assert found.alphas[0] == expected
    assert found.answers["m"]["p"] == {"A": 3, "B": 1, "C": 1, NONE: 1, TWICE: 1}
    assert [known.answers for known in found.disagreements if known.article == "2"] == [
        (("p", ("B",)), ("p", ("C",)), ("q", ("B",)))
    ]
    assert "on 3 units; answers of one annotator that contradict each other, left out: 1\n" in found.table()
    again = measure(corpus(*rows, row("p", 2, "B")), {"m": MULTI}, draws=20)  # said twice is said once
    assert again == measure(corpus(*rows), {"m": MULTI}, draws=20)


def test_units_of_one_annotator_do_not_count():
    assert overall([*votes(ROWS), *[row("p", n, "A") for n in range(50, 60)]]) == overall(votes(ROWS))


@pytest.mark.parametrize("rows", [["AA", "AA", "AA"], ["--", "--"]])
def test_without_variation_alpha_is_undefined(rows):
    found = overall(votes(rows))
    assert math.isnan(found.value)
    assert math.isnan(found.low)
    assert math.isnan(found.high)
    assert (found.units, found.answers, found.undefined) == (len(rows), 2 * len(rows), 20)


def test_draws_without_variation_are_counted_and_left_out():
    found = {alpha.label: alpha for alpha in measure(corpus(*votes(["AA"] * 9 + ["BB"])), {"s": SINGLE}).alphas}
    assert math.isnan(found[None].value)  # rows of another task
    found = {alpha.label: alpha for alpha in measure(corpus(*votes(["AA"] * 9 + ["BB"])), {"m": MULTI}).alphas}
    assert (found["A"].value, found["A"].low, found["A"].high) == (1, 1, 1)
    assert found["A"].undefined == pytest.approx(2000 * 0.9**10, rel=0.2)
    assert (found["A"].count, found["B"].count, found["C"].count) == (18, 2, 0)
    assert math.isnan(found["C"].value)


def test_nobody_to_compare():
    found = measure(corpus(*votes(["A", "B"])), {"m": MULTI})
    assert [(alpha.units, alpha.clusters, math.isnan(alpha.value)) for alpha in found.alphas] == [(0, 0, True)]
    assert found.disagreements == ()
    assert "no unit has answers by two annotators" in found.table()
    assert measure(Corpus("c", {}, (), (), (), "MIT", {}), {"m": MULTI}).answers == {"m": {}}


def test_one_group_has_a_value_and_no_interval():
    found = measure(corpus(*votes(ROWS), group=lambda article: "g"), {"m": MULTI}).alphas[0]
    assert found.value == overall(votes(ROWS)).value
    assert found.clusters == 1
    assert math.isnan(found.low)
    assert math.isnan(found.high)


def test_a_single_label_view_takes_none_of_them_as_a_label():
    found = measure(corpus(*votes(ROWS)), {"v": VIEW}, draws=20)
    assert [alpha.label for alpha in found.alphas] == [None, "none", "A", "B", "C"]
    assert found.alphas[0].value == overall(votes(ROWS)).value
    assert found.answers["v"]["q"] == {"none": 2, "A": 2, "B": 2, "C": 1}
    # an answer to the task itself goes before one to the task it reads
    own = [row("p", 1, "B", task="v"), row("q", 1, "B", task="v")]
    assert overall([*votes(ROWS), *own], VIEW).value == overall(votes([*ROWS[:1], "BB", *ROWS[2:]])).value


def test_spans_and_questions_are_units_of_their_own():
    asked = {"task": "q", "holder": "أ"}
    rows = [
        row("p", "a", "A", target="ب", **asked),
        row("q", "a", "B", target="ت", **asked),
        row("p", "a", "A", target="ث", span=(0, 4), **asked),
        row("q", "a", "B", target="ث", span=(0, 4), **asked),
        row("gold", "a", "B", target="ث", span=(0, 4), **asked),
    ]
    found = measure(corpus(*rows), {"q": ASKS}, draws=20)
    assert found.alphas[0].units == 1
    (known,) = found.disagreements
    assert (known.article, known.span, known.holder, known.target, known.text) == ("a", (0, 4), "أ", "ث", "جملة")
    assert known.answers == (("p", ("A",)), ("q", ("B",)))
    assert known.settled
    assert not measure(corpus(*rows[:-1]), {"q": ASKS}, draws=20).disagreements[0].settled


def test_pairs_that_share_enough_units_from_the_lowest_on():
    letters = "ABC" * 10
    rows = [f"{mark}{mark}{letters[u - 1] if u % 3 else mark}{mark if u < SHARED - 1 else '.'}" for u, mark in
            enumerate(letters)]  # fmt: skip
    found = measure(corpus(*votes(rows, people=["10", "9", "z", "few"])), {"m": MULTI}, draws=20)
    pairs = [alpha for alpha in found.alphas if alpha.pair]
    assert [alpha.pair for alpha in pairs] == [("9", "z"), ("10", "z"), ("9", "10")]
    assert [alpha.value for alpha in pairs] == sorted(alpha.value for alpha in pairs)
    assert pairs[-1].value == 1
    assert list(found.answers["m"]) == ["9", "10", "few", "z"]


def test_the_order_of_the_rows_does_not_count():
    rows = votes([f"{'ABC'[u % 3]}{'ABC'[u % 2]}{'-AB'[u % 3]}" for u in range(40)])
    one, other = (measure(corpus(*given), {"m": MULTI, "v": VIEW}, draws=50) for given in (rows, rows[::-1]))
    assert one == other


def test_seeds_and_draws():
    rows = votes([f"{'ABC'[u % 3]}{'ABC'[u % 2]}" for u in range(40)])
    assert overall(rows) == overall(rows, seed=0)
    other = overall(rows, seed=1)
    assert other.low != overall(rows).low
    assert other.value == overall(rows).value
    assert overall(rows, level=0.5).high < overall(rows).high


def test_rows_are_plain_json_and_the_table_holds_every_number():
    rows = votes(ROWS * 4)
    found = measure(corpus(*rows), {"m": MULTI, "v": VIEW}, draws=50)
    plain = json.loads(json.dumps(found.to_rows(), allow_nan=False))
    assert len(plain["alphas"]) == len(found.alphas)
    assert plain["alphas"][4]["pair"] == ["p", "q"]
    assert plain["disagreements"][0]["answers"] == [
        {"annotator": "p", "labels": ["A"]},
        {"annotator": "q", "labels": ["B"]},
    ]
    assert {"task": "m", "annotator": "q", "label": NONE, "count": 8} in plain["answers"]
    lone = measure(corpus(*votes(["AA", "AA"])), {"m": MULTI}, draws=50).to_rows()["alphas"][0]
    assert lone["value"] is None
    table = found.table()
    for alpha in found.alphas:
        assert f"{alpha.value:.3f}" in table
        assert f"[{alpha.low:.3f}, {alpha.high:.3f}]" in table
    assert "m: 2 annotators, who differ on 8 units" in table
    assert "95% interval" in table


def test_a_table_of_many_pairs_shows_the_lowest():
    people = [str(n) for n in range(7)]
    rows = votes(["".join("ABC"[(u + (n > u % 7)) % 3] for n in range(7)) for u in range(30)], people)
    found = measure(corpus(*rows), {"m": MULTI}, draws=20)
    assert sum(alpha.pair is not None for alpha in found.alphas) == 21
    assert found.table().endswith("and 11 pairs that agree more")


def test_what_cannot_be_measured_is_said():
    rows = votes(ROWS)
    for wrong in ({"draws": 0}, {"level": 1.0}):
        with pytest.raises(ConfigError, match="draws must be 1 or more"):
            measure(corpus(*rows), {"m": MULTI}, **wrong)
    with pytest.raises(ConfigError, match=r"names 'P', who annotated nothing here.*There are: p, q"):
        measure(corpus(*rows), {"m": MULTI}, adjudicator="P")


def simulated(groups, rng):
    """Groups of 1 to 6 units of one prevailing label, of which some groups are hard for everybody."""
    rows = []
    for g in range(groups):
        prevailing, skill = rng.integers(3), rng.uniform(0.4, 1)
        for u in range(rng.integers(1, 7)):
            truth = prevailing if rng.random() < 0.5 else rng.integers(3)
            given = [truth if rng.random() < skill else rng.integers(3) for _ in range(3)]
            rows += [row(name, f"{g}/{u}", "ABC"[mark]) for name, mark in zip("pqr", given, strict=True)]
    return corpus(*rows, group=lambda article: article.split("/")[0])


def test_the_interval_covers_the_alpha_of_the_population():
    rng = np.random.default_rng(0)
    truth = measure(simulated(3000, rng), {"m": MULTI}, draws=1).alphas[0].value
    found = [measure(simulated(60, rng), {"m": MULTI}, draws=200).alphas[0] for _ in range(200)]
    covered = np.mean([alpha.low <= truth <= alpha.high for alpha in found])
    assert 0.89 <= covered <= 0.99
    # drawing units one by one would take kin for strangers and promise too much
    made = simulated(60, rng)
    alone = {name: replace(article, meta={}) for name, article in made.articles.items()}
    single, grouped = (measure(replace(made, articles=each), {"m": MULTI}).alphas[0] for each in (alone, made.articles))
    assert single.value == grouped.value
    assert single.high - single.low < grouped.high - grouped.low
