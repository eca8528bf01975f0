"""Krippendorff's alpha against his own worked examples, and against a count over all pairs of answers."""

from fractions import Fraction
from itertools import combinations, permutations

import numpy as np
import pytest
import yaml

from khabar.config import DataConfig, project_root
from khabar.data import corpus as corpora
from khabar.data.corpus import Corpus
from khabar.evaluation.agreement import SHARED, measure
from khabar.evaluation.krippendorff import masi
from khabar.schema import Article, Label, Task

# Krippendorff (2011), Computing Krippendorff's Alpha-Reliability, sections A to C: a row an observer, "." no answer
BINARY = ["0100000010", "1110010000"]
TWO = ["aabbdcccedda", "babbbccceddd"]
MISSING = ["123321412...", "1233224125.3", ".3332342251.", "12332441251."]


def corpus(answers, group=lambda unit: unit):
    """A corpus out of answers[annotator][unit], each a tuple of labels or None."""
    size = max(len(row) for row in answers.values())
    articles = {str(u): Article(id=str(u), text=f"جملة {u}", meta={"group": str(group(u))}) for u in range(size)}
    labels = [
        Label(id=f"{name}/{u}", article=str(u), annotator=name, task="t", labels=given)
        for name, row in answers.items()
        for u, given in enumerate(row)
        if given is not None
    ]
    return Corpus("c", articles, tuple(labels), (), (), "MIT", {})


def brute(answers, distance):
    """Alpha counted over ordered pairs of answers, as the definition says."""
    size = max(len(row) for row in answers.values())
    units = [[row[u] for row in answers.values() if row[u] is not None] for u in range(size)]
    units = [[frozenset(answer) for answer in unit] for unit in units if len(unit) > 1]
    every = [answer for unit in units for answer in unit]
    within = sum(Fraction(distance(a, b)) / (len(unit) - 1) for unit in units for a, b in permutations(unit, 2))
    between = sum(Fraction(distance(a, b)) for a, b in permutations(every, 2))
    if not between:
        return float("nan")
    return float(1 - (within / len(every)) / (between / (len(every) * (len(every) - 1))))


def nominal(a, b):
    return a != b


def by_hand(a, b):
    """MASI as Passonneau (2006) has it: 1 - Jaccard * monotonicity."""
    if a == b:
        return 0
    monotone = Fraction(2, 3) if a <= b or b <= a else Fraction(1, 3) if a & b else 0
    return 1 - Fraction(len(a & b), len(a | b)) * monotone


@pytest.mark.parametrize(
    ("rows", "labels", "units", "published"),
    [(BINARY, "01", 10, 0.095), (TWO, "abcde", 12, 0.692), (MISSING, "12345", 11, 0.743)],
)
def test_the_worked_examples_of_krippendorff(rows, labels, units, published):
    answers = {str(i): [None if mark == "." else (mark,) for mark in row] for i, row in enumerate(rows)}
    overall = measure(corpus(answers), {"t": Task(name="t", labels=tuple(labels))}, draws=10).alphas[0]
    assert overall.value == pytest.approx(published, abs=0.0005)
    assert overall.units == units
    assert overall.value == pytest.approx(brute(answers, nominal), abs=1e-12)


def test_masi_of_small_sets():
    sets = [frozenset(name) for size in range(4) for name in combinations("ABC", size)]
    for one in sets:
        for other in sets:
            assert masi(one, other) == pytest.approx(float(by_hand(one, other)), abs=1e-15)
    assert masi(frozenset("A"), frozenset("AB")) == pytest.approx(2 / 3)
    assert masi(frozenset("AB"), frozenset("BC")) == pytest.approx(8 / 9)
    assert masi(frozenset(), frozenset("A")) == 1


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", ["single", "multi"])
def test_a_count_over_all_pairs_of_answers(seed, kind):
    rng = np.random.default_rng(seed)
    labels = "ABCD"[: 2 + seed % 3]
    truth = rng.integers(len(labels), size=60)

    def answer(u):
        if rng.random() < 0.3:
            return None
        if kind == "single":
            return (labels[truth[u] if rng.random() < 0.6 else rng.integers(len(labels))],)
        return tuple(name for i, name in enumerate(labels) if rng.random() < (0.7 if truth[u] == i else 0.2))

    answers = {str(a): [answer(u) for u in range(60)] for a in range(4)}
    found = measure(corpus(answers), {"t": Task(name="t", labels=tuple(labels), kind=kind)}, draws=10).alphas
    overall = [alpha for alpha in found if alpha.label is None and alpha.pair is None]
    assert [alpha.value for alpha in overall] == pytest.approx([brute(answers, by_hand)], abs=1e-12)
    of_labels = {alpha.label: alpha.value for alpha in found if alpha.label is not None}
    assert list(of_labels) == list(labels)
    for name in labels:
        given = {a: [None if x is None else ("y",) * (name in x) for x in row] for a, row in answers.items()}
        assert of_labels[name] == pytest.approx(brute(given, nominal), abs=1e-12)
    pairs = {alpha.pair: alpha for alpha in found if alpha.pair is not None}
    for a, b in combinations(answers, 2):
        shared = sum(x is not None and y is not None for x, y in zip(answers[a], answers[b], strict=True))
        assert ((a, b) in pairs) == (shared >= SHARED)
        if shared >= SHARED:
            assert pairs[a, b].units == shared
            assert pairs[a, b].value == pytest.approx(brute({a: answers[a], b: answers[b]}, by_hand), abs=1e-12)


def test_a_draw_of_groups_is_a_corpus_with_these_groups_repeated():
    """The ends of the interval come from corpora that are put together group by group and counted from scratch."""
    rng = np.random.default_rng(3)
    groups, draws = 6, 40
    answers = {a: [("AB"[rng.integers(2)],) if rng.random() < 0.8 else None for _ in range(24)] for a in "pqr"}
    made = corpus(answers, group=lambda u: u % groups)
    found = measure(made, {"t": Task(name="t", labels=("A", "B"))}, draws=draws, seed=5, level=0.8).alphas[0]
    again = np.random.default_rng(5)
    values = []
    for drawn in again.integers(groups, size=(draws, groups)):
        kept = [u for group in drawn for u in range(group, 24, groups)]
        values.append(brute({a: [row[u] for u in kept] for a, row in answers.items()}, nominal))
    low, high = np.quantile(values, [0.1, 0.9])
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-12)
    assert found.clusters == groups


@pytest.mark.real_data
def test_alphas_of_un_sentences_are_near_the_published_kappas(real_data):
    """Osorio et al. (2024) report kappas of 0.87 to 0.90 between pairs."""

    def composed(group, name):
        plain = yaml.safe_load((project_root() / "configs" / group / f"{name}.yaml").read_text(encoding="utf-8"))
        return {"data": DataConfig, "task": Task}[group].of(plain)

    if not (real_data / "un_quadclass").is_dir():
        pytest.skip(f"un_quadclass is not in {real_data}")
    tasks = {"event_quad": composed("task", "event_quad")}
    config = composed("data", "un_quadclass").model_copy(update={"path": str(real_data / "un_quadclass")})
    found = measure(corpora.read(config, tasks), tasks)
    overall, *of_labels = [alpha for alpha in found.alphas if alpha.pair is None]
    assert overall.low < 0.885 < overall.high
    assert (overall.units, overall.clusters) == (6272, 380)
    assert all(0.87 < alpha.value < 0.91 for alpha in of_labels)
    pairs = [alpha for alpha in found.alphas if alpha.pair is not None]
    weighted = sum(alpha.value * alpha.units for alpha in pairs) / sum(alpha.units for alpha in pairs)
    assert len(pairs) == 30
    assert 0.86 < weighted < 0.91
    assert len(found.disagreements) == 722
