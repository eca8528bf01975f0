"""The data card of a run, Markdown: what the data is, how it was split and labelled, and what is doubtful about it.

The headings follow "Data Cards" (Pushkarna et al. 2022) as far as the data itself can tell.
"""

from collections.abc import Iterator, Mapping, Sequence

from khabar.data.figures import Length
from khabar.data.report import Report, interval
from khabar.data.wording import NAME, many, unmarked


def markdown(report: Report) -> str:
    """The card; whatever comes from the data is escaped, so that a label can't be a link or a tag."""
    lines = [f"# Data: {unmarked(report.name)}", "", *_head(report), ""]
    for task in report.tasks:
        lines += [f"## {task.task}", "", *_table(list(task.splits), {"rows": task.splits, **task.labels}), ""]
        lines += [f"- Dropped: {count:,} {unmarked(reason)}." for reason, count in task.dropped.items()]
        agreed = [interval(row) for row in report.agreement if _overall(row, task.task)]
        lines += [*(f"- Agreement of annotators: {said}." for said in agreed), ""]
    lines += ["## Lengths", "", *(f"- {_length(length)}." for length in report.lengths), ""]
    lines += ["## What to mend or to know", ""]
    lines += [f"- {unmarked(action.found)} → {unmarked(action.do)}" for action in report.actions] or [
        "- Nothing amiss."
    ]
    return "\n".join([*lines, ""])


def _head(report: Report) -> Iterator[str]:
    rows, origin = report.rows, report.origin
    yield f"- Fingerprint `{report.fingerprint[:24]}`. Licence: {unmarked(report.licence)}."
    dates = f", {origin.first} to {origin.last}" if origin.first else ""
    bad = f"; {rows.bad:,} bad rows were left out" if rows.bad else ""
    people = many(rows.annotators, "annotator")
    yield f"- {many(rows.articles, 'article')}{dates}, {many(rows.labels, 'label')} by {people}{bad}."
    if origin.sources:
        more = f" and {origin.other_sources:,} more" if origin.other_sources else ""
        yield f"- Sources: {', '.join(f'{unmarked(name)} ({n:,})' for name, n in origin.sources.items())}{more}."
    yield f"- Split: {unmarked(report.split)}."
    yield from (f"- {unmarked(note)}." for note in report.split_notes)
    yield from (f"- Dropped by the audit: {unmarked(what)} ({count:,})." for what, count in rows.dropped.items())


def _length(length: Length) -> str:
    of = many(length.texts, length.of.removesuffix("s"))
    tokens = f", {length.tokens.median:,} tokens (95 in 100 at most {length.tokens.p95:,})" if length.tokens else ""
    return f"{of}: median {length.words.median:,} words{tokens}"


def _overall(row: Mapping[str, object], task: str) -> bool:
    return row["task"] == task and row["label"] is None and row["pair"] is None and bool(row["units"])


def _table(columns: Sequence[str], rows: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    yield "| | " + " | ".join(columns) + " |"
    yield "|---|" + "---:|" * len(columns)
    for name, counts in rows.items():
        yield f"| {unmarked(name, NAME)} | " + " | ".join(f"{counts.get(column, 0):,}" for column in columns) + " |"
