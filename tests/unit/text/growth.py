"""How the time of reading grows with what is read."""

import time
from collections.abc import Callable


def linear(read: Callable[[str], object], unit: str, length: int = 4_000) -> None:
    """Eight times a text of one unit over and over takes no more than a small multiple of eight times the time."""

    def seconds(length: int) -> float:
        text = (unit * (length // len(unit) + 1))[:length]
        times = []
        for _ in range(2):
            start = time.process_time()
            read(text)
            times.append(time.process_time() - start)
        return min(times)

    seconds(100)
    small, large = seconds(length), seconds(8 * length)
    assert large < 24 * max(small, 0.002), f"8 times the text took {large / small:.0f} times the time"
