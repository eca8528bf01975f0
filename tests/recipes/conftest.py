import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertModel

from khabar.cli import main

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """A real encoder of the embedded one's tokenizer and layout, with 2 layers of 32."""
    folder = tmp_path_factory.mktemp("tiny") / "encoder"
    torch.manual_seed(0)
    size = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    BertModel(BertConfig(vocab_size=16000, **size), add_pooling_layer=False).save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(ROOT / "seeds" / "encoder" / name, folder / name)
    return folder


@pytest.fixture(scope="session")
def quick(tiny):
    """Overrides that make a training take seconds."""
    return [
        f"encoder.model={tiny}",
        "loop.max_steps=4",
        "loop.eval_every=0.1",
        "loop.lr=1e-3",
        "data.limit=24",
        "suite.draws=100",
        "suite.baselines=[majority]",
        "machine.device=cpu",
        "machine.threads=1",
    ]


@pytest.fixture
def khabar(capsys):
    """Run a command in this process: its exit code, what it printed, what it complained of."""

    def run(*words):
        code = main(list(words))
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def start():
    """Start a command in a process of its own."""

    def run(*words, **more):
        env = {**os.environ, "PYTHONUNBUFFERED": "1"}
        return subprocess.Popen(
            [sys.executable, "-m", "khabar", *words], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, **more,
        )  # fmt: skip

    return run
