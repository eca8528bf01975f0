"""MLflow: runs (`runs`), what they ran on (`surroundings`, `system`), models (`models`), the registry (`registered`)."""

from khabar.tracking.runs import Run, exists, run

__all__ = ["Run", "exists", "run"]
