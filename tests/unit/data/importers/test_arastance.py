import pytest

from khabar.config import DataConfig, SplitConfig
from khabar.data import corpus, dataset
from khabar.errors import DataError

SPELLING = {"stance_claim": {"Agree": "agree", "Disagree": "disagree", "Discuss": "discuss", "Unrelated": "unrelated"}}


def row(claim="افتتح المجلس الجسر", article=("نص أول", "نص ثان"), stance=("Agree", "unrelated"), **more):
    return {"claim": claim, "article": list(article), "stance": list(stance), **more}


ROWS = {
    "train": [row(), row("المجلس أغلق الجسر", ["نص أول آخر"], ["Disagree"], claim_url="http://example.org")],
    "dev": [row("ارتفع سعر القمح", ["نص ثالث"], ["Discuss"])],
    "test": [row("فاز الفريق", ["نص رابع"], ["Agree"])],
}


@pytest.fixture
def build(tmp_path, write_jsonl):
    def written(**changes):
        for split, rows in (ROWS | changes).items():
            write_jsonl(tmp_path / f"{split}.jsonl", rows)
        return config(tmp_path)

    return written


def config(folder):
    return DataConfig(
        name="arastance",
        importer="arastance",
        path=str(folder),
        tasks=("stance_claim",),
        default_tasks=("stance_claim",),
        label_map=SPELLING,
        split=SplitConfig(rule="field"),
        on_leak="drop",
    )


def make(folder):
    """A tiny valid data set of this importer."""
    import json

    for split, rows in ROWS.items():
        lines = "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in rows)
        (folder / f"{split}.jsonl").write_text(lines, encoding="utf-8")
    return config(folder)


def test_each_pair_is_an_article_and_its_file_the_split(build, tasks):
    data = dataset.load(build(), tasks("stance_claim"))
    read = data.corpus
    assert [article.id for article in read.articles.values()] == [
        *("train/1/0", "train/1/1", "train/2/0", "dev/1/0", "test/1/0")
    ]
    assert [label.labels[0] for label in read.labels] == ["agree", "unrelated", "disagree", "discuss", "agree"]
    assert read.labels[0].target == "افتتح المجلس الجسر"
    assert read.articles["train/1/0"].group == read.articles["train/1/1"].group != read.articles["train/2/0"].group
    assert {split: len(rows) for split, rows in data.splits.items()} == {"train": 3, "dev": 1, "test": 1}


def test_an_article_that_recurs_in_test_is_dropped_from_train(build, tasks):
    data = dataset.load(build(test=[row("خبر آخر", ["نَصّ أول"], ["Discuss"])]), tasks("stance_claim"))
    assert {split: len(rows) for split, rows in data.splits.items()} == {"train": 2, "dev": 1, "test": 1}


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (row(stance=["Agree"]), "train.jsonl:1: stance: 1 stances for 2 articles"),
        (row(stance=["Agree", "maybe"]), "train.jsonl:1: labels: 'maybe' is no label of stance_claim"),
        (row(stance=["Agree", 3]), "train.jsonl:1: stance: missing or no list of strings"),
        ({**row(), "article": "نص"}, "train.jsonl:1: article: missing or no list of strings"),
        ({"article": [], "stance": []}, "train.jsonl:1: claim: missing"),
        (row(claim=5), "train.jsonl:1: claim: missing, empty or no string"),
        (row(article=["نص", ""]), "has no text"),
        ("{oops", "train.jsonl:1: line: not JSON"),
        ("[]", "train.jsonl:1: line: a JSON list"),
    ],
)
def test_a_bad_row_is_named(build, tasks, bad, message):
    with pytest.raises(DataError) as error:
        corpus.read(build(train=[bad]), tasks("stance_claim"))
    assert message in str(error.value)


def test_a_missing_file_and_an_empty_one(build, tasks, tmp_path):
    with pytest.raises(DataError, match="No example of stance_claim is in train"):
        dataset.load(build(train=[]), tasks("stance_claim"))
    (tmp_path / "dev.jsonl").unlink()
    with pytest.raises(DataError, match=r"should hold train.jsonl, dev.jsonl and test.jsonl; dev.jsonl is missing"):
        corpus.read(config(tmp_path), tasks("stance_claim"))
