"""The session's end of a channel to one of its child processes.

Rules

* Messages are taken as they arrive; requests that are answered by number are awaited, with a bound.
* When the channel ends, whoever waits learns it, and ``on_end`` is called once. What the child said before it
  ended is delivered first.

Example::

    link = Link(child, mine, ToSession, on_message=session.hear, on_end=session.lost_capture)
    until = await link.ask(lambda number: Flush(number=number))
"""

import asyncio
import itertools
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from understudy.recorder.capture.channel import Flushed, Frames, Message, frame
from understudy.recorder.errors import CaptureError, ChannelError
from understudy.recorder.process import Child

ANSWER_SECONDS: Final = 10.0
_READ_BYTES: Final = 65_536


class Link:
    """One child and the channel to it.

    Args:
        child: the process.
        channel: our end; taken over.
        kinds: the messages that it may send.
        on_message: called with each, but for answers that somebody awaits.
        on_end: called when the channel has ended.
    """

    def __init__(
        self,
        child: Child,
        channel: socket.socket,
        kinds: Any,
        *,
        on_message: Callable[[Any], None],
        on_end: Callable[[], None],
    ) -> None:
        self.child: Final = child
        self._channel: Final = channel
        self._kinds: Final = kinds
        self._on_message: Final = on_message
        self._on_end: Final = on_end
        self._frames: Final = Frames()
        self._numbers: Final = itertools.count(1)
        self._awaited: dict[int, asyncio.Future[Flushed]] = {}
        self._loop: Final = asyncio.get_running_loop()
        self.is_open = True
        channel.setblocking(False)
        self._loop.add_reader(channel, self._read)

    def send(self, message: Message) -> None:
        """Send a message; nothing happens once the channel has ended."""
        if not self.is_open:
            return
        try:
            # Messages are few and short: the socket's buffer takes them, or the child does not read any more.
            self._channel.sendall(frame(message))
        except OSError:
            self._end()

    async def ask(self, request: Callable[[int], Message]) -> Flushed:
        """Send a request and return its answer.

        Args:
            request: makes the message with a number.

        Raises:
            CaptureError: the channel ended, or there was no answer in ``ANSWER_SECONDS``.
        """
        number = next(self._numbers)
        answer: asyncio.Future[Flushed] = self._loop.create_future()
        self._awaited[number] = answer
        self.send(request(number))
        try:
            if not self.is_open:
                raise CaptureError("the capture process has ended")
            return await asyncio.wait_for(answer, ANSWER_SECONDS)
        except TimeoutError as error:
            self._end()
            raise CaptureError("the capture process does not answer") from error
        finally:
            self._awaited.pop(number, None)

    def close(self) -> None:
        """Close the channel without calling ``on_end``, and end the child. Idempotent."""
        if self.is_open:
            self.is_open = False
            self._loop.remove_reader(self._channel)
            self._channel.close()
        self.child.stop()

    def _read(self) -> None:
        try:
            data = self._channel.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._end()
            return
        try:
            for message in self._frames.feed(data, self._kinds):
                if isinstance(message, Flushed) and (future := self._awaited.get(message.number)):
                    if not future.done():
                        future.set_result(message)
                else:
                    self._on_message(message)
        except ChannelError:
            self._end()

    def _end(self) -> None:
        if not self.is_open:
            return
        self.is_open = False
        self._loop.remove_reader(self._channel)
        with suppress(OSError):
            self._channel.close()
        for future in self._awaited.values():
            if not future.done():
                future.set_exception(CaptureError("the capture process has ended"))
        self._on_end()
