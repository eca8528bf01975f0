"""What MLflow is told of a run: parameters, metrics by step, data, artifacts, the model and its aliases."""

import contextlib
import io
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from khabar import store
from khabar.errors import KhabarError
from khabar.inference.probes import TEXTS

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from mlflow import MlflowClient

LONGEST = 6000  # characters of a parameter; MLflow cuts longer ones
PACKAGES = ("khabar", "torch", "transformers", "tokenizers", "datasets", "accelerate", "mlflow", "numpy", "onnxruntime")


@dataclass
class Run:
    """An MLflow run that is under way."""

    client: "MlflowClient"
    id: str
    experiment: str
    folder: Path | None = None
    _waiting: list[tuple[int, int, dict[str, float]]] = field(default_factory=list)  # time, step, metrics
    _warned: bool = False

    def log(self, step: int, metrics: Mapping[str, float], *, flush: bool = True) -> None:
        """Log metrics of a step; a store that does not answer delays them, it does not end a training."""
        self._waiting.append((int(time.time() * 1000), step, dict(metrics)))
        if flush:
            self.flush()

    def flush(self) -> None:
        """Send what waits."""
        from mlflow.entities import Metric
        from mlflow.exceptions import MlflowException

        sent = [Metric(k, v, when, step) for when, step, metrics in self._waiting for k, v in metrics.items() if v == v]
        try:
            for at in range(0, len(sent), 900):
                self.client.log_batch(self.id, metrics=sent[at : at + 900])
            self._waiting.clear()
        except (MlflowException, OSError) as error:
            if not self._warned:
                print(f"MLflow does not answer; metrics wait until it does ({error}).", file=sys.stderr)
            self._warned = True

    def params(self, config: Mapping[str, Any]) -> None:
        """Every configuration value as a parameter, and the whole as `config.yaml`."""
        from mlflow.entities import Param

        values = {key: str(value) for key, value in flatten(config).items()}
        short = [Param(key, value) for key, value in values.items() if len(value) <= LONGEST]
        for at in range(0, len(short), 90):
            self.client.log_batch(self.id, params=short[at : at + 90])
        long = {key: value for key, value in values.items() if len(value) > LONGEST}
        if long:
            self.text(json.dumps(long, ensure_ascii=False, indent=1), "long_params.json")
        self.text(yaml.safe_dump(dict(config), allow_unicode=True, sort_keys=False), "config.yaml")

    def tags(self, tags: Mapping[str, str]) -> None:
        """Set tags."""
        from mlflow.entities import RunTag

        self.client.log_batch(self.id, tags=[RunTag(key, value) for key, value in tags.items()])

    def data(self, name: str, digest: str, source: str, rows: Mapping[str, int]) -> None:
        """The data set as an input, once for each split."""
        from mlflow.entities import Dataset, DatasetInput, InputTag

        inputs = [
            DatasetInput(
                Dataset(
                    name=name,
                    digest=digest[:36],
                    source_type="local",
                    source=json.dumps({"uri": source}),
                    profile=json.dumps({"num_rows": count}),
                ),
                [InputTag("mlflow.data.context", split)],
            )
            for split, count in rows.items()
        ]
        self.client.log_inputs(self.id, inputs)

    def text(self, text: str, path: str) -> None:
        """A text artifact."""
        self.client.log_text(self.id, text, path)

    def figure(self, figure: "Figure", path: str) -> None:
        """A plot as an artifact."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, Path(path).name)
            figure.savefig(file, dpi=120)
            self.client.log_artifact(self.id, str(file), str(Path(path).parent) if "/" in path else None)

    def model(self, bundle: Path, name: str, aliases: Sequence[str], metrics: Mapping[str, float]) -> str | None:
        """Log a bundle as one MLflow model, linked to its metrics; register it if there is an alias to give.

        Returns:
            The registered version, None without aliases.
        """
        import mlflow
        import pandas as pd
        from mlflow.models import ModelSignature
        from mlflow.types import ColSpec, DataType, Schema

        text = DataType.string
        optional = [ColSpec(text, column, required=False) for column in ("id", "questions")]
        signature = ModelSignature(
            Schema([ColSpec(text, "text"), *optional]), Schema([ColSpec(text, "id"), ColSpec(text, "reading")])
        )
        with quiet(), mlflow.start_run(run_id=self.id):
            info = mlflow.pyfunc.log_model(
                name="bundle",
                python_model=str(Path(__file__).parent / "inference" / "pyfunc.py"),
                artifacts={"bundle": str(bundle)},
                signature=signature,
                input_example=pd.DataFrame({"text": [TEXTS[0]], "questions": ['["مقترح الوساطة"]']}),
                pip_requirements=[f"{package}=={installed}" for package, installed in packages().items()],
                registered_model_name=name if aliases else None,
            )
            mlflow.log_metrics(dict(metrics), model_id=info.model_id)
            self.client.update_run(self.id, status="RUNNING")  # leaving the block ends the run; it is not over yet
        if not aliases:
            return None
        registered = str(info.registered_model_version)
        for alias in aliases:
            self.client.set_registered_model_alias(name, alias, registered)
        return registered


@contextlib.contextmanager
def run(
    experiment: str, name: str, *, tags: Mapping[str, str], parent: str | None = None, resume: str | None = None
) -> Iterator[Run]:
    """A run, finished at the end of the block, failed with its reason if the block fails, killed if interrupted."""
    client = store.start()
    where = store.experiment(client, experiment)
    extra = {"mlflow.parentRunId": parent} if parent else {}
    all_tags = {**described(), **tags, **extra}
    if resume is None:
        made = client.create_run(where, run_name=name, tags=all_tags)
        resume = str(made.info.run_id)
    else:
        client.update_run(resume, status="RUNNING")
    under_way = Run(client, resume, where)
    try:
        yield under_way
    except KeyboardInterrupt:
        _end(under_way, "KILLED")
        raise
    except Exception as error:
        kind = "" if isinstance(error, KhabarError) else f"{type(error).__name__}: "
        client.set_tag(under_way.id, "error", f"{kind}{error}"[:4000])
        _end(under_way, "FAILED")
        raise
    _end(under_way, "FINISHED")


def _end(under_way: Run, status: str) -> None:
    under_way.flush()
    under_way.client.set_terminated(under_way.id, status)


def exists(run_id: str) -> bool:
    """Whether the store knows a run that was not deleted."""
    from mlflow.exceptions import MlflowException

    try:
        return bool(store.start().get_run(run_id).info.lifecycle_stage == "active")
    except MlflowException:
        return False


def flatten(value: Any, key: str = "") -> dict[str, Any]:  # noqa: ANN401 - any JSON type
    """Nested values by dotted keys (`loop.lr`, `task.stance.labels.0`), which MLflow allows."""
    items = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list | tuple) else ()
    found: dict[str, Any] = {}
    for name, item in items:
        safe = "".join(letter if letter.isalnum() or letter in "_-. /:" else "_" for letter in str(name))
        found |= flatten(item, f"{key}.{safe}" if key else safe)
    return found if found or isinstance(value, Mapping | list | tuple) else {key: value}


def described() -> dict[str, str]:
    """Tags of the code and the packages that run."""
    tags = {f"version.{package}": installed for package, installed in packages().items()}
    tags["version.python"] = ".".join(map(str, sys.version_info[:3]))
    commit = _git("rev-parse", "HEAD")
    if commit:
        tags["mlflow.source.git.commit"] = commit
        tags["git.dirty"] = str(bool(_git("status", "--porcelain"))).lower()
    return tags


def packages() -> dict[str, str]:
    """Installed versions of what decides a result."""
    found = {}
    for package in PACKAGES:
        with contextlib.suppress(PackageNotFoundError):
            found[package] = version(package).split("+")[0]
    return found


def _git(*words: str) -> str:
    try:
        return subprocess.run(["git", *words], capture_output=True, text=True, timeout=10, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep MLflow's own chatter off the terminal; errors still raise."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield
