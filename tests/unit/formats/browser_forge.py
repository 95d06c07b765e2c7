"""What a browser would tell of a small page, made by hand: an accessibility tree and a snapshot that fit."""

from collections.abc import Mapping
from typing import Any

import msgspec

from understudy.formats.accessibility.browser import BrowserPage, Inner, Placement, browser_tree
from understudy.formats.accessibility.layout import STYLES
from understudy.formats.elements import ElementTree

FRAME = "main frame"


class Part(msgspec.Struct, kw_only=True):
    """One node of the page, both as DOM and as accessible; ``role`` empty: ignored; None: not in the tree."""

    tag: str = "div"
    role: str | None = "generic"
    name: str = ""
    value: object = None
    box: tuple[float, float, float, float] | None = (0, 0, 10, 10)
    attributes: Mapping[str, str] = {}
    told: Mapping[str, object] = {}
    styles: Mapping[str, str] = {}
    held: str | None = None
    is_clickable: bool = False
    is_inner: bool = False
    source: str = "attribute"
    children: list["Part"] = []


def text(said: str, box: tuple[float, float, float, float] = (0, 0, 10, 10)) -> Part:
    return Part(tag="#text", role="StaticText", name=said, box=box)


class Forge:
    """Collects the parts of a page into the two answers."""

    def __init__(self, *children: Part, scroll: tuple[float, float] = (0, 0)) -> None:
        self.strings: list[str] = []
        self.nodes: list[dict[str, Any]] = []
        self.inner: dict[int, Inner] = {}
        self._dom: dict[str, list[Any]] = {
            name: [] for name in ("parentIndex", "nodeName", "backendNodeId", "attributes")
        }
        self._layout: dict[str, list[Any]] = {name: [] for name in ("nodeIndex", "styles", "bounds", "text")}
        self._held: list[tuple[int, str]] = []
        self._clickable: list[int] = []
        self._last = 0
        root = Part(tag="#document", role="RootWebArea", name="A page", children=list(children))
        self._add(root, -1)
        self.document: dict[str, Any] = {
            "title": self._word("A page"),
            "documentURL": self._word("http://pages.example:8080/one?secret=1"),
            "frameId": self._word(FRAME),
            "scrollOffsetX": scroll[0],
            "scrollOffsetY": scroll[1],
            "nodes": {
                **self._dom,
                "inputValue": {
                    "index": [node for node, _ in self._held],
                    "value": [self._word(held) for _, held in self._held],
                },
                "isClickable": {"index": self._clickable},
            },
            "layout": self._layout,
        }

    @property
    def snapshot(self) -> dict[str, Any]:
        return {"documents": [self.document], "strings": self.strings}

    @property
    def page(self) -> BrowserPage:
        return BrowserPage(frames={"": self.nodes}, snapshot=self.snapshot, inner=self.inner)

    def tree(self, **placement: float) -> ElementTree:
        return browser_tree(self.page, Placement(**{"width": 200, "height": 100, **placement}))

    def _word(self, word: str) -> int:
        if word not in self.strings:
            self.strings.append(word)
        return self.strings.index(word)

    def _add(self, part: Part, parent: int) -> str:
        self._last += 1
        number = self._last
        node = parent
        if part.is_inner:
            left, top, width, height = part.box or (0, 0, 0, 0)
            right, bottom = left + width, top + height
            quad = (left, top, right, top, right, bottom, left, bottom)
            self.inner[number] = Inner(
                tag=part.tag, attributes=part.attributes, quad=quad if part.box else None
            )
        else:
            node = self._add_dom(part, parent, number)
        accessible: dict[str, Any] | None = None
        if part.role is not None:
            accessible = {
                "nodeId": str(number),
                "ignored": not part.role,
                "role": {"value": part.role or "none"},
                "name": {"value": part.name, "sources": [{"type": part.source, "value": part.name}]},
                "properties": [
                    {"name": name, "value": {"value": value}} for name, value in part.told.items()
                ],
                "backendDOMNodeId": number,
                "childIds": [],
            }
            if part.value is not None:
                accessible["value"] = {"value": part.value}
            self.nodes.append(accessible)
        below = [self._add(child, node) for child in part.children]
        if accessible is not None:
            accessible["childIds"] = below
        return str(number)

    def _add_dom(self, part: Part, parent: int, number: int) -> int:
        node = len(self._dom["nodeName"])
        self._dom["parentIndex"].append(parent)
        self._dom["nodeName"].append(self._word(part.tag.upper()))
        self._dom["backendNodeId"].append(number)
        words = [self._word(word) for pair in part.attributes.items() for word in pair]
        self._dom["attributes"].append(words)
        if part.box is not None:
            self._layout["nodeIndex"].append(node)
            styles = [part.styles.get(name, _DEFAULTS.get(name, "0px")) for name in STYLES]
            self._layout["styles"].append([self._word(style) for style in styles])
            self._layout["bounds"].append(list(part.box))
            self._layout["text"].append(-1)
        if part.held is not None:
            self._held.append((node, part.held))
        if part.is_clickable:
            self._clickable.append(node)
        return node


_DEFAULTS = {
    "display": "block",
    "overflow-x": "visible",
    "overflow-y": "visible",
    "visibility": "visible",
    "position": "static",
}
