"""khabar COMMAND [key=value ...]: compose, quote, check, run. The only package that knows Hydra.

Hydra chooses the files of `configs/`; what a user sets beside them is laid over the result, and one strict pydantic
record receives it all, so that every mistake is named at once and no Hydra object goes further. `line.py` takes the
command line apart, `values.py` reads what one override sets, `composer.py` makes the record, `explain.py` words what is
wrong with it, and `help.py` teaches.
"""

import itertools
import os
import sys
from collections.abc import Callable, Sequence

from khabar.cli.composer import Composer, compose, groups
from khabar.cli.help import of_command, overview
from khabar.cli.line import Line, read
from khabar.cli.values import alternatives, parse
from khabar.config import Record
from khabar.errors import ConfigError, KhabarError

__all__ = ["Composer", "alternatives", "compose", "groups", "main", "parse", "read"]

INTERRUPTED = 130
BROKEN_PIPE = 141  # what a shell reports of a program that wrote to a closed pipe


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code.

    0 done, 1 a gate failed, 2 bad configuration, 3 bad data, 130 interrupted. A mistake the user can act on is told
    without a traceback; anything else keeps it.
    """
    try:
        _run(list(sys.argv[1:] if argv is None else argv))
        sys.stdout.flush()
    except KhabarError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # the reader went away (`| head`); without this, the interpreter complains once more at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    return 0


def _run(argv: list[str]) -> None:
    line = read(argv)
    if line.version:
        import importlib.metadata

        print(f"khabar {importlib.metadata.version('khabar')}")
    elif line.command is None:
        print(overview())
    elif line.help:
        print(of_command(line.command))
    elif line.multirun:
        _sweep(line)
    else:
        composer = Composer(line.command)
        config = composer(line.overrides)
        if line.show:
            print(_yaml(config), end="")
        else:
            composer.module.run(config)


def _sweep(line: Line) -> None:
    """Every combination, each composed and checked before the first one starts."""
    assert line.command is not None
    composer = Composer(line.command)
    multirun: Callable[[list[tuple[list[str], Record]]], None] | None = getattr(composer.module, "multirun", None)
    if multirun is None:
        raise ConfigError(f"khabar {line.command} takes no -m; khabar train does.")
    axes = [[(key, value) for value in alternatives(key, text)] for key, text in line.overrides]
    swept = [len(axis) > 1 for axis in axes]
    runs: list[tuple[list[str], Record]] = []
    for combination in itertools.product(*axes):
        pairs = zip(combination, swept, strict=True)
        # what all runs share would only hide how they differ
        told = [f"{key}={value}" for (key, value), many in pairs if many or not any(swept)]
        try:
            runs.append((told, composer(combination)))
        except ConfigError as error:
            raise ConfigError(f"With {' '.join(told)}:\n{error}" if told else str(error)) from error
    if line.show:
        print("---\n".join(f"# {' '.join(told)}\n{_yaml(config)}" for told, config in runs), end="")
    else:
        multirun(runs)


def _yaml(config: Record) -> str:
    import yaml

    text: str = yaml.safe_dump(config.model_dump(mode="json"), allow_unicode=True, sort_keys=False, width=120)
    return text
