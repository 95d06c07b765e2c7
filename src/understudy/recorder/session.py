"""The session: one recorder on one device, from its first lease to its last held segment.

Rules

* It starts only with everything in place: consent and its receipt, the person's standing, a lease, the
  indicator on the screen, capture's own self-test. Otherwise nothing is written, and the error says why.
* Three things may hold capture up: the person (pause), the lease (none), the indicator (no beats). While one
  does, nothing is recorded and the segment before it ends in a gap.
* What the person asks for on this device (withdraw, pause) ends it within ``WATCH_SECONDS``. So does a
  refusal at the next lease. A server that does not answer ends it when the lease does.
* Whatever ends it, what was recorded until then is redacted, held and closed, and the raw files go.
* Recordings follow one another: ``begin`` and ``end`` mark tasks, and each task is a recording.

Example::

    session = Session(device, server, SystemClock(), Settings(group=group), raw=RawFiles(home / "raw"))
    summary = asyncio.run(session.run())
"""

import asyncio
import secrets
import signal
import threading
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final

import msgspec

from understudy.consent.clock import Clock
from understudy.consent.errors import UnavailableError, UnderstudyError
from understudy.consent.primitives import new_id
from understudy.consent.programme import ApplicationGroup
from understudy.contract.ports import ServerPort
from understudy.formats.elements import Box
from understudy.formats.raw.events import CLOCK
from understudy.formats.recording.manifest import Outcome
from understudy.formats.screen import Screen
from understudy.recorder.capture.channel import Begin, End, Flush, Flushed, Forget, Pause, Resume, Until
from understudy.recorder.capture.observed import server_ms
from understudy.recorder.children import Children
from understudy.recorder.control import Answer, ControlServer, Request, State
from understudy.recorder.device import Device
from understudy.recorder.errors import CaptureError, ControlError
from understudy.recorder.held import HeldStore
from understudy.recorder.permission import RETRY_SECONDS, Permission, is_final, only_recorder
from understudy.recorder.pieces import About, Tally
from understudy.recorder.rawfiles import RawFiles
from understudy.recorder.running import EARLY_SECONDS, RunningRecording
from understudy.redaction.redactor import Redactor

WATCH_SECONDS: Final = 0.25
BEATS_SECONDS: Final = 2.0
KEY_BYTES: Final = 32
_SECOND_MS: Final = 1_000
_MINUTE_MS: Final = 60_000


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What one run is asked to do; ``waits``: it starts ready, and records only after ``begin``."""

    group: ApplicationGroup
    title: str = ""
    task: str = "unlabelled"
    instruction: str | None = None
    display: str | None = None
    waits: bool = False


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What one run did."""

    recordings: tuple[str, ...]
    tally: Tally
    wall_seconds: float


Report = Callable[[State, str | None], None]
"""Told once, when it records or is ready to: the state, and the recording's id if there is one."""


class Session:
    """One run of the recorder.

    Args:
        device: enrolled, with a consent.
        server: gives leases.
        clock: for the times that leases speak of.
        settings: what to record.
        raw: makes the place of this run's raw files; called once it may start.
        redactor: makes a redactor with a fresh key, for each recording one.
        report: told when it is ready.

    Attributes:
        summary: what was done, whatever ended it.
    """

    def __init__(
        self,
        device: Device,
        server: ServerPort,
        clock: Clock,
        settings: Settings,
        *,
        raw: Callable[[], RawFiles],
        redactor: Callable[[bytes], Redactor] = Redactor,
        report: Report = lambda _state, _recording: None,
    ) -> None:
        self._device: Final = device
        self._clock: Final = clock
        self._settings: Final = settings
        self._make_raw: Final = raw
        self._make_redactor: Final = redactor
        self._report: Final = report
        self._permission: Final = Permission(device, server, clock)
        self._delays: Final = device.document.delays
        self._stopping: Final = asyncio.Event()
        self._turn: Final = asyncio.Lock()
        self._spawned: Final[set[asyncio.Task[None]]] = set()
        self._error: UnderstudyError | None = None
        self._holds: Final[set[str]] = set()
        self._is_held_up = False
        self._screen = Screen(width=1, height=1)
        self._shield = Box(0, 0, 0, 0)
        self._running: RunningRecording | None = None
        self._anchor_server = 0
        self._anchor_ns = 0
        self._source_begins = 0
        self._began_at = time.monotonic()
        self.summary = Summary(recordings=(), tally=Tally(), wall_seconds=0.0)

    async def run(self) -> Summary:
        """Record until told to stop; return what was done.

        Raises:
            DeviceError, RefusedError, ConflictError, LeaseError, UnavailableError: it may not start, or
                not go on; what it had is held.
            CaptureError: no display, no accessibility, no indicator; or one of them is gone.
            FailedRedactionError, HeldError, DurabilityError: what was recorded could not be kept.
        """
        self._permission.check()
        with only_recorder(self._device.home):
            await asyncio.to_thread(self._permission.renew)
            self._raw = self._make_raw()
            try:
                self._held = HeldStore(self._device)
                self._held.close_abandoned()
                await self._record()
            finally:
                self._raw.close()
        if self._error is not None:
            raise self._error
        return self.summary

    def stop(self, error: UnderstudyError | None = None) -> None:
        """End the session in order. ``error`` is why; the first one counts."""
        self._error = self._error or error
        self._stopping.set()

    @property
    def state(self) -> State:
        """What the recorder does, as the indicator shows it."""
        if self._stopping.is_set():
            return "stopping"
        if "person" in self._holds:
            return "paused"
        if self._running is None:
            return "ready"
        match self._children.doing:
            case "recording" | "outside" as doing:
                return doing
            case _:
                return "waiting"

    async def _record(self) -> None:
        """Start the children, serve until stopped, and end everything in order."""
        self._children = Children(
            self._raw, display=self._settings.display, on_press=self._pressed, on_trouble=self.stop
        )
        control = ControlServer(self._device.home, self._handle, lambda: self.state)
        tasks: list[asyncio.Task[None]] = []
        try:
            await self._become_ready()
            await control.start()
            self._handle_signals()
            if not self._settings.waits:
                settings = self._settings
                await self._begin(settings.title, settings.task, settings.instruction)
            running = self._running
            self._report("recording" if running else "ready", running.about.recording if running else None)
            loops = (self._keep_lease, self._watch, self._work)
            tasks = [asyncio.create_task(self._guarded(loop())) for loop in loops]
            await self._stopping.wait()
        finally:
            async with self._turn:  # what works on a recording is not interrupted in the middle of it
                for task in (*tasks, *self._spawned):
                    task.cancel()
            await asyncio.gather(*tasks, *self._spawned, return_exceptions=True)
            await control.close()
            try:
                await self._end_whatever_runs()
            finally:
                await asyncio.to_thread(self._children.close)
                self.summary = msgspec.structs.replace(
                    self.summary, wall_seconds=time.monotonic() - self._began_at
                )

    async def _become_ready(self) -> None:
        try:
            self._screen, self._shield = await self._children.ready()
        except CaptureError:
            if self._error is not None:
                raise self._error from None
            raise
        self._permit()

    def _permit(self) -> None:
        self._children.capture.send(Until(boot_ms=self._permission.deadline_ms))

    def _handle_signals(self) -> None:
        """End in order on Ctrl-C and SIGTERM; only the main thread gets them."""
        if threading.current_thread() is threading.main_thread():
            loop = asyncio.get_running_loop()
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, self.stop)

    async def _guarded(self, loop: Coroutine[Any, Any, None]) -> None:
        """Run a part of the session; an error of it ends the session."""
        try:
            await loop
        except UnderstudyError as error:
            self.stop(error)
        except OSError as error:
            self.stop(CaptureError(f"the recorder stopped: {error.strerror or type(error).__name__}"))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(self._guarded(work))
        self._spawned.add(task)
        task.add_done_callback(self._spawned.discard)

    def _pressed(self, is_resume: bool) -> None:  # noqa: FBT001 - what the button said
        self._spawn(self._let_go("person") if is_resume else self._hold("person"))

    # What may hold it up.

    async def _keep_lease(self) -> None:
        """Renew the lease at half its time, for as long as the session runs."""
        is_renewed = True
        while True:
            await asyncio.sleep(self._permission.left_seconds / 2 if is_renewed else RETRY_SECONDS)
            is_renewed = await self._renew()

    async def _renew(self) -> bool:
        """Ask for a lease; return whether there is one. A refusal stops capture at once."""
        try:
            await asyncio.to_thread(self._permission.renew)
        except UnavailableError:
            return False
        except UnderstudyError as error:
            self._permit()
            await self._hold("lease")
            if self._permission.refusal is None or is_final(self._permission.refusal):
                raise error from None
            return False
        self._permit()
        await self._let_go("lease")
        return True

    async def _watch(self) -> None:
        """End when the person has said so on this device; hold up without lease or beats of the indicator."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            try:
                self._permission.check_standing()
            except UnderstudyError:
                self._children.capture.send(Until(boot_ms=0))
                raise
            if not self._permission.left_seconds:
                await self._hold("lease")
            if self._children.beat_age > BEATS_SECONDS:
                await self._hold("indicator")
            elif "indicator" in self._holds:
                await self._let_go("indicator")

    async def _hold(self, reason: str) -> None:
        """Record nothing for ``reason``, as long as it holds."""
        if reason in self._holds:
            return
        async with self._turn:
            if not self._still(reason):
                return
            self._holds.add(reason)
            self._show_holds()
            if self._is_held_up:
                return
            self._is_held_up = True
            flushed = await self._children.capture.ask(lambda number: Pause(number=number))
            if self._running is not None:
                await asyncio.to_thread(self._running.interrupt, self._time_of(flushed))

    async def _let_go(self, reason: str) -> None:
        """Record again, if nothing else holds it up."""
        async with self._turn:
            self._holds.discard(reason)
            self._show_holds()
            if self._holds or not self._is_held_up:
                return
            self._is_held_up = False
            self._children.capture.send(Resume())
            self._go_on(self._now_ms())

    def _still(self, reason: str) -> bool:
        """Return whether a reason holds, now that it is its turn."""
        match reason:
            case "lease":
                return not self._permission.left_seconds
            case "indicator":
                return self._children.beat_age > BEATS_SECONDS
            case _:
                return True

    def _show_holds(self) -> None:
        self._children.is_paused = "person" in self._holds
        self._children.show()

    # Recordings.

    async def _begin(self, title: str, task: str, instruction: str | None) -> str:
        """Begin a recording and return its id.

        Raises:
            ControlError: one runs already, or recording is held up.
        """
        async with self._turn:
            if self._running is not None:
                raise ControlError("a recording runs already", hint="end it first: understudy recorder end")
            if self._holds:
                raise ControlError(f"nothing can be recorded now: {self.state}")
            self._anchor_ns = time.monotonic_ns()
            self._anchor_server = server_ms()
            about = About(
                recording=new_id("rec"),
                title=title,
                task=task,
                instruction=instruction,
                group=self._settings.group.name,
                streams=self._device.consent.streams,
                screen=self._screen,
                started_at=self._clock.now(),
            )
            self._running = RunningRecording(
                about,
                server_ms=self._anchor_server,
                raw=self._raw,
                redactor=self._make_redactor(secrets.token_bytes(KEY_BYTES)),
                held=self._held,
                keeper=self._permission.keeper,
                delays=self._delays,
            )
            self._begin_file(0)
            return about.recording

    def _go_on(self, at_ms: int) -> None:
        """Have the running recording go on, with a new segment and a new raw file."""
        if self._running is not None:
            begins = _next_second(at_ms)
            self._begin_file(begins)
            self._running.go_on(begins)

    def _begin_file(self, begins: int) -> None:
        """Have capture write to a new raw file from ``begins`` on, a whole second of the recording."""
        running = self._running
        if running is None:
            return
        name = self._raw.create()
        running.attach(name)
        self._source_begins = begins
        self._children.capture.send(
            Begin(
                recording=running.about.recording,
                name=name,
                started_at=running.about.started_at + begins // _SECOND_MS,
                server_ms=(self._anchor_server + begins) % CLOCK,
                group=self._settings.group,
                streams=running.about.streams,
                shield=self._shield,
            )
        )

    async def _end(self, outcome: Outcome) -> Answer:
        """End the recording; when this returns, it is redacted, held and closed.

        Raises:
            ControlError: none runs.
            CaptureError: capture is gone.
            FailedRedactionError, HeldError, DurabilityError: the last stretch could not be kept.
        """
        async with self._turn:
            running = self._running
            if running is None:
                raise ControlError("no recording runs", hint="begin one: understudy recorder begin")
            flushed = await self._children.capture.ask(lambda number: End(number=number))
            try:
                await asyncio.to_thread(running.finish, self._time_of(flushed), outcome)
            finally:
                self._count(running)
            tally = running.tally
            return Answer(
                state=self.state,
                recording=running.about.recording,
                segments=tally.segments,
                actions=tally.actions,
            )

    async def _end_whatever_runs(self) -> None:
        """Hold what there is when the session ends, also without capture."""
        running = self._running
        if running is None:
            return
        with suppress(CaptureError):
            if not isinstance(self._error, CaptureError):
                await self._end(Outcome.UNKNOWN)
                return
            # It writes no more, and what it had not written is lost; the rest is brought to the file.
            await self._children.capture.ask(lambda number: End(number=number))
        async with self._turn:
            if self._running is None:
                return
            try:
                await asyncio.to_thread(running.lose, self._now_ms())
            finally:
                self._count(running)

    def _count(self, running: RunningRecording) -> None:
        """Let go of an ended recording."""
        running.retire()
        self._running = None
        done = self.summary
        self.summary = msgspec.structs.replace(
            done,
            recordings=(*done.recordings, running.about.recording),
            tally=done.tally + running.tally,
        )

    async def _forget(self, minutes: int) -> Answer:
        """Drop the last minutes of the running recording, and go on.

        Raises:
            ControlError: none runs.
        """
        async with self._turn:
            running = self._running
            if running is None:
                raise ControlError("no recording runs", hint="cut a held one: understudy review cut")
            flushed = await self._children.capture.ask(lambda number: Forget(number=number))
            at_ms = self._time_of(flushed)
            await asyncio.to_thread(running.forget, at_ms - minutes * _MINUTE_MS, at_ms)
            if not self._is_held_up:
                self._go_on(at_ms)
            return Answer(state=self.state, recording=running.about.recording)

    async def _work(self) -> None:
        """Every round: flush, read, redact, hold; and a new raw file before the old one is too old."""
        pause = max(1, self._delays.redact_seconds - EARLY_SECONDS)
        while True:
            await asyncio.sleep(pause)
            async with self._turn:
                running = self._running
                if running is None or self._is_held_up:
                    continue
                flushed = await self._children.capture.ask(lambda number: Flush(number=number))
                until = self._time_of(flushed)
                await asyncio.to_thread(running.take, until, permitted_until=self._permission.until)
                self._permission.keeper.forget_before(self._clock.now() - self._delays.raw_max_seconds)
                now = self._now_ms()
                if now - self._source_begins > self._delays.raw_max_seconds * _SECOND_MS // 2:
                    self._begin_file(_next_second(now))

    def _time_of(self, flushed: Flushed) -> int:
        """Return a time of the display server as one of the recording."""
        since = (flushed.until_ms - self._anchor_server) % CLOCK
        return 0 if since >= CLOCK // 2 else since

    def _now_ms(self) -> int:
        return (time.monotonic_ns() - self._anchor_ns) // 1_000_000

    # What others ask.

    async def _handle(self, request: Request) -> Answer:
        """Do what was asked. What cannot be kept, or a capture that is gone, ends the session too."""
        try:
            return await self._do(request)
        except ControlError:
            raise
        except UnderstudyError as error:
            self.stop(error)
            raise

    async def _do(self, request: Request) -> Answer:
        match request.verb:
            case "pause":
                await self._hold("person")
            case "resume":
                await self._let_go("person")
            case "stop":
                self.stop()
            case "begin":
                title = request.title or self._settings.title
                task = request.task or self._settings.task
                await self._begin(title, task, request.instruction or self._settings.instruction)
            case "end":
                return await self._end(request.outcome)
            case "forget":
                return await self._forget(request.minutes or 1)
            case "status":
                pass
        running = self._running
        tally = running.tally if running else Tally()
        return Answer(
            state=self.state,
            recording=running.about.recording if running else None,
            segments=tally.segments,
            actions=tally.actions,
            seconds=int(self._children.seconds),
        )


def _next_second(at_ms: int) -> int:
    """Return the next whole second of the recording."""
    return at_ms // _SECOND_MS * _SECOND_MS + _SECOND_MS
