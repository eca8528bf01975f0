import json

import pytest

from khabar.errors import ConfigError
from khabar.evaluation.harness import Scores, score, table
from khabar.evaluation.metrics import applicable


def test_every_metric_that_fits_is_scored(make):
    it = make("multi", rare=0.05)
    scores = score(it, draws=30)
    names = list(dict.fromkeys(each.metric for each in scores.scores))
    assert names == [metric.name for metric in applicable(it)]
    assert scores.main("macro_f1").label is None
    assert scores.get("f1", "l2").count == it.gold[:, 2].sum()
    assert scores.support() == dict(zip(it.labels, it.gold.sum(0).tolist(), strict=True))
    with pytest.raises(ConfigError, match=r"'macro_f'.*Did you mean macro_f1\?"):
        scores.main("macro_f")
    with pytest.raises(ConfigError, match=r"no score 'f1' of l9.*Did you mean f1 l"):
        scores.get("f1", "l9")


def test_seed_0_is_a_seed(make):
    it = make()
    assert score(it, draws=50, seed=0) == score(it, draws=50, seed=0) != score(it, draws=50, seed=1)


def test_level_widens(make):
    narrow, wide = (score(make(), draws=500, level=level).main("macro_f1") for level in (0.5, 0.99))
    assert wide.low < narrow.low < narrow.value < narrow.high < wide.high
    assert (narrow.level, wide.level) == (0.5, 0.99)


def test_rows_are_json(make):
    it = make("multi", rare=0.0)
    rows = score(it, draws=20).to_rows()
    assert json.loads(json.dumps(rows, allow_nan=False)) == rows
    missing = next(row for row in rows if row["metric"] == "average_precision" and row["label"] == "l3")
    assert missing["value"] is missing["low"] is None
    assert missing["count"] == 0
    assert {"seed", "draws", "level", "clusters"} <= missing.keys()


def test_table(make):
    systems = {name: score(make(rows=60, seed=2, rare=0.2, skill=skill), draws=100) for name, skill in SYSTEMS}
    shown = table(systems, ["macro_f1", "f1"])
    lines = shown.splitlines()
    assert lines[0].split() == ["metric", "gold", "majority", "khabar"]
    assert len({line.index("[") for line in lines[1:6]}) == 1  # aligned
    value = systems["khabar"].main("macro_f1")
    assert f"{value.value:.3f} [{value.low:.3f}, {value.high:.3f}]" in lines[1]
    rare = systems["khabar"].support()["l3"]
    assert 0 < rare < 10
    assert lines[5].split()[:3] == ["f1", "l3", f"{rare}*"]
    assert lines[7].startswith("[low, high]: 95% interval of 100 bootstrap draws over ")
    assert lines[8] == f"* under 10 gold rows: l3 ({rare}): macro_f1 may move on a few rows"
    assert lines[9].startswith("under 50 clusters ")


SYSTEMS = (("majority", 0.0), ("khabar", 2.0))


def test_a_table_of_common_labels_has_no_warning(make):
    shown = table({"khabar": score(make(clusters=100), draws=20)}, ["macro_f1", "f1"])
    assert "*" not in shown and "under" not in shown


def test_a_table_of_unlike_rows_shows_both_counts(make):
    systems = {"a": score(make(rows=60), draws=20), "b": score(make(rows=50), draws=20)}
    assert table(systems, ["accuracy"]).splitlines()[1].split()[1] == "60/50"


def test_a_table_leaves_a_dash_where_nothing_is_known(make):
    systems = {"a": score(make("multi", rare=0.0, clusters=1), draws=20)}
    lines = table(systems, ["average_precision"]).splitlines()
    assert lines[4].split() == ["average_precision", "l3", "0*", "-"]
    assert "[" not in lines[1]


def test_a_table_names_what_exists(make):
    with pytest.raises(ConfigError, match=r"no system has the metric 'f2'.*macro_f1"):
        table({"a": score(make(), draws=20)}, ["f2"])


def test_scores_compare_by_value(make):
    rows = score(make(), draws=20)
    assert Scores(tuple(rows.scores)) == rows
