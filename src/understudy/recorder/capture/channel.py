"""The channel between session and capture: what each may say, and how it is framed.

Rules

* A message is its length in 4 bytes (big-endian), then JSON of exactly one of the types below. Anything else
  ends the channel.
* The end of the channel is a message too: capture stops writing at once, and the session takes capture for
  dead.
* Nothing that was recorded travels here: no text, no title, no picture. The key does, once, as the first
  message, over a pair of sockets that only the two processes hold.

Example

>>> frame(Stop())[4:]
b'{"type":"Stop"}'
>>> Frames().feed(frame(Resume()) + frame(Stop()), ToCapture)
[Resume(), Stop()]
"""

import struct
from typing import Any, Final, Literal

import msgspec

from understudy.consent.errors import UnderstudyError
from understudy.consent.programme import ApplicationGroup
from understudy.consent.purposes import Stream
from understudy.formats.elements import Box
from understudy.formats.screen import Screen
from understudy.recorder.errors import ChannelError

MAX_MESSAGE_BYTES: Final = 1 << 20
_LENGTH: Final = struct.Struct(">I")


class Message(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True):
    """Base of all messages."""


class Key(Message, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True):
    """The run's key as base64url, and the folder of raw files; the first message, said once."""

    key: str
    folder: str

    def __repr__(self) -> str:
        return "Key()"


class Begin(Message, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True):
    """Write to a new raw file from now on.

    Attributes:
        recording: its id.
        name: the raw file, which is there and empty.
        started_at: the calendar second that ``server_ms`` belongs to.
        server_ms: that moment on the display server's clock.
        group: what is in scope.
        streams: what was consented to.
        shield: the recorder's own window, whose clicks are nobody's work.
    """

    recording: str
    name: str
    started_at: int
    server_ms: int
    group: ApplicationGroup
    streams: tuple[Stream, ...]
    shield: Box | None = None


class Until(Message, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True):
    """Nothing may be written at or after this time of the boot clock, in milliseconds."""

    boot_ms: int


class Pause(Message, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True):
    """Finish the raw file and write nothing until ``Resume``; what is held back is dropped.

    Answered like ``Flush``. After ``Resume`` another ``Begin`` is needed.
    """

    number: int


class Resume(Message, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True):
    """Writing may begin again."""


class Flush(Message, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True):
    """Bring to the file what is decided, and say so."""

    number: int


class End(Message, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True):
    """Finish the raw file; answered like ``Flush``."""

    number: int


class Forget(Message, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True):
    """Drop what is held back or pending, and write to this file no more; answered like ``Flush``."""

    number: int


class Stop(Message, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True):
    """Say ``Bye`` and end."""


class Ready(Message, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True):
    """Capture could record: the display answers, and so does the accessibility bus."""

    screen: Screen


class Flushed(Message, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True):
    """Everything before ``until_ms`` of the display server's clock that may be recorded is in the file."""

    number: int
    until_ms: int


Problem = Literal[
    "no-display", "no-accessibility", "display-gone", "accessibility-gone", "indicator-gone", "disk", "defect"
]


class Trouble(Message, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True):
    """Something is wrong, and why nothing is written any more.

    ``detail`` is for the person: the name of an error, or what to install; never what was recorded.
    """

    problem: Problem
    detail: str = ""


Doing = Literal["nothing", "outside", "paused", "recording"]


class Does(Message, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True):
    """What capture does, each time that changes; the indicator shows this and nothing else.

    ``nothing``: no file, or the deadline has passed. ``outside``: the active window may not be recorded.
    """

    what: Doing


class Bye(Message, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True):
    """The last message: what capture did."""

    events: int = 0
    trees: int = 0
    frames: int = 0
    lost: int = 0


ToCapture = Key | Begin | Until | Pause | Resume | Flush | End | Forget | Stop
ToSession = Ready | Flushed | Trouble | Does | Bye


def frame(message: Message) -> bytes:
    """Return a message as it travels."""
    encoded = msgspec.json.encode(message)
    return _LENGTH.pack(len(encoded)) + encoded


class Frames:
    """Takes bytes as they arrive and gives whole messages."""

    def __init__(self) -> None:
        self._pending = bytearray()

    def feed(self, data: bytes, kinds: Any) -> list[Any]:
        """Return the messages that are whole now.

        Args:
            data: what arrived.
            kinds: ``ToCapture`` or ``ToSession``.

        Raises:
            ChannelError: not a message of these kinds.
        """
        self._pending += data
        found = []
        while len(self._pending) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._pending)
            if length > MAX_MESSAGE_BYTES:
                raise ChannelError("a message that is too long")
            end = _LENGTH.size + length
            if len(self._pending) < end:
                break
            found.append(self._decode(bytes(self._pending[_LENGTH.size : end]), kinds))
            del self._pending[:end]
        return found

    @staticmethod
    def _decode(encoded: bytes, kinds: Any) -> Any:
        try:
            return msgspec.json.decode(encoded, type=kinds)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ChannelError("not a message of this channel") from error


def describe(error: BaseException) -> str:
    """Return what may be said of an error on the channel: messages of our own, or the name of a class."""
    return str(error) if isinstance(error, UnderstudyError) else type(error).__name__
