"""Claims and articles with the article's stance on the claim (Baly et al. 2018): `dataset/*.json` and the folds."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from khabar.config import DataConfig
from khabar.data.problems import Problems
from khabar.errors import DataError
from khabar.schema import GOLD, Article, Label, Offsets

TASK = "stance_claim"
FOLDS = "train_test_splits.txt"
KEYS = ("claim", "article", "url", "stance", "rationale")


def read(config: DataConfig, problems: Problems) -> Iterator[Article | Label]:
    """Each claim-article pair as an article of its own (`claim/number`), its fold in `meta["fold"]`.

    The ids tell true claims from false ones, so nothing of them may reach a model; whether the claim is true is not
    read at all. Claims that the folds name and the folder lacks are passed over.

    Raises:
        DataError: the path lacks the folder or the file of the folds.
    """
    folder = Path(config.path or ".")
    if not (folder / "dataset").is_dir() or not (folder / FOLDS).is_file():
        raise DataError(f"{folder} should hold the folder dataset/ and the file {FOLDS}")
    folds = _folds((folder / FOLDS).read_text(encoding="utf-8-sig"))
    for path in sorted((folder / "dataset").glob("*.json")):
        file = f"dataset/{path.name}"
        problems.at(file)
        claim = _claim(path, problems)
        if claim is None:
            continue
        fold = folds.get(path.stem)
        if fold is None:
            problems.add("id", f"no fold of {FOLDS} names {path.stem}.", "Name it there or leave the file out")
            continue
        for number, (text, url, stance, rationale) in enumerate(
            zip(claim["article"], claim["url"], claim["stance"], claim["rationale"], strict=True)
        ):
            problems.at(file, number + 1, "article")
            if not isinstance(text, str) or not isinstance(stance, str):
                problems.add("article", "text or stance is no string.", "Write both as strings")
                continue
            id_ = f"{path.stem}/{number}"
            address = url if isinstance(url, str) and url else None
            meta = {"group": path.stem, "fold": fold}
            yield Article(id=id_, text=text, source=_host(address), url=address, meta=meta)
            evidence = _evidence(text, rationale)
            if rationale and evidence is None:
                problems.note("rationales that name no line of the article")
            yield Label(
                id=id_,
                article=id_,
                annotator=GOLD,
                task=TASK,
                labels=(stance,),
                target=claim["claim"],
                evidence=evidence,
            )


def _folds(text: str) -> dict[str, str]:
    """Claim id -> fold number, from lines `Fold_1: R-1 V-2 ...`."""
    found = {}
    for line in text.splitlines():
        name, colon, ids = line.partition(":")
        if colon:
            found.update(dict.fromkeys(ids.split(), name.strip().removeprefix("Fold_")))
    return found


def _claim(path: Path, problems: Problems) -> dict[str, Any] | None:
    try:
        claim = json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        problems.add("file", f"not JSON in UTF-8: {error}.", "Write one JSON object")
        return None
    if not isinstance(claim, dict) or (missing := [key for key in KEYS if key not in claim]):
        lack = ", ".join(missing) if isinstance(claim, dict) else "everything"
        problems.add("file", f"lacks {lack}.", f"A claim is an object with {', '.join(KEYS)}")
        return None
    lists = [claim[key] for key in KEYS[1:]]
    if not all(isinstance(value, list) for value in lists) or len({len(value) for value in lists}) > 1:
        problems.add("file", f"{', '.join(KEYS[1:])} are no lists of one length.", "Give each article one of each")
        return None
    if not isinstance(claim["claim"], str):
        problems.add("claim", "no string.", "Write the claim's words")
        return None
    return claim


def _evidence(text: str, rationale: object) -> Offsets | None:
    """The stretch from the first to the last line of a rationale (a JSON list of line numbers from 0), if valid."""
    try:
        numbers = json.loads(rationale) if isinstance(rationale, str) else rationale
    except ValueError:
        return None
    lines = text.split("\n")
    if not isinstance(numbers, list) or not numbers:
        return None
    if not all(isinstance(number, int) and 0 <= number < len(lines) for number in numbers):
        return None
    start = sum(len(line) + 1 for line in lines[: min(numbers)])
    end = sum(len(line) + 1 for line in lines[: max(numbers)]) + len(lines[max(numbers)])
    return (start, end) if text[start:end].strip() else None


def _host(url: str | None) -> str | None:
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.") or None if url else None
    except ValueError:  # such as a bracket without its pair
        return None
