"""An earlier run, to be trained again: its configuration, and what is otherwise now."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from khabar.errors import DataError

if TYPE_CHECKING:
    from khabar.commands.train import Config
    from khabar.data.dataset import Dataset

APART = ("from_run", "resume", "track", "machine")  # what decides nothing about the weights, or is told by its tags
READ = ("name", "importer", "path", "columns", "options", "label_map")  # of a data set: what is read, and how
TAGS = ("git", "version.", "hardware.")


@dataclass(frozen=True)
class Earlier:
    """A run as it was tracked; `rows` are its rows by split."""

    id: str
    name: str
    config: dict[str, Any]
    tags: Mapping[str, str]
    metrics: Mapping[str, float]
    rows: Mapping[str, int]

    def compared(self, config: "Config", data: "Dataset") -> str:
        """What differs, a line each.

        Raises:
            DataError: the data has changed, and nobody asked for other data.
        """
        differs = [*self._settings(config), *self._data(data), *self._surroundings()]
        changed = self.tags.get("data.corpus", data.corpus.fingerprint) != data.corpus.fingerprint
        before, now = self.config.get("data", {}), config.data.model_dump(mode="json")
        if changed and all(before.get(name) == now[name] for name in READ):
            raise DataError(
                f"The data has changed since run {self.id}:\n"
                + "\n".join(f"  {line}" for line in self._data(data))
                + "\nBring back the files that it read or, to train on these, give them a name of their own: "
                f"from_run={self.id} data.name={config.data.name}-2"
            )
        if not differs:
            return f"As run {self.id} ({self.name}): nothing differs."
        return "\n".join([f"As run {self.id} ({self.name}), but for", *(f"  {line}" for line in differs)])

    def result(self, metrics: Mapping[str, float]) -> str:
        """The main metrics there and here."""
        from khabar.commands import _scoring

        shown = [name for name in _scoring.mains(metrics, self.config["task"]) if name in self.metrics]
        lines = [f"  {name}: {self.metrics[name]:.4f} there, {metrics[name]:.4f} here" for name in shown]
        return "\n".join([f"Beside run {self.id}:", *lines])

    def _settings(self, config: "Config") -> Iterator[str]:
        from khabar.tracking.runs import flatten

        plain = config.model_dump(mode="json")
        before, now = (
            flatten({key: value for key, value in each.items() if key not in APART}) for each in (self.config, plain)
        )
        for key in dict.fromkeys([*before, *now]):
            there, here = (each.get(key, "not set") for each in (before, now))
            if there != here:
                yield f"{key}: {there} -> {here}"

    def _data(self, data: "Dataset") -> Iterator[str]:
        there = self.tags.get("data.corpus", "unknown")
        if there != data.corpus.fingerprint:
            yield f"data: what was read, {there[:12]} -> {data.corpus.fingerprint[:12]}"
        for split, examples in data.splits.items():
            if self.rows.get(split, 0) != len(examples):
                yield f"data: {split} {self.rows.get(split, 0):,} -> {len(examples):,} rows"

    def _surroundings(self) -> Iterator[str]:
        from khabar.tracking import surroundings

        now = {**surroundings.tags(), **surroundings.machine()}
        for key in dict.fromkeys([*self.tags, *now]):
            if key.startswith(TAGS) and self.tags.get(key) != now.get(key):
                yield f"{key}: {self.tags.get(key, 'none')} -> {now.get(key, 'none')}"


def find(run_id: str) -> Earlier:
    """The run of an id.

    Raises:
        ConfigError: there is none, or it was no training.
    """
    from khabar.tracking import runs

    found = runs.read(run_id)
    return Earlier(
        found.info.run_id,
        found.info.run_name,
        runs.configuration(found),
        found.data.tags,
        found.data.metrics,
        runs.rows(found),
    )
