"""The capture process: ``python -m understudy.recorder.capture.process``, which only the session starts.

Rules

* It has the run's key and nothing else: no device keys, no network (an audit hook refuses every socket that
  is not local), no way to what is held.
* Input of a window that may not be recorded is dropped as it is read, before anything else sees it. So are
  clicks on the recorder's own window, on whatever lies beside the page (a browser's own controls, say), and
  on other programs' windows that lie over it.
* Pixels of windows that lie over the active one are black before anything else sees them.
* What passes is held back by the gate, and then by every rule of the sink. Losing the indicator or the
  session ends writing in the same turn of the loop.
* ``Does`` tells the session what is true, each time it changes.

Example: see ``recorder.session`` and the tests, which start it on a real display.
"""

import argparse
import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final, cast

from msgspec.structs import replace

from understudy.consent.errors import UnderstudyError
from understudy.consent.primitives import decode_bytes
from understudy.formats.elements import Box
from understudy.formats.picture import PlacedPicture
from understudy.formats.raw.events import CLOCK, ButtonPress, ButtonRelease, Event, Motion, Wheel, Window
from understudy.recorder.capture.atspi import Accessibility, Page, Watcher
from understudy.recorder.capture.channel import (
    Begin,
    Bye,
    Does,
    Doing,
    End,
    Flush,
    Flushed,
    Forget,
    Frames,
    Key,
    Message,
    Pause,
    Problem,
    Ready,
    Resume,
    Stop,
    ToCapture,
    Trouble,
    Until,
    describe,
    frame,
)
from understudy.recorder.capture.gate import HOLD_MS, Gate, Timed
from understudy.recorder.capture.observed import ActiveWindow, Focused, Snapshot, server_ms
from understudy.recorder.capture.scope import Scope
from understudy.recorder.capture.sink import Sink
from understudy.recorder.capture.x11.errors import DisplayError, DisplayGoneError
from understudy.recorder.capture.x11.input import X11Input
from understudy.recorder.capture.x11.screen import X11Screen, blackened
from understudy.recorder.capture.x11.stacking import X11Stacking
from understudy.recorder.capture.x11.windows import X11Windows
from understudy.recorder.errors import ChannelError
from understudy.recorder.process import follow_parent, keep_memory_private
from understudy.sealing.run import RunKey

TICK_SECONDS: Final = 0.04
"""How often input is read and the gate released while anything may be under way: below the gate's stall."""
QUIET_SECONDS: Final = 0.4
LAG_MS: Final = 100
"""How long after its own time an item may reach the gate: a snapshot is read for a while."""
SETTLE_SECONDS: Final = 0.45
"""How long the end of a recording waits for what the last act led to."""
FLUSH_SECONDS: Final = 1.0
EARLY_SECONDS: Final = 0.03
"""How long before the deadline what is pending is brought to the file."""
NO_ACCESSIBILITY: Final = (
    "there is no accessibility bus in this session\n"
    "record inside a desktop session with D-Bus; the system package is at-spi2-core"
)
NO_ROOM: Final = "make room for raw files in the device's folder, then start the recorder again"
INDICATOR_GONE: Final = (
    "the indicator is gone, or its display\nstart the recorder again: nobody could see that it records"
)
_POINTED: Final = (ButtonPress, ButtonRelease, Motion, Wheel)
_READ_BYTES: Final = 65_536


class Capture:
    """The sources, the gate and the sink, in one loop.

    Args:
        channel: connected to the session.
        indicator: a pipe whose other end only the indicator holds.
        display: such as ``:7``; None for the environment's.
    """

    def __init__(self, channel: socket.socket, indicator: int, display: str | None) -> None:
        self._channel: Final = channel
        self._indicator: Final = indicator
        self._display: Final = display
        self._frames: Final = Frames()
        self._gate: Final = Gate()
        self._ended: Final = asyncio.Event()
        self._told: Doing | None = None
        self._active: ActiveWindow | None = None
        self._page: Page | None = None
        self._is_in_scope = False
        self._is_listening = True
        self._is_broken = False
        self._tick: asyncio.TimerHandle | None = None
        self._flush: asyncio.TimerHandle | None = None
        self._expiry: asyncio.TimerHandle | None = None
        self._focused: Focused | None = None
        self._stirred_at = 0.0
        self._scope: Scope | None = None

    async def run(self) -> int:
        """Run until the session says so or is gone; return the exit code."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._ended.set)
        # What goes wrong in a task of the sources ends writing too; the default would print it and go on.
        loop.set_exception_handler(lambda _loop, context: self._fail(context.get("exception")))
        first = await self._first_message()
        if first is None:
            return 1
        try:
            self._input = X11Input(self._display)
            self._windows = X11Windows(self._display)
            self._screen = X11Screen(self._display)
            self._stacking = X11Stacking(self._display)
        except DisplayError as error:
            self._say(Trouble(problem="no-display", detail=f"{error}\n{error.hint}"))
            return 1
        # From here on sources speak, also before they all stand.
        self._sink = Sink(RunKey(decode_bytes(first.key)), Path(first.folder), self._screen.screen)
        try:
            self._accessibility = await Accessibility.start(on_focus=self._push)
        except (OSError, UnderstudyError):
            self._say(Trouble(problem="no-accessibility", detail=NO_ACCESSIBILITY))
            return 1
        self._watcher = Watcher(
            self._accessibility,
            emit=self._push,
            grab=self._grab,
            allows=self._allows,
            on_page=self._on_page,
        )
        self._channel.setblocking(False)
        loop.add_reader(self._channel, self._guarded(self._on_channel))
        loop.add_reader(self._indicator, self._guarded(self._on_indicator))
        loop.add_reader(self._input.fileno(), self._guarded(self._on_input))
        loop.add_reader(self._windows.fileno(), self._guarded(self._on_windows))
        self._active = self._windows.active()
        self._say(Ready(screen=self._screen.screen))
        self._tell()
        self._guarded(self._on_channel)()  # what came with the first message is read already
        await self._ended.wait()
        await self._close()
        return 0

    async def _first_message(self) -> Key | None:
        """Return the key, which comes first; None if the session has gone."""
        loop = asyncio.get_running_loop()
        self._channel.setblocking(False)
        while not self._ended.is_set():
            data = await loop.sock_recv(self._channel, _READ_BYTES)
            if not data:
                return None
            for message in self._frames.feed(data, ToCapture):
                return message if isinstance(message, Key) else None
        return None

    async def _close(self) -> None:
        loop = asyncio.get_running_loop()
        for source in (self._channel, self._indicator, self._input, self._windows):
            with suppress(OSError, ValueError, UnderstudyError):
                loop.remove_reader(source)
        for timer in (self._tick, self._flush, self._expiry):
            if timer is not None:
                timer.cancel()
        self._sink.drop()
        with suppress(OSError, UnderstudyError):
            await self._watcher.close()
            await self._accessibility.close()
        self._input.close()
        self._stacking.close()

    def _is_inside(self, event: Event) -> bool:
        """Return whether the event happened in what may be recorded, and not on a window that lies over it.

        Releases pass: the gate knows whether it has let their press pass.
        """
        if not isinstance(event, _POINTED) or isinstance(event, ButtonRelease) or self._active is None:
            return True
        shield = self._sink.shield
        if shield is not None and shield.contains(event.x, event.y):
            return False
        if self._page is not None and self._page.is_web and not self._page.box.contains(event.x, event.y):
            return False
        if not self._active.box.contains(event.x, event.y):
            return False
        return isinstance(event, Motion) or not self._is_covered(self._active.window, event)

    def _is_covered(self, window: int, event: ButtonPress | Wheel) -> bool:
        """Return whether another program's window lies over the place of an event."""
        covers = self._stacking.above(window, Box(event.x, event.y, 1, 1))
        return covers is None or not all(cover.is_own for cover in covers)

    # What the sources tell.

    def _on_input(self) -> None:
        events = self._input.read()
        if events:
            self._stir()
        if not self._is_in_scope or not self._is_listening or not self._sink.may_write:
            return
        for event in events:
            if self._is_inside(event):
                self._push(event)
                self._watcher.notice(event)

    def _on_windows(self) -> None:
        # Looking at the active window reads from its connection too, and what comes then wakes nobody.
        while self._windows.read():
            window, before = self._windows.active(), self._active
            if before is not None and (window is None or window.window != before.window):
                self._leave_scope(self._windows.changed_ms)
            self._active = window
            self._attend()

    def _on_page(self, page: Page | None) -> None:
        """Take what the watcher found: a page that may be recorded is in view, or none is."""
        self._page = page
        if page is None or not self._sink.may_write or self._is_broken:
            self._leave_scope()
        elif not self._is_in_scope:
            self._enter_scope()

    def _on_indicator(self) -> None:
        if not os.read(self._indicator, 1):
            asyncio.get_running_loop().remove_reader(self._indicator)
            self._sink.stop()
            self._break("indicator-gone", INDICATOR_GONE)

    def _allows(self, window: ActiveWindow, page: Page | None) -> bool:
        """Return whether a window may be recorded; one that nothing is known of may not."""
        if self._scope is None or page is None or not self._sink.may_write:
            return False
        return self._scope.allows(window.application, page.host, has_page=page.is_web)

    def _grab(self, box: Box) -> PlacedPicture | None:
        """Return the pixels of a box of the active window; black where another window lies over it.

        It is asked before and after what lies there: what came or went meanwhile may be in the picture.
        """
        window = self._active
        if not self._sink.wants_frames or window is None:
            return None
        before = self._stacking.above(window.window, box)
        taken = self._screen.grab(box)
        after = self._stacking.above(window.window, box)
        if taken is None or before is None or after is None:
            return None
        return blackened(taken, dict.fromkeys(cover.box for cover in (*before, *after)))

    # What the session says.

    def _on_channel(self) -> None:
        data = b""
        try:
            data = self._channel.recv(_READ_BYTES)
        except BlockingIOError:
            return
        if not data:
            self._ended.set()
            return
        for message in self._frames.feed(data, ToCapture):
            self._obey(message)

    def _obey(self, message: Message) -> None:
        match message:
            case Begin():
                self._scope = Scope(message.group)
                self._sink.begin(message)
                self._is_listening = True
                self._attend()
            case Until():
                self._sink.flush()  # what was taken under the old deadline
                self._sink.permit(message.boot_ms)
                self._watch_deadline()
                self._attend()
            case Pause():
                self._write_released()
                self._sink.finish()
                self._sink.pause()
                self._attend()
                self._answer(message.number)
            case Resume():
                self._sink.resume()
                self._attend()
            case Flush():
                until = (server_ms() - HOLD_MS - LAG_MS) % CLOCK
                self._write_released()
                self._sink.flush()
                self._say(Flushed(number=message.number, until_ms=until))
            case End():
                self._finish(message.number)
            case Forget():
                self._gate.forget()
                self._sink.drop()
                self._attend()
                self._answer(message.number)
            case Stop():
                done = self._sink.totals
                self._say(Bye(events=done.events, trees=done.trees, frames=done.frames, lost=done.lost))
                self._ended.set()
            case _:
                pass
        self._tell()

    def _finish(self, number: int) -> None:
        """Take no more input, wait for what the last act led to, and end the file."""
        self._is_listening = False
        ended_at = server_ms()

        def end() -> None:
            self._write_released()
            self._write(self._gate.drain())
            self._sink.finish()
            self._attend()
            self._say(Flushed(number=number, until_ms=ended_at))
            self._tell()

        asyncio.get_running_loop().call_later(SETTLE_SECONDS, self._guarded(end))

    def _answer(self, number: int) -> None:
        self._say(Flushed(number=number, until_ms=server_ms()))

    def _say(self, message: Message) -> None:
        """Send a message; they are few and short, so that the socket always has room for one more."""
        try:
            self._channel.setblocking(True)
            self._channel.sendall(frame(message))
        except OSError:
            self._ended.set()
        finally:
            self._channel.setblocking(False)

    def _tell(self) -> None:
        """Tell what is done, if it is something else than before."""
        doing = self._doing()
        if doing != self._told:
            self._told = doing
            self._say(Does(what=doing))

    def _doing(self) -> Doing:
        if self._is_broken:
            return "nothing"
        if self._sink.is_paused:
            return "paused"
        if self._sink.begun is None or not self._sink.left_ms:
            return "nothing"
        return "recording" if self._is_in_scope else "outside"

    # From the gate to the file.

    def _push(self, item: Event | Focused | Snapshot) -> None:
        if isinstance(item, Focused):
            self._focused = item
        self._gate.push(item)
        self._stir()

    def _stir(self) -> None:
        """Tick until it has been quiet for a while."""
        self._stirred_at = time.monotonic()
        if self._tick is None:
            loop = asyncio.get_running_loop()
            self._tick = loop.call_later(TICK_SECONDS, self._guarded(self._on_tick))

    def _on_tick(self) -> None:
        self._tick = None
        if not self._is_broken:
            self._on_input()
        self._write_released()
        if time.monotonic() - self._stirred_at < QUIET_SECONDS:
            loop = asyncio.get_running_loop()
            self._tick = loop.call_later(TICK_SECONDS, self._guarded(self._on_tick))

    def _write_released(self) -> None:
        """Write what the gate lets go; bring it to the file within a second."""
        now = server_ms()
        self._write(self._gate.release(now))
        self._sink.turn((now - HOLD_MS) % CLOCK)
        if self._sink.is_pending and self._flush is None:
            loop = asyncio.get_running_loop()
            self._flush = loop.call_later(FLUSH_SECONDS - HOLD_MS / 1_000, self._guarded(self._on_flush))

    def _write(self, items: Iterable[Timed]) -> None:
        for item in items:
            # The gate gives back what was put in, and marks of its own; changes of the focus stay there.
            self._sink.write(cast("Event | Snapshot", item))

    def _on_flush(self) -> None:
        self._flush = None
        self._sink.flush()

    # Scope and permission.

    def _attend(self) -> None:
        """Have the active window watched, if anything may be recorded at all."""
        if self._sink.may_write and not self._is_broken:
            self._watcher.attend(self._active)
        else:
            self._leave_scope()
            self._watcher.attend(None)

    def _leave_scope(self, at_ms: int | None = None) -> None:
        """From here on nothing may be recorded; nor, so the gate, what was typed just before."""
        if self._is_in_scope:
            self._is_in_scope = False
            self._push_window(server_ms() if at_ms is None else at_ms, in_scope=False)
        self._tell()

    def _enter_scope(self) -> None:
        """From here on it is recorded; where the focus is, the gate has to be told again."""
        self._is_in_scope = True
        now = server_ms()
        self._push_window(now, in_scope=True)
        if self._focused is not None:
            self._gate.push(replace(self._focused, time=now))
        self._tell()

    def _push_window(self, now: int, *, in_scope: bool) -> None:
        window = self._active.window if self._active is not None else 0
        self._push(Window(time=now, window=window, in_scope=in_scope))

    def _watch_deadline(self) -> None:
        """Bring everything to the file just before the deadline, and say when it has passed."""
        if self._expiry is not None:
            self._expiry.cancel()
        loop = asyncio.get_running_loop()
        left = self._sink.left_ms / 1_000

        def flush() -> None:
            self._sink.flush()
            self._expiry = loop.call_later(EARLY_SECONDS * 2, self._guarded(self._attend))

        self._expiry = loop.call_later(max(0.0, left - EARLY_SECONDS), self._guarded(flush))

    # When something is gone.

    def _guarded(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Return the callback as the loop may call it: what goes wrong ends writing and is told."""

        def guarded() -> None:
            try:
                callback()
            except ChannelError:
                self._ended.set()
            except DisplayGoneError as error:
                self._break("display-gone", describe(error))
            except OSError as error:
                self._break("disk", f"{error.strerror or type(error).__name__}\n{NO_ROOM}")
            except Exception as error:  # noqa: BLE001 - whatever it was, writing ends and the session hears of it
                self._break("defect", describe(error))

        return guarded

    def _fail(self, error: BaseException | None) -> None:
        if isinstance(error, Exception):
            self._break("defect", describe(error))

    def _break(self, problem: Problem, detail: str) -> None:
        """Write no more, and say why. The session decides what becomes of the recording."""
        if self._is_broken:
            return
        self._is_broken = True
        self._is_listening = False
        loop = asyncio.get_running_loop()
        for source in (self._input, self._windows):
            with suppress(OSError, ValueError, UnderstudyError):
                loop.remove_reader(source.fileno())
        with suppress(UnderstudyError, OSError):
            self._sink.flush()
        self._sink.stop()
        self._say(Trouble(problem=problem, detail=detail))
        with suppress(UnderstudyError, OSError):
            self._attend()


def refuse_network() -> None:
    """Refuse every socket of this process that is not local: capture has nothing to say to a network."""

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event == "socket.__new__" and arguments[1] not in {socket.AF_UNIX, -1}:
            raise PermissionError("the capture process has no network")

    sys.addaudithook(hook)


def main() -> int:
    """Run capture on the inherited sockets."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--channel", type=int, required=True)
    parser.add_argument("--indicator", type=int, required=True)
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--display")
    arguments = parser.parse_args()
    keep_memory_private()
    follow_parent(arguments.parent)
    refuse_network()
    channel = socket.socket(fileno=arguments.channel)
    return asyncio.run(_capture(channel, arguments.indicator, arguments.display))


async def _capture(channel: socket.socket, indicator: int, display: str | None) -> int:
    return await Capture(channel, indicator, display).run()


if __name__ == "__main__":
    sys.exit(main())
