"""Finding what the active window shows: the page of a browser, or the window itself.

Rules

* The program is found by the process that the window manager names; nothing else of a program is believed.
* Chromium makes its tree only when asked for attributes of the window's frame; the page comes moments later.
* Only what shows is searched: pages in other tabs are not read.
* The host is that of the page's address; an address without one (``data:``) gives an empty host.
"""

import asyncio
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

import msgspec
from msgspec.structs import replace

from understudy.formats.accessibility.atspi_roles import ACTIVE, DOCUMENT_WEB, SHOWING
from understudy.formats.accessibility.normal import placed_box
from understudy.formats.elements import Box
from understudy.recorder.capture.atspi import spi
from understudy.recorder.capture.atspi.bus import DAEMON, Call, Connection, Peer
from understudy.recorder.capture.observed import ActiveWindow

__all__ = ["NOBODY", "Page", "Programs", "bare_page", "host_of", "state_bits"]

_HOST: Final = re.compile(r"[A-Za-z0-9._:\[\]-]{1,253}\Z")
_SCHEMES: Final = frozenset({"http", "https"})
_TRIES: Final = 8
_PAUSE_SECONDS: Final = 0.03
_SEARCHED: Final = 600
"""Nodes that are searched for a page: a browser's own window has some two hundred."""
_BROWSERS: Final = frozenset({"Chromium", "Gecko", "WebKitGTK"})
"""Toolkits whose windows hold a page; it may come later than the window."""
NOBODY: Final = Peer("", "")
"""Stands for the root of a window whose program is not on the bus: it has pixels and no tree."""


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """What can be read: a page of a browser, or a window that holds none (``host`` None).

    ``box`` is what the window shows of it, in pixels of the screen.
    """

    host: str | None
    title: str
    box: Box
    application: str
    peer: Peer
    address: str = ""

    def __repr__(self) -> str:
        return f"Page({self.peer.path})"

    @property
    def is_web(self) -> bool:
        """Whether it is a page of a browser."""
        return self.host is not None


class Programs:
    """The programs on the bus, as far as they were asked for."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._pids: dict[str, int] = {}

    async def find(
        self, window: ActiveWindow, *, is_listed: bool = True, is_patient: bool = True
    ) -> Page | None:
        """Return what ``window`` shows; None where its program is not on the bus or shows no window.

        A browser's window without a page is a page without an address.

        Args:
            window: the active one.
            is_listed: whether its application may be recorded; if not, only browsers are looked into.
            is_patient: whether to wait a little for a browser's page.
        """
        for program in await self._of_process(window.pid):
            is_browser = await self._connection.call(program, spi.GET_TOOLKIT) in _BROWSERS
            if not is_browser and not is_listed:
                continue
            tries = _TRIES if is_browser and is_patient else 1
            page = await self._in_program(program, window, tries)
            if page is not None and is_browser and not page.is_web:
                page = replace(page, host="")
            if page is not None:
                return page
        return None

    async def is_still(self, page: Page) -> bool:
        """Return whether a page of a browser has the address that it had."""
        facts = await self._connection.call(page.peer, spi.GET_DOCUMENT) or {}
        return bool(page.address) and page.address in (facts.get("URI"), facts.get("DocURL"))

    async def _of_process(self, pid: int | None) -> list[Peer]:
        if pid is None:
            return []
        listed = await self._connection.call(spi.DESKTOP, spi.GET_CHILDREN) or ()
        programs = [Peer(*program) for program in listed]
        present = {program.sender for program in programs}
        self._pids = {sender: known for sender, known in self._pids.items() if sender in present}
        for sender in present - self._pids.keys():
            whose = Call(DAEMON, "GetConnectionUnixProcessID", "u", "s", (sender,))
            self._pids[sender] = await self._connection.call(spi.BUS, whose) or 0
        return [program for program in programs if self._pids[program.sender] == pid]

    async def _in_program(self, program: Peer, window: ActiveWindow, tries: int) -> Page | None:
        call = self._connection.call
        frame = await self._frame(program, window)
        if frame is None:
            return None
        application = await call(program, spi.GET_NAME) or ""
        await call(frame, spi.GET_ATTRIBUTES)
        for attempt in range(tries):
            if attempt:
                await asyncio.sleep(_PAUSE_SECONDS)
            document = await self._document(frame)
            if document is not None:
                return await self._page(document, window, application, is_web=True)
        return await self._page(frame, window, application, is_web=False)

    async def _frame(self, program: Peer, window: ActiveWindow) -> Peer | None:
        """Return the window of the program that is ``window``: by box and title; its own word comes last."""
        best: tuple[int, Peer] | None = None
        for reference in await self._connection.call(program, spi.GET_CHILDREN) or ():
            frame = Peer(*reference)
            states, box, title = await self._connection.gather(
                frame, spi.GET_STATE, spi.GET_EXTENTS, spi.GET_NAME
            )
            bits = state_bits(states)
            if not bits & SHOWING:
                continue
            there = window.box
            fits = box is not None and tuple(box) == (there.x, there.y, there.width, there.height)
            score = 4 * fits + 2 * (title == window.title) + bool(bits & ACTIVE)
            if best is None or score > best[0]:
                best = score, frame
        return best and best[1]

    async def _document(self, frame: Peer) -> Peer | None:
        """Return the first page below ``frame`` that shows, by levels."""
        level = [frame]
        searched = 0
        while level and searched < _SEARCHED:
            searched += len(level)
            asked = (self._connection.gather(peer, spi.GET_ROLE, spi.GET_STATE) for peer in level)
            facts = await asyncio.gather(*asked)
            shown = []
            for peer, (role, states) in zip(level, facts, strict=True):
                if state_bits(states) & SHOWING:
                    if role == DOCUMENT_WEB:
                        return peer
                    shown.append(peer)
            below = await asyncio.gather(*(self._connection.call(peer, spi.GET_CHILDREN) for peer in shown))
            level = [Peer(*reference) for children in below for reference in children or ()]
        return None

    async def _page(self, peer: Peer, window: ActiveWindow, application: str, *, is_web: bool) -> Page | None:
        title, extents, states = await self._connection.gather(
            peer, spi.GET_NAME, spi.GET_EXTENTS, spi.GET_STATE
        )
        facts: Mapping[str, str] = {}
        if is_web:
            facts = await self._connection.call(peer, spi.GET_DOCUMENT) or {}
        if extents is None or not state_bits(states) & SHOWING:
            return None
        address = facts.get("URI") or facts.get("DocURL") or ""
        return Page(
            host=host_of(address) if is_web else None,
            title=facts.get("Title") or title or "",
            box=_shown_of(extents, window.box),
            application=application,
            peer=peer,
            address=address,
        )


def bare_page(window: ActiveWindow) -> Page:
    """Return a window whose program is not on the bus as what can be seen of it."""
    return Page(host=None, title=window.title, box=window.box, application=window.application, peer=NOBODY)


def host_of(address: str) -> str:
    """Return the host of an address, empty where it has none that a recording can name.

    Only what came from a host over HTTP has one: not a file, an extension, or a page of the browser itself.

    >>> host_of("http://127.0.0.1:8080/a?b"), host_of("data:text/html,x"), host_of("file://example.org/x")
    ('127.0.0.1', '', '')
    """
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        return ""
    return host if parts.scheme in _SCHEMES and _HOST.match(host) else ""


def state_bits(words: object) -> int:
    """Return the 64 state bits of a reply to ``GetState``; none where there is none.

    >>> state_bits([2, 1]) == 2 | 1 << 32, state_bits(None)
    (True, 0)
    """
    if not isinstance(words, list) or not words:
        return 0
    return int(words[0]) | int(words[1]) << 32 if len(words) > 1 else int(words[0])


def _shown_of(extents: tuple[int, int, int, int], window: Box) -> Box:
    """Return the part of a page that lies in its window; the whole where nobody knows the window's box."""
    x, y, width, height = extents
    if not window.width or not window.height:
        return placed_box(x, y, width, height)
    left, top = max(x, window.x), max(y, window.y)
    right, bottom = min(x + width, window.x + window.width), min(y + height, window.y + window.height)
    return placed_box(left, top, right - left, bottom - top)
