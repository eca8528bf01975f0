"""A run as MLflow is told of it while it is under way: parameters, metrics by step, data, artifacts, how it ended."""

import contextlib
import json
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from khabar import store
from khabar.errors import ConfigError, KhabarError
from khabar.store import impatient
from khabar.tracking import surroundings

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from mlflow import MlflowClient
    from mlflow.entities import Metric
    from mlflow.entities import Run as Entity

    from khabar.tracking.system import Monitor

LONGEST = 6000  # characters of a parameter; MLflow cuts longer ones
PAUSE = 30.0  # seconds before a store that did not answer is asked again


@dataclass
class Run:
    """An MLflow run that is under way."""

    client: "MlflowClient"
    id: str
    experiment: str
    step: int = 0  # the latest that was logged
    _waiting: list[tuple[int, int, dict[str, float]]] = field(default_factory=list)  # time, step, metrics
    _retry_at: float = 0.0
    _monitor: "Monitor | None" = None

    def __post_init__(self) -> None:
        """Take up the metrics that a stopped process could not send."""
        if self._journal.is_file():
            self._waiting = json.loads(self._journal.read_text("utf-8"))

    @property
    def _journal(self) -> Path:
        return store.address().work / f"{self.id}.metrics.json"

    def log(self, step: int, metrics: Mapping[str, float], *, flush: bool = True) -> None:
        """Log metrics of a step; a store that does not answer delays them, it does not end a training."""
        self.step = step
        self._waiting.append((int(time.time() * 1000), step, dict(metrics)))
        if flush and time.monotonic() >= self._retry_at:
            with impatient():
                self.flush()

    def flush(self) -> None:
        """Send what waits; what can't be sent is kept in a file too, for the process that resumes the run."""
        from mlflow.entities import Metric
        from mlflow.exceptions import MlflowException

        if self._monitor:
            self._waiting += self._monitor.take()
        found = [
            Metric(safe(key), value, when, step)
            for when, step, metrics in self._waiting
            for key, value in metrics.items()
            if value == value
        ]
        try:
            self.send(found)
        except (MlflowException, OSError) as error:
            if not self._retry_at:
                print(f"MLflow does not answer; metrics wait until it does ({error}).", file=sys.stderr)
            self._retry_at = time.monotonic() + PAUSE
            self._journal.parent.mkdir(parents=True, exist_ok=True)
            aside = self._journal.with_suffix(".part")
            aside.write_text(json.dumps(self._waiting), "utf-8")
            aside.replace(self._journal)
            return
        if self._retry_at:
            print(f"MLflow answers again; {len(found)} metrics sent.", file=sys.stderr)
        self._retry_at = 0.0
        self._waiting.clear()
        self._journal.unlink(missing_ok=True)

    def send(self, metrics: Sequence["Metric"]) -> None:
        """Send metrics as they are; an outage is an error."""
        for at in range(0, len(metrics), 900):  # MLflow takes 1,000 at once
            self.client.log_batch(self.id, metrics=metrics[at : at + 900])

    def curve(self, names: Sequence[str]) -> list[dict[str, float]]:
        """These metrics by step, one dict a value, also of what was logged before the run was stopped and resumed."""
        self.flush()
        return [
            {"step": each.step, name: each.value}
            for name in names
            for each in sorted(self.client.get_metric_history(self.id, name), key=lambda one: one.step)
        ]

    def watch(self) -> None:
        """Log how busy the machine is, until the run ends."""
        from khabar.tracking.system import Monitor

        self._monitor = Monitor(self.id)

    def unwatch(self) -> None:
        """No more of that; the last samples wait for the next `flush`."""
        if self._monitor:
            self._monitor.end()

    def params(self, config: Mapping[str, Any]) -> None:
        """Every configuration value as a parameter, and the whole as `config.yaml`.

        A run that is resumed keeps its first parameters, which MLflow lets nobody change.
        """
        from mlflow.entities import Param

        known = self.client.get_run(self.id).data.params
        values = {key: str(value) for key, value in flatten(config).items() if key not in known}
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

    def note(self, markdown: str) -> None:
        """The description that stands on the run's page."""
        self.tags({"mlflow.note.content": markdown})

    def data(self, name: str, digest: str, source: str, rows: Mapping[str, int]) -> None:
        """The data set as an input, once for each split."""
        from mlflow.entities import Dataset, DatasetInput, InputTag

        inputs = [
            DatasetInput(
                Dataset(
                    name=name,
                    digest=f"{digest[:24]}.{split}"[:36],  # of inputs with one name and digest MLflow keeps the first
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

    def folder(self, folder: Path, path: str) -> None:
        """The files of a folder as artifacts."""
        self.client.log_artifacts(self.id, str(folder), path)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[Any]], path: str) -> None:
        """A table as an artifact that the UI shows as one; `path` ends in .json.

        In place of MLflow's `log_table`, which adds the rows to those that a stopped run has left.
        """
        plain = {"columns": columns, "data": [list(row) for row in rows]}  # pandas' orient="split"
        self.text(json.dumps(plain, ensure_ascii=False), path)
        shown = json.loads(self.client.get_run(self.id).data.tags.get("mlflow.loggedArtifacts", "[]"))
        entry = {"path": path, "type": "table"}
        self.tags({"mlflow.loggedArtifacts": json.dumps([*(one for one in shown if one != entry), entry])})

    def figure(self, figure: "Figure", path: str) -> None:
        """A plot as an artifact."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, Path(path).name)
            figure.savefig(file, dpi=120)
            self.client.log_artifact(self.id, str(file), str(Path(path).parent) if "/" in path else None)


@contextlib.contextmanager
def run(
    experiment: str, name: str, *, tags: Mapping[str, str], parent: str | None = None, resume: str | None = None
) -> Iterator[Run]:
    """A run, finished at the end of the block, failed with its reason if the block fails, killed if interrupted."""
    from mlflow.exceptions import MlflowException

    client = store.start()
    where = store.experiment(client, experiment)
    if resume is None:
        above = {"mlflow.parentRunId": parent} if parent else {}
        source = {"mlflow.source.name": f"khabar {tags.get('khabar.command', '')}".strip()}
        every = {**tags, **surroundings.tags(), **source, **above}
        with store.allowed():
            resume = str(client.create_run(where, run_name=name, tags=every).info.run_id)
    else:
        client.update_run(resume, status="RUNNING")
        for key, value in {**tags, **({"mlflow.parentRunId": parent} if parent else {})}.items():
            client.set_tag(resume, key, value)  # it may go on under another parent
        if "error" in client.get_run(resume).data.tags:
            client.delete_tag(resume, "error")
    under_way = Run(client, resume, where)
    try:
        yield under_way
    except BaseException as error:
        interrupted = isinstance(error, KeyboardInterrupt)
        with contextlib.suppress(MlflowException, OSError), impatient():  # the store itself may be what fails
            if not interrupted:
                kind = "" if isinstance(error, KhabarError) else f"{type(error).__name__}: "
                client.set_tag(resume, "error", f"{kind}{error}"[:4000])
            _end(under_way, "KILLED" if interrupted else "FAILED")
        raise
    try:
        _end(under_way, "FINISHED")
    except MlflowException as error:
        raise KhabarError(
            f"MLflow does not answer, so that the run {resume} could not be closed ({error}). "
            "Its metrics are kept: repeat the command once the store is back."
        ) from error


def _end(under_way: Run, status: str) -> None:
    under_way.unwatch()
    under_way.flush()
    under_way.client.set_terminated(under_way.id, status)
    under_way.flush()  # of a store that has only just come back


def exists(run_id: str) -> bool:
    """Whether the store knows a run that was not deleted."""
    from mlflow.exceptions import MlflowException

    try:
        return bool(store.start().get_run(run_id).info.lifecycle_stage == "active")
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return False
        raise  # a store that does not answer has forgotten nothing


def read(run_id: str) -> "Entity":
    """A run that was tracked, as MLflow has it.

    Raises:
        ConfigError: the store has no such run; the message names the newest trainings.
    """
    if not exists(run_id):
        client = store.start()
        experiments = [each.experiment_id for each in client.search_experiments()]
        newest = client.search_runs(experiments, "tags.`khabar.command` = 'train'", max_results=5)
        there = "".join(f"\n  {each.info.run_id}  {each.info.run_name}" for each in newest)
        raise ConfigError(
            f"There is no run {run_id} in {store.address().uri}." + (f" The newest trainings:{there}" if there else "")
        )
    return store.start().get_run(run_id)


def configuration(run: "Entity") -> dict[str, Any]:
    """The configuration that a training was started with: its artifact `config.yaml`.

    Raises:
        ConfigError: the run was no training.
    """
    from mlflow.exceptions import MlflowException

    command = run.data.tags.get("khabar.command", "none of khabar's")
    if command != "train":
        more = " Its children were: take the id of one of them." if command == "train -m" else ""
        raise ConfigError(f"Run {run.info.run_id} ({run.info.run_name}) was no training: {command}.{more}")
    with tempfile.TemporaryDirectory() as folder:
        try:
            file = store.start().download_artifacts(run.info.run_id, "config.yaml", folder)
        except (MlflowException, OSError) as error:
            raise ConfigError(f"Run {run.info.run_id} has no config.yaml among its artifacts: {error}") from error
        plain: dict[str, Any] = yaml.safe_load(Path(file).read_text("utf-8"))
    return plain


def rows(run: "Entity") -> dict[str, int]:
    """Split -> rows, of the data sets that a run was given."""
    return {
        item.tags[0].value: int(json.loads(item.dataset.profile or "{}").get("num_rows", 0))
        for item in (run.inputs.dataset_inputs if run.inputs else ())
    }


def flatten(value: Any, key: str = "") -> dict[str, Any]:  # noqa: ANN401 - any JSON type
    """Nested values by dotted keys (`loop.lr`, `task.stance.labels.0`), which MLflow allows."""
    items = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list | tuple) else ()
    found: dict[str, Any] = {}
    for name, item in items:
        found |= flatten(item, f"{key}.{safe(str(name))}" if key else safe(str(name)))
    return found if found or isinstance(value, Mapping | list | tuple) else {key: value}


def safe(name: str) -> str:
    """A name as MLflow takes it for a parameter or a metric."""
    return "".join(letter if letter.isalnum() or letter in "_-. /:" else "_" for letter in name)
