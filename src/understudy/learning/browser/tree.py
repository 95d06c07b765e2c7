"""Read a page's element tree through the browser itself.

Rules

* Three questions, each of the page as it then is: a snapshot of boxes, the accessibility tree of each frame,
  and the inside of controls that the browser draws itself (the parts of a date field). Whoever wants one
  moment asks while the page is quiet.
* What went away between two questions is left out.
* The result is in the normal form of ``understudy.formats.accessibility``.
"""

import contextlib
from typing import Final

from understudy.formats.accessibility.browser import BrowserPage, Inner, Placement, browser_tree, inner_nodes
from understudy.formats.accessibility.layout import STYLES, frame_ids
from understudy.formats.elements import ElementTree
from understudy.learning.browser.errors import ProtocolError
from understudy.learning.browser.page import Page, Viewport

MAX_INNER: Final = 500
"""Inner parts of controls that are asked for: two calls each."""


def place(viewport: Viewport) -> Placement:
    """Return the placement of a page that shows at ``viewport``."""
    return Placement(
        x=viewport.left * viewport.scale,
        y=viewport.top * viewport.scale,
        width=viewport.width,
        height=viewport.height,
        scale=viewport.scale,
    )


def page_tree(
    page: Page, placement: Placement | None = None, *, application: str | None = None
) -> ElementTree:
    """Return the tree of ``page``; its place on the screen is asked of the page where it is not given.

    Raises:
        BrowserError: the browser failed.
        FormatError: its answers are not what the protocol says.
    """
    where = placement or place(page.viewport())
    snapshot = page.call("DOMSnapshot.captureSnapshot", computedStyles=list(STYLES))
    frames = {"": page.call("Accessibility.getFullAXTree")["nodes"]}
    for frame in frame_ids(snapshot):
        with contextlib.suppress(ProtocolError):  # a frame that went away, or one of another process
            frames[frame] = page.call("Accessibility.getFullAXTree", frameId=frame)["nodes"]
    asked = inner_nodes(BrowserPage(frames=frames, snapshot=snapshot))[:MAX_INNER]
    inner = {number: _inner(page, number) for number in asked}
    told = BrowserPage(frames=frames, snapshot=snapshot, inner=inner)
    return browser_tree(told, where, application=application)


def _inner(page: Page, number: int) -> Inner:
    try:
        node = page.call("DOM.describeNode", backendNodeId=number)["node"]
    except ProtocolError:
        return Inner(tag="#gone", attributes={}, quad=None)
    words = node.get("attributes", [])
    try:
        quad = page.call("DOM.getBoxModel", backendNodeId=number)["model"]["border"]
    except ProtocolError:  # it is not drawn
        quad = None
    return Inner(
        tag=node["nodeName"].lower(), attributes=dict(zip(words[::2], words[1::2], strict=False)), quad=quad
    )
