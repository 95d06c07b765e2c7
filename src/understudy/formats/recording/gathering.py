"""From decided actions to a stretch that stands alone: numbers, times on the grid, gaps cut to size.

Rules

* A stretch holds the versions that its actions name, with their trees and frames, and no others.
* Times count from the start of the stretch, rounded down to the grid. What is from before it is at 0: an
  action that was decided late, and the state before an action.
* Equal trees and equal frames are there once.

Example

>>> from understudy.formats.recording.actions import Key
>>> enter = Decided(12_700, None, Key(at_ms=0, before=None, key="Enter"))
>>> gathered([enter], [(13_100, 13_200)], 10_000, 20_000, 1_000)
Stretch(actions=1, versions=0, gaps=1)
"""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from understudy.formats.elements import ElementTree
from understudy.formats.picture import PlacedPicture
from understudy.formats.recording.actions import Action
from understudy.formats.recording.deciding import Decided
from understudy.formats.recording.gaps import Gap, united, widened
from understudy.formats.recording.sights import Sight
from understudy.formats.recording.stretch import Stretch
from understudy.formats.recording.versions import Version


def gathered(
    decided: Sequence[Decided], gaps: Iterable[tuple[int, int]], from_ms: int, to_ms: int, grid_ms: int
) -> Stretch:
    """Return the stretch of some actions and gaps.

    Args:
        decided: in order, none at or after ``to_ms``.
        gaps: begin and end, none beginning at or after ``to_ms``.
        from_ms: where the stretch begins, in milliseconds since the start of the recording.
        to_ms: where it ends.
        grid_ms: of the manifest.
    """
    shelf = _Shelf(from_ms, grid_ms)
    sights = {id(one.sight): one.sight for one in decided if one.sight is not None}
    for sight in sorted(sights.values(), key=lambda sight: sight.time):
        shelf.put(sight)
    actions: list[Action] = []
    for one in decided:
        number = None if one.sight is None else shelf.number(one.sight)
        actions.append(replace(one.action, at_ms=shelf.time(one.time), before=number))
    length = to_ms - from_ms
    cut = (_cut(begin - from_ms, end - from_ms, length, grid_ms) for begin, end in gaps)
    return Stretch(
        actions=tuple(actions),
        versions=tuple(shelf.versions),
        trees=tuple(shelf.trees),
        frames=tuple(shelf.frames),
        gaps=united(cut),
    )


def _cut(begin: int, end: int, length: int, grid_ms: int) -> Gap:
    """Return a gap inside the stretch; one that was known too late is at its start."""
    begin = min(max(begin, 0), max(length - 1, 0))
    return widened(begin, min(max(end, begin), length), grid_ms)


class _Shelf:
    """Versions, trees and frames of a stretch, each once."""

    def __init__(self, from_ms: int, grid_ms: int) -> None:
        self._from = from_ms
        self._grid = grid_ms
        self._numbers: dict[int, int] = {}
        self._trees: dict[ElementTree, int] = {}
        self._frames: dict[PlacedPicture, int] = {}
        self.versions: list[Version] = []

    @property
    def trees(self) -> Iterable[ElementTree]:
        """All trees, in the order of their numbers."""
        return self._trees

    @property
    def frames(self) -> Iterable[PlacedPicture]:
        """All frames, in the order of their numbers."""
        return self._frames

    def time(self, milliseconds: int) -> int:
        """Return a time of the recording as one of the stretch."""
        since = max(milliseconds - self._from, 0)
        return since - since % self._grid

    def put(self, sight: Sight) -> None:
        """Number a version."""
        tree = frame = None
        if sight.scene is not None:
            tree = self._trees.setdefault(sight.scene.tree, len(self._trees))
        if sight.frame is not None:
            frame = self._frames.setdefault(sight.frame, len(self._frames))
        self._numbers[id(sight)] = len(self.versions)
        self.versions.append(Version(at_ms=self.time(sight.time), tree=tree, frame=frame))

    def number(self, sight: Sight) -> int:
        """Return the number of a version."""
        return self._numbers[id(sight)]
