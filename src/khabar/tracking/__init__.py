"""MLflow: `runs.py` what is told of a run, `surroundings.py` what it ran on, `models.py` its model and the registry."""

from khabar.tracking.runs import Run, exists, run

__all__ = ["Run", "exists", "run"]
