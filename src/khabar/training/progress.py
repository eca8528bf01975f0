"""What a person sees of a training run: a bar in a terminal, plain lines elsewhere."""

import sys
import time
from types import TracebackType
from typing import Never, TextIO

from tqdm import tqdm

QUIET = 15.0  # seconds between two plain lines


class Progress:
    """Steps done, loss, dev metric, tokens a second and the time left.

    Args:
        total: steps of the run.
        done: steps taken before this start.
        tokens: tokens read before this start.
        bar: a bar or plain lines; None: a bar where the stream is a terminal.
        stream: where to write.
    """

    def __init__(self, total: int, done: int, tokens: int, bar: bool | None, stream: TextIO | None = None) -> None:
        self.total, self.done = total, done
        self.tokens = self.first_tokens = float(tokens)
        self.stream = stream or sys.stderr
        self.bar: tqdm[Never] | None = None
        if self.stream.isatty() if bar is None else bar:
            self.bar = tqdm(total=total, initial=done, unit="step", file=self.stream, dynamic_ncols=True, leave=True)
        self.began = self.said = time.monotonic()
        self.loss: float | None = None
        self.dev: float | None = None

    def __enter__(self) -> "Progress":
        """Start."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the bar."""
        if self.bar is not None:
            self.bar.close()

    def step(self, step: int, metrics: dict[str, float]) -> None:
        """Show a step."""
        loss = metrics["loss"]
        self.loss = loss if self.loss is None else 0.9 * self.loss + 0.1 * loss
        self.tokens = metrics["tokens"]
        if self.bar is not None:
            self.bar.set_postfix_str(self._figures(), refresh=False)
            self.bar.update(step - self.bar.n)
        elif time.monotonic() - self.said > QUIET:
            self._line(step)

    def evaluated(self, step: int, metrics: dict[str, float], best_step: int) -> None:
        """Show a dev metric."""
        self.dev = metrics["dev_metric"]
        if self.bar is not None:
            self.bar.set_postfix_str(self._figures())
        else:
            self._line(step, " (best so far)" if best_step == step else "")

    def _figures(self) -> str:
        seconds = max(1e-9, time.monotonic() - self.began)
        parts = [f"loss {self.loss:.3f}" if self.loss is not None else ""]
        parts += [f"dev {self.dev:.3f}" if self.dev is not None else ""]
        parts += [f"{(self.tokens - self.first_tokens) / seconds:,.0f} tokens/s"]
        return ", ".join(part for part in parts if part)

    def _line(self, step: int, note: str = "") -> None:
        self.said = time.monotonic()
        left = (self.said - self.began) / max(1, step - self.done) * (self.total - step)
        left_said = f", {left:.0f} s left" if step < self.total else ""
        print(f"step {step}/{self.total}: {self._figures()}{left_said}{note}", file=self.stream, flush=True)
