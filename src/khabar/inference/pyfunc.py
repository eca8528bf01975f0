"""The model as MLflow loads it: a script that MLflow runs, so that no pickle is written or read.

Input, a table: `text`, optional `id`, optional `questions` (one "holder | target", or a JSON list of such). Output, a
table: `id`, `reading` (the JSON object that `khabar predict` writes).
"""

import json
from pathlib import Path

import mlflow
import pandas as pd
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from khabar.errors import DataError
from khabar.inference.model import Model
from khabar.inference.model import load as load_model


class KhabarModel(PythonModel):
    """A bundle behind MLflow's `predict`."""

    model: Model

    def load_context(self, context: PythonModelContext) -> None:
        """Open the bundle and let it sit its exam."""
        self.model = load_model(str(Path(context.artifacts["bundle"])))

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, object] | None = None
    ) -> pd.DataFrame:
        """Read a table of articles."""
        rows = model_input.to_dict("records")
        given = [{str(key): value for key, value in row.items() if isinstance(value, str) and value} for row in rows]
        articles = [{"text": "", **row, "questions": _questions(row.get("questions", ""))} for row in given]
        readings = self.model.predict(articles).to_dicts()
        answers = [json.dumps(reading, ensure_ascii=False) for reading in readings]
        return pd.DataFrame({"id": [reading["id"] for reading in readings], "reading": answers})


def _questions(cell: str) -> object:
    """The questions of a row: a JSON list, or one question as it is."""
    if not cell.startswith("["):
        return [cell] if cell else []
    try:
        return json.loads(cell)
    except ValueError as error:
        raise DataError(f"The questions {cell[:80]!r} are no JSON list: {error}.") from error


mlflow.models.set_model(KhabarModel())
