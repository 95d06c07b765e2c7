"""Where the nodes of a page lie and what of them shows, from ``DOMSnapshot.captureSnapshot``.

Rules

* Boxes are CSS pixels of the viewport, as floats: scrolling is taken off, and a frame's inner page is moved
  to where the frame shows it; the box of a frame is that of its inner page.
* A box is the node's whole box; that of an inline element goes around the inline elements in it. What its
  ancestors cut off changes ``shows`` alone.
* A node shows when something of its box is left after the cut of the viewport and of every ancestor element
  that does not let its content overflow; a fixed node is cut by its viewport only. This is how the browser
  decides for the accessibility bus, too, and so it does not follow CSS in one case: an absolutely placed node
  is cut by ancestors that are not its containing block.
* The inside of what is not rendered has no box and does not show.

The snapshot must have been taken with ``STYLES``.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from understudy.sealing.errors import FormatError

STYLES: Final = (
    "display",
    "overflow-x",
    "overflow-y",
    "visibility",
    "position",
    "border-left-width",
    "border-top-width",
    "padding-left",
    "padding-top",
)
_FIXED: Final = "fixed"
_LIFTED: Final = frozenset({"absolute", _FIXED})
_ROOTS: Final = frozenset({"#document", "html", "body"})
"""What these cut off is the viewport's affair."""


class Rectangle(NamedTuple):
    """A box with fractions."""

    left: float
    top: float
    width: float
    height: float

    def cut(self, other: "Rectangle") -> "Rectangle | None":
        """Return what two boxes share, or None."""
        left, top = max(self.left, other.left), max(self.top, other.top)
        right = min(self.left + self.width, other.left + other.width)
        bottom = min(self.top + self.height, other.top + other.height)
        return Rectangle(left, top, right - left, bottom - top) if left < right and top < bottom else None

    def joined(self, other: "Rectangle") -> "Rectangle":
        """Return the smallest box around two boxes."""
        left, top = min(self.left, other.left), min(self.top, other.top)
        right = max(self.left + self.width, other.left + other.width)
        bottom = max(self.top + self.height, other.top + other.height)
        return Rectangle(left, top, right - left, bottom - top)

    def moved(self, x: float, y: float) -> "Rectangle":
        """Return the box, moved."""
        return self._replace(left=self.left + x, top=self.top + y)


class DomNode(msgspec.Struct, frozen=True, kw_only=True):
    """A node of the page. ``tag`` is in lower case; ``#text`` and the like for what is no element."""

    tag: str
    attributes: Mapping[str, str]
    box: Rectangle | None
    seen: Rectangle | None
    """What is left of the box after all cuts."""
    text_box: Rectangle | None = None
    """Where the text of a pseudo-element is."""
    is_visible: bool = True
    is_clickable: bool = False
    value: str | None = None
    """What a field holds; None where it is no field."""
    frame: str | None = None
    """The id of the frame that this element holds."""

    @property
    def shows(self) -> bool:
        """Whether anything of it is to be seen."""
        return self.seen is not None and self.is_visible


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """All nodes of a page by their backend number, and what shows of the page."""

    title: str
    address: str
    viewport: Rectangle
    nodes: Mapping[int, DomNode]


class _Sparse(msgspec.Struct):
    """A property that few nodes have."""

    index: list[int] = []
    value: list[int] = []

    def items(self) -> Iterator[tuple[int, int]]:
        return zip(self.index, self.value, strict=False)


class _Nodes(msgspec.Struct, rename="camel"):
    parent_index: list[int]
    node_name: list[int]
    backend_node_id: list[int]
    attributes: list[list[int]]
    text_value: _Sparse = msgspec.field(default_factory=_Sparse)
    input_value: _Sparse = msgspec.field(default_factory=_Sparse)
    content_document_index: _Sparse = msgspec.field(default_factory=_Sparse)
    is_clickable: _Sparse = msgspec.field(default_factory=_Sparse)


class _Boxes(msgspec.Struct, rename="camel"):
    node_index: list[int]
    styles: list[list[int]]
    bounds: list[tuple[float, float, float, float]]
    text: list[int]


class _Document(msgspec.Struct, rename="camel"):
    title: int
    frame_id: int
    nodes: _Nodes
    layout: _Boxes
    document_url: int = msgspec.field(default=-1, name="documentURL")
    scroll_offset_x: float = 0
    scroll_offset_y: float = 0


class _Snapshot(msgspec.Struct):
    documents: list[_Document]
    strings: list[str]


class _Frame(NamedTuple):
    """Where an inner page goes: its corner, and what of it can show at all."""

    x: float
    y: float
    window: Rectangle | None


def read_layout(snapshot: Mapping[str, Any], *, width: float, height: float, scale: float = 1) -> Layout:
    """Return the nodes of a page whose viewport has this size, on a screen of this scale.

    Raises:
        FormatError: it is not a snapshot, or was taken without ``STYLES``.
    """
    try:
        whole = msgspec.convert(snapshot, _Snapshot, strict=False)
        viewport = Rectangle(0, 0, width, height)
        reading = _Reading(whole, scale)
        reading.read(0, _Frame(0, 0, viewport))
        first = whole.documents[0]
        return Layout(
            title=reading.word(first.title),
            address=reading.word(first.document_url),
            viewport=viewport,
            nodes=reading.found,
        )
    except (msgspec.ValidationError, IndexError, ValueError) as error:
        raise FormatError("not a snapshot of a page") from error


def known_nodes(snapshot: Mapping[str, Any]) -> set[int]:
    """Return the backend numbers of the nodes that a snapshot tells of.

    Raises:
        FormatError: it is not a snapshot.
    """
    try:
        whole = msgspec.convert(snapshot, _Snapshot, strict=False)
    except msgspec.ValidationError as error:
        raise FormatError("not a snapshot of a page") from error
    return {number for document in whole.documents for number in document.nodes.backend_node_id}


def frame_ids(snapshot: Mapping[str, Any]) -> list[str]:
    """Return the ids of the frames inside the page.

    Raises:
        FormatError: it is not a snapshot.
    """
    try:
        whole = msgspec.convert(snapshot, _Snapshot, strict=False)
        return [whole.strings[document.frame_id] for document in whole.documents[1:]]
    except (msgspec.ValidationError, IndexError) as error:
        raise FormatError("not a snapshot of a page") from error


class _Reading:
    def __init__(self, whole: _Snapshot, scale: float) -> None:
        self.whole = whole
        self._scale = scale
        self.found: dict[int, DomNode] = {}
        self._read: set[int] = set()

    def word(self, number: int) -> str:
        return self.whole.strings[number] if number >= 0 else ""

    def read(self, number: int, frame: _Frame) -> None:
        """Read one document and those in its frames."""
        if number in self._read:
            raise ValueError("a document inside itself")
        self._read.add(number)
        document = self.whole.documents[number]
        nodes = document.nodes
        corner_x = frame.x - document.scroll_offset_x / self._scale
        corner_y = frame.y - document.scroll_offset_y / self._scale
        boxes: dict[int, Rectangle] = {}
        text_boxes: dict[int, Rectangle] = {}
        styles: dict[int, dict[str, str]] = {}
        layout = document.layout
        rows = zip(layout.node_index, layout.styles, layout.bounds, layout.text, strict=True)
        for node, numbers, bounds, text in rows:
            box = self._box(bounds).moved(corner_x, corner_y)
            if node not in boxes:  # an element in several columns has its first box here
                boxes[node] = box
                styles[node] = dict(zip(STYLES, map(self.word, numbers), strict=bool(numbers)))
            elif text >= 0:  # the text that a pseudo-element makes has no node of its own
                text_boxes.setdefault(node, box)
        _spread(nodes.parent_index, boxes, styles)
        values = {**dict(nodes.text_value.items()), **dict(nodes.input_value.items())}
        clickable = set(nodes.is_clickable.index)
        inner = dict(nodes.content_document_index.items())
        windows: list[Rectangle | None] = []
        for node, parent in enumerate(nodes.parent_index):
            if parent >= node:
                raise ValueError("a node before its parent")
            tag = self.word(nodes.node_name[node]).lower()
            style, room = styles.get(node, {}), boxes.get(node)
            window = windows[parent] if parent >= 0 else frame.window
            if style.get("position") == _FIXED:
                window = frame.window
            if node in inner and room is not None:
                room = self._inside(room, style, inner[node])
            left = window.cut(room) if window is not None and room is not None else None
            cuts = room is not None and tag not in _ROOTS and _cuts(style)
            windows.append(left if cuts else window)
            self.found[nodes.backend_node_id[node]] = DomNode(
                tag=tag,
                attributes=self._attributes(nodes, node),
                box=room,
                seen=left,
                text_box=text_boxes.get(node),
                is_visible=style.get("visibility", "visible") == "visible",
                is_clickable=node in clickable,
                value=self.word(values[node]) if node in values else None,
                frame=self.word(self.whole.documents[inner[node]].frame_id) if node in inner else None,
            )
            if node in inner and room is not None:
                self.read(inner[node], _Frame(room.left, room.top, left))

    def _attributes(self, nodes: _Nodes, node: int) -> dict[str, str]:
        words = [self.word(one) for one in nodes.attributes[node]]
        return dict(zip(words[::2], words[1::2], strict=True))

    def _inside(self, box: Rectangle, style: Mapping[str, str], number: int) -> Rectangle:
        """Return where the document ``number`` shows in the element with this box."""
        layout = self.whole.documents[number].layout
        left = box.left + _pixels(style, "border-left-width") + _pixels(style, "padding-left")
        top = box.top + _pixels(style, "border-top-width") + _pixels(style, "padding-top")
        if not layout.node_index or layout.node_index[0] != 0:  # it is not drawn
            return Rectangle(left, top, 0, 0)
        whole = self._box(layout.bounds[0])
        return Rectangle(left, top, whole.width, whole.height)

    def _box(self, bounds: tuple[float, float, float, float]) -> Rectangle:
        """Return a box in CSS pixels; all that is measured in a snapshot is in pixels of the screen."""
        return Rectangle(*(side / self._scale for side in bounds))


def _spread(parents: list[int], boxes: dict[int, Rectangle], styles: Mapping[int, Mapping[str, str]]) -> None:
    """Widen the boxes of inline elements around the inline elements in them."""
    for node in range(len(parents) - 1, 0, -1):
        style, parent = styles.get(node, {}), parents[node]
        if node not in boxes or parent not in boxes or styles[parent].get("display") != "inline":
            continue
        if style.get("display", "").startswith("inline") and style.get("position") not in _LIFTED:
            boxes[parent] = boxes[parent].joined(boxes[node])


def _cuts(style: Mapping[str, str]) -> bool:
    return style.get("overflow-x", "visible") != "visible" or style.get("overflow-y", "visible") != "visible"


def _pixels(style: Mapping[str, str], name: str) -> float:
    return float(style.get(name, "0px").removesuffix("px") or 0)
