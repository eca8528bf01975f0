"""Bundles: what is read is what was written, byte for byte; labels are names; nothing is pickled."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tests.tiny import PIECES, tiny_checkpoint
from tests.unit.models.conftest import tiny_card
from tokenizers import Tokenizer
from transformers import AutoModel, AutoTokenizer

from khabar.errors import DataError
from khabar.models import bundle
from khabar.models.batches import collate
from khabar.models.bundle import Card, Probe
from khabar.models.classifier import Classifier
from khabar.models.windows import Windower
from khabar.schema import Example, Task
from khabar.text import normalizer

FILES = [
    "README.md",
    "config.json",
    "khabar.json",
    "manifest.json",
    "model.safetensors",
    "probe.json",
    "tokenizer.json",
    "tokenizer_config.json",
]
TEXTS = ["قال رئيس https://example.com", "سَيُوقّع الاتفاق «خلال 48 ساعة»!!!", "a@b.com @user ١٢٣", " ".join(PIECES)]


@pytest.fixture
def card(tasks: dict[str, Task]) -> Card:
    return tiny_card(tasks)


@pytest.fixture
def probes() -> list[Probe]:
    return [
        Probe(task="mean", text=TEXTS[0], span=(0, 8), target="غزة", probabilities={"mean_a": 0.25, "mean_b": 0.75})
    ]


@pytest.fixture
def folder(tmp_path: Path, classifier: Classifier, tokenizer: Tokenizer, card: Card, probes: list[Probe]) -> Path:
    bundle.write(tmp_path / "bundle", classifier, tokenizer, card, probes)
    return tmp_path / "bundle"


def logits(classifier: Classifier, tokenizer: Tokenizer, card: Card) -> torch.Tensor:
    asked = [Example(id=text, article="a", group="a", task="mean", text=text, target="غزة") for text in TEXTS]
    found = Windower(tokenizer, card.windows, card.max_length).passes(asked)
    batch = collate(found, card.pad_id)
    arrays = (batch.ids_WL, batch.mask_WL, batch.types_WL, batch.membership_UT)
    with torch.inference_mode():
        return classifier(*(torch.from_numpy(array) for array in arrays))


def rewrite(path: Path, **fields: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **fields}), "utf-8")


# round trip


def test_a_bundle_gives_identical_logits(
    folder: Path, classifier: Classifier, tokenizer: Tokenizer, card: Card
) -> None:
    read = bundle.read_card(folder)
    again = bundle.read_classifier(folder, read)
    assert read == card
    assert not again.training
    assert torch.equal(logits(again, normalizer.load(folder), read), logits(classifier, tokenizer, card))


def test_the_probes_are_read_as_written(folder: Path, probes: list[Probe]) -> None:
    assert bundle.read_probes(folder) == probes
    example = probes[0].example(3)
    assert (example.id, example.task, example.unit_text, example.question) == ("probe 3", "mean", "قال رئيس", "غزة")


def test_half_precision_weights_are_stored_in_full(
    tmp_path: Path, classifier: Classifier, tokenizer: Tokenizer, card: Card
) -> None:
    bundle.write(tmp_path / "b", classifier.to(torch.bfloat16), tokenizer, card, [])
    assert {weight.dtype for weight in load_file(tmp_path / "b" / "model.safetensors").values()} == {torch.float32}


def test_a_bundle_written_over_another_replaces_it(
    folder: Path, classifier: Classifier, tokenizer: Tokenizer, card: Card
) -> None:
    (folder / "left.over").write_text("x")
    bundle.write(folder, classifier, tokenizer, card, [])
    assert sorted(path.name for path in folder.iterdir()) == FILES
    assert not folder.with_name("bundle.part").exists()
    assert bundle.read_probes(folder) == []


def test_the_fingerprint_is_that_of_the_content(
    tmp_path: Path, folder: Path, classifier: Classifier, tokenizer: Tokenizer, card: Card, probes: list[Probe]
) -> None:
    same = bundle.write(tmp_path / "same", classifier, tokenizer, card, probes)
    other = bundle.write(tmp_path / "other", classifier, tokenizer, card.model_copy(update={"seed": 1}), probes)
    assert same == bundle.fingerprint(folder) != other
    assert len(same) == 16


# what lies in the folder


def test_nothing_is_pickled(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == FILES
    assert not any(path.read_bytes().startswith((b"\x80", b"PK")) for path in folder.iterdir())


def test_labels_are_names_and_no_machine_path_is_kept(tmp_path: Path, tokenizer: Tokenizer, card: Card) -> None:
    checkpoint = tiny_checkpoint(tmp_path / "checkpoint", "safetensors", heads=False)
    encoder = AutoModel.from_pretrained(checkpoint, add_pooling_layer=False)
    bundle.write(tmp_path / "b", Classifier(encoder, card.tasks, uses_token_types=True), tokenizer, card, [])
    everything = b"".join(path.read_bytes() for path in (tmp_path / "b").iterdir())
    assert b"LABEL_" not in everything
    assert str(tmp_path).encode() not in everything
    assert b"mean_c" in everything
    bundle.read_classifier(tmp_path / "b", bundle.read_card(tmp_path / "b"))


@pytest.mark.parametrize("text", TEXTS)
def test_plain_auto_tokenizer_gives_the_same_ids_and_types(folder: Path, tokenizer: Tokenizer, text: str) -> None:
    plain = AutoTokenizer.from_pretrained(folder)
    for inputs in ((text,), ("غزة", text)):
        expected, found = tokenizer.encode(*inputs), plain(*inputs)
        assert found["input_ids"] == expected.ids
        assert found["token_type_ids"] == expected.type_ids
        assert found["attention_mask"] == expected.attention_mask


# what is refused


@pytest.mark.parametrize("name", [name for name in FILES if name != "manifest.json"])
def test_a_changed_byte_is_refused_by_the_name_of_its_file(folder: Path, name: str) -> None:
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(DataError, match=name):
        bundle.read_card(folder)


def test_a_changed_manifest_is_refused(folder: Path) -> None:
    manifest = (folder / "manifest.json").read_text()
    flipped = manifest.replace(manifest[manifest.index(": ") + 3], "x", 1)
    (folder / "manifest.json").write_text(flipped)
    with pytest.raises(DataError):
        bundle.read_card(folder)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_refused_by_name(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(DataError, match=name):
        bundle.read_card(folder)


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json", "probe.json", "khabar.json"])
def test_a_file_that_the_manifest_leaves_out_is_refused(folder: Path, name: str) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest[name]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(DataError, match=name):
        bundle.read_card(folder)


def test_a_file_put_beside_a_bundle_is_no_harm(folder: Path) -> None:
    (folder / "notes.md").write_text("notes")
    bundle.read_card(folder)


@pytest.mark.parametrize("name", ["../outside", "{parent}/outside", "inner/file"])
def test_a_manifest_that_leads_out_of_the_folder_is_refused(folder: Path, name: str) -> None:
    (folder / "inner").mkdir()
    for path in (folder.parent / "outside", folder / "inner" / "file"):
        path.write_bytes(b"x")
    name = name.format(parent=folder.parent)
    rewrite(folder / "manifest.json", **{name: hashlib.sha256(b"x").hexdigest()})
    with pytest.raises(DataError, match="which is no file in it"):
        bundle.read_card(folder)


@pytest.mark.parametrize("name", ["..", ".", ""])
def test_a_manifest_that_names_a_folder_is_refused(folder: Path, name: str) -> None:
    rewrite(folder / "manifest.json", **{name: "0" * 64})
    with pytest.raises(DataError):
        bundle.read_card(folder)


@pytest.mark.parametrize("content", ["[1, 2]", "3", "{", "null", '{"a": 1', ""])
@pytest.mark.parametrize("name", ["manifest.json", "khabar.json"])
def test_a_file_that_is_no_json_object_is_refused(folder: Path, name: str, content: str) -> None:
    (folder / name).write_text(content)
    with pytest.raises(DataError, match="not a khabar bundle"):
        bundle.read_card(folder)


def test_a_newer_format_is_refused(folder: Path) -> None:
    rewrite(folder / "khabar.json", format=bundle.FORMAT + 1)
    bundle.seal(folder)
    with pytest.raises(DataError, match="Upgrade khabar"):
        bundle.read_card(folder)


def test_a_card_with_an_unknown_field_is_refused(folder: Path) -> None:
    rewrite(folder / "khabar.json", colour="red")
    bundle.seal(folder)
    with pytest.raises(DataError, match="colour"):
        bundle.read_card(folder)


def test_an_architecture_that_is_not_known_is_refused(folder: Path, card: Card) -> None:
    rewrite(folder / "config.json", model_type="of_tomorrow")
    with pytest.raises(DataError, match="of_tomorrow"):
        bundle.read_classifier(folder, card)


def test_a_folder_without_torch_weights_is_refused(folder: Path, card: Card) -> None:
    (folder / "model.safetensors").unlink()
    with pytest.raises(DataError, match=r"lacks model\.safetensors"):
        bundle.read_classifier(folder, card)


def test_a_folder_that_is_no_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not a khabar bundle"):
        bundle.read_card(tmp_path)
    with pytest.raises(DataError, match="not a khabar bundle"):
        bundle.read_card(tmp_path / "nowhere")


def test_a_copied_bundle_is_the_same_bundle(tmp_path: Path, folder: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    assert bundle.fingerprint(copy) == bundle.fingerprint(folder)
    assert bundle.read_card(copy) == bundle.read_card(folder)
