"""Where the keyboard focus is, and whether what is typed there may be recorded.

Rules

* Every focus event and every change of window makes the focus unknown at once, until its node has been read.
* Plain is said only of a node of known role, without a mark, in the program of the active window. A role that
  tells nothing of what is inside (a window, a terminal) stays unknown.
* Where the window shows a web page, plain is said only of nodes of that page: not of the browser's own
  controls (an address bar), nor of a page of another host inside it (a payment form).
* Movement of the caret in the focused field has it read again: a field can turn secret without any event.
* A reply about a node that no longer has the focus is not listened to.

Times are those of receipt. Only role, attributes, parent, box and name of the focused node are read.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

from dbus_fast import Message

from understudy.formats.accessibility.atspi import is_password
from understudy.formats.accessibility.atspi_roles import FOCUSED, TERMINAL, is_field
from understudy.recorder.capture.atspi import spi
from understudy.recorder.capture.atspi.bus import DAEMON, Call, Connection, Peer
from understudy.recorder.capture.atspi.inside import is_inside
from understudy.recorder.capture.atspi.marks import Field, Marks
from understudy.recorder.capture.atspi.pages import Page, state_bits
from understudy.recorder.capture.observed import ActiveWindow, Focused, Security, server_ms

__all__ = ["FocusGate"]

OPAQUE: Final = frozenset({0, 14, 20, 22, 23, 24, 25, 28, 30, 46, TERMINAL, 67, 69, 70, 75, 78, 86, 89})
"""Roles that do not tell what takes the keys: windows and panes, terminals, unknown ones."""
_PATIENCE_SECONDS: Final = 0.05
"""How long after a window became active its focus event may take; then the last known node is asked."""


class FocusGate:
    """Follows the focus over one connection at a time.

    Args:
        marks: the fields that were ever secure.
        on_focus: takes what is known, whenever that changes.
        address_of: gives the address of the page that a program shows, where it is known.
    """

    def __init__(
        self, marks: Marks, on_focus: Callable[[Focused], None], address_of: Callable[[str], str]
    ) -> None:
        self._marks = marks
        self._on_focus = on_focus
        self._address_of = address_of
        self._connection: Connection | None = None
        self._window: ActiveWindow | None = None
        self._peer: Peer | None = None
        self._security = Security.UNKNOWN
        self._published: Security | None = None
        self._pids: dict[str, int] = {}
        self._last: dict[str, Peer] = {}
        self._looks: set[asyncio.Task[None]] = set()
        self._page: Page | None = None
        self._inside: set[Peer] = set()
        self._publish()

    @property
    def security(self) -> Security:
        """What was said last."""
        return self._published or Security.UNKNOWN

    def attach(self, connection: Connection) -> None:
        """Follow the focus over ``connection``, whose signals come to ``take``."""
        self._connection = connection

    def detach(self) -> None:
        """Know nothing: the connection is gone."""
        self._connection = None
        self._pids.clear()
        self._last.clear()
        self._lose()

    def attend(self, window: ActiveWindow | None) -> None:
        """Take note of the window that the window manager calls active."""
        changed = (window and window.window) != (self._window and self._window.window)
        self._window = window
        if changed and self._peer is not None:
            self._security = Security.UNKNOWN
            self._publish()
            self._start(self._look(self._peer, is_doubted=True))
        self._publish()

    def confine(self, page: Page | None) -> None:
        """Take note of the page that may be recorded: typing is plain there and nowhere else.

        Args:
            page: None, and a page that is no web page, stand for the whole of the active window.
        """
        wanted = page if page is not None and page.is_web else None
        before, self._page = self._page, wanted
        if (before and (before.peer, before.host)) == (wanted and (wanted.peer, wanted.host)):
            return
        self._inside.clear()
        if self._peer is not None:
            self._security = Security.UNKNOWN
            self._publish()
            self._start(self._look(self._peer))

    def learn(self, peer: Peer) -> None:
        """Take note of a node that was read with the focus, where no event has told of one."""
        if self._peer is None:
            self._move(peer)

    def take(self, message: Message) -> None:
        """Take a signal of the connection."""
        member = message.member
        peer = Peer(message.sender or "", message.path or "")
        if message.interface == DAEMON:
            self._leave(message)
        elif message.signature[:3] != "sii":
            return
        elif member == "TextCaretMoved":
            if peer == self._peer and self._security is Security.PLAIN:
                self._start(self._look(peer))
        elif member == "StateChanged":
            if message.body[1]:
                self._move(peer)
            elif peer == self._peer:
                self._lose()
        elif member == "Activate":
            self._lose()
            asyncio.get_running_loop().call_later(_PATIENCE_SECONDS, self._remember, peer.sender)
        elif member == "Deactivate" and self._peer is not None and self._peer.sender == peer.sender:
            self._lose()

    def _move(self, peer: Peer) -> None:
        self._peer = peer
        self._last[peer.sender] = peer
        self._security = Security.UNKNOWN
        self._publish()
        self._start(self._look(peer))

    def _lose(self) -> None:
        self._peer = None
        self._security = Security.UNKNOWN
        self._publish()

    def _leave(self, message: Message) -> None:
        """Forget a program that has left the bus."""
        if message.member != "NameOwnerChanged" or message.body[2]:
            return
        name = message.body[0]
        self._pids.pop(name, None)
        self._last.pop(name, None)
        if self._peer is not None and self._peer.sender == name:
            self._lose()

    def _remember(self, sender: str) -> None:
        """Ask the node that had the focus last, where the window came back without a focus event."""
        peer = self._last.get(sender)
        if self._peer is None and peer is not None:
            self._peer = peer
            self._start(self._look(peer, is_doubted=True))

    def _publish(self) -> None:
        window, peer = self._window, self._peer
        is_active = (
            window is not None
            and peer is not None
            and window.pid is not None
            and self._pids.get(peer.sender) == window.pid
        )
        security = self._security if is_active else Security.UNKNOWN
        if security is not self._published:
            self._published = security
            self._on_focus(Focused(time=server_ms(), security=security))

    def _start(self, look: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(look)
        self._looks.add(task)
        task.add_done_callback(self._looks.discard)

    async def _look(self, peer: Peer, *, is_doubted: bool = False) -> None:
        """Read the node and say what is known of it."""
        connection = self._connection
        if connection is None:
            return
        asked = [connection.call(peer, spi.GET_ROLE), connection.call(peer, spi.GET_ATTRIBUTES)]
        if is_doubted:
            asked.append(connection.call(peer, spi.GET_STATE))
        if peer.sender not in self._pids:
            whose = Call(DAEMON, "GetConnectionUnixProcessID", "u", "s", (peer.sender,))
            asked.append(self._learn_pid(peer.sender, connection.call(spi.BUS, whose)))
        role, attributes, *more = await asyncio.gather(*asked)
        if is_doubted and not state_bits(more[0]) & FOCUSED:
            if peer == self._peer:
                self._lose()
            return
        security = Security.UNKNOWN
        if role is not None and attributes is not None:
            security = await self._judge(connection, peer, role, attributes)
        if peer == self._peer and connection is self._connection:
            self._security = security
            self._publish()

    async def _judge(
        self, connection: Connection, peer: Peer, role: int, attributes: dict[str, str]
    ) -> Security:
        if is_password(role, attributes):
            if peer == self._peer:
                self._security = Security.SECURE
                self._publish()
            self._marks.add(await self._field(connection, peer, attributes))
            return Security.SECURE
        if self._marks.has_node(peer):
            return Security.SECURE
        if role in OPAQUE:
            return Security.UNKNOWN
        if is_field(role) and self._marks.has(await self._field(connection, peer, attributes)):
            return Security.SECURE
        return Security.PLAIN if await self._is_on_page(connection, peer) else Security.UNKNOWN

    async def _is_on_page(self, connection: Connection, peer: Peer) -> bool:
        """Return whether a node lies in the page that may be recorded; remembered, for carets move often."""
        page = self._page
        if page is None or peer in self._inside:
            return True
        is_there = await is_inside(connection, peer, page)
        if is_there and page is self._page:
            self._inside.add(peer)
        return is_there

    async def _field(self, connection: Connection, peer: Peer, attributes: dict[str, str]) -> Field:
        parent, box, name = await connection.gather(peer, spi.GET_PARENT, spi.GET_EXTENTS, spi.GET_NAME)
        return Field(
            peer=peer,
            address=self._address_of(peer.sender),
            tag=attributes.get("tag", ""),
            key=attributes.get("id") or name or "",
            parent=parent[1] if parent else "",
            box=tuple(box) if box else None,
        )

    async def _learn_pid(self, sender: str, asked: Coroutine[Any, Any, Any]) -> None:
        pid = await asked
        if pid is not None:
            self._pids[sender] = pid
