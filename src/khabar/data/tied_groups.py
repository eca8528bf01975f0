"""Groups that copies tie together, as a finding: no leak, but one unit lies in one split, however large it is."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from khabar.config import SplitConfig
from khabar.data import units
from khabar.data.corpus import Corpus
from khabar.data.duplicates import Copies
from khabar.data.findings import Finding
from khabar.data.units import sha
from khabar.data.wording import many, shown
from khabar.schema import Example, Task

KIND = "groups tied by copies"
LARGE = 0.2  # share of the rows in one unit from which a split can hardly be what was asked for
APART = 0.8  # of `audit.near`: sentences of one template are no longer copies


def find(
    examples: Sequence[Example],
    corpus: Corpus,
    config: SplitConfig,
    copies: Copies,
    tasks: Mapping[str, Task],
    near: float,
    shows: int,
) -> list[Finding]:
    """How many groups are tied into how many units, and the texts that tie most groups of the largest.

    Nothing where copies tie no groups, as where the split was brought along or frozen, or goes by source or target.
    """
    if config.rule not in ("hash", "date") or config.file is not None:
        return []
    tied_by = units.tying(examples, corpus, copies, tasks)
    first = units.first_groups(tied_by, corpus)
    rows: defaultdict[str, list[Example]] = defaultdict(list)
    for example in examples:
        if example.group in first:
            rows[first[example.group]].append(example)
    if not rows:
        return []
    sizes = Counter(first.values())
    largest = min(rows, key=lambda unit: (-len(rows[unit]), -sizes[unit], sha(unit)))
    held = [row for unit in rows.values() for row in unit]
    share = len(rows[largest]) / len(examples)
    groups = len({article.group for article in corpus.articles.values()})
    widest = sorted(tied_by, key=lambda by_group: (-len(by_group), min(by_group)))
    what = (
        f"Copies tie {len(first):,} of {groups:,} groups into "
        f"{many(len(sizes), 'unit')}, {'which' if len(sizes) == 1 else 'each of which'} lies in one split; the largest "
        f"holds {sizes[largest]:,} groups and {len(rows[largest]):,} of {len(examples):,} rows ({share:.1%})."
    )
    return [
        Finding(
            KIND, "", len(held), copies.distinct(row.unit_text for row in held), False,
            "", what, todo(near) if share > LARGE else "",
            tuple(_example(by_group) for by_group in widest if first[min(by_group)] == largest)[:shows],
        )
    ]  # fmt: skip


def todo(near: float) -> str:
    """What to do about a unit that is too large."""
    look = "Look whether these are copies"
    if near >= 1:
        return f"{look}, or a form that many articles repeat: take that out of the texts."
    fewer = f"audit.near={APART}, or 1 for equal texts only" if near < APART else "audit.near=1, equal texts only"
    return f"{look}; where they are not, a higher audit.near ties fewer: {fewer}."


def _example(by_group: Mapping[str, str]) -> dict[str, str]:
    """Two of the groups that copies of one text tie, with the text of each."""
    (one, text), (other, other_text), *_ = sorted(by_group.items())
    return {
        "group": one, "text": shown(text), "other_group": other, "other_text": shown(other_text),
        "groups": str(len(by_group)),
    }  # fmt: skip
