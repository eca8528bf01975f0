"""Choose the articles that are worth annotating next, out of many that nobody annotated."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field
from tqdm import tqdm

from khabar.commands._articles import Reads, open_sink, open_source
from khabar.config import locate
from khabar.errors import ConfigError, DataError
from khabar.inference.selection import Strategy
from khabar.registry import suggest
from khabar.schema import Label, Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from khabar.inference.model import Model
    from khabar.inference.readings import Reading
    from khabar.inference.selection import Pick, Pool
    from khabar.inference.watchlist import Watchlist


class Config(Reads):
    """Configuration of `khabar select`."""

    format: Literal["jsonl", "label_studio"] = "jsonl"
    budget: int = Field(50, ge=1)
    strategy: Strategy = "mixed"
    annotated: str | None = None
    tasks: tuple[str, ...] = ()
    seed: int = Field(0, ge=0)


def run(config: Config) -> None:
    """Read every article, leave out what is annotated, rank the rest, write the first `budget`."""
    from khabar.inference import label_studio, selection
    from khabar.inference.model import load

    names = config.names()
    done = _annotated(config.annotated) if config.annotated else _Annotated()
    source = open_source(config.input)
    model = load(config.model, config.machine)
    tasks = _tasks(config, model)
    articles, pool, said = _pool(source.articles, done, model, tasks, config.questions, names)
    picks = selection.rank(
        pool,
        config.budget,
        config.strategy,
        config.seed,
        shares=done.shares(tasks),
        taken=selection.sketches(done.texts),
    )
    chosen = [articles[pick.row] for pick in picks]
    with open_sink(config.output) as sink:
        if config.format == "jsonl":
            for rank, (article, pick) in enumerate(zip(chosen, picks, strict=True), 1):
                sink.write(json.dumps({**article, "select": _told(rank, pick)}, ensure_ascii=False) + "\n")
        else:
            readings = model.stream(chosen, config.questions, watchlist=names)
            made = (
                label_studio.task(article, reading, {"select": _told(rank, pick)})
                for rank, (article, reading, pick) in enumerate(zip(chosen, readings, picks, strict=True), 1)
            )
            sink.writelines(label_studio.lines(made))
    fewer = f", {config.budget:,} were asked for" if len(picks) < config.budget else ""
    print(f"{len(picks):,} of {said}, by {config.strategy}{fewer}.", file=sys.stderr)
    if config.format == "label_studio":
        print(label_studio.hint(config.model), file=sys.stderr)


@dataclass
class _Annotated:
    """What is annotated already: ids, texts, and the labels by task."""

    ids: set[str] = field(default_factory=set)
    texts: list[str] = field(default_factory=list)
    labels: Sequence[Label] = ()

    def shares(self, tasks: Mapping[str, Task]) -> "NDArray[np.float64]":
        """The share of the answers to its task that hold a label [L], NaN for a task that nobody answered."""
        import numpy as np

        found: list[float] = []
        for task in tasks.values():
            answers = [row.labels for row in self.labels if row.task in (task.name, task.reads)]
            for label in task.labels:
                if label != task.empty_as:
                    count = sum(label in given for given in answers)
                    # one more of each, so that a label which nobody gave yet has a share
                    found.append((count + 1) / (len(answers) + 2) if answers else np.nan)
        return np.array(found, dtype=np.float64)


def _annotated(given: str) -> _Annotated:
    """The annotated articles of a corpus folder, or the articles of a JSON Lines file, of which the ids are enough."""
    from khabar.data import corpus, rows
    from khabar.data.problems import Problems

    path = locate(given)
    if path.is_dir():
        read = corpus.load(path)
        ids = {row.article for row in read.labels} | {row.article for row in read.spans}
        return _Annotated(ids, [read.articles[name].text for name in sorted(ids)], read.labels)
    if not path.is_file():
        raise DataError(f"annotated={given}: there is no such file, nor a folder that `khabar ingest output=` wrote.")
    found, problems = _Annotated(), Problems()
    for row in rows.objects(path, problems):
        if not isinstance(row.get("id"), str):
            problems.add("id", "missing or no string.", 'Write {"id": "..."}, perhaps with the text')
            continue
        found.ids.add(row["id"])
        if isinstance(row.get("text"), str):
            found.texts.append(row["text"])
    problems.settle("stop")
    return found


def _tasks(config: Config, model: "Model") -> dict[str, Task]:
    for name in config.tasks:
        if name not in model.tasks:
            raise ConfigError(f"tasks: {config.model} does not answer {name!r}. {suggest(name, model.tasks)}")
    return {name: model.tasks[name] for name in config.tasks or model.tasks}


def _pool(
    given: Any,  # noqa: ANN401 - an iterable of articles
    done: _Annotated,
    model: "Model",
    tasks: Mapping[str, Task],
    questions: Sequence[str],
    names: "Watchlist | None",
) -> tuple[list[dict[str, Any]], "Pool", str]:
    """The articles to choose from, what the model makes of them, and a line on what was left out."""
    import numpy as np

    from khabar.inference import selection
    from khabar.text.folding import fold

    known = {fold(text) for text in done.texts}
    left = {"annotated already": 0, "unreadable": 0, "there twice": 0}
    articles: dict[str, dict[str, Any]] = {}
    measured = []
    everything = list(given)
    answers = model.stream(everything, questions, watchlist=names)
    shown = tqdm(answers, total=len(everything), unit="article", disable=not sys.stderr.isatty(), file=sys.stderr)
    for article, reading in zip(everything, shown, strict=True):
        if reading.id in articles:
            left["there twice"] += 1
        elif reading.id in done.ids or fold(article["text"]) in known:
            left["annotated already"] += 1
        elif reading.error:
            left["unreadable"] += 1
        else:
            articles[reading.id] = {**article, "id": reading.id}
            measured.append(selection.measure(_probabilities(reading), tasks))
    told = ", ".join(f"{count:,} {why}" for why, count in left.items() if count)
    if not articles:
        raise DataError(f"{len(everything):,} articles were given and none is left to choose ({told or 'no input'}).")
    pool = selection.Pool(
        ids=list(articles),
        labels=selection.labels(tasks),
        uncertainty=np.array([uncertainty for uncertainty, _ in measured]),
        present=np.stack([present for _, present in measured]),
        sketch=selection.sketches(article["text"] for article in articles.values()),
    )
    said = f"{len(articles):,} articles" + (f" ({told} left out)" if told else "")
    return list(articles.values()), pool, said


def _probabilities(reading: "Reading") -> dict[str, Any]:
    import numpy as np

    found: dict[str, list[list[float]]] = {}
    for answer in reading.answers:
        found.setdefault(answer.task, []).append(list(answer.probabilities.values()))
    return {task: np.array(rows) for task, rows in found.items()}


def _told(rank: int, pick: "Pick") -> dict[str, Any]:
    return {"rank": rank, "score": round(pick.score, 6), "why": pick.why}
