"""A real desktop with a real browser on it, and everything that capture reads there."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TypeVar

import pytest

from tests.desktop import desktop, private_desktop
from understudy.demo.desktop import Desktop
from understudy.demo.display import Display
from understudy.demo.hands import Hands
from understudy.demo.keys import Keys
from understudy.formats.elements import Box, Element, ElementTree
from understudy.learning.browser import Chromium
from understudy.recorder.capture.atspi import Accessibility, Page, Watcher
from understudy.recorder.capture.atspi.bus import find_bus
from understudy.recorder.capture.observed import ActiveWindow, Focused, Security, Snapshot, server_ms
from understudy.recorder.capture.x11.input import X11Input
from understudy.recorder.capture.x11.screen import X11Screen
from understudy.recorder.capture.x11.windows import X11Windows

__all__ = ["browser", "desktop", "eyes", "hands", "private_desktop", "site"]

WINDOW = Box(40, 60, 640, 560)
Found = TypeVar("Found")


class Site:
    """Pages on loopback, written by the tests."""

    def __init__(self, folder: Path) -> None:
        class Quiet(SimpleHTTPRequestHandler):
            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        self._folder = folder
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
        self._thread = Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self._count = 0

    def page(self, title: str, body: str, *, host: str = "127.0.0.1") -> str:
        """Put a page on the site and return its address."""
        self._count += 1
        name = f"{self._count}.html"
        html = f"<!doctype html><meta charset=utf-8><title>{title}</title><body>{body}</body>"
        (self._folder / name).write_text(html, encoding="utf-8")
        return f"http://{host}:{self._server.server_port}/{name}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("site"))
    yield made
    made.close()


@pytest.fixture(scope="session")
def browser(desktop: Desktop, site: Site) -> Iterator[Chromium]:
    """One browser, started after accessibility was switched on."""
    asyncio.run(find_bus(desktop.environment["DBUS_SESSION_BUS_ADDRESS"]))
    with Chromium(address=site.page("Empty", ""), environment=desktop.environment, window=WINDOW) as started:
        yield started


@pytest.fixture
def hands(desktop: Desktop) -> Iterator[Hands]:
    with Display(desktop.display) as display:
        yield Hands(display, Keys(display), screen=desktop.screen, rng=random.Random(7), speed=12.0)


class Eyes:
    """All that capture would hear of a desktop, kept for the tests to look at."""

    def __init__(
        self, desktop: Desktop, hosts: tuple[str, ...], applications: tuple[str, ...] = ("zenity",)
    ) -> None:
        self._desktop = desktop
        self._applications = applications
        self._hosts = hosts
        self.focused: list[Focused] = []
        self.snapshots: list[Snapshot] = []
        self.pages: list[Page | None] = []
        self.window: ActiveWindow | None = None
        self.accessibility: Accessibility
        self.watcher: Watcher

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Eyes"]:
        loop = asyncio.get_running_loop()
        display = self._desktop.display
        session = self._desktop.environment["DBUS_SESSION_BUS_ADDRESS"]
        self.accessibility = await Accessibility.start(on_focus=self.focused.append, session_address=session)
        with X11Input(display) as entered, X11Windows(display) as windows, X11Screen(display) as screen:
            self.watcher = Watcher(
                self.accessibility,
                emit=self.snapshots.append,
                grab=screen.grab,
                allows=self._allows,
                on_page=self.pages.append,
            )

            def hear() -> None:
                for event in entered.read():
                    self.watcher.notice(event)

            def look() -> None:
                while windows.read():  # again: what comes while `active` asks does not wake the loop
                    self.window = windows.active()
                    self.watcher.attend(self.window)

            loop.add_reader(entered.fileno(), hear)
            loop.add_reader(windows.fileno(), look)
            self.window = windows.active()
            self.watcher.attend(self.window)
            look()
            try:
                yield self
            finally:
                loop.remove_reader(entered.fileno())
                loop.remove_reader(windows.fileno())
                await self.watcher.close()
                await self.accessibility.close()

    def _allows(self, window: ActiveWindow, page: Page | None) -> bool:
        if page is None:  # as the product: what nothing is known of is out
            return False
        if page.is_web:
            return page.host in self._hosts
        return window.application in self._applications

    @property
    def tree(self) -> ElementTree:
        """The newest tree."""
        return next(shot.tree for shot in reversed(self.snapshots) if shot.tree is not None)

    def find(self, **wanted: object) -> Element:
        """Return the one element of the newest tree with these fields."""
        (found,) = [
            element
            for element in self.tree.elements
            if all(getattr(element, name) == value for name, value in wanted.items())
        ]
        return found

    def box(self, **wanted: object) -> Box:
        box = self.find(**wanted).box
        assert box is not None
        return box

    async def until(self, found: Callable[[], Found], *, seconds: float = 5.0) -> Found:
        """Return what ``found`` returns once that is true."""
        end = time.monotonic() + seconds
        while True:
            result: Found | None
            try:
                result = found()
            except (StopIteration, ValueError):
                result = None
            if result:
                return result
            assert time.monotonic() < end, "it did not come true"
            await asyncio.sleep(0.01)

    async def shows(self, title: str) -> ElementTree:
        """Wait for a tree of a page."""
        await self.until(lambda: self.snapshots and self.tree.elements[0].name == title)
        return self.tree

    async def is_quiet(self) -> None:
        """Wait until nothing was told for a while."""
        count, since = -1, time.monotonic()
        while count != len(self.snapshots) or time.monotonic() - since < 0.35:
            if count != len(self.snapshots):
                count, since = len(self.snapshots), time.monotonic()
            await asyncio.sleep(0.02)

    async def security(self, wanted: Security, *, seconds: float = 3.0) -> Focused:
        """Wait until the last word about the focus is ``wanted``."""
        await self.until(lambda: self.focused and self.focused[-1].security is wanted, seconds=seconds)
        return self.focused[-1]


@pytest.fixture
def eyes(desktop: Desktop) -> Eyes:
    return Eyes(desktop, hosts=("127.0.0.1",))


async def act(do: Callable[..., object], *args: object, **more: object) -> int:
    """Use the hands in a thread, so that the eyes stay open; return when it was done."""
    await asyncio.to_thread(partial(do, *args, **more))
    return server_ms()


Story = Callable[[Eyes], Awaitable[None]]


def live(eyes: Eyes, story: Story) -> None:
    """Run a test with open eyes."""

    async def run() -> None:
        async with eyes.open():
            await story(eyes)

    asyncio.run(run())
