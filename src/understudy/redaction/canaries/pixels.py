"""Finds rendered text in pixels: template matching on ink.

Rules

* A template is the text as a browser draws it, cut to its ink. On a screen of scale 1 the same face and size
  give the same pixels wherever they stand, so one row of ink is looked up exactly and the rest is then
  compared with a tolerance.
* Ink is what is darker than the middle between text and ground. Which grey that is depends on their colours,
  so both are looked at under several, and the picture inverted for light text.
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
MIDDLE: Final = 128
MIDDLES: Final = tuple(range(64, 208, 8))
"""Greys that may lie in the middle between text and ground."""
NEAR: Final = tuple(range(104, 156, 4))
"""The same for a template, which is black on white: what blurs differs by rounding only."""

Ink = NDArray[np.uint8]


class Drawing(msgspec.Struct, frozen=True, kw_only=True):
    """Ink, one byte a pixel, and its row that changes most often, as bytes to look up."""

    ink: Ink
    row: int
    pattern: bytes


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """How one canary looks: its number, and its drawings."""

    canary: int
    drawings: tuple[Drawing, ...]

    def __repr__(self) -> str:
        return f"Template(canary={self.canary})"


def ink(picture: Picture) -> Ink:
    """Return 1 where a pixel is dark, 0 elsewhere; height x width."""
    return (_luma(picture) < MIDDLE).astype(np.uint8)


def template(canary: int, picture: Picture) -> Template:
    """Return the template of a canary drawn black on white.

    Raises:
        CanaryError: hardly anything is drawn.
    """
    luma = _luma(picture)
    if int((luma < MIDDLE).sum()) < LEAST_INK:
        raise CanaryError(f"the picture of canary {canary} shows hardly anything")
    drawings = {made.pattern: made for made in (_drawing(luma < middle) for middle in NEAR)}
    return Template(canary=canary, drawings=tuple(drawings.values()))


def shows(picture: Picture, wanted: Template) -> bool:
    """Return whether the picture shows the template anywhere, dark on light or light on dark."""
    luma = _luma(picture)
    for middle in MIDDLES:
        dark = (luma < middle).astype(np.uint8)
        for drawn in (dark, 1 - dark):
            flat = drawn.tobytes()
            if any(_lies_in(drawn, flat, each) for each in wanted.drawings):
                return True
    return False


def _drawing(dark: NDArray[np.bool_]) -> Drawing:
    rows, columns = np.flatnonzero(dark.any(axis=1)), np.flatnonzero(dark.any(axis=0))
    cut = np.ascontiguousarray(dark[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]).astype(np.uint8)
    row = int(np.abs(np.diff(cut.astype(np.int8), axis=1)).sum(axis=1).argmax())
    return Drawing(ink=cut, row=row, pattern=cut[row].tobytes())


def _luma(picture: Picture) -> NDArray[np.uint8]:
    """Return the brightness of every pixel by ITU-R BT.601, 0 to 255; height x width."""
    rgb = np.frombuffer(picture.rgb, dtype=np.uint8).reshape(picture.height, picture.width, 3)
    return ((rgb.astype(np.uint32) @ np.array([299, 587, 114], dtype=np.uint32)) // 1000).astype(np.uint8)


def _lies_in(drawn: Ink, flat: bytes, wanted: Drawing) -> bool:
    height, width = wanted.ink.shape
    stride = drawn.shape[1]
    most = int(TOLERANCE * wanted.ink.size)
    at = flat.find(wanted.pattern)
    while at >= 0:
        y, x = at // stride - wanted.row, at % stride
        if y >= 0 and y + height <= drawn.shape[0] and x + width <= stride:
            differing = int(np.count_nonzero(drawn[y : y + height, x : x + width] != wanted.ink))
            if differing <= most:
                return True
        at = flat.find(wanted.pattern, at + 1)
    return False
