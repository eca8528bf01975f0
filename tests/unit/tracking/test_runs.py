"""What a real MLflow store holds of a run: values, states, the model, and metrics that had to wait."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pandas as pd
import pytest

from khabar import store, tracking
from khabar.errors import ConfigError, DataError
from khabar.tracking import models, registered, runs
from unit.inference import tiny_bundle
from unit.inference.tiny_bundle import TEXT


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def one_store(home, monkeypatch):
    """Tables of a fresh store take seconds to make."""
    monkeypatch.setenv("KHABAR_HOME", str(home))


def started(**more):
    return tracking.run("e", "n", tags={"a": "b"}, **more)


def read(run):
    return run.client.get_run(run.id)


def test_parameters_are_flat_and_long_ones_an_artifact():
    config = {"loop": {"lr": 0.1, "layers": [1, 2]}, "task": {"a=[b]": {"labels": ["نعم", "لا"]}}, "none": None}
    with started() as run:
        run.params({**config, "long": "س" * 7000, "empty": []})
        run.params({**config, "long": "س" * 7000, "empty": [], "later": 1, "none": "changed"})
    params = read(run).data.params
    assert params == {
        **{"loop.lr": "0.1", "loop.layers.0": "1", "loop.layers.1": "2", "none": "None", "later": "1"},
        **{"task.a__b_.labels.0": "نعم", "task.a__b_.labels.1": "لا"},
    }
    folder = Path(run.client.download_artifacts(run.id, ""))
    assert json.loads((folder / "long_params.json").read_text("utf-8")) == {"long": "س" * 7000}
    assert "loop:" in (folder / "config.yaml").read_text("utf-8")


def test_metrics_by_step_data_by_split_and_tags():
    with started() as run:
        run.log(1, {"loss": 0.5, "nothing": float("nan")})
        run.log(2, {"loss": 0.25}, flush=False)
        assert [m.step for m in run.client.get_metric_history(run.id, "loss")] == [1]
        run.log(3, {"loss": 0.125, "f1/yes=[no]": 1.0})
        run.data("sample", "0123456789abcdef", "file.csv", {"train": 5, "dev": 3})
        run.tags({"c": "d"})
    found = read(run)
    history = run.client.get_metric_history(run.id, "loss")
    assert sorted((m.step, m.value) for m in history) == [(1, 0.5), (2, 0.25), (3, 0.125)]
    assert found.data.metrics == {"loss": 0.125, "f1/yes__no_": 1.0}
    inputs = {item.tags[0].value: item.dataset for item in found.inputs.dataset_inputs}
    assert {split: json.loads(data.profile)["num_rows"] for split, data in inputs.items()} == {"train": 5, "dev": 3}
    assert all(data.name == "sample" and data.digest.startswith("0123456789abcdef") for data in inputs.values())
    assert found.data.tags["a"] == "b"
    assert found.data.tags["c"] == "d"
    assert found.data.tags["version.mlflow"]


def test_a_run_ends_finished_under_its_parent():
    with started() as parent, started(parent=parent.id) as child:
        pass
    assert read(child).data.tags["mlflow.parentRunId"] == parent.id
    assert read(child).info.status == read(parent).info.status == "FINISHED"


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (DataError("no rows"), "FAILED", "no rows"),
        (ValueError("odd"), "FAILED", "ValueError: odd"),
        (SystemExit(3), "FAILED", "SystemExit: 3"),
        (KeyboardInterrupt(), "KILLED", None),
    ],
)
def test_a_run_that_fails_says_why(error, status, reason):
    with pytest.raises(type(error)), started() as run:
        run.log(1, {"loss": 1.0}, flush=False)
        raise error
    assert read(run).info.status == status
    assert read(run).data.tags.get("error") == reason
    assert read(run).data.metrics == {"loss": 1.0}
    with started(resume=run.id) as again:
        assert read(again).info.status == "RUNNING"
    assert again.id == run.id
    assert read(again).info.status == "FINISHED"
    assert "error" not in read(again).data.tags


def test_a_resumed_run_goes_on_under_its_new_parent_and_its_curve_is_whole():
    with started() as run:
        run.log(1, {"loss": 1.0})
    with started() as parent, started(resume=run.id, parent=parent.id) as again:
        again.log(2, {"loss": 0.5}, flush=False)
        assert again.curve(("loss", "lr")) == [{"step": 1, "loss": 1.0}, {"step": 2, "loss": 0.5}]
    assert read(run).data.tags["mlflow.parentRunId"] == parent.id


def test_a_deleted_or_unknown_run_does_not_exist():
    with started() as run:
        assert tracking.exists(run.id)
    run.client.delete_run(run.id)
    assert not tracking.exists(run.id)
    assert not tracking.exists("0" * 32)


def test_a_store_that_does_not_answer_has_forgotten_no_run(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(ConfigError, match="does not answer"):
        tracking.exists("0" * 32)


@pytest.fixture(scope="module")
def logged(home, tmp_path_factory):
    bundle = tiny_bundle.write(tmp_path_factory.mktemp("made") / "bundle")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KHABAR_HOME", str(home))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        with started() as run:
            run.log(7, {"test.f1": 0.5})
            uri = models.log(run, bundle, {"test.f1": 0.5, "a=b": 1.0})
            status = read(run).info.status
            version = registered.register(
                run, uri, "khabar-x", ["candidate", "champion"], tiny_bundle.engine()[0].card, {}, "test"
            )
    return run, version, status


def test_a_model_is_registered_under_its_aliases_and_the_run_goes_on(logged):
    run, version, status = logged
    assert (version, status) == ("1", "RUNNING")
    assert read(run).info.status == "FINISHED"
    for alias in ("candidate", "champion"):
        assert str(run.client.get_model_version_by_alias("khabar-x", alias).version) == "1"
    assert len(run.client.search_model_versions("name='khabar-x'")) == 1


def test_metrics_are_linked_to_the_model(logged):
    run = logged[0]
    found = run.client.get_logged_model(run.client.get_model_version("khabar-x", "1").source.removeprefix("models:/"))
    assert {metric.key: metric.value for metric in found.metrics} == {"test.f1": 0.5, "a_b": 1.0}
    assert found.source_run_id == run.id
    assert found.experiment_id == run.experiment
    assert {metric.step for metric in run.client.get_metric_history(run.id, "test.f1")} == {7}


def test_mlflow_serves_the_model_without_a_pickle(logged, monkeypatch):
    import mlflow

    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    folder, version = store.download("models:/khabar-x@champion")
    assert version == "1"
    assert not [path for path in folder.rglob("*") if path.suffix in (".pkl", ".pickle", ".bin", ".pt", ".pth")]
    model = mlflow.pyfunc.load_model(str(folder))
    table = pd.DataFrame(
        {
            "id": ["أ", None, None],
            "text": [TEXT, TEXT, " "],
            "questions": ['["إيران | هدنة", "هدنة"]', "هدنة", None],
        }
    )
    answers = model.predict(table)
    assert answers["id"][0] == "أ"
    readings = [json.loads(reading) for reading in answers["reading"]]
    assert [len(reading["stances"]) for reading in readings] == [2, 1, 0]
    assert readings[2]["error"] == "The text is empty."
    assert json.loads(model.predict(pd.DataFrame({"text": [TEXT]}))["reading"][0])["events"]
    with pytest.raises(mlflow.exceptions.MlflowException, match="begins as JSON and is none"):
        model.predict(pd.DataFrame({"text": [TEXT], "questions": ["["]}))


def test_chatter_is_kept_back_unless_something_is_wrong(capsys):
    with models.quiet():
        print("Successfully registered")
    assert capsys.readouterr() == ("", "")
    with pytest.raises(ValueError, match="odd"), models.quiet():
        print("last words")
        raise ValueError("odd")
    assert capsys.readouterr().err == "last words\n"
    with models.quiet():
        print("2026/01/01 00:00:00 WARNING mlflow: beware", file=sys.stderr)
    assert "beware" in capsys.readouterr().err


@contextlib.contextmanager
def server(folder, port):
    """A real MLflow server on loopback."""
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += [
        "--backend-store-uri",
        f"sqlite:///{folder}/server.db",
        "--artifacts-destination",
        str(folder / "files"),
    ]
    with (folder / "server.log").open("a") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, start_new_session=True)
    try:
        for _ in range(600):
            with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1):
                break
            time.sleep(0.2)
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


@pytest.mark.slow
def test_metrics_wait_for_a_server_that_went_away(tmp_path, monkeypatch, capsys):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setattr(runs, "PAUSE", 0.0)
    kept = store.address().work
    with server(tmp_path, port):
        context = started()
        run = context.__enter__()
        run.log(1, {"loss": 1.0})
    run.log(2, {"loss": 2.0})  # nobody answers
    run.log(3, {"loss": 3.0})
    assert capsys.readouterr().err.count("metrics wait") == 1
    assert list(kept.glob("*.metrics.json"))
    assert not context.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    with server(tmp_path, port), started(resume=run.id) as again:  # another process, which finds the file
        again.log(4, {"loss": 4.0})
        history = again.client.get_metric_history(run.id, "loss")
        assert sorted((m.step, m.value) for m in history) == [(1, 1.0), (2, 2.0), (3, 3.0), (4, 4.0)]
    assert not list(kept.glob("*.metrics.json"))
