"""Where the pointer was lately: kept for minutes in memory, to find out when it entered and left a box.

Rules

* The path is for that only. No action has a field for it, and nothing here is written anywhere.
* Sources thin motion. The pointer may have entered up to 30 ms before the first place inside that was told,
  but not before the last place outside. Where the first place inside is that of a press, only the latter is
  sure.
* Where no place outside is known, nobody knows when it entered.

Example

>>> trace = Trace()
>>> for time, x in ((0, 5), (100, 50), (110, 90), (400, 95)):
...     trace.add(time, x, 5, is_motion=True)
>>> trace.entered((Box(80, 0, 40, 10),), 500), trace.left((Box(0, 0, 20, 20),), 0)
(100, 100)
"""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from understudy.formats.elements import Box

THINNED_MS: Final = 30
KEPT: Final = 4_096


class Spot(NamedTuple):
    """Where the pointer was at a time; ``is_motion`` is false where a press or the wheel told it."""

    time: int
    x: int
    y: int
    is_motion: bool

    def is_in(self, boxes: Sequence[Box]) -> bool:
        """Return whether it lies in any of the boxes."""
        return any(box.contains(self.x, self.y) for box in boxes)


class Trace:
    """The path of the pointer, newest last."""

    def __init__(self) -> None:
        self._spots: deque[Spot] = deque(maxlen=KEPT)

    def add(self, time: int, x: int, y: int, *, is_motion: bool) -> None:
        """Note a place."""
        self._spots.append(Spot(time, x, y, is_motion))

    def forget(self) -> None:
        """Forget the path: part of it is missing."""
        self._spots.clear()

    def backward(self, until: int) -> Iterator[Spot]:
        """Yield the places up to a time, newest first."""
        return (spot for spot in reversed(self._spots) if spot.time <= until)

    def entered(self, boxes: Sequence[Box], until: int) -> int | None:
        """Return the latest time at which the pointer was surely not yet in boxes that it is in at ``until``.

        None where that is not known.
        """
        inside: Spot | None = None
        for spot in self.backward(until):
            if not spot.is_in(boxes):
                is_close = inside is not None and inside.is_motion
                return max(spot.time, inside.time - THINNED_MS) if inside and is_close else spot.time
            inside = spot
        return None

    def left(self, boxes: Sequence[Box], since: int) -> int | None:
        """Return when the pointer was first seen outside the boxes after ``since``; None if never."""
        left: int | None = None
        for spot in reversed(self._spots):
            if spot.time <= since:
                break
            if not spot.is_in(boxes):
                left = spot.time
        return left
