"""Every importer through the same checks. `tests/unit/data/importers/test_<name>.py` makes its tiny valid data set."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from khabar import registry
from khabar.config import DataConfig, project_root
from khabar.data import corpus
from khabar.data.problems import Place, Problems
from khabar.schema import Article, Label, Relation, Span, Task

MAKERS = Path(__file__).parents[1] / "unit" / "data" / "importers"
NAMES = registry.names("importers")


@pytest.fixture(params=NAMES)
def made(request, tmp_path):
    """The importer's module and the configuration of a tiny data set; a new importer without one fails here."""
    path = MAKERS / f"test_{request.param}.py"
    assert path.is_file(), f"{path} is missing: write make(folder) -> DataConfig there"
    spec = importlib.util.spec_from_file_location(f"maker_{request.param}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    config = module.make(tmp_path)
    assert isinstance(config, DataConfig)
    assert config.importer == request.param
    return registry.load("importers", request.param), config


def asked(config):
    found = {}
    for name in config.default_tasks:
        plain = yaml.safe_load((project_root() / "configs/task" / f"{name}.yaml").read_text(encoding="utf-8"))
        found[name] = Task.of(plain)
    return found


def test_it_yields_nouns_and_says_where_each_stands(made):
    importer, config = made
    problems = Problems()
    places = set()
    for noun in importer.read(config, problems):
        assert isinstance(noun, Article | Label | Span | Relation)
        assert problems.place.file != Problems().place.file
        places.add(problems.place)
    assert places
    assert all(isinstance(place, Place) for place in places)
    assert (problems.total, problems.first) == (0, [])


def test_it_passes_the_checks_and_reads_the_same_twice(made):
    _, config = made
    first, second = (corpus.read(config, asked(config)) for _ in range(2))
    assert first.articles
    assert first.labels
    assert first.fingerprint == second.fingerprint
    assert first == second


def test_its_corpus_survives_the_disk(made, tmp_path):
    _, config = made
    read = corpus.read(config, asked(config))
    corpus.save(read, tmp_path / "saved")
    loaded = corpus.load(tmp_path / "saved")
    assert loaded.fingerprint == read.fingerprint
    assert loaded.articles == read.articles


def test_it_has_a_yaml_and_a_docstring(made):
    importer, config = made
    configs = [
        yaml.safe_load(path.read_text(encoding="utf-8")) for path in (project_root() / "configs/data").glob("*.yaml")
    ]
    assert config.importer in {plain["importer"] for plain in configs if "importer" in plain}
    assert importer.__doc__
    assert importer.read.__doc__


@pytest.mark.parametrize("name", NAMES)
def test_importing_it_is_cheap(name):
    code = (
        f"import sys, khabar.registry as r; r.load('importers', {name!r}); import khabar.data.dataset; "
        "print([m for m in ('torch', 'transformers', 'mlflow', 'hydra', 'pandas', 'pyarrow', 'datasets') "
        "if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
