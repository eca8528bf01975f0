"""Open the MLflow UI on the store that the other commands write to."""

import os
import subprocess
import sys

from pydantic import Field

from khabar import store
from khabar.config import Record


class Config(Record):
    """Configuration of `khabar ui`."""

    port: int = Field(5000, ge=1, le=65535)


def run(config: Config) -> None:
    """Serve the local store on loopback, or name the server that MLFLOW_TRACKING_URI points to."""
    where = store.address()
    if where.uri.startswith(("http://", "https://")):
        print(f"The store is a server already: open {where.uri}")
        return
    store.start()
    print(f"Store: {where.uri}\nOpen http://127.0.0.1:{config.port} (Ctrl-C ends it)", flush=True)
    command = [sys.executable, "-m", "mlflow", "ui", "--host", "127.0.0.1", "--port", str(config.port)]
    command += ["--backend-store-uri", where.uri]
    if where.artifacts:
        command += ["--default-artifact-root", where.artifacts]
    subprocess.run(command, check=True, env={**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"})
