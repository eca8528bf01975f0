"""khabar ui as a process: it answers, shows which store, and ends with all it started."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from khabar import cli, store


def members(session: int) -> list[int]:
    """The processes of a session."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, _, its = stat.read_text().rpartition(")")[2].split()[:4]
            if int(its) == session and state != "Z":
                found.append(int(stat.parent.name))
    return found


def children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="reads /proc")
@pytest.mark.parametrize(("end", "elsewhere"), [(signal.SIGINT, False), (signal.SIGTERM, True)])
def test_it_answers_and_leaves_no_child(end, elsewhere, tmp_path):
    env = dict(os.environ)
    if elsewhere:
        env["MLFLOW_TRACKING_URI"] = f"sqlite:///{tmp_path}/there/x.db"
    process = subprocess.Popen(
        [sys.executable, "-m", "khabar", "ui", "port=0"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env,
    )  # fmt: skip
    try:
        said = [process.stdout.readline(), process.stdout.readline()]
        uri = f"{tmp_path}/there/x.db" if elsewhere else f"{tmp_path}/home/mlruns/mlflow.db"
        assert said[0] == f"Store: sqlite:///{uri}\n"
        address = re.search(r"Open (http://127\.0\.0\.1:\d+) ", said[1])[1]
        for _ in range(300):
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}/health", timeout=1) as answer:
                assert answer.read() == b"OK"
                break
            time.sleep(0.2)
        else:
            raise AssertionError("the server never answered")
        (server,) = children(process.pid)
        assert len(members(server)) == 2  # MLflow and its one worker
        rebound = urllib.request.Request(f"{address}/api/2.0/mlflow/experiments/search", headers={"Host": "x.io"})
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(rebound)
    finally:
        process.send_signal(end)
        rest, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in rest and rest.endswith("Interrupted.\n")
    assert members(server) == []
    assert not (tmp_path / "mlruns").exists()


def test_a_port_in_use_is_told_before_anything_starts(capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert cli.main(["ui", f"port={port}"]) == 2
    err = capsys.readouterr().err
    free = int(re.fullmatch(rf"port={port} is in use .* port=(\d+)\.\n", err)[1])
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", free))
    assert not store.address().home.exists()


def test_a_server_is_named_without_its_password(monkeypatch, capsys):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://lina:geheim@mlflow.example")
    assert cli.main(["ui"]) == 0
    assert capsys.readouterr().out == "The store is a server already: open https://***@mlflow.example\n"
