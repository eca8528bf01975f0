"""How busy the machine is during a run, as MLflow measures it: its "System metrics" tab.

MLflow's own thread sends what it measures by itself: it waits minutes for a store that went away, and ends there. Here
its monitors are read, and what they say goes the way of all metrics of a run.
"""

import threading
import time
from collections import deque
from collections.abc import Iterator
from typing import Any

Sample = tuple[int, int, dict[str, float]]  # milliseconds, step, metrics


class Monitor:
    """A thread that takes a sample every `MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL` seconds (10 without)."""

    def __init__(self, run_id: str) -> None:
        from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

        self._source: Any = SystemMetricsMonitor(run_id, resume_logging=True)  # type: ignore[no-untyped-call]
        self._step = self._source._logging_step
        self._waiting: deque[Sample] = deque()  # its ends are safe to share between threads
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True, name="system metrics")
        self._thread.start()

    def take(self) -> Iterator[Sample]:
        """The samples since the last call."""
        while self._waiting:
            yield self._waiting.popleft()

    def end(self) -> None:
        """Stop; a last sample is taken, so that a short run has one too."""
        self._ended.set()
        self._thread.join(timeout=5)

    def _watch(self) -> None:
        ended = False
        while not ended:
            self._source.collect_metrics()
            ended = self._ended.wait(self._source.sampling_interval)
            found = {f"system/{name}": float(value) for name, value in self._source.aggregate_metrics().items()}
            for monitor in self._source.monitors:
                monitor.clear_metrics()
            self._waiting.append((int(time.time() * 1000), self._step, found))
            self._step += 1
