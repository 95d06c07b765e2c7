"""Reading pages over one connection, whole or one field of them.

Rules

* What does not change while a node lives is remembered from walk to walk; ``forget`` when it does.
* A field is read again only after its role, its attributes and the marks say anew that it is no secret.
"""

from typing import Final

from understudy.formats.accessibility.atspi import element_tree, is_password
from understudy.formats.elements import ElementTree
from understudy.recorder.capture.atspi import spi
from understudy.recorder.capture.atspi.bus import Connection, Peer
from understudy.recorder.capture.atspi.marks import Marks
from understudy.recorder.capture.atspi.pages import Page
from understudy.recorder.capture.atspi.walk import Facts, Reading, Walk, is_hidden

__all__ = ["Reader", "tree_of"]

_MAX_FACTS: Final = 20_000


class Reader:
    """Reads pages.

    Args:
        connection: not the one that follows the focus: a walk would keep that waiting.
        marks: the fields that were ever secure; those that are found are added.
    """

    def __init__(self, connection: Connection, marks: Marks) -> None:
        self.connection = connection
        self._marks = marks
        self._facts: dict[Peer, Facts] = {}

    async def read(self, page: Page) -> Reading | None:
        """Return what lies below ``page`` now; None where it is gone."""
        if len(self._facts) > _MAX_FACTS:
            self._facts.clear()
        return await Walk(self.connection, self._marks, self._facts, page).run()

    async def read_text(self, reading: Reading, peer: Peer) -> bool | None:
        """Read the text of one field again, into ``reading``.

        Returns:
            Whether it changed. None: it is no such field any more, so that all must be read.
        """
        node, field = reading.nodes.get(peer), reading.fields.get(peer)
        if node is None or field is None or node.text is None or node.is_secure:
            return None
        role, attributes = await self.connection.gather(peer, spi.GET_ROLE, spi.GET_ATTRIBUTES)
        if role != node.role or attributes is None or is_password(role, attributes) or self._marks.has(field):
            return None
        text = await self.connection.call(peer, spi.GET_TEXT)
        if text is None or (text and is_hidden(text)):
            return None
        if text == node.text:
            return False
        node.text = text
        return True

    def forget(self, peer: Peer) -> None:
        """Forget what was remembered of a node."""
        self._facts.pop(peer, None)

    def forget_all(self) -> None:
        """Forget all nodes: another page came."""
        self._facts.clear()


def tree_of(reading: Reading) -> ElementTree:
    """Return what was read in normal form."""
    page = reading.page
    reading.root.name = page.title
    reading.root.box = (page.box.x, page.box.y, page.box.width, page.box.height)
    return element_tree(reading.root, application=page.application or None, host=page.host or None)
