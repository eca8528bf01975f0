"""A data set ready to train on or to be scored on: read, turned into examples, split, audited, cut to size."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from khabar.config import AnnotatorsConfig, AuditConfig, DataConfig, locate
from khabar.data import audit as audits
from khabar.data import corpus, duplicates, frozen, split_notes, splits, tied_groups, units
from khabar.data.addresses import without_addresses
from khabar.data.audit import Audit
from khabar.data.corpus import Corpus
from khabar.data.examples import NO_MAJORITY, NONE, examples
from khabar.data.fold import TrainingFold
from khabar.data.wording import table
from khabar.errors import ConfigError, DataError
from khabar.registry import suggest
from khabar.schema import Example, Task

TORN = "(no majority)"  # rows that train on their votes, for which no label wins
# what of a task decides its examples
DEFINING = {"name", "labels", "kind", "level", "asks", "reads", "empty_as", "target_is"}


@dataclass(frozen=True)
class Dataset:
    """The examples of all tasks by split ("train", "dev", "test"), and counts of what was dropped and why."""

    config: DataConfig
    corpus: Corpus
    tasks: dict[str, Task]
    splits: dict[str, list[Example]]
    counts: dict[str, int]
    audit: Audit
    near: float = AuditConfig().near

    @cached_property
    def fingerprint(self) -> str:
        """Sha256 of all that decides the examples: corpus, tasks, annotators, split, audit, limit."""
        rule = self.config.model_dump(mode="json", include={"split", "annotators", "limit"})
        rule["near"] = self.near
        rule["on_leak"] = audits.drops_rows(self.config.on_leak, self.config.split.brought)
        if self.config.split.file is not None:  # what it decides counts, not where it lies
            rule["split"]["file"] = frozen.read(locate(self.config.split.file)).fingerprint
        asked = [_defined(self.tasks[name]) for name in sorted(self.tasks)]
        parts = json.dumps([self.corpus.fingerprint, rule, asked], sort_keys=True)
        return hashlib.sha256(parts.encode()).hexdigest()

    @cached_property
    def training(self) -> TrainingFold:
        """The training rows, as whatever is fitted to them takes them."""
        return TrainingFold(self.splits)

    def of(self, split: str, task: str) -> list[Example]:
        """The examples of one task in one split."""
        return [example for example in self.splits[split] if example.task == task]

    @property
    def warnings(self) -> list[str]:
        """What a reader of results must know: empty splits, and labels that training never shows."""
        found = []
        for name, task in self.tasks.items():
            sizes = self.sizes(name)
            found += [f"{name}: {split} is empty" for split, size in sizes.items() if not size]
            if sizes["train"]:
                seen = {label for example in self.of("train", name) for label in example.gold or ()}
                if unseen := [label for label in task.labels if label not in seen]:
                    found.append(f"{name}: never in train: {', '.join(unseen)}")
        return found

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """Settings and columns that have no say in the split, though they might have been meant to."""
        return tuple(split_notes.notes(self.config.split, self.corpus))

    def summary(self) -> str:
        """The rows and labels of each task by split, what was dropped and why, and the warnings."""
        size = self.corpus.counts
        lines = [
            f"{self.config.name}: {size['articles']:,} articles, {size['labels']:,} labels, "
            f"licence {self.corpus.licence}, fingerprint {self.fingerprint[:12]}"
        ]
        for name in self.tasks:
            lines += table(list(self.splits), {f"{name} rows": self.sizes(name), **self.labels(name)})
        lines += [f"split: {split_notes.rule(self.config.split)}"]
        lines += [f"note: {note}" for note in self.notes]
        lines += [f"{what}: {count:,}" for what, count in self.counts.items()]
        lines += [f"warning: {warning}" for warning in self.warnings]
        return "\n".join(lines)

    def sizes(self, task: str) -> dict[str, int]:
        """Split -> rows of a task."""
        return {split: len(self.of(split, task)) for split in self.splits}

    def labels(self, task: str) -> dict[str, dict[str, int]]:
        """Label -> split -> rows of a task; `NONE` of a multi-label one, `TORN` where rows train on their votes."""
        names = [*self.tasks[task].labels, *([NONE] if self.tasks[task].kind == "multi" else [])]
        found = {name: dict.fromkeys(self.splits, 0) for name in names}
        for split in self.splits:
            for example in self.of(split, task):
                # without gold the votes decide nothing
                for name in (TORN,) if example.gold is None else example.gold or (NONE,):
                    found.setdefault(name, dict.fromkeys(self.splits, 0))[split] += 1
        return found


def _defined(task: Task) -> dict[str, Any]:
    plain = task.model_dump(mode="json", include=DEFINING)
    heads = {name: head.model_dump(mode="json", include={*DEFINING, "on", "to"}) for name, head in task.heads.items()}
    return {**plain, "heads": heads} if heads else plain


def load(
    config: DataConfig,
    tasks: Mapping[str, Task],
    audit: AuditConfig = AuditConfig(),  # noqa: B008 - frozen
    *,
    need: Sequence[str] = ("train",),
) -> Dataset:
    """Read a data set and prepare the examples of `tasks`.

    `need` names the splits that must hold examples of every task: train for training, test for an evaluation.

    Raises:
        ConfigError: a task is not offered by the data set, or its configuration names no path or importer that exists.
        DataError: rows are bad, splits leak and `on_leak` is "stop", or a split in `need` is empty.
    """
    if not tasks:
        raise ConfigError(f"No task was asked for; {config.name} offers {', '.join(config.tasks)}. Choose: task=[NAME]")
    for name in tasks:
        if config.tasks and name not in config.tasks:
            raise ConfigError(f"The data set {config.name!r} does not offer {name!r}. {suggest(name, config.tasks)}")
    people = _without_addresses(config.annotators)
    config = config.model_copy(update={"on_leak": audit.on_leak or config.on_leak, "annotators": people})
    read = corpus.read(config, tasks)
    made: list[Example] = []
    counts = {what: count for what, count in read.counts.items() if what not in ("articles", "labels", "rows read")}
    counts = {what: count for what, count in counts.items() if count}
    for name, task in tasks.items():
        found, dropped = examples(read, task, config.annotators)
        made += found
        counts |= {f"{name}, dropped, {reason}": count for reason, count in dropped.items()}
    copies = duplicates.find({text for _, text in units.texts(made, read, tasks)}, audit.near)
    parts = splits.split(made, read, config.split, copies, tasks)
    tied = tied_groups.find(made, read, config.split, copies, tasks, audit.near, audit.examples)
    for example in [example for name in ("dev", "test") for example in parts[name] if example.gold is None]:
        reason = f"{example.task}, dropped, {NO_MAJORITY}"  # nothing to be scored on
        counts[reason] = counts.get(reason, 0) + 1
    parts |= {name: [example for example in parts[name] if example.gold is not None] for name in ("dev", "test")}
    parts, found_by_audit = audits.run(
        parts, tasks, copies, read.articles, audit, config.on_leak, brought=config.split.brought
    )
    counts |= found_by_audit.counts
    # what stops a run comes first
    findings = sorted((*tied, *found_by_audit.findings), key=lambda finding: not finding.leak)
    found_by_audit = replace(found_by_audit, findings=tuple(findings))
    if config.limit is not None:
        parts = {name: _limit(part, config.limit) for name, part in parts.items()}
    dataset = Dataset(config, read, dict(tasks), parts, counts, found_by_audit, audit.near)
    for split in need:
        if lacking := [name for name in tasks if not dataset.of(split, name)]:
            dated = config.split.rule == "date" and any(parts.values())
            hint = f" {splits.date_hint(parts, read, config.split)}." if dated else ""
            hint += "".join(f" {finding.what} {finding.todo}" for finding in tied if finding.todo)
            raise DataError(
                f"No example of {', '.join(lacking)} is in {split}. Change data.split, or see why rows were dropped."
                f"{hint}\n{dataset.summary()}"
            )
    return dataset


def _without_addresses(annotators: AnnotatorsConfig) -> AnnotatorsConfig:
    """The same, by the names that the corpus knows people by."""
    weights = {without_addresses(name): weight for name, weight in annotators.weights.items()}
    who = annotators.adjudicator
    return annotators.model_copy(update={"weights": weights, "adjudicator": who and without_addresses(who)})


def _limit(part: list[Example], limit: int) -> list[Example]:
    """At most `limit` examples of each task, in their order: those whose ids have the smallest sha256."""
    kept: set[tuple[str, str]] = set()
    for task in {example.task for example in part}:
        ids = [example.id for example in part if example.task == task]
        kept |= {(task, id_) for id_ in sorted(ids, key=lambda id_: hashlib.sha256(id_.encode()).digest())[:limit]}
    return [example for example in part if (example.task, example.id) in kept]
