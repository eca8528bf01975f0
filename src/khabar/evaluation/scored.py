"""What is scored: gold and one system's answers to the rows of one task, as matrices.

Shapes: N rows, L labels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from khabar.errors import DataError
from khabar.schema import Kind

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Scored:
    """Gold and one system's answers to the rows of one task.

    Args:
        labels: the task's L labels, the order of the columns.
        kind: `single`: exactly one label a row, in gold and pred. `multi`: any number, none included. `spans`: a row is
            a span or tuple that gold or the system has, so that nothing is known of what both leave out.
        gold: bool [N, L].
        prob: float [N, L] in 0..1; rows of a single-label task sum to 1 within 0.02 (what bf16 rounding leaves).
        pred: bool [N, L], the decisions; they need not be the argmax of prob.
        cluster: int [N], equal for rows that are not independent (one article, one claim).

    Raises:
        DataError: there are no rows, or shapes, types or values break the above.
    """

    labels: tuple[str, ...]
    kind: Kind
    gold: Bools
    prob: Floats
    pred: Bools
    cluster: Ints

    def __post_init__(self) -> None:
        """Refuse what the class docstring rules out."""
        shape = (len(self.gold), len(self.labels))
        if self.kind not in get_args(Kind):
            raise DataError(f"kind is {self.kind!r}; there are {', '.join(get_args(Kind))}")
        if shape[0] == 0 or shape[1] == 0:
            raise DataError(f"nothing to score: {shape[0]} rows, {shape[1]} labels")
        for name, array, types in (("gold", self.gold, "b"), ("prob", self.prob, "f"), ("pred", self.pred, "b")):
            if array.shape != shape or array.dtype.kind not in types:
                what = {"b": "bool", "f": "float"}[types]
                raise DataError(f"{name} is {array.dtype} {list(array.shape)}, expected {what} {list(shape)}")
        if self.cluster.shape != shape[:1] or self.cluster.dtype.kind not in "iu":
            raise DataError(
                f"cluster is {self.cluster.dtype} {list(self.cluster.shape)}, expected integers [{shape[0]}]"
            )
        fits_NL = (self.prob >= -1e-6) & (self.prob <= 1 + 1e-6)  # false of NaN
        _refuse(np.logical_not(fits_NL.all(1)), "prob", "a value outside 0..1")
        if self.kind == "single":
            _refuse(self.gold.sum(1) != 1, "gold", "not exactly one label, in a single-label task")
            _refuse(self.pred.sum(1) != 1, "pred", "not exactly one label, in a single-label task")
            _refuse(np.abs(self.prob.sum(1) - 1) > 0.02, "prob", "probabilities that do not sum to 1")

    @classmethod
    def pooled(cls, parts: "Sequence[Scored]") -> "Scored":
        """The rows of several folds as one, their clusters kept apart."""
        first = parts[0]
        shifts = np.cumsum([0, *(int(part.cluster.max()) + 1 for part in parts[:-1])])
        cluster = np.concatenate([part.cluster + shift for part, shift in zip(parts, shifts, strict=True)])
        gold, prob, pred = (
            np.concatenate([getattr(part, name) for part in parts]) for name in ("gold", "prob", "pred")
        )
        return cls(first.labels, first.kind, gold, prob, pred, cluster)

    @property
    def support(self) -> Ints:
        """Gold rows of each label [L]."""
        return np.asarray(self.gold.sum(0), dtype=np.int64)


def _refuse(bad_N: Bools, name: str, what: str) -> None:
    if bad_N.any():
        raise DataError(f"{name} row {int(bad_N.argmax())} has {what} ({int(bad_N.sum())} such rows of {len(bad_N)})")
