"""What an annotation tool asked becomes tasks: khabar's own where one fits, else a new one of the labels given.

Tools export answers, not questions. A control is what can be seen of a question in its answers; an importer gathers
its controls and learns here which tasks the file answers (`tasks`), and which control answers a task (`assign`).
"""

import functools
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from khabar.config import DataConfig, resource
from khabar.data.problems import Problems, respelled
from khabar.errors import DataError
from khabar.registry import suggest
from khabar.schema import Task

# not a transcription that can be read back, but a name that can be typed and told from another
LATIN = str.maketrans(
    dict(zip("ابتحدرزسصضطظعفقكلمنهويىةآأإؤئپچڤگ", "abthdrzssdtzafqklmnhwyaaaaawypjvg", strict=True))
    | {"ث": "th", "ج": "j", "خ": "kh", "ذ": "dh", "ش": "sh", "غ": "gh"}
    | dict(zip("٠١٢٣٤٥٦٧٨٩", "0123456789", strict=True))
    | dict.fromkeys("ءـًٌٍَُِّْٰ")
)
NONE = "none"  # beside a lone label: a task is a choice, so what lacks the label needs a name


@dataclass(frozen=True)
class Control:
    """What annotators were asked in one tool: a name, the labels given, whether several at once, whether on spans.

    `empty`: somebody submitted it without a label, which is an answer. `asks`: the parts of a question ("holder",
    "target") that the file gives beside the text. Labels are in the file's spelling.
    """

    name: str
    labels: tuple[str, ...]
    several: bool
    spans: bool
    empty: bool = False
    asks: tuple[Literal["holder", "target"], ...] = ()


def tasks(controls: Iterable[Control], config: DataConfig) -> dict[str, Task]:
    """The tasks that a file's controls answer, by name, in the order of the controls.

    khabar's own where one fits: the same name, or the only one whose labels hold all that were given (two at least,
    after `label_map`), whose level and kind allow what was done, and whose question the file can put. Else a new one:
    its name the control's in `[a-z0-9_]`, Arabic letters by `LATIN`, its labels sorted, `multi` where several labels or
    none were given at once, `sentence` for spans. A lone label that was also withheld becomes a choice between it and
    "none". A lone label that everybody gave asks nothing and is passed over.

    Raises:
        DataError: no control is left to train on; the message lists them.
    """
    controls = tuple(controls)
    found = _found(controls, config)
    if not found:
        raise DataError(
            f"No task can be made of what the annotators answered: {_listed(controls)}. A task needs two labels, or "
            "one label and texts that were left without it"
        )
    return {task.name: task for task in found.values()}


def assign(controls: Iterable[Control], config: DataConfig) -> dict[str, str]:
    """Control name -> the task it answers, for every asked task (`config.default_tasks`).

    `config.columns[task]` names the control; else it is the one of the same name, else the one whose labels fit, else
    the one of which `config.label_map[task]` spells a label. The task is the one that an asked task reads where the
    labels are that one's (event_quad for event_quad5). A control that is not among the keys answers nothing that was
    asked.

    Raises:
        DataError: an asked task has no control, or several that fit alike; the message lists them with their labels.
    """
    controls = tuple(controls)
    found = _found(controls, config)
    exist = known(controls, config)
    made = {task.name: name for name, task in found.items() if task.name not in own()}
    names = {control.name for control in controls}
    taken = {task: name for task in config.default_tasks if (name := _named(task, names, config) or made.get(task))}
    # a control that suits another asked task better is left to it
    suited = {name: task.name for name, task in found.items() if task.name in config.default_tasks}
    for task in config.default_tasks:
        if task in taken:
            continue
        free = [one for one in controls if one.name not in taken.values() and suited.get(one.name, task) == task]
        better = any(suited.get(control.name) == task for control in free if control.name != task)
        if task in {control.name for control in free} and not better:
            taken[task] = task
        else:
            taken[task] = _fitting(task, exist.get(task), free, controls, config)
    by_name = {control.name: control for control in controls}
    answers: dict[str, str] = {}
    for task, name in taken.items():
        if name in answers:
            raise DataError(f"{answers[name]} and {task} would both be answered by {name!r}. {_say(task)}")
        answers[name] = _answered(task, exist.get(task), by_name[name], config)
    return answers


def known(controls: Iterable[Control], config: DataConfig) -> dict[str, Task]:
    """Every task by name that a file's answers may be put to: khabar's own and the new ones."""
    return {**own(), **{task.name: task for task in _found(tuple(controls), config).values()}}


def narrow(controls: Iterable[Control], config: DataConfig, marks: Collection[str]) -> tuple[Control, ...]:
    """Of the controls named in `marks`, only the labels that an asked task of khabar's has, if there are any.

    Events and those who take part in them are often marked by one control, and `event_type` asks for the former. A
    control that stays whole is one of an asked task's own name, or one that was itself made a task that is asked.
    """
    controls = tuple(controls)
    found = _found(controls, config)
    asked = [own()[name] for name in config.default_tasks if name in own() and own()[name].level == "sentence"]
    narrowed = []
    for control in controls:
        labels = tuple(
            label for label in control.labels if any(spelled(label, task.name, config) in task.labels for task in asked)
        )
        whole = control.name in found and found[control.name].name in config.default_tasks
        narrowed.append(replace(control, labels=labels) if labels and control.name in marks and not whole else control)
    return tuple(narrowed)


def marking(controls: Iterable[Control], config: DataConfig) -> dict[str, Task]:
    """Control -> the task of khabar's whose layers it marks: what it says are spans, not labels.

    That task is the one that `config.columns` gives the control, else an asked one that has its labels, else the one
    that `tasks` finds.
    """
    controls = tuple(controls)
    found = _found(controls, config)
    ours = {name: task for name, task in own().items() if task.marks}
    asked = [ours[name] for name in config.default_tasks if name in ours]
    made: dict[str, Task] = {}
    for control in (control for control in controls if control.spans and control.labels):
        named = [task for name, task in ours.items() if config.columns.get(name) == control.name]
        fit = [task for task in asked if _mapped(control, task.name, config) <= set(task.labels)]
        task = next(iter([*named, *fit]), found.get(control.name))
        if task is not None and task.marks:
            made[control.name] = task
    return made


def taken(
    labels: Sequence[str], control: str, name: str, task: Task | None, config: DataConfig, problems: Problems
) -> tuple[str, ...]:
    """The labels of an answer to a control as the task of that name takes them, in the file's spelling.

    All of them, but for one case. Where `label_map` spells labels of a task that has an `empty_as`, such as
    PROTEST=yes, it says what is looked for among all that was chosen from: other labels alone are "none of them".
    """
    told(control, name, problems)
    if task is None or task.empty_as is None or not config.label_map.get(name):
        return tuple(labels)
    found = []
    for label in labels:
        if spelled(label, name, config) in task.labels:
            found.append(label)
        else:
            problems.note(f"answers of {label}, which {name} lacks: alone it means {task.empty_as}")
    return tuple(found)


def told(control: str, task: str, problems: Problems) -> None:
    """Note which task a control of another name is."""
    if control != task:
        problems.note(f"answers to the control {control!r}, which is the task {task}")


def lacked(task: Task, label: str) -> str:
    """The note on a mark whose label the task that its control answers does not have."""
    return f"marks with a label that {task.name} lacks: {label} ({respelled(task.name, label, task.labels)})"


@functools.cache
def own() -> Mapping[str, Task]:
    """The tasks that come with khabar, by name: the files of `configs/task/`."""
    import yaml

    files = sorted(resource("configs/task").glob("*.yaml"))
    made = [Task.of(yaml.safe_load(file.read_text(encoding="utf-8"))) for file in files]
    return {task.name: task for task in made}


def _found(controls: Sequence[Control], config: DataConfig) -> dict[str, Task]:
    """Control name -> task; controls of the same name as one of khabar's tasks choose first."""
    chosen: dict[str, Task] = {}
    for control in controls:
        task = own().get(control.name)
        if task is not None and set(task.asks) <= set(control.asks) and (control.spans or not task.marks):
            chosen[control.name] = task
    for control in controls:
        fitting = _by_labels(control, config, {task.name for task in chosen.values()})
        if control.name not in chosen and fitting is not None:
            chosen[control.name] = fitting
    for control in sorted(controls, key=lambda control: _slug(control.name, set()) != control.name):
        if control.name not in chosen:
            name = _slug(control.name, {*own(), *(task.name for task in chosen.values())})
            labels = sorted(_mapped(control, name, config))
            if len(labels) == 1 and control.empty and labels != [NONE]:
                chosen[control.name] = _new(control, name, (*labels, NONE), empty_as=NONE)
            elif len(labels) > 1:
                chosen[control.name] = _new(control, name, tuple(labels))
    return {control.name: chosen[control.name] for control in controls if control.name in chosen}


def _by_labels(control: Control, config: DataConfig, taken: set[str]) -> Task | None:
    fits = []
    for task in own().values():
        labels = _mapped(control, task.name, config)
        multi = task.kind != "single" or not (control.several or (control.empty and task.empty_as is None))
        level = control.spans if task.marks else task.level == "sentence" or not control.spans
        if labels <= set(task.labels) and len(labels) > 1 and multi and level and task.asks == control.asks:
            fits.append(task)
    exact = [task for task in fits if _mapped(control, task.name, config) == set(task.labels)]
    best = exact or fits
    return best[0] if len(best) == 1 and best[0].name not in taken else None


def _new(control: Control, name: str, labels: tuple[str, ...], empty_as: str | None = None) -> Task:
    return Task(
        name=name,
        labels=labels,
        kind="multi" if empty_as is None and (control.several or control.empty) else "single",
        level="sentence" if control.spans else "article",
        asks=control.asks,
        pool="attention" if control.asks else "mean",
        empty_as=empty_as,
    )


def _named(task: str, names: Collection[str], config: DataConfig) -> str | None:
    """The control that `config.columns` gives to a task."""
    asked = config.columns.get(task)
    if asked is not None and asked not in names:
        raise DataError(f"data.columns.{task}={asked}: the file has no such control. {suggest(asked, names)}")
    return asked


def _fitting(
    task: str, known: Task | None, free: Sequence[Control], controls: Sequence[Control], config: DataConfig
) -> str:
    """The one control, of those that are free, that has the task's labels."""
    fits = []
    for control in free:
        labels = _mapped(control, task, config)
        if known is not None and labels and labels <= set(known.labels):
            fits.append(control)
    fits = [control for control in fits if len(control.labels) > 1] or fits  # a lone label would fit many a task
    if not fits and known is not None:
        spelling = config.label_map.get(task, {})
        fits = [one for one in free if any(spelling.get(label) in known.labels for label in one.labels)]
    if not fits and known is not None:  # its labels are wrong, which is told of each row
        fits = [control for control in free if control.name == known.reads]
    if len(fits) == 1:
        return fits[0].name
    if not fits:
        labels_ = f" ({', '.join(known.labels)})" if known is not None else ""
        raise DataError(f"Nothing in the file answers {task}{labels_}. It asks: {_listed(controls)}. {_say(task)}")
    raise DataError(f"{task} could be answered by several controls: {_listed(fits)}. {_say(task)}")


def _answered(task: str, known: Task | None, control: Control, config: DataConfig) -> str:
    """The task itself, or the one it reads where the control's labels are that one's."""
    read = own().get(known.reads) if known is not None and known.reads else None
    if read is None or control.name == task:
        return task
    return read.name if control.name == read.name or _mapped(control, task, config) <= set(read.labels) else task


def _mapped(control: Control, task: str, config: DataConfig) -> set[str]:
    """The control's labels in the spelling of a task."""
    return {spelled(label, task, config) for label in control.labels}


def spelled(label: str, task: str, config: DataConfig) -> str:
    """A label of the file as `config.label_map` spells it for a task."""
    reads = own()[task].reads if task in own() else None
    return (config.label_map.get(task) or config.label_map.get(reads or "", {})).get(label, label)


def _slug(name: str, taken: set[str]) -> str:
    """A task's name made of a control's, "task" where no letter is left; numbered if it is taken."""
    slug = re.sub(r"[^a-z0-9]+", "_", name.lower().translate(LATIN)).lstrip("_0123456789").rstrip("_") or "task"
    number = next(number for number in range(1, len(taken) + 2) if _numbered(slug, number) not in taken)
    return _numbered(slug, number)


def _numbered(slug: str, number: int) -> str:
    return slug if number == 1 else f"{slug}_{number}"


def _say(task: str) -> str:
    return f"Say which one does: data.columns.{task}=CONTROL, and spell its labels with data.label_map"


def _listed(controls: Sequence[Control]) -> str:
    """Each control with its labels, as an error shows them."""
    if not controls:
        return "nothing"
    return "; ".join(f"{control.name!r} ({', '.join(control.labels[:20]) or 'no label'})" for control in controls)
