"""What the RECORD extension tells of keys and buttons: where the pointer was, what was held, and repeats.

Rules

* Only keys and buttons of the devices are asked for: no request, no text, no motion.
* RECORD has the state of the very event: root coordinates, modifiers, layout. But the server sends it only
  when it sends something to anyone, so whoever wants it makes a round trip first.
* Without the extension there is simply nothing told. A RECORD connection that dies is not missed.

Protocol: RECORD 1.13, sections 3 and 4.
"""

import contextlib
import select
import struct
from typing import Any, Final, NamedTuple

import xcffib
import xcffib.record

from understudy.recorder.capture.x11.display import Display
from understudy.recorder.capture.x11.errors import DisplayError

KEY_PRESS: Final = 2
KEY_RELEASE: Final = 3
BUTTON_PRESS: Final = 4
BUTTON_RELEASE: Final = 5
ALL_CLIENTS: Final = 3
_FROM_SERVER: Final = 0
_EVENT: Final = struct.Struct("=BB2xI12xhh4xH2x")
_HEADER_BYTES: Final = 32
_RANGE: Final = bytes(18) + bytes((KEY_PRESS, BUTTON_RELEASE)) + bytes(4)
"""A RECORDRANGE with nothing but ``device-events``: the library's class writes the same bytes."""


class Told(NamedTuple):
    """One event as the server saw it."""

    kind: int
    detail: int
    time: int
    x: int
    y: int
    state: int


class Record:
    """Two connections that RECORD needs: one gives the order, the other gets the data. ``close`` them.

    Args:
        name: the display.

    Raises:
        NoDisplayError: there is no such display.
    """

    def __init__(self, name: str | None) -> None:
        self._order = Display(name)
        self._told = Display(name)
        self._sequence = self._enable()
        if self._sequence is None:
            self.close()

    @property
    def is_there(self) -> bool:
        """Whether anything can be told."""
        return self._sequence is not None

    def close(self) -> None:
        """Close both connections. Idempotent."""
        self._sequence = None
        self._order.close()
        self._told.close()

    def read(self) -> list[Told]:
        """Return what has been told since; never waits."""
        if self._sequence is None:
            return []
        found = []
        try:
            for reply in self._told.replies(self._sequence):
                if reply[1] == _FROM_SERVER:
                    found += [Told(*row) for row in _EVENT.iter_unpack(reply[_HEADER_BYTES:])]
        except DisplayError:
            self.close()
        return [told._replace(x=max(told.x, 0), y=max(told.y, 0)) for told in found]

    def wait(self, seconds: float) -> None:
        """Wait until something is told, at most so long."""
        if self._sequence is not None:
            select.select([self._told.fileno()], [], [], seconds)

    def _enable(self) -> int | None:
        """Switch recording on, and return what its replies are known by; None where that is not possible."""
        key: Any = xcffib.record.key
        if self._order.opcode(key) is None:
            return None
        context = self._order.new_id()
        with contextlib.suppress(xcffib.XcffibException), self._order.asking():
            order = self._order.extension(key)
            order.QueryVersion(1, 13).reply()
            order.CreateContextChecked(context, 0, 1, 1, [ALL_CLIENTS], [_RANGE]).check()
            data = self._told.extension(key)
            sequence: int = data.EnableContext(context).sequence
            self._told.flush()
            return sequence
        return None
