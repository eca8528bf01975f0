"""khabar COMMAND [key=value ...]: compose, quote, check, run. The only file that knows Hydra.

Hydra chooses the files of `configs/`; what a user sets beside them is laid over the result, and one strict pydantic
record receives it all, so that every mistake is named at once and no Hydra object goes further.
"""

import difflib
import itertools
import os
import re
import sys
import textwrap
import types
import typing
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from khabar import registry
from khabar.config import Record, resource
from khabar.errors import ConfigError, KhabarError

INTERRUPTED = 130
BROKEN_PIPE = 141  # what a shell reports of a program that wrote to a closed pipe

BOUNDS = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
TYPES = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "tuple_type": "a list, [a,b]",
    "dict_type": "a mapping, {a: b}",
    "model_type": "a mapping of its fields",
}

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


@dataclass(frozen=True)
class Line:
    """A command line, taken apart."""

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


def compose(command: str, overrides: Sequence[tuple[str, str]]) -> Record:
    """The configuration of a command: its YAML, the chosen files, the values laid over them, validated.

    Args:
        command: a command's name.
        overrides: pairs of a group or field and what it is set to, as written on a command line.

    Raises:
        ConfigError: anything that does not exist or does not fit, all of it in one message.
    """
    return Composer(command)(overrides)


class Composer:
    """Composes the configuration of one command, as often as asked."""

    def __init__(self, command: str) -> None:
        self.command = command
        self.module = registry.load("commands", command)
        self.record: type[Record] = self.module.Config
        self.groups = groups(command)

    def __call__(self, overrides: Sequence[tuple[str, str]]) -> Record:
        """The validated record of these overrides; see `compose`."""
        chosen: dict[str, str] = {}
        values: dict[str, Any] = {}
        problems: list[str] = []
        for key, text in overrides:
            try:
                if key in self.groups:
                    chosen[key] = self.groups[key].choose(parse(key, text))
                else:
                    values[key] = parse(key, text)
            except ConfigError as error:
                problems.append(str(error))
        if problems:  # without its files there is nothing to validate
            raise ConfigError("\n".join(problems))
        return self._validated(*self._composed(chosen, values))

    def _composed(self, chosen: dict[str, str], values: dict[str, Any]) -> tuple[dict[str, Any], set[str]]:
        """Plain JSON types, and the names of the chosen tasks.

        No task chosen means those that the data set offers by default, or those that its file is found to answer.
        """
        from omegaconf import OmegaConf
        from omegaconf.errors import OmegaConfBaseException

        config = _hydra(self.command, self._with_default_tasks(chosen, values))
        if "task" in self.groups and "data" in self.groups and not config.get("task"):
            default = values.get("data.default_tasks", config.data.get("default_tasks", []))
            config = _hydra(self.command, {**chosen, "task": self.groups["task"].choose(list(default))})
        key, tasks = "", set(map(str, config.get("task") or ()))
        try:
            for key, value in values.items():
                OmegaConf.update(config, key, value, merge=value != {}, force_add=True)  # {} empties a mapping
            key = "the configuration"
            plain: dict[str, Any] = OmegaConf.to_container(config, resolve=True)  # type: ignore[assignment]
        except (OmegaConfBaseException, ValueError, TypeError) as error:
            raise ConfigError(f"{key}: {str(error).splitlines()[0]}") from error
        if "task" in self.groups and "data" in self.groups:
            tasks = _with_tasks_of_file(plain, tasks)
        return plain, tasks

    def _with_default_tasks(self, chosen: dict[str, str], values: dict[str, Any]) -> dict[str, str]:
        """The same as composing twice, where the file of the data set alone tells: it saves a fifth of the time."""
        import yaml

        open_tasks = "task" in self.groups and chosen.get("task", self.groups["task"].default) == "[]"
        if not open_tasks or "data" not in self.groups or chosen.get("experiment", "null") != "null":
            return chosen
        file = resource(f"configs/data/{chosen.get('data', self.groups['data'].default)}.yaml")
        default = values.get(
            "data.default_tasks", yaml.safe_load(file.read_text(encoding="utf-8")).get("default_tasks")
        )
        return {**chosen, "task": self.groups["task"].choose(default)} if default else chosen

    def _validated(self, plain: dict[str, Any], tasks: set[str]) -> Record:
        from pydantic import ValidationError

        problems = _misfits(plain, tasks)
        try:
            record = self.record.of(plain)
        except ValidationError as error:
            problems += [explain(self.record, dict(each), self.command) for each in error.errors(include_url=False)]
        if len(problems) > 1:  # what the data set answers is not known while its own fields are wrong
            problems = [problem for problem in problems if not problem.startswith("task: missing.")]
        if problems:
            raise ConfigError("\n".join(dict.fromkeys(problems)))
        return record


@dataclass(frozen=True)
class Group:
    """A folder of `configs/` that a command names in its defaults: each file of it is a choice."""

    name: str
    default: str
    many: bool  # several files may be chosen at once
    optional: bool
    choices: tuple[str, ...]

    def choose(self, asked: Any) -> str:  # noqa: ANN401 - whatever was typed
        """The choice in Hydra's spelling.

        Raises:
            ConfigError: a name that is no file of the folder; the message lists those that are.
        """
        if asked is None and (self.optional or self.many):
            return "null" if self.optional else "[]"
        names = asked if isinstance(asked, list) else [asked]
        if isinstance(asked, dict) or (isinstance(asked, list) and not self.many):
            raise ConfigError(
                f"{self.name}={asked}: one name is expected, of configs/{self.name}/; single fields are set as "
                f"{self.name}.field=value. {registry.suggest('', self.choices)}"
            )
        for name in map(str, names):
            if name not in self.choices:
                raise ConfigError(f"{self.name}={name}: no such choice. {registry.suggest(name, self.choices)}")
        return f"[{','.join(map(str, names))}]" if self.many else str(names[0])


def groups(command: str) -> dict[str, Group]:
    """The groups of a command in the order of its YAML; none for a command without a YAML."""
    import yaml

    primary = resource(f"configs/{command}.yaml")
    plain = yaml.safe_load(primary.read_text(encoding="utf-8")) if primary.is_file() else {}
    found: dict[str, Group] = {}
    for entry in plain.get("defaults", ()):
        if not isinstance(entry, dict):
            continue
        (name, default), *_ = entry.items()
        name = name.removeprefix("optional ").lstrip("/")
        folder = resource("configs") / name
        choices = tuple(sorted(path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.yaml")))
        optional = default is None
        found[name] = Group(name, _shown(default), isinstance(default, list) or optional, optional, choices)
    return found


def parse(key: str, text: str) -> Any:  # noqa: ANN401 - any JSON type
    """The value that one override sets.

    Raises:
        ConfigError: it names several values, which only `-m` takes.
    """
    several = alternatives(key, text)
    if len(several) != 1 or several[0] != text:
        raise ConfigError(
            f"{key}={text} names {len(several)} values. Add -m to run every combination, write [...] for a list, "
            f"or quote a text that holds a comma: \"{key}='{text}'\""
        )
    return _value(text)


def alternatives(key: str, text: str) -> list[str]:
    """The values that one override sweeps over, each as it would be written alone; one if it is no sweep.

    Raises:
        ConfigError: a sweep without a finite list of values.
    """
    override = _lexed(text)
    if override is None:
        return _cut(text, ",")
    if not override.is_sweep_override():
        return [text]
    if not override.is_discrete_sweep() or "glob(" in text:
        raise ConfigError(f"{key}={text}: a sweep lists its values: a,b or choice(a,b) or range(start,stop,step).")
    return list(override.sweep_string_iterator())


def explain(record: type[Record], error: dict[str, Any], command: str) -> str:
    """One line for one of pydantic's errors: the path, what was asked, what is allowed, the nearest name."""
    loc: tuple[str | int, ...] = error["loc"]
    path = ".".join(map(str, loc)) or "the configuration"
    kind, context, asked = error["type"], error.get("ctx", {}), _shown(error.get("input"))
    if kind == "extra_forbidden":
        return f"{path}: there is no such field. {_nearest(record, loc, command)}"
    if kind == "missing":
        return f"{path}: missing. Set it as {path}=..."
    if kind == "value_error":
        return f"{path}: {error['msg'].removeprefix('Value error, ')}."
    if kind == "literal_error":
        choices = re.findall(r"'([^']*)'", context["expected"])
        return f"{path}: asked {asked}. {registry.suggest(str(error.get('input')), choices)}"
    bounds = [f"{sign} {context[name]:g}" for name, sign in BOUNDS.items() if name in context]
    message = error["msg"].removeprefix("Input should be ")
    allowed = bounds[0] if bounds else TYPES.get(kind, message[:1].lower() + message[1:])
    hint = ""
    if kind == "string_type" and isinstance(error.get("input"), int | float | bool):
        hint = f", that is, quoted: \"{path}='{asked}'\""
    return f"{path}: asked {asked}, allowed: {allowed}{hint}"


def _run(argv: list[str]) -> None:
    line = read(argv)
    if line.version:
        import importlib.metadata

        print(f"khabar {importlib.metadata.version('khabar')}")
    elif line.command is None:
        print(_help())
    elif line.help:
        print(_command_help(line.command))
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


def _split(word: str) -> tuple[str, str]:
    key, equals, value = word.partition("=")
    if word.startswith("~"):
        raise ConfigError(f"{word}: nothing is deleted with ~; set the field instead, as in {word.lstrip('~')}=null.")
    if not equals or not key.strip("+ "):
        raise ConfigError(
            f"{word!r} is not an override: key=value is expected, as in seed=1, data=files or task=[event_type,stance]."
        )
    return key.lstrip("+").strip(), value


def _hydra(command: str, chosen: dict[str, str]) -> Any:  # noqa: ANN401 - a DictConfig, known to this file alone
    """Compose the YAML of a command with the chosen files."""
    import yaml
    from hydra import compose, initialize_config_dir
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    if not resource(f"configs/{command}.yaml").is_file():
        return OmegaConf.create({})
    try:
        with initialize_config_dir(str(resource("configs").resolve()), job_name="khabar", version_base="1.3"):
            config = compose(command, [f"{group}={choice}" for group, choice in chosen.items() if choice != "null"])
    except (HydraException, OmegaConfBaseException, yaml.YAMLError) as error:
        raise ConfigError(f"The files of {resource('configs')} can't be composed: {error}") from error
    OmegaConf.set_struct(config, False)
    return config


def _lexed(text: str) -> Any:  # noqa: ANN401 - an Override, known to this file alone
    """The value as Hydra's grammar reads it, or None where it can't."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    try:
        return OverridesParser.create().parse_overrides([f"key={text}"])[0]
    except HydraException:
        return None


def _value(text: str) -> Any:  # noqa: ANN401 - any JSON type
    """One value; what Hydra can't lex is a list or dict of such values, or a text as it stands."""
    override = _lexed(text)
    if override is not None and not override.is_sweep_override():
        return override.value()
    text = text.strip()
    if text.startswith("[") and text.endswith("]"):
        return [_value(element) for element in _cut(text[1:-1], ",")]
    pairs = [_cut(pair, ":") for pair in _cut(text[1:-1], ",")] if text[:1] + text[-1:] == "{}" else []
    if pairs and all(len(pair) == 2 for pair in pairs):
        return {str(_value(key)): _value(value) for key, value in pairs}
    return text


def _cut(text: str, mark: str) -> list[str]:
    """Cut at a mark outside brackets and quotes; a quote counts where a value may start."""
    parts, depth, quote = [""], 0, ""
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"" and not parts[-1].strip(" [{(:,"):
            quote = character
        elif character in "[{(":
            depth += 1
        elif character in "]})":
            depth = max(0, depth - 1)
        if character == mark and not depth and not quote:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts] if len(parts) > 1 else parts


def _with_tasks_of_file(plain: dict[str, Any], chosen: set[str]) -> set[str]:
    """The chosen tasks; where the YAML of the data set has no default, `plain` gets those found in the file.

    `data.tasks`, which such a YAML leaves empty, narrows what was found.
    """
    from khabar.config import DataConfig

    data = plain.get("data")
    if not isinstance(data, dict) or data.get("default_tasks") != []:
        return chosen
    if not chosen:
        from pydantic import ValidationError

        from khabar.data import corpus

        try:
            config = DataConfig.of(data)
        except ValidationError:
            return chosen  # told of with everything else that does not fit
        made: dict[str, Any] = dict(plain.get("task") or {})
        found = corpus.tasks(config)
        if unknown := [name for name in config.tasks if name not in found]:
            raise ConfigError(f"data.tasks names {unknown[0]}. {registry.suggest(unknown[0], found)}")
        for name, task in ((name, task) for name, task in found.items() if name in (config.tasks or found)):
            given = made.get(name, {})
            # what is no mapping is told of with everything else that does not fit
            made[name] = {**task.model_dump(mode="json"), **given} if isinstance(given, dict) else given
        plain["task"] = made
        chosen = set(config.tasks or found)
    names = sorted(chosen)
    plain["data"] = {**data, "tasks": data.get("tasks") or names, "default_tasks": names}
    return chosen


def _misfits(plain: dict[str, Any], chosen: set[str]) -> list[str]:
    """Fields that don't fit each other; a task that was not chosen is told of and taken out."""
    data, tasks = plain.get("data"), plain.get("task")
    if not isinstance(tasks, dict):
        return []
    problems = []
    for name in sorted(set(tasks) - chosen):
        del tasks[name]
        there = sorted(chosen)
        also = f"task=[{','.join([*there, name])}]"
        problems.append(f"task.{name}: {name} is not among the chosen tasks, {', '.join(there)}. To add it: {also}")
    offered = data.get("tasks") if isinstance(data, dict) else None
    if isinstance(data, dict) and isinstance(offered, list):
        problems += [
            f"task: the data set {data.get('name')} does not offer {name}. {registry.suggest(name, map(str, offered))}"
            for name in tasks
            if name not in offered
        ]
    return problems


def _records(annotation: Any) -> Iterator[tuple[bool, type[Record]]]:  # noqa: ANN401 - any type
    """The record types within a type, and whether each is the value of a dict."""
    if isinstance(annotation, type) and issubclass(annotation, Record):
        yield False, annotation
    elif typing.get_origin(annotation) in (typing.Union, types.UnionType):
        for part in typing.get_args(annotation):
            yield from _records(part)
    elif typing.get_origin(annotation) is dict:
        for _, record in _records(typing.get_args(annotation)[1]):
            yield True, record


def _fields(record: type[Record], prefix: str = "") -> Iterator[str]:
    """The paths of all fields of a record and of the records in it."""
    for name, field in record.model_fields.items():
        yield f"{prefix}{name}"
        for keyed, inner in _records(field.annotation):
            if not keyed:  # the keys of a dict are not known here
                yield from _fields(inner, f"{prefix}{name}.")


def _nearest(record: type[Record], loc: tuple[str | int, ...], command: str) -> str:
    """What an unknown field may have meant: a field beside it, else one of that name elsewhere."""
    *above, asked = map(str, loc)
    holder: type[Record] | None = record
    steps = iter(above)
    for step in steps:
        field = holder.model_fields.get(step) if holder else None
        keyed, holder = next(_records(field.annotation), (False, None)) if field else (False, None)
        if keyed:
            next(steps, None)
    prefix = "".join(f"{step}." for step in above)
    beside = list(holder.model_fields) if holder else []
    if near := difflib.get_close_matches(asked, beside, n=1):
        return f"Did you mean {prefix}{near[0]}?"
    everywhere = list(_fields(record))
    if elsewhere := [path for path in everywhere if path.split(".")[-1] == asked]:
        return f"Did you mean {' or '.join(elsewhere)}?"
    if near := difflib.get_close_matches(".".join(map(str, loc)), everywhere, n=1, cutoff=0.75):
        return f"Did you mean {near[0]}?"
    where = prefix.rstrip(".") or f"khabar {command}"
    return f"{where} has: {', '.join(sorted(beside))}."


def _shown(value: Any) -> str:  # noqa: ANN401 - any JSON type
    """A value as a user would write it, shortened."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, list | tuple):
        text = f"[{', '.join(map(_shown, value))}]"
    else:
        text = str(value) if value != "" else "''"
    return text if len(text) <= 80 else f"{text[:77]}..."


def _yaml(config: Record) -> str:
    import yaml

    text: str = yaml.safe_dump(config.model_dump(mode="json"), allow_unicode=True, sort_keys=False, width=120)
    return text


def _about(module: ModuleType) -> str:
    return (module.__doc__ or "").strip().split("\n")[0]


def _help() -> str:
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


def _command_help(command: str) -> str:
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
        default = value.strip() or ("required" if field.is_required() else _shown(field.default))
        yield f"  {f'{name}={default}':<24}  {comment.strip()}".rstrip()
