"""Where runs and models are kept: the address of the MLflow store, and its locked start.

The address is MLFLOW_TRACKING_URI; else `mlruns/mlflow.db` under KHABAR_HOME, else under the nearest folder upwards
that holds `mlruns/`, else under the current folder.
"""

import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from khabar.errors import ConfigError
from khabar.registry import suggest

if TYPE_CHECKING:
    from mlflow import MlflowClient


KIND = {"mlflow.experimentKind": "custom_model_development"}  # else the UI takes classifiers for chat models


@dataclass(frozen=True)
class Address:
    """A tracking URI; `home` holds scratch and, for a local store, database and artifacts."""

    uri: str
    home: Path
    local: bool

    @property
    def work(self) -> Path:
        """Checkpoints of unfinished runs."""
        return self.home / "work"

    @property
    def artifacts(self) -> str | None:
        """Where a local store puts artifacts; a server decides for itself."""
        return (self.home / "artifacts").as_uri() if self.local else None


def address() -> Address:
    """The address in force."""
    here = Path.cwd()
    root = os.environ.get("KHABAR_HOME")
    parents = [here, *here.parents]
    home = Path(root).expanduser() if root else next((p for p in parents if (p / "mlruns").is_dir()), here)
    home = home.resolve() / "mlruns"
    own = f"sqlite:///{home / 'mlflow.db'}"
    uri = os.environ.get("MLFLOW_TRACKING_URI") or own  # MLflow itself sets the variable once it was told the address
    return Address(uri, home, local=uri == own)


def start() -> "MlflowClient":
    """An MLflow client on the store, its tables made if need be; one process at a time makes them.

    Raises:
        ConfigError: the store does not answer, or this MLflow can't read it.
    """
    where = address()
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    where.home.mkdir(parents=True, exist_ok=True)
    import mlflow
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    for name in ("alembic", "mlflow"):
        logging.getLogger(name).setLevel(logging.WARNING)
    mlflow.set_tracking_uri(where.uri)  # and the registry's, unless MLFLOW_REGISTRY_URI names another
    # two processes that make the tables of one fresh database kill each other
    with FileLock(where.home / ".start.lock"):
        try:
            client = mlflow.MlflowClient()
            client.search_experiments(max_results=1)
        except (MlflowException, SQLAlchemyError) as error:
            raise ConfigError(f"The MLflow store {where.uri} does not answer: {error}") from error
    return client


def experiment(client: "MlflowClient", name: str) -> str:
    """The id of an experiment, made if need be."""
    where = address()
    with FileLock(where.home / ".start.lock"):
        found = client.get_experiment_by_name(name)
        if found is None:
            return str(client.create_experiment(name, artifact_location=where.artifacts, tags=KIND))
    if found.lifecycle_stage != "active":
        raise ConfigError(
            f"The experiment {name!r} was deleted. Restore it in the UI, or choose track.experiment=OTHER."
        )
    return str(found.experiment_id)


def download(uri: str) -> tuple[Path, str | None]:
    """The local folder of a `models:/` or `runs:/` URI, and the version it stands for.

    Raises:
        ConfigError: there is no such model; the message lists those that exist.
    """
    client = start()
    import mlflow
    from mlflow.exceptions import MlflowException

    version = None
    try:
        if uri.startswith("models:/"):
            name, version = _version(client, uri)
            uri = f"models:/{name}/{version}"
        return Path(mlflow.artifacts.download_artifacts(uri)), version
    except (MlflowException, OSError) as error:
        raise ConfigError(f"There is no model {uri} in {address().uri}. {_exist(client, uri)}") from error


def _version(client: "MlflowClient", uri: str) -> tuple[str, str]:
    name = uri.removeprefix("models:/")
    if "@" in name:
        name, alias = name.split("@", 1)
        return name, str(client.get_model_version_by_alias(name, alias).version)
    if "/" in name:
        name, version = name.rsplit("/", 1)
        return name, version
    raise ConfigError(
        f"{uri} names no version. Write models:/{name}@ALIAS or models:/{name}/VERSION. {_exist(client, uri)}"
    )


def _exist(client: "MlflowClient", asked: str) -> str:
    names = []
    for model in client.search_registered_models():
        versions = [version.version for version in client.search_model_versions(f"name='{model.name}'")]
        names += [f"models:/{model.name}@{alias}" for alias in model.aliases]
        names += [f"models:/{model.name}/{version}" for version in versions if not model.aliases]
    return suggest(asked, names) + ("" if names else " Train one: khabar train.")
