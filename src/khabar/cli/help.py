"""What `--help` says, read off the commands, their configuration and the comments of its YAML."""

import re
import textwrap
from collections.abc import Iterator
from types import ModuleType

from khabar import registry
from khabar.cli.composer import Group, groups
from khabar.cli.explain import shown
from khabar.config import Record, resource

SYNTAX = """\
Overrides, as many as needed:
  group=choice             another file of configs/group/      data=files   task=[event_type,stance]
  key=value                any field, by its path              loop.lr=1e-4   data.path=mine.csv
  key=[a,b]                a list                              suite.baselines=[majority]
  key='a,b'                a text that holds a comma           data.path='a,b.csv'
  -m key=a,b               every combination (train)           -m loop.lr=1e-4,3e-4 seed=0,1
                           also range(0,5) and choice(a,b)
Arabic, spaces, |, ~, #, ( and = need no quotes of khabar's; your shell may ask for some:
  khabar predict 'questions=[إيران | وقف إطلاق النار, الأمم المتحدة]'
--cfg job prints the whole configuration and stops."""


def _about(module: ModuleType) -> str:
    return (module.__doc__ or "").strip().split("\n")[0]


def overview() -> str:
    """All commands in a line each."""
    names = registry.names("commands")
    lines = [f"  {name:<10} {_about(registry.load('commands', name))}" for name in names]
    return "\n".join(
        [
            "khabar reads events and stances out of Arabic news: it trains, scores, exports and runs the models.",
            "",
            "khabar COMMAND [key=value ...]",
            "",
            *lines,
            "",
            "Examples:",
            "  khabar train                        the embedded encoder on the project's own articles",
            "  khabar predict input=مقال.txt       read one article",
            "  khabar train --help                 the groups, fields and examples of a command",
            "",
            "Options: --help, --cfg job (print the configuration and stop), -m (every combination), --version",
        ]
    )


def of_command(command: str) -> str:
    """The groups, fields and examples of one command."""
    module = registry.load("commands", command)
    primary = resource(f"configs/{command}.yaml")
    text = primary.read_text(encoding="utf-8").splitlines() if primary.is_file() else []
    examples = [line[1:].strip() for line in text if re.match(r"#\s+(\S+ .*)?khabar ", line)]
    lines = [f"khabar {command} [key=value ...]", "", (module.__doc__ or "").strip()]
    found = groups(command)
    if found:
        lines += ["", f"Groups ({resource('configs')}):"]
        for group in found.values():
            lines.append(f"  {group.name}={group.default}")
            indent = " " * 16
            lines.append(textwrap.fill(", ".join(group.choices), 110, initial_indent=indent, subsequent_indent=indent))
    lines += ["", "Fields:", *_field_lines(module.Config, found, text)]
    if examples:
        lines += ["", "Examples:", *(f"  {example}" for example in examples[:3])]
    return "\n".join([*lines, "", SYNTAX])


def _field_lines(record: type[Record], found: dict[str, Group], text: list[str]) -> Iterator[str]:
    """The fields of a command that are no group, with the default and the comment of their line in its YAML."""
    for name, field in record.model_fields.items():
        if name in found:
            continue
        line = next((line for line in text if line.startswith(f"{name}:")), "")
        value, _, comment = line.partition(":")[2].partition("  # ")
        default = value.strip() or ("required" if field.is_required() else shown(field.default))
        yield f"  {f'{name}={default}':<24}  {comment.strip()}".rstrip()
