"""What lies over a window: the boxes of other windows, so that their pixels and clicks are nobody's work.

Rules

* Over a window is every window of the screen that is mapped, shows something and is stacked above it: other
  programs, notifications, menus, tooltips, the recorder's own indicator.
* A window belongs to the program whose connection made it. That is in its number; nothing that a program
  says of itself is believed.
* Nothing is remembered between two questions: what is asked is what is.

Protocol: X11 core, sections 9 (QueryTree: children in order of stacking) and 8 (numbers of resources).

Example::

    with X11Stacking(":1") as stacking:
        stacking.above(window, Box(0, 0, 800, 600))      # [Cover(box=Box(...), is_own=False)]
"""

from types import TracebackType
from typing import Any, Final, NamedTuple, Self

from xcffib.xproto import MapState, WindowClass

from understudy.formats.elements import Box
from understudy.recorder.capture.x11.display import Display

_MAX_DEPTH: Final = 64


class Cover(NamedTuple):
    """A part of a box that another window covers; ``is_own``: a window of the same program."""

    box: Box
    is_own: bool


class X11Stacking:
    """The order of the windows of a display. Use as a context manager, or ``close`` it.

    Args:
        display: such as ``:1``; None for the environment's.

    Raises:
        NoDisplayError: there is no such display.
    """

    def __init__(self, display: str | None = None) -> None:
        self._display: Final = Display(display)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection. Idempotent."""
        self._display.close()

    def above(self, window: int, box: Box) -> list[Cover] | None:
        """Return what lies over ``window`` inside ``box``; None where the window is not there.

        Raises:
            DisplayGoneError: the display ended.
        """
        children = self._stacked_over(window)
        if children is None:
            return None
        core = self._display.core
        with self._display.asking():
            asked = [(child, core.GetWindowAttributes(child), core.GetGeometry(child)) for child in children]
        found = []
        for child, attributes, geometry in asked:
            part = self._shown(attributes, geometry, box)
            if part is not None:
                found.append(Cover(part, self._display.is_same_client(child, window)))
        return found

    def _stacked_over(self, window: int) -> list[int] | None:
        """Return the children of the root above the one that holds ``window``."""
        core, at = self._display.core, window
        for _ in range(_MAX_DEPTH):
            parent = 0
            with self._display.forgiving():
                parent = core.QueryTree(at).reply().parent
            if not parent:
                return None
            if parent == self._display.root:
                with self._display.asking():
                    children = list(core.QueryTree(parent).reply().children)
                return children[children.index(at) + 1 :] if at in children else None
            at = parent
        return None

    def _shown(self, attributes: Any, geometry: Any, box: Box) -> Box | None:
        """Return the part of ``box`` that a window covers, if it shows anything there."""
        facts = size = None
        with self._display.forgiving():
            facts = attributes.reply()
        with self._display.forgiving():
            size = geometry.reply()
        if facts is None or size is None:
            return None
        if facts.map_state != MapState.Viewable or facts._class != WindowClass.InputOutput:  # noqa: SLF001
            return None
        border = 2 * size.border_width
        left, top = max(size.x, box.x), max(size.y, box.y)
        right = min(size.x + size.width + border, box.x + box.width)
        bottom = min(size.y + size.height + border, box.y + box.height)
        return Box(left, top, right - left, bottom - top) if left < right and top < bottom else None
