import pytest

from khabar.config import AnnotatorsConfig, AuditConfig, DataConfig, SplitConfig
from khabar.data import dataset, splits
from khabar.errors import ConfigError, DataError
from khabar.schema import Task

WORDS = ["سماء", "أرض", "بحر", "جبل", "نهر", "سهل", "مدينة", "قرية", "طريق", "جسر"]


@pytest.fixture
def config(tmp_path, write_jsonl):
    rows = []
    for number in range(60):
        label = ("REJECT", "AID", "")[number % 3]
        rows.append({"id": f"n{number}", "text": f"خبر {number} {WORDS[number % 10]}", "label": label})
    path = write_jsonl(tmp_path / "rows.jsonl", rows)
    return DataConfig(
        name="mine", importer="files", path=str(path), tasks=("event_type", "stance"), default_tasks=("event_type",)
    )


def ids(data):
    return {name: [example.id for example in part] for name, part in data.splits.items()}


def test_load(config, tasks):
    data = dataset.load(config, tasks("event_type"))
    assert list(data.splits) == ["train", "dev", "test"]
    assert sum(map(len, data.splits.values())) == 60
    assert all(splits.bucket(example.group) < 70 for example in data.splits["train"])
    assert data.counts == {}
    assert ids(data) == ids(dataset.load(config, tasks("event_type")))


def test_the_summary_says_all(config, tasks):
    lines = dataset.load(config, tasks("event_type")).summary().splitlines()
    assert lines[0].startswith("mine: 60 articles, 60 labels, licence not stated, fingerprint ")
    assert lines[1].split() == ["train", "dev", "test"]
    assert lines[2].split()[0] == "event_type"
    aid = next(line for line in lines if line.split()[0] == "AID")
    assert sum(map(int, aid.split()[1:])) == 20
    assert any(line.strip().startswith("(none of them)") for line in lines)
    assert lines[-1].startswith("warning: event_type: never in train: AGREE, CONSULT")


def test_a_task_that_is_not_offered(config, tasks):
    with pytest.raises(ConfigError, match=r"'mine' does not offer 'event_quad'. .*There are: event_type, stance"):
        dataset.load(config, tasks("event_quad"))
    with pytest.raises(ConfigError, match="No task was asked for; mine offers event_type, stance"):
        dataset.load(config, {})


def test_an_empty_split(config, tasks):
    nothing = config.model_copy(update={"split": SplitConfig(train=0, dev=0)})
    with pytest.raises(DataError, match=r"No example of event_type is in train. Change data.split"):
        dataset.load(nothing, tasks("event_type"))
    data = dataset.load(nothing, tasks("event_type"), need=("test",))
    assert "event_type: train is empty" in data.warnings
    assert "warning: event_type: dev is empty" in data.summary()


def test_a_limit_is_the_same_rows_every_time_and_nested(config, tasks):
    def limited(limit):
        return dataset.load(config.model_copy(update={"limit": limit}), tasks("event_type"))

    whole, five, three = ids(dataset.load(config, tasks("event_type"))), ids(limited(5)), ids(limited(3))
    for name in whole:
        assert len(three[name]) == 3
        assert set(three[name]) < set(five[name]) <= set(whole[name])
        assert five[name] == [id_ for id_ in whole[name] if id_ in five[name]]


def test_the_fingerprint_sees_what_decides_the_examples(config, tasks):
    asked = tasks("event_type")
    data = dataset.load(config, asked)
    for change in ({"limit": 5}, {"split": SplitConfig(train=60, dev=20)}, {"on_leak": "warn"}):
        assert dataset.load(config.model_copy(update=change), asked).fingerprint != data.fingerprint
    other = {"event_type": asked["event_type"].model_copy(update={"labels": (*asked["event_type"].labels, "X")})}
    assert dataset.load(config, other).fingerprint != data.fingerprint
    about = {"event_type": asked["event_type"].model_copy(update={"about": {}, "pool": "max"})}
    assert dataset.load(config, about).fingerprint == data.fingerprint


def test_what_a_leak_costs_is_in_the_fingerprint_and_nothing_else_of_it(config, tasks):
    stop, drop, warn = (
        dataset.load(config, tasks("event_type"), AuditConfig(on_leak=on_leak)).fingerprint
        for on_leak in ("stop", "drop", "warn")
    )
    assert stop == drop != warn, "where khabar splits, leaks go unless one is only warned"


def test_leaks_of_a_brought_split_stop_the_run_or_are_counted(tmp_path, write_jsonl, tasks, config):
    rows = [
        {"text": "أعلن القرار", "label": "AID", "split": "train"},
        {"text": "اعلن القرار.", "label": "AID", "split": "test"},
        {"text": "خبر ثان", "label": "AID", "split": "train"},
    ]
    path = str(write_jsonl(tmp_path / "leaky.jsonl", rows))
    mine = config.model_copy(update={"path": path, "split": SplitConfig(rule="field")})
    with pytest.raises(DataError, match="1 train row whose text is in dev or test, normalised copy"):
        dataset.load(mine, tasks("event_type"))
    for data in (
        dataset.load(mine.model_copy(update={"on_leak": "drop"}), tasks("event_type")),
        dataset.load(mine, tasks("event_type"), AuditConfig(on_leak="drop")),
    ):
        assert [len(part) for part in data.splits.values()] == [1, 0, 1]
        assert "train rows whose text is in dev or test, normalised copy, dropped: 1" in data.summary()


def test_copies_stay_together_where_khabar_splits(tmp_path, write_jsonl, tasks, config):
    train = next(f"g{n}" for n in range(100) if splits.bucket(f"g{n}") < 70)
    test = next(f"g{n}" for n in range(100) if splits.bucket(f"g{n}") >= 85)
    story = "أعلنت نقابة عمال الميناء في سلوان تعليق الإضراب بعد اتفاق مع هيئة الموانئ على إعادة المفصولين إلى العمل"
    wire = f"سلوان - {story} فجر الجمعة"
    short = "نعم"
    rows = [{"text": text, "label": "AID", "group": group} for text, group in
            ((story, train), (wire, test), (short, train), (short, test), ("خبر لا شبيه له", train))]  # fmt: skip
    data = dataset.load(
        config.model_copy(update={"path": str(write_jsonl(tmp_path / "wire.jsonl", rows))}), tasks("event_type")
    )
    where = {example.text: name for name, part in data.splits.items() for example in part}
    assert where[story] == where[wire]
    texts = {name: {example.text for example in part} for name, part in data.splits.items()}
    assert not texts["train"] & texts["test"], "what is too short to tie groups together leaves train"


def test_a_row_without_majority_trains_on_its_votes_and_is_never_scored(tmp_path, write_jsonl, tasks, config):
    rows = []
    for number in range(40):
        for annotator, label in (("a", "AID"), ("b", "REJECT" if number % 4 == 0 else "AID")):
            rows.append({"text": f"خبر رقم {number}", "label": label, "annotator": annotator})
    path = str(write_jsonl(tmp_path / "votes.jsonl", rows))
    update = {"path": path, "annotators": AnnotatorsConfig(soft=True)}
    soft = dataset.load(config.model_copy(update=update), tasks("event_type"))
    hard = dataset.load(config.model_copy(update={"path": path}), tasks("event_type"))
    assert sum(map(len, hard.splits.values())) == 30
    torn = [example for example in soft.splits["train"] if example.gold is None]
    assert torn and all(example.soft["AID"] == example.soft["REJECT"] == 0.5 for example in torn)
    assert all(example.gold is not None for name in ("dev", "test") for example in soft.splits[name])
    assert soft.counts["event_type, dropped, no majority"] + len(torn) == 10
    assert soft.fingerprint != hard.fingerprint
    assert len(soft.training.answered) == len(soft.training) - len(torn)


def test_single_and_multi_label_tasks_share_rows(tmp_path, write_jsonl, config):
    quad = Task(name="event_quad", kind="multi", level="sentence", labels=("a", "b"))
    view = Task(name="event_quad5", level="sentence", labels=("none", "a", "b"), reads="event_quad", empty_as="none")
    rows = [{"text": f"نص {n}", "label": label} for n, label in enumerate(["a", "", "a|b", "b"])]
    update = {
        "path": str(write_jsonl(tmp_path / "quads.jsonl", rows)),
        "tasks": ("event_quad", "event_quad5"),
        "split": SplitConfig(train=100, dev=0),
    }
    data = dataset.load(config.model_copy(update=update), {"event_quad": quad, "event_quad5": view})
    assert sorted(example.gold for example in data.of("train", "event_quad")) == [(), ("a",), ("a", "b"), ("b",)]
    assert sorted(example.gold for example in data.of("train", "event_quad5")) == [("a",), ("b",), ("none",)]
    assert data.counts == {"event_quad5, dropped, two or more labels": 1}


def test_an_address_names_the_annotator_whose_pseudonym_the_corpus_has(tmp_path, write_jsonl, tasks, config):
    people = {"rim@press.example": "AID", "sami@press.example": "REJECT"}
    rows = [
        {"text": f"خبر رقم {number}", "label": label, "annotator": name}
        for number in range(40)
        for name, label in people.items()
    ]
    path = str(write_jsonl(tmp_path / "votes.jsonl", rows))
    for annotators in (
        AnnotatorsConfig(adjudicator="sami@press.example"),
        AnnotatorsConfig(weights={"Rim@press.example": 0.5}),
    ):
        data = dataset.load(config.model_copy(update={"path": path, "annotators": annotators}), tasks("event_type"))
        assert {label.annotator[:5] for label in data.corpus.labels} == {"user-"}
        assert {example.gold for part in data.splits.values() for example in part} == {("REJECT",)}


def test_no_dates_are_advised_where_no_row_is_left(tmp_path, write_jsonl, tasks, config):
    path = str(write_jsonl(tmp_path / "blank.jsonl", [{"text": "خبر", "label": None, "date": "2024-01-01"}]))
    split = SplitConfig(rule="date", test_from="2024-02-01")
    with pytest.raises(DataError, match="No example of event_type is in train") as caught:
        dataset.load(config.model_copy(update={"path": path, "split": split}), tasks("event_type"))
    assert "The articles are of" not in str(caught.value)


def test_a_frozen_split_is_of_this_corpus_and_both_counts_are_told(tmp_path, write_jsonl, tasks, config):
    def frozen(*names):
        path = write_jsonl(tmp_path / "split.jsonl", [{"article": name, "split": "train"} for name in names])
        return config.model_copy(update={"split": SplitConfig(file=str(path))})

    told = "the frozen split names 2 articles, 1 here and 1 missing; the corpus has 60 articles, 59 new to it"
    assert f"note: {told}" in dataset.load(frozen("n1", "gone"), tasks("event_type")).summary()
    with pytest.raises(DataError, match=r"is of another corpus: of its 2 articles, such as 'gone'"):
        dataset.load(frozen("gone", "lost"), tasks("event_type"))
