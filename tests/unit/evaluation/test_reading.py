"""Whole readings scored: what was found at all, tuples by sentence and by article, and spans exactly and by overlap."""

from dataclasses import replace

import numpy as np
import pytest

from khabar.config import AnnotatorsConfig
from khabar.data import marks
from khabar.data.graph import Graph, Name, of_marks
from khabar.evaluation import harness, metrics, reading, spans
from khabar.evaluation.scored import Scored
from khabar.schema import OUTLET, Found
from unit.data import marked

ROWS = marks.examples(marked.corpus(), marked.TASK, AnnotatorsConfig())[0]
GOLD = of_marks(ROWS[0].marks)
TYPES = marked.TASK.heads["type"].labels


def value(scored, metric):
    return float(metrics.compute(scored, metric))


def both(found):
    made = reading.Compared(TYPES, ("favor", "against", "neutral"))
    made.add(GOLD, found, found, "a")
    return made


def test_gold_against_itself_is_right_in_everything():
    made = both(GOLD)
    for scored in (made.candidates(), *(of(level) for of in (made.events, made.stances) for level in reading.LEVELS)):
        assert value(scored, "micro_f1") == 1.0
    assert made.events("sentence").gold.sum() == 4
    assert made.events("article").gold.sum() == 3  # Salwan's request to Darawa is told twice


def test_a_wrong_type_or_recipient_or_a_missing_actor_each_cost_a_tuple():
    spots = list(GOLD.spots)
    first = next(i for i, spot in enumerate(spots) if spot.type == "REQUEST")
    spots[first] = replace(spots[first], attributes={"type": "REJECT"})
    roles = [one for one in GOLD.roles if one.event != first or one.role != "recipient"]
    made = both(Graph(GOLD.sentences, spots, roles, GOLD.stances))
    scored = made.events("sentence")
    assert (scored.pred & scored.gold).sum() == 3 and scored.pred.sum() == 4


def test_a_found_span_counts_as_the_gold_one_it_overlaps_most_and_else_as_none():
    other = Name("another name")
    wider = [
        replace(spot, start=max(0, spot.start - 2), end=spot.end + 1, name=other if spot.name else None)
        for spot in GOLD.spots
    ]
    assert value(both(replace(GOLD, spots=wider)).events("article"), "micro_f1") == 1.0
    lost = [replace(spot, start=12, end=13, name=Name("x")) if spot.layer == "actor" else spot for spot in GOLD.spots]
    made = both(replace(GOLD, spots=lost))
    assert value(made.candidates(), "micro_recall") < 1.0
    assert value(made.events("article"), "micro_f1") < 0.5


def test_candidates_are_the_pairs_both_of_whose_ends_were_found():
    without = Graph(GOLD.sentences, [spot for spot in GOLD.spots if spot.layer != "claim"])
    scored = both(without).candidates()
    by_label = dict(zip(scored.labels, metrics.compute(scored, "recall").tolist(), strict=True))
    assert by_label == {"role": 1.0, "stance": pytest.approx(1 / 3)}


def test_the_outlet_holds_a_stance_without_a_span():
    assert any(one.holder == OUTLET for one in GOLD.stances)
    turned = [replace(one, label="favor") if one.holder == OUTLET else one for one in GOLD.stances]
    scored = both(replace(GOLD, stances=turned)).stances("article")
    assert (scored.pred & scored.gold).sum() == len(GOLD.stances) - 1


def test_spans_are_right_exactly_or_by_overlap_and_each_gold_span_once():
    row = ROWS[1]
    truth = {span.id: span for span in marks.inside(row)}
    found = [
        Found("actor", truth["D1"].start + 7, truth["D1"].end, 0.9),  # a part of it
        Found("actor", truth["D1"].start, truth["D1"].start + 6, 0.9),  # the other part: no second hit
        Found("event", truth["E1"].start, truth["E1"].end, 0.9),
        Found("claim", truth["E1"].start, truth["E1"].end, 0.9),  # of another layer
    ]
    exact = spans.scored(marked.TASK, [row], [found])
    loose = spans.scored(marked.TASK, [row], [found], exact=False)
    assert [(s.gold & s.pred).sum() for s in (exact, loose)] == [1, 2]
    assert exact.pred.sum() == loose.pred.sum() == 4 and exact.gold.sum() == loose.gold.sum() == 4
    table = harness.score(exact, draws=100)
    assert {score.metric for score in table.scores} == {
        "macro_f1", "micro_f1", "weighted_f1", "micro_precision", "micro_recall", "precision", "recall", "f1",
    }  # fmt: skip
    assert table.main("micro_f1").count == 4  # gold spans, not rows


def test_folds_are_pooled_with_their_clusters_apart():
    one = spans.scored(marked.TASK, [ROWS[1]], [[]])
    made = Scored.pooled([one, one])
    assert len(made.gold) == 2 * len(one.gold)
    assert np.unique(made.cluster).tolist() == [0, 1]
