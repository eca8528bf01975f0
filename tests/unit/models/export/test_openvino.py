"""OpenVINO exports answer as torch does, tell nobody, and name the package that is missing."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from tests.unit.inference import tiny_bundle
from tests.unit.models.export.test_onnx import SHAPES, arrays

from khabar.config import MachineConfig
from khabar.errors import ConfigError, DataError
from khabar.inference import probes
from khabar.inference.engine import TOLERANCE
from khabar.inference.predictors import openvino as predictor
from khabar.models import bundle
from khabar.models.batches import Batch
from khabar.models.export import openvino

openvino.library()  # first of all, so that no test of this process brings the reporting package in


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    home = tmp_path_factory.mktemp("openvino")
    openvino.write(tiny_bundle.write(home / "bundle", spread=0.1), home / "out")
    return home / "out"


def test_any_number_of_windows_tokens_and_units(folder):
    _, classifier = tiny_bundle.engine(spread=0.1)
    forward = predictor.open_(folder, MachineConfig(threads=1)).forward
    for shape in SHAPES:
        made = arrays(*shape)
        batch = Batch(
            made["input_ids"], made["token_type_ids"], made["attention_mask"], made["membership"], np.zeros(0, np.int64)
        )
        with torch.inference_mode():
            expected = classifier(*(torch.from_numpy(array) for array in made.values())).numpy()
        np.testing.assert_allclose(forward(batch), expected, rtol=0, atol=1e-4)


def test_bf16_is_used_when_it_is_asked_for_alone(folder):
    asked = bundle.read_probes(folder)
    assert predictor.open_(folder).precision == "fp32"
    half = predictor.open_(folder, MachineConfig(precision="bf16"))
    assert half.precision == "bf16"
    assert half.examine(asked) <= TOLERANCE["bf16"]


@pytest.mark.parametrize("name", ["openvino_model.xml", "openvino_model.bin"])
def test_its_files_are_under_the_manifest(folder, tmp_path, name):
    copy = shutil.copytree(folder, tmp_path / "copy")
    manifest = json.loads((copy / "manifest.json").read_text())
    del manifest[name]
    bundle.write_json(copy / "manifest.json", manifest)
    with pytest.raises(DataError, match=name):
        predictor.open_(copy)


def test_neither_export_nor_answer_reports_to_anybody(folder, tmp_path):
    # plain `import openvino` forks a process that connects; home is empty, so nobody has declined it before
    script = (
        "import sys\n"
        "def hook(event, args):\n"
        "    if event in ('os.fork', 'socket.connect', 'socket.getaddrinfo', 'subprocess.Popen'): said.append(event)\n"
        "said = []; sys.addaudithook(hook)\n"
        "from khabar.models.export import openvino\n"
        "from khabar.inference.model import load\n"
        "module = openvino.library()\n"
        "core = module.Core(); model = core.read_model(sys.argv[1] + '/openvino_model.xml')\n"
        "module.save_model(model, sys.argv[2] + '/m.xml')\n"
        "load(sys.argv[1]).predict(['قصف الجيش مدينة غزة.'])\n"
        "print(said, [name for name in sys.modules if name.startswith('openvino_telemetry')])"
    )
    home = tmp_path / "home"
    home.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", script, folder, tmp_path],
        capture_output=True, text=True, check=False, env={**os.environ, "HOME": str(home)},
    )  # fmt: skip
    assert (done.returncode, done.stdout.strip()) == (0, "[] []"), done.stderr
    assert list(home.iterdir()) == []


def test_a_missing_package_names_its_install_line(monkeypatch, folder):
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(ConfigError, match=r"pip install openvino"):
        predictor.open_(folder)


def test_int8_is_no_format_of_it(folder, tmp_path):
    with pytest.raises(ConfigError, match="int8 is for format=onnx"):
        openvino.write(folder, tmp_path / "x", precision="int8")
    with pytest.raises(ConfigError, match="task= is for format=transformers"):
        openvino.write(folder, tmp_path / "x", task="stance")


def test_the_exam_is_taken_at_load(folder):
    assert predictor.open_(folder).examine(bundle.read_probes(folder)) <= TOLERANCE["fp32"]
    assert len(bundle.read_probes(folder)) == 2 * (len(probes.TEXTS) + 1)
