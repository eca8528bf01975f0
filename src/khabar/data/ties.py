"""Sets that grow together: what is tied to something that is tied to a third is tied to that too (union-find)."""

from collections import defaultdict
from typing import Generic, TypeVar

T = TypeVar("T", int, str)


class Ties(Generic[T]):
    """Disjoint sets; a set is known by its smallest member."""

    def __init__(self) -> None:
        self._parents: dict[T, T] = {}

    def root(self, one: T) -> T:
        """The smallest member of the set that `one` is in; of its own set if it was never tied."""
        while (above := self._parents.setdefault(one, one)) != one:
            self._parents[one] = self._parents[above]
            one = above
        return one

    def join(self, one: T, other: T) -> None:
        """Make one set of the two that they are in."""
        low, high = sorted((self.root(one), self.root(other)))
        self._parents[high] = low

    def sets(self) -> list[list[T]]:
        """All sets with their members."""
        together: defaultdict[T, list[T]] = defaultdict(list)
        for one in self._parents:
            together[self.root(one)].append(one)
        return list(together.values())
