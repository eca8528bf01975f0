"""What a run ran on: the code with what was not committed of it, the packages, the machine."""

import contextlib
import getpass
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, distributions, version

from khabar.config import project_root

PACKAGES = ("khabar", "torch", "transformers", "tokenizers", "datasets", "accelerate", "mlflow", "numpy", "onnxruntime")
LONGEST = 1 << 20  # characters of a diff that are kept


def tags() -> dict[str, str]:
    """The commit, the versions, who: `git` is short and says whether there is more than was committed."""
    found = {}
    if commit := _git("rev-parse", "HEAD").strip():
        dirty = "-dirty" if _git("status", "--porcelain") else ""
        found = {"git": commit[:8] + dirty, "mlflow.source.git.commit": commit}
    found |= {f"version.{package}": installed for package, installed in packages().items()}
    found |= {"version.python": platform.python_version(), "mlflow.source.type": "LOCAL"}
    with contextlib.suppress(OSError, KeyError):  # a container may have no user
        found["mlflow.user"] = getpass.getuser()
    return found


def files(*, diff: bool = True) -> dict[str, str]:
    """Name -> text: every installed package with its version and, with `diff`, what differs from the commit."""
    installed = {str(one.metadata["Name"]).lower(): one.version for one in distributions() if one.metadata["Name"]}
    found = {"packages.txt": "".join(f"{name}=={installed[name]}\n" for name in sorted(installed))}
    if not diff:
        return found
    changes = _git("diff", "--no-color", "--no-ext-diff", "--binary", "HEAD")
    untracked = _git("ls-files", "--others", "--exclude-standard")
    if changes:
        cut = f"\n(cut: the whole has {len(changes):,} characters)\n" if len(changes) > LONGEST else ""
        found["git.diff"] = changes[:LONGEST] + cut
    if untracked:
        found["untracked.txt"] = untracked  # their names; what they hold is nobody's business
    return found


def machine() -> dict[str, str]:
    """The hardware, the accelerator as torch sees it."""
    import psutil
    import torch

    from khabar.inference.certificate import cores, cpu

    found = {
        "hardware.cpu": cpu(),
        "hardware.cores": str(cores()),
        "hardware.memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "hardware.system": platform.platform(terse=True),
    }
    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
        found["hardware.gpu"] = ", ".join(names)
    return found


def packages() -> dict[str, str]:
    """Installed versions of what decides a result."""
    found = {}
    for package in PACKAGES:
        with contextlib.suppress(PackageNotFoundError):
            found[package] = version(package).split("+")[0]
    return found


def _git(*words: str) -> str:
    """What git says of khabar's checkout or, where khabar was installed, of the current folder; nothing without one."""
    try:
        done = subprocess.run(
            ["git", *words],
            cwd=project_root(),
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
            errors="replace",
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout
