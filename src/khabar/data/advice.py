"""What a person should do about a data set before training on it, the most important first."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from khabar.data.examples import NO_MAJORITY
from khabar.data.report import ENCODER, Action, Report, TaskRows, interval, many, share

if TYPE_CHECKING:
    from khabar.data.dataset import Dataset

RARE = 10  # rows of a label in test, below which a score moves on single rows
LOW = 0.667  # alpha, below which Krippendorff (2019, chapter 12) would conclude nothing
NAMED = 5  # labels that are named
SOME = 0.01  # share of the rows or texts from which something is worth a line here; the figures show it anyway

TWO = "two or more labels"
# what makes a row useless, and what to do
_REASONS = {
    NO_MAJORITY: "let a third person answer them, name a data.annotators.adjudicator, or train on the shares of the "
    "votes: data.annotators.soft=true",
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
        *(Action(warning, _filling(warning)) for warning in dataset.warnings),
        *(action for task in report.tasks for action in _rare(task, dataset)),
        *_writing(report),
        *_long(report),
        *_findings(report, leak=False),
        *_agreement(report),
    )


def _findings(report: Report, *, leak: bool) -> Iterator[Action]:
    for finding in report.findings:
        # what was dropped is in the figures; nothing is left to do about it
        if finding.leak == leak and finding.todo and not finding.done.startswith("dropped"):
            yield Action(finding.what, finding.todo)


def _lost(report: Report, dataset: "Dataset") -> Iterator[Action]:
    if report.rows.bad:
        yield Action(
            f"{many(report.rows.bad, 'bad row')} left out", "list them with data.on_error=stop and mend the file"
        )
    lost = [(n, task, reason) for task in report.tasks for reason, n in task.dropped.items()]
    for n, task, reason in sorted(lost, key=lambda item: -item[0]):
        if not _some(n, task.kept):
            continue
        do = _REASONS.get(reason, "see these rows in the source")
        if reason == TWO and (reads := dataset.tasks[task.task].reads):
            do = f"train on task={reads} instead, which takes several labels"
        yield Action(f"{task.task}: {many(n, 'row')} lost, {reason}", do)


def _filling(warning: str) -> str:
    if warning.endswith("is empty"):
        return "change data.split, or add rows: nothing can be learnt, tuned or measured on an empty split"
    return "add rows of these labels, or take them out of the task: a model never gives what it never saw"


def _rare(task: TaskRows, dataset: "Dataset") -> Iterator[Action]:
    said = []
    for split in ("test", "dev"):
        rare = {label: n[split] for label, n in task.labels.items() if n[split] < RARE and any(n.values())}
        if rare and task.splits[split]:
            named = [f"{label} {n}" for label, n in sorted(rare.items(), key=lambda item: item[1])]
            more = f" and {len(named) - NAMED} more" if len(named) > NAMED else ""
            said.append(f"in {split}: {', '.join(named[:NAMED])}{more}")
    if said:
        rule = "" if dataset.config.split.rule in ("hash", "source", "target") else "data.split.rule=hash "
        yield Action(
            f"{task.task}: labels with under {RARE} rows {'; '.join(said)}",
            "read the intervals and not the scores of these; add rows, or test every row once, a run a fold: "
            f"khabar train -m {rule}data.split.folds=5 data.split.fold=0,1,2,3,4",
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
