"""What two trees of one page say differently: the two sources held against each other.

Rules

* Elements are paired in document order: first those with the same role, name, tag and id, then, between two
  such pairs, those with the same tag and id, then those with the same box. What has no pair is there in one
  tree only.
* Each field of a pair that differs is one difference; boxes differ when an edge is more than ``slack``
  pixels off.
* A difference is **explained** when it is of a kind in ``EXPLAINED``: the interfaces themselves tell
  different things there, and nothing that a person or a policy acts on is lost.
  ``docs/formats/elements.md`` says each.
* A difference names elements by number and never holds their text.

Example

>>> one = ElementTree(elements=(Element(role=Role.DOCUMENT), Element(role=Role.BUTTON, name="Go", parent=0)))
>>> other = ElementTree(elements=(Element(role=Role.DOCUMENT), Element(role=Role.LINK, name="Go", parent=0)))
>>> [(found.aspect.value, found.left, found.right) for found in differences(one, other)]
[('role', 1, 1)]
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Final

import msgspec

from understudy.formats.elements import Box, Element, ElementState, ElementTree, Role

__all__ = ["EXPLAINED", "Aspect", "Difference", "Explanation", "differences", "explain", "unexplained"]


class Aspect(StrEnum):
    """In what two trees differ."""

    ONLY_LEFT = "only-left"
    ONLY_RIGHT = "only-right"
    ROLE = "role"
    NAME = "name"
    VALUE = "value"
    STATES = "states"
    BOX = "box"
    TAG = "tag"
    ID = "id"
    CLASSES = "classes"
    PARENT = "parent"


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One difference, at these elements of the two trees; None where one has no such element."""

    aspect: Aspect
    left: int | None
    right: int | None


_Pair = tuple[int, int]
_Key = Callable[[Element], Hashable]

_KEYS: Final[tuple[_Key, ...]] = (
    lambda element: (element.role, element.name, element.tag, element.id),
    lambda element: (element.tag, element.id, element.classes, element.name),
    lambda element: (element.tag, element.id, element.classes),
    lambda element: element.box,
)
_FIELDS: Final[Sequence[tuple[Aspect, Callable[[Element], object]]]] = (
    (Aspect.ROLE, lambda element: element.role),
    (Aspect.NAME, lambda element: element.name),
    (Aspect.VALUE, lambda element: element.value),
    (Aspect.STATES, lambda element: element.states),
    (Aspect.TAG, lambda element: element.tag),
    (Aspect.ID, lambda element: element.id),
    (Aspect.CLASSES, lambda element: element.classes),
)


def differences(left: ElementTree, right: ElementTree, *, slack: int = 0) -> list[Difference]:
    """Return how two trees differ, in the order of the left one; those of the right alone come last."""
    pairs = dict(_pairs(left.elements, right.elements))
    backwards = {other: one for one, other in pairs.items()}
    found: list[Difference] = []
    for number, element in enumerate(left.elements):
        if number not in pairs:
            found.append(Difference(aspect=Aspect.ONLY_LEFT, left=number, right=None))
            continue
        partner = pairs[number]
        other = right.elements[partner]
        aspects = [aspect for aspect, field in _FIELDS if field(element) != field(other)]
        if not _same_box(element.box, other.box, slack):
            aspects.append(Aspect.BOX)
        if (None if element.parent is None else pairs.get(element.parent)) != other.parent:
            aspects.append(Aspect.PARENT)
        found += [Difference(aspect=aspect, left=number, right=partner) for aspect in aspects]
    found += [
        Difference(aspect=Aspect.ONLY_RIGHT, left=None, right=number)
        for number in range(len(right.elements))
        if number not in backwards
    ]
    return found


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """Why AT-SPI (left) and the browser (right) cannot agree in one respect.

    ``name`` is the heading in ``docs/formats/elements.md``; ``holds`` says whether a difference is of this
    kind.
    """

    name: str
    holds: Callable[[Difference, ElementTree, ElementTree], bool]


def explain(difference: Difference, left: ElementTree, right: ElementTree) -> Explanation | None:
    """Return why AT-SPI (left) and a browser (right) differ here, or None if they ought not."""
    return next((why for why in EXPLAINED if why.holds(difference, left, right)), None)


def unexplained(left: ElementTree, right: ElementTree, *, slack: int = 0) -> list[Difference]:
    """Return the differences between AT-SPI (left) and a browser (right) that nothing explains."""
    found = differences(left, right, slack=slack)
    return [difference for difference in found if explain(difference, left, right) is None]


def _is_open_list(difference: Difference, left: ElementTree, right: ElementTree) -> bool:
    """The options of an open ``select``: where they are drawn, and that one of them has the focus."""
    if difference.left is None or difference.right is None:
        return False
    one, other = left.elements[difference.left], right.elements[difference.right]
    is_focus = difference.aspect is Aspect.STATES and _apart_from(one.states, ElementState.FOCUSED) == (
        _apart_from(other.states, ElementState.FOCUSED)
    )
    if one.role is Role.COMBOBOX:
        return is_focus and ElementState.EXPANDED in one.states
    if one.role is not Role.OPTION or one.parent is None or not (is_focus or difference.aspect is Aspect.BOX):
        return False
    return ElementState.EXPANDED in left.elements[one.parent].states


def _is_drawn_picture(difference: Difference, left: ElementTree, _: ElementTree) -> bool:
    """A picture that a style sheet puts before an item of a list."""
    if difference.aspect is not Aspect.ONLY_LEFT or difference.left is None:
        return False
    element = left.elements[difference.left]
    return element.role is Role.IMAGE and not element.name and element.tag is None


def _apart_from(states: Sequence[ElementState], state: ElementState) -> set[ElementState]:
    return set(states) - {state}


EXPLAINED: Final = (
    Explanation(name="The options of an open list", holds=_is_open_list),
    Explanation(name="Pictures that a style sheet draws", holds=_is_drawn_picture),
)
"""All kinds of difference that are accepted; ``docs/formats/elements.md`` has a paragraph on each."""


def _pairs(left: Sequence[Element], right: Sequence[Element]) -> Iterator[_Pair]:
    """Yield pairs in order; the roots are always one."""
    if left and right:
        yield 0, 0
        yield from _between(left, right, (1, len(left)), (1, len(right)), _KEYS)


def _between(
    left: Sequence[Element], right: Sequence[Element], ours: _Pair, theirs: _Pair, keys: Sequence[_Key]
) -> Iterator[_Pair]:
    """Pair two stretches by the first key, and what lies between its pairs by the next."""
    if not keys or ours[0] == ours[1] or theirs[0] == theirs[1]:
        return
    key, rest = keys[0], keys[1:]
    one, other = [key(left[n]) for n in range(*ours)], [key(right[n]) for n in range(*theirs)]
    at, there = ours[0], theirs[0]
    for start, where, length in SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks():
        begin, begin_there = ours[0] + start, theirs[0] + where
        yield from _between(left, right, (at, begin), (there, begin_there), rest)
        yield from ((begin + step, begin_there + step) for step in range(length))
        at, there = begin + length, begin_there + length


def _same_box(one: Box | None, other: Box | None, slack: int) -> bool:
    if one is None or other is None:
        return one is other
    edges = (
        one.x - other.x,
        one.y - other.y,
        one.x + one.width - other.x - other.width,
        one.y + one.height - other.y - other.height,
    )
    return all(abs(edge) <= slack for edge in edges)
