"""The audit: what of dev and test stands in train, what gives labels away, and what is done about it.

Train gives way to dev and test, and dev to test. A row of a dev or test that was brought along is never dropped.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from khabar.config import AuditConfig
from khabar.data import apart, giveaways, leaks, repeats
from khabar.data.duplicates import Copies
from khabar.data.findings import Finding, compared
from khabar.data.leaks import KINDS, OTHER_QUESTION, PAIR, PAIRS, Leak
from khabar.data.splits import Splits
from khabar.data.wording import many, shown
from khabar.errors import DataError
from khabar.schema import Article, Example, Task

__all__ = ["Audit", "Finding", "counted", "drops_rows", "run", "stopping"]

OnLeak = Literal["stop", "drop", "warn"]

_PHRASES = {
    "exact copy": "have a text that {} holds letter for letter",
    "normalised copy": "have a text that {} holds in another spelling",
    "near copy": "have a text that {} holds but for some words",
    OTHER_QUESTION: "have a text that {} holds under another question",
    PAIR: "have a text of their pair in common with a pair of {}",
}


@dataclass(frozen=True)
class Audit:
    """What was found, and how many rows were dropped or kept, for the summary."""

    findings: tuple[Finding, ...]
    counts: dict[str, int]


def run(
    splits: Splits,
    tasks: Mapping[str, Task],
    copies: Copies,
    articles: Mapping[str, Article],
    config: AuditConfig,
    on_leak: OnLeak,
    *,
    brought: bool,
) -> tuple[Splits, Audit]:
    """The splits without their leaks, and all that was found in them.

    Where khabar made the split, leaks are the few texts too short to tie groups together, or what a split by source or
    target leaves: the rows that give way are dropped unless `on_leak` is "warn". Where the split was `brought`, a leak
    is an error unless `on_leak` is "drop" (the train row; a dev row that test holds too is kept and counted) or "warn".

    Args:
        splits: the examples of all tasks by split.
        tasks: the tasks by name.
        copies: of all texts of the examples (`units.texts`).
        articles: the articles by id.
        config: how many examples are shown.
        on_leak: what happens to a leak.
        brought: whether somebody else made the split.

    Raises:
        DataError: the split was brought, has a leak, and `on_leak` is "stop".
    """
    found = leaks.find(splits, tasks, copies)
    drops = {"train": drops_rows(on_leak, brought), "dev": not brought and drops_rows(on_leak, brought)}
    counts = _counts(found, drops)
    if found and brought and on_leak == "stop":
        raise DataError(_report(found, counts, config.examples))
    gone = {(leak.split, *_key(leak.row)) for leak in found if drops[leak.split]}
    kept = {name: [row for row in part if (name, *_key(row)) not in gone] for name, part in splits.items()}
    findings = [
        *_findings(found, drops, brought, copies, config.examples),
        *repeats.conflicts(splits, tasks, copies, config.examples),
        *giveaways.find(splits, tasks, copies, articles, config.examples),
        *apart.one_sided(splits, tasks, copies, config.examples),
        *apart.torn(kept, copies, config.examples),
        *repeats.find(kept, copies, config.examples),
    ]
    return kept, Audit(tuple(findings), counts)


def stopping(audit: Audit) -> Audit:
    """The same audit, whose leaks were kept to be looked at and stop a run: their findings say so."""
    told = "khabar train stops here unless audit.on_leak=drop or warn."
    return replace(
        audit,
        findings=tuple(
            replace(finding, done="kept here, and stops khabar train", todo=f"{told} {finding.todo}")
            if finding.leak
            else finding
            for finding in audit.findings
        ),
    )


def counted(what: str, count: int) -> str:
    """One of the counts in words: `2 train rows whose text ...`."""
    return f"{count:,} {what.replace(' rows whose', ' row whose', 1) if count == 1 else what}"


def drops_rows(on_leak: OnLeak, brought: bool) -> bool:
    """Whether training rows that leak are dropped: in a split that was brought along on demand only."""
    return on_leak == "drop" if brought else on_leak != "warn"


def _key(row: Example) -> tuple[str, str]:
    return row.task, row.id


def _counts(found: Sequence[Leak], drops: Mapping[str, bool]) -> dict[str, int]:
    """Rows that give way, each counted once: by the strongest kind, whichever split it leaks into."""
    strongest: dict[tuple[str, tuple[str, str]], str] = {}
    for leak in found:
        at = leak.split, _key(leak.row)
        strongest[at] = min(leak.kind, strongest.get(at, PAIR), key=KINDS.index)
    counted = Counter((split, kind) for (split, _), kind in strongest.items())
    return {
        f"{split} rows whose text is in {others}, {kind}, {'dropped' if drops[split] else 'kept'}": counted[split, kind]
        for split, others in (("train", "dev or test"), ("dev", "test"))
        for kind in KINDS
        if counted[split, kind]
    }


def _findings(
    found: Sequence[Leak], drops: Mapping[str, bool], brought: bool, copies: Copies, examples: int
) -> list[Finding]:
    by_kind: defaultdict[tuple[str, str, str], list[Leak]] = defaultdict(list)
    for leak in found:
        by_kind[leak.split, leak.other_split, leak.kind].append(leak)
    made = []
    for left, right, kind in ((*pair, kind) for pair in PAIRS for kind in KINDS):
        if own := by_kind.get((left, right, kind)):
            texts = copies.distinct(leak.row.unit_text for leak in own)
            one = len(own) == 1
            number = f"{many(len(own), f'{left} row')} ({many(texts, 'distinct text')})"
            phrase = _PHRASES[kind].format(right)
            made.append(
                Finding(
                    kind=kind,
                    splits=f"{left}/{right}",
                    rows=len(own),
                    texts=texts,
                    leak=True,
                    done="dropped" if drops[left] else "kept",
                    what=f"{number} {phrase.replace('have', 'has', 1).replace('their', 'its') if one else phrase}.",
                    todo=_todo(left, right, drops[left], brought),
                    examples=compared(
                        [(leak.split, leak.row, leak.other_split, leak.other) for leak in own[:examples]]
                    ),
                )
            )
    return made


def _todo(left: str, right: str, dropped: bool, brought: bool) -> str:
    if dropped:
        return f"Nothing: they are dropped from {left}."
    if left == "dev" and brought:
        return "The split is a published one, so they stay: say so where dev and test figures stand side by side."
    return f"Drop them with audit.on_leak=drop; else the {right} figures are partly of texts that {left} has shown."


def _report(found: Sequence[Leak], counts: Mapping[str, int], examples: int) -> str:
    total = "; ".join(counted(what.removesuffix(", kept"), count) for what, count in counts.items())
    strongest = sorted(found, key=lambda leak: KINDS.index(leak.kind))
    lines = "\n".join(
        f"  {leak.row.id} ({leak.split}) and {leak.other.id} ({leak.other_split}), {leak.kind}: "
        f"{shown(leak.row.unit_text)!r}"
        for leak in strongest[:examples]
    )
    return (
        f"The same text stands in two splits: {total}. For example:\n{lines}\n"
        "Drop the train rows with audit.on_leak=drop, or keep all and be told with audit.on_leak=warn"
    )
