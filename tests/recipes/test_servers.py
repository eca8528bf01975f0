"""khabar against real MLflow servers on loopback: an open one, and one behind MLflow's basic auth."""

import base64
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from khabar import store
from khabar.errors import ConfigError

pytestmark = pytest.mark.slow
PASSWORD = "a long passw@rd"


@contextlib.contextmanager
def serving(folder, *words, **env):
    """An MLflow server with a database and a folder for artifacts; the result is its address."""
    folder.mkdir(exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{folder}/server.db", "--artifacts-destination", f"{folder}/files"]
    env = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", **env}
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(
            [*command, *words], stdout=log, stderr=log, cwd=folder, env=env, start_new_session=True
        )
    try:
        for _ in range(600):
            with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1):
                break
            assert process.poll() is None, (folder / "server.log").read_text()
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


@pytest.fixture(scope="module")
def open_server(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("open")) as address:
        yield address


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """A server of basic auth with an admin and the user lina; both have the same password."""
    pytest.importorskip("flask_wtf", reason="mlflow[auth] is not installed")
    folder = tmp_path_factory.mktemp("guarded")
    (folder / "auth.ini").write_text(
        f"[mlflow]\ndefault_permission = READ\ndatabase_uri = sqlite:///{folder}/auth.db\nadmin_username = admin\n"
        "auth_cache_ttl_seconds = 60\n"  # without it MLflow hashes the password half a second long at every request
    )
    env = {
        "MLFLOW_AUTH_CONFIG_PATH": f"{folder}/auth.ini",
        "MLFLOW_AUTH_ADMIN_PASSWORD": PASSWORD,
        "MLFLOW_FLASK_SERVER_SECRET_KEY": "of a test",
    }
    with serving(folder, "--app-name", "basic-auth", **env) as address:
        entry = base64.b64encode(f"admin:{PASSWORD}".encode()).decode()
        account = json.dumps({"username": "lina", "password": PASSWORD}).encode()
        headers = {"Authorization": f"Basic {entry}", "Content-Type": "application/json"}
        urllib.request.urlopen(urllib.request.Request(f"{address}/api/2.0/mlflow/users/create", account, headers))
        yield address


def log_in(monkeypatch, address, user, password):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    for name, value in (("USERNAME", user), ("PASSWORD", password)):
        if value is None:
            monkeypatch.delenv(f"MLFLOW_TRACKING_{name}", raising=False)
        else:
            monkeypatch.setenv(f"MLFLOW_TRACKING_{name}", value)


def train_and_use(khabar, quick, tmp_path):
    """A whole training, its model used by its address; the result is its run."""
    code, out, err = khabar("train", *quick)
    assert code == 0, err
    article = tmp_path / "a.txt"
    article.write_text("دعت وزارة الصيد في سلوان إلى وقف الإضراب.", "utf-8")
    model = "models:/khabar-event_type-stance@candidate"
    assert khabar("promote", f"model={model}", "reason=the first")[0] == 0
    code, out, err = khabar("predict", f"model={model.replace('candidate', 'champion')}", f"input={article}")
    assert code == 0 and "سلوان" in out, err
    client = store.start()
    found = client.get_model_version_by_alias("khabar-event_type-stance", "champion")
    run = client.get_run(found.run_id)
    assert run.info.status == "FINISHED" and run.info.artifact_uri.startswith("mlflow-artifacts:")
    assert {"model_card.md", "config.yaml"} <= {item.path for item in client.list_artifacts(run.info.run_id)}
    assert not (store.address().home / "mlflow.db").exists() and not (store.address().home / "artifacts").exists()
    return run


def test_a_training_on_a_server(open_server, khabar, quick, tmp_path, monkeypatch):
    log_in(monkeypatch, open_server, None, None)
    train_and_use(khabar, quick, tmp_path)
    assert khabar("ui")[1] == f"The store is a server already: open {open_server}\n"


def test_a_training_behind_basic_auth_leaves_no_password_anywhere(guarded, khabar, quick, tmp_path, monkeypatch):
    log_in(monkeypatch, guarded, "lina", PASSWORD)
    with_password = guarded.replace("http://", "http://lina:a%20long%20passw%40rd@")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", with_password)
    run = train_and_use(khabar, quick, tmp_path)
    kept = str((run.data.tags, run.data.params))
    assert run.data.tags["khabar.command"] == "train"
    assert "passw" not in kept
    for file in tmp_path.rglob("*"):
        assert not file.is_file() or b"passw" not in file.read_bytes(), file


@pytest.mark.parametrize(
    ("user", "password", "why"),
    [(None, None, "asks who you are"), ("lina", "wrong-passw", "does not accept your password")],
)
def test_who_may_not_enter_is_told_the_variables(guarded, khabar, monkeypatch, user, password, why):
    log_in(monkeypatch, guarded, user, password)
    started = time.monotonic()
    code, _, err = khabar("promote", "model=models:/x@y", "reason=r")
    assert code == 2 and why in err and "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD" in err
    assert "passw" not in err.replace("password", "")
    assert time.monotonic() - started < 60  # by itself MLflow tries for four minutes


def test_who_may_only_read_is_told_what_to_ask_for(guarded, monkeypatch):
    log_in(monkeypatch, guarded, "admin", PASSWORD)
    store.experiment(store.start(), "of the admin")
    log_in(monkeypatch, guarded, "lina", PASSWORD)
    from khabar import tracking

    with (
        pytest.raises(ConfigError, match=r"does not allow that to lina\. .* grant EDIT"),
        tracking.run("of the admin", "n", tags={}),
    ):
        raise AssertionError("the run began")


def test_a_server_that_is_down_is_told_within_seconds(khabar, monkeypatch):
    log_in(monkeypatch, "http://lina:passw@127.0.0.1:9", None, None)
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "")  # set by khabar, so that it is taken back
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "")
    started = time.monotonic()
    code, _, err = khabar("promote", "model=models:/x@y", "reason=r")
    assert code == 2 and "The MLflow store http://***@127.0.0.1:9 does not answer" in err
    assert "passw" not in err
    assert time.monotonic() - started < 30
