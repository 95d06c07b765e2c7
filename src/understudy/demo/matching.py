"""Compares what was done (the truth log) with what was recorded: matched, missed, invented.

Rules

* Both are sequences; they are aligned in order, so that most pairs match. Times are not used: a recording
  has a coarse grid.
* A pair matches when the act is the same and the target is right: the middle of the true box lies in the
  recorded box and that is not ``ROOMY`` times as large, or the two overlap by more than half. Where both
  tags are known they are the same, or near kin. A part of a native date field counts as the field.
* A key must be the same key, a wheel must turn the same way.
* What was done and has no match is missed; what was recorded and has no match is invented. A pair that only
  nearly matches counts as both, and the reason says what differs.

Example

>>> done = TruthAction(act="click", target=TruthTarget(tag="a", box=Box(0, 0, 9, 9)), began=0, ended=0)
>>> str(compare([done], []).missed[0].reason)
'nothing-like-it'
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final

import msgspec

from understudy.demo.truth import TruthAction, TruthEpisode, TruthTarget
from understudy.formats.elements import Box, Element, ElementTree, Role
from understudy.formats.recording.actions import Action, Key, Scroll, act_of
from understudy.formats.recording.reader import RecordingReader

ROOMY: Final = 25
"""A recorded target may be this many times as large as the true one: a line for its words, not the page."""
OVERLAP: Final = 0.5
_PART_MARGIN: Final = 2
_MATCH: Final = 1_000
_NEAR: Final = 1


class Reason(StrEnum):
    """Why an act has no match."""

    NOTHING_LIKE_IT = "nothing-like-it"
    WRONG_ACT = "wrong-act"
    WRONG_KEY = "wrong-key"
    WRONG_TARGET = "wrong-target"
    WRONG_TAG = "wrong-tag"
    NO_TARGET = "no-target"


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """A recorded action, and the element that it names, if it names one."""

    action: Action
    element: Element | None = None

    @property
    def act(self) -> str:
        """The act as it is written."""
        return act_of(self.action)


class Mismatch(msgspec.Struct, frozen=True, kw_only=True):
    """An act without a match: its place in its sequence, and what it came nearest to, if to any.

    ``near`` is a place in the other sequence. Nothing here holds a text of a page.
    """

    place: int
    act: str
    reason: Reason
    near: int | None = None


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """How an episode was recorded. ``pairs`` are places (done, recorded)."""

    actions: int
    recorded: int
    pairs: tuple[tuple[int, int], ...]
    missed: tuple[Mismatch, ...]
    invented: tuple[Mismatch, ...]

    @property
    def matched(self) -> int:
        """How many acts were recorded right."""
        return len(self.pairs)


def compare_episode(episode: TruthEpisode, segments: Iterable[RecordingReader]) -> Comparison:
    """Return how an episode was recorded.

    Args:
        episode: what was done.
        segments: the segments of its recording, in order, opened.

    Raises:
        RecordingError: a segment breaks a rule.
    """
    return compare(episode.actions, [each for segment in segments for each in recorded_in(segment)])


def recorded_in(segment: RecordingReader) -> list[Recorded]:
    """Return the actions of a segment with the elements that they name."""
    found = []
    for action in segment.actions():
        tree = _tree_before(segment, action)
        named = action.target
        element = None if tree is None or named is None else tree.elements[named]
        found.append(Recorded(action=action, element=element))
    return found


def compare(done: Sequence[TruthAction], recorded: Sequence[Recorded]) -> Comparison:
    """Return how a sequence of acts was recorded; the alignment with the most matches."""
    judged = [[judge(action, each) for each in recorded] for action in done]
    pairs, near = _align(judged, len(recorded))
    matched_done = {left for left, _ in pairs}
    matched_recorded = {right for _, right in pairs}
    by_done, by_recorded = dict(near), {right: left for left, right in near}
    missed, invented = [], []
    for left, action in enumerate(done):
        if left not in matched_done:
            right = by_done.get(left)
            reason = Reason.NOTHING_LIKE_IT if right is None else judged[left][right]
            why = reason or Reason.NOTHING_LIKE_IT
            missed.append(Mismatch(place=left, act=action.act, reason=why, near=right))
    for right, each in enumerate(recorded):
        if right not in matched_recorded:
            near_done = by_recorded.get(right)
            reason = Reason.NOTHING_LIKE_IT if near_done is None else judged[near_done][right]
            why = reason or Reason.NOTHING_LIKE_IT
            invented.append(Mismatch(place=right, act=each.act, reason=why, near=near_done))
    return Comparison(
        actions=len(done),
        recorded=len(recorded),
        pairs=tuple(pairs),
        missed=tuple(missed),
        invented=tuple(invented),
    )


def judge(done: TruthAction, recorded: Recorded) -> Reason | None:
    """Return why a recorded act is not what was done, or None where it is."""
    if recorded.act != done.act:
        return Reason.WRONG_ACT
    action = recorded.action
    if isinstance(action, Key):
        held = tuple(sorted(str(modifier) for modifier in action.modifiers))
        if (action.key, held) != (done.key, tuple(sorted(done.modifiers))):
            return Reason.WRONG_KEY
    if isinstance(action, Scroll) and (action.dy > 0) != (done.dy > 0):
        return Reason.WRONG_KEY
    return _judge_target(done.target, recorded.element)


def _judge_target(true: TruthTarget, element: Element | None) -> Reason | None:
    if element is None or element.box is None:
        return Reason.NO_TARGET
    if element.role is Role.SPINBUTTON and _is_part(element.box, true.box):
        return None
    if not _same_place(true.box, element.box):
        return Reason.WRONG_TARGET
    if element.tag and element.tag != true.tag and element.tag not in true.kin:
        return Reason.WRONG_TAG
    return None


def _same_place(true: Box, recorded: Box) -> bool:
    if overlap(true, recorded) > OVERLAP:
        return True
    middle = (true.x + true.width // 2, true.y + true.height // 2)
    return recorded.contains(*middle) and _area(recorded) <= ROOMY * max(_area(true), 1)


def overlap(left: Box, right: Box) -> float:
    """Return the shared area of two boxes over the area of both together.

    >>> overlap(Box(0, 0, 10, 10), Box(0, 0, 10, 20))
    0.5
    """
    width = min(left.x + left.width, right.x + right.width) - max(left.x, right.x)
    height = min(left.y + left.height, right.y + right.height) - max(left.y, right.y)
    shared = max(width, 0) * max(height, 0)
    whole = _area(left) + _area(right) - shared
    return shared / whole if whole else 0.0


def _is_part(part: Box, whole: Box) -> bool:
    return (
        part.x >= whole.x - _PART_MARGIN
        and part.y >= whole.y - _PART_MARGIN
        and part.x + part.width <= whole.x + whole.width + _PART_MARGIN
        and part.y + part.height <= whole.y + whole.height + _PART_MARGIN
    )


def _area(box: Box) -> int:
    return box.width * box.height


def _align(
    judged: Sequence[Sequence[Reason | None]], recorded: int
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Return the matching pairs and the nearly matching pairs of the best alignment in order.

    The best has the most matches, then the most near pairs (Needleman and Wunsch, without gap costs).
    """
    rows = len(judged)
    best = [[0] * (recorded + 1) for _ in range(rows + 1)]
    for left in range(rows - 1, -1, -1):
        for right in range(recorded - 1, -1, -1):
            paired = best[left + 1][right + 1] + _score(judged[left][right])
            best[left][right] = max(best[left + 1][right], best[left][right + 1], paired)
    pairs: list[tuple[int, int]] = []
    near: list[tuple[int, int]] = []
    left = right = 0
    while left < rows and right < recorded:
        reason = judged[left][right]
        if best[left][right] == best[left + 1][right + 1] + _score(reason):
            (pairs if reason is None else near).append((left, right))
            left, right = left + 1, right + 1
        elif best[left][right] == best[left + 1][right]:
            left += 1
        else:
            right += 1
    return pairs, near


def _score(reason: Reason | None) -> int:
    return _MATCH if reason is None else _NEAR


def _tree_before(segment: RecordingReader, action: Action) -> ElementTree | None:
    if action.before is None:
        return None
    number = segment.version(action.before).tree
    return None if number is None else segment.tree(number)
