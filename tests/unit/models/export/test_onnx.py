"""ONNX exports answer as torch does, whatever the number of windows, tokens and units."""

import shutil
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from tests.tiny import roberta_config, vocab
from tests.unit.inference import tiny_bundle
from tests.unit.models.conftest import POOLS, tiny_card, tiny_classifier
from transformers import RobertaModel

from khabar.errors import DataError, GateError
from khabar.inference.engine import TOLERANCE
from khabar.inference.predictors import onnx as predictor
from khabar.models import bundle, export
from khabar.models.classifier import Classifier, columns
from khabar.models.export import onnx
from khabar.schema import Task
from khabar.text.normalizer import from_vocab

SHAPES = [(1, 8, 1), (3, 40, 7), (1, 40, 7), (5, 8, 1)]  # windows, tokens, units


def arrays(windows: int, length: int, units: int) -> dict[str, np.ndarray]:
    """Windows of which each but the first is padded, and units of their tokens."""
    rng = np.random.default_rng(0)
    ids = rng.integers(5, len(vocab()), (windows, length))
    mask = np.ones_like(ids)
    for row in range(1, windows):
        mask[row, length - row :] = 0
    types = np.where(np.arange(length) < length // 2, 0, mask)
    member = (rng.random((units, windows * length)) < 0.3) & (mask.reshape(-1) == 1)
    member[:, 1] = True
    return {
        "input_ids": np.where(mask, ids, 0),
        "attention_mask": mask,
        "token_type_ids": types,
        "membership": member,
    }


def torch_logits(classifier: Classifier, inputs: dict[str, np.ndarray]) -> np.ndarray:
    with torch.inference_mode():
        return classifier(*(torch.from_numpy(array) for array in inputs.values())).numpy()


def onnx_logits(session: onnxruntime.InferenceSession, inputs: dict[str, np.ndarray]) -> np.ndarray:
    takes = {entry.name for entry in session.get_inputs()}
    return session.run(["logits"], {name: array for name, array in inputs.items() if name in takes})[0]


def session_of(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


TASKS = {pool: Task(name=pool, labels=("yes", "no", "perhaps"), pool=pool) for pool in POOLS}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export of a bundle with a head for each pool; it takes seconds, so there is one."""
    home = tmp_path_factory.mktemp("export")
    bundle.write(home / "bundle", tiny_classifier(TASKS), from_vocab(vocab(), "arabert_v02"), tiny_card(TASKS), [])
    onnx.write(home / "bundle", home / "onnx")
    return home / "onnx"


@pytest.fixture(scope="module")
def exported(folder: Path) -> tuple[Classifier, onnxruntime.InferenceSession]:
    return tiny_classifier(TASKS), session_of(folder / "model.onnx")


def test_an_export_is_a_sealed_folder_without_torch_weights(folder: Path) -> None:
    files = sorted([*export.SHARED, "khabar.json", "manifest.json", "model.onnx"])
    assert sorted(file.name for file in folder.iterdir()) == files
    card = bundle.read_card(folder)
    assert card == tiny_card(TASKS).model_copy(update={"runtime": "onnx"})
    with pytest.raises(DataError, match="Of an export"):
        bundle.read_classifier(folder, card)


def test_a_changed_export_is_refused(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    with (copy / "model.onnx").open("ab") as file:
        file.write(b"x")
    with pytest.raises(DataError, match=r"model\.onnx"):
        bundle.read_card(copy)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("pool", POOLS)
def test_onnx_equals_torch(exported, pool: str, shape: tuple[int, int, int]) -> None:
    classifier, session = exported
    inputs = arrays(*shape)
    column = columns(TASKS)[pool]
    expected, found = torch_logits(classifier, inputs)[:, column], onnx_logits(session, inputs)[:, column]
    assert found.shape == (shape[2], 3)
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


def test_padding_has_no_effect_on_an_export(exported) -> None:
    _, session = exported
    short = arrays(2, 16, 3)
    long = {name: np.pad(array.reshape(-1, 16), ((0, 0), (0, 8))) for name, array in short.items()}
    long["membership"] = long["membership"].reshape(3, -1)
    np.testing.assert_allclose(onnx_logits(session, long), onnx_logits(session, short), rtol=0, atol=1e-5)


def test_an_encoder_without_token_types_exports(tmp_path: Path) -> None:
    config = roberta_config(len(vocab()), max_position_embeddings=66, pad_token_id=0, initializer_range=0.2)
    classifier = Classifier(RobertaModel(config, add_pooling_layer=False), TASKS, uses_token_types=False).eval()
    onnx.trace(classifier, tmp_path / "model.onnx")
    session = session_of(tmp_path / "model.onnx")
    for shape in SHAPES:
        inputs = arrays(*shape)
        np.testing.assert_allclose(onnx_logits(session, inputs), torch_logits(classifier, inputs), rtol=0, atol=1e-5)


# int8


def test_int8_is_a_quarter_of_the_size_and_passes_its_exam(tmp_path: Path) -> None:
    source = tiny_bundle.write(tmp_path / "bundle", spread=0.1)
    for precision in ("fp32", "int8"):
        onnx.write(source, tmp_path / precision, precision=precision)
    sizes = [onnx_weights(tmp_path / name / "model.onnx") for name in ("fp32", "int8")]
    assert sizes[1] < 0.3 * sizes[0]
    engine = predictor.open_(tmp_path / "int8")
    assert engine.precision == engine.card.precision == "int8"
    assert 1e-4 < engine.examine(bundle.read_probes(tmp_path / "int8")) <= TOLERANCE["int8"]
    assert [path.name for path in (tmp_path / "int8").glob("*.onnx")] == ["model.onnx"]


def test_the_heads_stay_fp32(tmp_path: Path) -> None:
    import onnx as library

    onnx.write(tiny_bundle.write(tmp_path / "bundle"), tmp_path / "int8", precision="int8")
    graph = library.load(tmp_path / "int8" / "model.onnx").graph
    kinds = {entry.name: entry.data_type for entry in graph.initializer}
    own = {name: kind for name, kind in kinds.items() if name.startswith(("heads.", "pools.")) and ".weight" in name}
    assert len(own) == 3
    assert set(own.values()) == {library.TensorProto.FLOAT}
    assert kinds["encoder.embeddings.word_embeddings.weight_quantized"] == library.TensorProto.UINT8


def test_a_model_that_does_not_bear_int8_is_refused_by_the_row(tmp_path: Path) -> None:
    onnx.write(tiny_bundle.write(tmp_path / "bundle"), tmp_path / "int8", precision="int8")
    with pytest.raises(GateError, match=r"probe \d+ \(.*over 2e-02 for int8.*does not bear int8 \(take fp32\)"):
        predictor.open_(tmp_path / "int8")


def onnx_weights(path: Path) -> int:
    """Bytes of the encoder's matrices in a file."""
    import onnx as library

    graph = library.load(path).graph
    return sum(len(entry.raw_data) for entry in graph.initializer if len(entry.dims) == 2 and min(entry.dims) > 1)
