"""A browser's own accessibility tree as elements: the second source beside AT-SPI, in the same normal form.

Rules

* Roles and states come from ``Accessibility.getFullAXTree``; boxes, tag, id, classes, values of fields and
  what shows from ``DOMSnapshot.captureSnapshot`` of the same moment (``layout.py``). Both must be taken of
  one state of the page: the caller sees to that.
* Boxes go to whole pixels of the screen outward, so that no pixel of an element lies outside its box.
* What the browser leaves out as uninteresting is looked through; what it does not render is not there.
* A password field is secure by its ``type``; that it once was one is for the caller to remember. What
  surrounds one is not called by its contents, and no name holds the bullets that stand for a secret.
* While the list of a ``select`` is open, its options show and have its box: where they are drawn is not told.
* The rest is the normal form's: ``normal.py``.

The tree of a page is that of its main frame; inner pages of the same site stand where their frames are.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from understudy.formats.accessibility.browser_roles import FIELDS, ROLES, STATES, role_of
from understudy.formats.accessibility.layout import DomNode, Rectangle, known_nodes, read_layout
from understudy.formats.accessibility.normal import (
    MAX_SOURCE_DEPTH,
    Draft,
    normal_tree,
    number_text,
    placed_box,
)
from understudy.formats.elements import Box, ElementState, ElementTree, Role
from understudy.sealing.errors import FormatError

__all__ = ["BrowserPage", "Inner", "Placement", "browser_tree", "inner_nodes"]


class Placement(msgspec.Struct, frozen=True, kw_only=True):
    """Where a page's viewport lies: its top left corner in pixels of the screen, its size in CSS pixels.

    ``scale`` is pixels of the screen for one CSS pixel.
    """

    x: float = 0
    y: float = 0
    width: float
    height: float
    scale: float = 1

    def box(self, rectangle: Rectangle) -> Box:
        """Return a box of the page as the smallest box of whole pixels of the screen around it."""
        left = math.floor(self.x + rectangle.left * self.scale + _ALMOST)
        top = math.floor(self.y + rectangle.top * self.scale + _ALMOST)
        right = math.ceil(self.x + (rectangle.left + rectangle.width) * self.scale - _ALMOST)
        bottom = math.ceil(self.y + (rectangle.top + rectangle.height) * self.scale - _ALMOST)
        return placed_box(left, top, right - left, bottom - top)


_ALMOST: Final = 1e-3
"""Layout is in 64ths of a pixel; less than that is rounding of floats."""


class _Value(msgspec.Struct):
    value: Any = None
    sources: list[dict[str, Any]] = []


class _Word(msgspec.Struct):
    value: str = ""


class _Property(msgspec.Struct):
    name: str
    value: _Value


class _Node(msgspec.Struct, rename="camel"):
    """A node as ``Accessibility.getFullAXTree`` gives it."""

    node_id: str
    parent_id: str = ""
    ignored: bool = False
    role: _Word = msgspec.field(default_factory=_Word)
    name: _Value = msgspec.field(default_factory=_Value)
    value: _Value | None = None
    properties: list[_Property] = []
    child_ids: list[str] = []
    number: int | None = msgspec.field(default=None, name="backendDOMNodeId")


class Inner(msgspec.Struct, frozen=True, kw_only=True):
    """A node that the browser itself put inside a control, which a snapshot does not tell of.

    ``quad`` is the border quad of ``DOM.getBoxModel``; None where there is none.
    """

    tag: str
    attributes: Mapping[str, str]
    quad: Sequence[float] | None


class BrowserPage(msgspec.Struct, frozen=True, kw_only=True):
    """What a browser tells of a page at one moment.

    ``frames`` holds the ``nodes`` of ``getFullAXTree`` for each frame by its id, the main frame under ``""``;
    ``snapshot`` is the answer of ``captureSnapshot``, taken with ``layout.STYLES``; ``inner`` the nodes that
    ``inner_nodes`` asks for, by their backend number.
    """

    frames: Mapping[str, Sequence[Mapping[str, Any]]]
    snapshot: Mapping[str, Any]
    inner: Mapping[int, Inner] = {}


def browser_tree(page: BrowserPage, placement: Placement, *, application: str | None = None) -> ElementTree:
    """Return a page's tree in normal form; ``application`` is what shows it, as AT-SPI would name it.

    Raises:
        FormatError: the answers are not what the protocol says, or do not belong together.
    """
    reading = _Reading(page, placement)
    layout = reading.layout
    root = Draft(
        role=Role.DOCUMENT,
        name=layout.title,
        states=frozenset({ElementState.SHOWING}),
        box=placement.box(layout.viewport),
        tag=_ROOT_TAG,
        children=reading.page(),
    )
    return normal_tree(root, application=application, host=urlsplit(layout.address).hostname)


def inner_nodes(page: BrowserPage) -> list[int]:
    """Return the backend numbers of the nodes that are still to be asked for.

    Raises:
        FormatError: as above.
    """
    known = known_nodes(page.snapshot)
    asked: dict[int, None] = {}
    for nodes in _nodes_of(page).values():
        roles = {node.node_id: node.role.value for node in nodes}
        for node in nodes:
            is_part = node.role.value in _UNTOLD or roles.get(node.parent_id) in _DRAWN
            if node.number is not None and node.number not in known and not (node.ignored or is_part):
                asked[node.number] = None
    return list(asked)


def _nodes_of(page: BrowserPage) -> dict[str, list[_Node]]:
    try:
        return {frame: msgspec.convert(told, list[_Node]) for frame, told in page.frames.items()}
    except msgspec.ValidationError as error:
        raise FormatError("not an accessibility tree of a browser") from error


class _Reading:
    def __init__(self, page: BrowserPage, placement: Placement) -> None:
        nodes = _nodes_of(page)
        self.layout = read_layout(
            page.snapshot, width=placement.width, height=placement.height, scale=placement.scale
        )
        self._frames = {frame: {node.node_id: node for node in told} for frame, told in nodes.items()}
        self._roots = {frame: told[0] for frame, told in nodes.items() if told}
        self._inner = page.inner
        self._placement = placement
        if "" not in self._roots:
            raise FormatError("an accessibility tree of a browser without nodes")

    def page(self) -> list[Draft]:
        """Return what lies below the root of the main frame."""
        drafts, _ = self._below(self._roots[""], "", None, 1)
        return drafts

    def _below(self, node: _Node, frame: str, above: DomNode | None, depth: int) -> tuple[list[Draft], bool]:
        """Return the drafts of what lies below a node, and whether any of it is secure.

        Children that the browser did not compute are named but not given.
        """
        drafts: list[Draft] = []
        is_secure = False
        for name in node.child_ids if depth <= MAX_SOURCE_DEPTH else ():
            child = self._frames[frame].pop(name, None)  # so none is visited twice
            if child is None or child.role.value in _UNTOLD:
                continue
            dom = None if child.ignored and child.number is None else self._dom(child, above)
            draft = None if child.ignored else self._draft(child, dom)
            if draft is not None and dom is not None and dom.frame is not None:
                root = self._roots.get(dom.frame)
                below, holds = ([], False) if root is None else self._below(root, dom.frame, dom, depth + 1)
            elif draft is not None and _is_atomic(draft, child):
                below, holds = [], False
            else:
                below, holds = self._below(child, frame, dom or above, depth + 1)
            if draft is None:
                drafts += below
            else:
                _settle(draft, child, below, holds=holds)
                drafts.append(draft)
                holds = holds or ElementState.SECURE in draft.states
            is_secure = is_secure or holds
        return drafts, is_secure

    def _dom(self, node: _Node, above: DomNode | None) -> DomNode | None:
        """Return the node of the page that an accessible stands for; ``above`` is that of its parent."""
        if node.number is None:
            if above is None or above.text_box is None:
                return None
            seen = above.seen and above.seen.cut(above.text_box)
            return DomNode(tag="#text", attributes={}, box=above.text_box, seen=seen)
        if (known := self.layout.nodes.get(node.number)) is not None:
            return known
        inner = self._inner.get(node.number)
        if inner is None:
            return None
        box = None if inner.quad is None else _around(inner.quad)
        window = self.layout.viewport if above is None else above.seen
        seen = window.cut(box) if window is not None and box is not None else None
        return DomNode(tag=inner.tag, attributes=inner.attributes, box=box, seen=seen)

    def _draft(self, node: _Node, dom: DomNode | None) -> Draft:
        kind = node.role.value
        told = {one.name: one.value.value for one in node.properties}
        states = {state for state, holds in STATES.items() if holds(told)}
        if ElementState.READONLY in states:
            states.discard(ElementState.EDITABLE)
        if told.get("editable") == "richtext" and ElementState.FOCUSABLE in states:
            states.add(ElementState.MULTILINE)
        if dom is None:
            return Draft(role=ROLES.get(kind, Role.UNKNOWN), name=str(node.name.value or ""))
        if dom.shows:
            states.add(ElementState.SHOWING)
        if dom.is_clickable and dom.tag != "label" and ElementState.EDITABLE not in states:
            states.add(ElementState.CLICKABLE)  # labels and editable texts answer by the browser's own doing
        attributes = dom.attributes
        if dom.tag == "input" and attributes.get("type", "").lower() == "password":
            states.add(ElementState.SECURE)
        role = role_of(kind, dom.tag)
        if role is Role.PROGRESSBAR and node.value is None:
            states.add(ElementState.MIXED)
        return Draft(
            role=role,
            name=_name(node, dom),
            value=_value(node, role, told, dom),
            states=frozenset(states),
            box=self._placement.box(dom.box) if dom.box is not None else None,
            tag=None if dom.tag.startswith("#") else dom.tag,
            id=attributes.get("id") or None,
            classes=tuple(attributes.get("class", "").split()),
        )


_ROOT_TAG: Final = "#document"
_UNTOLD: Final = frozenset({"InlineTextBox", "ListMarker"})
"""Parts of a text, and the dot or number before an item of a list."""
_DRAWN: Final = frozenset({"searchbox", "slider", "spinbutton", "textbox"})
"""What lies in these is never looked at where the browser put it there."""
_BULLET: Final = "\u2022"
_PICTURES: Final = frozenset({"image", "img", "separator"})
"""A drawing with parts is a ``SvgRoot`` instead."""
_NAMED: Final = frozenset(
    {
        Role.BUTTON,
        Role.CHECKBOX,
        Role.MENUITEM,
        Role.MENUITEMCHECKBOX,
        Role.MENUITEMRADIO,
        Role.RADIO,
        Role.SWITCH,
        Role.TAB,
    }
)
_POSITIONS: Final = frozenset({Role.SLIDER, Role.SPINBUTTON, Role.PROGRESSBAR, Role.METER, Role.SCROLLBAR})


def _from_contents(node: _Node) -> bool:
    """Whether a node is called by what is inside it."""
    said = [source for source in node.name.sources if "value" in source and not source.get("superseded")]
    return bool(said) and said[0].get("type") == "contents"


def _settle(draft: Draft, node: _Node, below: list[Draft], *, holds: bool) -> None:
    """Put what lies below a node into its draft; ``holds``: something of it is secure."""
    draft.children = [] if _is_label_of(draft, below) else below
    if holds and _from_contents(node):
        draft.name = ""
    if draft.tag == "select" and ElementState.EXPANDED in draft.states:
        _show_options(draft, draft.box)


def _show_options(draft: Draft, box: Box | None) -> None:
    """Have the options of an open list show: the browser draws them in a window of its own, and not where."""
    for child in draft.children:
        if child.role is Role.OPTION:
            child.states |= {ElementState.SHOWING}
            child.box = box
        _show_options(child, box)


def _is_atomic(draft: Draft, node: _Node) -> bool:
    """Whether what is inside is how the browser draws it, and no part of the page."""
    if draft.role in _POSITIONS or node.role.value in _PICTURES:
        return True
    return draft.role in FIELDS and draft.tag in {"input", "textarea"}


def _is_label_of(draft: Draft, below: list[Draft]) -> bool:
    """Whether all that is inside is one text, and the control has a name: the bus tells the name alone."""
    return draft.role in _NAMED and bool(draft.name) and len(below) == 1 and below[0].role is Role.TEXT


def _name(node: _Node, dom: DomNode) -> str:
    """Return the name; that of a choice of files says what was chosen, as it does on the button."""
    name = str(node.name.value or "")
    if _BULLET in name:
        return ""
    if dom.tag == "input" and dom.attributes.get("type", "").lower() == "file":
        return f"{name}: {_text(node) or ''}"
    return name


def _value(node: _Node, role: Role, told: Mapping[str, Any], dom: DomNode) -> str | None:
    if role is Role.COMBOBOX and "editable" not in told:
        return None  # what is chosen is the name of the selected option
    if role in FIELDS:
        return dom.value if dom.value is not None else _text(node)
    if role in _POSITIONS:
        if role is not Role.SPINBUTTON:
            return _text(node) or ("0" if role is Role.PROGRESSBAR else None)
        if dom.value is not None:
            return dom.value
        said = str(told.get("valuetext") or dom.attributes.get("aria-valuetext") or _text(node) or "")
        return "" if said == "0" else said  # an empty part of a date field says 0, which none of them can be
    return None


def _text(node: _Node) -> str | None:
    told = None if node.value is None else node.value.value
    if isinstance(told, (int, float)) and not isinstance(told, bool):
        return number_text(told)
    return None if told is None else str(told)


def _around(quad: Sequence[float]) -> Rectangle:
    across, down = quad[::2], quad[1::2]
    return Rectangle(min(across), min(down), max(across) - min(across), max(down) - min(down))
