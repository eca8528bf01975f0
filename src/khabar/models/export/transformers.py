"""One head of a bundle as plain transformers loads it: `pipeline("text-classification", model=FOLDER)`, no khabar.

The head's pool must be `cls`, which on a text of one window is BERT's pooler, or the dense layer of RoBERTa's
classification head. The temperature is divided into the last layer, so that a pipeline's probabilities are calibrated.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from khabar.errors import ConfigError, DataError
from khabar.models import bundle, export
from khabar.models.bundle import Card
from khabar.models.card import markdown
from khabar.models.windows import longest
from khabar.schema import Task

if TYPE_CHECKING:
    from torch import Tensor

    from khabar.models.classifier import Classifier

HEADS = {  # model type -> where its class for sequence classification keeps the layer before tanh, and the last one
    "bert": ("bert.pooler.dense", "classifier"),
    "roberta": ("classifier.dense", "classifier.out_proj"),
    "xlm-roberta": ("classifier.dense", "classifier.out_proj"),
    "camembert": ("classifier.dense", "classifier.out_proj"),
}
SPECIAL = {"unk_token": "<unk>", "sep_token": "</s>", "cls_token": "<s>", "mask_token": "<mask>"}  # RoBERTa's names


def write(source: Path, aside: Path, *, precision: str = "fp32", task: str | None = None) -> None:
    """Write a folder for transformers, which khabar reads too.

    Raises:
        ConfigError: int8, no such task or one of several not chosen, another pool, or an encoder without such a class.
    """
    export.check("transformers", precision, None)
    card = export.source_card(source)
    chosen = _chosen(card, task)
    settings = json.loads((source / "config.json").read_text("utf-8"))
    _fits(settings, chosen)
    own = _own(card, chosen)
    export.share(source, aside, own, "transformers")
    probes = [probe for probe in bundle.read_probes(source) if probe.task == chosen.name]
    bundle.write_probes(aside, probes)
    _save(bundle.read_classifier(source, card), settings, chosen, card.temperature[chosen.name], aside)
    _tokenizer_config(aside, card)
    (aside / "README.md").write_text(markdown(own) + _usage(own, chosen), "utf-8")
    bundle.seal(aside)


def read(folder: Path, card: Card) -> "Classifier":
    """Such a folder as khabar's classifier, in evaluation mode, fp32, on CPU.

    Raises:
        DataError: it holds no such model.
    """
    from safetensors.torch import load_file

    from khabar.models.classifier import Classifier

    if lacking := [name for name in ("config.json", "model.safetensors") if not (folder / name).is_file()]:
        raise DataError(f"{folder} lacks {' and '.join(lacking)}. Export it again.")
    settings = json.loads((folder / "config.json").read_text("utf-8"))
    if settings.get("model_type") not in HEADS or len(card.tasks) != 1:
        raise DataError(f"{folder} is no transformers model with one head that this khabar reads. Export it again.")
    (name,) = card.tasks
    model = _model(settings)
    model.load_state_dict(load_file(folder / "model.safetensors"))
    classifier = Classifier(model.base_model, card.tasks, uses_token_types=card.uses_token_types)
    dense, last = (model.get_submodule(path) for path in HEADS[settings["model_type"]])
    classifier.pools[name].dense = dense
    classifier.heads[name] = last
    return classifier.eval()


def _chosen(card: Card, task: str | None) -> Task:
    if task is None and len(card.tasks) > 1:
        raise ConfigError(
            f"format=transformers carries one head, and the model has {len(card.tasks)}: choose task= of "
            f"{', '.join(card.tasks)}."
        )
    name = task or next(iter(card.tasks))
    if name not in card.tasks:
        raise ConfigError(f"task={name}: the model has {', '.join(card.tasks)}.")
    return card.tasks[name]


def _fits(settings: Mapping[str, Any], task: Task) -> None:
    if task.pool != "cls":
        raise ConfigError(
            f"format=transformers needs a head that reads the first token alone; {task.name} was trained with "
            f"pool={task.pool}. Train with task.{task.name}.pool=cls, or take format=onnx, which carries any pool."
        )
    if settings["model_type"] not in HEADS:
        raise ConfigError(
            f"format=transformers writes encoders of the types {', '.join(HEADS)}; this one is "
            f"{settings['model_type']!r}, whose own classification head is built otherwise. Take format=onnx."
        )


def _own(card: Card, task: Task) -> Card:
    """The card of one head, whose temperature is in its weights."""
    name = task.name
    return card.model_copy(
        update={
            "tasks": {name: task},
            "temperature": {name: 1.0},
            "thresholds": {key: value for key, value in card.thresholds.items() if key == name},
            "main_metrics": {key: value for key, value in card.main_metrics.items() if key == name},
        }
    )


def _save(classifier: "Classifier", settings: Mapping[str, Any], task: Task, temperature: float, aside: Path) -> None:
    from safetensors.torch import save_file

    labels = dict(enumerate(task.labels))
    kind = "multi" if task.kind == "multi" else "single"
    named = {
        **settings,
        "id2label": labels,
        "label2id": {label: index for index, label in labels.items()},
        "problem_type": f"{kind}_label_classification",
    }
    model = _model(named)
    prefix = f"{model.base_model_prefix}."
    dense, last = HEADS[settings["model_type"]]
    state: dict[str, Tensor] = {
        prefix + key: value
        for key, value in classifier.encoder.state_dict().items()
        if not key.startswith("pooler.")  # of pre-training, where an encoder brought one
    }
    pool = classifier.get_submodule(f"pools.{task.name}.dense")
    state |= {f"{dense}.{key}": value for key, value in pool.state_dict().items()}
    state |= {f"{last}.{key}": value / temperature for key, value in classifier.heads[task.name].state_dict().items()}
    model.load_state_dict(state)  # strict: every weight has its place, and no place is left random
    save_file(
        {key: value.contiguous().clone() for key, value in state.items()}, aside / "model.safetensors", {"format": "pt"}
    )
    bundle.write_json(aside / "config.json", {**named, "architectures": [type(model).__name__]})


def _model(settings: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a PreTrainedModel, whose import takes time
    from transformers import AutoModelForSequenceClassification
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    config = CONFIG_MAPPING[settings["model_type"]].from_dict(dict(settings))
    return AutoModelForSequenceClassification.from_config(config, trust_remote_code=False)  # type: ignore[no-untyped-call]


def _tokenizer_config(aside: Path, card: Card) -> None:
    """Name what a pipeline needs: the padding token, RoBERTa's tokens, the length of khabar's own windows."""
    from khabar.text import normalizer

    path = aside / "tokenizer_config.json"
    tokenizer = normalizer.load(aside)
    plain = json.loads(path.read_text("utf-8"))
    absent = {role: token for role, token in SPECIAL.items() if role not in plain}
    plain |= {role: token for role, token in absent.items() if tokenizer.token_to_id(token) is not None}
    plain["pad_token"] = tokenizer.id_to_token(card.pad_id)
    plain["model_max_length"] = longest(card.windows, card.max_length)
    if not card.uses_token_types:
        plain["model_input_names"] = [name for name in plain["model_input_names"] if name != "token_type_ids"]
    bundle.write_json(path, plain)


def _usage(card: Card, task: Task) -> str:
    """The end of the folder's README: how to call it without khabar, and what is lost that way."""
    given = '{"text": question, "text_pair": article}' if task.asks else "text"
    unit, cut = ("sentence", "sentences") if task.level == "sentence" else ("text", "windows")
    window = longest(card.windows, card.max_length)
    asked = ""
    if task.asks:
        form = "the target" if "holder" not in task.asks else "`الجهة: HOLDER | الهدف: TARGET`"
        asked = f"The question is {form}.\n"
    top = ", top_k=None" if task.kind == "multi" else ""
    lines = [
        "## Without khabar",
        "",
        "```python",
        "from transformers import pipeline",
        f'classify = pipeline("text-classification", model=FOLDER{top})',
        f"print(classify({given}))",
        "```",
        "",
        f"{asked}The probabilities are khabar's, calibrated, for a {unit} of at most {window} tokens.",
        f"A pipeline does not cut articles into {cut}; `khabar.load(FOLDER).predict([article])` does.",
        "",
    ]
    if task.kind == "multi":
        cuts = zip(task.labels, card.thresholds[task.name], strict=True)
        lines += [
            "A label holds where its probability reaches its own threshold, which a pipeline does not know (all",
            "digits in khabar.json):",
            "",
        ]
        lines += ["| label | threshold |", "|---|---|", *(f"| {label} | {cut:.3f} |" for label, cut in cuts), ""]
    return "\n" + "\n".join(lines)
