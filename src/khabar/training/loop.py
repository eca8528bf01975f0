"""The training loop, the only one: whatever is trained here comes as a model and a `Work`.

A step is `accumulate` micro-batches on every process; its loss is the sum over all their answers over their count, so
that it doesn't matter how they are spread. All that moves (weights, moments, generators, place in the data) is in the
checkpoint; a run that is stopped and started again takes the same steps as an unbroken one, bit for bit on CPU.
"""

import copy
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import set_seed
from torch import nn

from khabar.config import LoopConfig, MachineConfig
from khabar.errors import GateError
from khabar.training import checkpoint
from khabar.training.optim import factor, optimizer, set_rate
from khabar.training.progress import Progress
from khabar.training.sampling import Work

Log = Callable[[int, dict[str, float]], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the training ended; the model holds the kept weights."""

    steps: int
    best_step: int
    best: float | None
    tokens: int
    seconds: float
    peak_memory: int  # bytes
    stopped_early: bool


@dataclass
class _State:
    """The place in the run; JSON."""

    step: int = 0
    epoch: int = 0
    position: int = 0  # steps taken of the epoch
    tokens: int = 0
    seconds: float = 0.0
    best: float | None = None
    best_step: int = 0
    worse: int = 0  # evaluations since the best


def accelerator(machine: MachineConfig) -> Accelerator:
    """The device and precision that the machine allows."""
    AcceleratorState._reset_state(reset_partial_state=True)  # it is a singleton, and a multirun may change precision
    if machine.threads:
        torch.set_num_threads(machine.threads)
    made = Accelerator(cpu=machine.device == "cpu", mixed_precision="no")
    precision = machine.precision
    if precision == "auto":
        precision = "bf16" if made.device.type == "cuda" and torch.cuda.is_bf16_supported() else "fp32"
    if precision == "bf16":
        AcceleratorState._reset_state(reset_partial_state=True)
        made = Accelerator(cpu=machine.device == "cpu", mixed_precision="bf16")
    return made


class Loop:
    """One training run.

    Args:
        model: what is trained; `work.loss` calls it.
        work: data and objective.
        config: the loop's configuration.
        lr: the top learning rate of the encoder.
        machine: device, precision, progress.
        seed: of the order of the data, of dropout, of new weights.
        folder: where checkpoints lie.
        evaluate: the dev metric of the model as it stands, higher is better; None: none is taken.
        log: told the step and its metrics.
    """

    def __init__(
        self,
        model: nn.Module,
        work: Work,
        config: LoopConfig,
        *,
        lr: float,
        machine: MachineConfig,
        seed: int,
        folder: Path,
        evaluate: Callable[[nn.Module], dict[str, float]] | None,
        log: Log,
    ) -> None:
        self.accelerator = accelerator(machine)
        self.config, self.work, self.folder, self.log = config, work, folder, log
        self.machine, self.evaluate, self.seed = machine, evaluate, seed
        self.per_epoch = self._steps_of(work.plan(0))
        self.steps = config.max_steps or math.ceil(config.epochs * self.per_epoch)
        self.state = _State()
        set_seed(seed)
        self.raw = model
        self.model, self.optimizer = self.accelerator.prepare(model, optimizer(model, config, lr))
        self.resumed = self._restore()

    def run(self) -> Outcome:
        """Train to the end, or go on from the newest whole checkpoint in the folder."""
        if self.config.overfit_batch and not self.resumed:
            self._learn_one_batch()
        every = max(1, round(self.config.eval_every * self.per_epoch))
        saved = began = time.monotonic()
        before = self.state.seconds
        stopped = False
        with Progress(self.steps, self.state.step, self.machine.progress) as progress, _between_steps() as told:
            for batches in self._batches():
                metrics = self._step(batches)
                self.state.seconds = before + time.monotonic() - began
                self.log(self.state.step, metrics)
                progress.step(self.state.step, metrics)
                last = self.state.step >= self.steps
                evaluated = (self.state.step % every == 0 or last) and self.evaluate is not None
                if evaluated:
                    stopped = self._evaluate(progress)
                if evaluated or last or time.monotonic() - saved >= self.config.checkpoint_every:
                    self.save()
                    saved = time.monotonic()
                if told.stop and not last:
                    self.save()
                    raise KeyboardInterrupt
                if last or stopped:
                    break
        self._keep()
        return Outcome(
            steps=self.state.step,
            best_step=self.state.best_step if self.state.best is not None else self.state.step,
            best=self.state.best,
            tokens=self.state.tokens,
            seconds=self.state.seconds,
            peak_memory=_peak_memory(self.accelerator.device),
            stopped_early=stopped,
        )

    def save(self) -> None:
        """Write a checkpoint of this moment."""
        if self.accelerator.is_main_process:
            tensors = {
                "model": checkpoint.weights(self.raw),
                "optimizer": checkpoint.optimizer_tensors(self.optimizer),
                "rng": checkpoint.rng_tensors(),
            }
            checkpoint.write(self.folder / f"step-{self.state.step:08d}", tensors, vars(self.state))
            checkpoint.prune(self.folder)
        self.accelerator.wait_for_everyone()

    def _restore(self) -> bool:
        found = checkpoint.newest(self.folder)
        if found is None:
            return False
        tensors, state = checkpoint.read(found)
        self.raw.load_state_dict(tensors["model"])
        checkpoint.restore_optimizer(self.optimizer, tensors["optimizer"])
        checkpoint.restore_rng(tensors["rng"])
        self.state = _State(**state)
        return True

    def _steps_of(self, plan: list[list[int]]) -> int:
        return max(1, math.ceil(len(plan) / (self.config.accumulate * self.accelerator.num_processes)))

    def _batches(self) -> Iterator[list[list[int]]]:
        """The micro-batches of each step still to take, over all processes."""
        size = self.config.accumulate * self.accelerator.num_processes
        while self.state.step < self.steps:
            plan = self.work.plan(self.state.epoch)
            for at in range(self.state.position * size, len(plan), size):
                self.state.position += 1
                yield plan[at : at + size]
            self.state.epoch += 1
            self.state.position = 0

    def _step(self, batches: list[list[int]]) -> dict[str, float]:
        share = factor(self.state.step, self.steps, self.config)
        set_rate(self.optimizer, share)
        self.model.train()
        began = time.monotonic()
        count = max(1, sum(self.work.count(batch) for batch in batches))
        rank, world = self.accelerator.process_index, self.accelerator.num_processes
        total = torch.zeros((), device=self.accelerator.device)
        for batch in batches[rank::world]:
            with self.accelerator.autocast():
                loss = self.work.loss(self.model, batch, self.accelerator.device) / count
            # processes average their gradients; the loss is already a share of the whole
            self.accelerator.backward(loss * world)
            total += loss.detach()
        norm = self.accelerator.clip_grad_norm_(self.model.parameters(), self.config.clip)
        if not torch.isfinite(norm):
            raise GateError(
                f"The gradient at step {self.state.step + 1} is {norm}. Lower loop.lr or use machine.precision=fp32."
            )
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        tokens = sum(self.work.tokens(batch) for batch in batches)
        self.state.step += 1
        self.state.tokens += tokens
        return {
            "loss": float(self.accelerator.reduce(total, "sum")),
            "lr": float(self.optimizer.param_groups[0]["lr"]),
            "grad_norm": float(norm),
            "tokens": float(self.state.tokens),
            "tokens_per_second": tokens / max(1e-9, time.monotonic() - began),
        }

    def _evaluate(self, progress: Progress) -> bool:
        """Take the dev metric, keep the weights if they are the best, and say whether to stop."""
        assert self.evaluate is not None
        self.model.eval()
        metrics = self.evaluate(self.raw)
        self.log(self.state.step, metrics)
        value = metrics["dev_metric"]
        if self.state.best is None or value > self.state.best:
            self.state.best, self.state.best_step, self.state.worse = value, self.state.step, 0
            if self.config.keep == "best" and self.accelerator.is_main_process:
                checkpoint.write(self.folder / "best", {"model": checkpoint.weights(self.raw)}, vars(self.state))
        else:
            self.state.worse += 1
        progress.evaluated(self.state.step, metrics, self.state.best_step)
        return self.config.patience is not None and self.state.worse >= self.config.patience

    def _keep(self) -> None:
        """Leave the model with the weights that the configuration asks for."""
        best = self.folder / "best"
        if self.config.keep == "best" and self.state.best is not None and checkpoint.whole(best):
            self.raw.load_state_dict(checkpoint.read(best)[0]["model"])
        self.raw.eval()

    def _learn_one_batch(self, steps: int = 60) -> None:
        """Learn one batch by heart on a copy: if that fails, data, labels or objective do not fit together."""
        model = copy.deepcopy(self.raw).eval()  # no dropout
        optim = torch.optim.AdamW(model.parameters(), lr=5e-4)
        batch = self.work.plan(0)[0]
        losses = []
        for _ in range(steps):
            loss = self.work.loss(model, batch, self.accelerator.device) / max(1, self.work.count(batch))
            losses.append(float(loss))
            loss.backward()  # type: ignore[no-untyped-call]
            optim.step()
            optim.zero_grad(set_to_none=True)
        if not losses[-1] < 0.5 * losses[0]:
            raise GateError(
                f"One batch could not be learnt by heart: its loss went from {losses[0]:.3f} to {losses[-1]:.3f}."
            )
        self.log(0, {"overfit_first_loss": losses[0], "overfit_last_loss": losses[-1]})


@dataclass
class _Told:
    stop: bool = False


@contextmanager
def _between_steps() -> Iterator[_Told]:
    """SIGINT and SIGTERM are heard after the step, when all that moves fits together; a second SIGINT is at once."""
    told = _Told()
    if threading.current_thread() is not threading.main_thread():
        yield told
        return

    def heard(number: int, _frame: object) -> None:
        told.stop = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = {number: signal.signal(number, heard) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _peak_memory(device: torch.device) -> int:
    """Bytes: of the accelerator where there is one, else of the process."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
