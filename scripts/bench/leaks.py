"""Planted leaks and clean splits: what the audit finds, and what it takes for a leak that is none.

    python -m scripts.bench.leaks              # two minutes
    python -m scripts.bench.leaks --show 20    # and twenty near copies of saudinewsnet to look at

Reads un_quadclass and saudinewsnet under KHABAR_DATA (default ../shared/data), and the project's own articles.

The clean splits: documents by hash into train and test; then every row of train is taken out that has a word overlap
(Dice, of the sets of folded words) of 0.5 or more with a row of test, found by comparing all with all. What the audit
finds in the rest is a false alarm. The planted leaks: copies of 500 rows of test, in each of the ways of
`tests/planting.py`, put into that train; reworded are texts of twelve words or more, and a sentence is left out of
articles of three or more.
"""

import argparse
import json
import os
import random
import zipfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix
from tests import planting

from khabar.config import AuditConfig
from khabar.data import audit, duplicates
from khabar.data.splits import bucket
from khabar.schema import Article, Example, Task
from khabar.text.folding import fold

TASK = Task(name="any", labels=("a", "b"))
OVERLAP, PLANTED, WORDS, SENTENCES = 0.5, 500, 12, 3
Documents = dict[str, list[str]]


def saudi(data: Path) -> list[str]:
    """The articles of saudinewsnet that are not blank."""
    texts = []
    for path in sorted((data / "saudinewsnet").glob("*.zip")):
        with zipfile.ZipFile(path) as archive:
            for name in sorted(archive.namelist()):
                if name.endswith(".json") and not name.startswith("__MACOSX"):
                    texts += [article["content"] for article in json.loads(archive.read(name))]
    return [text for text in texts if text.strip()]


def un(data: Path) -> Documents:
    """The sentences of un_quadclass by document."""
    documents: Documents = {}
    for line in (data / "un_quadclass" / "annotations.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        documents.setdefault(row["id"].rsplit("/", 1)[0], []).append(row["ar"])
    return documents


def parted(documents: Documents) -> tuple[list[str], list[str]]:
    """Train and test, without the rows of train that overlap with test in their words."""
    train = [text for name, texts in documents.items() if bucket(name) < 70 for text in texts]
    test = [text for name, texts in documents.items() if bucket(name) >= 70 for text in texts]
    vocabulary: dict[str, int] = {}
    bags = [
        sorted({vocabulary.setdefault(fold(word), len(vocabulary)) for word in text.split()}) for text in train + test
    ]
    sizes = np.array([len(bag) for bag in bags], dtype=float)
    indices = np.concatenate([np.array(bag, dtype=np.int64) for bag in bags])
    matrix = csr_matrix((np.ones(len(indices), dtype=np.float32), indices, np.concatenate([[0], np.cumsum(sizes)])))
    kept = []
    for start in range(0, len(train), 500):
        shared = (matrix[start : min(start + 500, len(train))] @ matrix[len(train) :].T).toarray()
        dice = 2 * shared / np.maximum(sizes[start : start + len(shared), None] + sizes[len(train) :], 1)
        kept += [train[start + at] for at in np.flatnonzero(dice.max(axis=1) < OVERLAP)]
    return kept, test


def found(train: Sequence[str], test: Sequence[str], near: float) -> set[int]:
    """The places in train of what the audit finds in test."""
    splits = {
        name: [Example(id=str(at), article=f"{name}{at}", group=f"{name}{at}", task="any", text=text)
               for at, text in enumerate(texts)]
        for name, texts in (("train", train), ("test", test))
    }  # fmt: skip
    articles = {row.article: Article(row.article, row.text) for part in splits.values() for row in part}
    copies = duplicates.find([*train, *test], near)
    kept, _ = audit.run(splits, {"any": TASK}, copies, articles, AuditConfig(), "drop", brought=True)
    return set(range(len(train))) - {int(row.id) for row in kept["train"]}


def measure(name: str, documents: Documents, ways: Sequence[planting.Way], near: float) -> None:
    """One line for the clean split and one for each way of planting."""
    train, test = parted(documents)
    alarms = found(train, test, near)
    print(f"{name:22}  clean             {len(alarms):6,} of {len(train):6,} alarms  {len(alarms) / len(train):.3%}")
    words = sorted({word for text in train[:5000] for word in text.split()})
    for way in ways:
        texts = [text for text in test if _fits(way, text)]
        texts = random.Random(0).sample(texts, min(PLANTED, len(texts)))
        planted = planting.plant(way, texts, words)
        hits = len([at for at in found([*train, *planted], test, near) if at >= len(train)])
        print(f"{name:22}  {way.__name__:16}  {hits:6,} of {len(planted):6,} found   {hits / len(planted):.2%}")


def _fits(way: planting.Way, text: str) -> bool:
    """Whether so much of the text is left that the copy is still one."""
    if way is planting.sentence_dropped:
        return len(planting.units([text])) >= SENTENCES
    return way in planting.SPELLINGS or len(text.split()) >= WORDS


def shares(texts: Sequence[str], near: float, show: int) -> None:
    """How many articles are copies of an earlier one, and some near copies."""
    copies = duplicates.find(texts, near)
    folded, clusters = len({copies.spelling[text] for text in texts}), len({copies.cluster[text] for text in texts})
    n, distinct = len(texts), len(set(texts))
    print(
        f"saudinewsnet at {near}: of {n:,} articles {(n - distinct) / n:.1%} are exact copies of another, "
        f"{(distinct - folded) / n:.1%} more in another spelling, {(folded - clusters) / n:.1%} more near copies; "
        f"largest cluster {max(Counter(copies.cluster[text] for text in texts).values())}"
    )
    groups: dict[int, dict[int, str]] = {}
    for text in texts:
        groups.setdefault(copies.cluster[text], {}).setdefault(copies.spelling[text], text)
    near_ones = [list(group.values()) for group in groups.values() if len(group) > 1]
    for group in random.Random(0).sample(near_ones, min(show, len(near_ones))):
        for text in group[:2]:
            print(f"    {' '.join(text.split())[:200]}")
        print()


def main() -> None:
    """Print it all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--near", type=float, default=AuditConfig().near)
    parser.add_argument("--show", type=int, default=0, help="near copies of saudinewsnet to look at")
    options = parser.parse_args()
    data = Path(os.environ.get("KHABAR_DATA", "../shared/data"))
    own = {str(at): text for at, text in enumerate(planting.articles())}
    news = saudi(data)
    sample = {str(at): text for at, text in enumerate(random.Random(0).sample(news, 6000))}
    sentence = (*planting.SPELLINGS, *planting.REWORDINGS)
    article = (*sentence, planting.sentence_dropped)
    measure("own sentences", {name: planting.units([text]) for name, text in own.items()}, sentence, options.near)
    measure("own articles", {name: [text] for name, text in own.items()}, article, options.near)
    measure("un_quadclass", un(data), sentence, options.near)
    few = dict(list(sample.items())[:2500])
    measure(
        "saudinewsnet sentences", {name: planting.units([text]) for name, text in few.items()}, sentence, options.near
    )
    measure("saudinewsnet articles", {name: [text] for name, text in sample.items()}, article, options.near)
    for near in sorted({options.near, 0.7, 0.8, 0.9}):
        shares(news, near, options.show if near == options.near else 0)


if __name__ == "__main__":
    main()
