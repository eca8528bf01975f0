"""Any data set of the hub, or a folder or table on disk that `datasets` reads, its columns named as for `files`."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from khabar.config import DataConfig
from khabar.data.importers._rows import nouns
from khabar.data.problems import Problems
from khabar.errors import ConfigError, DataError
from khabar.schema import Article, Label

if TYPE_CHECKING:
    from datasets import Dataset

REMOTE = True  # the path need not exist on this machine
BY_NAME = True  # a column may bear a name of khabar's by chance
OPTIONS: dict[str, tuple[str, ...]] = {"config": (), "revision": ()}  # any text
SPLITS = {"validation": "dev", "valid": "dev", "val": "dev", "development": "dev", "eval": "dev", "testing": "test"}

_ID = re.compile(r"[\w.-]+(/[\w.-]+)?")


def read(config: DataConfig, problems: Problems) -> Iterator[Article | Label]:
    """The articles and labels of all splits, as `_rows.nouns` says.

    Codes of a class label become their names, and an unlabelled row (-1) has no answer. Where there are several splits
    the one of a row is in `meta["split"]`, `validation` as `dev`. Options: `config` names a configuration, `revision` a
    branch, tag or commit of the hub. Code that a data set brings along is never run.

    Raises:
        ConfigError: the split goes by `meta["split"]` and there is one split alone; or as `_rows`.
        DataError: there is no such data set, it is a script, it can't be read, or it lacks a column.
    """
    path = config.path or "."
    splits = _load(path, config)
    columns = list(dict.fromkeys(name for split in splits.values() for name in split.column_names))
    brought = len(splits) > 1 and "split" not in config.columns
    if brought:
        columns.append("split")
    elif config.split.brought and config.split.field == "split" and not {"split"} & {*columns, *config.columns}:
        raise ConfigError(
            f"{path} is all one split, {', '.join(splits)}. Let khabar split it: data.split.rule=hash, "
            "or name the column that says the split: data.columns.split=COLUMN"
        )
    rows = _rows(path, splits, brought, problems)
    yield from nouns(path, columns, rows, config, problems)


def _rows(path: str, splits: Mapping[str, "Dataset"], brought: bool, problems: Problems) -> Iterator[dict[str, Any]]:
    for name, split in splits.items():
        naming = {column: names for column, feature in split.features.items() if (names := _names(feature))}
        for number, row in enumerate(split, 1):
            problems.at(f"{path} ({name})", number, "row")
            named = {column: _named(row[column], names) for column, names in naming.items()}
            yield {**row, **named, **({"split": SPLITS.get(name, name)} if brought else {})}


def _load(path: str, config: DataConfig) -> dict[str, "Dataset"]:
    """The splits by name.

    Raises:
        DataError: it can't be loaded; the message says why and what to do.
    """
    import datasets

    place = Path(path)
    try:
        if (place / "dataset_dict.json").is_file() or (place / "state.json").is_file():
            found = datasets.load_from_disk(path)
        elif place.is_file():
            found = datasets.load_dataset(str(place.parent), data_files=place.name)
        elif place.is_dir() or _ID.fullmatch(path):
            found = datasets.load_dataset(path, config.options.get("config"), revision=config.options.get("revision"))
        else:
            raise DataError(
                f"data.path={path} is neither on this machine nor a name on the hub. "
                "Give a file, a folder, or OWNER/NAME"
            )
    except (datasets.exceptions.DatasetsError, OSError, ValueError, RuntimeError) as error:
        raise DataError(_why(path, f"{error} {error.__cause__ or ''}")) from error
    return dict(found) if isinstance(found, datasets.DatasetDict) else {str(found.split or "train"): found}


def _why(path: str, said: str) -> str:
    if "scripts are no longer supported" in said or "trust_remote_code" in said:
        return (
            f"{path} is a script data set: reading it would run its code, which khabar never does. Download the raw "
            "files that the script names, and read those: data=files data.path=FILE"
        )
    return f"{path} can't be read as a data set: {' '.join(said.split())}. Check data.path and data.options"


def _names(feature: object) -> list[str] | None:
    """The names of a class label, or of a list of them."""
    inner = getattr(feature, "feature", feature)  # of a list
    names = getattr(inner, "names", None)
    return names if isinstance(names, list) else None


def _named(value: object, names: list[str]) -> object:
    if isinstance(value, list):
        return [_named(item, names) for item in value]
    if not isinstance(value, int):
        return value
    return names[value] if 0 <= value < len(names) else None
