"""How far several annotators agree on each task, label and pair, and the list of what they disagree on.

By Krippendorff's alpha; the distance of two answers is MASI (Passonneau 2006), 1 - Jaccard * M, with M 1 for equal
sets, 2/3 where one holds the other, 1/3 where they overlap, 0 where they share nothing. Between single labels, and for
one label alone (given or not), that is the nominal 0 or 1.

An annotator who gives one unit two different answers has none there: which one counts is not known. They are counted,
and the unit is on the list of disagreements. `gold`, the adjudicator and rows that adjudicate are no annotators.

Shapes: U units, A annotators, K distinct answers.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from khabar.config import AnnotatorsConfig
from khabar.data.corpus import Corpus
from khabar.data.examples import NONE, Unit, check_names, units
from khabar.errors import ConfigError
from khabar.evaluation.krippendorff import Answer, Counts, estimate, masi
from khabar.evaluation.scored import Floats, Ints
from khabar.schema import GOLD, Label, Offsets, Task

SHARED = 20  # a pair of annotators with fewer units in common gets no alpha
SHOWN = 10  # pairs in the table
TWICE = "(two answers to one unit)"


@dataclass(frozen=True)
class Alpha:
    """Krippendorff's alpha of a task, of one label of it (given or not), or of one pair of annotators.

    `units` is how many have two answers or more, `answers` the answers on these, `count` those among them that give
    the label (all where `label` is None). `value` is NaN where alpha is undefined, all answers being the same; `low`
    and `high` are NaN there and with a single cluster. `undefined` draws had no variation and are left out.
    """

    task: str
    label: str | None
    pair: tuple[str, str] | None
    value: float
    low: float
    high: float
    units: int
    answers: int
    count: int
    clusters: int
    draws: int
    undefined: int
    seed: int
    level: float


@dataclass(frozen=True)
class Disagreement:
    """A unit with different answers: (annotator, labels) each. `settled` where `gold` or an adjudicator answered."""

    task: str
    article: str
    span: Offsets | None
    holder: str | None
    target: str | None
    text: str
    answers: tuple[tuple[str, tuple[str, ...]], ...]
    settled: bool


@dataclass(frozen=True)
class Agreement:
    """The alphas of each task (overall, labels in order, pairs from the lowest on), and what annotators differ on.

    `answers` counts labels by task and annotator, `NONE` and `TWICE` among them.
    """

    alphas: tuple[Alpha, ...]
    disagreements: tuple[Disagreement, ...]
    answers: dict[str, dict[str, dict[str, int]]]

    def to_rows(self) -> dict[str, list[dict[str, object]]]:
        """Plain JSON, by kind: "alphas", "disagreements" and "answers"; NaN is null."""
        return {
            "alphas": [{name: _plain(value) for name, value in vars(alpha).items()} for alpha in self.alphas],
            "disagreements": [
                {name: _plain(value) for name, value in vars(found).items()}
                | {"answers": [{"annotator": name, "labels": list(labels)} for name, labels in found.answers]}
                for found in self.disagreements
            ],
            "answers": [
                {"task": task, "annotator": name, "label": label, "count": count}
                for task, people in self.answers.items()
                for name, counts in people.items()
                for label, count in counts.items()
            ],
        }

    def table(self) -> str:
        """Each task in a few lines: alpha overall, of each label and of the pairs that agree least."""
        return "\n\n".join("\n".join(self._lines(task)) for task in self.answers)

    def _lines(self, task: str) -> list[str]:
        mine = [alpha for alpha in self.alphas if alpha.task == task]
        pairs = [alpha for alpha in mine if alpha.pair is not None]
        differ = sum(found.task == task for found in self.disagreements)
        twice = sum(counts.get(TWICE, 0) for counts in self.answers[task].values())
        head = f"{task}: {len(self.answers[task])} annotators, who differ on {differ:,} units"
        lines = [head + (f"; answers of one annotator that contradict each other, left out: {twice}" if twice else "")]
        if not mine[0].units:
            return [*lines, "  no unit has answers by two annotators"]
        shown = [*mine[: len(mine) - len(pairs)], *pairs[:SHOWN]]
        names = [alpha.label or (" / ".join(alpha.pair) if alpha.pair else "all labels") for alpha in shown]
        width = max(map(len, names))
        lines.append(f"  {'':{width}}  alpha  {f'{mine[0].level:.0%} interval':<16}  units  groups")
        for name, alpha in zip(names, shown, strict=True):
            span = "undefined" if math.isnan(alpha.low) else f"[{alpha.low:.3f}, {alpha.high:.3f}]"
            value = "    -" if math.isnan(alpha.value) else f"{alpha.value:5.3f}"
            lines.append(f"  {name:{width}}  {value}  {span:<16}  {alpha.units:5,}  {alpha.clusters:6,}")
        more = len(pairs) - SHOWN
        return lines + ([f"  and {more} pairs that agree more"] if more > 0 else [])


@dataclass(frozen=True)
class _Answers:
    """The answers to a task: `code[u, a]` is one of `sets`, or -1 where annotator a has none on unit u."""

    names: list[str]
    sets: list[Answer]
    code: Ints
    cluster: Ints


def measure(
    corpus: Corpus,
    tasks: Mapping[str, Task],
    *,
    adjudicator: str | None = None,
    draws: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> Agreement:
    """The agreement of a corpus's annotators on each task.

    Args:
        corpus: articles and all annotators' rows.
        tasks: what to measure; a task reads the rows that its examples are made of.
        adjudicator: who settles what others answered, and so is no annotator.
        draws: of the bootstrap over `Article.group`.
        seed: of the draws.
        level: of the intervals.

    Raises:
        ConfigError: `draws` is below 1, `level` outside (0, 1), or no row is by the adjudicator.
    """
    check_names(AnnotatorsConfig(adjudicator=adjudicator), corpus)
    if draws < 1 or not 0 < level < 1:
        raise ConfigError(f"draws={draws}, level={level}: draws must be 1 or more, level between 0 and 1")
    outside = {GOLD, adjudicator}
    alphas: list[Alpha] = []
    disagreements: list[Disagreement] = []
    answers = {}
    for name, task in tasks.items():
        rows = units(corpus, task)
        said = {unit: _said(given, task, outside) for unit, given in rows.items()}
        answers[name] = _count(said, task)
        alphas += _alphas(_coded(said, corpus, task), task, draws, seed, level)
        for unit, people in said.items():
            if len({answer for own in people.values() for answer in own}) > 1:
                settled = any(row.annotator in outside or row.adjudicates for row in rows[unit])
                disagreements.append(_disagreement(corpus, task, unit, people, settled))
    return Agreement(tuple(alphas), tuple(disagreements), answers)


def _said(rows: Sequence[Label], task: Task, outside: set[str | None]) -> dict[str, list[Answer]]:
    """The different answers of each annotator to one unit."""
    empty = frozenset() if task.kind == "multi" or task.empty_as is None else frozenset({task.empty_as})
    said: defaultdict[str, list[Answer]] = defaultdict(list)
    for row in rows:
        answer = frozenset(row.labels) or empty
        if row.annotator not in outside and not row.adjudicates and answer not in said[row.annotator]:
            said[row.annotator].append(answer)
    return {name: said[name] for name in sorted(said, key=_natural)}


def _count(said: Mapping[Unit, Mapping[str, Sequence[Answer]]], task: Task) -> dict[str, dict[str, int]]:
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for people in said.values():
        for name, given in people.items():
            found[name].update([TWICE] if len(given) > 1 else given[0] or [NONE])
    order = (*task.labels, NONE, TWICE)
    return {name: {key: found[name][key] for key in order if found[name][key]} for name in sorted(found, key=_natural)}


def _disagreement(
    corpus: Corpus, task: Task, unit: Unit, people: Mapping[str, Sequence[Answer]], settled: bool
) -> Disagreement:
    text = corpus.articles[unit.article].text
    answers = tuple((name, _ordered(answer, task)) for name, given in people.items() for answer in given)
    return Disagreement(task.name, *unit, text if unit.span is None else text[slice(*unit.span)], answers, settled)


def _coded(said: Mapping[Unit, Mapping[str, Sequence[Answer]]], corpus: Corpus, task: Task) -> _Answers:
    names = sorted({name for people in said.values() for name in people}, key=_natural)
    sets = sorted(
        {answer for people in said.values() for given in people.values() for answer in given},
        key=lambda answer: (len(answer), _ordered(answer, task)),
    )
    place, column = {answer: i for i, answer in enumerate(sets)}, {name: i for i, name in enumerate(names)}
    code_UA = np.full((len(said), len(names)), -1, dtype=np.int64)
    for u, people in enumerate(said.values()):
        for name, given in people.items():
            if len(given) == 1:
                code_UA[u, column[name]] = place[given[0]]
    groups = [corpus.articles[unit.article].group for unit in said]
    return _Answers(names, sets, code_UA, np.unique(np.array(groups, dtype=str), return_inverse=True)[1])


def _alphas(found: _Answers, task: Task, draws: int, seed: int, level: float) -> list[Alpha]:
    """Overall, each label in order, each pair that shares enough units from the lowest on."""
    distance_KK = np.array([[masi(one, other) for other in found.sets] for one in found.sets])

    def alphas(code_UA: Ints, pair: tuple[str, str] | None) -> list[Alpha]:
        paired_U = (code_UA >= 0).sum(1) > 1
        code_UA = code_UA[paired_U]
        several: dict[str | None, Counts] = {None: Counts(_histogram(code_UA, len(found.sets)), distance_KK)}
        if pair is None and len(code_UA):
            for label in task.labels:
                has_K = np.array([label in answer for answer in found.sets])
                counts_U2 = several[None].answers @ np.stack([~has_K, has_K], 1).astype(float)
                several[label] = Counts(counts_U2, 1 - np.eye(2))
        estimates = estimate(list(several.values()), found.cluster[paired_U], draws=draws, seed=seed, level=level)
        return [
            Alpha(
                task=task.name,
                label=label,
                pair=pair,
                units=len(code_UA),
                answers=int(counts.answers.sum()),
                count=int((counts.answers if label is None else counts.answers[:, 1]).sum()),
                draws=draws,
                seed=seed,
                level=level,
                **estimated._asdict(),
            )
            for (label, counts), estimated in zip(several.items(), estimates, strict=True)
        ]

    present_UA = (found.code >= 0).astype(np.int64)
    shared_AA = present_UA.T @ present_UA
    pairs = [
        alphas(found.code[:, [i, j]], (found.names[i], found.names[j]))[0]
        for i, j in combinations(range(len(found.names)), 2)
        if shared_AA[i, j] >= SHARED
    ]
    pairs.sort(key=lambda alpha: (math.isnan(alpha.value), alpha.value))
    return [*alphas(found.code, None), *pairs]


def _histogram(code_UA: Ints, size: int) -> Floats:
    """How often each answer is given [U, K]."""
    unit, person = np.nonzero(code_UA >= 0)
    flat = np.bincount(unit * size + code_UA[unit, person], minlength=len(code_UA) * size)
    return flat.reshape(len(code_UA), size).astype(np.float64)


def _ordered(answer: Answer, task: Task) -> tuple[str, ...]:
    """In the task's order; labels that only the task it reads has come last."""
    return tuple(sorted(answer, key=lambda name: (task.labels.index(name) if name in task.labels else math.inf, name)))


def _natural(name: str) -> tuple[bool, int, str]:
    """Numbers by size, before names."""
    return not name.isdecimal(), int(name) if name.isdecimal() else 0, name


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return list(value)
    return None if isinstance(value, float) and math.isnan(value) else value
