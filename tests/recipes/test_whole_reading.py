"""Articles read whole as a user does it: train, score, read a file in every format, correct it in Label Studio."""

import json

import pandas as pd
import pytest

from khabar import store
from khabar.config import resource

MODEL = "models:/khabar-event_type-reader@candidate"
SAMPLE = "seeds/sample/article.txt"


@pytest.fixture
def trained(khabar, quick):
    code, out, err = khabar("train", "experiment=reader", *quick, "suite.baselines=[majority,rules]")
    assert code == 0, err
    return out


def test_train_evaluate_and_read_whole(khabar, trained, tmp_path):
    assert "reader on test" in trained and "reader.stances_article" in trained and "rules" in trained
    client = store.start()
    experiment = client.get_experiment_by_name("khabar").experiment_id
    (run,) = client.search_runs([experiment])
    logged = run.data.metrics
    assert {"test/reader.micro_f1", "test/reader.micro_f1.low", "test/reader.events_article.micro_f1"} <= set(logged)
    assert "test_baselines/reader.role.rules.macro_f1" in logged
    assert not any(name.startswith("test_labels/reader.mode") for name in logged)  # sixty labels are in scores.json

    code, out, err = khabar("evaluate", "data=sample", f"model={MODEL}", "suite.baselines=[]", "suite.draws=100")
    assert code == 0, err
    assert "reader.events_sentence" in out and "event_type on test" in out

    code, out, err = khabar("predict", f"input={SAMPLE}", f"model={MODEL}", "watchlist=seeds/sample/watchlist.yaml")
    assert code == 0, err
    assert "What happened" in out

    made = {name: tmp_path / f"out.{name}" for name in ("jsonl", "csv", "parquet", "html", "txt")}
    for path in made.values():
        code, _, err = khabar("predict", f"input={SAMPLE}", f"model={MODEL}", f"output={path}", "targets=[رفع الرسوم]")
        assert code == 0, err
    (answer,) = map(json.loads, made["jsonl"].read_text("utf-8").splitlines())
    text = resource(SAMPLE).read_text("utf-8")
    for event in answer["account"]["events"]:
        for one in (*event["mentions"], *event["actors"]):
            assert text[one["start"] : one["end"]] == one.get("trigger", one.get("text"))
    table = pd.read_parquet(made["parquet"])
    assert set(table["kind"]) >= {"event"} | ({"account event"} if answer["account"]["events"] else set())
    assert "<html" in made["html"].read_text("utf-8")

    code, out, err = khabar("predict", f"input={SAMPLE}", f"model={MODEL}", "format=plover")
    assert code == 0, err
    records = [json.loads(line) for line in out.splitlines()]
    assert all(record["event"] and record["actor"] for record in records)

    code, _, err = khabar(
        "predict", f"input={SAMPLE}", f"model={MODEL}", "format=label_studio", f"output={tmp_path}/l.json"
    )
    assert code == 0, err
    (task,) = json.loads((tmp_path / "l.json").read_text("utf-8"))
    marked = [one for one in task["predictions"][0]["result"] if one.get("value", {}).get("labels")]
    assert {label for one in marked for label in one["value"]["labels"]} <= {"sentence", "actor", "event", "claim"}

    code, out, err = khabar("predict", f"input={SAMPLE}", f"model={MODEL}", "whole=false", "format=jsonl")
    assert code == 0 and "account" not in json.loads(out)


def test_what_a_whole_reading_needs_is_told(khabar, trained, tmp_path):
    code, _, err = khabar("predict", f"input={SAMPLE}", f"model={MODEL}", "whole=false", "format=plover")
    assert code == 2 and "whole=false leaves out" in err
    code, _, err = khabar("export", f"model={MODEL}", f"output={tmp_path}/x")
    assert code == 2 and "marks spans (reader)" in err
    code, _, err = khabar("train", "data=seeds", "task=[reader]", "task.reader.labels=[actor,event]")
    assert code == 2 and "which labels do not mark" in err
