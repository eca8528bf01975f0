"""`khabar.train(...)`: what `khabar train` does, for a notebook or a program; the same configuration, the same run.

trained = khabar.train({"data": "files", "data.path": "mine.csv", "loop": {"epochs": 3}}, encoder="arabert", seed=1)
trained.metrics["test/event_type.macro_f1"]
trained.load().predict([text]).to_pandas()
"""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from khabar.cli import Composer

if TYPE_CHECKING:
    from khabar.commands._trained import Trained


def train(config: Mapping[str, Any] | None = None, /, **fields: Any) -> "Trained":  # noqa: ANN401 - JSON types
    """Train once, as `khabar train` does: tracked in MLflow, scored, logged as a model.

    Args:
        config: what would stand on the command line: a group's choice (`{"data": "files"}`), a field by its path
            (`{"loop.lr": 1e-4}`), or several fields of a group (`{"loop": {"lr": 1e-4, "epochs": 3}}`). Values are
            Python's own; a list, a tuple or a path may stand where the configuration has a list or a text.
        fields: the same by keyword, laid over `config`.

    Returns:
        Run id, model URI and metrics; `load()` opens the model.

    Raises:
        ConfigError: something does not exist or does not fit, all of it in one message.
        DataError: the data can't be read, is empty or leaks.
        GateError: training did not work out.
    """
    from khabar.commands import train as command

    record = Composer("train").of({key: _plain(value) for key, value in {**(config or {}), **fields}.items()})
    assert isinstance(record, command.Config)
    return command.train(record)


def _plain(value: Any) -> Any:  # noqa: ANN401 - JSON types
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
