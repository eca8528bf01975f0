import shlex

import pytest

from khabar import cli
from khabar.config import AnnotatorsConfig, DataConfig, SplitConfig
from khabar.data import dataset, report
from khabar.schema import Task

FOLDS = "khabar train -m data.split.folds=5 data.split.fold=0,1,2,3,4"


@pytest.fixture
def advised(tmp_path, write_jsonl, tasks):
    """Found -> what to do, for rows of one task."""

    def make(rows, task="event_type", **changes):
        plain = [{"id": f"a{n}", **row} for n, row in enumerate(rows)]
        path = str(write_jsonl(tmp_path / "rows.jsonl", plain))
        config = DataConfig(name="m", importer="files", path=path, tasks=(task,), default_tasks=(task,), **changes)
        made = report.build(dataset.load(config, tasks(task), need=()))
        return {action.found: action.do for action in made.actions}

    return make


def rows(labels, count=40, **fields):
    return [{"text": f"خبر رقم {n}", "label": labels[n % len(labels)], **fields} for n in range(count)]


def only(actions, words):
    (do,) = [do for found, do in actions.items() if words in found]
    return do


def test_labels_that_no_row_has_may_be_left_out(advised):
    do = only(advised(rows(["ASSAULT", "PROTEST", "AGREE", "CONSULT"])), "never in train")
    assert "macro-F1 counts a label that test lacks as 0" in do
    keeping = "'task.event_type.labels=[AGREE,CONSULT,PROTEST,ASSAULT]' 'task.event_type.about={}'"
    assert do.endswith(f"or leave out those that no row has, keeping {keeping}")
    pairs = [(key, value) for key, _, value in (word.partition("=") for word in shlex.split(keeping))]
    kept = cli.compose("train", [("task", "event_type"), *pairs])
    assert kept.task["event_type"].labels == ("AGREE", "CONSULT", "PROTEST", "ASSAULT"), "the advice works"
    quad = only(advised(rows(["verbal conflict", "verbal cooperation"]), "event_quad5"), "never in train")
    assert quad.endswith("keeping 'task.event_quad5.labels=[none,verbal cooperation,verbal conflict]'"), (
        "none stands for none"
    )


def test_labels_of_a_task_that_no_file_defines_are_left_out_on_the_command_line(tmp_path, write_jsonl):
    task = Task(name="topic", labels=("اقتصاد", "رياضة", "طقس"))
    path = str(write_jsonl(tmp_path / "rows.jsonl", rows(["اقتصاد", "رياضة"])))
    config = DataConfig(name="m", importer="files", path=path, tasks=("topic",))
    made = report.build(dataset.load(config, {"topic": task}, need=()))
    do = only({action.found: action.do for action in made.actions}, "never in train")
    assert do.endswith("leave out those that no row has, keeping 'task.topic.labels=[اقتصاد,رياضة]'")


def test_no_label_is_left_out_where_one_is_left_or_the_metric_needs_it(advised):
    assert "leave out" not in only(advised(rows(["AID"])), "never in train")
    stances = advised(rows(["favor", "against"], target="الميناء"), "stance_target")
    assert "leave out" not in only(stances, "never in train")


def test_a_label_of_test_alone_asks_for_another_split(advised):
    split = SplitConfig(rule="source", test_values=("قناة",), train_values=("وكالة",))
    fields = [{"source": "وكالة", "label": "AID"}, {"source": "قناة", "label": "PROTEST"}]
    given = [{"text": f"خبر رقم {n}", **fields[n % 2]} for n in range(40)]
    assert "data.split.stratify=true" in only(advised(given, split=split), "never in train")


@pytest.mark.parametrize(
    ("split", "told"),
    [
        ({}, f"add rows, or test every row once, a run a fold: {FOLDS}"),
        ({"stratify": True}, "-m data.split.stratify=true data.split.folds=5"),
        ({"rule": "source"}, "add rows of more sources, or test every row once, a run a fold: khabar train -m "
                             "data.split.rule=source data.split.folds=5"),
        ({"rule": "date", "test_from": "2024-02-01"}, "add rows of more days"),
        ({"rule": "field"}, "add rows"),
        ({"folds": 5}, "add rows"),
    ],
)  # fmt: skip
def test_folds_are_advised_where_they_can_be_cut(advised, split, told):
    given = rows(["AID", "PROTEST"], 60)
    for n, row in enumerate(given):
        row |= {"source": f"وكالة {n}", "date": f"2024-0{1 + n % 2}-01", "split": ("train", "dev", "test")[n % 5 // 2]}
    do = only(advised(given, split=SplitConfig(**split)), "labels with under 10 rows")
    assert do.endswith(told) or f"{told} " in do
    assert ("folds" in told) == ("folds" in do)


def test_no_folds_where_a_file_decides_or_all_is_test(advised, tmp_path, write_jsonl):
    frozen = write_jsonl(
        tmp_path / "s.jsonl", [{"article": f"a{n}", "split": ("train", "test")[n % 4 == 0]} for n in range(40)]
    )
    for split in (SplitConfig(file=str(frozen)), SplitConfig(train=0, dev=0)):
        few = rows(["AID", "PROTEST", "CONSULT", "ASSAULT", "REJECT"])
        assert "folds" not in only(advised(few, split=split), "labels with under 10 rows")


def votes():
    torn = [
        {"id": f"v{n}", "text": f"نص {n}", "label": label, "annotator": name}
        for n in range(60)
        for name, label in (("سلمى", "AID"), ("باسل", "AID" if n % 2 else "PROTEST"))
    ]
    return torn


def test_soft_is_not_advised_where_it_is_on(advised):
    assert "data.annotators.soft=true" in only(advised(votes()), "lost, no majority")
    soft = advised(votes(), annotators=AnnotatorsConfig(soft=True))
    do = only(soft, "lost, no majority")
    assert "soft" not in do and "scored on gold alone" in do
    assert not any("(no majority)" in found for found in soft)


def test_what_macro_f1_does_with_a_label_without_gold():
    import numpy as np

    from khabar.evaluation import metrics

    gold = np.array([[True, False], [True, False]])
    sums = metrics.counts(metrics.Scored(("a", "b"), "single", gold, gold.astype(float), gold, np.arange(2))).sum(0)
    assert metrics.macro_f1(sums) == 0.5, "perfect, and half of it: what the advice says"
