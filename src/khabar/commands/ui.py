"""Open the MLflow UI on the store that the other commands write to."""

import contextlib
import os
import signal
import socket
import subprocess
import sys

from pydantic import Field

from khabar import store
from khabar.config import Record
from khabar.errors import ConfigError, KhabarError

HOST = "127.0.0.1"  # a store has no users and no passwords: it is not for the network
PATIENCE = 10.0  # seconds that the server gets to end


class Config(Record):
    """Configuration of `khabar ui`."""

    port: int = Field(5000, ge=0, le=65535)


def run(config: Config) -> None:
    """Serve the store on loopback until Ctrl-C, or name the server that MLFLOW_TRACKING_URI points to.

    Raises:
        ConfigError: the port is in use, or the store can't be opened.
        KhabarError: the server ended by itself.
    """
    where = store.address()
    if where.server:
        print(f"The store is a server already: open {where.uri}")
        return
    port = _port(config.port)
    store.start()
    print(f"Store: {where.uri}\nOpen http://{HOST}:{port} (Ctrl-C ends it)", flush=True)
    command = [sys.executable, "-m", "mlflow", "server", "--host", HOST, "--port", str(port), "--workers", "1"]
    env = {
        "MLFLOW_BACKEND_STORE_URI": where.full,  # not on the command line, which every user of the machine can read
        "MLFLOW_DEFAULT_ARTIFACT_ROOT": str(where.artifacts),
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # seven processes for judges and traces
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    # a group of its own, so that Ctrl-C reaches khabar alone and all that the server started ends with it
    server = subprocess.Popen(command, env={**os.environ, **env}, start_new_session=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        code = server.wait()
    finally:
        _end(server)
    raise KhabarError(f"The MLflow server ended by itself (exit code {code}); its last lines above say why.")


def _port(asked: int) -> int:
    """The port, if it is free; for 0 any free one."""
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server will: a port just left is free
        with contextlib.suppress(OSError):
            trial.bind((HOST, asked))
            return int(trial.getsockname()[1])
    raise ConfigError(f"port={asked} is in use (or not yours to use). Free is, for one, port={_port(0)}.")


def _end(server: "subprocess.Popen[bytes]") -> None:
    """Ask the server and its children to end, then make them."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(PATIENCE)
