"""The rules between items: pure decisions, shared by the writer (which stops) and ``check`` (which lists).

Rules

* Each function yields a (code, message) for every rule that its arguments break. Nothing is raised here.
* Messages name numbers and fields, never names, values or text.
* Items are judged against what is already known of trees and versions, never the other way round.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from understudy.formats.elements import ElementTree, is_sorted_set
from understudy.formats.recording.actions import (
    CLICKS,
    LEAVING_KEYS,
    Action,
    Click,
    DoubleClick,
    Drag,
    FillSecret,
    Hover,
    Key,
    MiddleClick,
    RightClick,
    Scroll,
    Select,
    TripleClick,
    act_of,
    is_allowed_key,
    resulting_value,
)
from understudy.formats.recording.errors import Code
from understudy.formats.recording.frames import Frame
from understudy.formats.recording.gaps import Gap
from understudy.formats.recording.manifest import Manifest
from understudy.formats.recording.versions import Version
from understudy.formats.screen import Screen

Finding = tuple[Code, str]


class TreeFacts(NamedTuple):
    """What the rules need to know of a tree when it is out of memory again."""

    elements: int
    secure: frozenset[int]


def facts_of(tree: ElementTree) -> TreeFacts:
    """Return the facts of ``tree``."""
    secure = (number for number, element in enumerate(tree.elements) if element.is_secure)
    return TreeFacts(elements=len(tree.elements), secure=frozenset(secure))


def version_problems(version: Version, trees: int, frames: int) -> Iterator[Finding]:
    """Judge a version in a file of ``trees`` trees and ``frames`` frames."""
    if version.tree is None and version.frame is None:
        yield Code.EMPTY_VERSION, "a version with neither tree nor frame"
    if version.tree is not None and version.tree >= trees:
        yield Code.DANGLING, "a version names a tree that is not there"
    if version.frame is not None and version.frame >= frames:
        yield Code.DANGLING, "a version names a frame that is not there"


def unreferenced_problems(versions: Iterable[Version], trees: int, frames: int) -> Iterator[Finding]:
    """Judge whether every tree and frame is shown by a version."""
    versions = tuple(versions)
    shown = {version.tree for version in versions}
    for number in range(trees):
        if number not in shown:
            yield Code.UNREFERENCED, f"tree {number} is in no version"
    shown = {version.frame for version in versions}
    for number in range(frames):
        if number not in shown:
            yield Code.UNREFERENCED, f"frame {number} is in no version"


def action_problems(
    action: Action, versions: Sequence[Version | None], trees: Sequence[TreeFacts | None]
) -> Iterator[Finding]:
    """Judge an action against versions and facts of trees; None stands for one that is damaged."""
    yield from _form_problems(action)
    named = _elements_of(action)
    if action.before is None:
        if named:
            yield Code.DANGLING, "an element is named, but no state"
        return
    if action.before >= len(versions):
        yield Code.DANGLING, "the state before is not there"
        return
    version = versions[action.before]
    if version is None:
        return
    if version.at_ms > action.at_ms:
        yield Code.STATE_AFTER_ACTION, "the state before is later than the action"
    if version.tree is None:
        if named:
            yield Code.DANGLING, "an element is named, but the state has no tree"
        return
    facts = trees[version.tree] if version.tree < len(trees) else None
    if facts is None:
        return
    if any(number >= facts.elements for number in named):
        yield Code.DANGLING, "a named element is not in the tree"
        return
    yield from _secure_problems(action, facts)


def _form_problems(action: Action) -> Iterator[Finding]:
    if not is_sorted_set(action.marks):
        yield Code.NOT_SORTED, "marks"
    match action:
        case (
            Click() | DoubleClick() | TripleClick() | RightClick() | MiddleClick() | Drag() | Scroll() | Key()
        ):
            if not is_sorted_set(action.modifiers):
                yield Code.NOT_SORTED, "modifiers"
        case _:
            pass
    if isinstance(action, Key) and not is_allowed_key(action.key, action.modifiers):
        yield Code.TYPED_KEY, "a printable key without a modifier, or an unknown key"
    if isinstance(action, Scroll) and action.dx == 0 and action.dy == 0:
        yield Code.EMPTY_SCROLL, "a scroll by nothing"
    if isinstance(action, FillSecret) and action.target is None:
        yield Code.DANGLING, "a fill_secret without a target"


def _elements_of(action: Action) -> tuple[int, ...]:
    named = [action.target]
    if isinstance(action, Drag):
        named.append(action.drop)
    if isinstance(action, Select):
        named.append(action.option_element)
    return tuple(number for number in named if number is not None)


def _secure_problems(action: Action, facts: TreeFacts) -> Iterator[Finding]:
    others = [number for number in _elements_of(action) if number != action.target]
    if any(number in facts.secure for number in others):
        yield Code.SECURE_CONTENT, "a secure element is dropped on or chosen"
    if action.target not in facts.secure:
        return
    is_silent = isinstance(action, (*CLICKS, Hover, FillSecret)) or (
        isinstance(action, Key) and action.key in LEAVING_KEYS
    )
    if not is_silent:
        yield Code.SECURE_CONTENT, f"{act_of(action)} on a secure element"
    elif resulting_value(action) is not None:
        yield Code.SECURE_CONTENT, "a value of a secure element"


def time_problems(times: Iterable[int], manifest: Manifest) -> Iterator[Finding]:
    """Judge the times of versions, actions or gaps: on the grid, and inside the segment."""
    times = tuple(times)
    if any(time % manifest.time_grid_ms for time in times):
        yield Code.TIME_OFF_GRID, f"a time that is not a multiple of {manifest.time_grid_ms} ms"
    if any(time > manifest.last_ms for time in times):
        yield Code.TIME_RANGE, "a time after the end of the segment"


def gap_problems(gaps: Sequence[Gap]) -> Iterator[Finding]:
    """Judge all gaps of a file."""
    end = -1
    for gap in gaps:
        if gap.from_ms <= end or gap.to_ms <= gap.from_ms:
            yield Code.GAP_ORDER, "gaps are empty, overlap, touch or are not sorted"
            return
        end = gap.to_ms


def frame_problems(frame: Frame, screen: Screen) -> Iterator[Finding]:
    """Judge where a frame lies."""
    if frame.x + frame.width > screen.width or frame.y + frame.height > screen.height:
        yield Code.FRAME_BOX, "a frame that leaves the screen"
