"""A bundle as ONNX, with dynamic shapes: any number of windows, tokens and units."""

import logging
import shutil
import warnings
from pathlib import Path

import torch

from khabar.models import bundle
from khabar.models.bundle import Card
from khabar.models.classifier import Classifier

SHARED = ("tokenizer.json", "tokenizer_config.json", "khabar.json", "probe.json")


def to_onnx(source: Path, aside: Path) -> Card:
    """Write `model.onnx` and all a predictor needs into the folder `aside`; the caller examines, then renames it."""
    card = bundle.read_card(source)
    classifier = bundle.read_classifier(source, card)
    aside.mkdir(parents=True)
    for name in SHARED:
        shutil.copyfile(source / name, aside / name)
    export(classifier, aside / "model.onnx")
    bundle.seal(aside)
    return card


def export(classifier: Classifier, path: Path) -> None:
    """Trace the classifier by torch.export and write one ONNX file."""
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
