import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khabar.config import SplitConfig
from khabar.data import splits
from khabar.data.corpus import Corpus
from khabar.errors import DataError
from khabar.schema import Article, Example

HASH = SplitConfig(train=70, dev=15)


def article(id_, **meta):
    return Article(id=id_, text=f"نص {id_}", meta=meta)


def split(articles, config=HASH):
    corpus = Corpus("c", {each.id: each for each in articles}, (), (), (), "MIT", {})
    examples = [Example(id=each.id, article=each.id, group=each.group, task="t", text=each.text) for each in articles]
    made = splits.split(examples, corpus, config)
    return {example.id: name for name, part in made.items() for example in part}


def test_the_bucket_is_the_whole_hash_modulo_100():
    # the published sha256 of nothing
    assert splits.bucket("") == int("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", 16) % 100
    assert splits.bucket("مجموعة") == int(hashlib.sha256("مجموعة".encode()).hexdigest(), 16) % 100


@given(st.sets(st.text(min_size=1)), st.sets(st.text(min_size=1)))
def test_adding_articles_never_moves_old_ones(old, new):
    before = split([article(id_) for id_ in sorted(old)])
    after = split([article(id_) for id_ in sorted(old | new, reverse=True)])
    assert {id_: after[id_] for id_ in before} == before


@given(st.lists(st.tuples(st.integers(0, 99), st.sampled_from("abcdef")), unique_by=lambda pair: pair[0]))
def test_a_group_is_never_torn(pairs):
    made = split([article(str(id_), group=group) for id_, group in pairs])
    for name in "abcdef":
        assert len({made[str(id_)] for id_, group in pairs if group == name}) <= 1


@given(st.integers(0, 100), st.integers(0, 100), st.text(min_size=1))
def test_the_buckets_meet_without_gap(train, dev, id_):
    dev = min(dev, 100 - train)
    name = splits.assign(article(id_), SplitConfig(train=train, dev=dev))
    number = splits.bucket(id_)
    assert name == ("train" if number < train else "dev" if number < train + dev else "test")


def test_the_shares_come_out():
    made = list(split([article(str(number)) for number in range(4000)]).values())
    assert abs(made.count("train") / 4000 - 0.70) < 0.03
    assert abs(made.count("dev") / 4000 - 0.15) < 0.03


def test_a_published_split():
    config = SplitConfig(rule="field", field="fold", train_values=("1", "2"), dev_values=("3",), test_values=("4",))
    made = split([article("a", fold=1), article("b", fold="2"), article("c", fold="3"), article("d", fold="4")], config)
    assert made == {"a": "train", "b": "train", "c": "dev", "d": "test"}
    with pytest.raises(
        DataError, match=r"'e' has fold '5', which no split names.*data.split.train_values=\['1', '2'\]"
    ):
        split([article("e", fold="5")], config)
    with pytest.raises(DataError, match=r"meta\['fold'\], which the article 'f' lacks.*Did you mean 'folds'"):
        split([article("f", folds="5")], config)
