"""Where the store lies, and models out of a real SQLite store."""

import os
from pathlib import Path

import pytest

import khabar
from khabar import store, tracking
from khabar.errors import ConfigError
from khabar.tracking import models, registered
from unit.inference import tiny_bundle


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A home with one registered model, in a folder whose name needs care in a URI."""
    home = tmp_path_factory.mktemp("home") / "بيت الأخبار"
    bundle = tiny_bundle.write(tmp_path_factory.mktemp("made") / "bundle")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KHABAR_HOME", str(home))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        with tracking.run("e", "n", tags={}) as run:
            card = tiny_bundle.engine()[0].card
            uri = models.log(run, bundle, {})
            assert registered.register(run, uri, "khabar-x", ["candidate"], card, {}, "test") == "1"
    return home, run.id, bundle


@pytest.fixture
def home(made, monkeypatch):
    """That home in force; tables of a fresh one take seconds to make."""
    monkeypatch.setenv("KHABAR_HOME", str(made[0]))


def test_the_variable_of_mlflow_comes_first(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000")
    where = store.address()
    assert (where.uri, where.local, where.artifacts) == ("http://127.0.0.1:5000", False, None)
    assert where.work == tmp_path / "home" / "mlruns" / "work"


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("http://10.0.0.1:5000", "http://10.0.0.1:5000"),
        ("https://lina:ge@heim:x@mlflow.example/a", "https://***@mlflow.example/a"),
        ("postgresql+psycopg://lina:geheim@db/mlflow", "postgresql+psycopg://***@db/mlflow"),
        ("postgresql://db/mlflow?user=lina&password=geheim", "postgresql://db/mlflow?user=lina&password=***"),
    ],
)
def test_a_password_is_not_shown(uri, shown, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    assert (store.address().uri, store.address().full) == (shown, uri)
    assert "geheim" not in repr(store.address())


def test_a_password_leaves_the_address_for_the_variables_of_mlflow(monkeypatch):
    for name in ("USERNAME", "PASSWORD"):
        monkeypatch.setenv(f"MLFLOW_TRACKING_{name}", "another")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://lina:gehe%40im@127.0.0.1:9/path")
    with pytest.raises(ConfigError, match=r"store http://\*\*\*@127\.0\.0\.1:9/path does not answer") as refused:
        store.start()
    assert "gehe" not in str(refused.value)
    assert os.environ["MLFLOW_TRACKING_USERNAME"] == "lina"
    assert os.environ["MLFLOW_TRACKING_PASSWORD"] == "gehe@im"
    assert os.environ["MLFLOW_TRACKING_URI"] == "http://127.0.0.1:9/path"


def test_a_driver_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "mysql+cymysql://u:geheim@127.0.0.1/x")
    with pytest.raises(ConfigError, match=r"store mysql.* needs a driver: pip install cymysql") as refused:
        store.start()
    assert "geheim" not in str(refused.value)


def test_another_sqlite_file_keeps_its_artifacts_beside_it(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/there/x.db")
    assert store.address().artifacts == (tmp_path / "there" / "artifacts").as_uri()
    assert not store.address().local


def test_then_khabar_home(tmp_path):
    where = store.address()
    assert where.uri == f"sqlite:///{tmp_path}/home/mlruns/mlflow.db"
    assert where.artifacts == (tmp_path / "home" / "mlruns" / "artifacts").as_uri()
    assert where.local


def test_then_the_nearest_folder_with_mlruns_then_the_current_one(tmp_path, monkeypatch):
    monkeypatch.delenv("KHABAR_HOME")
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    assert store.address().home == deep / "mlruns"
    (tmp_path / "mlruns").mkdir()
    assert store.address().home == tmp_path / "mlruns"
    (tmp_path / "a" / "mlruns").mkdir()
    assert store.address().home == tmp_path / "a" / "mlruns"


def test_the_own_store_stays_local_once_mlflow_was_told_its_address(home):
    store.start()
    assert store.address().local
    client = store.start()
    location = client.get_experiment(store.experiment(client, "تجربة")).artifact_location
    assert location.startswith(store.address().artifacts)
    assert store.experiment(client, "تجربة") == client.get_experiment_by_name("تجربة").experiment_id


def test_a_deleted_experiment_is_named(home):
    client = store.start()
    client.delete_experiment(store.experiment(client, "d"))
    with pytest.raises(ConfigError, match="'d' was deleted"):
        store.experiment(client, "d")


def test_a_store_that_is_none_is_named(monkeypatch, tmp_path):
    (tmp_path / "no.db").write_text("this is no database " * 100)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/no.db")
    with pytest.raises(ConfigError, match=r"store sqlite:.*no\.db does not answer"):
        store.start()


@pytest.mark.parametrize("uri", ["models:/khabar-x@candidate", "models:/khabar-x/1", "runs:/RUN/bundle"])
def test_a_model_is_loaded_by_alias_version_or_run(home, made, uri):
    _, run_id, bundle = made
    uri = uri.replace("RUN", run_id)
    model = khabar.load(uri)
    assert model.about["uri"] == uri
    assert model.about["version"] == (None if uri.startswith("runs") else "1")
    logged = store.start().get_model_version("khabar-x", "1").source  # models:/m-..., which a served answer names
    assert khabar.load(logged).about["uri"] == logged
    ours, theirs = (m.predict(tiny_bundle.TEXT)[0].article_events for m in (model, khabar.load(str(bundle))))
    assert ours == theirs


@pytest.mark.parametrize(
    "uri",
    [
        "models:/khabar-x@champion",
        "models:/khabar-x/7",
        "models:/other@candidate",
        "models:/khabar-x",
        "models:/khabar-x@",
        "runs:/0/b",
    ],
)
def test_a_model_that_is_not_there_lists_those_that_are(home, uri):
    with pytest.raises(ConfigError, match=f"{uri}.*There are: models:/khabar-x@candidate"):
        store.download(uri)


def test_an_empty_store_says_what_to_do():
    with pytest.raises(ConfigError, match=r"There are none\. Train one: khabar train"):
        store.download("models:/khabar-x@candidate")
    assert Path(store.address().home, "mlflow.db").is_file()
