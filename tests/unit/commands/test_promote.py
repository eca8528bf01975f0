"""khabar promote as a user types it."""

import os
import sys

import pytest

from khabar import cli, store
from khabar.evaluation.bootstrap import Score
from khabar.tracking import registered
from unit.inference import tiny_bundle
from unit.tracking import versions

CARD = tiny_bundle.engine()[0].card


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home with two versions of one model, the second on other data."""
    made = []
    for value in (0.5, 0.25):
        score = Score("macro_f1", None, value, value - 0.1, value + 0.1, 57, 8, 100, 0, 0.95)
        made.append((CARD.model_copy(update={"data": {"name": "d", "fingerprint": str(value)}}), {"stance": score}))
    return versions.home(tmp_path_factory, made)


@pytest.fixture
def promote(home, monkeypatch, capsys):
    monkeypatch.setenv("KHABAR_HOME", str(home))

    def run(*words):
        code = cli.main(["promote", *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_both_stand_side_by_side_and_back_is_the_same_command(promote):
    code, out, _ = promote("model=models:/khabar-x/1", "reason=the first")
    assert code == 0 and "champion is version 1 now. Reason: the first" in out
    assert "Back:" not in out

    code, out, _ = promote("model=models:/khabar-x@candidate", "reason=لأنه أحدث")
    lines = {line.split("  ")[0]: line for line in out.splitlines()}
    assert code == 0 and lines["version"].split() == ["version", "1", "2"]
    assert "0.500 [0.400, 0.600], test, 8 clusters, seed 0  0.250 [0.150" in lines["stance.macro_f1"]
    assert "different data: the numbers do not compare" in out
    (back,) = [line for line in out.splitlines() if line.startswith("Back: khabar promote ")]

    code, out, _ = promote("model=models:/khabar-x@candidate", "reason=again")
    assert code == 0 and "is version 2 already, since 20" in out and "Nothing changed" in out
    tags = registered.version(store.start(), "models:/khabar-x@champion").tags
    assert tags["alias.champion.reason"] == "لأنه أحدث"

    code, _, _ = promote(*back.split()[3:])
    champion = registered.version(store.start(), "models:/khabar-x@champion")
    assert code == 0 and champion.number == "1" and champion.tags["alias.champion.before"] == "2"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["model=models:/khabar-x/1"], "reason: missing. It is kept with the version"),
        (["model=models:/khabar-x/1", "reason=' '"], "reason: missing"),
        (["model=models:/khabar-x/1", "reason=r", "alias=v1"], "alias: MLflow takes no alias 'v1'"),
        (["model=models:/khabar-x/1", "reason=r", "alias=Latest"], "MLflow takes no alias 'Latest'"),
        (["model=models:/khabar-x/1", "reason=r", "alias=a b"], "MLflow takes no alias 'a b'"),
        (["model=models:/khabar-x", "reason=r"], "This one names no version"),
        (["model=runs:/abc/bundle", "reason=r"], "mlflow.register_model('runs:/abc/bundle', 'khabar-TASKS')"),
        (["model=some/folder", "reason=r"], "khabar train registers what it trains"),
        (["model=models:/khabar-x/7", "reason=r"], "There are: models:/khabar-x@candidate"),
        (["model=models:/khabar-y@candidate", "reason=r"], "Did you mean 'models:/khabar-x@candidate'"),
    ],
)
def test_what_can_be_no_promotion_changes_nothing(promote, words, message):
    before = registered.holder(store.start(), "khabar-x", "champion")
    code, _, err = promote(*words)
    assert code == 2 and message in err
    assert registered.holder(store.start(), "khabar-x", "champion") == before


def test_the_hint_for_a_run_registers_it(promote, home, tmp_path):
    import subprocess

    client = store.start()
    run_id = client.get_model_version("khabar-x", "1").run_id
    _, _, err = promote(f"model=runs:/{run_id}/bundle", "reason=r")
    command = err.splitlines()[-1].strip().replace("khabar-TASKS", "khabar-new").replace("python", sys.executable, 1)
    subprocess.run(command, shell=True, check=True, capture_output=True, env=os.environ, cwd=tmp_path)
    assert promote("model=models:/khabar-new/1", "reason=r")[0] == 0
