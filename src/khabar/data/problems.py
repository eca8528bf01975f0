"""Bad rows: collected with their place, so that a user mends twenty at once and not one a run."""

import difflib
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from khabar.errors import DataError


class Place(NamedTuple):
    """Where a row stands: the file, and a number counted from 1 (a line, or a row where lines mean nothing)."""

    file: str
    number: int | None = None
    unit: str = "line"

    def __str__(self) -> str:
        """As an editor's go-to takes it: `file:12`, or `file, row 12`."""
        if self.number is None:
            return self.file
        return f"{self.file}:{self.number}" if self.unit == "line" else f"{self.file}, {self.unit} {self.number}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where, in which field, what, and what to do."""

    place: Place
    field: str
    wrong: str
    fix: str

    def __str__(self) -> str:
        """One line."""
        return f"{self.place}: {self.field}: {self.wrong} {self.fix}"


class Problems:
    """What an importer could not take. It calls `at` before each row, so that later checks know the row's place."""

    shown = 20

    def __init__(self) -> None:
        self.place = Place("?")
        self.first: list[Problem] = []
        self.total = 0
        self.alike: Counter[tuple[str, str, str]] = Counter()
        self.notes: Counter[str] = Counter()
        self._rows: set[Place] = set()
        self._read: set[Place] = set()

    def at(self, file: str, number: int | None = None, unit: str = "line") -> None:
        """The row that is being read from here on."""
        self.place = Place(file, number, unit)
        if number is not None:
            self._read.add(self.place)

    def add(self, field: str, wrong: str, fix: str, place: Place | None = None, *, once: bool = False) -> None:
        """A bad row: it is left out, and stops the run when `on_error` says so.

        `once`: one remedy mends all rows of which the same is said, so they are listed as one, with their number.
        """
        place = place or self.place
        self.total += 1
        self._rows.add(place)
        self.alike[field, wrong, fix] += once
        if self.alike[field, wrong, fix] <= 1 and len(self.first) < self.shown:
            self.first.append(Problem(place, field, wrong, fix))

    def note(self, what: str, by: int = 1) -> None:
        """Count something odd that does no harm to the row; it ends in `Corpus.counts`."""
        self.notes[what] += by

    def settle(self, on_error: Literal["stop", "skip"]) -> dict[str, int]:
        """The counts to keep once everything is read.

        Raises:
            DataError: `on_error` is "stop" and there is a problem; the first 20 are listed, with the total.
        """
        if self.total and on_error == "stop":
            rows = [self.alike[problem.field, problem.wrong, problem.fix] or 1 for problem in self.first]
            counted = [f" ({number} rows, this is the first)" if number > 1 else "" for number in rows]
            lines = "\n".join(f"  {problem}{told}" for problem, told in zip(self.first, counted, strict=True))
            more = f"\n  ... and {self.total - sum(rows)} more" if self.total > sum(rows) else ""
            raise DataError(
                f"{self.total} {'problem' if self.total == 1 else 'problems'} in the data:\n{lines}{more}\n"
                "Mend the rows, or leave them out and count them with data.on_error=skip"
            )
        skipped = {"bad rows skipped": len(self._rows)} if self._rows else {}
        return {"rows read": len(self._read), **dict(sorted(self.notes.items())), **skipped}


def respelled(task: str, label: str, exist: Iterable[str]) -> str:
    """The override that spells a label of the data in a task's words, the nearest of `exist`, as a shell takes it."""
    near = difflib.get_close_matches(label, list(exist), n=1)
    override = f"data.label_map.{task}.{label}={near[0] if near else 'LABEL'}"
    return f"'{override}'" if re.search(r"[^\w.=-]", override) else override
