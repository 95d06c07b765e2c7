"""The two processes beside the session: capture, and the indicator that says what capture does.

Rules

* They are started together and are useful only together. The pipe between them is held by nobody else: when
  the indicator ends, for whatever reason, capture reads its end.
* The indicator is told what capture says, in the moment that it says it, and nothing else.
* Every trouble is one call of ``on_trouble``; the first one counts.

Example::

    children = Children.start(raw, display=None, hear=session)
    screen = await children.ready()
"""

import asyncio
import os
import socket
import time
from collections.abc import Callable
from typing import Final

from understudy.consent.errors import UnderstudyError
from understudy.consent.primitives import encode_bytes
from understudy.formats.elements import Box
from understudy.formats.screen import Screen
from understudy.recorder.capture.channel import Does, Doing, Key, Ready, Stop, ToSession, Trouble
from understudy.recorder.errors import CaptureError
from understudy.recorder.indicator import Beat, Face, FromIndicator, Pressed, Show, Shown
from understudy.recorder.link import Link
from understudy.recorder.process import Child
from understudy.recorder.rawfiles import RawFiles

START_SECONDS: Final = 20.0
STOP_SECONDS: Final = 2.0
_FACES: Final[dict[Doing, Face]] = {
    "recording": "recording",
    "paused": "paused",
    "outside": "idle",
    "nothing": "idle",
}


class Children:
    """Capture and indicator, running.

    Args:
        raw: where capture writes.
        display: such as ``:7``; None for the environment's.
        on_press: the person pressed the button; True where it said *Resume*.
        on_trouble: one of them cannot go on.

    Attributes:
        doing: what capture says that it does.
        is_paused: whether the indicator's button resumes; set by the session.
        shield: where the indicator is.
    """

    def __init__(
        self,
        raw: RawFiles,
        *,
        display: str | None,
        on_press: Callable[[bool], None],
        on_trouble: Callable[[UnderstudyError], None],
    ) -> None:
        self._on_press: Final = on_press
        self._on_trouble: Final = on_trouble
        self._ready: Final[asyncio.Future[Screen]] = asyncio.get_running_loop().create_future()
        self._shown: Final[asyncio.Future[Box]] = asyncio.get_running_loop().create_future()
        self._is_closing = False
        self._beat_at = time.monotonic()
        self._since = time.monotonic()
        self._seconds = 0.0
        self.doing: Doing = "nothing"
        self.is_paused = False
        self._start(raw, display)

    async def ready(self) -> tuple[Screen, Box]:
        """Return the screen and where the indicator is, once both are there.

        Raises:
            CaptureError: one of them did not come up; why was told to ``on_trouble``.
        """
        try:
            screen, box = await asyncio.wait_for(asyncio.gather(self._ready, self._shown), START_SECONDS)
        except (TimeoutError, asyncio.CancelledError) as error:
            raise CaptureError("capture or its indicator did not start") from error
        return screen, box

    @property
    def seconds(self) -> float:
        """How long it has been recording."""
        return self._seconds + (time.monotonic() - self._since if self.doing == "recording" else 0.0)

    @property
    def beat_age(self) -> float:
        """Seconds since the indicator's last sign of life."""
        return time.monotonic() - self._beat_at

    def show(self) -> None:
        """Have the indicator show what capture does."""
        face = _FACES[self.doing]
        self.indicator.send(Show(face=face, seconds=int(self.seconds), is_paused=self.is_paused))

    def close(self) -> None:
        """End both, in order. Idempotent."""
        self._is_closing = True
        self.capture.send(Stop())
        self.capture.child.wait(STOP_SECONDS)
        self.capture.close()
        self.indicator.close()

    def _start(self, raw: RawFiles, display: str | None) -> None:
        here, there = socket.socketpair()
        mine, theirs = socket.socketpair()
        reading, writing = os.pipe()
        try:
            ends: dict[str, socket.socket | int] = {"channel": there, "alive": writing}
            shown = Child.start("understudy.recorder.indicator", ends, display=display)
            ends = {"channel": theirs, "indicator": reading}
            taking = Child.start("understudy.recorder.capture.process", ends, display=display)
        finally:
            there.close()
            theirs.close()
            os.close(reading)
            os.close(writing)
        self.indicator = Link(
            shown, here, FromIndicator, on_message=self._hear_indicator, on_end=self._lost_indicator
        )
        self.capture = Link(taking, mine, ToSession, on_message=self._hear_capture, on_end=self._lost_capture)
        self.capture.send(Key(key=encode_bytes(bytes(raw.key.raw)), folder=str(raw.folder.absolute())))

    def _hear_capture(self, message: ToSession) -> None:
        match message:
            case Ready():
                self._ready.set_result(message.screen)
            case Does():
                self._now_does(message.what)
            case Trouble():
                sentence, _, hint = message.detail.partition("\n")
                self._now_does("nothing")
                self._fail(CaptureError(f"nothing is recorded: {sentence or message.problem}", hint=hint))
            case _:
                pass

    def _hear_indicator(self, message: FromIndicator) -> None:
        self._beat_at = time.monotonic()
        match message:
            case Shown():
                self._shown.set_result(message.box)
            case Pressed():
                self._on_press(message.is_paused)
            case Beat():
                pass

    def _now_does(self, doing: Doing) -> None:
        self._seconds = self.seconds
        self._since = time.monotonic()
        self.doing = doing
        self.show()

    def _lost_capture(self) -> None:
        self._now_does("nothing")
        self._fail(CaptureError("the capture process ended by itself", hint="what it had written is kept"))

    def _lost_indicator(self) -> None:
        if not self._shown.done():  # it never came up, for want of a display
            self._fail(
                CaptureError(
                    "nothing is recorded: no window can be shown on an X display",
                    hint="record inside an X11 session, or name its display: understudy record --display :0",
                )
            )
            return
        self._fail(
            CaptureError(
                "nothing is recorded: the indicator is gone, or its display",
                hint="start the recorder again: nobody could see that it records",
            )
        )

    def _fail(self, error: UnderstudyError) -> None:
        for future in (self._ready, self._shown):
            future.cancel()
        if not self._is_closing:
            self._on_trouble(error)
