"""The bundle itself, copied: out of the MLflow store into a folder that can be sent."""

import shutil
from pathlib import Path

from khabar.models import export


def write(source: Path, aside: Path, *, precision: str = "fp32", task: str | None = None) -> None:
    """Copy it; its fingerprint stays what it was."""
    export.check("bundle", precision, task)
    export.source_card(source)
    shutil.copytree(source, aside)
