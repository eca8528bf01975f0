"""Every file of `configs/` composes, validates, says what it is for, and agrees with the record it is a value of."""

from pathlib import Path

import pytest
import yaml

from khabar import cli, config, registry
from khabar.config import Record, resource
from khabar.errors import ConfigError
from khabar.schema import Task

ROOT = resource("configs")
FILES = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.yaml"))
COMMANDS = sorted(path.stem for path in ROOT.glob("*.yaml"))
CHOICES = [
    (command, group.name, choice)
    for command in COMMANDS
    if command in registry.names("commands")
    for group in cli.groups(command).values()
    for choice in group.choices
]
RECORDS: dict[str, type[Record]] = {
    "audit": config.AuditConfig,
    "data": config.DataConfig,
    "encoder": config.EncoderConfig,
    "loop": config.LoopConfig,
    "machine": config.MachineConfig,
    "masking": config.MaskingConfig,
    "shape": config.ShapeConfig,
    "suite": config.SuiteConfig,
    "task": Task,
    "track": config.TrackConfig,
    "windows": config.WindowsConfig,
}
NAMED = [
    pytest.param(group, path, id=f"{group}/{path.stem}")
    for group in ("data", "encoder", "task")
    for path in sorted((ROOT / group).glob("*.yaml"))
]


def read(path: Path) -> dict[str, object]:
    plain: dict[str, object] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return plain


def offering(task: str) -> str:
    """A data set that offers a task."""
    return next(path.stem for path in sorted((ROOT / "data").glob("*.yaml")) if task in read(path)["tasks"])


def test_every_command_has_a_yaml_and_every_yaml_a_command() -> None:
    own = {path.stem for path in resource("src/khabar/commands").glob("[!_]*.py")}
    assert set(COMMANDS) <= set(registry.names("commands"))
    assert own <= set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_composes_as_it_stands(command: str) -> None:
    assert isinstance(cli.compose(command, []), Record)


@pytest.mark.parametrize(("command", "group", "choice"), CHOICES)
def test_every_choice_of_every_command_composes(command: str, group: str, choice: str) -> None:
    overrides = [(group, choice)]
    if group == "task" and "data" in cli.groups(command):
        overrides.append(("data", offering(choice)))
    if group == "data" and not read(ROOT / "data" / f"{choice}.yaml")["tasks"] and "task" in cli.groups(command):
        overrides.append(("task", "stance"))  # else its file is asked, and there is none
    made = cli.compose(command, overrides)
    if group not in ("task", "experiment"):
        assert isinstance(getattr(made, group), Record)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_group_is_a_field_of_the_command(command: str) -> None:
    fields = registry.load("commands", command).Config.model_fields
    assert set(cli.groups(command)) - {"experiment"} <= set(fields)


def test_no_file_is_left_out() -> None:
    reached = {f"{group}/{choice}.yaml" for _, group, choice in CHOICES} | {f"{command}.yaml" for command in COMMANDS}
    assert set(FILES) == reached


@pytest.mark.parametrize("file", FILES)
def test_every_file_opens_with_what_it_is(file: str) -> None:
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    while lines and lines[0].startswith("# @package"):
        lines.pop(0)
    assert lines[0].startswith("# "), f"{file} opens with {lines[0]!r}, not with a comment"
    assert len(lines[0]) > 12


@pytest.mark.parametrize("file", [f for f in FILES if f.split("/")[0] in ("data", "encoder", "experiment")])
def test_the_comment_holds_the_command_that_uses_it(file: str) -> None:
    group, name = file.removesuffix(".yaml").split("/")
    head = [line for line in (ROOT / file).read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    assert any("khabar " in line and f"{group}={name}" in line for line in head), (
        f"{file}: no command with {group}={name}"
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_the_examples_of_a_command_compose(command: str) -> None:
    import shlex

    lines = (ROOT / f"{command}.yaml").read_text(encoding="utf-8").splitlines()
    examples = [line.split(f"khabar {command}", 1)[1] for line in lines if line.startswith("#   khabar ")]
    assert examples, f"{command}.yaml shows no command"
    for example in examples:
        words = shlex.split(example.split("   ")[0])
        line = cli.read([command, *(word for word in words if word != "from_run=RUN_ID")])  # no store here has it
        composer = cli.Composer(command)
        for key, text in line.overrides:
            for value in cli.alternatives(key, text):
                others = [(k, cli.alternatives(k, t)[0]) for k, t in line.overrides if k != key]
                composer([*others, (key, value)])
        composer([(key, cli.alternatives(key, text)[0]) for key, text in line.overrides])


@pytest.mark.parametrize(("group", "path"), NAMED)
def test_a_file_is_named_as_its_value(group: str, path: Path) -> None:
    plain = read(path)
    assert plain["name"] == path.stem
    assert RECORDS[group].of(plain)


@pytest.mark.parametrize("group", ["audit", "loop", "machine", "masking", "shape", "suite", "track", "windows"])
def test_a_default_file_and_its_record_never_drift(group: str) -> None:
    plain = read(ROOT / group / "default.yaml")
    record = RECORDS[group]
    assert record.of(plain) == record()
    assert list(plain) == list(record.model_fields), "the file shows every field, in the record's order"


@pytest.mark.parametrize("path", sorted((ROOT / "task").glob("*.yaml")), ids=lambda path: path.stem)
def test_a_task_is_packaged_under_its_name(path: Path) -> None:
    assert path.read_text(encoding="utf-8").splitlines()[0] == f"# @package task.{path.stem}"
    labels = read(path)["labels"]
    assert len(set(labels)) == len(labels)
    assert all(isinstance(label, str) for label in labels), "YAML reads a bare yes, no or none of these as no text"


def test_all_labels_of_all_tasks_are_unique_within_their_task() -> None:
    for path in (ROOT / "task").glob("*.yaml"):
        folded = [label.casefold() for label in Task.of(read(path)).labels]
        assert len(set(folded)) == len(folded), path.stem


@pytest.mark.parametrize("path", sorted((ROOT / "data").glob("*.yaml")), ids=lambda path: path.stem)
def test_a_data_set_offers_tasks_that_exist_and_maps_onto_their_labels(path: Path) -> None:
    data = config.DataConfig.of(read(path))
    tasks = {file.stem: Task.of(read(file)) for file in (ROOT / "task").glob("*.yaml")}
    assert set(data.tasks) <= set(tasks)
    assert set(data.default_tasks) <= set(data.tasks)
    assert data.importer in registry.names("importers")
    for name, mapping in data.label_map.items():
        assert set(mapping.values()) <= set(tasks[name].labels), name


def test_encoders_that_bind_their_users_say_so() -> None:
    encoders = [config.EncoderConfig.of(read(path)) for path in sorted((ROOT / "encoder").glob("*.yaml"))]
    for encoder in encoders:
        free = encoder.licence in ("Apache-2.0", "MIT", "see the model's page")
        assert free or encoder.licence_note, encoder.name
    assert [encoder.name for encoder in encoders if encoder.segmenter != "none"] == ["arabert_segmented"]


def test_a_task_that_a_data_set_does_not_offer_is_refused() -> None:
    for path in (ROOT / "data").glob("*.yaml"):
        offered = read(path)["tasks"]
        if not offered:  # whatever is asked
            continue
        other = [file.stem for file in (ROOT / "task").glob("*.yaml") if file.stem not in offered]
        for task in other[:1]:
            with pytest.raises(ConfigError, match=f"does not offer {task}"):
                cli.compose("train", [("data", path.stem), ("task", task)])
