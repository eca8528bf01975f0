import hashlib
from collections import Counter
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khabar.config import SplitConfig
from khabar.data import corpus as corpora
from khabar.data import examples as questions
from khabar.data import splits
from khabar.data.corpus import Corpus
from khabar.errors import ConfigError, DataError
from khabar.schema import Article, Example, Task

HASH = SplitConfig(train=70, dev=15)
DATE = SplitConfig(rule="date", dev_from="2024-03-01", test_from="2024-05-01")
SHARES = {"train": 0.70, "dev": 0.15, "test": 0.15}


@dataclass(frozen=True)
class Copies:
    cluster: dict[str, int] = field(default_factory=dict)


@pytest.fixture(autouse=True)
def long_texts_tie(monkeypatch):
    monkeypatch.setattr("khabar.data.duplicates.ties", lambda text: text != "خبر", raising=False)


def article(id_, text=None, date=None, source=None, **meta):
    return Article(id=id_, text=text or f"نص {id_}", date=date, source=source, meta=meta)


def example(of, target=None, task="t", gold=None, span=None):
    id_ = of.id if target is None else f"{of.id}?{target}"
    return Example(id=id_, article=of.id, group=of.group, task=task, text=of.text, target=target, gold=gold, span=span)


def corpus_of(articles):
    return Corpus("c", {each.id: each for each in articles}, (), (), (), "MIT", {})


def split(articles, config=HASH, copies=None, examples=None, tasks=None):
    """Example id -> split; by default one example an article."""
    examples = [example(each) for each in articles] if examples is None else examples
    made = splits.split(examples, corpus_of(articles), config, copies, tasks or {})
    assert list(made) == ["train", "dev", "test"]
    placed = [each.id for part in made.values() for each in part]
    assert sorted(placed) == sorted(each.id for each in examples)  # each in one split, none twice
    return {each.id: name for name, part in made.items() for each in part}


def same(texts):
    """Copies in which texts that begin with the same letter are one cluster."""
    return Copies({text: ord(text[0]) for text in texts})


# A corpus of any shape: groups, sources and days that recur, copies by first letter.
drawn = st.lists(
    st.tuples(
        st.integers(0, 999),
        st.sampled_from("abcdef"),
        st.sampled_from("xyz"),
        st.integers(1, 9),
        st.sampled_from("بتث"),
    ),
    unique_by=lambda row: row[0],
    min_size=1,
    max_size=25,
)


EDGES = [  # so that no rule finds a split empty
    article("first", "أول", "2023-01-01", "x"),
    article("dev", "دائر", "2024-04-01", "y"),
    article("last", "ياء", "2025-01-01", "z"),
]


def articles_of(rows, prefix=""):
    return EDGES * (not prefix) + [
        article(f"{prefix}{id_}", f"{text}{id_}", f"2024-0{month}-10", source, group=f"{prefix}{group}")
        for id_, group, source, month, text in rows
    ]


ANY = [
    HASH,
    DATE,
    SplitConfig(rule="source"),
    SplitConfig(folds=4, fold=1),
    SplitConfig(folds=4, fold=1, inner_fold=2),
    SplitConfig(stratify=True),
    SplitConfig(stratify=True, folds=3),
]
UNMOVED = [config for config in ANY if not config.stratify]


def test_the_bucket_is_the_whole_hash_modulo_100():
    # the published sha256 of nothing
    assert splits.bucket("") == int("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", 16) % 100
    assert splits.bucket("مجموعة") == int(hashlib.sha256("مجموعة".encode()).hexdigest(), 16) % 100


@pytest.mark.parametrize(
    ("config", "pinned"),
    [
        (HASH, "-d---d-d-d-T---T"),
        (SplitConfig(folds=5, fold=3), "T--T-d------T-T-"),
        (SplitConfig(rule="source"), "---T---------T--"),
    ],
)
def test_the_same_on_every_machine(config, pinned):
    articles = [article(f"مقال {number}", source=f"مصدر {number}") for number in range(16)]
    assert (
        "".join({"train": "-", "dev": "d", "test": "T"}[split(articles, config)[each.id]] for each in articles)
        == pinned
    )


@given(st.integers(0, 100), st.integers(0, 100), st.text(min_size=1))
def test_the_buckets_meet_without_gap(train, dev, id_):
    dev = min(dev, 100 - train)
    name = split([article(id_)], SplitConfig(train=train, dev=dev))[id_]
    number = splits.bucket(id_)
    assert name == ("train" if number < train else "dev" if number < train + dev else "test")


def test_the_shares_come_out():
    made = list(split([article(str(number)) for number in range(4000)]).values())
    assert abs(made.count("train") / 4000 - 0.70) < 0.03
    assert abs(made.count("dev") / 4000 - 0.15) < 0.03


# What holds of every rule.


@pytest.mark.parametrize("config", ANY, ids=repr)
@given(drawn, st.randoms())
def test_the_order_of_rows_does_not_matter(config, rows, random):
    articles = articles_of(rows)
    copies = same([each.text for each in articles])
    shuffled = random.sample(articles, len(articles))
    golds = {each.id: (each.source,) for each in articles}
    assert split(articles, config, copies, [example(each, gold=golds[each.id]) for each in articles]) == split(
        shuffled, config, copies, [example(each, gold=golds[each.id]) for each in shuffled]
    )


@pytest.mark.parametrize("config", UNMOVED, ids=repr)
@given(drawn, drawn)
def test_new_articles_that_are_copies_of_nothing_move_none(config, old, new):
    old, new = articles_of(old), articles_of(new, "new ")
    new = [replace(each, text=f"new {each.text}") for each in new]
    copies = Copies({**same([each.text for each in old]).cluster, **{each.text: -at for at, each in enumerate(new)}})
    before = split(old, config, copies)
    after = split([*new, *old], config, copies)
    assert {id_: after[id_] for id_ in before} == before


@pytest.mark.parametrize("config", [config for config in ANY if config.rule in ("hash", "date")], ids=repr)
@given(drawn)
def test_groups_and_copies_are_never_torn(config, rows):
    articles = articles_of(rows)
    made = split(articles, config, same([each.text for each in articles]))
    for one in articles:
        for other in articles:
            if one.group == other.group or one.text[0] == other.text[0]:
                assert made[one.id] == made[other.id]


# Copies.


def test_without_copies_the_rule_is_the_plain_hash():
    articles = [article(str(number)) for number in range(300)]
    lone = Copies({each.text: number for number, each in enumerate(articles)})
    assert split(articles, copies=lone) == split(articles)


def of_split(name, skip=0):
    """A group that its own hash puts there."""
    found = [f"g{n}" for n in range(300) if split([article(f"g{n}")])[f"g{n}"] == name]
    return found[skip]


def test_a_later_copy_follows_its_original():
    copies = Copies({"نص واحد": 1, "نص واحد.": 1})
    for first, later in (("train", "test"), ("test", "train"), ("dev", "test")):
        original = article("one", "نص واحد", "2024-01-01", group=of_split(first))
        copy = article("two", "نص واحد.", "2024-01-02T08:00:00Z", group=of_split(later))
        undated = article("two", "نص واحد.", None, group=of_split(later))
        assert split([original, copy], copies=copies) == {"one": first, "two": first}
        assert split([original, undated], copies=copies) == {"one": first, "two": first}
        assert split([original, copy]) == {"one": first, "two": later}


def test_undated_copies_go_where_the_smallest_hash_goes():
    groups = sorted((of_split("train"), of_split("test")), key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    articles = [article(name, "نص واحد", group=name) for name in groups]
    made = split(articles, copies=Copies({"نص واحد": 1}))
    assert set(made.values()) == {split([articles[0]])[groups[0]]}


def test_what_ties_two_groups():
    one, two = (
        article("one", "خبر أول. جملة", group=of_split("train")),
        article("two", "خبر ثان. جملة", group=of_split("test")),
    )
    copies = Copies({one.text: 1, two.text: 2, "جملة": 3, "خبر": 4, "زعم": 5, "زعم!": 5})
    claim = {"t": Task(name="t", labels=("a", "b"), asks=("target",), target_is="text")}
    topic = {"t": Task(name="t", labels=("a", "b"), asks=("target",))}

    def tied(spans=(None, None), targets=(None, None), tasks=None):
        rows = [example(each, targets[at], span=spans[at]) for at, each in enumerate((one, two))]
        return len(set(split([one, two], HASH, copies, rows, tasks).values())) == 1

    assert tied(spans=((9, 13), (9, 13)))  # the sentence that is classified
    assert not tied(spans=((0, 3), (0, 3)))  # copies of which tie nothing
    assert tied(targets=("زعم", "زعم!"), tasks=claim)
    assert not tied(targets=("زعم", "زعم!"), tasks=topic)
    assert not tied()


def test_ties_pass_on():
    names = [of_split("train"), of_split("dev"), of_split("test")]
    articles = [
        article(f"{name}{at}", text, group=name)
        for name, text in zip(names, ("ab", "bc", "ca"), strict=True)
        for at, text in enumerate(text)
    ]
    made = split(articles, copies=Copies({"a": 1, "b": 2, "c": 3}))
    assert len(set(made.values())) == 1


def test_an_article_without_an_answer_ties_too():
    one, two = article("one", "نص", group=of_split("train")), article("two", "نص آخر", group=of_split("test"))
    between = article("three", "نص آخر", group=one.group)
    copies = Copies({"نص": 1, "نص آخر": 2})
    made = splits.split([example(one), example(two)], corpus_of([one, two, between]), HASH, copies)
    assert sorted(map(len, made.values())) == [0, 0, 2]


# Rare labels.


def test_rare_labels_get_their_share():
    articles = [article(str(number)) for number in range(1000)]
    golds = {each.id: ("rare",) if number % 50 == 0 else ("common",) for number, each in enumerate(articles)}
    made = split(
        articles, SplitConfig(stratify=True), examples=[example(each, gold=golds[each.id]) for each in articles]
    )
    assert Counter(name for id_, name in made.items() if golds[id_] == ("rare",)) == {"train": 14, "dev": 3, "test": 3}
    plain = split(articles)
    assert all(made[id_] == plain[id_] for id_ in made if golds[id_] == ("common",))


def test_a_unit_counts_by_its_examples_and_goes_by_its_rarest_label():
    articles = [article(str(number), group=str(number % 40)) for number in range(400)]
    golds = {
        each.id: ("rare", "less") if int(each.group) < 10 else ("less",) if int(each.group) < 20 else ()
        for each in articles
    }
    made = split(
        articles,
        SplitConfig(stratify=True, train=50, dev=30),
        examples=[example(each, gold=golds[each.id]) for each in articles],
    )
    assert Counter(name for id_, name in made.items() if "rare" in golds[id_]) == {"train": 50, "dev": 30, "test": 20}
    assert Counter(name for id_, name in made.items() if golds[id_] == ("less",)) == {
        "train": 50,
        "dev": 30,
        "test": 20,
    }


def test_stratified_folds_share_the_rare_labels():
    articles = [article(str(number)) for number in range(20)]
    rows = [example(each, gold=("rare",)) for each in articles]
    tested = Counter()
    for fold in range(5):
        made = split(articles, SplitConfig(stratify=True, folds=5, fold=fold), examples=rows)
        assert Counter(made.values()) == {"train": 12, "dev": 4, "test": 4}
        tested.update(id_ for id_, name in made.items() if name == "test")
    assert set(tested.values()) == {1} and len(tested) == 20


# Folds.


@pytest.mark.parametrize("rule", ["hash", "source"])
@pytest.mark.parametrize("stratify", [False, True])
@given(drawn, st.integers(3, 6))
def test_every_row_is_test_once_and_dev_once_inside(rule, stratify, rows, folds):
    articles = articles_of(rows)
    examples = [example(each, gold=(each.group,)) for each in articles]
    tested = Counter()
    for fold in range(folds):
        outer = split(articles, SplitConfig(rule=rule, stratify=stratify, folds=folds, fold=fold), examples=examples)
        tested.update(id_ for id_, name in outer.items() if name == "test")
        dev = Counter()
        for inner in range(folds - 1):
            config = SplitConfig(rule=rule, stratify=stratify, folds=folds, fold=fold, inner_fold=inner)
            made = split(articles, config, examples=examples)
            assert [id_ for id_ in made if made[id_] == "test"] == [id_ for id_ in outer if outer[id_] == "test"]
            dev.update(id_ for id_, name in made.items() if name == "dev")
        assert dev == Counter(id_ for id_ in outer if outer[id_] != "test")
    assert tested == Counter(each.id for each in articles)


def test_dev_is_the_next_fold():
    articles = [article(str(number)) for number in range(100)]
    for fold in range(4):
        made = split(articles, SplitConfig(folds=4, fold=fold))
        following = split(articles, SplitConfig(folds=4, fold=(fold + 1) % 4))
        assert {id_ for id_ in made if made[id_] == "dev"} == {id_ for id_ in following if following[id_] == "test"}


# Dates.


def test_dates():
    days = {"a": "2024-02-29", "b": "2024-03-01", "c": "2024-04-30T23:59:00Z", "d": "2024-05-01"}
    made = split([article(id_, date=day) for id_, day in days.items()], DATE)
    assert made == {"a": "train", "b": "dev", "c": "dev", "d": "test"}
    made = split(
        [article(id_, date=day) for id_, day in days.items()], SplitConfig(rule="date", test_from="2024-05-01")
    )
    assert made == {"a": "train", "b": "train", "c": "train", "d": "test"}


def test_a_story_goes_by_its_earliest_day():
    articles = [
        article("a", "أول", "2024-01-01", group="story"),
        article("b", "ثان", "2024-06-01", group="story"),
        article("c", "ثان.", "2024-07-01"),
        article("d", "ثالث", "2024-07-01"),
        article("e", "رابع", "2024-03-02"),
    ]
    made = split(articles, DATE, Copies({"أول": 1, "ثان": 2, "ثان.": 2, "ثالث": 3, "رابع": 4}))
    assert made == {"a": "train", "b": "train", "c": "train", "d": "test", "e": "dev"}


@pytest.mark.parametrize("date", [None, "", "01/05/2024", "2024-13-01", "٢٠٢٤-٠٥-٠١", "20240501"])
def test_an_article_without_a_date(date):
    articles = [article("a", date="2024-01-01"), article("b", date=date), article("c", date="2024-06-01")]
    with pytest.raises(DataError, match=r"goes by date, which 1 of 3 articles lack or do not write as YYYY-MM-DD.*'b'"):
        split(articles, DATE)
    assert len(split(articles, copies=Copies({each.text: 1 for each in articles}))) == 3  # no date is needed elsewhere


def test_dates_that_miss_the_corpus():
    articles = [article(str(number), date=f"2023-01-{number + 1:02}") for number in range(20)]
    expected = (
        r"With data.split.dev_from=2024-03-01 data.split.test_from=2024-05-01 nothing is in dev or test. The articles "
        r"are of 2023-01-01 to 2023-01-20; data.split.dev_from=2023-01-15 data.split.test_from=2023-01-18 cuts them "
        r"70% / 15% / 15%"
    )
    with pytest.raises(DataError, match=expected):
        split(articles, DATE)
    with pytest.raises(DataError, match=r"nothing is in test.*; data.split.test_from=2023-01-18 cuts them 85% / 15%"):
        split(articles, SplitConfig(rule="date", test_from="2024-01-01"))
    with pytest.raises(DataError, match="The articles are of 2023-01-01 and 2023-01-02 only"):
        split(articles[:2], DATE)
    # an older model may be scored on newer articles
    assert set(split(articles, SplitConfig(rule="date", test_from="2020-01-01")).values()) == {"test"}


def test_the_advised_dates_leave_nothing_empty():
    days = ["2023-01-01"] * 90 + ["2023-01-02", "2023-01-03"]
    articles = [article(str(number), date=day) for number, day in enumerate(days)]
    with pytest.raises(DataError, match=r"data.split.dev_from=2023-01-02 data.split.test_from=2023-01-03 cuts"):
        split(articles, DATE)


# Sources and targets.


def test_named_sources():
    names = ["وكالة", "صحيفة", "قناة", "إذاعة"]
    articles = [article(f"{name}{number}", source=name) for name in names for number in range(3)]
    config = SplitConfig(rule="source", test_values=("اذاعة",), dev_values=("قناة",), train=100, dev=0)
    made = split(articles, config, copies=same([each.text for each in articles]))  # copies tie no sources
    assert {id_ for id_ in made if made[id_] == "test"} == {f"إذاعة{number}" for number in range(3)}
    assert {id_ for id_ in made if made[id_] == "dev"} == {f"قناة{number}" for number in range(3)}
    with pytest.raises(
        ConfigError, match=r"data.split.test_values names the source 'قنات', which no row has. Did you mean 'قناة'"
    ):
        split(articles, SplitConfig(rule="source", test_values=("قنات",)))


def test_the_default_values_name_nothing_unless_something_is_called_so():
    assert split([article("a", source="test")], SplitConfig(rule="source")) == {"a": "test"}
    assert split([article("a", source="آخر")], SplitConfig(rule="source", train=100, dev=0)) == {"a": "train"}


def test_an_article_without_a_source():
    with pytest.raises(DataError, match=r"goes by source, which 1 examples of t lack, such as 'b'. Add the source"):
        split([article("a", source="وكالة"), article("b")], SplitConfig(rule="source"))


def test_an_unseen_target():
    articles = [article(str(number)) for number in range(6)]
    rows = [example(each, target) for each in articles for target in ("التعليم", "الصحة", "الصِحّة.")]
    config = SplitConfig(rule="target", test_values=("الصحة",), train=100, dev=0)
    made = split(articles, config, examples=rows)
    assert all((name == "test") == (not id_.endswith("التعليم")) for id_, name in made.items())
    with pytest.raises(DataError, match="goes by target, which 6 examples of t lack"):
        split(articles, config, examples=[*rows, *(example(each) for each in articles)])


@given(st.sets(st.text("بتثجح", min_size=1)), st.sets(st.text("بتثجح", min_size=1)))
def test_new_targets_move_none(old, new):
    config = SplitConfig(rule="target")
    one = article("one")
    before = split([one], config, examples=[example(one, target) for target in sorted(old)])
    after = split([one], config, examples=[example(one, target) for target in sorted(old | new, reverse=True)])
    assert {id_: after[id_] for id_ in before} == before


# What others decided.


def test_a_published_split():
    config = SplitConfig(rule="field", field="fold", train_values=("1", "2"), dev_values=("3",), test_values=("4",))
    made = split(
        [
            article("a", fold=1, group="g"),
            article("b", fold="2"),
            article("c", fold="3"),
            article("d", fold="4", group="g"),
        ],
        config,
        Copies({"نص a": 1, "نص c": 1}),  # not ours to put together
    )
    assert made == {"a": "train", "b": "train", "c": "dev", "d": "test"}
    with pytest.raises(
        DataError, match=r"'e' has fold '5', which no split names.*data.split.train_values=\['1', '2'\]"
    ):
        split([article("e", fold="5")], config)
    with pytest.raises(DataError, match=r"meta\['fold'\], which the article 'f' lacks.*Did you mean 'folds'"):
        split([article("f", folds="5")], config)
    with pytest.raises(DataError, match=r"'g' lacks, as it lacks any such column. Add one .*data.split.rule=hash"):
        split([article("g")], config)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"test_from": "2024-01-01"}, "test_from is for the rule date, and rule is hash: set data.split.rule=date, or"),
        ({"dev_from": "2024-01-01", "test_from": "2024-02-01", "rule": "source"}, "dev_from and test_from are for"),
        ({"fold": 1}, "fold needs folds.*data.split.folds=5"),
        ({"inner_fold": 0}, "inner_fold needs folds"),
    ],
)
def test_what_the_rule_does_not_use_is_refused(fields, told):
    with pytest.raises(ValueError, match=told):
        SplitConfig(**fields)


@pytest.mark.parametrize(
    ("config", "ignored"),
    [
        (HASH, ()),
        (DATE, ()),
        (SplitConfig(rule="field", field="fold", test_values=("4",)), ()),
        (SplitConfig(rule="target", test_values=("الصحة",), train=85), ()),
        (SplitConfig(test_values=("x",), field="fold"), ("field", "test_values")),
        (SplitConfig(rule="source", field="fold"), ("field",)),
        (SplitConfig(rule="field", train=80), ("train",)),
        (SplitConfig(folds=5, train=80, dev=10), ("train", "dev")),
    ],
)
def test_what_a_data_set_may_have_brought_is_told(config, ignored):
    assert config.ignored == ignored


# A frozen split.


def frozen_at(path, articles, config, copies=None):
    made = splits.split([example(each) for each in articles], corpus_of(articles), config, copies)
    splits.freeze(made, path, corpus_of(articles), config)
    return config.model_copy(update={"file": str(path)})


@pytest.mark.parametrize("config", [*UNMOVED, SplitConfig(stratify=True)], ids=repr)
@given(old=drawn, new=drawn)
def test_a_frozen_row_never_moves(config, old, new, tmp_path_factory):
    old = articles_of(old)
    new = [replace(each, date="2020-01-01") for each in articles_of(new, "new ")]
    copies = same([each.text for each in [*old, *new]])
    before = split(old, config, copies)
    file = frozen_at(tmp_path_factory.mktemp("frozen") / "split.jsonl", old, config, copies)
    after = split([*new, *old], file, copies)
    assert {id_: after[id_] for id_ in before} == before
    changed = [article(each.id, f"تغير {each.id}", group="another", source="other") for each in old]
    assert split(changed, file) == before  # whatever is left to go by, even no date


def test_what_is_new_joins_what_is_frozen(tmp_path):
    old = [article(f"old {name}", f"نص {name}", group=of_split(name)) for name in ("train", "dev", "test")]
    file = frozen_at(tmp_path / "split.jsonl", old, HASH)
    new = [
        article("a", "آخر", group=old[0].group),
        article("b", "نص train", "2000-01-01", group=of_split("test", 1)),
        article("c", "نص test", group=of_split("train", 2)),
        article("d", "نص dev", group=of_split("test", 3)),
        article("e", "نص train", group=of_split("test", 3)),
        article("f", "وحده", group=of_split("test", 4)),
    ]
    copies = Copies({"آخر": 0, "نص train": 1, "نص dev": 2, "نص test": 3, "وحده": 4})
    made = split([*old, *new], file, copies)
    assert [made[each.id] for each in old] == ["train", "dev", "test"]
    # d and e tie train and dev together, so what is new of both is dev
    assert {each.id: made[each.id] for each in new} == {
        "a": "dev",
        "b": "dev",
        "c": "test",
        "d": "dev",
        "e": "dev",
        "f": "test",
    }


def test_a_frozen_target(tmp_path):
    one, two = article("one"), article("two")
    config = SplitConfig(rule="target", test_values=("الصحة",), train=100, dev=0)
    rows = [example(one, "الصحة"), example(one, "التعليم")]
    splits.freeze(splits.split(rows, corpus_of([one]), config), tmp_path / "f.jsonl", corpus_of([one]), config)
    other = SplitConfig(rule="target", train=0, dev=100, file=str(tmp_path / "f.jsonl"))
    asked = ("الصحة", "التعليم", "الزراعة", "الصحَّة")
    made = split([one, two], other, examples=[example(each, target) for each in (one, two) for target in asked])
    assert made == {
        **{"one?الصحة": "test", "one?التعليم": "train", "one?الزراعة": "dev", "one?الصحَّة": "test"},
        **{"two?الصحة": "test", "two?التعليم": "train", "two?الزراعة": "dev", "two?الصحَّة": "test"},
    }


def test_the_rule_decides_what_the_file_does_not_need_to(tmp_path):
    undated = article("old")
    file = frozen_at(tmp_path / "split.jsonl", [undated], HASH)
    config = DATE.model_copy(update={"file": file.file})
    new = [article("early", date="2024-01-01"), article("late", date="2024-06-01"), article("mid", date="2024-04-01")]
    assert split([undated, *new], config) == {
        "old": split([undated])["old"],
        "early": "train",
        "late": "test",
        "mid": "dev",
    }


# The sets of DATA.md keep the splits that were published for them.


@pytest.mark.real_data
def test_un_quadclass_splits_by_the_plain_bucket(real, data_config, tasks):
    asked = tasks("event_quad")
    config = data_config("un_quadclass", path=real("un_quadclass"))
    corpus = corpora.read(config, asked)
    rows, _ = questions.examples(corpus, asked["event_quad"])
    made = splits.split(rows, corpus, config.split)
    for name, part in made.items():
        assert part
        for each in part:
            number = int(hashlib.sha256(each.id.rsplit("/", 1)[0].encode()).hexdigest(), 16) % 100
            assert name == ("train" if number < 70 else "dev" if number < 85 else "test")


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "task", "rarest", "plain", "stratified"),
    [
        ("un_quadclass", "event_quad", "verbal conflict", 0.05, 0.01),
        ("unified_fc", "stance_claim", "disagree", 0.2, 0.03),
    ],
)
def test_stratified_splits_hold_their_share_of_the_rarest_label(
    name, task, rarest, plain, stratified, real, data_config, tasks
):
    asked = tasks(task)
    corpus = corpora.read(data_config(name, path=real(name)), asked)
    rows, _ = questions.examples(corpus, asked[task])

    def distance(config):
        made = splits.split(rows, corpus, config)
        counts = {name: sum(rarest in each.gold for each in part) for name, part in made.items()}
        return sum(abs(counts[name] / sum(counts.values()) - SHARES[name]) for name in counts) / 2

    assert distance(HASH) > plain
    assert distance(SplitConfig(stratify=True)) < stratified
