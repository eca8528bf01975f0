import json
import os
from pathlib import Path

import pytest
import yaml

from khabar.config import DataConfig, project_root
from khabar.schema import Task


def composed(group, name, **changes):
    """A YAML of configs/ as its record."""
    plain = yaml.safe_load((project_root() / "configs" / group / f"{name}.yaml").read_text(encoding="utf-8"))
    return {"data": DataConfig, "task": Task}[group].of({**plain, **changes})


@pytest.fixture
def data_config():
    return lambda name, **changes: composed("data", name, **changes)


@pytest.fixture
def tasks():
    return lambda *names: {name: composed("task", name) for name in names}


@pytest.fixture
def real():
    """The path of a real data set, or a skip that says what is missing."""

    def find(name):
        root = Path(os.environ.get("KHABAR_DATA") or project_root() / "../shared/data")
        path = (root / name).resolve()
        if not path.exists():
            pytest.skip(f"{name} is not in KHABAR_DATA ({root})")
        return str(path)

    return find


@pytest.fixture
def write_jsonl():
    def write(path, rows):
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows]
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return path

    return write
