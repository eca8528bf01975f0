"""A bundle as an MLflow model, logged with a run."""

import contextlib
import io
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from khabar import inference
from khabar.inference.probes import TEXTS
from khabar.tracking.runs import Run, safe
from khabar.tracking.surroundings import packages


def log(run: Run, bundle: Path, metrics: Mapping[str, float]) -> str:
    """Log a bundle as the MLflow model of a run, linked to its metrics; the result is the model's URI."""
    import mlflow
    import pandas as pd
    from mlflow.entities import Metric
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema

    text = DataType.string
    optional = [ColSpec(text, column, required=False) for column in ("id", "questions")]
    signature = ModelSignature(
        Schema([ColSpec(text, "text"), *optional]), Schema([ColSpec(text, "id"), ColSpec(text, "reading")])
    )
    with quiet(), mlflow.start_run(run_id=run.id):
        info = mlflow.pyfunc.log_model(
            name="bundle",
            python_model=str(Path(inference.__path__[0], "pyfunc.py")),
            artifacts={"bundle": str(bundle)},
            signature=signature,
            input_example=pd.DataFrame({"text": [TEXTS[0]], "questions": ['["مقترح الوساطة"]']}),
            pip_requirements=[f"{package}=={installed}" for package, installed in packages().items()],
        )
    run.client.update_run(run.id, status="RUNNING")  # leaving the block has ended the run; it is not over yet
    now, of = int(time.time() * 1000), info.model_id
    run.send([Metric(safe(key), value, now, run.step, of, run_id=run.id) for key, value in metrics.items()])
    return str(info.model_uri)


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
