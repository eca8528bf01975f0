"""How far a long reading is: a bar with rate and time left on a terminal, plain lines elsewhere."""

import sys
import time
from typing import Never, TextIO

from tqdm import tqdm

QUIET = 15.0  # seconds between two plain lines


class Progress:
    """Articles done, of how many, how fast, and the time left.

    Args:
        total: of the input, None where it is not known.
        done: before this start.
        bar: a bar or plain lines; None: a bar where the stream is a terminal.
        stream: where to write.
    """

    def __init__(self, total: int | None, done: int, bar: bool | None, stream: TextIO | None = None) -> None:
        self.total, self.done, self.first = total, done, done
        self.stream = stream or sys.stderr
        self.bar: tqdm[Never] | None = None
        if self.stream.isatty() if bar is None else bar:
            self.bar = tqdm(total=total, initial=done, unit="article", file=self.stream, dynamic_ncols=True)
        self.began = self.said = time.monotonic()

    def close(self) -> None:
        """Leave the bar as it stands."""
        if self.bar is not None:
            self.bar.close()

    def at(self, done: int) -> None:
        """So many are done."""
        self.done = done
        if self.bar is not None:
            self.bar.update(done - self.bar.n)
        elif done != self.total and time.monotonic() - self.said > QUIET:
            self.said = time.monotonic()
            print(self._line(), file=self.stream, flush=True)

    def say(self, line: str) -> None:
        """A line that does not break the bar."""
        if self.bar is None:
            print(line, file=self.stream, flush=True)
        else:
            self.bar.write(line, file=self.stream)

    def seconds(self) -> float:
        """Since this start."""
        return max(1e-9, time.monotonic() - self.began)

    def rate(self) -> str:
        """Articles a second of this start, two digits where there are few."""
        found = (self.done - self.first) / self.seconds()
        return f"{found:,.0f}/s" if found >= 10 else f"{found:.2g}/s"

    def _line(self) -> str:
        known = self.total is not None and self.total >= self.done
        of = f" of {self.total:,}" if known else ""
        left = ""
        if known and self.done > self.first:
            rest = (self.total - self.done) * self.seconds() / (self.done - self.first)  # type: ignore[operator]
            left = f", {rest:,.0f} s left"
        return f"{self.done:,}{of} articles, {self.rate()}{left}"
