"""Which window is active, and what it is called: as the window manager tells it.

Rules

* Active is what ``_NET_ACTIVE_WINDOW`` of the root window says. Without a window manager that sets it, no
  window is known to be active.
* A window that does not get the keys is not active, whatever is said of it: a screen lock or a launcher takes
  them, by the input focus or by a grab, without asking the window manager.
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

from xcffib.xproto import EventMask, InputFocus, NotifyDetail, NotifyMode

from understudy.recorder.capture.observed import ActiveWindow, server_ms
from understudy.recorder.capture.x11.display import Display, change_of

MAX_TITLE: Final = 2_000
_ACTIVE: Final = "_NET_ACTIVE_WINDOW"
_SHOWN: Final = (_ACTIVE, "_NET_WM_NAME", "WM_NAME", "WM_CLASS", "_NET_WM_PID")
_STRUCTURE: Final = frozenset({17, 18, 19, 21, 22})
"""Destroyed, unmapped, mapped, reparented, configured."""
_WORD: Final = struct.Struct("=I")
_FOCUS_IN, _FOCUS_OUT = 9, 10
_FOCUS_EVENT: Final = struct.Struct("=BB2xIB")
_WITHIN: Final = frozenset({NotifyDetail.Inferior, NotifyDetail.Pointer, NotifyDetail.PointerRoot})
"""Focus that moves between a window and its parts, or follows the pointer."""
_MAX_DEPTH: Final = 64


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
        self._has_focus = False
        self._is_grabbed = False
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
                is_changed |= row[0] & 0x7F in _STRUCTURE or self._moves_keys(row)
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
            wanted = EventMask.PropertyChange | EventMask.StructureNotify | EventMask.FocusChange
            self._display.watch(window, int(wanted))
            self._watched = window
            self._has_focus = self._holds_focus(window)
        if not self._has_focus or self._is_grabbed:
            return None
        pid = _word(self._display.value(window, "_NET_WM_PID")) or None
        application = self._class_of(window) or executable_of(pid)
        title = self._title_of(window)
        box = self._display.box(window)
        if box is None:
            return None
        return ActiveWindow(window=window, application=application, pid=pid, title=title, box=box)

    def _moves_keys(self, row: bytes) -> bool:
        """Take note of where the keys go; return whether the watched window gets them, or loses them."""
        kind, detail, window, mode = _FOCUS_EVENT.unpack_from(row)
        kind &= 0x7F
        if kind not in (_FOCUS_IN, _FOCUS_OUT) or window != self._watched or detail in _WITHIN:
            return False
        before = self._has_focus, self._is_grabbed
        is_in = kind == _FOCUS_IN
        if mode in (NotifyMode.Normal, NotifyMode.WhileGrabbed):
            self._has_focus = is_in
        if is_in:
            self._is_grabbed = self._is_grabbed and mode == NotifyMode.WhileGrabbed
        elif mode == NotifyMode.Grab:
            self._is_grabbed = True
        if before == (self._has_focus, self._is_grabbed):
            return False
        self.changed_ms = server_ms()
        return True

    def _holds_focus(self, window: int) -> bool:
        """Return whether the keys go to ``window`` or to a part of it."""
        at = 0
        with self._display.asking():
            at = self._display.core.GetInputFocus().reply().focus
        if at == InputFocus.PointerRoot:
            return True
        for _ in range(_MAX_DEPTH):
            if at == window:
                return True
            if at in (0, self._display.root):
                return False
            parent = 0
            with self._display.forgiving():
                parent = self._display.core.QueryTree(at).reply().parent
            at = parent
        return False

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
