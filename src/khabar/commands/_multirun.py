"""Several trainings under one parent run; repeats of one configuration are summed up.

    parent                        6 runs: seeds
      encoder=mini                mean and spread over its seeds
        seed=0, seed=1, seed=2
      encoder=arabert
        ...

Repeats differ in nothing but what `REPEATS` names. Where all runs are repeats of one configuration, the parent itself
sums them up; where none is repeated, they stand right beneath it.
"""

import contextlib
import math
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from khabar.errors import GateError, KhabarError

if TYPE_CHECKING:
    from khabar.commands._trained import Trained
    from khabar.commands.train import Config
    from khabar.tracking import Run

REPEATS = ("seed", "data.split.fold", "data.split.inner_fold")
MEANS = ("dev_metric", "test_metric")
Train = Callable[..., "Trained"]


@dataclass
class _Group:
    """Configurations that differ in seed or fold alone; `said` is what tells the group from the others."""

    said: str
    members: list[tuple[str, "Config"]] = field(default_factory=list)
    done: list["Trained"] = field(default_factory=list)


def run(configs: Sequence[tuple[list[str], "Config"]], train: Train) -> None:
    """Train all of them; a failure is told at once and the others go on.

    Raises:
        GateError: some failed.
    """
    from khabar import tracking

    first = configs[0][1]
    experiment = first.track.experiment
    groups = _groups(configs)
    alone, repeated = len(groups) == 1, any(len(group.members) > 1 for group in groups)
    name = first.track.run_name or f"{len(configs)} runs: {first.data.name}"
    lines: list[str] = []
    number = 0
    with tracking.run(experiment, name, tags={"khabar.command": "train -m"}) as parent:
        for group in groups:
            nested = not alone and repeated
            tags = {"khabar.command": "train -m", "overrides": group.said}
            own = tracking.run(experiment, group.said, tags=tags, parent=parent.id)
            with own if nested else contextlib.nullcontext(parent) as above:
                for said, config in group.members:
                    number += 1
                    print(f"\n[{number}/{len(configs)}] {said}", flush=True)
                    trained = _one(train, config, above.id, said)
                    group.done += [trained] if trained else []
                    lines.append(f"{said:<50} {_line(trained)}")
                if nested or alone:
                    lines += _sum_up(above, group)
        best = _best(groups)
        parent.log(0, {f"{key}.best": value for key, value in best.items()})
        table = "\n".join(lines)
        parent.text(table + "\n", "runs.txt")
        print(f"\nAll runs\n{table}")
        if failed := len(configs) - sum(len(group.done) for group in groups):
            raise GateError(f"{failed} of {len(configs)} runs failed; see above.")


def _groups(configs: Sequence[tuple[list[str], "Config"]]) -> list[_Group]:
    found: dict[str, _Group] = {}
    for overrides, config in configs:
        said = " ".join(each for each in overrides if each.partition("=")[0] not in REPEATS)
        group = found.setdefault(said, _Group(said))
        group.members.append((" ".join(overrides), config))
    return list(found.values())


def _one(train: Train, config: "Config", parent: str, said: str) -> "Trained | None":
    try:
        return train(config, parent=parent, said=said)
    except KhabarError as error:
        print(f"failed: {error}", file=sys.stderr, flush=True)
    except Exception:  # out of memory, say: the other runs may well fit
        print(f"failed: {traceback.format_exc()}", file=sys.stderr, flush=True)
    return None


def _sum_up(run: "Run", group: _Group) -> list[str]:
    """Log mean and spread of every metric that all members have; the result is a line for each of the chief ones."""
    if not group.done:
        return []
    shared = set.intersection(*({*_all(trained)} for trained in group.done))
    found: dict[str, float] = {}
    for name in sorted(shared):
        if name.endswith((".low", ".high")) and name.rpartition(".")[0] in shared:
            continue  # the mean of interval ends is the end of no interval
        values = [_all(trained)[name] for trained in group.done]
        found[f"{name}.mean"], found[f"{name}.spread"] = spread(values)
    run.log(0, {**found, "runs": float(len(group.done))})
    config: Any = group.members[0][1]
    run.tags({key: value for key, value in config.tags.items() if key not in ("seed", "fold")})
    lines = [
        f"  {name.removesuffix('_metric')}: mean {found[f'{name}.mean']:.3f}, spread {found[f'{name}.spread']:.3f} "
        f"over {len(group.done)} run{'' if len(group.done) == 1 else 's'}"
        for name in MEANS
        if f"{name}.mean" in found
    ]
    run.note("\n".join(line.strip().capitalize() + "  " for line in lines))
    return lines


def spread(values: Sequence[float]) -> tuple[float, float]:
    """The mean, and the standard deviation between runs (n - 1); 0 of one run."""
    mean = sum(values) / len(values)
    return mean, math.sqrt(sum((value - mean) ** 2 for value in values) / max(1, len(values) - 1))


def _all(trained: "Trained") -> Mapping[str, float]:
    means = {name: getattr(trained, name) for name in MEANS}
    return {**trained.metrics, **{name: value for name, value in means.items() if value is not None}}


def _best(groups: Sequence[_Group]) -> dict[str, float]:
    done = [_all(trained) for group in groups for trained in group.done]
    return {name: max(each[name] for each in done if name in each) for name in MEANS if any(name in e for e in done)}


def _line(trained: "Trained | None") -> str:
    if trained is None:
        return "failed"
    parts = [("dev", trained.dev_metric), ("test", trained.test_metric)]
    return "  ".join([*(f"{name} {value:.3f}" for name, value in parts if value is not None), f"run {trained.run_id}"])
