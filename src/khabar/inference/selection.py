"""Which articles to annotate next: those a model is unsure of, with rare labels, unlike those that are chosen already.

Everything is counted by article, because that is what an annotator opens. `measure` condenses what a model answered to
one article, `sketches` turns texts into vectors, and `rank` chooses, from arrays alone.

Shapes: N articles, U units (sentences, questions) of one article, K labels of one task, L labels of all tasks but those
that stand for "none of them", F features of a sketch, A articles that are annotated already.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from khabar.schema import Task

Floats = NDArray[np.float64]
Sketches = NDArray[np.float32]
Strategy = Literal["mixed", "uncertainty", "diversity", "rare", "random"]

TOP = 3  # units of an article that its uncertainty is averaged over; over all, long articles would hide what is unsure
FEATURES = 1024  # of a sketch: 100,000 articles take 400 MB
COPY = 0.7  # similarity from which on the second article tells nothing new
SAME = 0.9  # plain cosine of copies; one pair of news articles in a thousand is above 0.81
TINY = 1e-6  # squared length, for what is nothing but the mean
SCARCE = 0.01  # share below which a label weighs no more; a model's answers to it are noise
CHUNK = 1000  # texts vectorised at once
BLOCK = 64  # sketches compared with all others at once


@dataclass(frozen=True)
class Pool:
    """The articles to choose from.

    Args:
        ids: N different ids; they make the result independent of the order of the rows.
        labels: L names, for `Pick.why`.
        uncertainty: [N] in 0..1, see `measure`.
        present: [N, L] in 0..1, see `measure`.
        sketch: [N, F], see `sketches`.
    """

    ids: Sequence[str]
    labels: Sequence[str]
    uncertainty: Floats
    present: Floats
    sketch: Sketches


@dataclass(frozen=True)
class Pick:
    """A chosen article: its row in the pool, the score it was chosen with (0..1), and why."""

    row: int
    score: float
    why: str


def labels(tasks: Mapping[str, Task]) -> list[str]:
    """The L labels that `measure` reports, in its order."""
    return [label for task in tasks.values() for label in task.labels if label != task.empty_as]


def measure(probabilities: Mapping[str, Floats], tasks: Mapping[str, Task]) -> tuple[float, Floats]:
    """The uncertainty of one article, and how probably it holds each label [L].

    A unit is as unsure as its nearest decision: 1 - (p1 - p2) of the two likeliest labels (single), the largest
    1 - |2p - 1| (multi). An article's uncertainty is the mean of its `TOP` most unsure units over all tasks; a label is
    as present as in the unit where it is likeliest.

    Args:
        probabilities: calibrated, [U, K] by task; a task that nothing was asked of may be missing.
        tasks: those that count.
    """
    unsure, present = [np.zeros(0)], []
    for name, task in tasks.items():
        prob_UK = probabilities.get(name, np.zeros((0, len(task.labels))))
        if task.kind == "single":
            two_U2 = np.sort(prob_UK, axis=1)[:, -2:]
            unsure.append(1 - (two_U2[:, 1] - two_U2[:, 0]))
        else:
            unsure.append((1 - np.abs(2 * prob_UK - 1)).max(1))
        counted = [k for k, label in enumerate(task.labels) if label != task.empty_as]
        present.append(prob_UK.max(0, initial=0.0)[counted])
    most = np.sort(np.concatenate(unsure))[::-1][:TOP]
    return float(most.mean()) if len(most) else 0.0, np.concatenate([np.zeros(0), *present])


def sketches(texts: Iterable[str]) -> Sketches:
    """Texts as sums of signed hashes of their character 3- to 5-grams [N, F], of length 1.

    Signed hashing keeps inner products in expectation (Weinberger et al. 2009, Feature Hashing for Large Scale
    Multitask Learning), within about 1 / sqrt(F).
    """
    from sklearn.feature_extraction.text import HashingVectorizer

    hashing = HashingVectorizer(analyzer="char_wb", ngram_range=(3, 5), n_features=FEATURES, lowercase=False)
    rest = iter(texts)
    made = [np.zeros((0, FEATURES), np.float32)]
    while chunk := list(itertools.islice(rest, CHUNK)):
        made.append(hashing.transform(chunk).toarray().astype(np.float32))
    return np.concatenate(made)


def rank(
    pool: Pool,
    budget: int,
    strategy: Strategy,
    seed: int,
    *,
    shares: Floats | None = None,
    taken: Sketches | None = None,
) -> list[Pick]:
    """The `budget` articles to annotate next, the first the most wanted; all of them where there are no more.

    `uncertainty`: the least sure first. `rare`: the highest sum over labels of presence / share. Both leave copies of
    what is chosen or annotated (similarity `COPY` or more) to the end. `diversity`: the one least similar to all that
    is chosen or annotated, then the next. `mixed`: likewise, the dissimilarity times (1 + u) / 2, where u is the
    article's rank by uncertainty, 0..1. `random`: the yardstick.

    The result depends on the set of articles, never on their order; `seed` draws, and decides between equals.

    Args:
        pool: the articles to choose from.
        budget: how many.
        strategy: one of the five.
        seed: of the draw.
        shares: [L] the share of the annotated units that hold a label, NaN where nobody knows; by default what the
            model finds in the pool.
        taken: [A, F] sketches of what is annotated already.
    """
    by_id = sorted(range(len(pool.ids)), key=pool.ids.__getitem__)
    order_N = np.random.default_rng(seed).permutation(np.array(by_id, dtype=np.int64))
    if strategy == "random":
        return [Pick(int(row), 0.0, "drawn at random") for row in order_N[:budget]]
    rarity_NL = _rarity(pool.present[order_N], shares)
    value_N = {
        "uncertainty": _ranks(pool.uncertainty[order_N]),
        "rare": _ranks(rarity_NL.sum(1)),
        "diversity": np.ones(len(order_N)),
        "mixed": (1 + _ranks(pool.uncertainty[order_N])) / 2,
    }[strategy]
    picks = []
    for at, score, near in _greedy(value_N, pool.sketch[order_N], taken, budget, strategy in ("diversity", "mixed")):
        row = int(order_N[at])
        told = []
        if strategy in ("uncertainty", "mixed"):
            told.append(f"uncertainty {pool.uncertainty[row]:.2f}")
        if strategy == "rare" and len(pool.labels):
            rarest = int(rarity_NL[at].argmax())
            told.append(f"{pool.labels[rarest]} {pool.present[row, rarest]:.2f}")
        told.append(f"similarity {near:.2f} to the nearest that is annotated or chosen")
        picks.append(Pick(row, score, ", ".join(told)))
    return picks


def _rarity(present_NL: Floats, shares: Floats | None) -> Floats:
    found_L = present_NL.mean(0) if len(present_NL) else np.zeros(present_NL.shape[1])
    share_L = found_L if shares is None else np.where(np.isnan(shares), found_L, shares)
    return np.asarray(present_NL / np.maximum(share_L, SCARCE))


def _ranks(values_N: Floats) -> Floats:
    """Ranks in 0..1, equal values alike."""
    ordered = np.sort(values_N)
    middle = np.searchsorted(ordered, values_N, "left") + np.searchsorted(ordered, values_N, "right")
    return np.asarray(middle / (2 * max(len(values_N), 1)))


def _greedy(
    value_N: Floats, sketch_NF: Sketches, taken: Sketches | None, budget: int, gradual: bool
) -> Iterator[tuple[int, float, float]]:
    """Row, score and similarity of the best, each time after the last one counts as chosen."""
    space = _Space(sketch_NF)
    near_N = np.zeros(len(sketch_NF), dtype=np.float32)
    known = sketch_NF[:0] if taken is None else taken
    for start in range(0, len(known), BLOCK):
        near_N = np.maximum(near_N, space.similarity(known[start : start + BLOCK]).max(1))
    free_N = np.ones(len(value_N), dtype=bool)
    for _ in range(min(budget, len(value_N))):
        factor_N = np.maximum(1 - near_N, 0) if gradual else near_N < COPY
        score_N = np.where(free_N, value_N * factor_N, -1.0)
        best = int(score_N.argmax())
        yield best, float(score_N[best]), float(near_N[best])
        free_N[best] = False
        near_N = np.maximum(near_N, space.similarity(sketch_NF[best : best + 1])[:, 0])


class _Space:
    """Sketches as they differ from their mean, which holds the frequent words that make any two articles alike."""

    def __init__(self, sketch_NF: Sketches) -> None:
        self.sketch_NF = sketch_NF
        self.centre_F = sketch_NF.sum(0) / max(len(sketch_NF), 1)
        self.along_N, self.length_N = self._parts(sketch_NF)

    def similarity(self, other_AF: Sketches) -> Sketches:
        """Cosines [N, A] from the mean.

        Where copies of one story are most of the pool, the mean is that story, and they would differ by chance alone:
        what is as good as equal as it stands keeps its plain cosine.
        """
        plain_NA = self.sketch_NF @ other_AF.T
        along_A, length_A = self._parts(other_AF)
        square = self.centre_F @ self.centre_F
        apart_NA = (plain_NA - self.along_N[:, None] - along_A + square) / (self.length_N[:, None] * length_A)
        return np.asarray(np.where(plain_NA >= SAME, np.maximum(plain_NA, apart_NA), apart_NA), dtype=np.float32)

    def _parts(self, some_AF: Sketches) -> tuple[Sketches, Sketches]:
        """Of each sketch: its inner product with the mean, and its distance from it."""
        along_A = some_AF @ self.centre_F
        squared_A = np.einsum("af,af->a", some_AF, some_AF) - 2 * along_A + self.centre_F @ self.centre_F
        return along_A, np.sqrt(np.maximum(squared_A, TINY))
