"""Where a page's pixels are on the screen: measured by a real pointer, not computed.

Rules

* The pointer is moved over the window until the page says where it saw it; the difference is the place.
* Two probes must agree with each other: a window that is still moving is not measured.
* Measured once a window, before anything is recorded. Page pixels times ``scale`` are screen pixels.

Example

>>> Placement(left=8.0, top=31.0, scale=1.0).on_screen((10.0, 20.0, 80.0, 24.0))
Box(x=18, y=51, width=80, height=24)
"""

import time
from collections.abc import Sequence
from typing import Final, NamedTuple

from understudy.demo.display import MOTION, Display
from understudy.demo.errors import PersonError
from understudy.formats.elements import Box
from understudy.learning.browser import Page

READY_SECONDS: Final = 60.0
_STEP_SECONDS: Final = 0.05
_AGREE: Final = 0.6
"""Pixels by which two probes may differ."""

_LISTEN: Final = """(() => {
  if (!window.understudyProbe) {
    window.understudyProbe = {};
    window.understudyProbe.listen = event => {
      window.understudyProbe.seen = [event.clientX, event.clientY, devicePixelRatio];
    };
    addEventListener('mousemove', window.understudyProbe.listen, true);
  }
  window.understudyProbe.seen = null;
  return true;
})()"""
_SEEN: Final = "window.understudyProbe ? window.understudyProbe.seen : null"
_FORGET: Final = """(() => {
  if (window.understudyProbe) removeEventListener('mousemove', window.understudyProbe.listen, true);
  delete window.understudyProbe;
  return true;
})()"""


class Placement(NamedTuple):
    """The page's top left corner on the screen, and screen pixels for one page pixel."""

    left: float
    top: float
    scale: float

    def on_screen(self, box: Sequence[float]) -> Box:
        """Return a box of the page (x, y, width, height) in whole pixels of the screen."""
        x, y = self.left + box[0] * self.scale, self.top + box[1] * self.scale
        right, bottom = x + box[2] * self.scale, y + box[3] * self.scale
        return Box(round(x), round(y), max(round(right) - round(x), 1), max(round(bottom) - round(y), 1))


def measure(page: Page, display: Display, window: Box) -> Placement:
    """Return where a page is, once its window shows and takes input.

    Args:
        page: loaded.
        display: where its window is.
        window: where the window was asked to be.

    Raises:
        PersonError: the page saw no pointer in ``READY_SECONDS``.
    """
    until = time.monotonic() + READY_SECONDS
    last: Placement | None = None
    turn = 0
    while time.monotonic() < until:
        turn += 1
        x = window.x + window.width // 2 + 7 * (turn % 5)
        y = window.y + window.height * 2 // 3 + 5 * (turn % 3)
        found = _probe(page, display, x, y)
        if found is not None and last is not None and _agree(found, last):
            page.evaluate(_FORGET)
            return found
        last = found
    raise PersonError("the browser's window does not take the pointer", hint="is a window manager running?")


def _probe(page: Page, display: Display, x: int, y: int) -> Placement | None:
    page.evaluate(_LISTEN)
    display.fake(MOTION, x=x, y=y)
    time.sleep(_STEP_SECONDS)
    seen = page.evaluate(_SEEN)
    if seen is None:
        return None
    scale = float(seen[2])
    return Placement(x - float(seen[0]) * scale, y - float(seen[1]) * scale, scale)


def _agree(left: Placement, right: Placement) -> bool:
    return abs(left.left - right.left) <= _AGREE and abs(left.top - right.top) <= _AGREE
