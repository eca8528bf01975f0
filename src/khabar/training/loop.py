"""The training loop, the only one: whatever is trained here comes as a model and a `Work`.

A step is `accumulate` micro-batches on every process; its loss is the sum over all their answers over their count, so
that it doesn't matter how they are spread. All that moves (weights, moments, place in the data) is in the checkpoint,
and what is drawn is a function of seed and step; a run that is stopped and started again takes the same steps as an
unbroken one, bit for bit on CPU.
"""

import copy
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from torch import nn

from khabar.config import LoopConfig, MachineConfig
from khabar.errors import ConfigError, GateError
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
    """The device that the machine allows, and the processes that a launcher started."""
    AcceleratorState._reset_state(reset_partial_state=True)  # it is a singleton, and a multirun may change the device
    if machine.threads:
        torch.set_num_threads(machine.threads)
    made = Accelerator(cpu=machine.device == "cpu", mixed_precision="no")
    if machine.device not in ("auto", made.device.type):
        raise ConfigError(f"machine.device={machine.device} was asked for; this machine has {made.device.type}.")
    return made


def bf16(machine: MachineConfig, device: torch.device) -> bool:
    """Whether to compute in bfloat16; `auto`: where CUDA supports it."""
    if machine.precision == "auto":
        return device.type == "cuda" and torch.cuda.is_bf16_supported()
    return machine.precision == "bf16"


class Loop:
    """One training run.

    Args:
        model: what is trained; `work.loss` calls it.
        work: data and objective.
        config: the loop's configuration.
        lr: the top learning rate of the encoder.
        machine: device, precision, progress.
        seed: of dropout and whatever else the model draws.
        folder: where checkpoints lie; the run goes on from the newest whole one.
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
        self.bf16 = bf16(machine, self.accelerator.device)
        self.config, self.work, self.lr, self.folder, self.log = config, work, lr, folder, log
        self.machine, self.evaluate, self.seed = machine, evaluate, seed
        self.per_step = config.accumulate * self.accelerator.num_processes  # micro-batches
        self.per_epoch = math.ceil(len(work.plan(0)) / self.per_step)
        self.steps = config.max_steps or max(1, round(config.epochs * self.per_epoch))
        self.state = _State()
        self.raw = model
        self.model, self.optimizer = self.accelerator.prepare(model, optimizer(model, config, lr))
        self.resumed = self._restore()

    def run(self) -> Outcome:
        """Train to the end.

        Raises:
            GateError: a batch can't be learnt by heart, a gradient is not finite, or the best weights were damaged.
            KeyboardInterrupt: SIGINT or SIGTERM came; the step was finished and a checkpoint written.
        """
        if self.config.overfit_batch and not self.resumed:
            self._learn_one_batch()
        every = max(1, round(self.config.eval_every * self.per_epoch))
        saved = began = time.monotonic()
        before = self.state.seconds
        state = self.state
        with (
            Progress(self.steps, state.step, state.tokens, self.machine.progress) as progress,
            _between_steps() as told,
        ):
            for batches in self._batches():
                metrics = self._step(batches)
                state.seconds = metrics["seconds"] = before + time.monotonic() - began
                self.log(state.step, metrics)
                progress.step(state.step, metrics)
                last = state.step >= self.steps
                evaluated = self.evaluate is not None and (state.step % every == 0 or last)
                if evaluated:
                    self._evaluate(progress)
                state.seconds = before + time.monotonic() - began  # with the evaluation
                due = time.monotonic() - saved >= self.config.checkpoint_every
                due, stop = self._anywhere(due, told.stop)
                if evaluated or last or due or stop:
                    self.save()
                    saved = time.monotonic()
                if stop:
                    raise KeyboardInterrupt
        self._keep()
        return Outcome(
            steps=state.step,
            best_step=state.best_step if state.best is not None else state.step,
            best=state.best,
            tokens=state.tokens,
            seconds=state.seconds,
            peak_memory=_peak_memory(self.accelerator.device),
            stopped_early=self._stopped_early,
        )

    def save(self) -> None:
        """Write a checkpoint of this moment."""
        if self.accelerator.is_main_process:
            tensors = {"model": self.raw.state_dict(), "optimizer": checkpoint.optimizer_tensors(self.optimizer)}
            checkpoint.write(self.folder / f"step-{self.state.step:08d}", tensors, asdict(self.state))
            checkpoint.prune(self.folder, self.state.step)
        self.accelerator.wait_for_everyone()

    def _restore(self) -> bool:
        found = checkpoint.newest(self.folder)
        if found is not None:
            tensors, state = checkpoint.read(found)
            self.raw.load_state_dict(tensors["model"])
            checkpoint.restore_optimizer(self.optimizer, tensors["optimizer"])
            self.state = _State(**state)
        self.accelerator.wait_for_everyone()
        if self.accelerator.is_main_process:
            checkpoint.prune(self.folder, self.state.step)
        return found is not None

    @property
    def _stopped_early(self) -> bool:
        return self.config.patience is not None and self.state.worse >= self.config.patience

    @property
    def _best(self) -> Path:
        return self.folder / f"best-{self.state.best_step:08d}"

    def _batches(self) -> Iterator[list[list[int]]]:
        """The micro-batches of each step still to take, over all processes."""
        while True:
            plan = self.work.plan(self.state.epoch)
            for at in range(self.state.position * self.per_step, len(plan), self.per_step):
                if self.state.step >= self.steps or self._stopped_early:
                    return
                self.state.position += 1
                yield plan[at : at + self.per_step]
            self.state.epoch += 1
            self.state.position = 0

    def _step(self, batches: list[list[int]]) -> dict[str, float]:
        share = factor(self.state.step, self.steps, self.config)
        set_rate(self.optimizer, share)
        self.model.train()
        began = time.monotonic()
        count = max(1, sum(self.work.count(batch) for batch in batches))
        rank, world = self.accelerator.process_index, self.accelerator.num_processes
        device = self.accelerator.device
        total = torch.zeros((), device=device)
        turns = math.ceil(len(batches) / world)
        for turn in range(turns):
            at = turn * world + rank
            # all processes sum their gradients together: one that has no batch left repeats one with no weight
            batch, weight = (batches[at], 1 / count) if at < len(batches) else (batches[0], 0.0)
            # dropout is a function of the step and the batch's number in it: no generator to save, alike on any spread
            torch.manual_seed(_mixed(self.seed, self.state.step, at))
            with nullcontext() if turn == turns - 1 else self.accelerator.no_sync(self.model):
                with torch.autocast(device.type, torch.bfloat16, enabled=self.bf16):
                    loss = self.work.loss(self.model, batch, device) * weight
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
            "lr": self.lr * share,
            "grad_norm": float(norm),
            "tokens": float(self.state.tokens),
            "tokens_per_second": tokens / max(1e-9, time.monotonic() - began),
        }

    def _anywhere(self, *facts: bool) -> list[bool]:
        """Whether each holds on any process: all of them must save, and stop, after the same step."""
        if self.accelerator.num_processes == 1:
            return list(facts)
        held = torch.tensor(facts, dtype=torch.float32, device=self.accelerator.device)
        return (self.accelerator.reduce(held, "sum") > 0).tolist()  # type: ignore[no-any-return]

    def _evaluate(self, progress: Progress) -> None:
        """Take the dev metric, and keep the weights if they are the best."""
        assert self.evaluate is not None
        self.model.eval()
        metrics = self.evaluate(self.raw)
        self.log(self.state.step, metrics)
        value = metrics["dev_metric"]
        if value > (-math.inf if self.state.best is None else self.state.best):  # never so of a NaN
            self.state.best, self.state.best_step, self.state.worse = value, self.state.step, 0
            if self.config.keep == "best" and self.accelerator.is_main_process:
                checkpoint.write(self._best, {"model": self.raw.state_dict()}, asdict(self.state))
        else:
            self.state.worse += 1
        progress.evaluated(self.state.step, metrics, self.state.best_step)

    def _keep(self) -> None:
        """Leave the model with the weights that the configuration asks for."""
        if self.config.keep == "best" and self.state.best is not None:
            if not checkpoint.whole(self._best):
                raise GateError(f"The best weights, {self._best}, are damaged. Start anew with resume=never.")
            self.raw.load_state_dict(checkpoint.read(self._best)[0]["model"])
        self.raw.eval()

    def _learn_one_batch(self, steps: int = 60) -> None:
        """Learn one batch by heart on a copy: if that fails, data, labels or objective do not fit together."""
        model = copy.deepcopy(self.raw).eval()  # no dropout
        optim = torch.optim.AdamW(model.parameters(), lr=5e-4)
        batch = self.work.plan(0)[0]
        losses = []
        for _ in range(steps):
            loss = self.work.loss(model, batch, self.accelerator.device) / max(1, self.work.count(batch))
            losses.append(loss.item())
            loss.backward()  # type: ignore[no-untyped-call]
            optim.step()
            optim.zero_grad(set_to_none=True)
        if not losses[-1] < 0.5 * losses[0]:
            raise GateError(
                f"One batch could not be learnt by heart: its loss went from {losses[0]:.3f} to {losses[-1]:.3f}."
            )
        self.log(0, {"overfit_first_loss": losses[0], "overfit_last_loss": losses[-1]})


def _mixed(*key: int) -> int:
    """One seed out of several numbers, unlike that of any neighbours."""
    return int(np.random.SeedSequence(key).generate_state(1, np.uint64)[0])


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

    def heard(_number: int, _frame: object) -> None:
        told.stop = True
        os.write(2, b"\nStopping after this step, with a checkpoint; Ctrl-C stops at once.\n")  # print isn't reentrant
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

    # Linux counts in KiB, macOS in bytes (getrusage(2))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
