"""A folder is a registry, and an error names what is near."""

import sys
from pathlib import Path

import pytest

from khabar import registry
from khabar.errors import ConfigError

KINDS = sorted(registry.FOLDERS)


@pytest.mark.parametrize("kind", KINDS)
def test_names_are_the_files_of_the_folder(kind: str) -> None:
    package = registry.load("commands", "train").__file__
    assert package is not None
    folder = Path(package).parents[1] / Path(*registry.FOLDERS[kind].split(".")[1:])
    files = {path.stem for path in folder.glob("*.py") if not path.stem.startswith("_")}
    assert files <= set(registry.names(kind))
    assert list(registry.names(kind)) == sorted(registry.names(kind))


def test_an_unknown_name_is_told_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"no 'trian' among the commands\. Did you mean 'train'\? There are: .*ui"):
        registry.load("commands", "trian")


@pytest.mark.parametrize("name", ["_scoring", "__init__", "../cli", "train.run", ""])
def test_only_plug_ins_are_loaded(name: str) -> None:
    with pytest.raises(ConfigError):
        registry.load("commands", name)


def test_suggest() -> None:
    assert registry.suggest("b", []) == "There are none."
    assert registry.suggest("zzz", ["b", "a"]) == "There are: a, b."
    assert registry.suggest("trian", ["ui", "train"]) == "Did you mean 'train'? There are: train, ui."


def test_an_installed_package_adds_plug_ins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "their_package.py").write_text('"""Says hello."""\n')
    metadata = tmp_path / "their_package-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: their-package\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[khabar.commands]\nhello = their_package\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert "hello" in registry.names("commands")
    assert registry.load("commands", "hello").__doc__ == "Says hello."
    sys.modules.pop("their_package")
