"""MLflow: what is told of a run (`runs`), what it ran on (`surroundings`, `system`), its model (`models`)."""

from khabar.tracking.runs import Run, exists, run

__all__ = ["Run", "exists", "run"]
