"""`khabar pretrain`: an encoder that khabar fine-tunes and plain transformers read, and runs that go on."""

import json
import random

import pytest
import torch
from pydantic import ValidationError
from tests.tiny import LETTERS, PIECES, tiny_checkpoint
from transformers import AutoModelForMaskedLM, AutoTokenizer

from khabar import store
from khabar.commands import pretrain
from khabar.config import EncoderConfig
from khabar.errors import ConfigError, DataError
from khabar.models import encoder as encoders
from khabar.models import masked
from khabar.training.loop import Loop


@pytest.fixture
def articles(tmp_path):
    path = tmp_path / "raw.jsonl"
    draw = random.Random(0)
    words = [["".join(draw.choices(LETTERS, k=5)) for _ in range(20)] for _ in range(24)]  # of each article its own
    rows = [{"text": " ".join(draw.choices([*own, *draw.sample(PIECES, 5)], k=60))} for own in words]
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    return path


def config(tmp_path, articles, **fields):
    checkpoint = tmp_path / "checkpoint"
    if not checkpoint.is_dir():
        tiny_checkpoint(checkpoint, "safetensors", positions=64)
    encoder = {"name": "tiny", "model": str(checkpoint), "normalizer": "arabert_v02", "licence": "none", "lr": 1e-3}
    plain = {
        "encoder": {**encoder, **fields.pop("encoder", {})},
        "masking": {"length": 32, "held_out": 0.1, **fields.pop("masking", {})},
        "shape": fields.pop("shape", {}),
        "loop": {"max_steps": 6, "batch_tokens": 128, "checkpoint_every": 0.0, **fields.pop("loop", {})},
        "track": {"experiment": "pretrain", "code_diff": False, "system_metrics": False},
        "machine": {"device": "cpu", "progress": False},
        "input": str(articles),
        "output": str(tmp_path / "made"),
    }
    return pretrain.Config.of({**plain, **fields})


def the_runs():
    client = store.start()
    (experiment,) = [each for each in client.search_experiments() if each.name == "pretrain"]
    return client.search_runs([experiment.experiment_id])


def test_an_encoder_goes_on_from_its_weights_and_head(tmp_path, articles, capsys):
    asked = config(tmp_path, articles)
    pretrain.run(asked)
    said = capsys.readouterr().out
    assert "24 articles" in said
    assert "begun anew" not in said
    assert "of the hidden tokens right" in said
    (run,) = the_runs()
    assert run.info.status == "FINISHED"
    assert {"loss", "dev/masked_accuracy", "dev/loss", "tokens_per_second", "kept/loss"} <= run.data.metrics.keys()
    assert {file.path for file in store.start().list_artifacts(run.info.run_id, "encoder")} >= {
        "encoder/model.safetensors"
    }
    assert "| seen |" in (tmp_path / "made" / "README.md").read_text("utf-8")
    made = encoders.load(EncoderConfig(name="made", model=str(tmp_path / "made"), licence="none"))
    before = encoders.load(asked.encoder)
    moved = [
        not torch.allclose(one.half().float(), other, atol=1e-4)
        for one, other in zip(before.model.parameters(), made.model.parameters(), strict=True)
    ]
    assert sum(moved) > len(moved) / 2
    assert made.model.config.hidden_dropout_prob == before.model.config.hidden_dropout_prob
    assert made.tokenizer.to_str() == before.tokenizer.to_str()


def test_plain_transformers_guess_the_same(tmp_path, articles):
    pretrain.run(config(tmp_path, articles, half=False))
    folder = str(tmp_path / "made")
    theirs = AutoModelForMaskedLM.from_pretrained(folder).eval()
    text = f"{PIECES[0]} [MASK] {PIECES[2]}"
    inputs = AutoTokenizer.from_pretrained(folder)(text, return_tensors="pt")
    asked = EncoderConfig(name="made", model=folder, licence="none")
    loaded = encoders.load(asked)
    ours = masked.MaskedModel(loaded.model, uses_token_types=True, head=masked.read_head(asked)).eval()
    assert ours.goes_on
    with torch.inference_mode():
        places = torch.arange(inputs["input_ids"].shape[1])
        logits = ours(inputs["input_ids"], inputs["token_type_ids"], places)
        assert torch.allclose(logits, theirs(**inputs).logits[0], atol=1e-5)


def test_one_is_begun_anew_with_its_own_vocabulary_and_size(tmp_path, articles, capsys):
    shape = {"vocabulary": 150, "hidden": 16, "layers": 1, "heads": 2, "vectors": True}
    pretrain.run(config(tmp_path, articles, encoder={"random_weights": True}, shape=shape))
    assert "Learnt a vocabulary of 150 word pieces." in capsys.readouterr().out
    made = encoders.load(EncoderConfig(name="made", model=str(tmp_path / "made"), licence="none"))
    settings = made.model.config
    assert (settings.vocab_size, settings.hidden_size, settings.num_hidden_layers) == (150, 16, 1)
    assert settings.intermediate_size == 64
    assert made.tokenizer.get_vocab_size() == 150


def test_a_stopped_run_goes_on_and_ends_as_an_unbroken_one(tmp_path, articles, monkeypatch, capsys):
    asked = config(tmp_path, articles, encoder={"random_weights": True}, shape={"vocabulary": 150}, half=False)
    pretrain.run(asked)
    whole = (tmp_path / "made" / "model.safetensors").read_bytes()
    step = Loop._step

    def stopping(self, batches):
        if self.state.step == 3:
            raise KeyboardInterrupt
        return step(self, batches)

    monkeypatch.setattr(Loop, "_step", stopping)
    again = asked.model_copy(update={"output": str(tmp_path / "again")})
    with pytest.raises(KeyboardInterrupt):
        pretrain.run(again)
    monkeypatch.setattr(Loop, "_step", step)
    pretrain.run(again)
    assert "Going on after step 3 of 6." in capsys.readouterr().out
    assert (tmp_path / "again" / "model.safetensors").read_bytes() == whole
    assert [run.info.status for run in the_runs()] == ["FINISHED", "FINISHED"]


def test_texts_that_must_stay_unseen_are_left_out(tmp_path, articles, capsys):
    unseen = tmp_path / "test.jsonl"
    unseen.write_text(articles.read_text("utf-8").splitlines()[3], "utf-8")
    pretrain.run(config(tmp_path, articles, apart=[str(unseen)]))
    assert "23 articles; left out: 1 like a text that must stay unseen" in capsys.readouterr().out


def test_bad_rows_are_counted_and_do_not_end_it(tmp_path, articles, capsys):
    lines = articles.read_text("utf-8").splitlines()
    articles.write_text("\n".join([lines[0], "{", '{"text": " "}', *lines[1:]]), "utf-8")
    pretrain.run(config(tmp_path, articles))
    said = capsys.readouterr().out
    assert "24 articles; left out: 1 under 20 words, 1 unreadable (the first: " in said
    assert "raw.jsonl:2" in said


@pytest.mark.parametrize(
    ("fields", "error", "said"),
    [
        ({"masking": {"length": 96}}, ConfigError, "the encoder takes 64 tokens"),
        ({"masking": {"length": 64, "held_out": 0.01}, "input": "{one}"}, DataError, "two articles at least"),
        ({"output": "{taken}"}, ConfigError, "is there already"),
    ],
)
def test_what_cannot_be_is_told(tmp_path, articles, fields, error, said):
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "file").write_text("mine", "utf-8")
    one = tmp_path / "one.txt"
    one.write_text(json.loads(articles.read_text("utf-8").splitlines()[0])["text"], "utf-8")
    places = {"{taken}": str(taken), "{one}": str(one)}
    plain = {key: places.get(value, value) if isinstance(value, str) else value for key, value in fields.items()}
    with pytest.raises(error, match=said):
        pretrain.run(config(tmp_path, articles, **plain))
    assert [file.name for file in taken.iterdir()] == ["file"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"shape": {"layers": 1}}, "encoder.random_weights=true"),
        ({"loop": {"mask": 0.1, "mixing": 0.5}}, "loop.mixing, loop.mask: of tasks"),
    ],
)
def test_a_configuration_that_does_not_fit_is_told(tmp_path, articles, fields, said):
    with pytest.raises(ValidationError, match=said):
        config(tmp_path, articles, **fields)
