"""Finds rendered text in pixels: template matching on ink.

Rules

* A template is the text as a browser draws it, cut to its ink. On a screen of scale 1 the same face and size
  give the same pixels wherever they stand, so the rarest row of ink is looked up exactly and the rest is then
  compared with a tolerance.
* Ink is what is darker than the middle between text and ground. Which grey that is depends on their colours,
  so a picture is looked at under several, and inverted for light text.
* A template of under 40 ink pixels proves nothing and is refused.

Example

>>> dot = Picture(width=2, height=1, rgb=bytes([0, 0, 0, 255, 255, 255]))
>>> ink(dot).tolist()
[[1, 0]]
"""

from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from understudy.formats.picture import Picture
from understudy.redaction.canaries.planted import CanaryError

LEAST_INK: Final = 40
TOLERANCE: Final = 0.04
"""Share of the template's pixels that may differ."""
_MIDDLE: Final = 128
MIDDLES: Final = tuple(range(64, 208, 16))
"""Greys that may lie in the middle between text and ground."""

Ink = NDArray[np.uint8]


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """How one canary looks: its number, and its ink, one byte a pixel."""

    canary: int
    ink: Ink
    row: int
    pattern: bytes

    def __repr__(self) -> str:
        return f"Template(canary={self.canary})"


def ink(picture: Picture) -> Ink:
    """Return 1 where a pixel is dark, 0 elsewhere; height x width."""
    return (_luma(picture) < _MIDDLE).astype(np.uint8)


def template(canary: int, picture: Picture) -> Template:
    """Return the template of a canary drawn dark on light.

    Raises:
        CanaryError: hardly anything is drawn.
    """
    drawn = ink(picture)
    rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
    if int(drawn.sum()) < LEAST_INK:
        raise CanaryError(f"the picture of canary {canary} shows hardly anything")
    cut = np.ascontiguousarray(drawn[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    changes = np.abs(np.diff(cut.astype(np.int8), axis=1)).sum(axis=1)
    row = int(changes.argmax())
    return Template(canary=canary, ink=cut, row=row, pattern=cut[row].tobytes())


def shows(picture: Picture, wanted: Template) -> bool:
    """Return whether the picture shows the template anywhere, dark on light or light on dark."""
    height, width = wanted.ink.shape
    if picture.height < height or picture.width < width:
        return False
    luma = _luma(picture)
    drawings = ((luma < middle).astype(np.uint8) for middle in MIDDLES)
    return any(_shows(drawn, wanted) or _shows(1 - drawn, wanted) for drawn in drawings)


def _luma(picture: Picture) -> NDArray[np.uint8]:
    """Return the brightness of every pixel by ITU-R BT.601, 0 to 255; height x width."""
    rgb = np.frombuffer(picture.rgb, dtype=np.uint8).reshape(picture.height, picture.width, 3)
    return ((rgb.astype(np.uint32) @ np.array([299, 587, 114], dtype=np.uint32)) // 1000).astype(np.uint8)


def _shows(drawn: Ink, wanted: Template) -> bool:
    height, width = wanted.ink.shape
    most = int(TOLERANCE * wanted.ink.size)
    flat = drawn.tobytes()
    stride = drawn.shape[1]
    at = flat.find(wanted.pattern)
    while at >= 0:
        y, x = at // stride - wanted.row, at % stride
        if y >= 0 and y + height <= drawn.shape[0] and x + width <= stride:
            differing = int(np.count_nonzero(drawn[y : y + height, x : x + width] != wanted.ink))
            if differing <= most:
                return True
        at = flat.find(wanted.pattern, at + 1)
    return False
