"""The main job as a user does it: train, look, evaluate, predict, export, load."""

import json
import os
import signal
from pathlib import Path

import pytest

from khabar import store
from khabar.config import resource

MODEL = "models:/khabar-event_type-stance@candidate"


def newest_run(experiment="khabar"):
    client = store.start()
    where = client.get_experiment_by_name(experiment).experiment_id
    return client, client.search_runs([where], order_by=["attributes.start_time DESC"])


def weights(model=MODEL):
    from safetensors.numpy import load_file

    return load_file(store.download(model)[0] / "artifacts" / "bundle" / "model.safetensors")


def same(one, other):
    return one.keys() == other.keys() and all((one[name] == other[name]).all() for name in one)


def test_train_evaluate_predict_export(khabar, quick, tmp_path):
    code, out, err = khabar("train", *quick)
    assert code == 0, err
    assert "event_type on test" in out and "stance on test" in out and MODEL in out

    client, (run,) = newest_run()
    assert run.info.status == "FINISHED"
    assert run.data.params["loop.max_steps"] == "4" and run.data.params["task.stance.labels.0"] == "favor"
    assert 0 <= run.data.metrics["test/stance.macro_f1.low"] <= run.data.metrics["test/stance.macro_f1"]
    assert {"test_baselines/event_type.majority.macro_f1", "dev_metric", "loss"} <= set(run.data.metrics)
    assert len(client.get_metric_history(run.info.run_id, "loss")) == 4
    assert {entry.dataset.name for entry in run.inputs.dataset_inputs} == {"seeds"}
    assert run.data.tags["encoder"] == "mini" and "version.torch" in run.data.tags
    artifacts = {item.path for item in client.list_artifacts(run.info.run_id)}
    assert {"config.yaml", "data", "learning_curve.png", "dev", "test", "code"} <= artifacts
    assert run.data.tags["git"].startswith(run.data.tags["mlflow.source.git.commit"][:8])
    assert run.data.tags["hardware.cpu"]
    logged = set(run.data.metrics)
    assert {"system/cpu_utilization_percentage", "test_labels/stance.recall.favor", "seconds", "tokens"} <= logged
    assert len(client.get_metric_history(run.info.run_id, "dev_labels/stance.f1.favor")) > 2  # by step, and at the end
    folder = Path(client.download_artifacts(run.info.run_id, ""))
    plots = {path.name for path in (folder / "test").glob("stance_*.png")}
    assert plots == {f"stance_{name}.png" for name in ("confusion", "f1", "precision_recall", "reliability")}
    table = json.loads((folder / "dev" / "predictions_table.json").read_text("utf-8"))
    assert {"path": "dev/predictions_table.json", "type": "table"} in json.loads(
        run.data.tags["mlflow.loggedArtifacts"]
    )
    rows = [dict(zip(table["columns"], row, strict=True)) for row in table["data"]]
    assert [row["right"] for row in rows] == sorted(row["right"] for row in rows)  # the wrong ones first
    assert all((row["gold"] == row["predicted"]) == row["right"] for row in rows)
    assert 'dir="rtl"' in (folder / "dev" / "predictions.html").read_text("utf-8")
    assert "| stance |" in run.data.tags["mlflow.note.content"]
    assert "| stance |" in (folder / "model_card.md").read_text("utf-8")
    assert "## stance" in (folder / "data_card.md").read_text("utf-8")

    code, out, _ = khabar("evaluate", f"model={MODEL}", "suite.draws=100", "suite.baselines=[]", "data.limit=24",
                          f"output={tmp_path}")  # fmt: skip
    assert code == 0 and "stance on test" in out
    answers = [json.loads(line) for line in (tmp_path / "predictions.jsonl").read_text("utf-8").splitlines()]
    assert {answer["task"] for answer in answers} == {"event_type", "stance"}

    article = tmp_path / "مقال.txt"
    article.write_text("دعت وزارة الصيد في سلوان إلى وقف الإضراب.\nورفضت النقابة الدعوة.", "utf-8")
    asked = ("predict", f"model={MODEL}", f"input={article}", "questions=[النقابة | وقف الإضراب]", "format=jsonl")
    code, out, _ = khabar(*asked)
    reading = json.loads(out)
    assert code == 0 and reading["stances"][0]["holder"] == "النقابة" and reading["error"] is None

    _, runs = newest_run()
    (scored,) = [run for run in runs if run.data.tags["khabar.command"] == "evaluate"]
    assert [entry.tags[0].value for entry in scored.inputs.dataset_inputs] == ["test"]

    code, out, _ = khabar("export", f"model={MODEL}", f"output={tmp_path / 'onnx'}")
    assert code == 0 and "largest difference" in out and "decide alike (100.0%)" in out
    code, _, err = khabar("export", f"model={tmp_path / 'onnx'}", f"output={tmp_path / 'onnx'}")
    assert code == 2 and "is the model that is exported" in err
    code, _, err = khabar("export", f"model={MODEL}", "format=bundle", f"output={tmp_path / 'onnx'}")
    assert code == 2 and "holds format=onnx" in err
    code, out, _ = khabar(*(word.replace(MODEL, str(tmp_path / "onnx")) for word in asked))
    exported = json.loads(out)
    for one, other in zip(reading["stances"], exported["stances"], strict=True):
        assert one["probabilities"] == pytest.approx(other["probabilities"], abs=1e-4)


def test_same_seed_same_weights_and_another_seed_others(khabar, quick):
    found = []
    for seed in (0, 0, 1):
        assert khabar("train", *quick, f"seed={seed}", "suite.calibrate=false")[0] == 0
        found.append(weights())
    assert same(found[0], found[1])
    assert not same(found[0], found[2])


def test_a_stopped_run_goes_on_and_ends_with_the_same_weights(khabar, start, quick):
    longer = [word for word in quick if not word.startswith("loop.max_steps")] + ["loop.max_steps=30"]
    assert khabar("train", *longer)[0] == 0
    unbroken = weights()

    process = start("train", *longer, "machine.progress=false")
    for line in process.stdout:
        if line.startswith("step "):
            process.send_signal(signal.SIGINT)
            break
    process.communicate(timeout=120)
    assert process.returncode == 130
    assert newest_run()[1][0].info.status == "KILLED"

    code, out, _ = khabar("train", *longer)
    assert code == 0 and "Going on with the unfinished run" in out
    _, runs = newest_run()
    assert len(runs) == 2 and {run.info.status for run in runs} == {"FINISHED"}
    assert same(unbroken, weights())


def test_a_killed_run_goes_on_from_its_last_checkpoint(khabar, start, quick):
    longer = [word for word in quick if not word.startswith("loop.max_steps")] + ["loop.max_steps=30"]
    process = start("train", *longer, "machine.progress=false", "loop.checkpoint_every=0")
    for line in process.stdout:
        if line.startswith("step 3/"):
            os.kill(process.pid, signal.SIGKILL)
            break
    process.communicate(timeout=120)
    code, out, _ = khabar("train", *longer, "loop.checkpoint_every=0")
    assert code == 0 and "Going on after step" in out


def test_multirun_has_a_parent_with_children(khabar, quick):
    code, out, err = khabar("train", "-m", *quick, "seed=0,1")
    assert code == 0, err
    _, runs = newest_run()
    children = [run for run in runs if "mlflow.parentRunId" in run.data.tags]
    (parent,) = [run for run in runs if run not in children]
    assert {run.data.tags["mlflow.parentRunId"] for run in children} == {parent.info.run_id}
    assert {run.data.params["seed"] for run in children} == {"0", "1"}
    assert parent.data.metrics["dev_metric.best"] >= parent.data.metrics["dev_metric.mean"]
    values = [run.data.metrics["test/stance.macro_f1"] for run in children]
    assert parent.data.metrics["test/stance.macro_f1.mean"] == pytest.approx(sum(values) / 2)
    assert parent.data.metrics["test/stance.macro_f1.spread"] == pytest.approx(abs(values[0] - values[1]) / 2**0.5)
    assert not any(".low" in name for name in parent.data.metrics)
    assert parent.data.tags["encoder"] == "mini" and "seed" not in parent.data.tags
    assert "All runs" in out and "over 2 runs" in out


def test_repeats_of_each_configuration_are_summed_up_in_a_run_of_their_own(khabar, quick):
    words = [word for word in quick if not word.startswith("loop.lr")] + ["task=stance", "track.aliases=[]"]
    code, _, err = khabar("train", "-m", *words, "loop.lr=1e-3,1e-4", "seed=0,1")
    assert code == 0, err
    _, runs = newest_run()
    above = {run.info.run_id: run.data.tags.get("mlflow.parentRunId") for run in runs}
    names = {run.info.run_id: run.info.run_name for run in runs}
    (top,) = [run_id for run_id, parent in above.items() if parent is None]
    groups = [run_id for run_id, parent in above.items() if parent == top]
    assert sorted(names[run_id] for run_id in groups) == ["loop.lr=0.0001", "loop.lr=0.001"]
    assert all(sum(parent == group for parent in above.values()) == 2 for group in groups)
    metrics = {run.info.run_id: run.data.metrics for run in runs}
    assert all(metrics[group]["runs"] == 2 and "test_metric.spread" in metrics[group] for group in groups)
    assert metrics[top].keys() == {"dev_metric.best", "test_metric.best"}


def test_an_earlier_run_is_rebuilt_and_what_differs_is_said(khabar, quick, tmp_path):
    table = tmp_path / "t.csv"
    lines = [f"خرج عمال الورشة {i} في مظاهرة,{'yes' if i % 3 else 'no'}" for i in range(60)]
    table.write_text("\n".join(["text,label", *lines]), "utf-8")
    words = [word for word in quick if not word.startswith("data.")]
    words += ["data=files", f"data.path={table}", "task=event_protest", "audit.near=1", "track.aliases=[]"]
    assert khabar("train", *words, "seed=3", "loop.dropout=0")[0] == 0
    _, (first,) = newest_run()

    code, out, err = khabar("train", f"from_run={first.info.run_id}")
    assert code == 0, err
    assert "nothing differs" in out
    _, (again, _) = newest_run()
    config = {key: value for key, value in first.data.params.items() if key != "from_run"}
    assert {key: again.data.params[key] for key in config} == config
    assert again.data.params["seed"] == "3" and again.data.tags["from_run"] == first.info.run_id
    assert again.data.metrics["test/event_protest.macro_f1"] == first.data.metrics["test/event_protest.macro_f1"]
    main = "test/event_protest.macro_f1"
    assert f"  {main}: {first.data.metrics[main]:.4f} there, {first.data.metrics[main]:.4f} here" in out

    code, out, err = khabar("train", f"from_run={first.info.run_id}", "seed=4", "encoder=mini", "loop.max_steps=1")
    assert code == 0, err
    assert "  seed: 3 -> 4\n" in out and "  loop.max_steps: 4 -> 1\n" in out and "encoder.model: " in out

    table.write_text("\n".join(["text,label", *lines[:50]]), "utf-8")
    code, _, err = khabar("train", f"from_run={first.info.run_id}")
    assert code == 3 and "The data has changed" in err and "train " in err
    code, _, err = khabar("train", f"from_run={first.info.run_id}", "data.limit=40")
    assert code == 3 and "The data has changed" in err
    assert khabar("train", f"from_run={first.info.run_id}", "data.name=files-2")[0] == 0


def test_what_can_not_be_rebuilt_says_why(khabar, quick):
    assert khabar("train", "-m", *quick, "task=stance", "seed=0,1", "track.aliases=[]")[0] == 0
    _, runs = newest_run()
    code, _, err = khabar("train", "from_run=0123")
    assert code == 2 and "There is no run 0123" in err and runs[0].info.run_id in err
    (parent,) = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    code, _, err = khabar("train", f"from_run={parent.info.run_id}")
    assert code == 2 and "was no training: train -m" in err
    code, _, err = khabar("train", f"from_run={runs[0].info.run_id}", "experiment=debug")
    assert code == 2 and "experiment=debug" in err
    code, _, err = khabar("train", f"from_run={runs[0].info.run_id}", "task=[]")
    assert code == 2 and "task" in err and "Traceback" not in err
    code, _, err = khabar("train", f"from_run={runs[0].info.run_id}", "loop.learning_rate=1")
    assert code == 2 and "loop.learning_rate" in err


def test_one_failure_of_a_multirun_is_told_and_the_others_go_on(khabar, quick):
    code, out, err = khabar("train", "-m", *quick, "encoder.model=nowhere/at-all,seeds/encoder", "data.limit=2")
    assert code == 1 and "failed:" in err and "1 of 2 runs failed" in err
    _, runs = newest_run()
    (parent,) = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    assert parent.info.status == "FAILED" and "1 of 2 runs failed" in parent.data.tags["error"]
    assert "dev" in out.split("All runs")[1]


def test_debug_learns_a_batch_by_heart(khabar, tiny):
    code, _, err = khabar("train", "experiment=debug", f"encoder.model={tiny}", "encoder.lr=1e-3", "data.limit=8")
    assert code == 0, err
    _, (run,) = newest_run("khabar-debug")
    assert run.data.metrics["overfit_last_loss"] < 0.5 * run.data.metrics["overfit_first_loss"]


def test_own_table_with_arabic_columns(khabar, quick, tmp_path):
    rows = [("النص", "الفئة", "القسم")]
    for split, count in (("train", 12), ("dev", 4), ("test", 4)):
        for i in range(count):
            yes = i % 2 == 0
            text = f"خرج عمال الورشة {split} {i} في مظاهرة" if yes else f"افتتح المتحف {split} {i} قاعة للرسم"
            rows.append((text, "نعم" if yes else "لا", split))
    table = tmp_path / "بيانات.csv"
    table.write_text("\n".join(",".join(row) for row in rows), "utf-8-sig")
    code, out, err = khabar(
        "train", *[word for word in quick if not word.startswith("data.")], "data=files", f"data.path={table}",
        "task=event_protest", "data.columns.text=النص", "data.columns.label=الفئة", "data.columns.split=القسم",
        "data.split.rule=field", "data.split.field=split", "audit.near=1",
        "data.label_map.event_protest={نعم: yes, لا: no}",
    )  # fmt: skip
    assert code == 0, err
    assert "models:/khabar-event_protest@candidate" in out


def test_an_export_trains_by_its_path_alone(khabar, quick, tmp_path):
    words = ["ميناء", "سوق", "مدرسة", "جسر", "حقل", "متحف", "ملعب", "مخبز", "مصنع", "مكتبة"]
    tasks = [
        {
            "id": number,
            "data": {"text": f"{words[number % 10]} {words[number // 10]} {'🙂' * (number % 2)}"},
            "annotations": [
                {"id": 10 * number + who, "completed_by": {"id": who, "email": f"p{who}@example.org"},
                 "was_cancelled": False,
                 "result": [{"id": "r", "type": "choices", "from_name": "نبرة", "to_name": "text",
                             "value": {"choices": [("هادئة", "قلقة")[number % 2]]}}]}
                for who in (1, 2)
            ],
        }
        for number in range(60)
    ]  # fmt: skip
    export = tmp_path / "export.json"
    export.write_text(json.dumps(tasks, ensure_ascii=False), "utf-8")
    words = [word for word in quick if not word.startswith("data.")]
    code, out, err = khabar("train", *words, "data=label_studio", f"data.path={export}")
    assert code == 0, err
    assert "هادئة" in out and "models:/khabar-nbra@candidate" in out
    assert "example.org" not in out


def test_ingested_corpus_trains_the_same(khabar, quick, tmp_path):
    code, out, _ = khabar("ingest", f"output={tmp_path / 'corpus'}")
    assert code == 0 and "articles.jsonl" in out
    code, _, err = khabar("train", *quick, f"data.path={tmp_path / 'corpus'}", "track.aliases=[]")
    assert code == 0, err


def test_exit_codes(khabar, tmp_path):
    assert khabar("train", "loop.lr=-5")[0] == 2
    broken = tmp_path / "broken.jsonl"
    broken.write_text('{"text": "نص", "label": "لا شيء"}\n', "utf-8")
    code, _, err = khabar("train", "data=files", f"data.path={broken}", "task=event_protest")
    assert code == 3 and "broken.jsonl" in err and "1" in err
    assert khabar("predict", "model=models:/nobody@home", "input=x.txt")[0] in (2, 3)


@pytest.mark.real_data
@pytest.mark.parametrize(("data", "task"), [
    ("un_quadclass", "event_quad5"), ("unified_fc", "stance_claim"), ("arabic_event_gsr", "event_assault"),
    ("ans", "stance_pair"), ("mawqif", "stance_target"),
])  # fmt: skip
def test_real_sets_train_without_a_separate_ingest(khabar, quick, real_data, data, task):
    code, out, err = khabar("train", *quick, f"data={data}", f"data.path={real_data / data}", f"task={task}")
    assert code == 0, err
    assert f"models:/khabar-{task}@candidate" in out


def test_the_sample_article_is_test_only():
    rows = resource("seeds/sample/articles.jsonl").read_text("utf-8").splitlines()
    sample = json.loads(rows[0])["text"]
    trained = resource("seeds/corpus/articles.jsonl").read_text("utf-8")
    assert json.loads(rows[0])["meta"]["split"] == "test"
    assert not any(line in trained for line in sample.split("\n") if len(line) > 40)
