"""The model as MLflow loads it: a script that MLflow runs, so that no pickle is written or read.

Input, a table: `text`, optional `id`, optional `questions` (a JSON list of "holder | target"). Output, a table: `id`,
`reading` (the JSON object that `khabar predict` writes).
"""

import json
from collections.abc import Mapping
from pathlib import Path

import mlflow
import pandas as pd
from mlflow.pyfunc.model import PythonModel, PythonModelContext

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
        articles: list[Mapping[str, object]] = []
        for row in model_input.to_dict("records"):
            article: dict[str, object] = {
                str(key): value for key, value in row.items() if isinstance(value, str) and value
            }
            article["questions"] = json.loads(str(article.get("questions", "[]")))
            articles.append({"text": "", **article})
        readings = self.model.predict(articles).to_dicts()
        answers = [json.dumps(reading, ensure_ascii=False) for reading in readings]
        return pd.DataFrame({"id": [reading["id"] for reading in readings], "reading": answers})


mlflow.models.set_model(KhabarModel())
