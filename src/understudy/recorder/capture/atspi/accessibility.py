"""The accessibility bus as the capture uses it: two connections, kept or made again, and what they give.

Rules

* The gate's connection carries focus and windows only, so that no walk keeps a focus event waiting.
* When either connection is lost, the focus is unknown at once, nothing can be read, and both are made again.
* Programs are asked for changes one at a time: only the one whose page may be recorded sends them.
"""

import asyncio
import contextlib
from collections.abc import Callable
from enum import Enum, auto
from typing import Final

from dbus_fast import Message

from understudy.formats.elements import ElementTree
from understudy.recorder.capture.atspi import spi
from understudy.recorder.capture.atspi.bus import Connection, Peer, find_bus
from understudy.recorder.capture.atspi.focus import FocusGate
from understudy.recorder.capture.atspi.marks import Marks
from understudy.recorder.capture.atspi.pages import Page, Programs
from understudy.recorder.capture.atspi.reader import Reader, tree_of
from understudy.recorder.capture.observed import ActiveWindow, Focused, Security

__all__ = ["Accessibility", "Change"]

_AGAIN_SECONDS: Final = 1.0


class Change(Enum):
    """What happened to a node, as far as it matters to who reads it."""

    FOCUSED = auto()
    UNFOCUSED = auto()
    TEXT = auto()
    OTHER = auto()
    LOADED = auto()
    GONE = auto()


class Accessibility:
    """What accessibility tells of the desktop; made by ``start``."""

    def __init__(self, on_focus: Callable[[Focused], None], session_address: str | None) -> None:
        self._session_address = session_address
        self._marks = Marks()
        self._addresses: dict[str, str] = {}
        self._gate = FocusGate(self._marks, on_focus, lambda sender: self._addresses.get(sender, ""))
        self._link: _Link | None = None
        self._listener: Callable[[Peer, Change], None] | None = None
        self._followed: str | None = None
        self._keeper: asyncio.Task[None] | None = None

    @classmethod
    async def start(
        cls, *, on_focus: Callable[[Focused], None], session_address: str | None = None
    ) -> "Accessibility":
        """Connect, with accessibility switched on, and follow the focus from now on.

        Args:
            on_focus: is called in this loop whenever it changes whether typing may be recorded.
            session_address: of the session's bus; None is the one of the environment.

        Raises:
            OSError: there is no session bus, or no accessibility in it.
        """
        accessibility = cls(on_focus, session_address)
        await accessibility._connect()
        accessibility._keeper = asyncio.get_running_loop().create_task(accessibility._keep())
        return accessibility

    @property
    def is_alive(self) -> bool:
        """Whether both connections stand; where not, every focus is unknown and nothing can be read."""
        return self._link is not None and self._link.is_open

    @property
    def security(self) -> Security:
        """What was said last of the focus."""
        return self._gate.security

    def attend(self, window: ActiveWindow | None) -> None:
        """Take note of the active window; a focus counts only there."""
        self._gate.attend(window)

    def listen(self, listener: Callable[[Peer, Change], None] | None) -> None:
        """Send changes in the program that is followed to ``listener``."""
        self._listener = listener

    async def page(
        self, window: ActiveWindow, *, is_listed: bool = True, is_patient: bool = True
    ) -> Page | None:
        """Return what ``window`` shows: a page, or the window itself; None where nothing can be read.

        To be called only for windows that may be recorded, or of whose page that has to be found out; then
        ``is_listed`` is False, and only a browser is looked into. ``is_patient``: wait a little for its page.
        """
        link = self._link
        if link is None:
            return None
        page = await link.programs.find(window, is_listed=is_listed, is_patient=is_patient)
        if page is not None:
            self._addresses[page.peer.sender] = page.address
        return page

    async def follow(self, page: Page | None) -> None:
        """Have changes sent by the program of ``page`` from now on, and by no other; None: by none."""
        link = self._link
        sender = None if page is None else page.peer.sender
        if link is None or sender == self._followed:
            return
        before, self._followed = self._followed, sender
        link.reader.forget_all()
        if before is not None:
            await spi.unsubscribe(link.reading, spi.CHANGE_EVENTS, before)
        if sender is not None:
            await spi.subscribe(link.reading, spi.CHANGE_EVENTS, sender)

    def confine(self, page: Page | None) -> None:
        """Take note of the page that may be recorded: only there a focus is known to be plain."""
        self._gate.confine(page)

    async def tree(self, page: Page) -> ElementTree | None:
        """Return the elements of ``page`` now; None where it is gone."""
        link = self._link
        reading = await link.reader.read(page) if link is not None else None
        return None if reading is None else tree_of(reading)

    @property
    def reader(self) -> Reader | None:
        """Reads pages; None while not connected."""
        return self._link.reader if self._link is not None else None

    @property
    def programs(self) -> Programs | None:
        """Finds pages; None while not connected."""
        return self._link.programs if self._link is not None else None

    def seen_focused(self, peer: Peer) -> None:
        """Take note of a node that was read with the focus."""
        self._gate.learn(peer)

    async def close(self) -> None:
        """Close both connections; the focus is unknown from then on."""
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
        self._drop()

    async def _connect(self) -> None:
        address = await find_bus(self._session_address)
        gate = await Connection.open(address, self._gate.take)
        try:
            reading = await Connection.open(address, self._changed)
        except OSError:
            gate.close()
            raise
        self._gate.attach(gate)
        self._link = _Link(gate, reading, self._marks)
        await spi.subscribe(gate, spi.FOCUS_EVENTS)
        await spi.watch_names(gate)

    def _drop(self) -> None:
        link, self._link = self._link, None
        self._followed = None
        self._addresses.clear()
        if link is not None:
            link.close()
        self._gate.detach()

    async def _keep(self) -> None:
        """Wait for a connection to be lost, say so, and connect again."""
        while True:
            if self._link is not None:
                await self._link.lost()
                self._drop()
                if self._listener is not None:
                    self._listener(spi.DESKTOP, Change.GONE)
            await asyncio.sleep(_AGAIN_SECONDS)
            with contextlib.suppress(OSError):
                await self._connect()

    def _changed(self, message: Message) -> None:
        """Pass a change on; of what the event carries only the first three fields are looked at."""
        if message.sender != self._followed or self._listener is None or message.signature[:3] != "sii":
            return
        peer = Peer(message.sender or "", message.path or "")
        self._listener(peer, _change_of(message))


class _Link:
    """Two connections that stand and fall together."""

    def __init__(self, gate: Connection, reading: Connection, marks: Marks) -> None:
        self.gate = gate
        self.reading = reading
        self.reader = Reader(reading, marks)
        self.programs = Programs(reading)

    @property
    def is_open(self) -> bool:
        return self.gate.is_open and self.reading.is_open

    async def lost(self) -> None:
        """Return when either connection has closed."""
        ends = [asyncio.ensure_future(connection.closed()) for connection in (self.gate, self.reading)]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()

    def close(self) -> None:
        self.gate.close()
        self.reading.close()


def _change_of(message: Message) -> Change:
    detail, first = message.body[0], message.body[1]
    if message.member == "TextCaretMoved":
        return Change.TEXT
    if message.member == "LoadComplete":
        return Change.LOADED
    if message.member == "StateChanged":
        if detail.startswith("focused"):
            return Change.FOCUSED if first else Change.UNFOCUSED
        if detail.startswith("defunct") and first:
            return Change.GONE
    return Change.OTHER
