"""A corpus: articles with what people said of them, in memory and as two files."""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from khabar import registry
from khabar.config import DataConfig, locate
from khabar.data import rows
from khabar.data.checks import Checks
from khabar.data.problems import Problems
from khabar.errors import ConfigError, DataError
from khabar.schema import Article, Label, Relation, Span, Task

__all__ = ["Corpus", "Problems", "load", "read", "save"]


@dataclass(frozen=True)
class Corpus:
    """Articles by id, their annotations, and counts of what was odd or left out while reading.

    `refused` are the article and task of labels that were left out as bad: they are bad rows, not missing answers.
    """

    name: str
    articles: dict[str, Article]
    labels: tuple[Label, ...]
    spans: tuple[Span, ...]
    relations: tuple[Relation, ...]
    licence: str
    counts: dict[str, int]
    refused: frozenset[tuple[str, str]] = frozenset()

    @cached_property
    def fingerprint(self) -> str:
        """Sha256 over all rows in canonical JSON; the order of the rows does not count, nor name and licence."""
        nouns: tuple[rows.Noun, ...] = (*self.articles.values(), *self.labels, *self.spans, *self.relations)
        lines = sorted(json.dumps(rows.plain(noun), sort_keys=True, ensure_ascii=True) for noun in nouns)
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def save(corpus: Corpus, folder: Path) -> None:
    """Write `articles.jsonl` and `annotations.jsonl`; each appears whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    write_lines(folder / rows.ARTICLES, (rows.dumps(rows.plain(noun)) for noun in corpus.articles.values()))
    annotations: tuple[rows.Noun, ...] = (*corpus.labels, *corpus.spans, *corpus.relations)
    write_lines(folder / rows.ANNOTATIONS, (rows.dumps(rows.plain(noun)) for noun in annotations))


def load(folder: Path) -> Corpus:
    """The corpus in a folder that `save` wrote, named after the folder. Labels are taken as they stand.

    Raises:
        DataError: a file is missing, or rows are bad; the first 20 are listed.
    """
    from khabar.data.importers import seeds

    config = DataConfig(name=folder.name, importer="seeds", path=str(folder), tasks=("any",), default_tasks=("any",))
    problems = Problems()
    checks = Checks(problems, {})
    for noun in seeds.read(config, problems):
        checks.take(noun)
    return _corpus(config, checks)


def read(config: DataConfig, tasks: Mapping[str, Task]) -> Corpus:
    """A data set as its configuration says, every row checked against the tasks.

    Rows of tasks that the data set offers and nobody asked for stay in the corpus; their labels are not checked.

    Raises:
        ConfigError: there is no such importer, it has no such option, or no path is given.
        DataError: the path does not exist, or rows are bad and `config.on_error` is "stop".
    """
    importer = registry.load("importers", config.importer)
    config = located(config)
    # what was asked for tells an importer whose rows do not name their task which task they answer
    bases = {task.reads or task.name for task in tasks.values()}
    asked = tuple(tasks) if len(bases) > 1 or len(tasks) == 1 else tuple(bases)
    config = config.model_copy(update={"default_tasks": asked or config.default_tasks})
    problems = Problems()
    by_name = getattr(importer, "BY_NAME", False)
    chance = [part for part in ("holder", "target") if by_name and config.columns.get(part, part) == part]
    checks = Checks(problems, tasks, config, chance)
    for noun in importer.read(config, problems):
        checks.take(noun)
    return _corpus(config, checks)


def located(config: DataConfig) -> DataConfig:
    """The same with the path as it is on disk.

    Raises:
        ConfigError: there is no such importer, it has no such option, or no path is given.
        DataError: the path does not exist, though the importer reads from disk alone.
    """
    importer = registry.load("importers", config.importer)
    options: Mapping[str, Sequence[str]] = getattr(importer, "OPTIONS", {})  # name -> choices, none: any text
    for name, value in config.options.items():
        if name not in options:
            there = registry.suggest(name, options)
            raise ConfigError(f"data.options.{name}: {config.importer} has no such option. {there}")
        if options[name] and value not in options[name]:
            raise ConfigError(f"data.options.{name}={value}: no such choice. {registry.suggest(value, options[name])}")
    if config.path is None:
        raise ConfigError(f"The data set {config.name!r} does not say where it lies. Give it: data.path=FILE_OR_FOLDER")
    path = locate(config.path)
    if path.exists():
        return config.model_copy(update={"path": str(path)})
    if getattr(importer, "REMOTE", False):
        return config
    raise DataError(f"data.path={config.path} does not exist: looked for {path.absolute()}{_there(path)}")


def tasks(config: DataConfig) -> dict[str, Task]:
    """What a file answers, of a data set whose YAML names no task; asked of its importer.

    Raises:
        ConfigError: the importer can't tell, or as `located`.
        DataError: the file can't be read, or as `located`.
    """
    config = located(config)
    importer = registry.load("importers", config.importer)
    if not hasattr(importer, "tasks"):
        raise ConfigError(f"The importer {config.importer!r} can't tell the task of a file. Choose: task=[NAME]")
    found: dict[str, Task] = importer.tasks(config)
    return found


def _corpus(config: DataConfig, checks: Checks) -> Corpus:
    checks.finish()
    counts = checks.problems.settle(config.on_error)
    nouns = [noun for noun, _ in checks.annotations.values()]
    labels = tuple(noun for noun in nouns if isinstance(noun, Label))
    spans = tuple(noun for noun in nouns if isinstance(noun, Span))
    relations = tuple(noun for noun in nouns if isinstance(noun, Relation))
    sizes = {"articles": len(checks.articles), "labels": len(labels), "spans": len(spans), "relations": len(relations)}
    refused = frozenset(checks.refused)
    return Corpus(config.name, checks.articles, labels, spans, relations, config.licence, {**sizes, **counts}, refused)


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write a text file that appears whole or not at all."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.writelines(f"{line}\n" for line in lines)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)  # mkstemp's 0600 would follow the rename
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _there(path: Path) -> str:
    """What lies beside a path that does not exist."""
    parent = path.absolute().parent
    while not parent.is_dir():
        parent = parent.parent
    names = [entry.name for entry in parent.iterdir() if not entry.name.startswith(".")]
    return f". In {parent}: {registry.suggest(path.name, names[:50])}"
