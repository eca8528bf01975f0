"""What a person should do about a data set before training on it, the most important first."""

import shlex
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from khabar.data import tied_groups
from khabar.data.dataset import TORN
from khabar.data.examples import NO_MAJORITY
from khabar.data.figures import ENCODER, TaskRows
from khabar.data.findings import Finding
from khabar.data.report import Action, Report, interval
from khabar.data.wording import many, share
from khabar.schema import Task

if TYPE_CHECKING:
    from khabar.data.dataset import Dataset

RARE = 10  # rows of a label in test, below which a score moves on single rows
LOW = 0.667  # alpha, below which Krippendorff (2019, chapter 12) would conclude nothing
BY_HASH = ("hash", "source", "target")  # rules that folds and stratify go with
NAMED = 5  # labels that are named
SOME = 0.01  # share of the rows or texts from which something is worth a line here; the figures show it anyway

TWO = "two or more labels"
# what makes a row useless, and what to do
_REASONS = {
    "not annotated": "annotate them, or leave them out of the file if they were never meant to be",
    TWO: "choose a multi-label task, or keep one label a row",
    "none of the labels": "give the task a label for it (empty_as), or choose a multi-label task",
    "no answer left": "every answer was overruled or weighs nothing: see `adjudicates` and data.annotators.weights",
}


def actions(report: Report, dataset: "Dataset") -> tuple[Action, ...]:
    """All of them."""
    return (
        *_findings(report, leak=True),
        *_lost(report, dataset),
        *_tied(report),
        *_missing(report, dataset),
        *(action for task in report.tasks for action in _rare(task, dataset)),
        *_writing(report),
        *_long(report),
        *_findings(report, leak=False),
        *_agreement(report),
    )


def _findings(report: Report, *, leak: bool) -> Iterator[Action]:
    for finding in report.findings:
        # what was dropped is in the figures; nothing is left to do about it
        open_ = finding.todo and not finding.done.startswith("dropped")
        if open_ and finding.leak == leak and finding.kind != tied_groups.KIND:
            yield Action(finding.what, finding.todo)


def _tied(report: Report) -> Iterator[Action]:
    """Before the splits that it leaves empty."""
    for finding in _too_tied(report):
        yield Action(finding.what, finding.todo)


def _too_tied(report: Report) -> list[Finding]:
    return [finding for finding in report.findings if finding.kind == tied_groups.KIND and finding.todo]


def _lost(report: Report, dataset: "Dataset") -> Iterator[Action]:
    if report.rows.bad:
        yield Action(
            f"{many(report.rows.bad, 'bad row')} left out", "list them with data.on_error=stop and mend the file"
        )
    lost = [(n, task, reason) for task in report.tasks for reason, n in task.dropped.items()]
    for n, task, reason in sorted(lost, key=lambda item: -item[0]):
        if not _some(n, task.kept):
            continue
        do = _no_majority(dataset) if reason == NO_MAJORITY else _REASONS.get(reason, "see these rows in the source")
        if reason == TWO and (reads := dataset.tasks[task.task].reads):
            do = f"train on task={reads} instead, which takes several labels"
        yield Action(f"{task.task}: {many(n, 'row')} lost, {reason}", do)


def _no_majority(dataset: "Dataset") -> str:
    people = dataset.config.annotators
    third = (
        "let a third person answer them, or name a data.annotators.adjudicator"
        if people.adjudicator is None
        else f"let a third person answer them, or {people.adjudicator}, the adjudicator"
    )
    if people.soft:  # what is lost is of dev and test
        return f"{third}: dev and test are scored on gold alone"
    return f"{third}; or train on the shares of the votes: data.annotators.soft=true"


def _missing(report: Report, dataset: "Dataset") -> Iterator[Action]:
    """Empty splits, and labels that training never shows."""
    for warning in dataset.warnings:
        if not warning.endswith("is empty"):
            name = warning.split(":")[0]
            rows = next(task for task in report.tasks if task.task == name)
            yield Action(warning, _unseen(rows, dataset.tasks[name], dataset))
        elif _too_tied(report):
            yield Action(
                warning, "the groups that copies tie into one unit are why, all in one split: see how to tie fewer"
            )
        else:
            yield Action(
                warning, "change data.split, or add rows: nothing can be learnt, tuned or measured on an empty split"
            )


def _unseen(rows: TaskRows, task: Task, dataset: "Dataset") -> str:
    split = dataset.config.split
    do = "add rows of them: a model never gives what it never saw, and macro-F1 counts a label that test lacks as 0"
    elsewhere = any(any(n.values()) and not n["train"] for label, n in rows.labels.items() if label in task.labels)
    if elsewhere and split.rule in BY_HASH and not split.stratify:
        do += "; or give each rare label its share in every split: data.split.stratify=true"
    # looked for in dropped rows too: an import refuses a label that the task does not have
    used = [label for label in task.labels if rows.given[label] or label == task.empty_as]
    if 2 <= len(used) < len(task.labels) and task.main_metric != "favg2":  # which needs both of its labels
        do += f"; or leave out those that no row has, {_narrowed(task, used)}"
    return do


def _narrowed(task: Task, used: Sequence[str]) -> str:
    """How to have these labels only; definitions of the others would be an error."""
    overrides = [f"labels=[{','.join(used)}]", *(["about={}"] if task.about else [])]
    return "keeping " + " ".join(shlex.quote(f"task.{task.name}.{override}") for override in overrides)


def _rare(task: TaskRows, dataset: "Dataset") -> Iterator[Action]:
    said = []
    zero = False
    for split in ("test", "dev"):
        held = {label: n for label, n in task.labels.items() if label != TORN and any(n.values())}
        rare = {label: n[split] for label, n in held.items() if n[split] < RARE}
        if rare and task.splits[split]:
            named = [f"{label} {n}" for label, n in sorted(rare.items(), key=lambda item: item[1])]
            more = f" and {len(named) - NAMED} more" if len(named) > NAMED else ""
            said.append(f"in {split}: {', '.join(named[:NAMED])}{more}")
            zero |= split == "test" and 0 in [
                n for label, n in rare.items() if label in dataset.tasks[task.task].labels
            ]
    if said:
        yield Action(f"{task.task}: labels with under {RARE} rows {'; '.join(said)}", _few(task, zero, dataset))


def _few(task: TaskRows, zero: bool, dataset: "Dataset") -> str:
    split = dataset.config.split
    do = "read the intervals and not the scores of these"
    do += " (macro-F1 counts a label that test lacks as 0)" if zero else ""
    of = {"date": " of more days", "source": " of more sources"}.get(split.rule, "")
    can_fold = split.rule in BY_HASH and split.file is None and split.folds is None and task.splits["train"]
    if not can_fold:
        return f"{do}; add rows{of}"
    kept = "" if split.rule == "hash" else f"data.split.rule={split.rule} "
    kept += "data.split.stratify=true " if split.stratify else ""
    return (
        f"{do}; add rows{of}, or test every row once, a run a fold: "
        f"khabar train -m {kept}data.split.folds=5 data.split.fold=0,1,2,3,4"
    )


def _writing(report: Report) -> Iterator[Action]:
    written, texts = report.written, report.rows.texts
    of = f"of {many(texts, 'text')}"
    if _some(written.foreign, texts):
        yield Action(
            f"{written.foreign:,} {of} have less than half Arabic letters", "leave out those that are not Arabic"
        )
    total = sum(written.languages.values())
    if _some(total, texts):
        names = ", ".join(f"{name} {count:,}" for name, count in written.languages.items())
        yield Action(f"{total:,} {of} are perhaps not Arabic, by their letters: {names}", "look, and leave them out")
    if _some(written.forms, texts):
        yield Action(
            f"{written.forms:,} {of} hold presentation forms (as ﻻ, out of PDF files)",
            "write them as letters, in Python unicodedata.normalize('NFKC', text): AraBERT's cleaning drops them",
        )
    if _some(written.persian, texts):
        yield Action(
            f"{written.persian:,} {of} are written with the Persian ک or ی",
            "put ك and ي in their place: AraBERT's cleaning drops them and tears the words apart",
        )


def _some(part: int, whole: int) -> bool:
    return part > 0 and part >= SOME * whole


def _long(report: Report) -> Iterator[Action]:
    for length in report.lengths:
        if not length.cut:
            continue
        part = f"{share(length.cut, length.counted)} of the {length.of}"
        if length.of == "questions":
            yield Action(
                f"{part} are over windows.question={report.windows.question} tokens; the rest of them is not read",
                "shorten them, or raise windows.question",
            )
        else:
            raised = "windows=default reads further, as does " if report.windows.length < ENCODER else "raise "
            yield Action(
                f"{part} are longer than the {report.reach:,} tokens that {report.windows.max_windows} windows of "
                f"{report.windows.length} hold; their tail is not read",
                f"{raised}windows.max_windows={2 * report.windows.max_windows}; or cut menus and comments off",
            )


def _agreement(report: Report) -> Iterator[Action]:
    known = [row for row in report.agreement if row["pair"] is None and row["value"] is not None]
    for row in known:
        if row["label"] is not None or row["value"] >= LOW:
            continue
        labels = [other for other in known if other["task"] == row["task"] and other["label"] is not None]
        worst = min(labels, key=lambda other: other["value"], default=None)
        first = "" if worst is None else f", that of {worst['label']!r} first (alpha {worst['value']:.2f})"
        yield Action(
            f"{row['task']}: annotators agree little, {interval(row)}",
            f"read what they differ on (khabar ingest output=FOLDER lists it) and sharpen the guideline{first}",
        )
