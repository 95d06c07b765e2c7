"""The state before a pointer act: what the person saw when they decided, not what the pointer made of it.

Rules

* The target is the deepest actionable element at the point.
* The state before is the newest version that was complete before the pointer last entered the target's box,
  provided that the effect of the act before had settled by then.
* An effect has settled when nothing changed for 100 ms; after 1 s it counts as settled whatever happens.
  Reading a screen takes time: the first change belongs to the act if it is complete within 250 ms.
* The state must hold the target at that point: the same place, with the same name. Where no such state is, it
  is the newest one before the act, marked ``pointer-inside``.
* The ring forgets. A pointer that was inside for longer than that is ``pointer-inside`` too.

Why: a page may change its look under the pointer. A model that is shown such a state learns to read the
answer off the screen, and is worthless where nobody points.

Example

>>> settled(1_000, [1_120, 1_190, 1_600])
1190
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from understudy.formats.elements import Box, Element
from understudy.formats.recording.actions import Mark
from understudy.formats.recording.sights import Place, Sight, Sights
from understudy.formats.recording.trace import Trace

QUIET_MS: Final = 100
EFFECT_MS: Final = 1_000
FIRST_CHANGE_MS: Final = 250


class Origin(NamedTuple):
    """The state before an act, the target in it, and what is to be known about it."""

    sight: Sight | None = None
    number: int | None = None
    marks: tuple[Mark, ...] = ()

    @property
    def element(self) -> Element | None:
        """The target."""
        if self.sight is None or self.sight.scene is None or self.number is None:
            return None
        return self.sight.scene.element(self.number)

    @property
    def place(self) -> Place | None:
        """The target's place."""
        if self.sight is None or self.sight.scene is None or self.number is None:
            return None
        return self.sight.scene.place(self.number)


def settled(acted: int, changes: Iterable[int]) -> int:
    """Return when the effect of an act had settled.

    Args:
        acted: when the act ended.
        changes: times of versions after that, in order.
    """
    last, patience = acted, FIRST_CHANGE_MS
    for time in changes:
        if time > acted + EFFECT_MS or time - last > patience:
            break
        last, patience = time, QUIET_MS
    return last


def origin_at(sights: Sights, trace: Trace, *, x: int, y: int, time: int, acted: int | None) -> Origin:
    """Return the state before a pointer act and its target.

    Args:
        sights: what the screen showed.
        trace: where the pointer was, the act's own place included.
        x: of the act, in pixels of the screen.
        y: likewise.
        time: when the act began.
        acted: when the act before it ended; None if there was none.
    """
    latest = sights.newest(time)
    if latest is None or latest.scene is None:
        return Origin(latest, None, (Mark.POINTER_INSIDE,))
    number = latest.scene.tree.actionable_at(x, y)
    if number is None:
        return Origin(latest)
    entered = trace.entered(boxes_at(latest, number, x, y), time)
    return origin_before(sights, latest, number, x=x, y=y, entered=entered, acted=acted, now=time)


def origin_before(
    sights: Sights,
    latest: Sight,
    number: int,
    *,
    x: int,
    y: int,
    entered: int | None,
    acted: int | None,
    now: int,
) -> Origin:
    """Return the state from before ``entered`` that holds the target, or else ``latest``, marked."""
    if entered is not None and (acted is None or entered >= settled(acted, sights.after(acted, now))):
        chosen = sights.newest(entered, now)
        found = number if chosen is latest else _same(chosen, latest, number, x, y)
        if found is not None:
            return Origin(chosen, found)
    return Origin(latest, number, (Mark.POINTER_INSIDE,))


def boxes_at(sight: Sight, number: int, x: int, y: int) -> tuple[Box, ...]:
    """Return the boxes that are entered with a target: its own, and that of what lies in it at the point."""
    if sight.scene is None:
        return ()
    tree = sight.scene.tree
    deepest = tree.deepest_at(x, y)
    is_in = deepest is not None and number in tree.path(deepest)
    found = (sight.scene.element(one).box for one in {number, deepest if is_in and deepest else number})
    return tuple(box for box in found if box is not None)


def _same(chosen: Sight | None, latest: Sight, number: int, x: int, y: int) -> int | None:
    """Return the target in an earlier version, if it is the same there."""
    if chosen is None or chosen.scene is None or latest.scene is None:
        return None
    found = chosen.scene.tree.actionable_at(x, y)
    if found is None or chosen.scene.place(found) != latest.scene.place(number):
        return None
    return found if chosen.scene.element(found).name == latest.scene.element(number).name else None
