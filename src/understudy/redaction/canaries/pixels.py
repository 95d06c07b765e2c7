"""Finds rendered text in pixels: template matching by normalised cross-correlation.

Rules

* A template is the text as a browser draws it, cut to its ink. Browsers place letters at fractions of a pixel
  and screens have colours, so what counts is correlation, which knows neither colour nor contrast: ``ALIKE``
  or more of 1, or of -1 for light text on dark.
* A glance at half the size comes first; only what might be a match there is compared in full.
* A template that is hardly anything, or nothing but ink, proves nothing and is refused.

Lewis, "Fast normalized cross-correlation", 1995.

Example

>>> bars = np.tile(np.array([0, 255, 255], dtype=np.uint8), 100).reshape(10, 30)
>>> picture = Picture(width=30, height=10, rgb=np.repeat(bars, 3).tobytes())
>>> shows(picture, template(1, picture))
True
"""

from collections.abc import Iterable
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from understudy.formats.picture import Picture
from understudy.redaction.canaries.planted import CanaryError

ALIKE: Final = 0.8
LIKELY: Final = 0.55
"""How alike picture and template must be at half their size to be compared in full."""
LEAST_INK: Final = 40
MIDDLE: Final = 128
_FLAT: Final = 4.0
"""Standard deviation, in greys, under which a place shows nothing."""

Grey = NDArray[np.float32]


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """How one canary looks: its number, and its drawings in greys, each without its mean."""

    canary: int
    drawings: tuple[Grey, ...]

    def __repr__(self) -> str:
        return f"Template(canary={self.canary})"


def template(canary: int, *pictures: Picture) -> Template:
    """Return the template of a canary drawn black on white, once or in several ways.

    Raises:
        CanaryError: hardly anything is drawn.
    """
    drawings = []
    for grey in map(_grey, pictures):
        dark = grey < MIDDLE
        if not LEAST_INK <= int(dark.sum()) <= dark.size // 2:
            raise CanaryError(f"the picture of canary {canary} shows hardly anything, or nothing but ink")
        rows, columns = np.flatnonzero(dark.any(axis=1)), np.flatnonzero(dark.any(axis=0))
        cut = grey[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        drawings.append(_without_mean(cut))
    return Template(canary=canary, drawings=tuple(drawings))


def shows(picture: Picture, wanted: Template) -> bool:
    """Return whether the picture shows the template anywhere."""
    return bool(shown(picture, [wanted]))


def shown(picture: Picture, templates: Iterable[Template]) -> set[int]:
    """Return the numbers of the canaries that the picture shows."""
    grey = _grey(picture)
    coarse, fine = _Place(_halved(grey)), None
    found: set[int] = set()
    for wanted in templates:
        for drawing in wanted.drawings:
            # At half the size it matters on which row a line of text began.
            glances = (coarse.likeness(_without_mean(_halved(drawing[row:]))) for row in (0, 1))
            if wanted.canary in found or all(glance < LIKELY for glance in glances):
                continue
            fine = fine or _Place(grey)
            if fine.likeness(drawing) >= ALIKE:
                found.add(wanted.canary)
    return found


class _Place:
    """One picture, transformed once for all templates."""

    def __init__(self, grey: Grey) -> None:
        self._shape = grey.shape
        self._size = _smooth(grey.shape[0]), _smooth(grey.shape[1])
        # Values near zero keep the sums exact enough in the sums of squares below.
        centred = grey - np.float32(MIDDLE)
        self._spectrum = np.fft.rfft2(centred, self._size)
        self._sums = _running(centred.astype(np.float64))
        self._squares = _running(centred.astype(np.float64) ** 2)

    def likeness(self, drawing: Grey) -> float:
        """Return the largest absolute correlation of the drawing with any place of the picture, 0 to 1."""
        height, width = drawing.shape
        if height > self._shape[0] or width > self._shape[1]:
            return 0.0
        product = self._spectrum * np.conj(np.fft.rfft2(drawing, self._size))
        rows, columns = self._shape[0] - height + 1, self._shape[1] - width + 1
        shared = np.fft.irfft2(product, self._size)[:rows, :columns]
        count = height * width
        total, squares = _windows(self._sums, height, width), _windows(self._squares, height, width)
        spread = squares - total**2 / count
        lively = spread > count * _FLAT**2
        if not lively.any():
            return 0.0
        energy = float((drawing.astype(np.float64) ** 2).sum())
        return float((np.abs(shared[lively]) / np.sqrt(spread[lively] * energy)).max())


def _smooth(length: int) -> int:
    """Return the least number from ``length`` on that a fast Fourier transform likes: 2^a 3^b 5^c."""
    while True:
        rest = length
        for factor in (2, 3, 5):
            while rest % factor == 0:
                rest //= factor
        if rest == 1:
            return length
        length += 1


def _halved(grey: Grey) -> Grey:
    """Return the picture at half its size, each pixel the mean of four."""
    height, width = (side // 2 * 2 for side in grey.shape)
    even = grey[:height, :width]
    whole = even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]
    return np.asarray(whole, dtype=np.float32) / np.float32(4)


def _without_mean(grey: Grey) -> Grey:
    return np.asarray(grey - grey.mean(), dtype=np.float32)


def _running(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sums over all rectangles from the top left, with a row and a column of zeros before."""
    return np.pad(values.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))


def _windows(running: NDArray[np.float64], height: int, width: int) -> NDArray[np.float64]:
    """Return the sum over every window of a size, by its top left corner."""
    below = running[height:, width:] - running[height:, :-width]
    above = running[:-height, width:] - running[:-height, :-width]
    return np.asarray(below - above)


def _grey(picture: Picture) -> Grey:
    """Return the brightness of every pixel by ITU-R BT.601, 0 to 255; height x width."""
    rgb = np.frombuffer(picture.rgb, dtype=np.uint8).reshape(picture.height, picture.width, 3)
    return rgb.astype(np.float32) @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
