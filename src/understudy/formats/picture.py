"""Pixels in memory, without any image library.

Rules

* ``rgb`` holds 3 bytes a pixel, row by row from the top left; nothing here checks that it fills the size.
* A ``repr`` shows the size only: pixels of a screen belong in no traceback.

>>> Picture(width=2, height=1, rgb=bytes(6))
Picture(width=2, height=1)
"""

import msgspec


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """Decoded pixels of a screen or of a box of it."""

    width: int
    height: int
    rgb: bytes

    def __repr__(self) -> str:
        return f"Picture(width={self.width}, height={self.height})"


class PlacedPicture(msgspec.Struct, frozen=True, kw_only=True):
    """Pixels of a box of the screen, and where its top left corner lies."""

    x: int
    y: int
    picture: Picture
