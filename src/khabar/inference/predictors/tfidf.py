"""TF-IDF and a linear SVM: words 1-2 and characters 2-5, balanced; the floor that an encoder has to beat.

It gets the care that our models get: letters folded; strength, temperature and thresholds from dev; a task with a
question also sees the question, and how near it is to the text (the cosine that made a strong floor of the Fake News
Challenge).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from khabar.data.fold import TrainingFold, required
from khabar.evaluation import calibration, metrics, rows
from khabar.schema import Example, Prediction, Task
from khabar.text.folding import fold

LONGEST = 4000  # words of a text; the head of an article carries what a bag of words can use
FEATURES = 100_000  # of each vectoriser
STRENGTHS = (0.1, 0.03, 0.3, 1.0)  # of the SVM, its C
FEW = 50  # rows below which a feature may stand in one row alone


class _Features:
    """Sparse features of examples of one task."""

    def __init__(self, rows: int) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer

        rarest = 2 if rows >= FEW else 1  # few rows may share nothing
        shared: dict[str, Any] = {"sublinear_tf": True, "min_df": rarest, "max_features": FEATURES, "lowercase": False}
        self.words = TfidfVectorizer(analyzer="word", ngram_range=(1, 2), token_pattern=r"\S+", **shared)
        self.letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), **shared)

    def fit(self, examples: Sequence[Example]) -> Any:  # noqa: ANN401 - scipy sparse matrix
        questions = [example.question for example in examples if example.question]
        self.asks = bool(questions)
        texts = [_clean(text) for text in [*(example.unit_text for example in examples), *questions]]
        self.words.fit(texts)
        self.letters.fit(texts)
        return self(examples)

    def __call__(self, examples: Sequence[Example]) -> Any:  # noqa: ANN401
        from scipy.sparse import csr_matrix, hstack

        text = [_clean(example.unit_text) for example in examples]
        parts = [self.words.transform(text), self.letters.transform(text)]
        if self.asks:
            asked = [_clean(example.question or "") for example in examples]
            question = [self.words.transform(asked), self.letters.transform(asked)]
            near = [csr_matrix(a.multiply(b).sum(1)) for a, b in zip(parts, question, strict=True)]
            parts = [*parts, *question, *near]
        return hstack(parts).tocsr()


@dataclass(frozen=True)
class _Head:
    features: _Features
    coefficients: NDArray[np.float64]  # [labels that vary, features]
    bias: NDArray[np.float64]
    vary: NDArray[np.int64]
    constant: NDArray[np.float64]  # logits of the others: a label of all rows is always chosen, one of none never
    temperature: float
    thresholds: NDArray[np.float64] | None

    def logits(self, examples: Sequence[Example], matrix: Any = None) -> NDArray[np.float64]:  # noqa: ANN401
        """Of examples [N, L]; `matrix` are their features, where they are known already."""
        found = np.tile(self.constant, (len(examples), 1))
        if len(self.vary):
            known = self.features(examples) if matrix is None else matrix
            found[:, self.vary] = known @ self.coefficients.T + self.bias
        return found


@dataclass(frozen=True)
class Tfidf:
    """One linear head a task."""

    tasks: dict[str, Task]
    heads: Mapping[str, _Head]
    name: str = "TF-IDF + SVM"

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """One prediction for each example, in order."""
        found: dict[int, Prediction] = {}
        for name, task in self.tasks.items():
            at = [i for i, example in enumerate(examples) if example.task == name]
            if not at:
                continue
            head = self.heads[name]
            prob = calibration.apply(head.logits([examples[i] for i in at]), head.temperature, task.kind)
            decided = calibration.decide(prob, task.kind, head.thresholds)
            for i, p, d in zip(at, prob, decided, strict=True):
                labels = tuple(label for label, yes in zip(task.labels, d, strict=True) if yes)
                named = dict(zip(task.labels, p.tolist(), strict=True))
                found[i] = Prediction(example=examples[i].id, task=name, probabilities=named, labels=labels)
        return [found[i] for i in range(len(examples))]


def fit(
    train: TrainingFold,
    dev: Sequence[Example],
    tasks: Mapping[str, Task],
    seed: int,
    strengths: Sequence[float] = STRENGTHS,
) -> Tfidf:
    """Fit one head for each task on its training rows; strength, temperature and thresholds on its dev rows.

    `strengths` are values of the SVM's C to choose from by the task's main metric; the first one without dev rows.
    """
    answered = required(train).answered
    heads = {
        name: _fit(task, [e for e in answered if e.task == name], [e for e in dev if e.task == name], seed, strengths)
        for name, task in tasks.items()
    }
    return Tfidf(dict(tasks), heads)


def _fit(task: Task, train: list[Example], dev: list[Example], seed: int, strengths: Sequence[float]) -> _Head:
    features = _Features(len(train))
    gold = rows.gold(task, train).reshape(len(train), len(task.labels))
    matrix = features.fit(train) if (gold.any(0) & ~gold.all(0)).any() else None
    if not dev:
        return _head(features, matrix, gold, strengths[0], seed)
    held = None if matrix is None else features(dev)
    heads = [_tuned(_head(features, matrix, gold, strength, seed), task, dev, held) for strength in strengths]
    best, _ = max(heads, key=lambda found: found[1])
    return best


def _head(features: _Features, matrix: Any, gold: NDArray[np.bool_], strength: float, seed: int) -> _Head:  # noqa: ANN401
    from sklearn.svm import LinearSVC

    vary = np.flatnonzero(gold.any(0) & ~gold.all(0))
    coefficients, bias = [], []
    for label in vary:  # one label against the rest, for both kinds of task
        svm = LinearSVC(C=strength, class_weight="balanced", random_state=seed).fit(matrix, gold[:, label])
        coefficients.append(svm.coef_[0])
        bias.append(float(svm.intercept_[0]))
    constant = np.where(gold.any(0), 5.0, -5.0)
    return _Head(features, np.array(coefficients), np.array(bias), vary, constant, 1.0, np.full(len(constant), 0.5))


def _tuned(head: _Head, task: Task, dev: list[Example], held: Any) -> tuple[_Head, float]:  # noqa: ANN401
    """The head with temperature and thresholds, and its main metric on dev, whose features are `held`."""
    logits, answers = head.logits(dev, held), rows.gold(task, dev)
    temperature, thresholds = calibration.fit(logits, answers, task.kind)
    prob = calibration.apply(logits, temperature, task.kind)
    scored = rows.from_arrays(task, dev, prob, calibration.decide(prob, task.kind, thresholds))
    value = float(np.nan_to_num(metrics.compute(scored, task.main_metric), nan=-np.inf))
    return replace(head, temperature=temperature, thresholds=thresholds), value


def _clean(text: str | None) -> str:
    return " ".join(fold(word) for word in (text or "").split()[:LONGEST])
