"""Stores of another age: what to run where MLflow can't open a store, or would change it for good without asking.

MLflow upgrades a database that lacks a table without a word, and whoever still has the older MLflow is locked out. A
store in a folder (`mlruns/0/meta.yaml`) is refused by MLflow 3.13 and later.
"""

import shlex
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

from khabar.errors import ConfigError

MLFLOW = f"{shlex.quote(sys.executable)} -m mlflow"  # the one that khabar itself uses
OWN, BESIDE = "mlflow.db", "filestore.db"


def folder_of(uri: str) -> Path | None:
    """The folder that a tracking URI names, None where it names a database or a server."""
    parts = urlsplit(uri)
    if uri == "databricks" or parts.scheme not in ("", "file"):
        return None
    return Path(unquote(parts.path) if parts.scheme else uri).expanduser().resolve()


def file_of(uri: str) -> Path | None:
    """The file of a SQLite URI, None of any other."""
    if not uri.startswith("sqlite"):
        return None
    from sqlalchemy import make_url

    name = make_url(uri).database
    return None if not name or name == ":memory:" else Path(name).resolve()


def experiments(folder: Path) -> int:
    """How many experiments of an old file store a folder holds."""
    return sum(1 for file in folder.glob("*/meta.yaml") if file.parent.name.isdigit())


def migration(folder: Path, target: Path) -> str:
    """The command that copies an old file store into a SQLite database that is not there yet."""
    return f"{MLFLOW} migrate-filestore --source {shlex.quote(str(folder))} --target {_uri(target)}"


def aside(home: Path) -> str | None:
    """What to say of an old file store in the folder where khabar is about to make its database; None without one."""
    count = 0 if (home / OWN).exists() else experiments(home)
    if not count:
        return None
    return (
        f"{home} holds {count} experiments of an old MLflow file store. They stay as they are, and out of {OWN}, which "
        f"khabar makes beside them. To see them:\n  {migration(home, home / BESIDE)}\n"
        f"  MLFLOW_TRACKING_URI={_uri(home / BESIDE)} khabar ui"
    )


def refuse_folder(folder: Path) -> None:
    """Say how a store in a folder becomes one that MLflow opens.

    Raises:
        ConfigError: always.
    """
    count = experiments(folder)
    there = [name for name in (OWN, BESIDE) if (folder / name).exists()]
    if not count or len(there) == 2:
        found = "".join(f" There is {_uri(folder / name)}." for name in there)
        raise ConfigError(
            f"MLFLOW_TRACKING_URI names the folder {folder}, and MLflow keeps runs in databases.{found} Set it to "
            f"{_uri(folder / (there or [OWN])[0])}, or unset it: khabar then uses KHABAR_HOME."
        )
    target = folder / (BESIDE if there else OWN)
    hint = f" (There is {folder / OWN} already; perhaps it holds them.)" if there else ""
    raise ConfigError(
        f"MLFLOW_TRACKING_URI names an old file store of {count} experiments, {folder}, which MLflow no longer opens. "
        f"Move it into a database; artifacts stay where they are.{hint}\n  {migration(folder, target)}\n"
        f"  export MLFLOW_TRACKING_URI={_uri(target)}"
    )


def check_database(uri: str, shown: str) -> None:
    """Compare a database with the installed MLflow, before MLflow touches it.

    Args:
        uri: of SQLAlchemy.
        shown: the same without a password.

    Raises:
        ConfigError: it holds runs and its tables are those of an older or of a newer MLflow.
    """
    found = _revision(uri)
    if found is None:
        return
    import mlflow
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory(str(Path(mlflow.__path__[0], "store", "db_migrations")))
    head = scripts.get_current_head()
    if found == head:
        return
    if found not in {script.revision for script in scripts.walk_revisions()}:
        raise ConfigError(
            f"The store {shown} is of a newer MLflow than the installed {mlflow.__version__} (tables {found}). "
            f"Update it:\n  {shlex.quote(sys.executable)} -m pip install --upgrade mlflow"
        )
    file = file_of(uri)
    name = shlex.quote(str(file))
    copy = f"cp {name} {name}.bak" if file else "(a backup with the database's own tool: pg_dump, mysqldump)"
    target = _uri(file) if file else '"$MLFLOW_TRACKING_URI"'
    raise ConfigError(
        f"The store {shown} is of an older MLflow (tables {found}; MLflow {mlflow.__version__} needs {head}). Stop "
        "whatever uses it, copy it, then upgrade it; after that the older MLflow can't open it any more:\n"
        f"  {copy}\n  {MLFLOW} db upgrade {target}"
    )


def _revision(uri: str) -> str | None:
    """The version of the tables; None where no run is kept yet, for MLflow then makes or completes them itself."""
    file = file_of(uri)
    if uri.startswith("sqlite") and (file is None or not file.is_file()):
        return None
    from sqlalchemy import column, create_engine, inspect, select, table
    from sqlalchemy.pool import NullPool

    engine = create_engine(uri, poolclass=NullPool)
    with engine.connect() as connection:
        if not {"alembic_version", "runs"} <= set(inspect(connection).get_table_names()):
            return None
        if connection.execute(select(column("run_uuid")).select_from(table("runs")).limit(1)).first() is None:
            return None
        found = connection.execute(select(column("version_num")).select_from(table("alembic_version"))).scalar()
    return None if found is None else str(found)


def _uri(file: Path) -> str:
    return shlex.quote(f"sqlite:///{file}")
