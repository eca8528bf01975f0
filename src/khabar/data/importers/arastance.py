"""Claims and articles with the article's stance on the claim (AraStance, Alhindi et al. 2021): its raw JSONL files."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from khabar.config import DataConfig
from khabar.data import rows
from khabar.data.problems import Problems
from khabar.errors import DataError
from khabar.schema import GOLD, Article, Label
from khabar.text.folding import fold

TASK = "stance_claim"
SPLITS = ("train", "dev", "test")
SHAPE = 'A row is {"claim": "...", "article": ["..."], "stance": ["..."]}, the two lists of one length'


def read(config: DataConfig, problems: Problems) -> Iterator[Article | Label]:
    """Each claim-article pair as an article of its own (`split/line/number`), the claim its target and its group.

    The split is the file: `train.jsonl`, `dev.jsonl`, `test.jsonl` in the folder that the path names.

    Raises:
        DataError: a file is missing.
    """
    folder = Path(config.path or ".")
    for split in SPLITS:
        if not (folder / f"{split}.jsonl").is_file():
            raise DataError(f"{folder} should hold train.jsonl, dev.jsonl and test.jsonl; {split}.jsonl is missing")
    for split in SPLITS:
        for row in rows.objects(folder / f"{split}.jsonl", problems):
            try:
                claim, pairs = _row(row)
            except rows.RowError as error:
                problems.add(error.field, error.wrong, error.fix)
                continue
            for number, (text, stance) in enumerate(pairs):
                id_ = f"{split}/{problems.place.number}/{number}"
                yield Article(id=id_, text=text, meta={"group": fold(claim), "split": split})
                yield Label(id=id_, article=id_, annotator=GOLD, task=TASK, labels=(stance,), target=claim)


def _row(row: dict[str, Any]) -> tuple[str, list[tuple[str, str]]]:
    claim = row.get("claim")
    if not isinstance(claim, str) or not claim.strip():
        raise rows.RowError("claim", "missing, empty or no string.", SHAPE)
    for name in ("article", "stance"):
        value = row.get(name)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise rows.RowError(name, "missing or no list of strings.", SHAPE)
    texts, stances = row["article"], row["stance"]
    if len(texts) != len(stances):
        raise rows.RowError("stance", f"{len(stances)} stances for {len(texts)} articles.", SHAPE)
    return claim, list(zip(texts, stances, strict=True))
