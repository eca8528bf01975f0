"""A bundle as an MLflow model, logged with a run."""

import contextlib
import io
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from khabar import inference
from khabar.inference.probes import TEXTS
from khabar.models.bundle import read_card
from khabar.tracking.runs import Run, safe

if TYPE_CHECKING:
    from mlflow.models import ModelSignature

PACKAGE = Path(inference.__path__[0]).parent
SERVING = (
    "filelock", "mlflow", "numpy", "pandas", "pydantic", "pyyaml", "safetensors", "tokenizers", "torch", "transformers",
)  # fmt: skip


def log(run: Run, bundle: Path, metrics: Mapping[str, float]) -> str:
    """Log a bundle as the MLflow model of a run, linked to its metrics; the result is the model's URI."""
    import mlflow
    import pandas as pd
    from mlflow.entities import Metric

    example = pd.DataFrame({"text": [TEXTS[0]], "id": ["1"], "questions": ['["مقترح الوساطة"]']})
    with quiet(), _code() as code, mlflow.start_run(run_id=run.id):
        info = mlflow.pyfunc.log_model(
            name="bundle",
            python_model=str(PACKAGE / "inference" / "pyfunc.py"),
            artifacts={"bundle": str(bundle)},
            signature=_signature(),
            input_example=(example, {"threshold": 0.5, "top_k": 3, "tasks": list(read_card(bundle).tasks)}),
            code_paths=[code],
            pip_requirements=requirements(),
        )
    run.client.update_run(run.id, status="RUNNING")  # leaving the block has ended the run; it is not over yet
    now, of = int(time.time() * 1000), info.model_id
    run.send([Metric(safe(key), value, now, run.step, of, run_id=run.id) for key, value in metrics.items()])
    return str(info.model_uri)


def _signature() -> "ModelSignature":
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema

    text = DataType.string
    optional = [ColSpec(text, column, required=False) for column in ("id", "questions")]
    params = [
        ParamSpec("threshold", DataType.double, None),
        ParamSpec("top_k", DataType.long, None),
        ParamSpec("tasks", text, [], shape=(-1,)),  # an array takes no None
    ]
    return ModelSignature(
        Schema([ColSpec(text, "text"), *optional]),
        Schema([ColSpec(text, "id"), ColSpec(text, "reading")]),
        ParamSchema(params),
    )


def requirements() -> list[str]:
    """What a fresh environment needs to answer with a bundle, in the versions of this one.

    khabar itself is not among it, for its code is logged with the model.
    """
    return [f"{package}=={version(package).split('+')[0]}" for package in SERVING]


@contextlib.contextmanager
def _code() -> Iterator[str]:
    """A folder with khabar's modules alone: a wheel also holds the seeds, many times as much."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "khabar")
        shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("configs", "seeds", "__pycache__"))
        yield str(copy)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep MLflow's own chatter off the terminal; a warning or an error brings all of it back."""
    said = io.StringIO()
    fine = False
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            yield
        fine = " WARNING " not in said.getvalue() and " ERROR " not in said.getvalue()
    finally:
        if not fine:
            print(said.getvalue(), file=sys.stderr, end="")
