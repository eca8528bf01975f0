"""Tweets with their stance on one of three targets (Mawqif, Alturayeif et al. 2022): `Mawqif_AllTargets_Train.csv`."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from khabar.config import DataConfig
from khabar.data.importers._tables import require, table
from khabar.data.problems import Problems
from khabar.errors import DataError
from khabar.schema import GOLD, Article, Label
from khabar.text.folding import fold

TASK = "stance_target"
FILE = "Mawqif_AllTargets_Train.csv"
COLUMNS = ("ID", "text", "target", "stance", "datetime")


def read(config: DataConfig, problems: Problems) -> Iterator[Article | Label]:
    """Each tweet as an article, raw, and its stance on its target, spelled as in the file.

    Tweets that differ in spelling alone are one group. The reasons, the confidences, sarcasm and sentiment are not
    read: they were given along with the answer. The path is the folder of the file or the file.

    Raises:
        DataError: there is no such file, or it lacks a column.
    """
    path = Path(config.path or ".")
    file = path / FILE if path.is_dir() else path
    if not file.is_file():
        raise DataError(f"{path} should be the folder of {FILE}, which is missing there")
    columns, rows = table(file, problems)
    require(columns, COLUMNS, file)
    for row in rows:
        if empty := [name for name in ("ID", "target", "stance") if not row[name].strip()]:
            # the stance None is the word, never an empty cell
            problems.add(empty[0], "empty.", "A tweet has an ID, a target and a stance")
            continue
        id_ = row["ID"].strip()
        date = _date(row["datetime"])
        if date is None:
            problems.note("tweets without a date that can be read")
        yield Article(id=id_, text=row["text"], date=date, meta={"group": fold(row["text"])})
        yield Label(
            id=id_,
            article=id_,
            annotator=GOLD,
            task=TASK,
            labels=(row["stance"].strip(),),
            target=row["target"].strip(),
        )


def _date(value: str) -> str | None:
    """The day of a time in ISO 8601."""
    try:
        return datetime.fromisoformat(value.strip()).date().isoformat()
    except ValueError:
        return None
