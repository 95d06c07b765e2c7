"""Stretches that follow one another, made one: what was taken piece by piece becomes a segment.

Rules

* Numbers of versions, trees and frames are those of the whole; equal trees and frames are there once.
* Times are moved by each piece's own place. Order stays as given.

Example

>>> from understudy.formats.recording.actions import Key
>>> one = Stretch(actions=(Key(at_ms=1_000, before=None, key="Enter"),))
>>> [action.at_ms for action in joined([(0, one), (4_000, one)]).actions]
[1000, 5000]
"""

from collections.abc import Iterable

from msgspec.structs import replace

from understudy.formats.elements import ElementTree
from understudy.formats.picture import PlacedPicture
from understudy.formats.recording.actions import Action
from understudy.formats.recording.gaps import Gap, united
from understudy.formats.recording.stretch import Stretch
from understudy.formats.recording.versions import Version


def joined(pieces: Iterable[tuple[int, Stretch]]) -> Stretch:
    """Return one stretch of several.

    Args:
        pieces: where each begins in the whole, in milliseconds and in order, and the piece.
    """
    trees: dict[ElementTree, int] = {}
    frames: dict[PlacedPicture, int] = {}
    versions: list[Version] = []
    actions: list[Action] = []
    gaps: list[Gap] = []
    for begins, piece in pieces:
        first = len(versions)
        for version in piece.versions:
            tree = None if version.tree is None else piece.trees[version.tree]
            frame = None if version.frame is None else piece.frames[version.frame]
            versions.append(
                Version(
                    at_ms=version.at_ms + begins,
                    tree=None if tree is None else trees.setdefault(tree, len(trees)),
                    frame=None if frame is None else frames.setdefault(frame, len(frames)),
                )
            )
        for action in piece.actions:
            before = None if action.before is None else action.before + first
            actions.append(replace(action, at_ms=action.at_ms + begins, before=before))
        gaps += (Gap(from_ms=gap.from_ms + begins, to_ms=gap.to_ms + begins) for gap in piece.gaps)
    return Stretch(
        actions=tuple(actions),
        versions=tuple(versions),
        trees=tuple(trees),
        frames=tuple(frames),
        gaps=united(gaps),
    )
