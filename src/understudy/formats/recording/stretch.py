"""A stretch of a recording in memory: what the assembler makes, redaction rewrites, and a file holds.

Rules

* It stands alone: numbers in it name its own versions, trees and frames, in their own order.
* Times are milliseconds since the start of the stretch, already on the manifest's grid.
* Every tree and every frame is named by a version, and versions and actions are in order of time.
* Frames are pixels here and lossless files on the disk; a stretch that is still raw never reaches the disk.
"""

import msgspec

from understudy.formats.elements import ElementTree
from understudy.formats.picture import PlacedPicture
from understudy.formats.recording.actions import Action
from understudy.formats.recording.gaps import Gap
from understudy.formats.recording.versions import Version


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """Actions, and what the screen showed around them."""

    actions: tuple[Action, ...] = ()
    versions: tuple[Version, ...] = ()
    trees: tuple[ElementTree, ...] = ()
    frames: tuple[PlacedPicture, ...] = ()
    gaps: tuple[Gap, ...] = ()

    def __repr__(self) -> str:
        return f"Stretch(actions={len(self.actions)}, versions={len(self.versions)}, gaps={len(self.gaps)})"

    def tree_before(self, action: Action) -> ElementTree | None:
        """Return the tree of the state before an action, if there is one."""
        if action.before is None:
            return None
        tree = self.versions[action.before].tree
        return None if tree is None else self.trees[tree]
