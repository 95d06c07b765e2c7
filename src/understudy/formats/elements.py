"""What the screen showed, as a tree: ``Element`` is the one schema for every source.

Rules

* Elements stand in document order. Element 0 is the root; every other element's parent is the element before
  it or one of that element's ancestors. So a cycle cannot be written.
* A secure element has neither a value nor children, whatever its role.
* Boxes are pixels of the screen. States are sorted and distinct.
* Types bound lengths; ``tree_problems`` checks the rest. Nothing here repairs what it is given.

Example

>>> leaf = Element(role=Role.BUTTON, name="Send", box=Box(10, 10, 80, 24), parent=0)
>>> tree = ElementTree(elements=(Element(role=Role.DOCUMENT, box=Box(0, 0, 200, 100)), leaf))
>>> tree.actionable_at(20, 20)
1
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from understudy.consent.primitives import Value
from understudy.formats.vocabulary import ACTIONABLE_ROLES, ElementState, Role
from understudy.sealing.errors import FormatError

__all__ = [
    "MAX_COORDINATE",
    "MAX_DEPTH",
    "MAX_ELEMENTS",
    "Box",
    "Element",
    "ElementState",
    "ElementTree",
    "Role",
    "is_sorted_set",
    "tree_problems",
]

MAX_ELEMENTS: Final = 3_000
"""Elements of one tree; a walk of the desktop stops there too."""
MAX_DEPTH: Final = 200
MAX_COORDINATE: Final = 100_000

Coordinate = Annotated[int, Meta(ge=-MAX_COORDINATE, le=MAX_COORDINATE)]
Extent = Annotated[int, Meta(ge=0, le=MAX_COORDINATE)]
ElementNumber = Annotated[int, Meta(ge=0, lt=MAX_ELEMENTS)]
ElementName = Annotated[str, Meta(max_length=2_000)]
ElementValue = Annotated[str, Meta(max_length=8_000)]
Host = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._:\[\]-]{1,253}$(?!\n)")]


class Box(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A rectangle in pixels of the screen; written as ``[x, y, width, height]``."""

    x: Coordinate
    y: Coordinate
    width: Extent
    height: Extent

    def contains(self, x: int, y: int) -> bool:
        """Return whether the pixel lies in the box."""
        return self.x <= x < self.x + self.width and self.y <= y < self.y + self.height


class Element(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One node: a control, a text, a container."""

    role: Role
    name: ElementName = ""
    value: ElementValue | None = None
    states: Annotated[tuple[ElementState, ...], Meta(max_length=len(ElementState))] = ()
    box: Box | None = None
    parent: ElementNumber | None = None
    tag: Annotated[str, Meta(max_length=64)] | None = None
    id: Annotated[str, Meta(max_length=200)] | None = None
    classes: Annotated[tuple[Annotated[str, Meta(max_length=100)], ...], Meta(max_length=16)] = ()

    @property
    def is_secure(self) -> bool:
        """Whether it is, or has ever been, a field for a secret."""
        return ElementState.SECURE in self.states

    @property
    def is_actionable(self) -> bool:
        """Whether a person can act on it."""
        if ElementState.DISABLED in self.states:
            return False
        if self.role in ACTIONABLE_ROLES:
            return True
        return ElementState.CLICKABLE in self.states or ElementState.FOCUSABLE in self.states


class ElementTree(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All elements of one window or page at one moment, in document order."""

    elements: Annotated[tuple[Element, ...], Meta(min_length=1, max_length=MAX_ELEMENTS)]
    application: Annotated[str, Meta(max_length=200)] | None = None
    host: Host | None = None

    def path(self, number: int) -> tuple[int, ...]:
        """Return the numbers from the root to element ``number``, both included.

        Raises:
            IndexError: there is no such element.
            FormatError: the tree is not in document order, so that the way up need not end.
        """
        steps = [number]
        parent = self.elements[number].parent
        while parent is not None:
            if parent >= steps[-1]:
                raise FormatError("an element tree that is not in document order")
            steps.append(parent)
            parent = self.elements[parent].parent
        return tuple(reversed(steps))

    def children(self, number: int) -> tuple[int, ...]:
        """Return the numbers of the children of element ``number``, in document order."""
        return tuple(below for below in self.below(number) if self.elements[below].parent == number)

    def below(self, number: int) -> Iterator[int]:
        """Yield the numbers of all descendants of element ``number``, in document order."""
        for below in range(number + 1, len(self.elements)):
            parent = self.elements[below].parent
            if parent is None or parent < number:
                return
            yield below

    def deepest_at(self, x: int, y: int) -> int | None:
        """Return the element drawn last at a pixel: later and deeper elements lie above earlier ones.

        Where the root says ``showing``, the source knows what shows, and what does not is passed over:
        the options of a closed list carry the box of the list.
        """
        knows = ElementState.SHOWING in self.elements[0].states
        for number in range(len(self.elements) - 1, -1, -1):
            element = self.elements[number]
            if knows and ElementState.SHOWING not in element.states:
                continue
            if element.box is not None and element.box.contains(x, y):
                return number
        return None

    def actionable_at(self, x: int, y: int) -> int | None:
        """Return the deepest actionable element at a pixel; the deepest of any kind where none is.

        The box of a text of several lines is drawn round all of them, and so round what stands before the
        text in its first line: a word that can be acted on there is taken, though the text comes later.
        """
        deepest = self.deepest_at(x, y)
        if deepest is None:
            return None
        beside = self._in_line_before(deepest, x, y)
        if beside is not None:
            return beside
        for number in reversed(self.path(deepest)):
            if self.elements[number].is_actionable:
                return number
        return deepest

    def _in_line_before(self, text: int, x: int, y: int) -> int | None:
        """Return the actionable element at a pixel that stands in line before a text of several lines."""
        element = self.elements[text]
        if element.role is not Role.TEXT or element.box is None or element.parent is None:
            return None
        lowest = element.box.y + element.box.height
        knows = ElementState.SHOWING in self.elements[0].states
        for number in range(text - 1, element.parent, -1):
            other = self.elements[number]
            if knows and ElementState.SHOWING not in other.states:
                continue
            is_here = other.box is not None and other.box.contains(x, y) and other.is_actionable
            if is_here and other.box is not None and other.box.y + other.box.height < lowest:
                return number
        return None

    def place(self, number: int) -> tuple[tuple[str, str, int], ...]:
        """Return a name for the *place* of an element that survives changes of text and box.

        Each step from the root is (role, DOM id or tag, how many like it stand before it among its
        siblings). Two versions of one page give a field the same place, whatever it holds.
        """
        steps = []
        for step in self.path(number):
            element = self.elements[step]
            kin = _kin(element)
            siblings = () if element.parent is None else self.children(element.parent)
            before = sum(1 for other in siblings if other < step and _kin(self.elements[other]) == kin)
            steps.append((*kin, before))
        return tuple(steps)


def _kin(element: Element) -> tuple[str, str]:
    return element.role.value, element.id or element.tag or ""


def is_sorted_set(words: Sequence[str]) -> bool:
    """Return whether ``words`` are sorted and distinct, as the formats want lists that mean sets."""
    return all(left < right for left, right in pairwise(words))


def tree_problems(tree: ElementTree) -> Iterator[tuple[str, str]]:
    """Yield a (code, message) for each rule between elements that the tree breaks.

    Codes: ``tree-order``, ``tree-depth``, ``not-sorted``, ``secure-content``.
    """
    open_path: list[int] = []
    for number, element in enumerate(tree.elements):
        if not is_sorted_set(element.states):
            yield "not-sorted", f"element {number}: states"
        if element.is_secure and element.value is not None:
            yield "secure-content", f"element {number} is secure and has a value"
        parent = element.parent
        while open_path and open_path[-1] != parent:
            open_path.pop()
        if (parent is None) != (number == 0) or (parent is not None and not open_path):
            yield "tree-order", f"element {number}: its parent is not on the path before it"
            return
        if parent is not None and tree.elements[parent].is_secure:
            yield "secure-content", f"element {number} lies in a secure element"
        open_path.append(number)
        if len(open_path) > MAX_DEPTH:
            yield "tree-depth", f"element {number} is deeper than {MAX_DEPTH}"
            return
