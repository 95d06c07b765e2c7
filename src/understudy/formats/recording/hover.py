"""Hovers: the pointer rested somewhere, something opened, and the next act fell on what had opened.

Rules

* Three things make a hover, and all three must be seen: a rest of 300 ms within one element that the pointer
  entered after the act before; something new showing since, that belongs to the element; and the next act on
  that.
* What opens belongs to the element if that says that it opens something, or if it stands beside or below it
  in the tree, or touches it on the screen without lying under the pointer. The element goes on showing.
* Menus in menus are hovers in a row. A rest that led to nothing is no act.

Example: see ``understudy.formats.recording.assembly`` and its tests.
"""

from collections import deque
from collections.abc import Sequence
from typing import Final, NamedTuple

from understudy.formats.elements import Box, ElementState
from understudy.formats.recording.prestate import Origin, boxes_at, origin_before
from understudy.formats.recording.sights import Place, Scene, Sight, Sights
from understudy.formats.recording.trace import Spot, Trace

REST_MS: Final = 300
LATE_MS: Final = 300
"""What opened is read a little later, when the pointer may be on its way into it already."""
TOUCH: Final = 16
KEPT: Final = 32
_OPENS: Final = frozenset({ElementState.EXPANDABLE, ElementState.EXPANDED, ElementState.HASPOPUP})


class Rest(NamedTuple):
    """The pointer lay in an element when something changed; whether that was a hover is known later."""

    old: Scene
    new: Scene
    changed: int
    entered: int
    origin: Origin
    boxes: tuple[Box, ...]
    spot: Spot


class Hovers:
    """The rests since the last act."""

    def __init__(self) -> None:
        self._rests: deque[Rest] = deque(maxlen=KEPT)

    def forget(self) -> None:
        """Begin anew: there was an act."""
        self._rests.clear()

    def see(self, old: Sight | None, new: Sight, *, sights: Sights, trace: Trace, acted: int | None) -> None:
        """Note where the pointer lay when the screen changed from one version to the next."""
        if old is None or old.scene is None or new.scene is None or old.scene is new.scene:
            return
        known: set[int] = {0}  # nobody rests on the page as a whole
        for spot in trace.backward(new.time):
            number = old.scene.tree.actionable_at(spot.x, spot.y)
            if number is not None and number not in known:
                known.add(number)
                boxes = boxes_at(old, number, spot.x, spot.y)
                entered = trace.entered(boxes, spot.time)
                if entered is not None and (acted is None or entered >= acted):
                    origin = origin_before(
                        sights, old, number, x=spot.x, y=spot.y, entered=entered, acted=acted, now=new.time
                    )
                    self._rests.append(Rest(old.scene, new.scene, new.time, entered, origin, boxes, spot))
            if spot.time < new.time - LATE_MS:
                return

    def before(self, place: Place, time: int, trace: Trace) -> Sequence[Rest]:
        """Return the hovers, in order, that led to something showing at ``place``, acted on at ``time``."""
        found: list[Rest] = []
        for rest in reversed(self._rests):
            left = trace.left(rest.boxes, rest.entered)
            rested = (time if left is None else min(left, time)) - rest.entered
            if rest.changed <= time and rested >= REST_MS and rest.origin.place and _opened(rest, place):
                found.append(rest)
                place, time = rest.origin.place, rest.entered
        return found[::-1]


def _opened(rest: Rest, place: Place) -> bool:
    """Return whether what shows at a place appeared then, and belongs to where the pointer lay."""
    here = rest.origin.place
    if here is None or rest.old.shows(place) or not rest.new.shows(place) or not rest.new.shows(here):
        return False
    number = rest.new.find(place)
    steps = () if number is None else rest.new.tree.path(number)
    top = next((step for step in steps if not rest.old.shows(rest.new.place(step))), 0)
    speaking = [element for element in (rest.old.at(here), rest.new.at(here)) if element is not None]
    if any(not _OPENS.isdisjoint(element.states) for element in speaking):
        return True
    parent = rest.new.element(top).parent
    above = () if parent is None else rest.new.place(parent)
    if len(above) > 1 and above in {here, here[:-1], here[:-2]}:
        return True
    opened = _around(rest, parent)
    return not opened.contains(rest.spot.x, rest.spot.y) and any(_touch(opened, box) for box in rest.boxes)


def _around(rest: Rest, parent: int | None) -> Box:
    """Return the box around all that newly shows below one element."""
    new = [] if parent is None else [rest.new.place(child) for child in rest.new.tree.children(parent)]
    shown = [rest.new.at(place) for place in new if rest.new.shows(place) and not rest.old.shows(place)]
    boxes = [element.box for element in shown if element is not None and element.box is not None]
    if not boxes:
        return Box(0, 0, 0, 0)
    left, top = min(box.x for box in boxes), min(box.y for box in boxes)
    right = max(box.x + box.width for box in boxes)
    return Box(left, top, right - left, max(box.y + box.height for box in boxes) - top)


def _touch(first: Box, second: Box) -> bool:
    across = first.x <= second.x + second.width + TOUCH and second.x <= first.x + first.width + TOUCH
    down = first.y <= second.y + second.height + TOUCH and second.y <= first.y + first.height + TOUCH
    return across and down
