"""Telling snapshots: each only where something differs from what was told before.

Rules

* The first after ``reset`` is whole. After that a tree or a frame that equals the last one is left out; where
  both do, nothing is told.
* Times never run backwards.

Example

>>> told = []
>>> teller = Teller(told.append)
>>> tree = bare_tree("xterm", "Terminal", Box(0, 0, 10, 10))
>>> teller.tell(tree, None, 5), teller.tell(tree, None, 9), [snapshot.time for snapshot in told]
(True, False, [5])
"""

from collections.abc import Callable

from understudy.formats.elements import Box, Element, ElementState, ElementTree, Role
from understudy.formats.picture import PlacedPicture
from understudy.formats.raw.events import CLOCK
from understudy.recorder.capture.observed import Snapshot

__all__ = ["Teller", "bare_tree", "is_same"]


class Teller:
    """Remembers what was told last."""

    def __init__(self, emit: Callable[[Snapshot], None]) -> None:
        self._emit = emit
        self._tree: ElementTree | None = None
        self._frame: PlacedPicture | None = None
        self._at: int | None = None

    def reset(self) -> None:
        """Forget what was told: the next snapshot stands alone."""
        self._tree = self._frame = self._at = None

    def is_news(self, tree: ElementTree) -> bool:
        """Return whether ``tree`` differs from the last one."""
        return tree != self._tree

    def tell(self, tree: ElementTree, frame: PlacedPicture | None, time: int) -> bool:
        """Tell what differs; return whether anything did."""
        new_tree = tree if tree != self._tree else None
        new_frame = None if frame is None or is_same(frame, self._frame) else frame
        if new_tree is None and new_frame is None:
            return False
        if self._at is not None and (time - self._at) % CLOCK > CLOCK // 2:
            time = self._at
        self._tree, self._at = tree, time
        self._frame = new_frame or self._frame
        self._emit(Snapshot(time=time, tree=new_tree, frame=new_frame))
        return True


def is_same(one: PlacedPicture | None, other: PlacedPicture | None) -> bool:
    """Return whether two frames show the same pixels at the same place."""
    if one is None or other is None:
        return one is other
    same_place = (one.x, one.y, one.picture.width) == (other.x, other.y, other.picture.width)
    return same_place and one.picture.rgb == other.picture.rgb


def bare_tree(application: str, title: str, box: Box) -> ElementTree:
    """Return the tree of a window that tells nothing: its root."""
    root = Element(role=Role.WINDOW, name=title[:2_000], states=(ElementState.SHOWING,), box=box)
    return ElementTree(elements=(root,), application=application[:200] or None)
