"""The scratch folders of runs that are not finished: found again by the same command, or made."""

import hashlib
import json
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from khabar import store
from khabar.config import Record
from khabar.errors import ConfigError

if TYPE_CHECKING:
    from khabar.tracking import Run


@dataclass
class Work:
    """The scratch folder of one run, locked while a process trains in it."""

    folder: Path
    lock: FileLock
    run_id: str | None = None

    def claim(self, run_id: str) -> None:
        """Write down whose folder it is."""
        (self.folder / "run.json").write_text(json.dumps({"run_id": run_id}), "utf-8")

    def close(self, *, done: bool) -> None:
        """Let go of the folder; it is removed once the run is done."""
        self.lock.release()
        if done:
            shutil.rmtree(self.folder, ignore_errors=True)


def key(config: Record, data_fingerprint: str, *apart: str) -> str:
    """What two starts must share for the second to go on where the first stopped; fields `apart` decide nothing."""
    exclude: dict[str, Any] = {**dict.fromkeys(apart, True), "machine": {"progress": True}}
    decides = config.model_dump(mode="json", exclude=exclude)
    text = json.dumps([decides, data_fingerprint], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


@contextmanager
def run(
    resume: str, key: str, experiment: str, name: str, tags: Mapping[str, str], parent: str | None = None
) -> "Iterator[tuple[Run, Path]]":
    """A run, new or gone on with, and its scratch folder, which is removed once the run is done."""
    from khabar import tracking

    work = open_(resume, key)
    done = False
    try:
        with tracking.run(experiment, name, tags=tags, parent=parent, resume=work.run_id) as tracked:
            work.claim(tracked.id)
            yield tracked, work.folder
        done = True
    finally:
        work.close(done=done)


def open_(resume: str, key: str) -> Work:
    """The folder of the unfinished run to go on with, or of a new one."""
    from khabar import tracking

    root = store.address().work
    root.mkdir(parents=True, exist_ok=True)
    unfinished: list[tuple[float, Path, str]] = []
    for file in root.glob("*/run.json"):
        unfinished.append((file.stat().st_mtime, file.parent, json.loads(file.read_text("utf-8"))["run_id"]))
    for _, folder, run_id in sorted(unfinished, reverse=True):
        wanted = folder.name.startswith(key) if resume == "auto" else run_id == resume
        if not wanted:
            continue
        if not folder.name.startswith(key):
            raise ConfigError(
                f"Run {run_id} was started with another configuration, data set or seed. Repeat its overrides "
                "(its config.yaml is in the MLflow UI), or start anew with resume=never."
            )
        lock = FileLock(folder / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            continue  # another process trains there
        if tracking.exists(run_id):
            print(f"Going on with the unfinished run {run_id}.")
            return Work(folder, lock, run_id)
        lock.release()
        shutil.rmtree(folder, ignore_errors=True)
    if resume not in ("auto", "never"):
        known = ", ".join(run_id for _, _, run_id in unfinished) or "none"
        raise ConfigError(f"There is no unfinished run {resume}. Unfinished here: {known}.")
    folder = root / f"{key}-{time.time_ns():x}"
    folder.mkdir()
    lock = FileLock(folder / ".lock")
    lock.acquire()
    return Work(folder, lock)
