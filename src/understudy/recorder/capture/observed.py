"""What the sources of a desktop tell the capture, as values: one vocabulary for every back end.

Rules

* ``time`` is the display server's clock in milliseconds modulo 2**32, as in ``formats.raw.events``; on a
  local X server that is the monotonic clock, and a source without a stamp of its own uses ``server_ms``.
* What is not known is said to be unknown, and unknown counts as secret.
* No title, name or text stands in a ``repr``.

Example

>>> Focused(time=10, security=Security.UNKNOWN).security is Security.PLAIN
False
"""

import time
from enum import StrEnum

import msgspec

from understudy.formats.elements import Box, ElementTree
from understudy.formats.picture import PlacedPicture
from understudy.formats.raw.events import CLOCK


class Security(StrEnum):
    """Whether typed characters may be recorded."""

    PLAIN = "plain"
    SECURE = "secure"
    UNKNOWN = "unknown"


class Focused(msgspec.Struct, frozen=True, kw_only=True):
    """The keyboard focus moved, or more became known of where it is."""

    time: int
    security: Security


class ActiveWindow(msgspec.Struct, frozen=True, kw_only=True):
    """The window that has the focus, as the window manager tells it."""

    window: int
    application: str
    pid: int | None
    title: str
    box: Box

    def __repr__(self) -> str:
        return f"ActiveWindow(window={self.window})"


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """One whole, consistent state: the tree as it was complete at ``time``, and the pixels of that moment.

    ``tree`` is None where it equals the one before, ``frame`` likewise; not both.
    """

    time: int
    tree: ElementTree | None
    frame: PlacedPicture | None


def server_ms() -> int:
    """Return now on the clock of a local display server."""
    return time.monotonic_ns() // 1_000_000 % CLOCK
