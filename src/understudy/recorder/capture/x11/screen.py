"""The pixels of an X display, through shared memory.

Rules

* A grab is what the screen shows at that moment, without the pointer.
* Boxes are cut to the screen. A box that lies outside it has no picture.
* One buffer is used again for each grab: fresh memory costs five times the grab itself. ``close`` wipes it.

Example::

    with X11Screen(":1") as screen:
        screen.grab(Box(0, 0, 800, 600))       # PlacedPicture(x=0, y=0, ...)
"""

import contextlib
from collections.abc import Iterable
from types import TracebackType
from typing import Final, Self

import mss
import numpy as np

from understudy.formats.elements import Box
from understudy.formats.picture import Picture, PlacedPicture
from understudy.formats.screen import Screen
from understudy.recorder.capture.x11.display import Display
from understudy.recorder.capture.x11.errors import DisplayGoneError, NoDisplayError

_RGB: Final = ((0, 2), (1, 1), (2, 0))
"""Where red, green and blue go, and where a server's pixel of 32 bits has them."""


class X11Screen:
    """The screen of a display. Use as a context manager, or ``close`` it.

    Args:
        display: such as ``:1``; None for the environment's.

    Attributes:
        screen: its size.

    Raises:
        NoDisplayError: there is no such display.
    """

    def __init__(self, display: str | None = None) -> None:
        with Display(display) as asked:
            self.screen: Final[Screen] = asked.screen
        self._pixels = np.empty(self.screen.width * self.screen.height * len(_RGB), np.uint8)
        try:
            self._source: mss.MSS | None = mss.MSS(display=display)
        except mss.ScreenShotError as error:
            raise NoDisplayError("the X display gives no pixels") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the shared memory back. Idempotent."""
        if self._source is not None:
            with contextlib.suppress(mss.ScreenShotError):  # the display may be gone already
                self._source.close()
            self._source = None
            self._pixels[:] = 0

    def grab(self, box: Box | None = None) -> PlacedPicture | None:
        """Return the pixels of a box, cut to the screen, or of all of it; None where nothing is left.

        Raises:
            DisplayGoneError: the display ended.
        """
        wanted = box or Box(0, 0, self.screen.width, self.screen.height)
        left, top = max(wanted.x, 0), max(wanted.y, 0)
        right = min(wanted.x + wanted.width, self.screen.width)
        bottom = min(wanted.y + wanted.height, self.screen.height)
        if left >= right or top >= bottom:
            return None
        if self._source is None:
            raise DisplayGoneError("the connection to the X display is closed")
        try:
            shot = self._source.grab((left, top, right, bottom))
        except (
            mss.ScreenShotError,
            AssertionError,
            OSError,
            ValueError,
        ) as error:  # mss asserts that it answers
            raise DisplayGoneError("the X display gives no pixels any more") from error
        return PlacedPicture(
            x=left, y=top, picture=Picture(width=shot.width, height=shot.height, rgb=self._rgb(shot))
        )

    def _rgb(self, shot: mss.ScreenShot) -> bytes:
        """Return red, green and blue of each pixel; plane by plane, a third of the time of a strided copy."""
        pixels = np.frombuffer(shot.raw, np.uint8).reshape(shot.height, shot.width, 4)
        size = shot.height * shot.width * len(_RGB)
        turned = self._pixels[:size].reshape(shot.height, shot.width, len(_RGB))
        for to, source in _RGB:
            turned[..., to] = pixels[..., source]
        return turned.tobytes()


def blackened(taken: PlacedPicture, boxes: Iterable[Box]) -> PlacedPicture:
    r"""Return the pixels with some boxes of the screen black.

    >>> taken = PlacedPicture(x=5, y=0, picture=Picture(width=2, height=1, rgb=b"abcdef"))
    >>> blackened(taken, [Box(6, 0, 9, 9)]).picture.rgb
    b'abc\x00\x00\x00'
    """
    picture, pixels = taken.picture, None
    for box in boxes:
        left, top = max(box.x - taken.x, 0), max(box.y - taken.y, 0)
        right, bottom = max(box.x + box.width - taken.x, 0), max(box.y + box.height - taken.y, 0)
        if left >= min(right, picture.width) or top >= min(bottom, picture.height):
            continue
        if pixels is None:
            pixels = np.frombuffer(picture.rgb, np.uint8).reshape(picture.height, picture.width, 3).copy()
        pixels[top:bottom, left:right] = 0
    if pixels is None:
        return taken
    black = Picture(width=picture.width, height=picture.height, rgb=pixels.tobytes())
    return PlacedPicture(x=taken.x, y=taken.y, picture=black)
