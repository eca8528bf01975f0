"""A registered model behind `mlflow models serve` and in Spark: real processes, as a user starts them."""

import contextlib
import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mlflow
import psutil
import pytest

import khabar
from khabar import tracking
from khabar.tracking import models
from unit.inference import tiny_bundle
from unit.inference.tiny_bundle import TEXT

pytestmark = pytest.mark.slow
URI = "models:/khabar-tiny@champion"
ASKED = {"text": TEXT, "id": "أ", "questions": "إيران | هدنة"}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return tiny_bundle.write(tmp_path_factory.mktemp("made") / "bundle")


@pytest.fixture(scope="module")
def model(bundle):
    return khabar.load(str(bundle))


@pytest.fixture(scope="module")
def environment(bundle, tmp_path_factory):
    """The environment of a shell that is about to serve the registered model: the address of the store, the PATH."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KHABAR_HOME", str(home))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        with tracking.run("e", "n", tags={}) as run:
            uri = models.log(run, bundle, {})
            mlflow.register_model(uri, "khabar-tiny")
            run.client.set_registered_model_alias("khabar-tiny", "champion", "1")
    return {
        **os.environ,
        "MLFLOW_TRACKING_URI": f"sqlite:///{home / 'mlruns' / 'mlflow.db'}",
        "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }


@pytest.fixture(scope="module")
def server(environment, tmp_path_factory):
    """The process and the port of a server."""
    folder = tmp_path_factory.mktemp("server")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [*("mlflow", "models", "serve", "-m", URI, "--env-manager", "local", "--port", str(port))]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=folder, start_new_session=True)
    try:
        for _ in range(600):
            assert process.poll() is None, (folder / "log").read_text()
            with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=1):
                break
            time.sleep(0.2)
        yield process, port
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)
        for _ in range(100):  # its server ends a moment later
            try:
                os.killpg(process.pid, 0)
            except ProcessLookupError:
                break
            time.sleep(0.1)
        else:
            os.killpg(process.pid, signal.SIGKILL)
            pytest.fail("the server outlived the command that started it")


@pytest.fixture
def post(server):
    """Send a body to the model: the status and the answer's JSON."""

    def send(body, escaped=False):
        raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=escaped).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"http://127.0.0.1:{server[1]}/invocations", data=raw, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            return refused.code, json.load(refused)

    return send


def readings(answer):
    assert answer[0] == 200, answer
    return [json.loads(row["reading"]) for row in answer[1]["predictions"]]


def assert_alike(found, expected):
    """Equal but for the last digits of a score; the model's name is not compared, its fingerprint is."""
    if isinstance(expected, dict):
        names = ["fingerprint"] if "fingerprint" in expected else list(expected)
        assert list(found) == list(expected)
        for name in names:
            assert_alike(found[name], expected[name])
    elif isinstance(expected, list):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_alike(one, other)
    else:
        assert found == (pytest.approx(expected, abs=1e-5) if isinstance(expected, float) else expected)


def test_it_is_alive_says_its_version_and_listens_on_this_machine_alone(server):
    process, port = server
    for path, said in (("ping", ""), ("health", ""), ("version", mlflow.__version__)):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=10) as answer:
            assert (answer.status, answer.read().decode().strip()) == (200, said)
    family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    listening = {c.laddr.ip for one in family for c in one.net_connections() if c.status == psutil.CONN_LISTEN}
    assert listening == {"127.0.0.1"}


@pytest.mark.parametrize("escaped", [False, True], ids=["utf-8", "escaped"])
@pytest.mark.parametrize(
    "body",
    [
        {"dataframe_records": [ASKED]},
        {"dataframe_split": {"columns": list(ASKED), "data": [list(ASKED.values())]}},
        {"inputs": [ASKED]},
        {"inputs": {name: [value] for name, value in ASKED.items()}},
    ],
    ids=["records", "split", "inputs", "columns"],
)
def test_every_form_of_a_request_gets_the_same_answer(post, model, body, escaped):
    assert_alike(readings(post(body, escaped))[0], model.predict([ASKED])[0].to_dict())


def test_parameters_travel_with_the_request(post):
    body = {"dataframe_records": [ASKED, {"text": "نعم."}], "params": {"top_k": 2, "tasks": ["event_type"]}}
    first, second = readings(post(body))
    assert (len(first["events"]), len(second["events"])) == (10, 2)
    assert first["stances"] == second["stances"] == []
    assert readings(post({**body, "params": {"threshold": 0.999}}))[0]["events"] == []


def test_a_text_that_cannot_be_read_costs_itself_alone(post):
    found = readings(post({"dataframe_records": [{"text": " "}, {"text": None}, ASKED]}))
    assert [reading["error"] for reading in found] == ["The text is empty.", "The text is empty.", None]


def test_many_at_once_get_their_own_answers(post):
    texts = [f"{TEXT}\nدعا المجلس إلى اتفاق {number}." for number in range(12)]
    alone = [readings(post({"dataframe_records": [{"text": text}]}))[0] for text in texts]
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(lambda text: readings(post({"dataframe_records": [{"text": text}]}))[0], texts))
    assert_alike(together, alone)
    assert len({reading["id"] for reading in together}) == 12


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"dataframe_records": [{"txt": TEXT}]}, "Model is missing inputs ['text']"),
        ({"dataframe_records": [{"text": TEXT}, {"text": 5, "id": "ب"}]}, "row 1 (id 'ب'): text is 5 (int)"),
        (b'{"dataframe_records": [', "valid JSON"),
        ('{"dataframe_records": [{"text": "قصف"}]}'.encode("cp1256"), "UnicodeDecodeError"),
        ({"dataframe_records": [*[ASKED] * 3, {**ASKED, "questions": "[أ"}]}, "row 3 (id 'أ'): questions: '[أ' begins"),
        ({"dataframe_records": [ASKED], "params": {"tasks": ["stanc"]}}, "Did you mean 'stance'"),
        ({"dataframe_records": [ASKED], "params": {"threshold": 2}}, "threshold is 2.0; write a probability"),
        ({"dataframe_records": [ASKED], "params": {"top_k": 0}}, "top_k is 0; write"),
        ({"text": [TEXT]}, "exactly one of the input fields"),
    ],
    ids=["no text", "number", "broken", "encoding", "questions", "task", "threshold", "top_k", "no form"],
)
def test_a_bad_request_names_its_cause_and_the_next_is_answered(post, body, why):
    status, told = post(body)
    assert status == 400
    assert why in told["message"]
    assert "Traceback" not in json.dumps(told)
    assert readings(post({"dataframe_records": [ASKED]}))[0]["error"] is None


SPARK = """
import json, sys
import mlflow
from pyspark.sql import SparkSession
from pyspark.sql.functions import struct

local = {"spark.ui.enabled": "false", "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
spark = SparkSession.builder.master("local[2]").config(map=local).getOrCreate()
rows = [tuple(row) for row in json.loads(sys.argv[2])]
table = spark.createDataFrame(rows, "text string, id string, questions string").repartition(2)
params = {"top_k": 1, "tasks": ["event_type", "stance"]}
read = mlflow.pyfunc.spark_udf(
    spark, sys.argv[1], result_type="id string, reading string", env_manager="local", params=params
)
answers = table.select(read(struct("text", "id", "questions")).alias("answer")).select("answer.*")
print(json.dumps({row.id: json.loads(row.reading) for row in answers.collect()}))
lists = spark.createDataFrame([(rows[0][0], ["a | b", "c"])], "text string, questions array<string>")
print(len(json.loads(lists.select(read(struct("text", "questions")).alias("a")).first().a.reading)["stances"]))
bad = spark.createDataFrame([("x", "[")], "text string, questions string")
try:
    bad.select(read(struct("text", "questions"))).collect()
except Exception as error:
    print("refused" if "row 0: questions: '['" in str(error) else error)
spark.stop()
"""


@pytest.mark.skipif(importlib.util.find_spec("pyspark") is None, reason="pyspark is not installed (the extra spark)")
@pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java, and there is none on PATH")
def test_spark_reads_a_table_with_it(environment, model, tmp_path):
    rows = [(TEXT, "أ", "إيران | هدنة"), ("دعا المجلس إلى اتفاق.", "ب", None), (" ", "ج", None)]
    here = {**environment, "PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}
    command = [sys.executable, "-c", SPARK, URI, json.dumps(rows)]
    done = subprocess.run(command, env=here, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    answers, lists, refused = done.stdout.splitlines()
    for text, name, questions in rows:
        expected = model.predict({"text": text, "id": name, "questions": questions}, top_k=1)[0]
        assert_alike(json.loads(answers)[name], expected.to_dict())
    assert (lists, refused) == ("2", "refused")
