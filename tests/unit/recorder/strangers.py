"""Another program on the same display, which asks no window manager: it covers, it takes the keys."""

import time
from types import TracebackType
from typing import Any, Final, Self

import xcffib
from xcffib.xproto import CW, ConfigWindow, GrabMode, StackMode, WindowClass

from understudy.formats.elements import Box

_XCFFIB: Final[Any] = xcffib
MAGENTA: Final = 0xFF00FF


class Stranger:
    """A connection of its own. Use as a context manager; its windows go with it."""

    def __init__(self, display: str) -> None:
        self._x: Final = _XCFFIB.connect(display=display)
        self._root: Final = self._x.setup.roots[self._x.pref_screen]
        self.core: Final = self._x.core

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._x.disconnect()

    def cover(self, box: Box) -> int:
        """Show a plain window over everything else and return it."""
        window = int(self._x.generate_id())
        depth, visual = self._root.root_depth, self._root.root_visual
        self.core.CreateWindowChecked(
            depth,
            window,
            self._root.root,
            box.x,
            box.y,
            box.width,
            box.height,
            0,
            WindowClass.InputOutput,
            visual,
            CW.BackPixel | CW.OverrideRedirect,
            [MAGENTA, 1],
        ).check()
        self.core.MapWindowChecked(window).check()
        return window

    def remove(self, window: int) -> None:
        """Take a window away."""
        self.core.DestroyWindowChecked(window).check()

    def grab_keys(self, window: int) -> None:
        """Take every key, as a screen lock does."""
        for _ in range(50):
            if not self.core.GrabKeyboard(False, window, 0, GrabMode.Async, GrabMode.Async).reply().status:
                return
            time.sleep(0.02)
        raise AssertionError("the keyboard could not be grabbed")

    def let_keys_go(self) -> None:
        """End the grab."""
        self.core.UngrabKeyboardChecked(0).check()

    def focus(self, window: int) -> None:
        """Take the input focus, as a launcher does."""
        self.core.SetInputFocusChecked(0, window, 0).check()

    def named(self, name: bytes) -> int:
        """Return the window of that name at the root."""
        for child in self.core.QueryTree(self._root.root).reply().children:
            if bytes(self.core.GetProperty(False, child, 39, 0, 0, 100).reply().value.buf()) == name:
                return int(child)
        raise AssertionError("no such window")

    def unmap(self, window: int) -> None:
        """Take somebody's window off the screen."""
        self.core.UnmapWindowChecked(window).check()

    def move_away(self, window: int) -> None:
        """Move somebody's window beside the screen."""
        self.core.ConfigureWindowChecked(window, ConfigWindow.X, [9_000]).check()

    def raise_over(self, window: int) -> None:
        """Put a window on top."""
        self.core.ConfigureWindowChecked(window, ConfigWindow.StackMode, [StackMode.Above]).check()
