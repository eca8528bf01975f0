"""Pre-train an encoder on raw articles by masked language modelling, from its weights or anew."""

import hashlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field, model_validator
from tqdm import tqdm

from khabar import store
from khabar.commands._articles import open_source
from khabar.config import (
    EncoderConfig,
    LoopConfig,
    MachineConfig,
    MaskingConfig,
    Record,
    ShapeConfig,
    TrackConfig,
    locate,
)
from khabar.data.raw import Raw, choose, part
from khabar.errors import ConfigError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from khabar.models import masked
    from khabar.models.encoder import Encoder
    from khabar.tracking import Run
    from khabar.training.loop import Outcome
    from khabar.training.pretraining import Packed

TEXTS = 256  # tokenised at once
OF_TASKS = ("mixing", "repeat", "oversample", "mask", "loss")


class Config(Record):
    """Configuration of `khabar pretrain`."""

    encoder: EncoderConfig
    masking: MaskingConfig
    shape: ShapeConfig
    loop: LoopConfig
    track: TrackConfig
    machine: MachineConfig
    input: str
    output: str
    columns: dict[str, str] = Field({})
    apart: tuple[str, ...] = ()
    half: bool = True
    licence: str = "not stated"
    seed: int = Field(0, ge=0)
    resume: str = "auto"

    @model_validator(mode="after")
    def _fits(self) -> "Config":
        if not self.encoder.random_weights and self.shape != ShapeConfig():
            raise ValueError("shape is for an encoder that is begun anew: set encoder.random_weights=true with it")
        if idle := [name for name in OF_TASKS if getattr(self.loop, name) != getattr(LoopConfig(), name)]:
            raise ValueError(f"loop.{', loop.'.join(idle)}: of tasks, which pre-training has none of")
        return self

    @property
    def sizes(self) -> dict[str, int]:
        """The fields of the encoder's configuration that are asked to be otherwise."""
        asked = {
            "hidden_size": self.shape.hidden,
            "intermediate_size": self.shape.hidden and 4 * self.shape.hidden,
            "num_hidden_layers": self.shape.layers,
            "num_attention_heads": self.shape.heads,
        }
        return {name: value for name, value in asked.items() if value}


def run(config: Config) -> None:
    """Pre-train once."""
    from khabar.commands import _unfinished
    from khabar.models import encoder as encoders

    encoders.check(config.encoder)
    anew = config.encoder.random_weights
    output = Path(config.output)
    if output.is_file() or (output.is_dir() and any(output.iterdir())):
        raise ConfigError(f"output={config.output} is there already; name another folder, or move it away.")
    print(f"Store: {store.address().uri}")
    print(encoders.licence_line(config.encoder), flush=True)
    raw = _read(config)
    fingerprint = hashlib.sha256("\0".join(raw.texts).encode("utf-8", "surrogatepass")).hexdigest()
    key = _unfinished.key(config, fingerprint, "resume", "track", "output", "half", "licence")
    tags = {"khabar.command": "pretrain", "encoder": config.encoder.name, "seed": str(config.seed)}
    tags["data.fingerprint"] = fingerprint
    name = config.track.run_name or f"pretrain {config.encoder.name}{' anew' if anew else ''} s{config.seed}"
    with _unfinished.run(config.resume, key, config.track.experiment, name, tags) as (tracked, folder):
        _pretrain(config, raw, fingerprint, tracked, folder)


def _read(config: Config) -> Raw:
    """The articles of the input that may be trained on."""
    source = open_source(config.input, config.columns)
    shown = tqdm(source.rows, "reading", source.total(), unit="article", disable=not sys.stderr.isatty())
    rows = list(shown)
    bad = [row for row in rows if row.error]
    apart = [text for path in config.apart for text in _texts(path)]
    raw = choose((row.article["text"] for row in rows if not row.error), apart)
    if bad:
        raw.left_out["unreadable"] = len(bad)
    told = ", ".join(f"{count:,} {reason}" for reason, count in raw.left_out.items())
    first = f" (the first: {bad[0].place}: {bad[0].error})" if bad else ""
    print(f"{len(raw.texts):,} articles" + (f"; left out: {told}{first}" if told else ""), flush=True)
    return raw


def _texts(path: str) -> list[str]:
    """All texts of a corpus folder, or of what `input` may be."""
    articles = locate(path) / "articles.jsonl"
    return [article["text"] for article in open_source(str(articles) if articles.is_file() else path).articles]


def _pretrain(config: Config, raw: Raw, fingerprint: str, tracked: "Run", folder: Path) -> None:
    from accelerate.utils import set_seed

    from khabar.commands import _looping, _reporting
    from khabar.models import encoder as encoders
    from khabar.models import masked
    from khabar.training.pretraining import HeldOut, MaskedWork, Masking

    training, held_out = part(raw.texts, config.masking.held_out)
    _reporting.begin(tracked, config)
    tracked.data(
        Path(config.input).stem, fingerprint, config.input, {"train": len(training), "held_out": len(held_out)}
    )
    set_seed(config.seed)
    tokenizer = _tokenizer(config, training)
    encoder = encoders.load(config.encoder, dropout=config.loop.dropout, tokenizer=tokenizer, shape=config.sizes)
    tracked.tags({f"encoder.{key}": str(value)[:500] for key, value in encoder.source.items()})
    if config.masking.length > encoder.max_length:
        raise ConfigError(f"masking.length={config.masking.length}: the encoder takes {encoder.max_length} tokens.")
    masking = Masking(encoder.tokenizer, config.masking)
    train, dev = (_packed(texts, encoder, masking.sep, config) for texts in (training, held_out))
    print(
        f"{train.tokens:,} tokens in {len(train):,} sequences of {config.masking.length}; "
        f"held out: {len(held_out):,} articles, {len(dev):,} sequences."
    )
    model = masked.MaskedModel(
        encoder.model,
        uses_token_types=encoder.uses_token_types,
        head=None if config.encoder.random_weights else masked.read_head(config.encoder),
    )
    if not config.encoder.random_weights and not model.goes_on:
        print("The checkpoint has no head for hidden tokens that fits; one is begun anew.")
    if config.shape.vectors:
        _begin_with_vectors(model, train, config.seed)

    batch_tokens = config.loop.batch_tokens
    check = HeldOut(dev, masking, batch_tokens)
    work = MaskedWork(train, masking, batch_tokens, config.seed)
    outcome = _looping.run(config, model, work, tracked, folder, check.metrics)
    metrics = check.metrics(model)
    kept = {f"kept/{name.removeprefix('dev/')}": value for name, value in metrics.items() if name != "dev_metric"}
    tracked.log(outcome.steps, kept)
    output = Path(config.output)
    masked.save(config.encoder, encoder, model, output, half=config.half)
    card = _card(config, raw, train, outcome, metrics)
    (output / "README.md").write_text(card, "utf-8")
    tracked.note(card)
    tracked.folder(output, "encoder")
    print(
        f"Held out, {len(held_out):,} articles: {metrics['dev/masked_accuracy']:.1%} of the hidden tokens right, "
        f"loss {metrics['dev/loss']:.3f}."
    )
    print(
        f"Wrote {config.output}. Fine-tune it: khabar train encoder={config.encoder.name} encoder.model={config.output}"
    )
    print(f"Run {tracked.id} in experiment {config.track.experiment!r}; khabar ui shows it.", flush=True)


def _tokenizer(config: Config, texts: Sequence[str]) -> "Tokenizer | None":
    from khabar.text import vocabulary

    if config.shape.vocabulary is None:
        return None
    made = vocabulary.learn(texts, config.shape.vocabulary, config.encoder.normalizer)
    print(f"Learnt a vocabulary of {made.get_vocab_size():,} word pieces.", flush=True)
    return made


def _packed(texts: Sequence[str], encoder: "Encoder", separator: int, config: Config) -> "Packed":
    from khabar.training.pretraining import pack

    shown = tqdm(
        range(0, len(texts), TEXTS), "tokenising", unit="batch", disable=not sys.stderr.isatty() or len(texts) < TEXTS
    )
    encoded = (
        encoding
        for at in shown
        for encoding in encoder.tokenizer.encode_batch(texts[at : at + TEXTS], add_special_tokens=False)
    )
    return pack(encoded, separator, config.masking.length)


def _begin_with_vectors(model: "masked.MaskedModel", train: "Packed", seed: int) -> None:
    import torch

    from khabar.models.vectors import ppmi_svd

    count, width = model.word_embeddings.shape
    with torch.no_grad():
        model.word_embeddings.copy_(torch.from_numpy(ppmi_svd(train.ids_SN.ravel(), count, width, seed)))
    print("Word embeddings begin as a PPMI-SVD of the training texts.", flush=True)


def _card(config: Config, raw: Raw, train: "Packed", outcome: "Outcome", metrics: Mapping[str, float]) -> str:
    """The card of the encoder, for the person who finds the folder."""
    left = ", ".join(f"{count:,} {reason}" for reason, count in raw.left_out.items()) or "nothing"
    begun = f"its architecture{' with another vocabulary' if config.shape.vocabulary else ''}, random weights"
    start = begun if config.encoder.random_weights else "its weights"
    masking = config.masking
    words = " (whole words)" if masking.whole_words else ""
    rows = {
        "begun from": f"{config.encoder.model} (licence: {config.encoder.licence}): {start}",
        "data": f"{config.input}: {len(raw.texts):,} articles, {train.tokens:,} tokens (licence: {config.licence})",
        "left out": left,
        "objective": f"masked language modelling, {masking.share:.0%} of the tokens{words}, sequences of "
        f"{masking.length}, {masking.pairs:.0%} of them in two segments",
        "seen": f"{outcome.tokens:,} tokens in {outcome.steps:,} steps, {outcome.seconds:.0f} s, seed {config.seed}; "
        f"kept: step {outcome.best_step:,}",
        "held out": f"{masking.held_out:.1%} of the articles: loss {metrics['dev/loss']:.3f}, "
        f"{metrics['dev/masked_accuracy']:.1%} of the hidden tokens right",
        "normalisation": config.encoder.normalizer,
    }
    table = "\n".join(f"| {name} | {value} |" for name, value in rows.items())
    return (
        f"# An encoder pre-trained with khabar\n\n| | |\n|---|---|\n{table}\n\n"
        "The held-out articles chose the weights that were kept: their figures flatter.\n\n"
        f"Fine-tune it: `khabar train encoder={config.encoder.name} encoder.model=FOLDER`\n"
    )
