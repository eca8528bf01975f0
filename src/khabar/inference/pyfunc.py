"""The model as MLflow loads it: a script that MLflow runs, so that no pickle is written or read.

Input, a table: `text`, optional `id`, optional `questions` (one "holder | target", or a JSON list of such). Output, a
table: `id`, `reading` (the JSON object that `khabar predict` writes). Parameters, all optional: `threshold`, `top_k`,
`tasks`, as of `khabar.Model.predict`. What is wrong with a request is an `MlflowException` that names the rows, which
MLflow's server answers with status 400.
"""

import json
import logging
import sys
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.pyfunc.model import PythonModel, PythonModelContext

# MLflow puts the copy of khabar that was logged with the model first; it is for where none is installed
sys.path.sort(key=str(Path(__file__).parent / "code").__eq__)

from khabar.errors import DataError, KhabarError
from khabar.inference.model import Model
from khabar.inference.model import load as load_model
from khabar.inference.questions import parse_questions

NAMED = 5  # bad rows of an error message


class KhabarModel(PythonModel):
    """A bundle behind MLflow's `predict`."""

    model: Model

    def load_context(self, context: PythonModelContext) -> None:
        """Open the bundle and let it sit its exam.

        Raises:
            DataError: the bundle, or a file of it, lies outside the folder of the MLflow model.
        """
        home, bundle = Path(__file__).resolve().parent, Path(context.artifacts["bundle"])
        for path in (bundle, *bundle.glob("*")):
            if not path.resolve().is_relative_to(home):
                raise DataError(f"{path} lies outside the model folder {home}. Log the model again.")
        self.model = load_model(str(bundle))
        about = mlflow.models.Model.load(str(home))
        if about.model_id:  # an answer names the model, not a folder of the machine that answers
            self.model.about["uri"] = f"models:/{about.model_id}"

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """Read a table of articles.

        Raises:
            MlflowException: INVALID_PARAMETER_VALUE for a row or a parameter that can't be taken, all bad rows at once;
                INTERNAL_ERROR for a failure of ours. A text that can't be read is no error: its reading says why.
        """
        try:
            readings = self.model.predict(articles(model_input), **(params or {})).to_dicts()
        except KhabarError as error:
            raise MlflowException.invalid_parameter_value(str(error)) from error
        except Exception as error:  # left to itself, MLflow's server sends the traceback to whoever asked
            logging.getLogger("khabar").exception("a request failed")
            raise MlflowException(f"The model failed: {type(error).__name__}. Its log says more.") from error
        answers = [json.dumps(reading, ensure_ascii=False) for reading in readings]
        return pd.DataFrame({"id": [reading["id"] for reading in readings], "reading": answers})


def articles(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table as articles.

    Raises:
        DataError: rows that are none; the message names each by its position and says what to write.
    """
    taken, bad = [], []
    for number, row in enumerate(table.to_dict("records")):
        given = {str(name): value for name, value in row.items() if not _empty(value)}
        try:
            taken.append(_article(given))
        except DataError as error:
            name = f" (id {given['id']!r})" if "id" in given else ""
            bad.append(f"row {number}{name}: {error}")
    if bad:
        more = [f"and {len(bad) - NAMED} more"] if len(bad) > NAMED else []
        counted = f"{len(bad)} of {len(table)} rows can't be taken (the first is row 0):"
        raise DataError("\n".join([counted, *bad[:NAMED], *more]))
    return taken


def _empty(value: Any) -> bool:  # noqa: ANN401 - a cell
    """Whether a cell is empty: what tables write for a missing string, whichever way."""
    return bool(pd.api.types.is_scalar(value) and pd.isna(value)) or (isinstance(value, str) and not value)


def _article(given: dict[str, Any]) -> dict[str, Any]:
    text, name = given.get("text", ""), given.get("id")
    if not isinstance(text, str):
        raise DataError(f"text is {text!r} ({type(text).__name__}). Write the article as a string.")
    if isinstance(name, float) and name.is_integer():
        name = int(name)  # pandas makes it a float where another row has no id
    if not isinstance(name, str | int | None):
        raise DataError(f"id is {name!r} ({type(name).__name__}). Write a string, or leave it out.")
    try:
        return {"text": text, "id": name, "questions": parse_questions(given.get("questions", []))}
    except DataError as error:
        raise DataError(f"questions: {error}") from error


mlflow.models.set_model(KhabarModel())
