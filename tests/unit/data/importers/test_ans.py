import csv
from collections import Counter

import pytest

from khabar.config import DataConfig, SplitConfig
from khabar.data import corpus, dataset
from khabar.errors import DataError
from khabar.text.folding import fold

TRAIN = [
    ("افتتاح الجسر في القرية", "القرية تفتتح جسرها", "agree"),
    ("القَرية تفتتح جسرَها.", "إغلاق الجسر في القرية", "disagree"),
    ("سعر القمح يرتفع", "فريق المدينة يفوز", "other"),
]
DEV = [("المجلس يقر الموازنة", "المجلس يرفض الموازنة", "disagree")]


def make(folder):
    """A tiny valid data set of this importer."""
    return build(folder, TRAIN, DEV)


def build(folder, train=TRAIN, dev=DEV, header=("s1", "s2", "stance")):
    (folder / "stance").mkdir(exist_ok=True)
    for name, rows in (("train", train), ("dev", dev)):
        with (folder / "stance" / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([header, *rows])
    return DataConfig(
        name="ans",
        importer="ans",
        path=str(folder),
        tasks=("stance_pair",),
        default_tasks=("stance_pair",),
        split=SplitConfig(rule="field"),
        on_leak="drop",
    )


def test_each_pair_is_an_article_with_its_first_headline_as_the_question(tmp_path, tasks):
    read = corpus.read(make(tmp_path), tasks("stance_pair"))
    pairs = [(label.target, read.articles[label.article].text, *label.labels) for label in read.labels]
    assert pairs == TRAIN + DEV
    assert {label.annotator for label in read.labels} == {"gold"}
    assert read.counts["rows read"] == 4
    # neither an id nor what is kept beside the text tells the answer, nor the row's number
    shuffled = tmp_path / "shuffled"
    shuffled.mkdir()
    again = corpus.read(build(shuffled, TRAIN[::-1]), tasks("stance_pair"))
    assert again.articles == read.articles
    assert {tuple(article.meta) for article in read.articles.values()} == {("group", "split")}


def test_pairs_that_share_a_sentence_are_one_group_and_the_published_dev_is_the_test(tmp_path, tasks):
    articles = list(corpus.read(make(tmp_path), tasks("stance_pair")).articles.values())
    assert articles[0].group == articles[1].group
    assert len({article.group for article in articles}) == 3
    assert [article.meta["split"] for article in articles][3:] == ["test"]
    # tied by a pair that comes last
    chain = [("أول", "ثان", "agree"), ("ثالث", "رابع", "agree"), ("رابع", "أول", "other")]
    (tmp_path / "chain").mkdir()
    read = corpus.read(build(tmp_path / "chain", chain), tasks("stance_pair"))
    assert Counter(article.group for article in read.articles.values()).most_common(1)[0][1] == 3


def test_a_tenth_of_the_groups_is_dev(tmp_path, tasks):
    rows = [(f"خبر عن القرية {number}", f"جواب {number}", "agree") for number in range(1000)]
    rows += [(f"خبر عن القرية {number}", f"جواب آخر {number}", "disagree") for number in range(1000)]
    read = corpus.read(build(tmp_path, rows), tasks("stance_pair"))
    sizes = Counter(article.meta["split"] for article in read.articles.values())
    assert sizes["test"] == 1
    assert 140 < sizes["dev"] < 260
    splits = {}
    for article in read.articles.values():
        splits.setdefault(article.group, set()).add(article.meta["split"])
    assert all(len(names) == 1 for names in splits.values())


def test_a_pair_that_comes_twice_is_one_article_with_two_answers(tmp_path, tasks):
    read = corpus.read(build(tmp_path, [TRAIN[0], (*TRAIN[0][:2], "other")]), tasks("stance_pair"))
    assert (len(read.articles), len(read.labels)) == (2, 3)
    assert {label.labels for label in read.labels[:2]} == {("agree",), ("other",)}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("عنوان", "آخر", "agre"), "train.csv:2: labels: 'agre' is no label of stance_pair. Did you mean 'agree'"),
        (("", "آخر", "agree"), "train.csv:2: s1: empty"),
        (("عنوان", " ", "agree"), "train.csv:2: s2: empty"),
        (("عنوان", "آخر", ""), "train.csv:2: stance: empty"),
        (("عنوان", "آخر"), "train.csv:2: line: 2 cells, the header has 3"),
    ],
)
def test_a_bad_row_is_named(tmp_path, tasks, row, message):
    with pytest.raises(DataError) as error:
        corpus.read(build(tmp_path, [row]), tasks("stance_pair"))
    assert message in str(error.value)


def test_a_missing_column_a_missing_file_and_an_empty_one(tmp_path, tasks):
    config = build(tmp_path, header=("s1", "s2", "label"))
    with pytest.raises(DataError, match=r"train.csv has no column stance. It has: s1, s2, label"):
        corpus.read(config, tasks("stance_pair"))
    (tmp_path / "stance" / "train.csv").write_text("")
    with pytest.raises(DataError, match=r"train.csv holds no row"):
        corpus.read(config, tasks("stance_pair"))
    (tmp_path / "stance" / "dev.csv").unlink()
    with pytest.raises(DataError, match=r"dev.csv is missing"):
        corpus.read(config, tasks("stance_pair"))


@pytest.mark.real_data
def test_the_real_pairs(real, data_config, tasks):
    data = dataset.load(data_config("ans", path=real("ans")), tasks("stance_pair"))
    articles = data.corpus.articles.values()
    assert Counter(article.meta["split"] == "test" for article in articles) == {False: 2652, True: 755}
    assert len(data.splits["test"]) == 755
    assert Counter(example.gold for example in data.splits["test"])["other",] == 16
    texts = {split: {fold(example.text) for example in rows} for split, rows in data.splits.items()}
    both = {split: texts[split] | {fold(e.target) for e in rows} for split, rows in data.splits.items()}
    assert not both["train"] & both["dev"]
    assert not texts["train"] & texts["test"]
