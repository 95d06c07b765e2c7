"""What was consented to, applied to a stretch: each stream by itself.

Rules

* Without ``input`` there are no actions, without ``elements`` no trees, without ``frames`` no pixels, without
  ``text-values`` nothing that was entered or that a field holds. What is left stays valid.
* An act on an element that nobody may see keeps its kind. A ``fill_secret`` says nothing else, so it goes.
* It is applied before redaction, in the session: capture spares itself the frames as well.

Example

>>> from understudy.formats.recording.actions import Key
>>> pressed = Stretch(actions=(Key(at_ms=0, before=None, key="Enter"),))
>>> only(pressed, (Stream.ELEMENTS,)).actions
()
"""

from collections.abc import Collection

from msgspec.structs import replace

from understudy.consent.purposes import Stream
from understudy.formats.elements import ElementTree
from understudy.formats.recording.actions import Action, Drag, FillSecret, Mark, Select
from understudy.formats.recording.stretch import Stretch
from understudy.formats.recording.versions import Version


def only(stretch: Stretch, streams: Collection[Stream]) -> Stretch:
    """Return the stretch with the streams that were consented to."""
    if Stream.INPUT not in streams:
        stretch = replace(stretch, actions=())
    if Stream.TEXT_VALUES not in streams:
        stretch = _without_texts(stretch)
    if Stream.FRAMES not in streams:
        stretch = with_few_frames(stretch, 0)
    if Stream.ELEMENTS not in streams:
        stretch = _without_trees(stretch)
    return stretch


def with_few_frames(stretch: Stretch, limit: int) -> Stretch:
    """Return the stretch with frames only before actions, and ``limit`` different ones at most."""
    before = {action.before for action in stretch.actions}
    kept: dict[int, int] = {}
    versions = []
    for number, version in enumerate(stretch.versions):
        frame = version.frame if number in before else None
        if frame is not None and frame not in kept and len(kept) < limit:
            kept[frame] = len(kept)
        versions.append(replace(version, frame=None if frame is None else kept.get(frame)))
    frames = tuple(stretch.frames[number] for number in kept)
    return _with_versions(replace(stretch, frames=frames), versions)


def _without_trees(stretch: Stretch) -> Stretch:
    actions = (_without_target(action) for action in stretch.actions)
    stretch = replace(stretch, trees=(), actions=tuple(action for action in actions if action is not None))
    return _with_versions(stretch, [replace(version, tree=None) for version in stretch.versions])


def _without_target(action: Action) -> Action | None:
    match action:
        case FillSecret():
            return None
        case Drag():
            return replace(action, target=None, drop=None)
        case Select():
            return replace(action, target=None, option_element=None)
        case _:
            return replace(action, target=None)


def _without_texts(stretch: Stretch) -> Stretch:
    return replace(
        stretch,
        actions=tuple(_without_text(action) for action in stretch.actions),
        trees=tuple(_without_values(tree) for tree in stretch.trees),
    )


def _without_text(action: Action) -> Action:
    gone = {name: None for name in ("text", "value") if getattr(action, name, None) is not None}
    if not gone:
        return action
    return replace(action, marks=tuple(sorted({*action.marks, Mark.DROPPED})), **gone)


def _without_values(tree: ElementTree) -> ElementTree:
    elements = tuple(
        element if element.value is None else replace(element, value=None) for element in tree.elements
    )
    return replace(tree, elements=elements)


def _with_versions(stretch: Stretch, versions: list[Version]) -> Stretch:
    """Return the stretch with these versions, without those that show nothing any more."""
    numbers: dict[int, int] = {}
    kept: list[Version] = []
    for number, version in enumerate(versions):
        if version.tree is not None or version.frame is not None:
            numbers[number] = len(kept)
            kept.append(version)
    actions = tuple(
        action if action.before is None else replace(action, before=numbers.get(action.before))
        for action in stretch.actions
    )
    return replace(stretch, versions=tuple(kept), actions=actions)
