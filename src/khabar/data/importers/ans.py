"""Pairs of headlines with the second one's stance on the first (ANS, Khouja 2020): `stance/train.csv` and `dev.csv`.

The other folder of the set, `claim/` (is a headline true?), is not read: khabar has no such task.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from khabar.config import DataConfig
from khabar.data.importers._tables import require, table
from khabar.data.problems import Place, Problems
from khabar.data.splits import bucket
from khabar.data.ties import Ties
from khabar.errors import DataError
from khabar.schema import GOLD, Article, Label
from khabar.text.folding import fold

TASK = "stance_pair"
FILES = ("train.csv", "dev.csv")
COLUMNS = ("s1", "s2", "stance")
DEV = 10  # of 100 buckets of the published train


def read(config: DataConfig, problems: Problems) -> Iterator[Article | Label]:
    """Each pair as an article of its own, `s2` its text, `s1` the target, its split in `meta["split"]`.

    Pairs of one file that share a sentence, directly or through other pairs, are one group. The published dev is the
    test; a tenth of the published train, by group, is dev. The path is the set's folder or its folder `stance`.

    Raises:
        DataError: a file is missing or lacks a column.
    """
    folder = Path(config.path or ".")
    folder = folder / "stance" if (folder / "stance").is_dir() else folder
    for name in FILES:
        if not (folder / name).is_file():
            raise DataError(f"{folder} should hold {' and '.join(FILES)} of the folder stance/; {name} is missing")
    for name in FILES:
        yield from _file(folder / name, problems)


def _file(path: Path, problems: Problems) -> Iterator[Article | Label]:
    columns, rows = table(path, problems)
    require(columns, COLUMNS, path)
    # all rows first: the last one may tie two groups together
    pairs: list[tuple[Place, str, str, str]] = []
    for row in rows:
        first, second, stance = (row[name] for name in COLUMNS)
        if empty := [name for name in COLUMNS if not row[name].strip()]:
            problems.add(empty[0], "empty.", f"A row has {', '.join(COLUMNS)}")
        else:
            pairs.append((problems.place, first, second, stance))
    groups = _groups([(first, second) for _, first, second, _ in pairs])
    seen: Counter[str] = Counter()
    for (place, first, second, stance), group in zip(pairs, groups, strict=True):
        problems.at(*place)
        split = "test" if path.name == "dev.csv" else "dev" if bucket(group) < DEV else "train"
        # of the words, not of the row: the order of the rows may follow the labels
        digest = hashlib.sha256("\n".join((first, second)).encode()).hexdigest()[:16]
        id_ = f"{path.stem}/{digest}"
        if not seen[id_]:
            yield Article(id=id_, text=second, meta={"group": group, "split": split})
        seen[id_] += 1
        number = "" if seen[id_] == 1 else f"-{seen[id_]}"
        yield Label(id=f"{id_}{number}", article=id_, annotator=GOLD, task=TASK, labels=(stance.strip(),), target=first)


def _groups(pairs: Sequence[tuple[str, str]]) -> list[str]:
    """The group of each pair: the first, in order, of the folded sentences that its own are tied to."""
    folded = [(fold(first), fold(second)) for first, second in pairs]
    tied: Ties[str] = Ties()
    for first, second in folded:
        tied.join(first, second)
    return [tied.root(first) for first, _ in folded]
