"""What gives labels away without a text being read: ids and sources; no leaks, but they make a score too good.

An id or a source is tested against chance by dealing it out anew among groups, because the rows of one group stand
and fall together.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from khabar.data.duplicates import Copies
from khabar.data.findings import Finding
from khabar.schema import Article, Example, Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

EFFECT = 0.1  # correlation of a value with a label below which nothing is said, however sure it is
DEALS = 999  # of the permutation test
LUCKY = 1  # deals that may come out as strong or stronger: p <= 0.002
RARE = 5  # rows; a value with fewer is not looked at
SEED = 0

_LETTERS = re.compile(r"[^\W\d_]*")

Splits = Mapping[str, Sequence[Example]]


def find(
    splits: Splits, tasks: Mapping[str, Task], copies: Copies, articles: Mapping[str, Article], examples: int
) -> Iterator[Finding]:
    """Ids and sources that go with a label of a task."""
    for task in tasks.values():
        own = [row for part in splits.values() for row in part if row.task == task.name]
        yield from _given_away(task, own, articles, copies, examples)


def _given_away(
    task: Task, rows: Sequence[Example], articles: Mapping[str, Article], copies: Copies, examples: int
) -> Iterator[Finding]:
    """Ids and sources that go with a label."""
    rows = [row for row in rows if row.gold is not None]
    kinds: tuple[tuple[str, str, str, Callable[[Example], str]], ...] = (
        (
            "id",
            "have an id that begins with {!r}",
            "have an id that begins with no letter",
            lambda row: prefix(row.article),
        ),
        (
            "id",
            "have a group id that begins with {!r}",
            "have a group id that begins with no letter",
            lambda row: prefix(row.group),
        ),
        ("source", "have the source {!r}", "have no source", lambda row: articles[row.article].source or ""),
    )
    tested = set()
    for noun, phrase, none, value_of in kinds:
        values = tuple(map(value_of, rows))
        if values in tested or (noun == "id" and not _are_codes(values)):
            continue
        tested.add(values)
        if (found := associated(task, rows, values)) is not None:
            concerned = [row for row, value in zip(rows, values, strict=True) if value == found.value]
            yield Finding(
                f"{noun} gives label away", "", len(concerned),
                copies.distinct(row.unit_text for row in concerned), False, "",
                f"{task.name}: {found.both:,} of {found.with_label:,} {found.label!r} rows "
                f"{phrase.format(found.value) if found.value else none}, "
                f"as do {len(concerned) / len(rows):.0%} of all rows (correlation {found.effect:.2f}, "
                f"p {found.p:.3f} by groups).",
                f"Show no model the {noun}, and score by {noun} too: a model may learn what goes with it instead.",
                tuple(_table(noun, rows, values, found.label)[:examples]),
            )  # fmt: skip


def prefix(name: str) -> str:
    """The letters of an id before its first digit or separator."""
    found = _LETTERS.match(name)
    return found.group() if found else ""


def _are_codes(prefixes: Sequence[str]) -> bool:
    """Whether the prefixes are few enough to mean something; those of ids that are texts or hashes are not."""
    return 2 * sum(count for count in Counter(prefixes).values() if count >= RARE) > len(prefixes)


def _table(noun: str, rows: Sequence[Example], values: Sequence[str], label: str) -> list[dict[str, str]]:
    """How often each value goes with the label, the most frequent value first."""
    labelled = Counter(value for row, value in zip(rows, values, strict=True) if label in (row.gold or ()))
    return [
        {noun: value, "rows": str(count), "label": label, "rows_with_label": str(labelled[value])}
        for value, count in Counter(values).most_common()
    ]


@dataclass(frozen=True)
class Association:
    """A value of an id or source that goes with a label: `both` rows have both."""

    label: str
    value: str
    both: int
    with_label: int
    effect: float
    p: float


def associated(task: Task, rows: Sequence[Example], values: Sequence[str]) -> Association | None:
    """The value and label that go together most, if they do so beyond chance.

    The effect is their correlation over rows (phi, of having the label with having the value). p is the share of deals
    whose strongest pair is as strong; a deal hands the values out anew to blocks, the rows of one group and value.
    """
    import numpy as np

    names = sorted(value for value, count in Counter(values).items() if count >= RARE)
    place = {name: at for at, name in enumerate(names)}  # rare ones come last, together
    blocks: dict[tuple[str, int], int] = {}
    block_R = [
        blocks.setdefault((row.group, place.get(value, len(names))), len(blocks))
        for row, value in zip(rows, values, strict=True)
    ]
    if not names or len(set(values)) < 2:
        return None
    carried_BL = np.zeros((len(blocks), len(task.labels)))
    for block, row in zip(block_R, rows, strict=True):
        for label in row.gold or ():
            carried_BL[block, task.labels.index(label)] += 1
    sizes_B = np.bincount(block_R, minlength=len(blocks)).astype(float)
    value_B = np.array([value for _, value in blocks])
    phi_VL = _correlations(carried_BL, sizes_B, value_B, len(names))
    strongest = phi_VL.max()
    if strongest < EFFECT:
        return None
    rng = np.random.default_rng(SEED)
    deals = (_correlations(carried_BL, sizes_B, rng.permutation(value_B), len(names)) for _ in range(DEALS))
    lucky = sum(bool(deal_VL.max() >= strongest) for deal_VL in deals)
    if lucky > LUCKY:
        return None
    both_VL = np.stack([carried_BL[value_B == at].sum(axis=0) for at in range(len(names))])
    label_L = carried_BL.sum(axis=0)
    # of two labels, one is told as well as the other: the one of which most has the value is shown
    shares_VL = np.where(phi_VL > strongest - 1e-9, both_VL / np.maximum(label_L, 1), -1)
    value, label_at = divmod(int(shares_VL.argmax()), len(task.labels))
    return Association(
        label=task.labels[label_at],
        value=names[value],
        both=int(both_VL[value, label_at]),
        with_label=int(label_L[label_at]),
        effect=float(strongest),
        p=(1 + lucky) / (1 + DEALS),
    )


def _correlations(
    carried_BL: "NDArray[np.float64]", sizes_B: "NDArray[np.float64]", value_B: "NDArray[np.int64]", values: int
) -> "NDArray[np.float64]":
    """The correlation of each value with each label [V, L]; 0 where all rows or none have one of the two."""
    import numpy as np

    both_VL = np.stack([np.bincount(value_B, column, values + 1)[:values] for column in carried_BL.T], axis=1)
    value_V1 = np.bincount(value_B, sizes_B, values + 1)[:values, None]
    label_L = carried_BL.sum(axis=0)
    n = sizes_B.sum()
    spread_VL = np.sqrt(value_V1 * (n - value_V1) * label_L * (n - label_L))
    phi_VL: NDArray[np.float64] = (n * both_VL - value_V1 * label_L) / np.where(spread_VL > 0, spread_VL, np.inf)
    return phi_VL
