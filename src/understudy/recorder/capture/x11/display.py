"""One connection to an X display: its events as bytes, and the few requests that a recorder makes.

Rules

* Events are handed out as their first 32 bytes and taken apart by those who know them: half the processor
  time of the library's own classes, which also misread the length of raw pointer events.
* A window that is destroyed while it is asked about gives None. A display that is gone raises, always.
* The display's clock must be this machine's monotonic clock: the time of a property change has to lie between
  two readings of ours.

Protocol: X11 core, sections 1, 9 and 10.

Example::

    with Display(":1") as display:
        display.pointer()          # Pointer(x=640, y=400, state=0)
"""

import contextlib
import struct
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import xcffib
import xcffib.xproto

from understudy.formats.elements import Box
from understudy.formats.raw.events import CLOCK
from understudy.formats.screen import Screen
from understudy.recorder.capture.observed import server_ms
from understudy.recorder.capture.x11.errors import ClockError, DisplayGoneError, NoDisplayError

GENERIC_EVENT: Final = 35
MAPPING_NOTIFY: Final = 34
PROPERTY_NOTIFY: Final = 28
CLOCK_TOLERANCE_MS: Final = 20
"""The server may read the kernel's coarse clock, which lags by one tick."""

_EVENT_BYTES: Final = 32
_REPLY_LENGTH: Final = struct.Struct("=4xI")
_PROPERTY_EVENT: Final = struct.Struct("=B3xIII")
_CLOCK_TRIES: Final = 3
_MAX_PROPERTY_WORDS: Final = 4_096
_XCFFIB: Final[Any] = xcffib
"""The library ships as typed, but its functions carry no types."""
_LIB: Final[Any] = _XCFFIB.lib
_FFI: Final[Any] = _XCFFIB.ffi


class Pointer(NamedTuple):
    """Where the pointer is on the root window, and the modifiers and buttons that are down."""

    x: int
    y: int
    state: int


class Change(NamedTuple):
    """A property of a window was set or deleted, at a time of the server."""

    window: int
    atom: int
    time: int


class Display:
    """A connection. Use as a context manager, or ``close`` it.

    Args:
        name: such as ``:1``; None for the environment's ``DISPLAY``.

    Raises:
        NoDisplayError: there is none, or it does not let us in.
    """

    def __init__(self, name: str | None) -> None:
        try:
            self._x: Any = _XCFFIB.connect(display=name)
        except xcffib.XcffibException as error:
            raise NoDisplayError("the X display cannot be opened") from error
        self.core: Final[Any] = self._x.core
        setup = self._x.setup
        screen = setup.roots[self._x.pref_screen]
        self.root: Final[int] = screen.root
        self.keycodes: Final[tuple[int, int]] = (setup.min_keycode, setup.max_keycode)
        self.screen: Final = Screen(width=screen.width_in_pixels, height=screen.height_in_pixels)
        self._own_numbers: Final[int] = setup.resource_id_mask
        self._atoms: dict[str, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection. Idempotent."""
        if self._x is not None:
            self._x.disconnect()
            self._x = None

    def fileno(self) -> int:
        """Return the descriptor that becomes readable when something arrives."""
        return int(_LIB.xcb_get_file_descriptor(self._connection))

    def poll(self) -> bytes | None:
        """Return the first 32 bytes of the next event, or None where none waits.

        Raises:
            DisplayGoneError: the connection is dead.
        """
        connection = self._connection
        event = _LIB.xcb_poll_for_event(connection)
        if event == _FFI.NULL:
            self._check()
            return None
        row = bytes(_FFI.buffer(event, _EVENT_BYTES))
        _XCFFIB.c_free(event)
        return row

    def replies(self, sequence: int) -> Iterator[bytes]:
        """Yield the replies to a request with many that are there already, each whole; never waits.

        Raises:
            DisplayGoneError: the connection is dead.
        """
        reply, error = _FFI.new("void **"), _FFI.new("xcb_generic_error_t **")
        while _LIB.xcb_poll_for_reply(self._connection, sequence, reply, error) and reply[0] != _FFI.NULL:
            (words,) = _REPLY_LENGTH.unpack(bytes(_FFI.buffer(reply[0], _REPLY_LENGTH.size)))
            whole = bytes(_FFI.buffer(reply[0], _EVENT_BYTES + 4 * words))
            _XCFFIB.c_free(reply[0])
            yield whole
        if error[0] != _FFI.NULL:
            _XCFFIB.c_free(error[0])
        self._check()

    def opcode(self, key: Any) -> int | None:
        """Return the major opcode of an extension, or None where the display does not have it."""
        found = _LIB.xcb_get_extension_data(self._connection, key.c_key)
        return int(found.major_opcode) if found != _FFI.NULL and found.present else None

    def extension(self, key: Any) -> Any:
        """Return the requests of an extension that the display has."""
        return self._x(key)

    def new_id(self) -> int:
        """Return an unused resource id."""
        with self.asking():
            return int(self._x.generate_id())

    def is_same_client(self, one: int, other: int) -> bool:
        """Return whether two resources were made over the same connection: by the same program."""
        return not (one ^ other) & ~self._own_numbers

    def flush(self) -> None:
        """Send what is buffered."""
        with self.asking():
            self._x.flush()

    @contextlib.contextmanager
    def asking(self) -> Iterator[None]:
        """Turn the end of the connection into its own error.

        Raises:
            DisplayGoneError: the connection died in the block.
        """
        connection = self._connection
        try:
            yield
        except xcffib.ConnectionException as error:
            raise DisplayGoneError("the X display is gone") from error
        except xcffib.XcffibException as error:
            if _LIB.xcb_connection_has_error(connection):
                raise DisplayGoneError("the X display is gone") from error
            raise

    @contextlib.contextmanager
    def forgiving(self) -> Iterator[None]:
        """Leave the block where the display refuses a request: what was asked about is no longer there.

        Raises:
            DisplayGoneError: the connection died in the block.
        """
        try:
            with self.asking():
                yield
        except xcffib.XcffibException:
            return

    def pointer(self) -> Pointer:
        """Return where the pointer is now; the answer comes after all events before it.

        Raises:
            DisplayGoneError: the connection is dead.
        """
        with self.asking():
            reply = self.core.QueryPointer(self.root).reply()
        return Pointer(max(reply.root_x, 0), max(reply.root_y, 0), reply.mask)

    def atom(self, name: str) -> int:
        """Return the number of a name.

        Raises:
            DisplayGoneError: the connection is dead.
        """
        if name not in self._atoms:
            with self.asking():
                self._atoms[name] = int(self.core.InternAtom(False, len(name), name).reply().atom)
        return self._atoms[name]

    def value(self, window: int, name: str) -> bytes | None:
        """Return the bytes of a property, or None where window or property are not there.

        Raises:
            DisplayGoneError: the connection is dead.
        """
        atom = self.atom(name)
        with self.forgiving():
            reply = self.core.GetProperty(False, window, atom, 0, 0, _MAX_PROPERTY_WORDS).reply()
            return bytes(reply.value.buf()) if reply.type else None
        return None

    def box(self, window: int) -> Box | None:
        """Return where a window lies on the root window, or None where it is not there.

        Raises:
            DisplayGoneError: the connection is dead.
        """
        with self.forgiving():
            size = self.core.GetGeometry(window).reply()
            place = self.core.TranslateCoordinates(window, self.root, 0, 0).reply()
            return Box(place.dst_x, place.dst_y, size.width, size.height)
        return None

    def watch(self, window: int, mask: int) -> None:
        """Ask for a window's events; a window that is not there has none.

        Raises:
            DisplayGoneError: the connection is dead.
        """
        with self.forgiving():
            self.core.ChangeWindowAttributesChecked(window, xcffib.xproto.CW.EventMask, [mask]).check()

    def clock_offset(self) -> int:
        """Return by how many milliseconds the display's clock differs from ``server_ms``; 0 within a tick.

        Raises:
            ClockError: by more than ``CLOCK_TOLERANCE_MS``: it is another clock.
            DisplayGoneError: the connection is dead.
        """
        offset = min((self._measured_offset() for _ in range(_CLOCK_TRIES)), key=abs)
        if abs(offset) > CLOCK_TOLERANCE_MS:
            raise ClockError("the X display keeps the time of another machine")
        return offset

    def _measured_offset(self) -> int:
        """Return how far the time of one property change lies outside our readings before and after."""
        window, atom = self.new_id(), self.atom("UNDERSTUDY_CLOCK")
        masks = (xcffib.xproto.CW.EventMask, [xcffib.xproto.EventMask.PropertyChange])
        kind = xcffib.xproto.WindowClass.InputOnly
        with self.asking():
            self.core.CreateWindowChecked(0, window, self.root, -1, -1, 1, 1, 0, kind, 0, *masks).check()
            before = server_ms()
            self.core.ChangePropertyChecked(0, window, atom, atom, 8, 0, b"").check()
            after = server_ms()
            self.core.DestroyWindow(window)
        told = None
        while told is None and (row := self.poll()) is not None:
            change = change_of(row)
            told = change.time if change is not None and change.window == window else None
        if told is None:
            raise ClockError("the X display does not tell the time of a change")
        early, late = signed(told - before), signed(told - after)
        return min(early, 0) or max(late, 0)

    @property
    def _connection(self) -> Any:
        if self._x is None:
            raise DisplayGoneError("the connection to the X display is closed")
        return self._x._conn  # noqa: SLF001 - the library has no other way to its fast calls

    def _check(self) -> None:
        if _LIB.xcb_connection_has_error(self._connection):
            raise DisplayGoneError("the X display is gone")


def change_of(row: bytes) -> Change | None:
    """Return the change of a property that an event tells of, if it is one."""
    if row[0] & 0x7F != PROPERTY_NOTIFY:
        return None
    _, window, atom, time = _PROPERTY_EVENT.unpack_from(row)
    return Change(window, atom, time)


def signed(difference: int) -> int:
    """Return a difference of two times of the server, which wrap at 2**32, as the nearer number.

    >>> signed(5 - (2**32 - 5))
    10
    """
    return (difference + CLOCK // 2) % CLOCK - CLOCK // 2
