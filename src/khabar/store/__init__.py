"""Where runs and models are kept: the address of the MLflow store, and its start.

The address is MLFLOW_TRACKING_URI; else `mlruns/mlflow.db` under KHABAR_HOME, else under the nearest folder upwards
that holds `mlruns/`, else under the current folder. `older.py` knows the stores that MLflow can't open as they are.
"""

import atexit
import contextlib
import logging
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import unquote, urlsplit

from filelock import FileLock

from khabar.errors import ConfigError
from khabar.registry import suggest
from khabar.store import older

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment


KIND = {"mlflow.experimentKind": "custom_model_development"}  # else the UI takes classifiers for chat models
LOGGED = re.compile("models:/m-[0-9a-f]{32}")  # a model that a run logged, registered or not


@dataclass(frozen=True)
class Address:
    """A tracking URI; `home` holds scratch and, for khabar's own store, database and artifacts."""

    uri: str  # to be shown: user and password in it are masked
    home: Path
    local: bool  # khabar's own store
    full: str = field(repr=False)  # for MLflow

    @property
    def work(self) -> Path:
        """Checkpoints of unfinished runs."""
        return self.home / "work"

    @property
    def server(self) -> bool:
        """Whether the store is an MLflow server."""
        return self.full.startswith(("http://", "https://"))

    @property
    def artifacts(self) -> str | None:
        """Where new experiments put their artifacts: beside a SQLite file; a server decides for itself."""
        if self.server:
            return None
        file = older.file_of(self.full)
        return ((file.parent if file else self.home) / "artifacts").as_uri()


def address() -> Address:
    """The address in force."""
    here = Path.cwd()
    root = os.environ.get("KHABAR_HOME")
    parents = [here, *here.parents]
    home = Path(root).expanduser() if root else next((p for p in parents if (p / "mlruns").is_dir()), here)
    home = home.resolve() / "mlruns"
    own = f"sqlite:///{home / older.OWN}"
    uri = os.environ.get("MLFLOW_TRACKING_URI") or own  # MLflow itself sets the variable once it was told the address
    return Address(masked(uri), home, local=uri == own, full=uri)


def masked(uri: str) -> str:
    """A URI without the user and password that may stand in it."""
    return re.sub(r"([?&](?:password|passwd|pwd)=)[^&]*", r"\1***", re.sub(r"://.*@", "://***@", uri))


def start() -> "MlflowClient":
    """An MLflow client on the store, its tables made if need be; one process at a time makes them.

    Raises:
        ConfigError: the store does not answer, wants other credentials, or is of another MLflow's making.
    """
    where = address()
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    folder = older.folder_of(where.full)
    if folder is not None:
        older.refuse_folder(folder)
    import mlflow
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    for name in ("alembic", "mlflow"):
        logging.getLogger(name).setLevel(logging.WARNING)
    mlflow.set_tracking_uri(_without_credentials(where))  # and the registry's, unless MLFLOW_REGISTRY_URI names another
    try:
        with _alone(where), impatient(), allowed():
            if where.local and (told := older.aside(where.home)):
                logging.getLogger(__name__).warning(told)
            if not where.server:
                older.check_database(where.full, where.uri)
            client = mlflow.MlflowClient()
            client.search_experiments(max_results=1)
    except (MlflowException, SQLAlchemyError, OSError) as error:
        raise ConfigError(f"The MLflow store {where.uri} does not answer: {error}") from error
    except ModuleNotFoundError as error:
        raise ConfigError(f"The MLflow store {where.uri} needs a driver: pip install {error.name}.") from error
    return client


@contextlib.contextmanager
def allowed() -> Iterator[None]:
    """Say what to do where a server refuses what the block does.

    Raises:
        ConfigError: it does not know the user, or the user may not.
    """
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        user = os.environ.get("MLFLOW_TRACKING_USERNAME")
        if error.error_code == "UNAUTHENTICATED":
            raise ConfigError(
                f"The MLflow server {address().uri} {'does not accept your password' if user else 'asks who you are'}: "
                "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD (or MLFLOW_TRACKING_TOKEN) to an account "
                "of that server."
            ) from error
        if error.error_code == "PERMISSION_DENIED":
            raise ConfigError(
                f"The MLflow server {address().uri} does not allow that to {user or 'this account'}. Whoever manages "
                "the experiment or the model can grant EDIT on it; or use your own: track.experiment=OTHER "
                "track.model_name=OTHER."
            ) from error
        raise


def _without_credentials(where: Address) -> str:
    """The URI for MLflow, which writes a server's into its messages: user and password go to MLflow's variables."""
    parts = urlsplit(where.full)
    if not where.server or parts.username is None:
        return where.full
    os.environ["MLFLOW_TRACKING_USERNAME"] = unquote(parts.username)
    os.environ["MLFLOW_TRACKING_PASSWORD"] = unquote(parts.password or "")
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _alone(where: Address) -> contextlib.AbstractContextManager[object]:
    """A lock on a database, for two processes that make the tables of a fresh one kill each other."""
    if where.server:
        return contextlib.nullcontext()
    file = older.file_of(where.full)
    folder = file.parent if file else where.home
    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / ".start.lock")


@contextlib.contextmanager
def impatient() -> Iterator[None]:
    """Let a server fail within seconds; by itself, MLflow tries for four minutes."""
    wanted = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}
    added = {key: value for key, value in wanted.items() if key not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for key in added:
            os.environ.pop(key, None)


def experiment(client: "MlflowClient", name: str) -> str:
    """The id of an experiment, made if need be.

    Raises:
        ConfigError: it was deleted, or the server does not allow it.
    """
    with allowed():
        found = client.get_experiment_by_name(name) or _made(client, name)
    if found.lifecycle_stage != "active":
        raise ConfigError(
            f"The experiment {name!r} was deleted. Restore it in the UI, or choose track.experiment=OTHER."
        )
    return str(found.experiment_id)


def _made(client: "MlflowClient", name: str) -> "Experiment":
    from mlflow.exceptions import MlflowException

    try:
        client.create_experiment(name, artifact_location=address().artifacts, tags=KIND)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":  # another process was quicker
            raise
    return cast("Experiment", client.get_experiment_by_name(name))


def download(uri: str) -> tuple[Path, str | None]:
    """The local folder of a `models:/` or `runs:/` URI, and the version it stands for.

    Raises:
        ConfigError: there is no such model; the message lists those that exist.
    """
    client = start()
    import mlflow
    from mlflow.exceptions import MlflowException

    number = None
    exact = uri
    if uri.startswith("models:/") and not LOGGED.fullmatch(uri):
        name, number = version(client, uri)
        exact = f"models:/{name}/{number}"
    try:
        with allowed():
            return Path(mlflow.artifacts.download_artifacts(exact, dst_path=_scratch())), number
    except (MlflowException, OSError) as error:
        raise ConfigError(f"There is no model {uri} in {address().uri}. {_exist(client, uri)}") from error


def _scratch() -> str | None:
    """Where a server's files are copied to, until this process ends; those of a local store are read where they lie."""
    if not address().server:
        return None
    folder = tempfile.mkdtemp(prefix="khabar-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def version(client: "MlflowClient", uri: str) -> tuple[str, str]:
    """The name and the number that `models:/NAME@ALIAS` or `models:/NAME/VERSION` stands for.

    Raises:
        ConfigError: there is no such version; the message lists those that exist.
    """
    from mlflow.exceptions import MlflowException

    name, sign, which = re.split("([@/])", f"{uri.removeprefix('models:/')}/", maxsplit=1)
    which = which.rstrip("/")
    if not which:
        raise ConfigError(
            f"{uri} names no version. Write models:/{name}@ALIAS or models:/{name}/VERSION. {_exist(client, uri)}"
        )
    try:
        with allowed():
            found = (
                client.get_model_version_by_alias(name, which) if sign == "@" else client.get_model_version(name, which)
            )
    except MlflowException as error:
        raise ConfigError(f"There is no model {uri} in {address().uri}. {_exist(client, uri)}") from error
    return name, str(found.version)


def _exist(client: "MlflowClient", asked: str) -> str:
    names = []
    for model in client.search_registered_models():
        versions = [version.version for version in client.search_model_versions(f"name='{model.name}'")]
        names += [f"models:/{model.name}@{alias}" for alias in model.aliases]
        names += [f"models:/{model.name}/{version}" for version in versions if not model.aliases]
    return suggest(asked, names) + ("" if names else " Train one: khabar train.")
