"""Encoders load from every published layout, and refuse what would be read wrong."""

import json
import pickle
from pathlib import Path

import huggingface_hub.constants
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from tests.tiny import tiny_checkpoint, vocab

from khabar.config import EncoderConfig
from khabar.errors import ConfigError
from khabar.models import encoder

TEXT = "قال رئيس الحكومة إن وقف إطلاق النار سيبدأ غداً https://example.com/a"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "khabar" / "encoders"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A hub's cache that holds one model, and no network."""
    home = tmp_path / "hub"
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(home))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    model = home / "models--lab--tiny-arabert"
    tiny_checkpoint(model / "snapshots" / COMMIT)
    (model / "refs").mkdir()
    (model / "refs" / "main").write_text(COMMIT)
    return home


def config(model: Path | str, **fields: object) -> EncoderConfig:
    return EncoderConfig.of({"name": "tiny", "model": str(model), "licence": "Apache-2.0", **fields})


def hidden(loaded: encoder.Encoder) -> torch.Tensor:
    ids = torch.tensor([loaded.tokenizer.encode("قال رئيس").ids])
    with torch.no_grad():
        return loaded.model.eval()(input_ids=ids).last_hidden_state


@pytest.mark.parametrize("tokenizer_json", [True, False])
@pytest.mark.parametrize("heads", [True, False])
@pytest.mark.parametrize("layout", ["bin", "safetensors"])
def test_every_layout_gives_the_same_encoder(tmp_path: Path, layout: str, heads: bool, tokenizer_json: bool) -> None:
    folder = tiny_checkpoint(tmp_path / "a", layout, heads=heads, tokenizer_json=tokenizer_json)
    loaded = encoder.load(config(folder, normalizer="arabert_v02"))
    reference = encoder.load(config(tiny_checkpoint(tmp_path / "b", "safetensors"), normalizer="arabert_v02"))
    assert torch.equal(hidden(loaded), hidden(reference))
    assert loaded.tokenizer.encode(TEXT).ids == reference.tokenizer.encode(TEXT).ids
    assert "[رابط]" in loaded.tokenizer.encode(TEXT).tokens
    assert (loaded.max_length, loaded.uses_token_types, loaded.pad_id) == (512, True, 0)


def test_the_weights_are_those_of_the_file(tmp_path: Path) -> None:
    folder = tiny_checkpoint(tmp_path / "a", "safetensors")
    stored = load_file(folder / "model.safetensors")
    model = encoder.load(config(folder)).model
    assert all(torch.equal(value, stored[f"bert.{key}"]) for key, value in model.state_dict().items())
    assert getattr(model, "pooler", None) is None
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}


def test_a_bin_is_converted_once(tmp_path: Path, cache: Path) -> None:
    folder = tiny_checkpoint(tmp_path / "a")
    encoder.load(config(folder))
    (home,) = cache.iterdir()
    before = (home / "model.safetensors").stat().st_mtime_ns
    encoder.load(config(folder))
    assert [file.name for file in home.iterdir()] == ["model.safetensors"]
    assert (home / "model.safetensors").stat().st_mtime_ns == before


def test_a_malicious_pickle_is_refused(tmp_path: Path) -> None:
    class Attack:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (tmp_path / "pwned",)

    folder = tiny_checkpoint(tmp_path / "a")
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps({"bert.embeddings": Attack()}))
    with pytest.raises(ConfigError, match="more than tensors"):
        encoder.load(config(folder))
    assert not (tmp_path / "pwned").exists()


def test_safetensors_are_preferred_to_a_pickle(tmp_path: Path) -> None:
    folder = tiny_checkpoint(tmp_path / "a", "safetensors")
    (folder / "pytorch_model.bin").write_bytes(b"not read")
    assert "sha256.model.safetensors" in encoder.load(config(folder)).source


def test_missing_weights_are_named(tmp_path: Path) -> None:
    folder = tiny_checkpoint(tmp_path / "a", "safetensors")
    kept = {key: value for key, value in load_file(folder / "model.safetensors").items() if "layer.1.output" not in key}
    save_file(kept, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(ConfigError, match=r"lacks 4 .*encoder\.layer\.1\.output\.LayerNorm\.bias"):
        encoder.load(config(folder))


def test_weights_of_another_shape_or_depth_are_refused(tmp_path: Path) -> None:
    folder = tiny_checkpoint(tmp_path / "a", "safetensors")
    plain = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**plain, "num_hidden_layers": 1}))
    with pytest.raises(ConfigError, match=r"no place for: .*layer\.1\."):
        encoder.load(config(folder))
    (folder / "config.json").write_text(json.dumps({**plain, "hidden_size": 64}))
    with pytest.raises(ConfigError, match="don't fit"):
        encoder.load(config(folder))


def test_damaged_weights_are_refused(tmp_path: Path) -> None:
    folder = tiny_checkpoint(tmp_path / "a", "safetensors")
    (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:1000])
    with pytest.raises(ConfigError, match="can't be read"):
        encoder.load(config(folder))


def test_a_tokenizer_larger_than_the_embedding_is_refused(tmp_path: Path) -> None:
    folder = tiny_checkpoint(tmp_path / "a", "safetensors", tokenizer_json=False)
    with (folder / "vocab.txt").open("a", encoding="utf-8") as file:
        file.write("زائد\n")
    with pytest.raises(ConfigError, match="the tokenizer knows"):
        encoder.load(config(folder))


def test_vocab_alone_follows_its_tokenizer_config(tmp_path: Path) -> None:
    folder = tiny_checkpoint(tmp_path / "a", tokenizer_json=False)
    assert encoder.load(config(folder)).tokenizer.encode("B أ").tokens == ["[CLS]", "B", "أ", "[SEP]"]
    (folder / "tokenizer_config.json").unlink()  # transformers' own default is an uncased model without accents
    assert encoder.load(config(folder)).tokenizer.encode("B أ").tokens == ["[CLS]", "b", "ا", "[SEP]"]


@pytest.mark.parametrize("gone", ["config.json", "tokenizer", "pytorch_model.bin"])
def test_an_incomplete_folder_says_what_is_missing(tmp_path: Path, gone: str) -> None:
    folder = tiny_checkpoint(tmp_path / "a")
    for name in ["tokenizer.json", "vocab.txt"] if gone == "tokenizer" else [gone]:
        (folder / name).unlink()
    with pytest.raises(ConfigError, match=gone):
        encoder.load(config(folder))


def test_code_of_a_checkpoint_is_not_run(tmp_path: Path) -> None:
    folder = tiny_checkpoint(tmp_path / "a")
    plain = json.loads((folder / "config.json").read_text())
    remote = {**plain, "model_type": "own", "auto_map": {"AutoModel": "own.Model"}}
    (folder / "config.json").write_text(json.dumps(remote))
    with pytest.raises(ConfigError, match="never runs a checkpoint's own code"):
        encoder.load(config(folder))
    (folder / "config.json").write_text(json.dumps({**plain, "auto_map": {"AutoModel": "own.Model"}}))
    (folder / "own.py").write_text(f"open({str(tmp_path / 'pwned')!r}, 'w')")
    encoder.load(config(folder))
    assert not (tmp_path / "pwned").exists()


def test_random_weights_follow_the_seed_and_need_no_file(tmp_path: Path) -> None:
    folder = tiny_checkpoint(tmp_path / "a")
    (folder / "pytorch_model.bin").unlink()
    made = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        made.append(hidden(encoder.load(config(folder, random_weights=True))))
    assert torch.equal(made[0], made[1])
    assert not torch.equal(made[0], made[2])


def test_random_weights_are_fp32_whatever_the_weights_are_stored_in(tmp_path: Path) -> None:
    folder = tiny_checkpoint(tmp_path / "a")
    settings = json.loads((folder / "config.json").read_text("utf-8"))
    (folder / "config.json").write_text(json.dumps({**settings, "torch_dtype": "float16"}), "utf-8")
    model = encoder.load(config(folder, random_weights=True)).model
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}


def test_a_size_of_its_own_is_for_random_weights(tmp_path: Path) -> None:
    folder = tiny_checkpoint(tmp_path / "a")
    made = encoder.load(config(folder, random_weights=True), shape={"num_hidden_layers": 1})
    assert made.model.config.num_hidden_layers == 1
    with pytest.raises(ConfigError, match="has no place for"):
        encoder.load(config(folder), shape={"num_hidden_layers": 1})


def test_dropout_is_set_everywhere(tmp_path: Path) -> None:
    folder = tiny_checkpoint(tmp_path / "a")
    rates = {
        module.p
        for module in encoder.load(config(folder), dropout=0.25).model.modules()
        if isinstance(module, torch.nn.Dropout)
    }
    assert rates == {0.25}


def test_the_shorter_limit_holds(tmp_path: Path) -> None:
    folder = tiny_checkpoint(tmp_path / "a", positions=128)
    assert encoder.load(config(folder)).max_length == 128
    assert encoder.load(config(folder, max_length=64)).max_length == 64


def test_the_hub_cache_serves_without_a_network(hub: Path) -> None:
    loaded = encoder.load(config("lab/tiny-arabert"))
    assert loaded.source["model"] == "lab/tiny-arabert"
    assert loaded.source["revision"] == COMMIT
    assert loaded.source["licence"] == "Apache-2.0"
    names = {"config.json", "pytorch_model.bin", "tokenizer.json"}
    assert {key.removeprefix("sha256.") for key in loaded.source if key.startswith("sha256.")} == names
    assert all(len(loaded.source[f"sha256.{name}"]) == 64 for name in names)


@pytest.mark.parametrize(("model", "revision"), [("lab/unknown", "main"), ("lab/tiny-arabert", "v9")])
def test_without_a_network_the_error_says_what_to_do(hub: Path, model: str, revision: str) -> None:
    with pytest.raises(ConfigError) as caught:
        encoder.load(config(model, revision=revision))
    for advice in (f"hf download {model}", "encoder.model=/path/to/folder", "HF_HUB_OFFLINE=1", repr(revision)):
        assert advice in str(caught.value)


@pytest.mark.parametrize("model", ["/nowhere/at/all", "./gone", "seeds/gone", "a/b/c"])
def test_a_path_that_is_not_there_is_no_hub_id(hub: Path, model: str) -> None:
    with pytest.raises(ConfigError, match="no such folder"):
        encoder.load(config(model))


def test_hashes_of_a_folder_change_with_it(tmp_path: Path) -> None:
    first = encoder.load(config(tiny_checkpoint(tmp_path / "a"))).source
    second = encoder.load(config(tiny_checkpoint(tmp_path / "b", seed=1))).source
    assert first["revision"] == "folder"
    assert first["sha256.pytorch_model.bin"] != second["sha256.pytorch_model.bin"]
    assert first["sha256.tokenizer.json"] == second["sha256.tokenizer.json"]


def test_a_segmented_model_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"Java.*encoder=arabert"):
        encoder.load(config(tmp_path, segmenter="farasa"))


def test_the_licence_line_carries_the_note() -> None:
    line = encoder.licence_line(config("a/b", licence_note="Share alike."))
    assert line == "Encoder tiny (a/b), licence: Apache-2.0. Share alike."


def test_nothing_is_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    encoder.load(config(tiny_checkpoint(tmp_path / "a")))
    assert capfd.readouterr() == ("", "")


SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
ROBERTA = {"max_position_embeddings": 514, "type_vocab_size": 1, "pad_token_id": 1}
MODERN = {"max_position_embeddings": 8192, "pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3}


@pytest.mark.parametrize(
    ("model", "settings", "limit", "types"),
    [
        (transformers.ElectraForPreTraining, {"embedding_size": 32}, 512, True),
        (transformers.ElectraForPreTraining, {"embedding_size": 16}, 512, True),
        (transformers.XLMRobertaForMaskedLM, ROBERTA, 512, False),
        (transformers.ModernBertForMaskedLM, MODERN, 8192, False),
    ],
    ids=["electra", "electra-narrow", "xlmr", "modernbert"],
)
def test_other_architectures_load_from_their_pretraining_heads(
    tmp_path: Path, model: type[transformers.PreTrainedModel], settings: dict[str, int], limit: int, types: bool
) -> None:
    folder = tiny_checkpoint(tmp_path / "a")
    (folder / "pytorch_model.bin").unlink()
    made = model(model.config_class(vocab_size=len(vocab()), **SMALL, **settings))
    made.save_pretrained(folder)
    loaded = encoder.load(config(folder, max_length=10_000), dropout=0.0)
    assert (loaded.max_length, loaded.uses_token_types) == (limit, types)
    inner = getattr(made, made.base_model_prefix).eval()
    ids = torch.tensor([loaded.tokenizer.encode("قال رئيس").ids])
    with torch.no_grad():
        expected = inner(input_ids=ids).last_hidden_state
    assert torch.allclose(hidden(loaded), expected, atol=1e-6)


def test_shards_are_read_and_hashed(tmp_path: Path) -> None:
    folder = tiny_checkpoint(tmp_path / "a", "safetensors")
    whole = encoder.load(config(folder))
    stored = load_file(folder / "model.safetensors")
    where = {key: f"model-0000{1 + ('layer.1' in key)}-of-00002.safetensors" for key in stored}
    for shard in set(where.values()):
        save_file({k: v for k, v in stored.items() if where[k] == shard}, folder / shard, {"format": "pt"})
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": where}))
    sharded = encoder.load(config(folder))
    assert torch.equal(hidden(whole), hidden(sharded))
    assert {f"sha256.{name}" for name in where.values()} <= set(sharded.source)
