"""A bundle: a folder that holds all that was learnt or chosen after seeing data, and the exam that proves it unchanged.

model.safetensors       encoder and heads
config.json             the encoder's architecture, as transformers writes it
tokenizer.json          with the normaliser inside; tokenizer_config.json for plain AutoTokenizer
khabar.json             the card: tasks, label names, thresholds, temperatures, windows, encoder, data
probe.json              texts and their probabilities, recorded in fp32 on CPU
README.md               the model card, for a person
manifest.json           sha256 of each file above

An export is the same folder with other weights (`models/export/`): its card names the runtime that opens it, and a
`certificate.json` tells how its answers differ from the bundle's.
"""

import hashlib
import json
import shutil
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, ValidationError
from tokenizers import Tokenizer

from khabar.config import Record, WindowsConfig
from khabar.errors import DataError
from khabar.models.card import markdown
from khabar.schema import Example, Task
from khabar.text import normalizer

if TYPE_CHECKING:
    from khabar.models.classifier import Classifier

FORMAT = 1
REQUIRED = ("khabar.json", "probe.json", "tokenizer.json")
CERTIFICATE = "certificate.json"
WEIGHTS = ("model.safetensors", "model.onnx", "openvino_model.xml", "openvino_model.bin")
READ = (*REQUIRED, CERTIFICATE, "config.json", *WEIGHTS)  # what is read, and so must be in the manifest
NOT_KEPT = ("id2label", "label2id", "_name_or_path")  # LABEL_0 and its like, and where the encoder once lay

Precision = Literal["fp32", "int8"]


class Card(Record):
    """`khabar.json`: what a bundle knows of itself; `runtime` is the file of inference/predictors/ that opens it."""

    format: int = FORMAT
    khabar: str
    tasks: dict[str, Task]
    temperature: dict[str, float]
    thresholds: dict[str, tuple[float, ...]]  # of the multi-label questions and the layers of spans, by their labels
    windows: WindowsConfig
    max_length: int
    pad_id: int
    uses_token_types: bool
    encoder: dict[str, Any]
    data: dict[str, Any]
    seed: int = Field(ge=0)
    main_metrics: dict[str, float] = Field({})  # on dev, task -> value
    runtime: str = "bundle"
    precision: Precision = "fp32"  # of the weights: what its exam allows


class Probe(Record):
    """One question of the exam and the probabilities it was answered with."""

    task: str
    text: str
    span: tuple[int, int] | None = None
    holder: str | None = None
    target: str | None = None
    tail: tuple[int, int] | None = None
    within: tuple[int, int] | None = None
    probabilities: dict[str, float]

    def example(self, number: int) -> Example:
        """The question as an example."""
        name = f"probe {number}"
        return Example(
            id=name, article=name, group=name, task=self.task, text=self.text,
            span=self.span, holder=self.holder, target=self.target, tail=self.tail, within=self.within,
        )  # fmt: skip


def write(folder: Path, classifier: "Classifier", tokenizer: Tokenizer, card: Card, probes: list[Probe]) -> str:
    """Write a bundle aside and rename it into place; the result is its fingerprint."""
    from safetensors.torch import save_file

    aside = folder.with_name(folder.name + ".part")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    weights = {
        name: value.detach().float().cpu().contiguous().clone() for name, value in classifier.state_dict().items()
    }
    save_file(weights, aside / "model.safetensors", metadata={"format": "pt"})
    settings: dict[str, Any] = classifier.encoder.config.to_dict()  # type: ignore[union-attr, operator]
    write_json(aside / "config.json", {key: value for key, value in settings.items() if key not in NOT_KEPT})
    normalizer.save(tokenizer, aside, card.max_length)
    write_card(aside, card)
    write_probes(aside, probes)
    (aside / "README.md").write_text(markdown(card), "utf-8")
    seal(aside)
    shutil.rmtree(folder, ignore_errors=True)
    aside.rename(folder)
    return fingerprint(folder)


def write_card(folder: Path, card: Card) -> None:
    """Write `khabar.json`."""
    write_json(folder / "khabar.json", card.model_dump(mode="json"))


def write_probes(folder: Path, probes: Sequence[Probe]) -> None:
    """Write `probe.json`."""
    write_json(folder / "probe.json", [probe.model_dump(mode="json") for probe in probes])


def write_json(path: Path, value: object) -> None:
    """Write readable JSON."""
    path.write_text(_json(value), "utf-8")


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def seal(folder: Path) -> None:
    """Write `manifest.json` over all other files of a folder."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name != "manifest.json")
    write_json(folder / "manifest.json", {path.name: _sha256(path) for path in files})


def fingerprint(folder: Path) -> str:
    """16 hex digits that change with any byte of the bundle but its certificate, whose timings are new each time."""
    manifest = _object(folder, "manifest.json")
    manifest.pop(CERTIFICATE, None)
    return hashlib.sha256(_json(manifest).encode()).hexdigest()[:16]


def runtime(folder: Path) -> str:
    """Which predictor opens a folder, as its card says; whether the card is unchanged, the predictor will see.

    Raises:
        DataError: not a bundle.
    """
    return str(_object(folder, "khabar.json").get("runtime", "bundle"))


def read_card(folder: Path) -> Card:
    """The card of a bundle whose every file is as the manifest says.

    Raises:
        DataError: not a bundle, a file is missing or changed, or a newer khabar wrote it.
    """
    manifest, plain = _object(folder, "manifest.json"), _object(folder, "khabar.json")
    present = [name for name in READ if (folder / name).exists()]
    for name in dict.fromkeys([*REQUIRED, *present, *manifest]):
        path = folder / name
        if Path(name).name != name:
            raise DataError(f"The manifest of the bundle {folder} names {name!r}, which is no file in it.")
        if not path.is_file():
            raise DataError(f"The bundle {folder} lacks {name}. Copy or export it again.")
        if _sha256(path) != manifest.get(name):
            raise DataError(f"{name} of the bundle {folder} has changed since it was written. Copy or export it again.")
    if plain.get("format") != FORMAT:
        raise DataError(
            f"The bundle {folder} has format {plain.get('format')}; this khabar reads {FORMAT}. Upgrade khabar."
        )
    try:
        return Card.of(plain)
    except ValidationError as error:
        raise DataError(f"khabar.json of the bundle {folder} is not as this khabar reads it: {error}") from error


def read_probes(folder: Path) -> list[Probe]:
    """The exam of a bundle."""
    return [Probe.of(plain) for plain in json.loads((folder / "probe.json").read_text("utf-8"))]


def read_classifier(folder: Path, card: Card) -> "Classifier":
    """The torch model of a bundle, in evaluation mode, fp32, on CPU.

    Raises:
        DataError: it holds no torch weights, as an ONNX export, or an architecture that this transformers lacks.
    """
    from safetensors.torch import load_file
    from transformers import AutoModel
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    from khabar.models.classifier import Classifier
    from khabar.models.encoder import POOLED

    if lacking := [name for name in ("config.json", "model.safetensors") if not (folder / name).is_file()]:
        raise DataError(f"{folder} lacks {' and '.join(lacking)}. Of an export, take the bundle it came from.")
    plain = json.loads((folder / "config.json").read_text("utf-8"))
    if plain.get("model_type") not in CONFIG_MAPPING:
        raise DataError(f"This transformers knows no model type {plain.get('model_type')!r}, which {folder} asks for.")
    config = CONFIG_MAPPING[plain["model_type"]].from_dict(plain)
    extra = {"add_pooling_layer": False} if plain["model_type"] in POOLED else {}
    encoder = AutoModel.from_config(config, trust_remote_code=False, **extra)  # type: ignore[no-untyped-call]
    classifier = Classifier(encoder, card.tasks, uses_token_types=card.uses_token_types)
    try:
        classifier.load_state_dict(load_file(folder / "model.safetensors"))
    except RuntimeError as error:
        raise DataError(f"The weights of {folder} do not fit this khabar {version('khabar')}: {error}") from error
    return classifier.eval()


def _object(folder: Path, name: str) -> dict[str, Any]:
    try:
        return dict(json.loads((folder / name).read_text("utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise DataError(
            f"{folder} is not a khabar bundle: {error}. A bundle is a folder with khabar.json and manifest.json, "
            "as `khabar train` and `khabar export` write it."
        ) from error


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
