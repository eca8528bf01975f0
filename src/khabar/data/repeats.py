"""Texts that stand more than once, asked the same: rows that repeat within one split, and rows whose labels differ.

Neither is a leak: copies in one split leak nothing, but each counts as a row, and no model can be right on a conflict.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from khabar.data.duplicates import Copies, Kind
from khabar.data.findings import Finding, compared
from khabar.data.wording import many
from khabar.schema import Example, Task
from khabar.text.folding import fold

HOW: dict[Kind, str] = {
    "exact": "letter for letter",
    "normalised": "in another spelling",
    "near": "but for some words",
}


def find(splits: Mapping[str, Sequence[Example]], copies: Copies, examples: int) -> Iterator[Finding]:
    """Rows whose text, asked the same, another row of the split holds too, by the closest kind of copy."""
    done: set[tuple[str, str]] = set()
    for level, how in HOW.items():
        alike: defaultdict[tuple[str, str, str, int | str], list[Example]] = defaultdict(list)
        for name, part in splits.items():
            for row in part:
                alike[name, *_asked(row), copies.key(row.unit_text, level)].append(row)
        groups = [
            (name, rows)
            for (name, *_), rows in alike.items()
            if len(rows) > 1 and any((row.task, row.id) not in done for row in rows)
        ]
        found = [row for _, rows in groups for row in rows if (row.task, row.id) not in done]
        done |= {(row.task, row.id) for row in found}
        if found:
            texts = copies.distinct(row.unit_text for row in found)
            yield Finding(
                f"{level} repeat", "", len(found), texts, False, "kept",
                f"{many(len(found), 'row')} ({many(texts, 'distinct text')}) "
                f"stand{'s' * (len(found) == 1)} more than once in {'its' if len(found) == 1 else 'their'} split "
                f"{how}, asked the same.",
                "",  # copies in one split leak nothing
                compared([(name, rows[0], name, rows[1]) for name, rows in groups[:examples]]),
            )  # fmt: skip


def conflicts(
    splits: Mapping[str, Sequence[Example]], tasks: Mapping[str, Task], copies: Copies, examples: int
) -> Iterator[Finding]:
    """The same text and question with different answers, within a split and across them."""
    alike: defaultdict[tuple[str, str, int | str], list[tuple[str, Example]]] = defaultdict(list)
    for name, part in splits.items():
        for row in part:
            if row.gold is not None:
                alike[*_asked(row), copies.key(row.unit_text, "normalised")].append((name, row))
    for task in tasks:
        own = [rows for (of, *_), rows in alike.items() if of == task]
        if groups := [rows for rows in own if len({frozenset(row.gold or ()) for _, row in rows}) > 1]:
            yield _conflict(task, groups, copies, examples)


def _conflict(task: str, groups: list[list[tuple[str, Example]]], copies: Copies, examples: int) -> Finding:
    across = sum(len({name for name, _ in rows}) > 1 for rows in groups)
    rows = [row for group in groups for _, row in group]
    pairs = [
        (*group[0], *next(other for other in group if set(other[1].gold or ()) != set(group[0][1].gold or ())))
        for group in groups[:examples]
    ]
    return Finding(
        "conflicting labels", "", len(rows), copies.distinct(row.unit_text for row in rows), False, "",
        f"{task}: {many(len(groups), 'text')} stand{'s' * (len(groups) == 1)} more than once, asked the same, "
        f"with different labels: {len(rows):,} rows{_across(across, len(groups))}.",
        "Look at them and settle each on one answer; no model can be right on both.",
        compared(pairs),
    )  # fmt: skip


def _across(across: int, texts: int) -> str:
    if texts == 1:
        return ", in more than one split" if across else ", in one split"
    return f"; {across:,} of these texts {'stands' if across == 1 else 'stand'} in more than one split"


def _asked(row: Example) -> tuple[str, str]:
    """The task and the question, in whatever spelling."""
    return row.task, "" if row.question is None else fold(row.question)
