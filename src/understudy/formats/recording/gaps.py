"""Gaps: stretches of which something is missing, without a word on why.

Rules

* There is one kind of gap. "A health segment was dropped" would itself be sensitive, so a crash, an overflow,
  a pause, a window out of scope and a drop all look the same.
* Gaps are sorted, and neither overlap nor touch: two that touch are one.
* A gap is widened to the grid, outward, never narrowed.

Example

>>> united([Gap(from_ms=2000, to_ms=3000), Gap(from_ms=0, to_ms=1000), Gap(from_ms=1000, to_ms=1500)])
(Gap(from_ms=0, to_ms=1500), Gap(from_ms=2000, to_ms=3000))
"""

from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta

from understudy.consent.primitives import Value
from understudy.formats.recording.bounds import MAX_GAPS
from understudy.formats.recording.layout import Milliseconds


class Gap(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that happened between the two times is not in the file."""

    from_ms: Milliseconds
    to_ms: Milliseconds


class GapChunk(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The content of the chunk of gaps."""

    gaps: Annotated[tuple[Gap, ...], Meta(min_length=1, max_length=MAX_GAPS)]


def widened(from_ms: int, to_ms: int, grid_ms: int) -> Gap:
    """Return the gap between two times with both ends moved outward to the grid."""
    start = from_ms // grid_ms * grid_ms
    return Gap(from_ms=start, to_ms=max(-(-to_ms // grid_ms) * grid_ms, start + grid_ms))


def united(gaps: Iterable[Gap]) -> tuple[Gap, ...]:
    """Return the same stretches as sorted gaps that neither overlap nor touch; empty ones vanish."""
    joined: list[Gap] = []
    for gap in sorted(gaps, key=lambda gap: (gap.from_ms, gap.to_ms)):
        if gap.from_ms >= gap.to_ms:
            continue
        if joined and gap.from_ms <= joined[-1].to_ms:
            joined[-1] = Gap(from_ms=joined[-1].from_ms, to_ms=max(joined[-1].to_ms, gap.to_ms))
        else:
            joined.append(gap)
    return tuple(joined)


def is_whole(gaps: Iterable[Gap], from_ms: int, to_ms: int) -> bool:
    """Return whether no gap reaches into the stretch."""
    return all(gap.to_ms <= from_ms or gap.from_ms >= to_ms for gap in gaps)
