"""Makes the record of a command: its YAML, chosen files, values laid over them, tasks found in a file, validated."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from khabar import registry
from khabar.cli.explain import explain, shown
from khabar.cli.values import parse
from khabar.config import Record, resource
from khabar.errors import ConfigError


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
        values: dict[str, Any] = {}
        problems: list[str] = []
        for key, text in overrides:
            try:
                values[key] = parse(key, text)
                if key in self.groups and isinstance(values[key], dict):
                    self.groups[key].choose(values[key])  # on a command line, fields are set by their paths
            except ConfigError as error:
                problems.append(str(error))
        return self.of(values, problems)

    def of(self, values: Mapping[str, Any], problems: Sequence[str] = ()) -> Record:
        """The validated record of values that are parsed already: choices, fields by path, mappings of fields.

        A command that can rebuild a configuration has a function `rebuilt`, which takes what `from_run` is set to.

        Raises:
            ConfigError: as `compose`; `problems` are told first.
        """
        chosen: dict[str, str] = {}
        found = list(problems)
        for key, value in values.items():
            if key in self.groups and not isinstance(value, Mapping):
                try:
                    chosen[key] = self.groups[key].choose(value)
                except ConfigError as error:
                    found.append(str(error))
        if found:  # without its files there is nothing to validate
            raise ConfigError("\n".join(found))
        rest = {key: value for key, value in values.items() if key not in chosen}
        if rest.get("from_run") is not None and hasattr(self.module, "rebuilt"):
            return self._validated(*self._rebuilt(self.module.rebuilt(rest["from_run"]), chosen, rest))
        return self._validated(*self._composed(chosen, rest))

    def _rebuilt(
        self, base: dict[str, Any], chosen: dict[str, str], values: dict[str, Any]
    ) -> tuple[dict[str, Any], set[str]]:
        """As `_composed`, out of an earlier configuration, whose groups give way to those that are chosen."""
        from omegaconf import OmegaConf

        name = chosen.pop("experiment", "null").strip("[]")
        if name != "null":
            raise ConfigError(f"experiment={name}: with from_run, set the fields that shall differ instead.")
        fresh = OmegaConf.to_container(_hydra(self.command, chosen)) if chosen else {}
        assert isinstance(fresh, dict)
        plain = _laid_over(OmegaConf.create({**base, **{group: fresh.get(group, {}) for group in chosen}}), values)
        return plain, _with_tasks_of_file(plain, set(map(str, plain.get("task") or ())))

    def _composed(self, chosen: dict[str, str], values: dict[str, Any]) -> tuple[dict[str, Any], set[str]]:
        """Plain JSON types, and the names of the chosen tasks.

        No task chosen means those that the data set offers by default, or those that its file is found to answer.
        """
        config = _hydra(self.command, self._with_default_tasks(chosen, values))
        if "task" in self.groups and "data" in self.groups and not config.get("task"):
            default = values.get("data.default_tasks", config.data.get("default_tasks", []))
            config = _hydra(self.command, {**chosen, "task": self.groups["task"].choose(list(default))})
        tasks = set(map(str, config.get("task") or ()))
        plain = _laid_over(config, values)
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
            errors = error.errors(include_url=False)
            if any(each["loc"][:1] == ("data",) for each in errors):  # what its file answers is not known yet
                errors = [each for each in errors if (each["type"], each["loc"]) != ("missing", ("task",))]
            problems += [explain(self.record, dict(each), self.command) for each in errors]
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
        if optional:  # an overlay
            choices = tuple(choice for choice in choices if _lies_over(folder / f"{choice}.yaml", plain))
        found[name] = Group(name, shown(default), isinstance(default, list) or optional, optional, choices)
    return found


def _lies_over(experiment: Path, primary: Mapping[str, Any]) -> bool:
    """Whether an overlay sets nothing that a command, given its YAML, does not have."""
    import yaml

    plain = yaml.safe_load(experiment.read_text(encoding="utf-8"))
    there, chosen = (
        {name.rpartition("/")[2] for entry in each.get("defaults", ()) if isinstance(entry, dict) for name in entry}
        for each in (primary, plain)
    )
    return (set(plain) - {"defaults"}) | chosen <= {*primary, *there}


def _hydra(command: str, chosen: dict[str, str]) -> Any:  # noqa: ANN401 - a DictConfig, known to this package alone
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


def _laid_over(config: Any, values: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ANN401 - a DictConfig
    """Plain JSON types of a configuration with values set in it."""
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    key = ""
    try:
        for key, value in values.items():
            OmegaConf.update(config, key, value, merge=value != {}, force_add=True)  # {} empties a mapping
        key = "the configuration"
        plain: dict[str, Any] = OmegaConf.to_container(config, resolve=True)  # type: ignore[assignment]
    except (OmegaConfBaseException, ValueError, TypeError) as error:
        raise ConfigError(f"{key}: {str(error).splitlines()[0]}") from error
    return plain


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
