"""The screen that boxes and points are pixels of.

Rules

* Sizes fit 16 bits, as the packed events of a raw file do.

>>> Screen(width=800, height=600).scale_percent
100
"""

from typing import Annotated, Final

from msgspec import Meta

from understudy.consent.primitives import Value

MAX_SIDE: Final = 65_535


class Screen(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Size of the screen in pixels, and its scale in per cent."""

    width: Annotated[int, Meta(ge=1, le=MAX_SIDE)]
    height: Annotated[int, Meta(ge=1, le=MAX_SIDE)]
    scale_percent: Annotated[int, Meta(ge=25, le=1_000)] = 100
