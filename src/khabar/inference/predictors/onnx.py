"""An ONNX export, run by ONNX Runtime; neither torch nor transformers is imported."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from khabar.config import MachineConfig
from khabar.errors import DataError
from khabar.inference.engine import Engine
from khabar.models import bundle
from khabar.models.batches import Batch
from khabar.text import normalizer


def open_(folder: Path, machine: MachineConfig | None = None) -> Engine:
    """The predictor of an exported folder, after its exam.

    Raises:
        DataError: the folder is damaged or holds no model.onnx.
        GateError: it does not answer as recorded.
    """
    import onnxruntime

    card = bundle.read_card(folder)
    if not (folder / "model.onnx").is_file():
        raise DataError(f"{folder} holds no model.onnx; write one with `khabar export format=onnx`.")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = (machine.threads if machine else None) or 0
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(folder / "model.onnx", options, providers=["CPUExecutionProvider"])
    takes = {entry.name for entry in session.get_inputs()}  # an encoder without token types has no such input

    def forward(batch: Batch) -> NDArray[np.float32]:
        inputs = {name: array for name, array in batch.inputs.items() if name in takes}
        logits: NDArray[np.float32] = session.run(["logits"], inputs)[0]
        return logits

    engine = Engine(folder.name, card, normalizer.load(folder), forward, precision=card.precision)
    engine.examine(bundle.read_probes(folder))
    return engine
