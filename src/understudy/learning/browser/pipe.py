"""The DevTools protocol on two pipes: JSON messages, each ended by a zero byte.

Rules

* Synchronous: a call writes one message and reads until its answer is there. What arrives meanwhile is kept
  in order, the newest ``MAX_EVENTS`` events.
* Every call has a deadline, for writing too: a browser that hangs does not hang its caller.
* The end of the pipe is the end of the browser. After that, and after a message that is none, each call
  raises ``BrowserGoneError`` at once.
* A dialog of the page (``alert``, ``confirm``) would stop every script; it is dismissed as it opens.
* A message is at most ``MAX_MESSAGE_BYTES`` long.

Protocol: https://chromedevtools.github.io/devtools-protocol/ and ``--remote-debugging-pipe`` of Chromium,
which reads from file descriptor 3 and writes to 4.
"""

import os
import select
import time
from collections import deque
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from understudy.learning.browser.errors import (
    BrowserGoneError,
    CallTimeoutError,
    PageCrashedError,
    ProtocolError,
)

MAX_MESSAGE_BYTES: Final = 256 * 1024 * 1024
"""A picture of a large screen has some 20 MB; nothing that is asked for comes near this."""
MAX_EVENTS: Final = 1_000
READ_BYTES: Final = 1 << 20


class Failure(msgspec.Struct, frozen=True):
    """Why the browser refused a call."""

    code: int
    message: str = ""


class Message(msgspec.Struct, frozen=True):
    """An answer (``id``) or an event (``method``)."""

    id: int | None = None
    method: str = ""
    params: dict[str, Any] = {}
    result: dict[str, Any] = {}
    error: Failure | None = None
    session: str | None = msgspec.field(default=None, name="sessionId")


class Pipe:
    """The two ends that a browser's owner holds. Closes both file descriptors when closed."""

    def __init__(self, *, reading: int, writing: int) -> None:
        self._reading = reading
        self._writing = writing
        os.set_blocking(reading, False)
        os.set_blocking(writing, False)
        self._decoder = msgspec.json.Decoder(Message)
        self._buffer = bytearray()
        self._events: deque[Message] = deque(maxlen=MAX_EVENTS)
        self._last = 0
        self._crashed: set[str] = set()
        self._is_open = True

    @property
    def is_open(self) -> bool:
        """Whether the browser was still there when it was last spoken to."""
        return self._is_open

    def call(
        self, method: str, params: Mapping[str, object], *, session: str | None, seconds: float
    ) -> dict[str, Any]:
        """Return the result of one call.

        Raises:
            BrowserGoneError: the browser ended; ``PageCrashedError`` if only the page of ``session`` did.
            CallTimeoutError: no answer within ``seconds``.
            ProtocolError: the browser refused.
        """
        deadline = time.monotonic() + seconds
        number = self._send(method, params, session, deadline)
        while session not in self._crashed:
            answer = self._next(deadline, method)
            if answer.id != number:
                continue
            if answer.error is not None:
                code = answer.error.code
                raise ProtocolError(f"the browser refused {method} ({code})", code=code)
            return answer.result
        raise PageCrashedError(f"the page crashed, so nothing answers {method}")

    def wait(
        self, method: str, holds: Mapping[str, object], *, session: str | None, seconds: float
    ) -> dict[str, Any]:
        """Return the parameters of the next event ``method`` that hold these, kept events first.

        Raises:
            BrowserGoneError: the browser ended.
            CallTimeoutError: it did not come within ``seconds``.
        """
        deadline = time.monotonic() + seconds
        while True:
            while self._events:
                event = self._events.popleft()
                if event.method != method or event.session != session:
                    continue
                if holds.items() <= event.params.items():
                    return event.params
            if session in self._crashed:
                raise PageCrashedError(f"the page crashed, so {method} never comes")
            self._next(deadline, method)

    def forget(self) -> None:
        """Drop the events that are kept."""
        self._events.clear()

    def close(self) -> None:
        """Close both ends; the browser ends when it sees that."""
        if self._reading >= 0:
            os.close(self._writing)
            os.close(self._reading)
            self._reading = self._writing = -1
        self._is_open = False

    def _send(self, method: str, params: Mapping[str, object], session: str | None, deadline: float) -> int:
        if not self._is_open:
            raise BrowserGoneError(f"the browser is gone ({method})")
        self._last += 1
        message: dict[str, object] = {"id": self._last, "method": method, "params": params}
        if session is not None:
            message["sessionId"] = session
        rest = memoryview(msgspec.json.encode(message) + b"\0")
        while rest:
            self._ready(self._writing, select.POLLOUT, deadline, method)
            try:
                rest = rest[os.write(self._writing, rest) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise self._gone(method) from error
        return self._last

    def _next(self, deadline: float, method: str) -> Message:
        """Return the next message and keep it if it is an event."""
        message = self._decode(self._read(deadline, method))
        if message.id is None:
            self._events.append(message)
            if message.method == "Inspector.targetCrashed":
                self._crashed.add(message.session or "")
            elif message.method == "Page.javascriptDialogOpening":
                self._send("Page.handleJavaScriptDialog", {"accept": False}, message.session, deadline)
        return message

    def _read(self, deadline: float, method: str) -> bytes:
        searched = 0
        while (end := self._buffer.find(0, searched)) < 0:
            searched = len(self._buffer)
            if searched > MAX_MESSAGE_BYTES:
                self._is_open = False
                raise ProtocolError("a message of the browser is too long")
            if not self._is_open:
                raise BrowserGoneError(f"the browser is gone ({method})")
            self._ready(self._reading, select.POLLIN, deadline, method)
            try:
                piece = os.read(self._reading, READ_BYTES)
            except BlockingIOError:
                continue
            except OSError as error:
                raise self._gone(method) from error
            if not piece:
                raise self._gone(method)
            self._buffer += piece
        raw = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return raw

    def _decode(self, raw: bytes) -> Message:
        try:
            return self._decoder.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            self._is_open = False
            raise ProtocolError("the browser said something that is no message") from error

    def _ready(self, descriptor: int, event: int, deadline: float, method: str) -> None:
        poll = select.poll()
        poll.register(descriptor, event)
        left = deadline - time.monotonic()
        if left <= 0 or not poll.poll(left * 1_000):
            if descriptor == self._writing:
                self._is_open = False  # half a message may stand in the pipe, and nothing may follow that
            raise CallTimeoutError(f"the browser did not answer {method} in time")

    def _gone(self, method: str) -> BrowserGoneError:
        self._is_open = False
        return BrowserGoneError(f"the browser ended during {method}")
