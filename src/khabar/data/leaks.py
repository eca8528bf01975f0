"""Leaks between splits: a text in train that dev or test holds too, as it stands, spelt otherwise or reworded a little.

What counts as a row's text is what is classified and the whole article besides: a sentence whose article stands in
another split was read there in its context. Where the target is a text (a claim, the other headline of a pair), that
counts too, on either side.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from khabar.data import duplicates
from khabar.data.duplicates import Copies, Kind
from khabar.schema import Example, Task
from khabar.text.folding import fold

PAIRS = (("train", "test"), ("train", "dev"), ("dev", "test"))  # the row of the first one gives way
OTHER_QUESTION = "same article, other question"
PAIR = "shared text of a pair"
KINDS = (*(f"{level} copy" for level in duplicates.KINDS), OTHER_QUESTION, PAIR)  # the strongest first

Key = tuple[str, int | str]  # level and what stands for the text there


@dataclass(frozen=True, slots=True)
class Leak:
    """A row whose text another split holds too: `row` should give way to `other`, the first such row there."""

    kind: str
    split: str
    row: Example
    other_split: str
    other: Example


def texts(example: Example, task: Task | None) -> tuple[str, ...]:
    """The texts of a row that can leak: what is classified, its article, and the target of a task whose target is one.

    `task` None: its targets are topics.
    """
    target = (example.target,) if task and task.target_is == "text" and example.target is not None else ()
    return example.unit_text, example.text, *target


def find(splits: Mapping[str, Sequence[Example]], tasks: Mapping[str, Task], copies: Copies) -> list[Leak]:
    """Every row of train that dev or test holds too, and of dev that test holds: one leak a row and other split.

    Its kind is the strongest of `KINDS` that holds, so that the kinds of one pair of splits add up.
    """
    keys = _Keys(copies, {name for name, task in tasks.items() if task.target_is == "text"})
    held = {name: _Held(keys, examples) for name, examples in splits.items()}
    return [
        Leak(*found[:1], left, row, right, *found[1:])
        for left, right in PAIRS
        if right in held
        for row in splits.get(left, ())
        if (found := held[right].match(row)) is not None
    ]


@dataclass
class _Keys:
    """What is looked up of a row: its own texts, its target where that is a text, and its question."""

    copies: Copies
    pair_tasks: set[str]
    _questions: dict[str, str] = field(default_factory=dict)

    def own(self, row: Example, level: Kind) -> list[Key]:
        return [self._key(text, level) for text in dict.fromkeys((row.unit_text, row.text))]

    def target(self, row: Example, level: Kind) -> list[Key]:
        return [self._key(row.target, level)] if row.target is not None and row.task in self.pair_tasks else []

    def question(self, row: Example) -> str | None:
        asked = row.question
        if asked is None:
            return None
        if asked not in self._questions:
            self._questions[asked] = fold(asked)
        return self._questions[asked]

    def _key(self, text: str, level: Kind) -> Key:
        return level, self.copies.key(text, level)


class _Held:
    """A split by its texts; of each text, the first row of every question, and the first row that has it as target."""

    def __init__(self, keys: _Keys, examples: Sequence[Example]) -> None:
        self._keys = keys
        self._own: defaultdict[Key, dict[str | None, Example]] = defaultdict(dict)
        self._target: dict[Key, Example] = {}
        for row in examples:
            for level in duplicates.KINDS:
                for key in keys.own(row, level):
                    self._own[key].setdefault(keys.question(row), row)
                for key in keys.target(row, level):
                    self._target.setdefault(key, row)

    def match(self, row: Example) -> tuple[str, Example] | None:
        """The strongest kind of leak between a row of another split and this one, and the row here."""
        asked = self._keys.question(row)
        other_question = None
        for level in duplicates.KINDS:
            for key in self._keys.own(row, level):
                if rows := self._own.get(key):
                    # a row without a question leaks into all questions on its text, and the other way round
                    same = next(iter(rows.values())) if asked is None else rows.get(asked, rows.get(None))
                    if same is not None:
                        return f"{level} copy", same
                    other_question = other_question or next(iter(rows.values()))
        if other_question is not None:
            return OTHER_QUESTION, other_question
        return next(((PAIR, other) for other in self._across(row)), None)

    def _across(self, row: Example) -> Iterator[Example]:
        """Rows that share a text with this one of which it is the target in one of them or in both."""
        for level in duplicates.KINDS:
            for key in self._keys.target(row, level):
                if key in self._target:
                    yield self._target[key]
                if key in self._own:
                    yield next(iter(self._own[key].values()))
            for key in self._keys.own(row, level):
                if key in self._target:
                    yield self._target[key]
