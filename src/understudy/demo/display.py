"""A connection to an X display, as far as the demonstration needs it: properties, key map, test input.

Rules

* Test input goes through the XTEST extension, so that every program, a recorder too, sees it as a device's.
* A display that refuses or is gone is a ``HandsError``; nothing is swallowed.

Protocol: X11, chapters 9 and 12; XTEST 2.2.
"""

import select
import time
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import xcffib
import xcffib.xproto
import xcffib.xtest

from understudy.demo.errors import HandsError

KEY_PRESS: Final = 2
KEY_RELEASE: Final = 3
BUTTON_PRESS: Final = 4
BUTTON_RELEASE: Final = 5
MOTION: Final = 6


class KeyMap(NamedTuple):
    """The key symbols of all keycodes, from ``first`` on; 0 where there is none."""

    first: int
    rows: tuple[tuple[int, ...], ...]


class WindowBox(NamedTuple):
    """A window and where it is on the screen."""

    window: int
    x: int
    y: int
    width: int
    height: int


class Display:
    """A connection. Use as a context manager, or ``close`` it.

    Raises:
        HandsError: there is no such display, or it has no XTEST.
    """

    def __init__(self, name: str) -> None:
        self.name: Final = name
        try:
            connect: Any = xcffib.connect
            self._connection: Any = connect(display=name)
            setup = self._connection.get_setup()
            self._root: int = setup.roots[self._connection.pref_screen].root
            self._keycodes = (int(setup.min_keycode), int(setup.max_keycode))
            self._test: Any = self._connection(xcffib.xtest.key)
            self._test.GetVersion(2, 2).reply()
        except (xcffib.XcffibException, xcffib.ConnectionException) as error:
            raise HandsError(f"the display {name} cannot be used for test input") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection. Idempotent."""
        if self._connection is not None:
            self._connection.disconnect()
            self._connection = None

    def fake(self, kind: int, detail: int = 0, *, x: int = 0, y: int = 0) -> None:
        """Give one event of a device: ``detail`` is a keycode or a button, ``x`` and ``y`` count for motion.

        Raises:
            HandsError: the display does not take it.
        """
        try:
            self._test.FakeInput(kind, detail, 0, self._root, x, y, 0, is_checked=True).check()
        except (xcffib.XcffibException, xcffib.ConnectionException) as error:
            raise HandsError(f"the display {self.name} did not take the input") from error

    def pointer(self) -> tuple[int, int]:
        """Return where the pointer is."""
        reply = self._connection.core.QueryPointer(self._root).reply()
        return int(reply.root_x), int(reply.root_y)

    def key_map(self) -> KeyMap:
        """Return the key symbols of all keycodes."""
        first, last = self._keycodes
        reply = self._connection.core.GetKeyboardMapping(first, last - first + 1).reply()
        width = int(reply.keysyms_per_keycode)
        symbols = [int(symbol) for symbol in reply.keysyms]
        rows = tuple(tuple(symbols[at : at + width]) for at in range(0, len(symbols), width))
        return KeyMap(first, rows)

    def bind(self, keycode: int, symbol: int) -> None:
        """Give a keycode one symbol, with and without Shift."""
        # Two columns and no more: with one, the server would guess the other case of a letter.
        self._connection.core.ChangeKeyboardMappingChecked(1, keycode, 2, [symbol, symbol]).check()

    def modifier_keycodes(self) -> frozenset[int]:
        """Return the keycodes that are modifiers."""
        reply = self._connection.core.GetModifierMapping().reply()
        return frozenset(int(code) for code in reply.keycodes if code)

    def wait_for_property(self, name: str, *, seconds: float) -> bool:
        """Return whether the root window has a property, waiting until it is set."""
        core = self._connection.core
        mask = xcffib.xproto.EventMask.PropertyChange
        core.ChangeWindowAttributesChecked(self._root, xcffib.xproto.CW.EventMask, [mask]).check()
        atom = core.InternAtom(False, len(name), name).reply().atom
        until = time.monotonic() + seconds
        while True:
            kind = xcffib.xproto.GetPropertyType.Any
            reply = core.GetProperty(False, self._root, atom, kind, 0, 1).reply()
            if reply.value_len:
                return True
            if not self.wait_for_event(until - time.monotonic()):
                return False

    def wait_for_event(self, seconds: float) -> bool:
        """Return whether an event came within ``seconds``; takes all that wait."""
        if self._drain():
            return True
        fd = self._connection.get_file_descriptor()
        if not select.select([fd], [], [], max(seconds, 0))[0]:
            return False
        self._drain()
        return True

    def popups(self) -> tuple[WindowBox, ...]:
        """Return the shown windows that no window manager manages (menus, lists), the lowest first.

        Programs keep windows of one pixel for their own purposes; those are left out.
        """
        found = []
        for window in self._connection.core.QueryTree(self._root).reply().children:
            try:
                looks = self._connection.core.GetWindowAttributes(window).reply()
                place = self._connection.core.GetGeometry(window).reply()
            except xcffib.xproto.WindowError:
                continue  # it went while we looked
            except xcffib.xproto.DrawableError:
                continue
            is_shown = looks.map_state == xcffib.xproto.MapState.Viewable and place.width * place.height > 1
            if looks.override_redirect and is_shown:
                found.append(WindowBox(int(window), place.x, place.y, place.width, place.height))
        return tuple(found)

    def _drain(self) -> bool:
        """Take all events that are there, and return whether there was one."""
        found = False
        while self._connection.poll_for_event() is not None:
            found = True
        return found
