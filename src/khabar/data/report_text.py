"""The report as it is printed: what to do first, then the figures it rests on, in at most 100 columns."""

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from khabar.data.audit import counted
from khabar.data.figures import DROPPED, ENCODER, Length, TaskRows
from khabar.data.report import Report, interval
from khabar.data.wording import WIDTH, many, printable, room, share, shown, table

ACTIONS = 6
COLUMNS = 7  # annotators that get a column of their own
LISTED = 30  # of the others that are named
ID = 22


def text(report: Report) -> str:
    """The whole report, sections parted by blank lines."""
    sections = (
        _head(report),
        _actions(report),
        _rows(report),
        _split(report),
        *(_labels(task) for task in report.tasks),
        *(_annotators(task) for task in report.tasks),
        _agreement(report),
        _lengths(report),
        _written(report),
        _findings(report),
        _origin(report),
    )
    # labels, names and ids come from the data, and must not steer a terminal
    parts = ["\n".join(printable(line) for line in section) for section in sections]
    return "\n\n".join(part for part in parts if part)


def _head(report: Report) -> Iterator[str]:
    yield f"{report.name}: {report.path}" if report.path else report.name
    yield f"licence {report.licence}, fingerprint {report.fingerprint[:12]}"


def _actions(report: Report) -> Iterator[str]:
    if not report.actions:
        yield "What to do: nothing; khabar found nothing amiss."
        return
    yield "What to do"
    for number, action in enumerate(report.actions[:ACTIONS], 1):
        yield from _wrapped(action.found, f"  {number}. ", "     ")
        yield from _wrapped(action.do, "     -> ", "        ")
    if len(report.actions) > ACTIONS:
        yield f"  and {len(report.actions) - ACTIONS} more, in report.html and report.json"


def _rows(report: Report) -> Iterator[str]:
    rows = report.rows
    yield "Rows"
    read = "" if rows.read is None else f"{rows.read:,} read, "
    read += f"{rows.bad:,} bad and left out; " if rows.bad else "none bad; " if read else ""
    others = "".join(f", {n:,} {name}" for name, n in (("spans", rows.spans), ("relations", rows.relations)) if n)
    yield from _wrapped(
        f"{read}{many(rows.articles, 'article')} ({many(rows.texts, 'distinct text')}), "
        f"{many(rows.labels, 'label')} by {many(rows.annotators, 'annotator')}{others}"
    )
    for task in report.tasks:
        reasons = "".join(f"; {count:,} {reason}" for reason, count in task.dropped.items())
        yield from _wrapped(f"{task.task}: {task.kept:,} kept{reasons}", "  ", "    ")
    for what, count in rows.dropped.items():
        yield from _wrapped(f"dropped: {counted(what, count)}", "  ", "    ")
    for what, count in rows.notes.items():
        yield from _wrapped(f"noted: {what}" + (f": {count:,}" if count > 1 else ""), "  ", "    ")


def _split(report: Report) -> Iterator[str]:
    yield from _wrapped(f"Split: {report.split}", "", "  ")
    for note in report.split_notes:
        yield from _wrapped(note, "  ", "    ")


def _labels(task: TaskRows) -> Iterator[str]:
    yield f"Labels by split: {task.task}"
    columns = list(task.splits)
    yield from table(columns, {"rows": task.splits, **task.labels})


def _annotators(task: TaskRows) -> Iterator[str]:
    if not task.several:
        return
    yield f"Labels by annotator: {task.task}"
    first, others = list(task.answers)[:COLUMNS], list(task.answers)[COLUMNS:]
    name = f"{len(others)} more"
    given = {"answers": task.answers, **task.given}
    columns = [*first, *([name] if others else [])]
    merged = {label: {**counts, name: sum(counts.get(other, 0) for other in others)} for label, counts in given.items()}
    yield from table(columns, merged)
    if others:
        listed = ", ".join(others[:LISTED]) + (", ..." if len(others) > LISTED else "")
        yield from _wrapped(f"{name}: {listed}", "  ", "    ")
    if cut := [who for who in first if shown(who, room(merged, columns)) != who]:
        yield from _wrapped(f"in full: {', '.join(cut)}", "  ", "    ")
    lost = sum(sum(parts.get(DROPPED, {}).values()) for parts in task.annotators.values())
    if lost:
        yield f"  {lost:,} of these labels {'is' if lost == 1 else 'are'} on rows that were dropped"


def _agreement(report: Report) -> Iterator[str]:
    for task in report.tasks:
        rows = [row for row in report.agreement if row["task"] == task.task]
        overall = next((row for row in rows if row["label"] is None and row["pair"] is None), None)
        if overall is None or not overall["units"]:
            continue
        yield from _wrapped(
            f"Agreement on {task.task}: {interval(overall)}, {overall['units']:,} rows with two answers or more",
            "",
            "  ",
        )
        known = [row for row in rows if row["value"] is not None]
        labels = [f"{row['label']} {row['value']:.2f}" for row in known if row["label"] is not None]
        if labels:
            yield from _wrapped(f"by label: {', '.join(labels)}", "  ", "    ")
        pairs = sorted((row for row in known if row["pair"] is not None), key=lambda row: float(row["value"]))
        if pairs:
            low = [f"{' and '.join(row['pair'])} {row['value']:.2f} ({many(row['units'], 'row')})" for row in pairs[:3]]
            of = "by pair" if len(pairs) <= len(low) else f"lowest of {len(pairs):,} pairs"
            yield from _wrapped(f"{of}: {', '.join(low)}", "  ", "    ")
    if n := report.disagreements:
        them = "it" if n == 1 else "them"
        yield f"  annotators differ on {many(n, 'row')}; khabar ingest output=FOLDER lists {them}"


def _lengths(report: Report) -> Iterator[str]:
    if not report.lengths:
        return
    yield "Lengths"
    tokens = any(length.tokens for length in report.lengths)
    yield f"  {'':<10}{'texts':>9}   words {'median':>8}{'95%':>8}{'most':>8}" + (
        f"   tokens {'median':>8}{'95%':>8}{'most':>8}   over {ENCODER}" if tokens else ""
    )
    for length in report.lengths:
        yield f"  {length.of:<10}{length.texts:>9,}         {_spread(length, 'words')}" + (
            f"          {_spread(length, 'tokens')}{share(length.over, length.counted):>11}" if length.tokens else ""
        )
    if not tokens:
        return
    yield from _wrapped(f"tokens: {report.tokenizer}, [CLS] and [SEP] counted")
    for length in report.lengths:
        if length.counted < length.texts:
            yield from _wrapped(
                f"{length.of}: counted on {length.counted:,} of {many(length.texts, 'text')}, chosen by hash"
            )
    yield from _wrapped(windows(report))


def _written(report: Report) -> Iterator[str]:
    written, texts = report.written, report.rows.texts
    yield f"Languages and scripts, of {many(texts, 'distinct text')}"
    yield from _wrapped("script: " + _shares(written.scripts, texts), "  ", "    ")
    if written.languages:
        yield from _wrapped("Arabic letters, but perhaps " + _shares(written.languages, texts), "  ", "    ")
    if odd := {name: n for name, n in written.odd.items() if n}:
        yield from _wrapped("with " + _shares(odd, texts), "  ", "    ")
    if written.digits:
        yield from _wrapped("digits: " + _shares(written.digits, texts), "  ", "    ")
    yield f"  short vowels: in {share(written.marked, texts)}, {100 * written.marks:.1f} for 100 letters"
    for example in written.examples:
        yield _cut(f"  e.g. {example['id']} ({example['in']}): {example['text']}")


def _findings(report: Report) -> Iterator[str]:
    if not report.findings:
        yield "Audit: nothing found."
        return
    yield "Audit"
    for finding in report.findings:
        done = f" {finding.done.capitalize()}." if finding.done else ""
        yield from _wrapped(f"{finding.what}{done}", "  ", "    ")
        for example in finding.examples:
            yield from map(_cut, _example(example))


def _example(example: Mapping[str, str]) -> Iterator[str]:
    """A figure in one line; or two rows that are compared, where they stand and how they are labelled, and the text."""
    if "other_group" in example:
        pair = " ~ ".join(shown(example[name], ID) for name in ("group", "other_group"))
        yield f"    e.g. {pair}, of {example['groups']} groups"
        yield f"         {example['text']}"
        yield f"       ~ {example['other_text']}"
        return
    if "other_id" not in example:
        yield "    e.g. " + ", ".join(f"{name} {value}" for name, value in example.items())
        return
    sides = [(shown(example[f"{side}id"], ID), example[f"{side}split"], example[f"{side}label"])
             for side in ("", "other_")]  # fmt: skip
    yield "    e.g. " + " ~ ".join(f"{id_} ({split}: {label})" for id_, split, label in sides)
    yield f"         {example['text']}"


def _origin(report: Report) -> Iterator[str]:
    origin = report.origin
    articles = report.rows.articles
    if not origin.sources and not origin.first:
        return
    yield "Sources and dates"
    if origin.sources:
        named = ", ".join(f"{name} {count:,}" for name, count in origin.sources.items())
        more = f", and {origin.other_sources:,} more" if origin.other_sources else ""
        yield from _wrapped(f"{named}{more}", "  ", "    ")
    if origin.first:
        yield f"  from {origin.first} to {origin.last}"
    lacking = {
        "no source": origin.without_source,
        "no date": origin.without_date,
        "a date that is not ISO (2025-01-31)": origin.odd_dates,
    }
    if any(lacking.values()):
        yield from _wrapped("with " + _shares({name: n for name, n in lacking.items() if n}, articles))


def windows(report: Report) -> str:
    """What the limits of the windows mean for these texts."""
    cut = [length for length in report.lengths if length.cut]
    read = f"A text over {report.windows.length} tokens is read in windows; nothing is cut off below {report.reach:,}"
    if not cut:
        return f"{read}, so nothing is"
    return f"{read}: {', '.join(f'{length.cut:,} of the {length.of} lose their end' for length in cut)}"


def _spread(length: Length, of: str) -> str:
    spread: Any = getattr(length, of)
    return f"{spread.median:>8,}{spread.p95:>8,}{spread.most:>8,}"


def _shares(counts: Mapping[str, int], whole: int) -> str:
    return ", ".join(f"{name} {share(count, whole)} ({count:,})" for name, count in counts.items())


def _wrapped(words: str, first: str = "  ", rest: str = "  ") -> list[str]:
    return textwrap.wrap(
        words, WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )


def _cut(line: str) -> str:
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 2].rstrip()} …"
