"""A version's page and tags, its aliases, and eight processes that register at once."""

import math
import subprocess
import sys
from pathlib import Path

import pytest

from khabar import store, tracking
from khabar.errors import ConfigError
from khabar.evaluation.bootstrap import Score
from khabar.tracking import models, registered
from unit.inference import tiny_bundle
from unit.tracking import versions

STANCE = Score("macro_f1", None, 0.1644, 0.101, 0.2312, 57, 8, 2000, 0, 0.95)
EVENTS = Score("macro_f1", None, 0.5, math.nan, math.nan, 60, 1, 2000, 0, 0.95)
CARD = tiny_bundle.engine()[0].card.model_copy(
    update={
        "data": {"name": "my|data <b>", "fingerprint": "0123456789abcdef", "licence": "CC-BY-4.0"},
        "encoder": {"name": "tiny", "licence": "MIT"},
    }
)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home with two versions of one model."""
    return versions.home(tmp_path_factory, [(CARD, {"stance": STANCE, "event_type": EVENTS}), (CARD, {})])


@pytest.fixture
def client(home, monkeypatch):
    monkeypatch.setenv("KHABAR_HOME", str(home))
    return store.start()


def test_a_version_bears_its_scores_and_what_it_is_made_of(client):
    found = client.get_model_version("khabar-x", "1")
    run = client.get_run(found.run_id)
    assert dict(found.tags) == {
        "stance.macro_f1": "0.164 [0.101, 0.231], test, 8 clusters, seed 0",
        "event_type.macro_f1": "0.500, test, 1 clusters, seed 0",
        "data": "my|data <b>",
        "data.fingerprint": "0123456789abcdef",
        "encoder": "tiny",
        "seed": "0",
        "git": run.data.tags.get("git", "no checkout"),
    }
    assert f"(#/experiments/{run.info.experiment_id}/runs/{run.info.run_id})" in found.description
    assert registered.version(client, "models:/khabar-x/1").scores.keys() == {"stance.macro_f1", "event_type.macro_f1"}


def test_the_alias_goes_to_the_newest_and_the_model_has_a_line(client):
    assert registered.holder(client, "khabar-x", "candidate").number == "2"
    assert registered.holder(client, "khabar-x", "nobody") is None
    model = client.get_registered_model("khabar-x")
    assert "event_type and stance" in model.description and "\n" not in model.description


def test_a_description_that_people_wrote_is_kept(client):
    client.update_registered_model("khabar-x", "ours")
    bundle = store.download("models:/khabar-x/1")[0] / "artifacts" / "bundle"
    with tracking.run("e", "n", tags={}) as run:
        uri = models.log(run, bundle, {})
        assert registered.register(run, uri, "khabar-x", [], CARD, {}, "test") == "3"
    assert client.get_registered_model("khabar-x").description == "ours"


def test_the_page_is_markdown_in_which_names_are_no_markup():
    page = registered.description(CARD, {"stance": STANCE}, "dev", "7", "abc")
    assert "| stance | favor, against, neutral, none | macro\\_f1 | 0.164 \\[0.101, 0.231\\] | 57, 8 |" in page
    assert "| on dev |" in page
    assert "not measured" in page  # of event_type
    assert "[model card](#/experiments/7/runs/abc/artifacts/model_card.md)" in page
    assert "my\\|data \\<b\\>, licence CC-BY-4.0; fingerprint 0123456789ab." in page
    assert "<" not in page.replace("\\<", "")


def test_an_alias_moves_with_its_reason(client):
    first, second = (registered.version(client, f"models:/khabar-x/{number}") for number in (1, 2))
    assert registered.move(client, first, "champion", "the first") is None
    assert registered.move(client, second, "champion", "أفضل") == registered.version(client, "models:/khabar-x/1")
    tags = registered.version(client, "models:/khabar-x@champion").tags
    assert (tags["alias.champion.reason"], tags["alias.champion.before"]) == ("أفضل", "1")
    assert registered.version(client, "models:/khabar-x/1").tags["alias.champion.before"] == "none"
    assert tags["alias.champion.since"].endswith("Z") and len(tags["alias.champion.since"]) == 20


def test_a_version_that_is_not_there_lists_those_that_are(client):
    with pytest.raises(ConfigError, match=r"models:/khabar-x/9.*There are: models:/khabar-x@candidate"):
        registered.version(client, "models:/khabar-x/9")


@pytest.mark.slow
def test_eight_processes_register_on_a_fresh_store_and_nothing_is_lost(tmp_path):
    bundle = tiny_bundle.write(tmp_path / "bundle")
    script = f"""
from pathlib import Path
from khabar import tracking
from khabar.models import bundle
from khabar.tracking import models, registered
folder = Path({str(bundle)!r})
with tracking.run("e", "n", tags={{}}) as run:
    run.params({{"seed": 0}})
    for step in range(5):
        run.log(step, {{"loss": 1.0 / (step + 1), "lr": 0.1}})
    uri = models.log(run, folder, {{"f1": 0.5}})
    registered.register(run, uri, "khabar-x", ["candidate"], bundle.read_card(folder), {{}}, "test")
"""
    running = [
        subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(8)
    ]
    said = [process.communicate(timeout=500)[0] for process in running]
    assert [process.returncode for process in running] == [0] * 8, said
    client = store.start()
    versions = client.search_model_versions("name='khabar-x'")
    assert sorted(int(version.version) for version in versions) == list(range(1, 9))
    assert registered.holder(client, "khabar-x", "candidate").number == "8"
    assert len({version.run_id for version in versions}) == 8
    for version in versions:
        run = client.get_run(version.run_id)
        assert (run.info.status, len(client.get_metric_history(run.info.run_id, "loss"))) == ("FINISHED", 5)
        assert Path(store.download(f"models:/khabar-x/{version.version}")[0], "artifacts/bundle/khabar.json").is_file()
    assert not list(store.address().work.glob("*.metrics.json"))
