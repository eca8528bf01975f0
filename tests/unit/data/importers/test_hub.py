import json

import pytest

from khabar.config import DataConfig, SplitConfig
from khabar.data import corpus, dataset
from khabar.data.importers import hub
from khabar.data.problems import Problems
from khabar.errors import ConfigError, DataError

ROWS = {"train": [("خبر أول", 0), ("خبر ثان", 1)], "validation": [("خبر ثالث", 0)], "test": [("خبر رابع", 2)]}
STANCES = ["favor", "against", "none"]


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))


def config(path, rule="field", **changes):
    return DataConfig(
        name="hub",
        importer="hub",
        path=str(path),
        tasks=("stance_target",),
        default_tasks=("stance_target",),
        split=SplitConfig(rule=rule),
        **changes,
    )


def tables(rows=ROWS, **columns):
    """The splits as `datasets` holds them, the label a coded class."""
    import datasets

    features = datasets.Features(
        {
            "text": datasets.Value("string"),
            "target": datasets.Value("string"),
            "label": datasets.ClassLabel(names=STANCES),
            **{name: datasets.Value("string") for name in columns},
        }
    )
    made = {}
    for split, pairs in rows.items():
        texts, labels = zip(*pairs, strict=True)
        cells = {"text": texts, "target": ["الجسر"] * len(texts), "label": labels}
        cells |= {name: [value] * len(texts) for name, value in columns.items()}
        made[split] = datasets.Dataset.from_dict(cells, features=features)
    return datasets.DatasetDict(made)


def make(folder):
    """A tiny valid data set of this importer."""
    for split, table in tables().items():
        table.to_parquet(folder / f"{split}.parquet")
    (folder / "saved").mkdir()
    tables().save_to_disk(folder / "saved")  # read where it lies, without a copy in the cache
    return config(folder / "saved")


@pytest.fixture
def parquet(tmp_path):
    make(tmp_path)
    import shutil

    shutil.rmtree(tmp_path / "saved")
    return tmp_path


def stances(read):
    return [(read.articles[label.article].text, *label.labels) for label in read.labels]


EXPECTED = [("خبر أول", "favor"), ("خبر ثان", "against"), ("خبر ثالث", "favor"), ("خبر رابع", "none")]


def test_a_folder_of_parquet_keeps_its_splits_and_codes_become_names(parquet, tasks):
    data = dataset.load(config(parquet), tasks("stance_target"))
    assert sorted(stances(data.corpus)) == sorted(EXPECTED)
    assert {split: {example.text for example in rows} for split, rows in data.splits.items()} == {
        "train": {"خبر أول", "خبر ثان"},
        "dev": {"خبر ثالث"},
        "test": {"خبر رابع"},
    }
    assert data.corpus.counts["rows read"] == 4


def test_what_save_to_disk_wrote_reads_alike(tmp_path, parquet, tasks):
    read = corpus.read(config(parquet), tasks("stance_target"))
    (tmp_path / "other").mkdir()
    saved = corpus.read(make(tmp_path / "other"), tasks("stance_target"))
    assert saved.fingerprint == read.fingerprint


def test_csv_by_the_names_of_its_columns(tmp_path, tasks):
    folder = tmp_path / "set"
    folder.mkdir()
    for split in ("train", "test"):
        (folder / f"{split}.csv").write_text(f"tweet,about,stance\nخبر {split},الجسر,favor\n", encoding="utf-8")
    columns = {"text": "tweet", "target": "about", "label": "stance"}
    data = dataset.load(config(folder, columns=columns), tasks("stance_target"))
    assert [len(data.splits[split]) for split in ("train", "dev", "test")] == [1, 0, 1]
    with pytest.raises(DataError, match=r"no column 'text'.*There are: about, split, stance, tweet"):
        corpus.read(config(folder), tasks("stance_target"))


def test_a_table_of_one_split_is_split_by_hash_or_a_column(tmp_path, tasks):
    path = tmp_path / "rows.json"
    path.write_text(
        json.dumps([{"text": "خبر", "target": "الجسر", "label": "favor", "part": "test"}]), encoding="utf-8"
    )
    with pytest.raises(ConfigError, match=r"is all one split, train. Let khabar split it: data.split.rule=hash"):
        corpus.read(config(path), tasks("stance_target"))
    assert len(corpus.read(config(path, "hash"), tasks("stance_target")).labels) == 1
    data = dataset.load(config(path, columns={"split": "part"}), tasks("stance_target"), need=())
    assert len(data.splits["test"]) == 1


def test_a_row_without_a_class_has_no_answer(tmp_path, tasks):
    tables({"train": [("خبر", -1), ("آخر", 1)]}).save_to_disk(tmp_path / "saved")
    read = corpus.read(config(tmp_path / "saved", "hash"), tasks("stance_target"))
    assert stances(read) == [("آخر", "against")]
    assert read.counts["rows without an answer"] == 1


def test_lists_of_classes_become_lists_of_names(tmp_path, tasks):
    import datasets

    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.List(datasets.ClassLabel(names=["AID", "REJECT"]))}
    )
    made = datasets.Dataset.from_dict({"text": ["خبر", "آخر"], "label": [[1, 0], []]}, features=features)
    made.save_to_disk(tmp_path / "saved")
    several = config(tmp_path / "saved", "hash").model_copy(
        update={"tasks": ("event_type",), "default_tasks": ("event_type",)}
    )
    assert [label.labels for label in corpus.read(several, tasks("event_type")).labels] == [("REJECT", "AID"), ()]


def test_a_bad_row_is_named(tmp_path, tasks):
    tables({"train": [("خبر", 1), ("", 1)], "test": [("آخر", 0)]}).save_to_disk(tmp_path / "saved")
    with pytest.raises(DataError, match=r"saved \(train\), row 2: text: empty"):
        corpus.read(config(tmp_path / "saved"), tasks("stance_target"))


def test_a_script_is_refused(tmp_path, tasks):
    folder = tmp_path / "stances"
    folder.mkdir()
    (folder / "stances.py").write_text("raise SystemExit('this code was run')\n")
    with pytest.raises(DataError, match=r"is a script data set: .* khabar never does. .* data=files data.path=FILE"):
        corpus.read(config(folder), tasks("stance_target"))


def test_what_cannot_be_loaded_says_why(tmp_path, tasks, parquet):
    with pytest.raises(DataError, match=r"OWNER-nowhere/NAME can't be read as a data set: Couldn't reach"):
        list(hub.read(config("OWNER-nowhere/NAME"), Problems()))  # the tests are offline
    with pytest.raises(DataError, match="is neither on this machine nor a name on the hub"):
        list(hub.read(config("no such/place/here"), Problems()))
    with pytest.raises(DataError, match=r"can't be read as a data set: BuilderConfig 'other' not found"):
        corpus.read(config(parquet, options={"config": "other"}), tasks("stance_target"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="doesn't contain any data files"):
        corpus.read(config(tmp_path / "empty"), tasks("stance_target"))
    (tmp_path / "a.parquet").write_text("no")
    with pytest.raises(DataError, match=r"a.parquet can't be read as a data set"):
        corpus.read(config(tmp_path / "a.parquet"), tasks("stance_target"))


def test_an_unknown_option_names_those_that_exist(tmp_path, tasks):
    with pytest.raises(ConfigError, match=r"data.options.revison: hub has no such option. Did you mean 'revision'"):
        corpus.read(config(tmp_path, options={"revison": "main"}), tasks("stance_target"))
