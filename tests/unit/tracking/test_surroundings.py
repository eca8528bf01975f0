"""The commit, what was not committed, packages and hardware, out of a real repository."""

import subprocess

import pytest

from khabar.tracking import surroundings


@pytest.fixture
def repository(tmp_path, monkeypatch):
    def git(*words):
        subprocess.run(["git", "-c", "user.name=n", "-c", "user.email=e", *words], cwd=tmp_path, check=True)

    git("init", "-q")
    (tmp_path / "ملف.txt").write_text("أول\n", "utf-8")
    git("add", ".")
    git("commit", "-qm", "first")
    monkeypatch.setattr(surroundings, "project_root", lambda: tmp_path)
    return tmp_path


def test_a_clean_commit_has_no_diff(repository):
    tags = surroundings.tags()
    assert tags["git"] == tags["mlflow.source.git.commit"][:8]
    assert len(tags["mlflow.source.git.commit"]) == 40
    assert set(surroundings.files()) == {"packages.txt"}


def test_what_was_not_committed_is_kept_and_new_files_are_named_alone(repository, monkeypatch):
    (repository / "ملف.txt").write_text("ثان\n", "utf-8")
    (repository / "secret").write_text("hunter2")
    files = surroundings.files()
    assert surroundings.tags()["git"].endswith("-dirty")
    assert "-أول" in files["git.diff"]
    assert "+ثان" in files["git.diff"]
    assert files["untracked.txt"] == "secret\n"
    assert set(surroundings.files(diff=False)) == {"packages.txt"}
    assert "hunter2" not in "".join(files.values())
    monkeypatch.setattr(surroundings, "LONGEST", 10)
    assert files["git.diff"][:10] in surroundings.files()["git.diff"]
    assert "(cut: the whole has" in surroundings.files()["git.diff"]


def test_the_diff_can_be_applied(repository):
    file = repository / "ملف.txt"
    file.write_text("أول\n\n\n", "utf-8")
    subprocess.run(
        ["git", "-c", "user.name=n", "-c", "user.email=e", "commit", "-qam", "2"], cwd=repository, check=True
    )
    file.write_text("ثان\n\n\n", "utf-8")  # the last line of the diff is an empty one
    diff = surroundings.files()["git.diff"]
    file.write_text("أول\n\n\n", "utf-8")
    subprocess.run(["git", "apply"], input=diff, text=True, encoding="utf-8", cwd=repository, check=True)
    assert file.read_text("utf-8") == "ثان\n\n\n"


def test_no_repository_is_no_error(tmp_path, monkeypatch):
    monkeypatch.setattr(surroundings, "project_root", lambda: tmp_path)
    assert "git" not in surroundings.tags()
    assert surroundings.tags()["version.torch"]
    assert "numpy==" in surroundings.files()["packages.txt"]


def test_the_machine():
    found = surroundings.machine()
    assert int(found["hardware.cores"]) >= 1
    assert found["hardware.memory"].endswith(" GiB")
    assert found["hardware.cpu"]
