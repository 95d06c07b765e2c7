"""A real desktop, a real browser with a form, a programme whose clock runs, and a recorder on all of it.

Rules

* One desktop and one browser for a module; each test has a participant and a recorder of its own.
* The programme is the simulator's, but its clock follows the machine's: capture runs on real time.
* The recorder runs in a thread of the test, its children are real processes. The test knows the run's key,
  as the harness that looks for leaks does: it keeps the raw files that the product deletes.
* The only thing that is not the product's is the page. Whoever types on it is ``demo.hands``.
"""

import asyncio
import contextlib
import http.server
import io
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

from tests.simulator import Participant, Simulator
from understudy.consent.errors import UnderstudyError
from understudy.consent.programme import ApplicationGroup, Delays, Terms
from understudy.consent.purposes import Purpose, Stream
from understudy.demo.desktop import Desktop
from understudy.demo.display import Display
from understudy.demo.hands import Hands
from understudy.demo.keys import Keys
from understudy.formats.elements import Box, ElementTree
from understudy.formats.raw.errors import RawError
from understudy.formats.raw.reader import RawReader
from understudy.formats.recording.actions import Action
from understudy.formats.recording.check import check
from understudy.formats.recording.stretch import Stretch
from understudy.learning.browser.chromium import Chromium
from understudy.recorder.app import group_of
from understudy.recorder.capture.atspi.bus import find_bus
from understudy.recorder.control import ControlClient, State
from understudy.recorder.held import HeldRecording, HeldStore
from understudy.recorder.payload import stretch_of
from understudy.recorder.rawfiles import RawFiles
from understudy.recorder.session import Session, Settings, Summary
from understudy.redaction.redactor import Redactor

GROUP = "forms"
DELAYS = Delays(lease_seconds=8, statement_seconds=8)
TERMS = Terms(
    title="Synthetic programme",
    notice="Nobody is recorded here: a program moves the pointer on a page of its own.",
    contact="steward@understudy.example",
    purposes=(Purpose.TRAIN, Purpose.EVALUATE),
    streams=(Stream.ELEMENTS, Stream.FRAMES, Stream.INPUT, Stream.TEXT_VALUES),
    application_groups=(
        ApplicationGroup(name=GROUP, sites=("127.0.0.1",)),
        ApplicationGroup(name="elsewhere", sites=("elsewhere.example",)),
    ),
)
PAGE = b"""<!doctype html><html lang="en"><head><title>Order</title><style>
body { font: 16px 'Liberation Sans'; margin: 20px }
input, button { font: inherit; margin: 6px; display: block }
</style></head><body><form onsubmit="event.preventDefault(); sent.textContent = 'Sent'">
<label for="article">Article</label><input id="article" autocomplete="off">
<label for="secret">Password</label><input id="secret" type="password" autocomplete="off">
<button id="send">Send order</button><p id="sent">Not sent</p></form></body></html>"""


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, *_: object) -> None:
        pass


class Stage:
    """The desktop, the browser on it, and two hands."""

    def __init__(self, desktop: Desktop) -> None:
        self.desktop = desktop
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        self._stack.callback(server.server_close)
        self._stack.callback(server.shutdown)
        self.address = f"http://127.0.0.1:{server.server_port}/"
        # A browser looks only when it starts whether anybody wants to read it.
        asyncio.run(find_bus(self.desktop.environment["DBUS_SESSION_BUS_ADDRESS"]))
        self.open_browser()
        self.display = Display(self.desktop.display)
        self._stack.callback(self.display.close)
        keys = Keys(self.display)
        self.hands = Hands(self.display, keys, screen=self.desktop.screen, rng=random.Random(7), speed=2.0)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def open_browser(self) -> None:
        """Start a browser on the page."""
        self.browser = self._stack.enter_context(
            Chromium(address=self.address, environment=self.desktop.environment, window=Box(0, 40, 700, 500))
        )

    def reload(self, address: str = "") -> None:
        """Show the page anew."""
        self.browser.page.navigate(address or self.address)

    def box(self, element: str) -> Box:
        """Return where an element of the page is on the screen."""
        place = self.browser.page.evaluate(
            f"(() => {{ const b = document.getElementById('{element}').getBoundingClientRect();"
            " return [window.screenX, window.screenY + window.outerHeight - window.innerHeight,"
            " b.x, b.y, b.width, b.height] })()"
        )
        left, top, x, y, width, height = (round(number) for number in place)
        return Box(left + x, top + y, width, height)

    def click(self, element: str) -> None:
        """Click an element."""
        self.hands.click(self.box(element))

    def fill(self, element: str, text: str) -> None:
        """Click a field and type into it."""
        self.click(element)
        self.hands.write(text, slips=False)


class KeptRawFiles(RawFiles):
    """Raw files that a test reads after the recorder has let go of them."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.names: list[str] = []

    def create(self) -> str:
        self.names.append(super().create())
        return self.names[-1]

    def retire(self, name: str) -> None:
        """Keep it."""

    def close(self) -> None:
        """Keep them."""

    def items(self) -> list[Any]:
        """Return every item of every file; events by themselves."""
        found: list[Any] = []
        for name in self.names:
            with self.open(name) as source, contextlib.suppress(RawError):
                for item in RawReader(source, self.key.sealer(name)).items():
                    found.extend(item if isinstance(item, tuple) else [item])
        return found


class Recorder:
    """A recorder that runs in a thread; ``error`` is what it ended with."""

    def __init__(
        self,
        world: Simulator,
        who: Participant,
        *,
        display: str,
        waits: bool = False,
        title: str = "An order",
        redactor: Callable[[bytes], Redactor] = Redactor,
        server: Any = None,
        group: ApplicationGroup | None = None,
    ) -> None:
        self.world = world
        self.who = who
        self.control = ControlClient(who.device.home)
        self.error: UnderstudyError | None = None
        self.summary: Summary | None = None
        self.raw: KeptRawFiles | None = None
        self.session: Session | None = None
        self.said: list[tuple[State, str | None]] = []
        self._ready = threading.Event()
        self._settings = Settings(
            group=group or group_of(who.device, GROUP),
            title=title,
            task="order",
            display=display,
            waits=waits,
        )
        self._redactor = redactor
        self._server = server or world.port
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        async def run() -> None:
            self.session = Session(
                self.who.device,
                self._server,
                self.world.clock,
                self._settings,
                raw=self._make_raw,
                redactor=self._redactor,
                report=self._report,
            )
            await self.session.run()

        try:
            asyncio.run(run())
        except UnderstudyError as error:
            self.error = error
        finally:
            self.summary = self.session.summary if self.session else None
            self._ready.set()

    def _make_raw(self) -> RawFiles:
        self.raw = KeptRawFiles(self.who.device.home / "raw")
        return self.raw

    def _report(self, state: State, recording: str | None) -> None:
        self.said.append((state, recording))
        self._ready.set()

    def start(self) -> Self:
        """Start it and wait until it records, is ready, or has failed."""
        self._thread.start()
        assert self._ready.wait(30)
        return self

    def __enter__(self) -> Self:
        self.start()
        assert self.error is None, self.error
        return self

    def __exit__(self, *_: object) -> None:
        if self._thread.is_alive():
            with contextlib.suppress(UnderstudyError):
                self.control.stop()
        self.join()

    def stop(self) -> Summary:
        """End it in order and return what it did."""
        self.control.stop()
        self.join()
        assert self.summary is not None
        return self.summary

    def join(self, seconds: float = 30) -> None:
        """Wait until it has ended."""
        self._thread.join(seconds)
        assert not self._thread.is_alive()

    def wait_for(self, *states: State, seconds: float = 10) -> float:
        """Wait until it is in one of the states; return how long that took."""
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            if self._is_in(states):
                return time.monotonic() - began
            time.sleep(0.05)
        session = self.session
        known = session and (session._holds, session._permission.left_seconds, session._children.doing)  # noqa: SLF001
        raise AssertionError(f"the recorder is {self.control.status().state}, not {states}: {known}")

    def _is_in(self, states: tuple[State, ...]) -> bool:
        return self.control.status().state in states

    @property
    def held(self) -> list[HeldRecording]:
        """What is held on the device."""
        return HeldStore(self.who.device).recordings()

    def stretches(self, number: int = -1) -> list[Stretch]:
        """Return the segments of a held recording, each checked to be valid."""
        store = HeldStore(self.who.device)
        recording = store.recordings()[number]
        payloads = store.payloads(recording.recording)
        for payload in payloads.values():
            assert not check(io.BytesIO(payload)).problems
        return [stretch_of(payloads[segment.segment]) for segment in recording.segments]

    def actions(self, number: int = -1) -> list[tuple[Action, ElementTree | None]]:
        """Return the actions of a held recording, each with the tree before it."""
        return [
            (action, stretch.tree_before(action))
            for stretch in self.stretches(number)
            for action in stretch.actions
        ]


@contextlib.contextmanager
def programme(folder: Path, *, delays: Delays = DELAYS) -> Iterator[Simulator]:
    """Run a programme whose clock follows the machine's."""
    with Simulator(folder, delays=delays, terms=TERMS, at=int(time.time())) as world:
        done = threading.Event()

        def follow() -> None:
            while not done.wait(0.05):
                world.clock.at = int(time.time())

        thread = threading.Thread(target=follow)
        thread.start()
        try:
            yield world
        finally:
            done.set()
            thread.join()


def participant(world: Simulator, name: str = "ana") -> Participant:
    """Return a synthetic participant who agreed to everything that the recorder can take."""
    who = world.visitor(name).enrol()
    who.device.give_consent(
        world.port, world.clock, purposes=(Purpose.TRAIN,), streams=TERMS.streams, groups=(GROUP,)
    )
    return who


@contextlib.contextmanager
def at(desktop: Desktop) -> Iterator[None]:
    """Let child processes find the desktop in the environment, as a session's processes do."""
    before = dict(os.environ)
    os.environ.update(desktop.environment)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
