"""`khabar ingest`: what it prints, what it writes, and that it stops at nothing that training would stop at."""

import json

import pytest
import yaml

from khabar.commands import _reporting, ingest
from khabar.config import project_root
from khabar.data import corpus, frozen
from khabar.data.splits import bucket
from khabar.errors import ConfigError

TASK = {"name": "event_protest", "labels": ["yes", "no"], "level": "sentence"}


@pytest.fixture
def ingested(capsys, tmp_path):
    """What the command prints on rows, to stdout and to stderr."""

    def run(rows, output=None, on_leak=None, **data):
        path = tmp_path / "rows.jsonl"
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
        plain = {
            "name": "mine",
            "importer": "files",
            "path": str(path),
            "tasks": ["event_protest"],
            "default_tasks": ["event_protest"],
            **data,
        }
        config = {"data": plain, "audit": {"on_leak": on_leak}, "windows": {}, "task": {"event_protest": TASK}}
        ingest.run(ingest.Config.of({**config, "output": None if output is None else str(output)}))
        return capsys.readouterr()

    return run


def rows(count=40):
    return [{"id": f"a{n}", "text": f"خرج العمال في مسيرة {n}", "label": ("yes", "no")[n % 2]} for n in range(count)]


def votes():
    return [
        {"id": f"v{n}", "text": f"أغلق المتظاهرون شارع {n}", "label": label, "annotator": who}
        for n in range(3)
        for who, label in (("سلمى", "yes"), ("باسل", "no"))
    ]


def test_without_an_output_it_only_prints(ingested, tmp_path):
    said = ingested(rows())
    assert said.out.startswith(f"mine: {tmp_path / 'rows.jsonl'}\n")
    assert "What to do" in said.out and "Labels by split: event_protest" in said.out
    assert "tokens: those of the embedded encoder (seeds/encoder;" in said.out
    assert said.out.endswith("Nothing was written; output=FOLDER keeps the corpus, the split and this report.\n")
    assert "Counting 40 articles, 40 labels" in said.err
    assert [path.name for path in tmp_path.iterdir()] == ["rows.jsonl"]


def test_the_folder_holds_corpus_split_and_report(ingested, tmp_path):
    folder = tmp_path / "new" / "corpus"
    said = ingested(rows(), folder)
    names = ["articles.jsonl", "annotations.jsonl", "split.jsonl", "report.json", "report.html"]
    assert said.out.endswith(f"Written to {folder}: {', '.join(names)}\n")
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)
    saved = corpus.load(folder)
    assert len(saved.articles) == len(saved.labels) == 40
    kept = frozen.read(folder / "split.jsonl")
    assert kept.corpus == saved.fingerprint and len(kept.rows) == 40
    plain = json.loads((folder / "report.json").read_text("utf-8"))
    assert plain["rows"]["read"] == 40 and plain["tasks"][0]["task"] == "event_protest"
    assert (folder / "report.html").read_text("utf-8").startswith("<!DOCTYPE html>")


def test_what_annotators_differ_on_is_listed_and_an_old_list_is_not_left(ingested, tmp_path):
    folder = tmp_path / "corpus"
    said = ingested([*rows(), *votes()], folder)
    assert said.out.endswith("report.html, disagreements.jsonl\n")
    assert "annotators differ on 3 rows; khabar ingest output=FOLDER lists them" in said.out
    found = [json.loads(line) for line in (folder / "disagreements.jsonl").read_text("utf-8").splitlines()]
    assert [row["article"] for row in found] == ["v0", "v1", "v2"]
    assert {answer["annotator"] for answer in found[0]["answers"]} == {"سلمى", "باسل"}
    ingested(rows(), folder)
    assert not (folder / "disagreements.jsonl").exists()


@pytest.mark.parametrize(("on_leak", "train"), [("stop", 1), ("drop", 0)])
def test_a_leak_is_reported_where_training_would_stop_and_dropped_where_it_would_be(ingested, tmp_path, on_leak, train):
    split = {"rule": "field", "field": "split"}
    leaky = [
        {"id": "a1", "text": "أعلن العمال بدء الإضراب العام", "label": "yes", "split": "train"},
        {"id": "a2", "text": "أعلن العمال بدء الإضراب العام", "label": "yes", "split": "test"},
        {"id": "a3", "text": "عاد الموظفون إلى مكاتبهم بهدوء", "label": "no", "split": "dev"},
    ]
    said = " ".join(ingested(leaky, tmp_path / "corpus", on_leak, split=split).out.split())
    told = "-> khabar train stops here unless audit.on_leak=drop or warn. Drop them with audit.on_leak=drop"
    assert (told in said) == ("Kept here, and stops khabar train." in said) == (on_leak == "stop")
    plain = json.loads((tmp_path / "corpus" / "report.json").read_text("utf-8"))
    assert plain["tasks"][0]["splits"] == {"train": train, "dev": 1, "test": 1}
    assert len(plain["rows"]["dropped"]) == 1 - train


@pytest.mark.parametrize(("on_leak", "kept"), [("stop", 1), ("drop", 1), ("warn", 2)])
def test_where_khabar_splits_what_training_drops_is_dropped(ingested, tmp_path, on_leak, kept):
    train = next(f"g{n}" for n in range(100) if bucket(f"g{n}") < 70)
    test = next(f"g{n}" for n in range(100) if bucket(f"g{n}") >= 85)
    short = [{"id": name, "text": "نعم", "label": "yes", "group": name} for name in (train, test)]
    said = ingested(short, tmp_path / "corpus", on_leak)
    assert len(frozen.read(tmp_path / "corpus" / "split.jsonl").rows) == kept
    assert ("dropped: 1 train row whose" in said.out) == (kept == 1)


def test_an_output_that_can_not_be_a_folder_is_told_before_anything_is_read(ingested, tmp_path, capsys):
    (tmp_path / "taken").write_text("", "utf-8")
    for output in (tmp_path / "taken", tmp_path / "taken" / "corpus"):
        with pytest.raises(ConfigError, match="taken is no folder"):
            ingested(rows(), output)
    assert "Reading" not in capsys.readouterr().err


def test_bad_rows_that_are_skipped_are_counted(ingested):
    said = ingested([*rows(), {"id": "bad", "text": "", "label": "yes"}], on_error="skip")
    assert "41 read, 1 bad and left out; 40 articles" in said.out
    assert "1 bad row left out" in said.out


def test_the_frozen_split_is_the_one_that_was_reported(ingested, tmp_path):
    ingested(rows(), tmp_path / "corpus")
    kept = frozen.read(tmp_path / "corpus" / "split.jsonl")
    plain = json.loads((tmp_path / "corpus" / "report.json").read_text("utf-8"))
    names = list(kept.rows.values())
    assert plain["tasks"][0]["splits"] == {name: names.count(name) for name in ("train", "dev", "test")}
    assert kept.of("a0", None) == ("train" if bucket("a0") < 70 else "dev" if bucket("a0") < 85 else "test")


def test_a_tokenizer_of_ones_own_counts_the_tokens(tmp_path):
    from khabar.config import DataConfig
    from khabar.data import dataset
    from khabar.schema import Task
    from tiny import plain_tokenizer

    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "في من على", "label": "yes"}\n', "utf-8")
    config = DataConfig(name="m", importer="files", path=str(path), tasks=("t",), default_tasks=("t",))
    data = dataset.load(config, {"t": Task(name="t", labels=("yes", "no"))}, need=())
    made = _reporting.report(data, plain_tokenizer(), "those of a tiny encoder")
    assert (made.tokenizer, made.lengths[0].tokens.most) == ("those of a tiny encoder", 5)


def test_the_configuration_composes_with_other_windows():
    plain = yaml.safe_load((project_root() / "configs" / "windows" / "short.yaml").read_text("utf-8"))
    assert ingest.Config.model_fields["windows"].annotation(**plain).length == 256
    defaults = yaml.safe_load((project_root() / "configs" / "ingest.yaml").read_text("utf-8"))["defaults"]
    assert {"windows": "default"} in defaults


@pytest.mark.real_data
@pytest.mark.parametrize(("name", "task"), [("un_quadclass", "event_quad5"), ("unified_fc", "stance_claim")])
def test_real_sets_are_reported_on(real_data, tmp_path, capsys, name, task):
    def composed(group, name):
        return yaml.safe_load((project_root() / "configs" / group / f"{name}.yaml").read_text("utf-8"))

    plain = {**composed("data", name), "path": str(real_data / name)}
    config = {"data": plain, "audit": {}, "windows": {}, "task": {task: composed("task", task)}}
    ingest.run(ingest.Config.of({**config, "output": str(tmp_path)}))
    out = capsys.readouterr().out
    assert max(map(len, out.split("\n\nWritten to")[0].splitlines()[1:])) <= 100
    made = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert made["written"]["scripts"]["Arabic"] > 0.99 * made["rows"]["texts"]
    assert sum(made["tasks"][0]["splits"].values()) > 2000
    assert bool(made["disagreements"]) == (name == "un_quadclass") == (tmp_path / "disagreements.jsonl").exists()
