"""khabar's own two files in a folder: `articles.jsonl` and `annotations.jsonl`."""

from collections.abc import Iterator
from pathlib import Path

from khabar.config import DataConfig
from khabar.data import rows
from khabar.data.problems import Problems
from khabar.errors import DataError
from khabar.schema import Article, Label, Relation, Span


def read(config: DataConfig, problems: Problems) -> Iterator[Article | Label | Span | Relation]:
    """Every article, then every annotation.

    Raises:
        DataError: the path is no folder that holds both files.
    """
    folder = Path(config.path or ".")
    for name in (rows.ARTICLES, rows.ANNOTATIONS):
        if not (folder / name).is_file():
            raise DataError(
                f"{folder} should be a folder with {rows.ARTICLES} and {rows.ANNOTATIONS}; {name} is missing"
            )
    for name, parse in ((rows.ARTICLES, rows.article), (rows.ANNOTATIONS, rows.annotation)):
        for row in rows.objects(folder / name, problems):
            try:
                noun = parse(row)
            except rows.RowError as error:
                problems.add(error.field, error.wrong, error.fix)
            else:
                yield noun
