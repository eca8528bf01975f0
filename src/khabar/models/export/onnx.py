"""A bundle as ONNX, with dynamic shapes: any number of windows, tokens and units. fp32, or int8 weights."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from khabar.models import bundle, export
from khabar.models.bundle import Precision

if TYPE_CHECKING:
    from khabar.models.classifier import Classifier

FILE = "model.onnx"


def write(source: Path, aside: Path, *, precision: Precision = "fp32", task: str | None = None) -> None:
    """Write `model.onnx` and all that its predictor reads."""
    export.check("onnx", precision, task, int8=True)
    card = export.source_card(source)
    export.share(source, aside, card, "onnx", precision)
    trace(bundle.read_classifier(source, card), aside / FILE)
    if precision == "int8":
        quantise(aside / FILE)
    bundle.seal(aside)


def trace(classifier: "Classifier", path: Path) -> None:
    """Trace the classifier by torch.export and write one ONNX file."""
    import torch

    windows, length, units = 2, 16, 3
    ids = torch.ones(windows, length, dtype=torch.int64)
    member = torch.zeros(units, windows * length, dtype=torch.bool)
    member[:, 1:5] = True
    inputs = (ids, torch.ones_like(ids), torch.zeros_like(ids), member)
    any_size = {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it misses torchvision, which a text model does not need
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch's exporter about its own internals
        torch.onnx.export(
            classifier.eval(),
            inputs,
            path,
            dynamo=True,
            external_data=False,
            verbose=False,
            input_names=["input_ids", "attention_mask", "token_type_ids", "membership"],
            output_names=["logits"],
            dynamic_shapes=(any_size,) * 4,
            optimize=True,
        )


def quantise(path: Path) -> None:
    """Turn the weights of an ONNX file to int8, in place; activations are quantised as they come.

    The encoder's matrices get a scale for each column, the embeddings one for each table. The heads and the pooling,
    which are a thousandth of the weights and the last to be rounded, stay fp32.
    """
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    whole = path.with_name("fp32.onnx")
    path.rename(whole)
    heads = [node.name + "_MatMul" for node in onnx.load(whole).graph.node if node.op_type == "Gemm"]  # as it renames
    with _quiet():
        quantize_dynamic(
            whole,
            path,
            op_types_to_quantize=["MatMul", "Gather"],
            nodes_to_exclude=heads,
            per_channel=True,
            weight_type=QuantType.QInt8,
        )
    whole.unlink()


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the advice to preprocess, which the exporter's own optimiser has done."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
