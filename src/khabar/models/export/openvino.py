"""A bundle as OpenVINO's own format (IR), with dynamic shapes, made out of its ONNX graph."""

import importlib
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from khabar.errors import ConfigError
from khabar.models import bundle, export
from khabar.models.export import onnx

if TYPE_CHECKING:
    from khabar.models.classifier import Classifier

FILE = "openvino_model.xml"  # its weights lie beside it in openvino_model.bin
TELEMETRY = "openvino_telemetry"


def write(source: Path, aside: Path, *, precision: str = "fp32", task: str | None = None) -> None:
    """Write `openvino_model.xml` and `.bin`, and all that its predictor reads."""
    export.check("openvino", precision, task)
    card = export.source_card(source)
    library()
    export.share(source, aside, card, "openvino")
    convert(bundle.read_classifier(source, card), aside / FILE)
    bundle.seal(aside)


def convert(classifier: "Classifier", path: Path) -> None:
    """Trace the classifier and write the two files, weights in fp32."""
    with tempfile.TemporaryDirectory() as scratch:
        onnx.trace(classifier, Path(scratch) / onnx.FILE)
        openvino = library()
        # not openvino.convert_model: that reports each conversion to its makers
        openvino.save_model(openvino.Core().read_model(Path(scratch) / onnx.FILE), path, compress_to_fp16=False)


def library() -> ModuleType:
    """The package `openvino`, which tells nobody that it was imported.

    Left alone it forks a process at its import that reports to an analytics service; without the package
    `openvino_telemetry` it falls back on a stub of its own.

    Raises:
        ConfigError: it is not installed.
    """
    hidden = TELEMETRY not in sys.modules
    if hidden:
        sys.modules[TELEMETRY] = None  # type: ignore[assignment] # an import of it fails
    try:
        return importlib.import_module("openvino")
    except ModuleNotFoundError as error:
        raise ConfigError(
            "OpenVINO models need the package openvino, which is not installed: pip install openvino"
        ) from error
    finally:
        if hidden:
            del sys.modules[TELEMETRY]
