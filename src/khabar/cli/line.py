"""A command line, taken apart: the command, its overrides, its options."""

from collections.abc import Sequence
from dataclasses import dataclass

from khabar import registry
from khabar.errors import ConfigError


@dataclass(frozen=True)
class Line:
    """What was typed."""

    command: str | None
    overrides: tuple[tuple[str, str], ...]
    help: bool = False
    version: bool = False
    multirun: bool = False
    show: bool = False


def read(argv: Sequence[str]) -> Line:
    """Take a command line apart.

    Raises:
        ConfigError: an option that does not exist, or an override without `=`.
    """
    flags = {"help": False, "version": False, "multirun": False, "show": False}
    options = {
        "--help": "help", "-h": "help", "--version": "version", "--multirun": "multirun", "-m": "multirun",
        "--cfg": "show", "-c": "show",
    }  # fmt: skip
    words: list[str] = []
    rest = iter(argv)
    for word in rest:
        option, _, value = word.partition("=")
        if not word.startswith("-"):
            words.append(word)
        elif option not in options:
            hint = f"A field is set without dashes: {word.lstrip('-')}. " if "=" in word else ""
            raise ConfigError(f"There is no option {word!r}. {hint}{registry.suggest(option, options)}")
        else:
            flags[options[option]] = True
            if options[option] == "show" and (value or next(rest, "")) != "job":
                raise ConfigError("--cfg prints one thing: the configuration, as --cfg job.")
    return Line(words[0] if words else None, tuple(_split(word) for word in words[1:]), **flags)


def _split(word: str) -> tuple[str, str]:
    key, equals, value = word.partition("=")
    if word.startswith("~"):
        raise ConfigError(f"{word}: nothing is deleted with ~; set the field instead, as in {word.lstrip('~')}=null.")
    if not equals or not key.strip("+ "):
        raise ConfigError(
            f"{word!r} is not an override: key=value is expected, as in seed=1, data=files or task=[event_type,stance]."
        )
    return key.lstrip("+").strip(), value
