"""Stores of another MLflow: what they are told, and the commands they are told, run for real."""

import re
import shlex
import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest

from khabar import store, tracking
from khabar.errors import ConfigError
from khabar.store import older

OLD = "89d3d66ed43f"  # of MLflow 3.12 or so


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """A database with a run, as the installed MLflow makes it."""
    home = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KHABAR_HOME", str(home))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        with tracking.run("e", "kept", tags={}):
            pass
    return home / "mlruns" / "mlflow.db"


@pytest.fixture
def copy(database, tmp_path, monkeypatch):
    """A copy of it in a folder whose name wants quotes, at the address in force."""
    file = tmp_path / "my home" / "mlruns" / "mlflow.db"
    file.parent.mkdir(parents=True)
    shutil.copy(database, file)
    monkeypatch.setenv("KHABAR_HOME", str(tmp_path / "my home"))
    return file


def make_older(file: Path):
    import mlflow
    import sqlalchemy
    from alembic import command
    from alembic.config import Config

    scripts = Path(mlflow.__path__[0], "store", "db_migrations")
    config = Config(str(scripts / "alembic.ini"))
    config.set_main_option("script_location", str(scripts))
    engine = sqlalchemy.create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, OLD)
    engine.dispose()


def revision(file: Path) -> str:
    connection = sqlite3.connect(file)
    (found,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    connection.close()
    return found


def told(message: str) -> list[list[str]]:
    """The command lines of a message."""
    return [shlex.split(line) for line in message.splitlines() if line.startswith("  ")]


def runs() -> list[str]:
    client = store.start()
    found = client.search_runs([each.experiment_id for each in client.search_experiments()])
    return [run.info.run_name for run in found]


def file_store(folder: Path, monkeypatch) -> Path:
    """A store in a folder, as MLflow made it before databases."""
    from mlflow.store.tracking.file_store import FileStore

    with monkeypatch.context() as patch:
        patch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
        old = FileStore(str(folder), folder.as_uri())
        run = old.create_run(old.create_experiment("old"), "someone", 1, [], "old run")
        artifact = Path(re.sub("^file://", "", run.info.artifact_uri), "note.txt")
        artifact.parent.mkdir(parents=True, exist_ok=True)
        artifact.write_text("kept")
    return folder


def test_an_older_database_is_left_alone_until_its_owner_upgrades_it(copy):
    make_older(copy)
    with pytest.raises(ConfigError, match=r"older MLflow .*copy it, then upgrade it") as refused:
        store.start()
    assert revision(copy) == OLD  # MLflow itself would have upgraded it without a word
    backup, upgrade = told(str(refused.value))
    assert backup == ["cp", str(copy), f"{copy}.bak"]
    subprocess.run(backup, check=True)
    subprocess.run(upgrade, check=True, capture_output=True)
    assert runs() == ["kept"]
    assert revision(Path(f"{copy}.bak")) == OLD


def test_a_newer_database_asks_for_a_newer_mlflow(copy):
    connection = sqlite3.connect(copy)
    connection.execute("UPDATE alembic_version SET version_num = 'f' || version_num")
    connection.commit()
    connection.close()
    with pytest.raises(ConfigError, match=r"newer MLflow than .*\n.* -m pip install --upgrade mlflow"):
        store.start()


def test_tables_without_a_run_are_completed(copy):
    """A first start that was killed leaves them."""
    make_older(copy)
    connection = sqlite3.connect(copy)
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE sql LIKE '%run_uuid%'").fetchall():
        if name in ("runs", "tags"):
            connection.execute(f"DELETE FROM {name}")
    connection.commit()
    connection.close()
    assert runs() == []


@pytest.mark.parametrize("form", ["{}", "file://{}"])
def test_a_file_store_is_told_the_command_that_moves_it(form, tmp_path, monkeypatch):
    folder = file_store(tmp_path / "mlruns", monkeypatch)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", form.format(folder))
    with pytest.raises(ConfigError, match=r"old file store of 2 experiments") as refused:
        store.start()
    move, export = told(str(refused.value))
    assert move[-3:] == [str(folder), "--target", f"sqlite:///{folder}/mlflow.db"]
    assert export == ["export", f"MLFLOW_TRACKING_URI=sqlite:///{folder}/mlflow.db"]


def test_a_moved_file_store_has_its_runs_and_artifacts(tmp_path, monkeypatch):
    folder = file_store(tmp_path / "mlruns", monkeypatch)
    subprocess.run(shlex.split(older.migration(folder, folder / "mlflow.db")), check=True, capture_output=True)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", str(folder))
    with pytest.raises(ConfigError, match=r"There is .*mlflow\.db already; perhaps it holds them"):
        store.start()
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    monkeypatch.setenv("KHABAR_HOME", str(tmp_path))
    client = store.start()
    old = client.get_experiment_by_name("old").experiment_id
    (run,) = client.search_runs([old])
    assert [item.path for item in client.list_artifacts(run.info.run_id)] == ["note.txt"]
    assert Path(client.download_artifacts(run.info.run_id, "note.txt")).read_text() == "kept"
    new = client.get_experiment(store.experiment(client, "khabar")).artifact_location
    assert new == (folder / "artifacts").as_uri()


def test_a_folder_that_is_no_store_is_no_address(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", str(tmp_path / "nothing"))
    with pytest.raises(ConfigError, match=r"MLflow keeps runs in databases\. Set it to sqlite:///.*nothing/mlflow\.db"):
        store.start()
    assert not (tmp_path / "nothing").exists()


def test_an_old_file_store_beside_the_new_database_is_told_once(tmp_path, monkeypatch, caplog):
    home = tmp_path / "home" / "mlruns"
    file_store(home, monkeypatch)
    for folder in ("artifacts", "work"):
        (home / folder).mkdir()
    before = sorted(path for path in home.rglob("*") if path.is_file())
    assert runs() == []
    (message,) = caplog.messages
    assert "2 experiments of an old MLflow file store" in message
    assert told(message)[0][-1] == f"sqlite:///{home}/filestore.db"  # the new database is not overwritten
    assert runs() == []
    assert len(caplog.messages) == 1
    assert set(before) <= set(home.rglob("*"))
