"""Spans and tuples as rows to score: what gold has, what a system has, and what both have.

A row is one span or tuple; nothing is known of what both leave out, so that precision, recall and F1 are all there is.
The cluster is the article: an interval rests on whole articles.
"""

from collections.abc import Hashable, Iterable, Sequence

import numpy as np

from khabar.data import marks
from khabar.evaluation.scored import Scored
from khabar.schema import Example, Found, Task, overlap
from khabar.text.words import WORD


def scored(task: Task, examples: Sequence[Example], found: Sequence[Iterable[Found]], *, exact: bool = True) -> Scored:
    """Spans of sentences: right where layer and words are those of a gold span, or, not `exact`, where they overlap.

    By overlap each gold span meets at most one found span, the first in the text.
    """
    number = {group: i for i, group in enumerate(dict.fromkeys(example.group for example in examples))}
    rows: list[tuple[str, bool, bool, int]] = []
    for example, spans in zip(examples, found, strict=True):
        left = [(span.layer, *_trimmed(example.text, span.start, span.end)) for span in marks.inside(example)]
        for layer, *given, _ in spans:
            start, end = _trimmed(example.text, *given)
            match = next(
                (
                    one
                    for one in left
                    if one[0] == layer and (one[1:] == (start, end) if exact else overlap(one[1:], (start, end)))
                ),
                None,
            )
            if match:
                left.remove(match)
            rows.append((layer, match is not None, True, number[example.group]))
        rows += [(layer, True, False, number[example.group]) for layer, _, _ in left]
    return _scored(task.labels, rows)


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """A stretch without what is no letter, digit or mark at its ends: quotation marks make no other span."""
    words = list(WORD.finditer(text, start, end))
    return (words[0].start(), words[-1].end()) if words else (start, end)


def tuples(
    labels: Sequence[str],
    gold: Sequence[Iterable[tuple[str, Hashable]]],
    found: Sequence[Iterable[tuple[str, Hashable]]],
    clusters: Sequence[int],
) -> Scored:
    """Sets of (label, anything) of each article or sentence, and the cluster that it belongs to."""
    rows = []
    for there, told, cluster in zip(gold, found, clusters, strict=True):
        ours, theirs = set(there), set(told)
        every = sorted(ours | theirs, key=repr)
        rows += [(one[0], one in ours, one in theirs, cluster) for one in every]
    return _scored(labels, rows)


def _scored(labels: Sequence[str], rows: Sequence[tuple[str, bool, bool, int]]) -> Scored:
    if not rows:  # nothing there and nothing found: nothing right, and nothing wrong
        nothing = np.zeros((1, len(labels)), bool)
        return Scored(tuple(labels), "spans", nothing, nothing.astype(float), nothing, np.zeros(1, int))
    one_hot = np.array([[label == name for name in labels] for label, *_ in rows], bool).reshape(-1, len(labels))
    gold = one_hot & np.array([row[1] for row in rows], bool)[:, None]
    told = one_hot & np.array([row[2] for row in rows], bool)[:, None]
    return Scored(tuple(labels), "spans", gold, told.astype(float), told, np.array([row[3] for row in rows], int))
