"""Asking a running recorder: a socket in the device's folder, one line of JSON each way.

Rules

* ``record.sock`` is 0600 in a 0700 folder, and the kernel must say that the caller is the same user.
* One request a connection, at most ``MAX_LINE`` bytes, answered with one line. Nothing recorded is told: the
  title of a recording goes in and does not come out.
* Whoever finds no socket, or nobody behind it, learns that no recorder runs.

Example::

    client = ControlClient(device_home)
    recording = client.begin(title="An order", task="order", instruction="Order ten of them").recording
    client.end(Outcome.SUCCEEDED)
"""

import asyncio
import os
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from understudy.consent.errors import RefusedError, UnderstudyError
from understudy.consent.primitives import Count, Line, Name, RecordingId, Text, Value
from understudy.formats.recording.manifest import Outcome
from understudy.recorder.errors import ControlError

SOCKET_NAME: Final = "record.sock"
MAX_LINE: Final = 64 << 10
ANSWER_SECONDS: Final = 60.0
"""How long a client waits: ending a recording redacts and writes the last stretch."""
_CREDENTIALS: Final = struct.Struct("iII")

State = Literal["ready", "recording", "outside", "paused", "waiting", "stopping"]
"""What the recorder does: ``outside`` the scope, ``waiting`` for a lease or for its own indicator."""


class Request(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is asked; fields that a verb does not use are left out."""

    verb: Literal["status", "pause", "resume", "stop", "begin", "end", "forget"]
    title: Line | None = None
    task: Name | None = None
    instruction: Text | None = None
    outcome: Outcome = Outcome.UNKNOWN
    minutes: Annotated[int, Meta(ge=1, le=100_000)] | None = None


class Answer(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the recorder says: its state, and what the verb led to; or why not."""

    state: State
    recording: RecordingId | None = None
    segments: Count = 0
    actions: Count = 0
    seconds: Count = 0
    reason: str = ""
    error: str = ""
    hint: str = ""


Handler = Callable[[Request], Awaitable[Answer]]


class ControlServer:
    """Answers at the socket of one device, while the session runs."""

    def __init__(self, home: Path, handler: Handler, state: Callable[[], State]) -> None:
        self._home: Final = home
        self._handler: Final = handler
        self._state: Final = state
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen. Whoever holds the device's lock may replace a socket that a dead session left."""
        (self._home / SOCKET_NAME).unlink(missing_ok=True)
        folder = os.open(self._home, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            mask = os.umask(0o177)
            try:
                listening.bind(_address(folder))
            finally:
                os.umask(mask)
            self._server = await asyncio.start_unix_server(self._serve, sock=listening, limit=MAX_LINE)
        except OSError:
            listening.close()
            raise
        finally:
            os.close(folder)

    async def close(self) -> None:
        """Stop listening and remove the socket."""
        if self._server is not None:
            self._server.close()
            (self._home / SOCKET_NAME).unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if _user_of(writer.get_extra_info("socket")) == os.getuid():
                line = await reader.readline()
                writer.write(msgspec.json.encode(await self._answer(line)) + b"\n")
                await writer.drain()
        except (OSError, ValueError):
            pass  # a caller that went away, or a line without an end
        finally:
            with suppress(OSError):
                writer.close()
                await writer.wait_closed()

    async def _answer(self, line: bytes) -> Answer:
        try:
            request = msgspec.json.decode(line, type=Request)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return Answer(state=self._state(), error="not a request of this recorder")
        try:
            return await self._handler(request)
        except UnderstudyError as error:
            reason = error.reason if isinstance(error, RefusedError) else ""
            return Answer(state=self._state(), error=str(error), hint=error.hint, reason=reason)


class ControlClient:
    """Asks the recorder that runs on the device in ``home``."""

    def __init__(self, home: Path) -> None:
        self._home: Final = home

    def ask(self, request: Request) -> Answer:
        """Send a request and return the answer.

        Raises:
            ControlError: no recorder runs here, or it cannot do what it was asked.
            RefusedError: a rule says no.
        """
        try:
            line = self._exchange(msgspec.json.encode(request) + b"\n")
            answer = msgspec.json.decode(line, type=Answer)
        except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError) as error:
            raise ControlError(
                "no recorder runs on this device", hint="start one: understudy record"
            ) from error
        except (OSError, msgspec.DecodeError) as error:
            raise ControlError("the recorder on this device does not answer") from error
        if answer.reason:
            raise RefusedError(answer.reason, hint=answer.hint, message=answer.error)
        if answer.error:
            raise ControlError(answer.error, hint=answer.hint)
        return answer

    def status(self) -> Answer:
        """Return what the recorder does; raises as ``ask``."""
        return self.ask(Request(verb="status"))

    def pause(self) -> Answer:
        """Stop writing until ``resume``; raises as ``ask``."""
        return self.ask(Request(verb="pause"))

    def resume(self) -> Answer:
        """Go on; raises as ``ask``."""
        return self.ask(Request(verb="resume"))

    def stop(self) -> Answer:
        """End the recording and the recorder; raises as ``ask``."""
        return self.ask(Request(verb="stop"))

    def begin(
        self, *, title: str | None = None, task: str | None = None, instruction: str | None = None
    ) -> Answer:
        """Begin a recording of one task and return its id; raises as ``ask``."""
        return self.ask(Request(verb="begin", title=title, task=task, instruction=instruction))

    def end(self, outcome: Outcome = Outcome.UNKNOWN) -> Answer:
        """End the recording; when this returns, it is closed and held. Raises as ``ask``."""
        return self.ask(Request(verb="end", outcome=outcome))

    def forget(self, minutes: int) -> Answer:
        """Drop the last minutes of the running recording; raises as ``ask``."""
        return self.ask(Request(verb="forget", minutes=minutes))

    def _exchange(self, line: bytes) -> bytes:
        folder = os.open(self._home, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
                asking.settimeout(ANSWER_SECONDS)
                asking.connect(_address(folder))
                asking.sendall(line)
                with asking.makefile("rb") as answer:
                    return answer.readline(MAX_LINE)
        finally:
            os.close(folder)


def _address(folder: int) -> str:
    """Return a short name of the socket: an address holds 107 bytes, and a home may be deeper than that."""
    return f"/proc/self/fd/{folder}/{SOCKET_NAME}"


def _user_of(peer: Any) -> int:
    """Return the user id of the process at the other end of a socket, as the kernel knows it."""
    raw = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, user, _ = _CREDENTIALS.unpack(raw)
    return int(user)
