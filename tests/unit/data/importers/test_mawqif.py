import csv
from collections import Counter

import pytest

from khabar.config import DataConfig
from khabar.data import corpus, dataset
from khabar.errors import DataError

HEADER = [
    *("ID", "text", "target", "stance", "stance:confidence", "against_reason", "favor_reason", "none_reason"),
    *("sarcasm", "sarcasm:confidence", "sentiment", "sentiment:confidence", "datetime", "Date"),
]
SPELLING = {"stance_target": {"Favor": "favor", "Against": "against", "None": "none"}}


def tweet(
    id_="1", text=" اللقاح متوفر في القرية", stance="Favor", target="Covid Vaccine", day="2022-04-28 11:12:56+00:00"
):
    return [id_, text, target, stance, "1", "", "F_Explicit", "", "No", "1", "Positive", "1", day, "28/04/2022"]


def make(folder):
    """A tiny valid data set of this importer."""
    return build(folder, [tweet(), tweet("2", "اللِّقاح متوفر في القرية!!", "None"), tweet("4", "لا جديد", "Against")])


def build(folder, rows, header=HEADER):
    path = folder / "Mawqif_AllTargets_Train.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return DataConfig(
        name="mawqif",
        importer="mawqif",
        path=str(folder),
        tasks=("stance_target",),
        default_tasks=("stance_target",),
        label_map=SPELLING,
        on_leak="drop",
    )


def test_tweets_are_read_raw_and_none_is_a_word(tmp_path, tasks):
    config = make(tmp_path)
    read = corpus.read(config, tasks("stance_target"))
    first, second, third = read.articles.values()
    assert (first.text, first.date) == (" اللقاح متوفر في القرية", "2022-04-28")
    assert first.group == second.group != third.group
    assert [(label.target, label.labels) for label in read.labels] == [
        ("Covid Vaccine", ("favor",)),
        ("Covid Vaccine", ("none",)),
        ("Covid Vaccine", ("against",)),
    ]
    assert all(set(article.meta) == {"group"} for article in read.articles.values())
    assert read.counts["Mawqif_AllTargets_Train.csv read as utf-8-sig"] == 1
    file = config.model_copy(update={"path": str(tmp_path / "Mawqif_AllTargets_Train.csv")})
    assert corpus.read(file, tasks("stance_target")).fingerprint == read.fingerprint


def test_a_date_that_is_none_is_counted(tmp_path, tasks):
    read = corpus.read(build(tmp_path, [tweet(day="yesterday")]), tasks("stance_target"))
    assert read.articles["1"].date is None
    assert read.counts["tweets without a date that can be read"] == 1


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (tweet(stance=""), ":2: stance: empty"),
        (tweet(stance="Favour"), ":2: labels: 'Favour' is no label of stance_target"),
        (tweet(target=" "), ":2: target: empty"),
        (tweet(id_=""), ":2: ID: empty"),
        (tweet(text=" "), "has no text"),
        (tweet()[:5], ":2: line: 5 cells, the header has 14"),
    ],
)
def test_a_bad_row_is_named(tmp_path, tasks, row, message):
    with pytest.raises(DataError) as error:
        corpus.read(build(tmp_path, [row]), tasks("stance_target"))
    assert message in str(error.value)


def test_an_id_that_comes_twice(tmp_path, tasks):
    with pytest.raises(DataError, match="the article '1' exists already"):
        corpus.read(build(tmp_path, [tweet(), tweet(text="آخر")]), tasks("stance_target"))


def test_a_missing_column_a_missing_file_and_an_empty_one(tmp_path, tasks):
    config = build(tmp_path, [], [name for name in HEADER if name != "stance"])
    with pytest.raises(DataError, match=r"Train.csv has no column stance. It has: ID, text, target"):
        corpus.read(config, tasks("stance_target"))
    path = tmp_path / "Mawqif_AllTargets_Train.csv"
    path.write_text("")
    with pytest.raises(DataError, match="holds no row"):
        corpus.read(config, tasks("stance_target"))
    path.unlink()
    with pytest.raises(DataError, match=r"should be the folder of Mawqif_AllTargets_Train.csv"):
        corpus.read(config, tasks("stance_target"))


@pytest.mark.real_data
def test_the_real_tweets(real, data_config, tasks):
    data = dataset.load(data_config("mawqif", path=real("mawqif")), tasks("stance_target"))
    read = data.corpus
    assert len(read.articles) == 3502
    counts = {"favor": 2148, "against": 1021, "none": 333}
    assert Counter(label.labels[0] for label in read.labels) == counts
    assert all(article.date for article in read.articles.values())
    assert len({article.group for article in read.articles.values()}) == 3488
    assert {label.target for label in read.labels} == {"Women empowerment", "Covid Vaccine", "Digital Transformation"}
