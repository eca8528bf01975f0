"""Read articles: events with their sentences, stances with their evidence."""

import itertools
import json
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field
from tqdm import tqdm

from khabar.commands._articles import Reads, open_sink, open_source

if TYPE_CHECKING:
    from khabar.inference.readings import Reading


class Config(Reads):
    """Configuration of `khabar predict`."""

    format: Literal["auto", "text", "jsonl", "label_studio"] = "auto"
    threshold: float | None = Field(None, gt=0, lt=1)


def run(config: Config) -> None:
    """Read every article of the input and write one answer each; one that can't be read gets an error as answer."""
    from khabar.inference import label_studio
    from khabar.inference.model import load, parse_question
    from khabar.inference.readings import to_text

    names = config.names()
    asked = [parse_question(question) for question in config.questions]
    source = open_source(config.input)
    model = load(config.model, config.machine)
    as_text = config.format == "text" or (config.format == "auto" and config.output == "-" and source.single)
    failed = 0

    def answered() -> Iterator[tuple[Mapping[str, Any], "Reading"]]:
        """Every article with its reading; only those on their way through a batch are held."""
        nonlocal failed
        articles, read = itertools.tee(source.articles)
        answers = model.stream(read, asked, watchlist=names, threshold=config.threshold)
        quiet = source.single or not sys.stderr.isatty()
        for reading in tqdm(answers, unit="article", disable=quiet, file=sys.stderr):
            failed += reading.error is not None
            yield next(articles), reading

    with open_sink(config.output) as sink:
        if config.format == "label_studio":
            sink.writelines(label_studio.lines(label_studio.task(*pair) for pair in answered()))
        elif as_text:
            texts = enumerate(to_text(reading) for _, reading in answered())
            sink.writelines(("\n\n" if count else "") + text + "\n" for count, text in texts)
        else:
            sink.writelines(json.dumps(reading.to_dict(), ensure_ascii=False) + "\n" for _, reading in answered())
    if config.format == "label_studio":
        print(label_studio.hint(config.model), file=sys.stderr)
    if cut := str(model.engine.windower.cut):
        print(cut, file=sys.stderr)
    if failed:
        several = "1 article" if failed == 1 else f"{failed} articles"
        print(f"{several} could not be read; the field 'error' of the answer says why.", file=sys.stderr)
