"""What goes away: the browser, the bus. The focus is unknown at once, and nothing falls over."""

import asyncio
import os
import signal

from tests.unit.recorder.capture.atspi.conftest import WINDOW, Eyes, Site, live
from understudy.demo.desktop import Desktop
from understudy.learning.browser import Chromium
from understudy.recorder.capture.atspi.bus import DAEMON, Call, Connection, Peer, find_bus
from understudy.recorder.capture.atspi.spi import BUS
from understudy.recorder.capture.observed import Security


def session_of(desktop: Desktop) -> str:
    return desktop.environment["DBUS_SESSION_BUS_ADDRESS"]


def test_a_browser_that_is_killed_leaves_the_focus_unknown(private_desktop: Desktop, site: Site) -> None:
    eyes = Eyes(private_desktop, hosts=("127.0.0.1",))
    asyncio.run(find_bus(session_of(private_desktop)))
    address = site.page("Short life", "<input id=a autofocus>")
    browser = Chromium(address=address, environment=private_desktop.environment, window=WINDOW)

    async def story(eyes: Eyes) -> None:
        await eyes.shows("Short life")
        await eyes.security(Security.PLAIN)
        os.kill(browser.pid, signal.SIGKILL)
        await eyes.security(Security.UNKNOWN, seconds=2.0)
        await eyes.until(lambda: eyes.pages[-1] is None)
        assert eyes.accessibility.is_alive

    with browser:
        live(eyes, story)


def test_a_bus_that_is_killed_is_said_and_found_again(private_desktop: Desktop, site: Site) -> None:
    eyes = Eyes(private_desktop, hosts=("127.0.0.1",))
    asyncio.run(find_bus(session_of(private_desktop)))
    address = site.page("Busless", "<input id=a autofocus>")

    async def story(eyes: Eyes) -> None:
        await eyes.shows("Busless")
        await eyes.security(Security.PLAIN)
        bus = await Connection.open(await find_bus(session_of(private_desktop)))
        pid = await bus.call(BUS, Call(DAEMON, "GetConnectionUnixProcessID", "u", "s", (DAEMON,)))
        bus.close()
        os.kill(pid, signal.SIGKILL)
        await eyes.security(Security.UNKNOWN, seconds=1.0)
        await eyes.until(lambda: not eyes.accessibility.is_alive, seconds=1.0)
        await eyes.until(lambda: eyes.pages[-1] is None)
        await asyncio.sleep(1.5)
        assert eyes.accessibility.security is Security.UNKNOWN

    with Chromium(address=address, environment=private_desktop.environment, window=WINDOW):
        live(eyes, story)


def test_thousands_of_calls_at_once_do_not_end_the_connection(desktop: Desktop) -> None:
    async def run() -> None:
        bus = await Connection.open(session_of(desktop))
        ask = Call(DAEMON, "GetId", "s")
        answers = await asyncio.gather(*(bus.call(BUS, ask) for _ in range(4_000)))
        assert bus.is_open
        assert all(answers)
        bus.close()

    asyncio.run(run())


def test_a_refused_call_and_an_answer_of_another_shape_are_no_answer(desktop: Desktop) -> None:
    async def run() -> None:
        bus = await Connection.open(session_of(desktop))
        assert await bus.call(BUS, Call(DAEMON, "NoSuchThing", "s")) is None
        assert await bus.call(BUS, Call(DAEMON, "GetId", "u")) is None
        assert await bus.call(Peer(":1.9999", "/x"), Call(DAEMON, "GetId", "s")) is None
        bus.close()
        assert await bus.call(BUS, Call(DAEMON, "GetId", "s")) is None

    asyncio.run(run())


def test_a_session_without_a_bus_is_an_error(tmp_path: object) -> None:
    async def run() -> None:
        try:
            await find_bus(f"unix:path={tmp_path}/none")
        except OSError:
            return
        raise AssertionError("it connected")

    asyncio.run(run())
