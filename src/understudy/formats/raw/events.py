"""Input events and marks, and their ten packed bytes.

Rules

* ``time`` is the display server's stamp in milliseconds, modulo 2**32; ``late`` how long it took to arrive.
* Every bit pattern is either one event or refused: fields that a kind does not use are zero.
* Packing is relative to the event before; a chunk packs and unpacks as a whole.

Layout: ``docs/formats/raw.md``, section 3.

Example

>>> events = (Motion(time=1000, x=5, y=6), KeyPress(time=1012, keycode=38, keysym=0x61))
>>> unpack(pack(events, base=1000), base=1000) == events
True
"""

import struct
from collections.abc import Callable, Iterable
from typing import ClassVar, Final, NamedTuple

import msgspec

from understudy.formats.raw.bounds import MAX_SPAN_MS
from understudy.formats.raw.errors import RawCode, RawError

EVENT_BYTES: Final = 10
CLOCK: Final = 1 << 32
_ROW: Final = struct.Struct(">BBHHHH")
_STEPS: Final = struct.Struct(">bb")
_BYTE: Final = 0xFF


class _Row(NamedTuple):
    """Ten packed bytes, by name."""

    kind: int
    late: int
    delta: int
    a: int
    b: int
    c: int

    @property
    def number(self) -> int:
        """The 32 bits in a and b."""
        return self.a << 16 | self.b


class Stamped(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What every event says: when it happened, and how late it was known (255: more)."""

    KIND: ClassVar[int]

    time: int
    late: int = 0

    def fields(self) -> tuple[int, int, int]:
        """Return a, b and c of the packed row."""
        return 0, 0, 0


class _Keyed(Stamped, frozen=True, kw_only=True, gc=False):
    keycode: int
    keysym: int
    modifiers: int = 0

    def fields(self) -> tuple[int, int, int]:
        """Return a, b and c of the packed row."""
        return _pair(self.modifiers, self.keycode), *_halves(self.keysym)


class KeyPress(_Keyed, frozen=True, kw_only=True, gc=False):
    """A key went down."""

    KIND: ClassVar[int] = 1


class KeyRelease(_Keyed, frozen=True, kw_only=True, gc=False):
    """A key came up."""

    KIND: ClassVar[int] = 2


class _Buttoned(Stamped, frozen=True, kw_only=True, gc=False):
    x: int
    y: int
    button: int
    modifiers: int = 0

    def fields(self) -> tuple[int, int, int]:
        """Return a, b and c of the packed row."""
        return self.x, self.y, _pair(self.modifiers, self.button)


class ButtonPress(_Buttoned, frozen=True, kw_only=True, gc=False):
    """A button of the pointer went down."""

    KIND: ClassVar[int] = 3


class ButtonRelease(_Buttoned, frozen=True, kw_only=True, gc=False):
    """A button of the pointer came up."""

    KIND: ClassVar[int] = 4


class Motion(Stamped, frozen=True, kw_only=True, gc=False):
    """The pointer moved to a pixel of the screen."""

    KIND: ClassVar[int] = 5

    x: int
    y: int

    def fields(self) -> tuple[int, int, int]:
        """Return a, b and c of the packed row."""
        return self.x, self.y, 0


class Wheel(Stamped, frozen=True, kw_only=True, gc=False):
    """Wheel steps, -128 to 127; positive is right and down."""

    KIND: ClassVar[int] = 6

    x: int
    y: int
    dx: int
    dy: int

    def fields(self) -> tuple[int, int, int]:
        """Return a, b and c of the packed row."""
        return self.x, self.y, int.from_bytes(_STEPS.pack(self.dx, self.dy))


class Focus(Stamped, frozen=True, kw_only=True, gc=False):
    """An element of a tree got the focus."""

    KIND: ClassVar[int] = 7

    tree: int
    element: int

    def fields(self) -> tuple[int, int, int]:
        """Return a, b and c of the packed row."""
        return *_halves(self.tree), self.element


class Window(Stamped, frozen=True, kw_only=True, gc=False):
    """Another window became active; ``in_scope`` says whether it may be recorded."""

    KIND: ClassVar[int] = 8

    window: int
    in_scope: bool

    def fields(self) -> tuple[int, int, int]:
        """Return a, b and c of the packed row."""
        return *_halves(self.window), int(self.in_scope)


class TreeComplete(Stamped, frozen=True, kw_only=True, gc=False):
    """A tree was read to its end; it is the version of that time."""

    KIND: ClassVar[int] = 9

    tree: int

    def fields(self) -> tuple[int, int, int]:
        """Return a, b and c of the packed row."""
        return *_halves(self.tree), 0


class FrameComplete(Stamped, frozen=True, kw_only=True, gc=False):
    """A frame was grabbed; it is the version of that time."""

    KIND: ClassVar[int] = 10

    frame: int

    def fields(self) -> tuple[int, int, int]:
        """Return a, b and c of the packed row."""
        return *_halves(self.frame), 0


class SecureBegin(Stamped, frozen=True, kw_only=True, gc=False):
    """From here on the focus is, or may be, on a field for a secret: no key is recorded."""

    KIND: ClassVar[int] = 11


class SecureEnd(Stamped, frozen=True, kw_only=True, gc=False):
    """The secure span is over."""

    KIND: ClassVar[int] = 12


class Lost(Stamped, frozen=True, kw_only=True, gc=False):
    """Events were not recorded here; ``count`` is 0 where nobody counted."""

    KIND: ClassVar[int] = 13

    count: int = 0

    def fields(self) -> tuple[int, int, int]:
        """Return a, b and c of the packed row."""
        return *_halves(self.count), 0


Event = (
    KeyPress
    | KeyRelease
    | ButtonPress
    | ButtonRelease
    | Motion
    | Wheel
    | Focus
    | Window
    | TreeComplete
    | FrameComplete
    | SecureBegin
    | SecureEnd
    | Lost
)
KEYS: Final = (KeyPress, KeyRelease)


def elapsed(since: int, until: int) -> int:
    """Return the milliseconds from one server stamp to another.

    Raises:
        RawError: ``time-order``: the second is before the first.
    """
    span = (until - since) % CLOCK
    if span >= CLOCK // 2:
        raise RawError(RawCode.TIME_ORDER, "an event before the one before it")
    return span


def pack(events: Iterable[Event], base: int) -> bytes:
    """Return the packed rows of a chunk of events whose base is ``base``.

    Raises:
        RawError: ``time-order``, or ``malformed`` if a number does not fit its field.
    """
    rows = []
    last = base
    for event in events:
        delta = elapsed(last, event.time)
        try:
            rows.append(_ROW.pack(event.KIND, min(event.late, _BYTE), delta, *event.fields()))
        except struct.error as error:
            raise RawError(RawCode.MALFORMED, "a number that does not fit its field") from error
        last = event.time
    return b"".join(rows)


def unpack(packed: bytes, base: int) -> tuple[Event, ...]:
    """Return the events of a chunk.

    Raises:
        RawError: ``malformed``, ``unknown-event`` or ``time-order``.
    """
    if len(packed) % EVENT_BYTES:
        raise RawError(RawCode.MALFORMED, "events that do not fill the content")
    events = []
    span = 0
    for row in map(_Row._make, _ROW.iter_unpack(packed)):
        span += row.delta
        if span > MAX_SPAN_MS:
            raise RawError(RawCode.TIME_ORDER, f"an event over {MAX_SPAN_MS} ms after its base")
        maker = _MAKERS.get(row.kind)
        event = maker(row, (base + span) % CLOCK) if maker else None
        if event is None or event.fields() != (row.a, row.b, row.c):
            raise RawError(
                RawCode.UNKNOWN_EVENT, f"an event of kind {row.kind}, or a field that should be zero"
            )
        events.append(event)
    return tuple(events)


def _key(kind: type[KeyPress] | type[KeyRelease], row: _Row, time: int) -> Event:
    keysym = row.b << 16 | row.c
    return kind(time=time, late=row.late, keycode=row.a & _BYTE, keysym=keysym, modifiers=row.a >> 8)


def _button(kind: type[ButtonPress] | type[ButtonRelease], row: _Row, time: int) -> Event:
    button, modifiers = row.c & _BYTE, row.c >> 8
    return kind(time=time, late=row.late, x=row.a, y=row.b, button=button, modifiers=modifiers)


def _wheel(row: _Row, time: int) -> Event:
    dx, dy = _STEPS.unpack(row.c.to_bytes(2))
    return Wheel(time=time, late=row.late, x=row.a, y=row.b, dx=dx, dy=dy)


_MAKERS: Final[dict[int, Callable[[_Row, int], Event]]] = {
    1: lambda row, time: _key(KeyPress, row, time),
    2: lambda row, time: _key(KeyRelease, row, time),
    3: lambda row, time: _button(ButtonPress, row, time),
    4: lambda row, time: _button(ButtonRelease, row, time),
    5: lambda row, time: Motion(time=time, late=row.late, x=row.a, y=row.b),
    6: _wheel,
    7: lambda row, time: Focus(time=time, late=row.late, tree=row.number, element=row.c),
    8: lambda row, time: Window(time=time, late=row.late, window=row.number, in_scope=row.c == 1),
    9: lambda row, time: TreeComplete(time=time, late=row.late, tree=row.number),
    10: lambda row, time: FrameComplete(time=time, late=row.late, frame=row.number),
    11: lambda row, time: SecureBegin(time=time, late=row.late),
    12: lambda row, time: SecureEnd(time=time, late=row.late),
    13: lambda row, time: Lost(time=time, late=row.late, count=row.number),
}


def _pair(high: int, low: int) -> int:
    if not (0 <= high <= _BYTE and 0 <= low <= _BYTE):
        raise RawError(RawCode.MALFORMED, "a number that does not fit its field")
    return high << 8 | low


def _halves(number: int) -> tuple[int, int]:
    if not 0 <= number < CLOCK:
        raise RawError(RawCode.MALFORMED, "a number that does not fit its field")
    return number >> 16, number & 0xFFFF
