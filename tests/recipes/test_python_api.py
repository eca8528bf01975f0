"""The Python API as its page shows it: every block of docs/python.md is run, in order."""

import re
from pathlib import Path

import pytest

import khabar
from khabar.errors import ConfigError

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_the_blocks_of_the_page_run(capsys, monkeypatch, tmp_path):
    text = (ROOT / "docs" / "python.md").read_text("utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 6
    monkeypatch.chdir(tmp_path)
    names = {}
    for number, block in enumerate(blocks, 1):
        exec(compile(block, f"block {number} of docs/python.md", "exec"), names)
    said = capsys.readouterr().out
    assert re.search(r"^test/event_type\.macro_f1 0\.\d+ \[0\.\d+, 0\.\d+\]$", said, re.MULTILINE)
    assert "loop.learning_rate" in said and "loop.epochs" in said
    table = names["readings"].to_pandas()
    assert set(table.columns) >= {"article", "label", "score", "start"}
    assert "b" in set(table["article"])


def test_a_training_takes_paths_tuples_and_nested_fields(quick, tmp_path):
    table = tmp_path / "t.csv"
    rows = [f"خرج عمال الورشة {i} في مظاهرة,{'yes' if i % 3 else 'no'}" for i in range(60)]
    table.write_text("\n".join(["text,label", *rows]), "utf-8")
    words = dict(word.split("=", 1) for word in quick if word.startswith(("encoder", "machine.device")))
    trained = khabar.train(
        {**words, "data": "files", "data.path": table, "task": "event_protest", "audit.near": 1.0},
        loop={"max_steps": 2}, suite={"baselines": ("majority",), "draws": 100}, track={"aliases": ()}, seed=5,
    )  # fmt: skip
    assert trained.metrics["test_baselines/event_protest.majority.macro_f1"] > 0
    assert trained.model == f"runs:/{trained.run_id}/bundle"
    assert trained.load().engine.card.seed == 5


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"data": "file"}, "Did you mean 'files'"),
        ({"data": "file", "encoder": "arabart"}, "(?s)'files'.*'arabert'"),
        ({"loop": {"lr": -1}}, "loop.lr"),
        ({"seed": "one"}, "seed"),
        ({"nothing": 1}, "nothing"),
    ],
)
def test_what_does_not_fit_is_told(config, said):
    with pytest.raises(ConfigError, match=said):
        khabar.train(config)


def test_completion_shows_what_there_is():
    assert {"load", "train", "Model", "Readings"} <= set(dir(khabar))
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        khabar.trian  # noqa: B018
