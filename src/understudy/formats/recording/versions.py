"""Versions: what the screen showed at a time, as a tree and a frame taken together.

Rules

* A version names a tree, a frame, or both, by number. It is immutable; a change of the screen is a new one.
* Times are on the grid and never run backwards.
* The state before an action is a version: for pointer acts the newest one completed before the pointer
  entered the target, for keys the newest one before the first key. Choosing it is the recorder's work.
"""

from typing import Annotated

from msgspec import Meta

from understudy.consent.primitives import Value
from understudy.formats.elements import ElementTree
from understudy.formats.recording.bounds import MAX_FRAMES, MAX_TREES, MAX_VERSIONS
from understudy.formats.recording.layout import ITEMS_IN_CHUNK, Kind, Milliseconds

TreeNumber = Annotated[int, Meta(ge=0, lt=MAX_TREES)]
FrameNumber = Annotated[int, Meta(ge=0, lt=MAX_FRAMES)]


class Version(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """At ``at_ms`` the screen showed this tree and this frame."""

    at_ms: Milliseconds
    tree: TreeNumber | None
    frame: FrameNumber | None


class VersionChunk(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The content of a chunk of versions."""

    versions: Annotated[tuple[Version, ...], Meta(min_length=1, max_length=MAX_VERSIONS)]


class TreeChunk(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The content of a chunk of trees."""

    trees: Annotated[tuple[ElementTree, ...], Meta(min_length=1, max_length=ITEMS_IN_CHUNK[Kind.TREES])]
