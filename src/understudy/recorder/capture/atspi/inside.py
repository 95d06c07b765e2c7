"""Whether a node lies in a page: not in the browser's own controls, nor in a foreign page inside the page.

Rules

* The way up from the node must lead to the page. What cannot be followed up to it is outside.
* A page inside the page counts as it does for reading: with the same host, or none.

Example::

    if await is_inside(connection, focused, page): ...
"""

from typing import Final

from understudy.formats.accessibility.atspi_roles import DOCUMENT_WEB
from understudy.recorder.capture.atspi import spi
from understudy.recorder.capture.atspi.bus import Connection, Peer
from understudy.recorder.capture.atspi.pages import Page, host_of

__all__ = ["is_inside"]

_MAX_LEVELS: Final = 250


async def is_inside(connection: Connection, peer: Peer, page: Page) -> bool:
    """Return whether ``peer`` is the page or lies in it."""
    at = peer
    for _ in range(_MAX_LEVELS):
        if at == page.peer:
            return True
        if at.sender != page.peer.sender:
            return False
        parent, role = await connection.gather(at, spi.GET_PARENT, spi.GET_ROLE)
        if parent is None or role is None:
            return False
        if role == DOCUMENT_WEB:
            facts = await connection.call(at, spi.GET_DOCUMENT) or {}
            host = host_of(facts.get("URI") or facts.get("DocURL") or "")
            if host and host != page.host:
                return False
        at = Peer(*parent)
    return False
