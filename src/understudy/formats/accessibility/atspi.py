"""Nodes as read over AT-SPI, as elements in normal form.

Rules

* A node is secure by its role number, by ``text-input-type:password``, or because the caller says that it
  once was (``is_secure``); then whatever text came with it is not looked at.
* The name of another element may quote a field: a label around a field and a check box names the box by the
  content of the field too. Where a label holds a secure field, a name that a node takes from elsewhere and
  that begins as the label does is kept only if it stands in the page as text; what surrounds a secure field
  has no name from its contents.
* Only Chromium's ``click`` tells that a plain element answers clicks: each node names some action.
* Chromium's offer to describe a picture is no name of the picture: it is cut off.
* Where a page lies within a frame, its elements belong to the frame; it is no document of its own.

The text of a field is its value; any other number it holds comes after. The rest is the normal form's.

Example

>>> field = Node(role=79, name="Code", states=0x3000880 | 1 << 24, box=(0, 0, 80, 20), text="x")
>>> page = Node(role=95, name="Door", states=1 << 25, box=(0, 0, 200, 100), children=[field])
>>> element_tree(page).elements[1].value
'x'
"""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from understudy.formats.accessibility.atspi_roles import INTERNAL_FRAME, PASSWORD, role_of, states_of
from understudy.formats.accessibility.normal import (
    MAX_SOURCE_DEPTH,
    Draft,
    normal_tree,
    number_text,
    one_line,
    placed_box,
)
from understudy.formats.elements import ElementState, ElementTree, Role

__all__ = ["CLICK", "Node", "element_tree", "is_password"]

CLICK: Final = "click"
"""The action that a plain element with a listener names; others say ``clickAncestor`` or ``doDefault``."""

_NAMELESS: Final[Mapping[str, str]] = {}
_HOLE: Final = "\ufffc"
"""What stands in a text for an object in it."""
_BULLET: Final = "\u2022"
_OFFER: Final = "To get missing image descriptions"
"""How Chromium's offer begins, in English; it stands alone or after the name."""
_MARKER: Final = "::marker"
"""The tag of the dot before an item of a list."""
_TEXT_VALUES: Final = frozenset({Role.TEXTBOX, Role.SEARCHBOX, Role.SPINBUTTON, Role.COMBOBOX})
_PRESSABLE: Final = frozenset({Role.BUTTON})
_CHECKED: Final = frozenset({ElementState.CHECKED})
_CLICKABLE: Final = frozenset({ElementState.CLICKABLE})
_SECURE: Final = frozenset({ElementState.SECURE})


class Node(msgspec.Struct, kw_only=True):
    """One accessible as it was read.

    ``states`` holds the 64 state bits, the first word low; ``box`` is x, y, width and height on the screen.
    ``text`` and ``number`` are what the interfaces ``Text`` and ``Value`` gave, where they were asked;
    ``action`` is the name of the first action.
    """

    role: int
    name: str = ""
    states: int = 0
    box: tuple[int, int, int, int] | None = None
    attributes: Mapping[str, str] = _NAMELESS
    action: str = ""
    text: str | None = None
    number: float | None = None
    is_secure: bool = False
    children: list["Node"] = msgspec.field(default_factory=list)


def is_password(role: int, attributes: Mapping[str, str]) -> bool:
    """Return whether a node says of itself that it is a field for a secret."""
    return role == PASSWORD or attributes.get("text-input-type") == "password"


def element_tree(root: Node, *, application: str | None = None, host: str | None = None) -> ElementTree:
    """Return what was read below ``root``, a page or a window, in normal form."""
    top = _draft(root)
    if root.role not in _WINDOWS and top.role is not Role.DOCUMENT:
        top.role = Role.WINDOW
    secure = _place(root, top, 1, is_inner=False)
    if secure:
        _hush(root, top)
    return normal_tree(top, application=application, host=host)


_WINDOWS: Final = frozenset({16, 19, 22, 23, 36, 69})
"""Dialogs, frames and windows: what a window of the desktop can be."""


def _place(node: Node, draft: Draft, depth: int, *, is_inner: bool) -> bool:
    """Draft what lies below ``node``; return whether anything of it, or itself, is secure."""
    if ElementState.SECURE in draft.states:
        return True
    if depth > MAX_SOURCE_DEPTH:
        return False
    is_secure = False
    is_inner = is_inner or node.role == INTERNAL_FRAME
    is_list = draft.role in (Role.LISTBOX, Role.COMBOBOX)
    for child in node.children:
        below = _draft(child)
        if is_inner and below.role is Role.DOCUMENT:
            below.role, below.name = Role.GENERIC, ""
            below.states -= {ElementState.FOCUSABLE, ElementState.FOCUSED}
        elif is_list and below.role in (Role.LISTITEM, Role.MENUITEM):
            below.role = Role.OPTION
        if child.attributes.get("tag") == _MARKER:
            continue
        is_secure |= _place(child, below, depth + 1, is_inner=is_inner)
        draft.children.append(below)
    return is_secure


def _draft(node: Node) -> Draft:
    attributes = node.attributes
    role = role_of(node.role, attributes)
    if role is Role.TEXT and node.children:
        role = Role.GENERIC
    states = states_of(node.states)
    if role in _PRESSABLE and ElementState.CHECKED in states:
        states = states - _CHECKED | {ElementState.PRESSED}
    if node.action == CLICK:
        states |= _CLICKABLE
    value = None
    if node.is_secure or is_password(node.role, attributes):
        states |= _SECURE
    elif role is Role.SPINBUTTON and node.text is None:
        said = attributes.get("valuetext", "") or ("" if node.number is None else number_text(node.number))
        value = "" if said == "0" else said  # an empty part of a date field says 0, which none of them can be
    elif node.text is not None and role in _TEXT_VALUES and _HOLE not in node.text:
        value = node.text
    elif node.number is not None:
        value = number_text(node.number)
    return Draft(
        role=role,
        name=_without_offer(node.name) if role is Role.IMAGE else node.name,
        value=value,
        states=states,
        box=None if node.box is None else placed_box(*node.box),
        tag=attributes.get("tag"),
        id=attributes.get("id"),
        classes=tuple(attributes.get("class", "").split()),
    )


def _without_offer(name: str) -> str:
    """Return the name of a picture without the browser's offer to find one."""
    own, offer, _ = name.partition(_OFFER)
    return own.rstrip(" .") if offer else name


def _hush(root: Node, top: Draft) -> None:
    """Take away the names that may quote a secure field."""
    said: set[str] = set()
    labels: list[str] = []
    _say(top, said, labels)
    pairs = list(_below(root, top))
    while pairs:
        node, draft = pairs.pop()
        origin = node.attributes.get("name-from", "")
        name = one_line(draft.name)
        if ElementState.SECURE in draft.states:
            continue
        if origin == "contents":
            quotes = _holds_secure(draft)
        else:
            is_like = any(name.startswith(label) for label in labels) or _BULLET in name
            quotes = origin == "related-element" and is_like and name not in said
        if quotes:
            draft.name = ""
        pairs += _below(node, draft)


def _below(node: Node, draft: Draft) -> Iterator[tuple[Node, Draft]]:
    kept = [child for child in node.children if child.attributes.get("tag") != _MARKER]
    return zip(kept, draft.children, strict=False)


def _say(draft: Draft, said: set[str], labels: list[str]) -> str:
    """Gather the text of every element that holds no secure field, and of the labels that hold one.

    Returns the text of ``draft``, without what its fields hold.
    """
    if draft.role is Role.TEXT:
        said.add(one_line(draft.name))
        return draft.name
    if ElementState.SECURE in draft.states or draft.value is not None:
        return ""
    text = "".join(_say(child, said, labels) for child in draft.children)
    if not _holds_secure(draft):
        said.add(one_line(text))
    elif draft.role is Role.LABEL:
        labels.append(one_line(text))
    return text


def _holds_secure(draft: Draft) -> bool:
    return any(ElementState.SECURE in child.states or _holds_secure(child) for child in draft.children)
