import pytest

from khabar.config import SplitConfig
from khabar.data import split_notes
from khabar.data.corpus import Corpus
from khabar.schema import Article


def corpus(*metas):
    articles = {f"a{n}": Article(id=f"a{n}", text=f"نص {n}", meta=meta) for n, meta in enumerate(metas)}
    return Corpus("c", articles, (), (), (), "MIT", {})


@pytest.mark.parametrize(
    ("config", "told"),
    [
        (SplitConfig(), "hash of the group, 70/15/15; copies stay together"),
        (SplitConfig(stratify=True), "hash of the group, 70/15/15, each rare label spread; copies stay together"),
        (
            SplitConfig(folds=5, fold=4),
            "fold 4 of 5 (from 0) is test, fold 0 dev; hash of the group; copies stay together",
        ),
        (
            SplitConfig(folds=5, fold=1, inner_fold=1),
            "fold 1 of 5 (from 0) is test, fold 2 dev; hash of the group; copies stay together",
        ),
        (SplitConfig(rule="source", train=80, dev=10), "whole sources, by hash where no list names them, 80/10/10"),
        (
            SplitConfig(rule="date", dev_from="2024-05-01", test_from="2024-06-01"),
            "date of the group, dev from 2024-05-01, test from 2024-06-01; copies stay together",
        ),
        (
            SplitConfig(rule="field", field="fold", train_values=("1", "2"), dev_values=(), test_values=("4",)),
            "meta 'fold', train: 1, 2; dev: -; test: 4",
        ),
        (
            SplitConfig(file="s.jsonl"),
            "frozen in s.jsonl; new articles by hash of the group, 70/15/15; copies stay together",
        ),
    ],
)
def test_the_rule_in_words(config, told):
    assert split_notes.rule(config) == told


def test_a_split_that_was_brought_and_is_not_used():
    brought = corpus({"split": "train"}, {"split": "train"}, {"split": "test"})
    assert list(split_notes.notes(SplitConfig(), brought)) == [
        "the articles bring a split (meta 'split': train, test), which rule=hash does not use: "
        "data.split.rule=field keeps it"
    ]
    (some,) = split_notes.notes(SplitConfig(rule="source"), corpus({"split": "train"}, {}))
    assert some.startswith("1 of 2 articles bring a split (meta 'split': train), which rule=source does not use")
    for config in (SplitConfig(rule="field"), SplitConfig(folds=3)):
        assert list(split_notes.notes(config, brought)) == []
    assert list(split_notes.notes(SplitConfig(), corpus({}, {"fold": 1}))) == []


def test_settings_that_the_rule_ignores():
    config = SplitConfig(test_values=("x",), train_values=("y",))
    assert list(split_notes.notes(config, corpus({}))) == [
        "ignored: data.split.train_values, data.split.test_values (rule hash)"
    ]


def test_what_a_frozen_file_names(tmp_path, write_jsonl):
    path = write_jsonl(tmp_path / "s.jsonl", [{"article": name, "split": "dev"} for name in ("a0", "gone", "left")])
    (note,) = split_notes.notes(SplitConfig(file=str(path)), corpus({}, {"split": "x"}))
    assert note == "the frozen split names 3 articles, 1 here and 2 missing; the corpus has 2 articles, 1 new to it"
