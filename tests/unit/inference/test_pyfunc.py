"""The model behind MLflow: what is logged, what it takes and answers, and how it refuses."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException

from khabar import tracking
from khabar.errors import DataError
from khabar.inference import pyfunc
from khabar.inference.model import Model
from khabar.schema import OUTLET
from khabar.tracking import models
from unit.inference import tiny_bundle
from unit.inference.tiny_bundle import TEXT


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The folder of a logged model."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KHABAR_HOME", str(tmp_path_factory.mktemp("home")))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        with tracking.run("e", "n", tags={}) as run:
            uri = models.log(run, tiny_bundle.write(tmp_path_factory.mktemp("made") / "bundle"), {})
            return Path(mlflow.artifacts.download_artifacts(uri))


@pytest.fixture(scope="module")
def served(folder):
    return mlflow.pyfunc.load_model(str(folder))


def readings(served, table, **params):
    return [json.loads(reading) for reading in served.predict(pd.DataFrame(table), params=params)["reading"]]


def test_the_signature_says_what_is_needed_and_what_is_not(folder):
    signature = mlflow.models.Model.load(str(folder)).signature
    assert {column.name: column.required for column in signature.inputs} == {
        "text": True,
        "id": False,
        "questions": False,
    }
    assert {spec.name: (spec.dtype.name, spec.default) for spec in signature.params} == {
        "threshold": ("double", None),
        "top_k": ("long", None),
        "tasks": ("string", []),
    }
    assert signature.outputs.input_names() == ["id", "reading"]


def test_the_input_example_is_stored_with_its_parameters_and_is_answered(folder, served):
    table, params = served.input_example, served.metadata.load_input_example_params(str(folder))
    assert params == {"threshold": 0.5, "top_k": 3, "tasks": ["event_type", "stance"]}
    reading = json.loads(served.predict(table, params=params)["reading"][0])
    assert reading["id"] == "1"
    assert [stance["target"] for stance in reading["stances"]] == ["مقترح الوساطة"]
    assert 1 <= len(reading["events"]) <= 3 * len({event["start"] for event in reading["events"]})


@pytest.mark.parametrize(
    "params", [{}, {"threshold": 0.9}, {"top_k": 1}, {"tasks": ["event_type"]}, {"tasks": ["stance"], "threshold": 0.2}]
)
def test_parameters_do_what_they_do_in_python(served, model, params):
    found = readings(served, {"text": [TEXT], "questions": ["إيران | هدنة"]}, **params)[0]
    expected = model.predict(TEXT, ["إيران | هدنة"], **params)[0].to_dict()
    assert found.pop("model") == {**expected.pop("model"), "uri": f"models:/{served.metadata.model_id}"}
    assert found == expected


@pytest.mark.parametrize(
    ("cell", "questions"),
    [
        ("إيران | هدنة", [("إيران", "هدنة")]),
        ('["إيران | هدنة", "هدنة"]', [("إيران", "هدنة"), (OUTLET, "هدنة")]),
        (' [["إيران", "هدنة"], {"target": "هدنة"}]', [("إيران", "هدنة"), (None, "هدنة")]),
        (["إيران | هدنة", ("مصر", "هدنة")], [("إيران", "هدنة"), ("مصر", "هدنة")]),
        (np.array(["هدنة"], dtype=object), [(OUTLET, "هدنة")]),
        ({"target": "هدنة"}, [(None, "هدنة")]),
        *(("", []), (None, []), (float("nan"), []), (pd.NA, []), ("[]", []), ([], [])),
    ],
)
def test_questions_are_one_string_a_json_list_or_a_list(cell, questions):
    table = pd.DataFrame({"text": [TEXT], "questions": pd.Series([cell], dtype=object)})
    assert pyfunc.articles(table) == [{"text": TEXT, "id": None, "questions": questions}]


def test_lists_of_questions_pass_the_signature(served):
    found = readings(served, {"text": [TEXT, TEXT], "questions": [["هدنة", "اتفاق"], None]})
    assert [len(reading["stances"]) for reading in found] == [2, 0]


def test_ids_are_kept_and_a_text_that_cannot_be_read_is_no_error_of_the_request(served):
    table = pd.DataFrame({"id": ["أ", 7, None, "د"], "text": [TEXT, TEXT, " ", None]}).astype(object)
    answers = served.predict(table)
    assert answers["id"].tolist()[:2] == ["أ", "7"]
    assert [json.loads(reading)["error"] for reading in answers["reading"]] == [None, None, *["The text is empty."] * 2]
    assert pyfunc.articles(pd.DataFrame({"text": [TEXT], "id": [7.0]}))[0]["id"] == 7


def refusal(served, table, **params):
    with pytest.raises(MlflowException) as caught:
        served.predict(pd.DataFrame(table).astype(object), params=params)
    assert caught.value.error_code == "INVALID_PARAMETER_VALUE"
    return caught.value.message


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"text": 5}, "text is 5 (int). Write the article as a string."),
        ({"text": ["a"]}, "text is ['a'] (list)."),
        ({"text": TEXT, "id": 1.5}, "id is 1.5 (float). Write a string"),
        ({"text": TEXT, "questions": "[broken"}, "questions: '[broken' begins as JSON and is none (Expecting value"),
        ({"text": TEXT, "questions": 5}, "5 is no question. Write 'holder | target'"),
        ({"text": TEXT, "questions": "إيران |"}, "'إيران |' is no question."),
        ({"text": TEXT, "questions": '[["أ"]]'}, "['أ'] is no question."),
    ],
)
def test_a_bad_row_is_named_by_its_place_and_id(served, row, why):
    good = {"text": TEXT, "id": "ب", "questions": "هدنة"}
    told = refusal(served, [good, good, good, {"id": "ج", **row}])
    assert told.startswith("1 of 4 rows can't be taken (the first is row 0):\nrow 3 (id ")
    assert why in told


def test_of_many_bad_rows_five_are_named_and_all_counted(served):
    told = refusal(served, {"text": [TEXT, *range(7)]}).splitlines()
    assert told[0] == "7 of 8 rows can't be taken (the first is row 0):"
    assert [line.split(":")[0] for line in told[1:-1]] == [f"row {number}" for number in range(1, 6)]
    assert told[-1] == "and 2 more"


@pytest.mark.parametrize(
    ("params", "why"),
    [
        ({"tasks": ["event_typ"]}, "does not answer 'event_typ'. Did you mean 'event_type'"),
        ({"threshold": 2}, "threshold is 2.0; write a probability"),
        ({"top_k": 0}, "top_k is 0; write how many"),
        ({"top_k": 1.5}, "top_k"),
        ({"tasks": "event_type"}, "Value must be a 1D array"),
    ],
)
def test_a_bad_parameter_is_an_error_of_the_request(served, params, why):
    assert why in refusal(served, {"text": [TEXT]}, **params)


def test_a_failure_of_ours_tells_its_kind_and_logs_the_rest(caplog):
    engine, _ = tiny_bundle.engine()
    broken = pyfunc.KhabarModel()
    broken.model = Model(engine, uri="")
    engine.forward = None
    with pytest.raises(MlflowException, match=r"The model failed: TypeError\. Its log says more") as caught:
        broken.predict(None, pd.DataFrame({"text": [TEXT]}))
    assert (caught.value.error_code, caught.value.get_http_status_code()) == ("INTERNAL_ERROR", 500)
    assert "TypeError" in caplog.records[0].exc_text


@pytest.mark.parametrize("way", ["path", "link"])
def test_a_bundle_outside_the_model_folder_is_refused(folder, tmp_path, way):
    copy, inside = tmp_path / "model", tmp_path / "model" / "artifacts" / "bundle"
    shutil.copytree(folder, copy)
    shutil.copytree(inside, tmp_path / "bundle")
    if way == "path":
        about = copy / "MLmodel"
        about.write_text(about.read_text("utf-8").replace("path: artifacts/bundle", "path: ../bundle"), "utf-8")
    else:
        (inside / "khabar.json").unlink()
        (inside / "khabar.json").symlink_to(tmp_path / "bundle" / "khabar.json")
    with pytest.raises(DataError, match="lies outside the model folder"):
        mlflow.pyfunc.load_model(str(copy))


def test_what_is_logged_needs_no_khabar_on_any_index(folder):
    listed = [line.split("==")[0] for line in (folder / "requirements.txt").read_text("utf-8").split()]
    assert listed == [
        *("filelock", "mlflow", "numpy", "pandas", "pydantic", "pyyaml", "safetensors", "tokenizers", "torch"),
        "transformers",
    ]
    assert {"config.py", "inference", "models"} < {path.name for path in (folder / "code" / "khabar").iterdir()}
    assert not {"seeds", "configs"} & {path.name for path in (folder / "code" / "khabar").iterdir()}


@pytest.mark.slow
@pytest.mark.parametrize("installed", [True, False])
def test_the_logged_code_answers_where_no_khabar_is_installed(folder, installed):
    script = f"""
import sys
from pathlib import Path
if not {installed}:
    sys.path = [path for path in sys.path if not Path(path, "khabar", "__init__.py").is_file()]
import mlflow
model = mlflow.pyfunc.load_model({str(folder)!r})
import khabar
print(Path(khabar.__file__).is_relative_to({str(folder)!r}), len(model.predict([{{"text": "نعم."}}])))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=Path("/"))
    assert done.stdout.split() == [str(not installed), "1"]
