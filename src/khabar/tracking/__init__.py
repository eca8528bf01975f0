"""MLflow: runs (`runs`), what they ran on (`surroundings`, `system`), models (`models`), a registry (`registered`)."""

from khabar.tracking.runs import Run, exists, run

__all__ = ["Run", "exists", "run"]
