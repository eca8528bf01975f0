"""Rows that stand more than once within one split: no leak, for copies stay together, but each counts as a row."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from khabar.data.duplicates import Copies
from khabar.data.findings import Finding, compared
from khabar.data.wording import many
from khabar.schema import Example
from khabar.text.folding import fold

HOW = {
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
                asked = "" if row.question is None else fold(row.question)
                alike[name, row.task, asked, _key(row.unit_text, level, copies)].append(row)
        groups = [
            (name, rows)
            for (name, *_), rows in alike.items()
            if len(rows) > 1 and any((row.task, row.id) not in done for row in rows)
        ]
        found = [row for _, rows in groups for row in rows if (row.task, row.id) not in done]
        done |= {(row.task, row.id) for row in found}
        if found:
            texts = len({copies.spelling.get(row.unit_text, row.unit_text) for row in found})
            yield Finding(
                f"{level} repeat", "", len(found), texts, False, "kept",
                f"{many(len(found), 'row')} ({many(texts, 'distinct text')}) "
                f"stand{'s' * (len(found) == 1)} more than once in {'its' if len(found) == 1 else 'their'} split "
                f"{how}, asked the same.",
                "",  # copies in one split leak nothing
                compared([(name, rows[0], name, rows[1]) for name, rows in groups[:examples]]),
            )  # fmt: skip


def _key(text: str, level: str, copies: Copies) -> int | str:
    if level == "exact":
        return text
    return (copies.spelling if level == "normalised" else copies.cluster).get(text, text)
