import json
from collections import Counter

import pytest

from khabar.config import DataConfig, SplitConfig
from khabar.data import corpus, dataset
from khabar.errors import DataError
from khabar.text.folding import fold

TEXT = "القائمة\nقال المجلس إن الخبر صحيح.\nوأكد شهود ذلك.\nانتهى"


def claim(id_="C-1", **changes):
    return {
        "id": id_,
        "claim": "افتتح المجلس الجسر",
        "fact": "true",
        "article": [TEXT, "حديث عن الطقس."],
        "url": ["http://www.example.org/a", "http://[broken"],
        "stance": ["agree", "unrelated"],
        "rationale": ["[1, 2]", ""],
    } | changes


def make(folder):
    """A tiny valid data set of this importer."""
    return build(folder, [claim()], "Fold_1: C-1 C-7\nFold_2: C-9\n")


def build(folder, claims, folds):
    (folder / "dataset").mkdir()
    for row in claims:
        path = folder / "dataset" / f"{row['id']}.json"
        path.write_text(json.dumps(row, ensure_ascii=False), encoding="utf-8-sig")
    (folder / "train_test_splits.txt").write_text(folds, encoding="utf-8")
    return DataConfig(
        name="unified_fc",
        importer="unified_fc",
        path=str(folder),
        tasks=("stance_claim",),
        default_tasks=("stance_claim",),
        split=SplitConfig(rule="field", field="fold", train_values=("1",), dev_values=("2",), test_values=("3",)),
    )


def test_each_pair_is_an_article_with_its_claim_as_the_question(tmp_path, tasks):
    read = corpus.read(make(tmp_path), tasks("stance_claim"))
    first, second = read.articles.values()
    assert (first.group, first.meta["fold"], first.source, second.source) == ("C-1", "1", "example.org", None)
    agree, unrelated = read.labels
    assert (agree.target, agree.labels, agree.annotator) == ("افتتح المجلس الجسر", ("agree",), "gold")
    assert TEXT[slice(*agree.evidence)] == "قال المجلس إن الخبر صحيح.\nوأكد شهود ذلك."
    assert unrelated.evidence is None
    assert "rationales that name no line of the article" not in read.counts


@pytest.mark.parametrize("rationale", ["[9]", "[-1]", "[1", "{}", '["1"]'])
def test_a_rationale_that_names_no_line_is_left_out_and_counted(tmp_path, tasks, rationale):
    config = build(tmp_path, [claim(rationale=[rationale, ""])], "Fold_1: C-1")
    read = corpus.read(config, tasks("stance_claim"))
    assert read.labels[0].evidence is None
    assert read.counts["rationales that name no line of the article"] == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"stance": ["agree"]}, "no lists of one length"),
        ({"stance": ["agre", "unrelated"]}, "dataset/C-1.json, article 1: labels: 'agre' is no label of stance_claim"),
        ({"article": ["", "نص"]}, "has no text"),
        ({"claim": " "}, "target: blank"),
        ({"claim": None}, "claim: no string"),
        ({"id": "C-2"}, "no fold of train_test_splits.txt names C-2"),
    ],
)
def test_a_bad_claim_is_named(tmp_path, tasks, changes, message):
    with pytest.raises(DataError) as error:
        corpus.read(build(tmp_path, [claim(**changes)], "Fold_1: C-1"), tasks("stance_claim"))
    assert message in str(error.value)


def test_a_missing_key_and_a_missing_folder(tmp_path, tasks):
    row = claim()
    del row["stance"]
    config = build(tmp_path, [row], "Fold_1: C-1")
    with pytest.raises(DataError, match="lacks stance"):
        corpus.read(config, tasks("stance_claim"))
    with pytest.raises(DataError, match="should hold the folder dataset/"):
        corpus.read(config.model_copy(update={"path": str(tmp_path / "dataset")}), tasks("stance_claim"))


@pytest.mark.real_data
def test_the_real_pairs(real, data_config, tasks):
    config = data_config("unified_fc", path=real("unified_fc"))
    data = dataset.load(config, tasks("stance_claim"))
    assert len(data.corpus.articles) == 2429
    assert len({article.group for article in data.corpus.articles.values()}) == 338
    assert Counter(label.labels for label in data.corpus.labels)["disagree",] == 62
    assert sum(label.evidence is not None for label in data.corpus.labels) == 426  # every agree and disagree
    sizes = Counter(data.corpus.articles[e.article].meta["fold"] for part in data.splits.values() for e in part)
    folds = Counter(article.meta["fold"] for article in data.corpus.articles.values())
    assert (sizes["3"], sizes["4"]) == (folds["3"], folds["4"])  # a published dev or test row is never dropped
    dropped = sum(count for what, count in data.counts.items() if what.startswith("train rows"))
    assert dropped == folds["1"] + folds["2"] - len(data.splits["train"]) > 0
    texts = {split: {fold(example.text) for example in rows} for split, rows in data.splits.items()}
    assert not texts["train"] & (texts["dev"] | texts["test"])
    # nothing that tells a true claim from a false one is in what a model reads
    assert not any(e.group in (e.question or "") or e.group in e.text for e in data.splits["test"])
