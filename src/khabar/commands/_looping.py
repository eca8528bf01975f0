"""The loop as the commands run it: told to MLflow while it runs, and in a line at its end."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

    from khabar.commands import pretrain, train
    from khabar.tracking import Run
    from khabar.training.loop import Outcome
    from khabar.training.sampling import Work


def run(
    config: "train.Config | pretrain.Config",
    model: "nn.Module",
    work: "Work",
    tracked: "Run",
    folder: Path,
    evaluate: "Callable[[nn.Module], dict[str, float]] | None",
) -> "Outcome":
    """Train to the end, from the newest checkpoint of the folder; arguments as of `Loop`."""
    from khabar.training.loop import Loop

    def log(step: int, metrics: Mapping[str, float]) -> None:
        tracked.log(step, metrics, flush=step % config.track.log_every == 0 or "dev_metric" in metrics)

    loop = Loop(
        model,
        work,
        config.loop,
        lr=config.loop.lr or config.encoder.lr,
        machine=config.machine,
        seed=config.seed,
        folder=folder,
        evaluate=evaluate,
        log=log,
    )
    if loop.resumed:
        print(f"Going on after step {loop.state.step} of {loop.steps}.")
    outcome = loop.run()
    ended = {f"train/{key}": float(value) for key, value in asdict(outcome).items() if value is not None}
    tracked.log(outcome.steps, ended)
    print(_told(outcome))
    return outcome


def _told(outcome: "Outcome") -> str:
    best = f", best dev metric {outcome.best:.3f} at step {outcome.best_step}" if outcome.best is not None else ""
    early = ", stopped early" if outcome.stopped_early else ""
    return (
        f"Trained {outcome.steps} steps, {outcome.tokens:,} tokens in {outcome.seconds:.0f} s "
        f"({outcome.tokens / max(outcome.seconds, 1e-9):,.0f} tokens/s), "
        f"peak memory {outcome.peak_memory / 2**30:.1f} GiB{best}{early}."
    )
