"""Which window is active, and what it is called: as the window manager tells it.

Rules

* Active is what ``_NET_ACTIVE_WINDOW`` of the root window says. Without a window manager that sets it, no
  window is known to be active.
* A window that goes away while it is looked at was not active: the answer is None, never an error.
* An application is its ``WM_CLASS`` class in lower case, or else the name of the executable.

Specification: Extended Window Manager Hints 1.5; ICCCM 2.0, section 4.1.2.

Example::

    with X11Windows(":1") as windows:
        if windows.read(): window = windows.active()
"""

import struct
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from xcffib.xproto import EventMask

from understudy.recorder.capture.observed import ActiveWindow, server_ms
from understudy.recorder.capture.x11.display import Display, change_of

MAX_TITLE: Final = 2_000
_ACTIVE: Final = "_NET_ACTIVE_WINDOW"
_SHOWN: Final = (_ACTIVE, "_NET_WM_NAME", "WM_NAME", "WM_CLASS", "_NET_WM_PID")
_STRUCTURE: Final = frozenset({17, 18, 19, 21, 22})
"""Destroyed, unmapped, mapped, reparented, configured."""
_WORD: Final = struct.Struct("=I")


class X11Windows:
    """The windows of a display. Use as a context manager, or ``close`` it.

    Args:
        display: such as ``:1``; None for the environment's.

    Attributes:
        changed_ms: the server's time at which another window became active, or, until one has, of the start.

    Raises:
        NoDisplayError: there is no such display.
    """

    def __init__(self, display: str | None = None) -> None:
        self._display = Display(display)
        self._watched = 0
        self.changed_ms = server_ms()
        self._display.watch(self._display.root, int(EventMask.PropertyChange))
        self._names: Final = {self._display.atom(name): name for name in _SHOWN}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection. Idempotent."""
        self._display.close()

    def fileno(self) -> int:
        """Return the descriptor that becomes readable when something changed."""
        return self._display.fileno()

    def read(self) -> bool:
        """Take all events, and return whether another window is active or the active one changed.

        Raises:
            DisplayGoneError: the display ended.
        """
        is_changed = False
        while (row := self._display.poll()) is not None:
            change = change_of(row)
            if change is None:
                is_changed |= row[0] & 0x7F in _STRUCTURE
            elif change.window == self._display.root:
                if self._names.get(change.atom) == _ACTIVE:
                    self.changed_ms, is_changed = change.time, True
            else:
                is_changed |= change.window == self._watched and change.atom in self._names
        return is_changed

    def active(self) -> ActiveWindow | None:
        """Return the active window, or None where there is none, or it is just going away.

        Raises:
            DisplayGoneError: the display ended.
        """
        window = _word(self._display.value(self._display.root, _ACTIVE))
        if not window:
            return None
        if window != self._watched:
            if self._watched:
                self._display.watch(self._watched, 0)
            self._display.watch(window, int(EventMask.PropertyChange | EventMask.StructureNotify))
            self._watched = window
        pid = _word(self._display.value(window, "_NET_WM_PID")) or None
        application = self._class_of(window) or executable_of(pid)
        title = self._title_of(window)
        box = self._display.box(window)
        if box is None:
            return None
        return ActiveWindow(window=window, application=application, pid=pid, title=title, box=box)

    def _class_of(self, window: int) -> str:
        """Return the class of a window: the second of two texts that end in zero."""
        parts = (self._display.value(window, "WM_CLASS") or b"").split(b"\0")
        return parts[1].decode("latin-1").lower() if len(parts) > 1 else ""

    def _title_of(self, window: int) -> str:
        title = self._display.value(window, "_NET_WM_NAME")
        if title is not None:
            return title.decode("utf-8", "replace")[:MAX_TITLE]
        return (self._display.value(window, "WM_NAME") or b"").decode("latin-1")[:MAX_TITLE]


def executable_of(pid: int | None) -> str:
    """Return the name of a process's executable in lower case, or an empty text where it is not known."""
    if pid is None:
        return ""
    try:
        return Path(f"/proc/{pid}/exe").readlink().name.lower()
    except OSError:
        return ""


def _word(raw: bytes | None) -> int:
    """Return the first 32 bits of a property, or 0."""
    return int(_WORD.unpack_from(raw)[0]) if raw is not None and len(raw) >= _WORD.size else 0
