"""The clock every decision is given: nothing below the edges reads the time by itself.

>>> FixedClock(1_700_000_000).now()
1700000000
"""

import time
from typing import Protocol


class Clock(Protocol):
    """Tells the time in whole UTC seconds."""

    def now(self) -> int:
        """Return seconds since 1970-01-01T00:00:00Z."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> int:
        """Return the system time in whole seconds."""
        return int(time.time())


class FixedClock:
    """A clock that stands until it is moved; for tests and for replaying a past decision."""

    def __init__(self, at: int) -> None:
        self.at = at

    def now(self) -> int:
        """Return the time it stands at."""
        return self.at

    def advance(self, seconds: int) -> None:
        """Move the clock by ``seconds``, backwards if negative."""
        self.at += seconds
