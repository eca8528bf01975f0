"""What lies in one split only, and what is torn between two: targets, labels, groups; no leaks, but to be known."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from khabar.data.duplicates import Copies
from khabar.data.findings import Finding
from khabar.data.wording import many, shown
from khabar.schema import Example, Task
from khabar.text.folding import fold

Splits = Mapping[str, Sequence[Example]]


def one_sided(splits: Splits, tasks: Mapping[str, Task], copies: Copies, examples: int) -> Iterator[Finding]:
    """Targets and labels that only one split holds, by task."""
    for task in tasks.values():
        own = {name: [row for row in part if row.task == task.name] for name, part in splits.items()}
        yield from _one_sided(task, own, copies, examples)


def _one_sided(task: Task, own: Splits, copies: Copies, examples: int) -> Iterator[Finding]:
    filled = [name for name, part in own.items() if part]
    if len(filled) < 2:
        return
    if "target" in task.asks and task.target_is == "topic":
        names: dict[str, str] = {}
        targets: defaultdict[str, defaultdict[str, list[Example]]] = defaultdict(lambda: defaultdict(list))
        for split, part in own.items():
            for row in part:
                if row.target is not None:
                    key = fold(row.target)
                    names.setdefault(key, row.target)
                    targets[key][split].append(row)
        yield from _alone("target", task, {names[key]: by for key, by in targets.items()}, copies, examples)
    labels: defaultdict[str, defaultdict[str, list[Example]]] = defaultdict(lambda: defaultdict(list))
    for split, part in own.items():
        for row in part:
            for label in row.gold or ():
                labels[label][split].append(row)
    yield from _alone("label", task, labels, copies, examples)


def _alone(
    noun: str, task: Task, holders: Mapping[str, Mapping[str, list[Example]]], copies: Copies, examples: int
) -> Iterator[Finding]:
    lone = [(value, *next(iter(by.items()))) for value, by in holders.items() if len(by) == 1]
    if not lone:
        return
    rows = [row for _, _, held in lone for row in held]
    named = "; ".join(
        f"{shown(value)!r} in {split} ({many(len(held), 'row')})" for value, split, held in lone[:examples]
    )
    more = f"; and {len(lone) - examples:,} more" if len(lone) > examples else ""
    stand = "stands" if len(lone) == 1 else "stand"
    # where each article has targets of its own, that is how the task is, and nothing is to be done about it
    own = noun == "target" and 2 * len(lone) > len(holders)
    unseen = f"Read the scores as those of a model that has not seen the {noun}s it is asked about, or split otherwise."
    yield Finding(
        f"{noun} in one split only", "", len({row.id for row in rows}),
        copies.distinct(row.unit_text for row in rows), False, "",
        f"{task.name}: {len(lone):,} of {many(len(holders), noun)} {stand} in one split only: {named}{more}.",
        ("" if own else unseen)
        if noun == "target"
        else "A label that train lacks is never learnt, and macro-F1 counts one that test lacks as 0: annotate more, "
        "or split otherwise (data.split.stratify=true, where the split is by hash, source or target).",
        tuple({noun: value, "split": split, "rows": str(len(held))} for value, split, held in lone[:examples]),
    )  # fmt: skip


def torn(splits: Splits, copies: Copies, examples: int) -> Iterator[Finding]:
    """Groups of which two splits hold a part, as a split that was brought along may tear them."""
    held: defaultdict[str, dict[str, list[Example]]] = defaultdict(dict)
    for name, part in splits.items():
        for row in part:
            held[row.group].setdefault(name, []).append(row)
    found = {group: parts for group, parts in held.items() if len(parts) > 1}
    if found:
        rows = [row for parts in found.values() for part in parts.values() for row in part]
        shares = ({name: str(len(part)) for name, part in parts.items()} for parts in found.values())
        yield Finding(
            "group in two splits", "", len(rows), copies.distinct(row.unit_text for row in rows), False, "kept",
            f"{many(len(found), 'group')} ({len(rows):,} rows) lie{'s' * (len(found) == 1)} partly in one split and "
            "partly in another.",
            "Sentences of one document, or pairs of one claim, give each other away: split by group "
            "(data.split.rule=hash), or say what a score means.",
            tuple({"group": group, **share} for group, share in zip(list(found)[:examples], shares, strict=False)),
        )  # fmt: skip
