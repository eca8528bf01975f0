"""A table with one labelled row a line: JSONL, CSV, TSV or Parquet, its columns named by `config.columns`."""

from collections.abc import Iterator
from pathlib import Path

from khabar.config import DataConfig
from khabar.data.importers._rows import nouns
from khabar.data.importers._tables import SUFFIXES, table
from khabar.data.problems import Problems
from khabar.errors import DataError
from khabar.schema import Article, Label

BY_NAME = True  # a column may bear a name of khabar's by chance


def read(config: DataConfig, problems: Problems) -> Iterator[Article | Label]:
    """The articles and labels of the rows, as `_rows.nouns` says.

    Raises:
        ConfigError: `config.columns` names a column that khabar does not know, or no single task is left to assume.
        DataError: the path is no table, or the table lacks a column.
    """
    path = Path(config.path or ".")
    if not path.is_file() or path.suffix.lower() not in SUFFIXES:
        raise DataError(f"{path} is no table. data.path takes one file: {', '.join(SUFFIXES)}")
    exist, rows = table(path, problems)
    yield from nouns(path.name, exist, rows, config, problems)
