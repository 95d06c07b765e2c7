"""What the screen showed lately: a ring of versions for each window, with places found quickly.

Rules

* A version is the latest tree and the latest frame of the active window; equal times join to one.
* What shows the same as before is no new version.
* A version stays for 5 s after the next one of its window was complete, and 64 versions stay at most. The
  last one of a window always stays. The rest is forgotten.
* A window sees its own versions only: what another window showed is no state before anything in this one.

Example

>>> from understudy.formats.elements import Element, Role
>>> sights = Sights()
>>> _ = sights.show_tree(40, Scene(ElementTree(elements=(Element(role=Role.DOCUMENT),))))
>>> sights.newest(39), sights.newest(40).time
(None, 40)
"""

from collections.abc import Iterator
from functools import cached_property
from typing import Final, NamedTuple

from understudy.formats.elements import Element, ElementState, ElementTree
from understudy.formats.picture import PlacedPicture

Place = tuple[tuple[str, str, int], ...]
"""As ``ElementTree.place`` returns it."""

RING_MS: Final = 5_000
RING_VERSIONS: Final = 64
WINDOWS: Final = 8


class Scene:
    """A tree with its places. They are named once, when they are first asked for."""

    def __init__(self, tree: ElementTree) -> None:
        self.tree: Final = tree

    def element(self, number: int) -> Element:
        """Return an element."""
        return self.tree.elements[number]

    def place(self, number: int) -> Place:
        """Return the place of an element."""
        return self._places[number]

    def find(self, place: Place | None) -> int | None:
        """Return the element at a place, if there is one."""
        return None if place is None else self._numbers.get(place)

    def at(self, place: Place | None) -> Element | None:
        """Return the element at a place, if there is one."""
        number = self.find(place)
        return None if number is None else self.tree.elements[number]

    def shows(self, place: Place) -> bool:
        """Return whether something is to be seen at a place."""
        element = self.at(place)
        if element is None or element.box is None or not element.box.width or not element.box.height:
            return False
        knows = ElementState.SHOWING in self.tree.elements[0].states
        return not knows or ElementState.SHOWING in element.states

    @cached_property
    def focused(self) -> int | None:
        """The element that says it has the focus; the last in document order, for it is the deepest."""
        elements = self.tree.elements
        found = (n for n in range(len(elements) - 1, -1, -1) if ElementState.FOCUSED in elements[n].states)
        return next(found, None)

    @cached_property
    def _places(self) -> list[Place]:
        places: list[Place] = []
        kin: dict[tuple[int | None, str, str], int] = {}
        for element in self.tree.elements:
            parent, role, mark = element.parent, element.role.value, element.id or element.tag or ""
            before = kin.get((parent, role, mark), 0)
            kin[parent, role, mark] = before + 1
            above = () if parent is None else places[parent]
            places.append((*above, (role, mark, before)))
        return places

    @cached_property
    def _numbers(self) -> dict[Place, int]:
        return {place: number for number, place in enumerate(self._places)}


class Sight(NamedTuple):
    """One version: what a window showed at a time, in milliseconds since the start."""

    time: int
    scene: Scene | None
    frame: PlacedPicture | None
    window: int | None = None


class Sights:
    """The ring."""

    def __init__(self) -> None:
        self._window: int | None = None
        self._rings: dict[int | None, list[Sight]] = {None: []}

    @property
    def last(self) -> Sight | None:
        """The newest version of the active window."""
        ring = self._rings[self._window]
        return ring[-1] if ring else None

    def enter(self, window: int) -> bool:
        """Note which window is active, and return whether it is another one than before."""
        if window == self._window:
            return False
        is_first = self._window is None
        ring = self._rings.pop(self._window if is_first else window, [])
        self._rings[window] = ring  # last in the order of the dict: the one that was used last
        self._window = window
        while len(self._rings) > WINDOWS:
            del self._rings[next(iter(self._rings))]
        return not is_first

    def show_tree(self, time: int, scene: Scene) -> Sight:
        """Note a tree that was complete, and return the version that it makes."""
        last = self.last
        if last and last.scene and last.scene.tree == scene.tree:
            scene = last.scene
        return self._add(Sight(time, scene, last and last.frame, self._window))

    def show_frame(self, time: int, frame: PlacedPicture) -> Sight:
        """Note a frame that was grabbed, and return the version that it makes."""
        last = self.last
        return self._add(Sight(time, last and last.scene, frame, self._window))

    def newest(self, until: int, now: int | None = None) -> Sight | None:
        """Return the newest version that was complete at ``until``, if the ring still holds it at ``now``."""
        ring = self._trimmed(until if now is None else now)
        return next((sight for sight in reversed(ring) if sight.time <= until), None)

    def after(self, time: int, until: int) -> Iterator[int]:
        """Yield the times of versions that were complete later than one time, up to another."""
        yield from (sight.time for sight in self._rings[self._window] if time < sight.time <= until)

    def _add(self, sight: Sight) -> Sight:
        ring = self._trimmed(sight.time)
        last = ring[-1] if ring else None
        if last and last.scene is sight.scene and last.frame == sight.frame:
            return sight  # seen again: no new version
        if last and last.time == sight.time:
            ring.pop()
        ring.append(sight)
        del ring[:-RING_VERSIONS]
        return sight

    def _trimmed(self, now: int) -> list[Sight]:
        ring = self._rings[self._window]
        gone = 0
        while gone + 1 < len(ring) and ring[gone + 1].time < now - RING_MS:
            gone += 1
        del ring[:gone]
        return ring
