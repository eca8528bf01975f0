"""What the audit says of a data set: each finding with its figures, a sentence for a person, and what to do."""

from collections.abc import Sequence
from dataclasses import dataclass

from khabar.data.wording import shown
from khabar.schema import Example


@dataclass(frozen=True)
class Finding:
    """One thing the audit found.

    Attributes:
        kind: what it is, always in the same words.
        splits: "train/test", "train/dev", "dev/test"; "" where it is not about two splits.
        rows: the rows concerned, of the split that gives way.
        texts: the distinct texts among them; two that differ in spelling alone are one.
        leak: whether it stops a split that was brought along.
        done: "dropped", "kept" (and what follows from it), or "" where there was nothing to drop.
        what: one sentence with the figures.
        todo: what to do about it.
        examples: some of the rows as plain JSON.
    """

    kind: str
    splits: str
    rows: int
    texts: int
    leak: bool
    done: str
    what: str
    todo: str
    examples: tuple[dict[str, str], ...]


def answer(example: Example) -> str:
    """Its gold labels, "none of them" where there is none of a multi-label task, "" where it is not known."""
    return "" if example.gold is None else ", ".join(example.gold) or "none of them"


def compared(pairs: Sequence[tuple[str, Example, str, Example]]) -> tuple[dict[str, str], ...]:
    """Pairs of (split, row, other split, other row) as examples of a finding."""
    return tuple(
        {
            "id": one.id, "split": split, "label": answer(one), "text": shown(one.unit_text),
            "other_id": other.id, "other_split": other_split, "other_label": answer(other),
            "other_text": shown(other.unit_text),
            **({"question": shown(one.question)} if one.question else {}),
            **({"other_question": shown(other.question)} if other.question else {}),
        }
        for split, one, other_split, other in pairs
    )  # fmt: skip
