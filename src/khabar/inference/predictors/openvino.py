"""An OpenVINO export, run by OpenVINO on the CPU; neither torch nor transformers is imported."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from khabar.config import MachineConfig
from khabar.errors import DataError
from khabar.inference.engine import Engine
from khabar.models import bundle
from khabar.models.batches import Batch
from khabar.models.export.openvino import FILE, library
from khabar.text import normalizer


def open_(folder: Path, machine: MachineConfig | None = None) -> Engine:
    """The predictor of an exported folder, after its exam.

    Raises:
        ConfigError: openvino is not installed.
        DataError: the folder is damaged or holds no OpenVINO model.
        GateError: it does not answer as recorded.
    """
    machine = machine or MachineConfig()
    card = bundle.read_card(folder)
    if not (folder / FILE).is_file():
        raise DataError(f"{folder} holds no {FILE}; write one with `khabar export format=openvino`.")
    precision = "bf16" if machine.precision == "bf16" else "fp32"
    # left to itself it takes bf16 where the processor has it, also when it was not asked for
    settings = {"INFERENCE_PRECISION_HINT": "bf16" if precision == "bf16" else "f32", "PERFORMANCE_HINT": "LATENCY"}
    if machine.threads:
        settings["INFERENCE_NUM_THREADS"] = str(machine.threads)
    compiled = library().Core().compile_model(folder / FILE, "CPU", settings)
    takes = {name for entry in compiled.inputs for name in entry.names}

    def forward(batch: Batch) -> NDArray[np.float32]:
        request = compiled.create_infer_request()  # one a call: a request that is under way can't be asked again
        request.infer({name: array for name, array in batch.inputs.items() if name in takes})
        logits: NDArray[np.float32] = request.get_tensor("logits").data.copy()
        return logits

    engine = Engine(folder.name, card, normalizer.load(folder), forward, precision=precision)
    engine.examine(bundle.read_probes(folder))
    return engine
