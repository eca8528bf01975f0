"""What a run ran on: the code, the packages, the machine."""

import contextlib
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version

from khabar.config import project_root

PACKAGES = ("khabar", "torch", "transformers", "tokenizers", "datasets", "accelerate", "mlflow", "numpy", "onnxruntime")


def described() -> dict[str, str]:
    """Tags of the code, where it runs from a checkout, and of the packages."""
    tags = {f"version.{package}": installed for package, installed in packages().items()}
    tags["version.python"] = ".".join(map(str, sys.version_info[:3]))
    commit = _git("rev-parse", "HEAD")
    if commit:
        tags["mlflow.source.git.commit"] = commit
        tags["git.dirty"] = str(bool(_git("status", "--porcelain"))).lower()
    return tags


def packages() -> dict[str, str]:
    """Installed versions of what decides a result."""
    found = {}
    for package in PACKAGES:
        with contextlib.suppress(PackageNotFoundError):
            found[package] = version(package).split("+")[0]
    return found


def _git(*words: str) -> str:
    root = project_root()
    if root is None:
        return ""
    try:
        done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
