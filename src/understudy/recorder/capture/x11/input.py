"""Keys, buttons, wheel and pointer of a whole display, with the server's own times.

Rules

* XInput2's raw events are the source: they come at once, for every device, also while a window grabs the
  input. Test input (XTEST) is a device like any other.
* RECORD adds what raw events do not have: where the pointer was at that very press, modifiers, layout, and
  the repeats of a key that is held. Both are joined by server time. Without RECORD the pointer is asked for
  right after the event, modifiers are followed from the keys, and repeats are not seen.
* A press is always at its exact place, and the last motion before it too. Other motion is thinned to one
  place every ``MOTION_MS``.
* A key whose meaning changed before it could be asked for has no symbol, rather than a wrong one.
* Whoever reads calls ``read`` when the descriptor is readable, and every now and then (20 to 50 ms): the last
  motion and repeats come then.

Protocol: XInput 2.2, raw events; RECORD 1.13.

Example::

    with X11Input(":1") as source:
        for event in source.read(): ...
"""

import struct
from collections import deque
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import msgspec
import xcffib
import xcffib.xinput

from understudy.formats.raw.events import (
    ButtonPress,
    ButtonRelease,
    Event,
    KeyPress,
    KeyRelease,
    Motion,
    Wheel,
)
from understudy.formats.recording.actions import Modifier
from understudy.formats.screen import MAX_SIDE
from understudy.recorder.capture.observed import server_ms
from understudy.recorder.capture.x11.display import (
    GENERIC_EVENT,
    MAPPING_NOTIFY,
    Display,
    Pointer,
    signed,
)
from understudy.recorder.capture.x11.errors import NoInputError
from understudy.recorder.capture.x11.keymap import Keymap, keysyms_of, read_keymap, read_modifiers
from understudy.recorder.capture.x11.record import (
    BUTTON_PRESS,
    BUTTON_RELEASE,
    KEY_PRESS,
    KEY_RELEASE,
    Record,
    Told,
)

MOTION_MS: Final = 15
REPEAT_MS: Final = 150
RECORD_WAIT_SECONDS: Final = 0.003
MAX_LATE: Final = 255
_MOTION: Final = 6
_CORE_KINDS: Final = {13: KEY_PRESS, 14: KEY_RELEASE, 15: BUTTON_PRESS, 16: BUTTON_RELEASE, 17: _MOTION}
_RAW: Final = struct.Struct("=8xH2xIIH")
_MAPPING: Final = struct.Struct("=4xBBB")
_ALL_MASTERS: Final = 1
_VERSION: Final = (2, 2)
_RAW_UNDER_GRABS: Final = (2, 1)
_WHEEL: Final = {4: (0, -1), 5: (0, 1), 6: (-1, 0), 7: (1, 0)}
_MAX_STEPS: Final = 127
_KEYBOARD, _MODIFIER = 1, 0
_LOCKS: Final = 0x12
_MASK: Final = 0xFF
_WHOLE_MAP: Final = 200
_STALE_MS: Final = 1_000


class Seen(NamedTuple):
    """How many events of devices there were, before any thinning and summing."""

    keys: int = 0
    buttons: int = 0
    motions: int = 0


class _Raw(NamedTuple):
    """What a raw event says: a core kind, a keycode or button, and the device that it came from."""

    kind: int
    time: int
    detail: int
    source: int


class _Remap(NamedTuple):
    """The meaning of keys changed: so many keycodes from ``first`` on, or which keys are modifiers."""

    request: int
    first: int
    rows: int


class X11Input:
    """The input of a display. Use as a context manager, or ``close`` it.

    Args:
        display: such as ``:1``; None for the environment's.
        with_record: use RECORD where the display has it.

    Attributes:
        clock_offset_ms: by how much the display's clock was off ``server_ms`` at the start.
        lost: releases whose press was never seen.

    Raises:
        NoDisplayError: there is no such display.
        NoInputError: no XInput2 of version 2.1.
        ClockError: its times cannot be compared with this machine's.
    """

    def __init__(self, display: str | None = None, *, with_record: bool = True) -> None:
        self._display = Display(display)
        try:
            self._opcode = self._select()
            self.clock_offset_ms: Final = self._display.clock_offset()
            self._record = Record(display) if with_record else None
            with self._display.asking():
                self._keymap: Keymap = read_keymap(self._display.core, self._display.keycodes)
                pressed = self._display.core.QueryKeymap().reply().keys
        except BaseException:
            self._display.close()
            raise
        self._before = {code for code in range(256) if pressed[code >> 3] >> (code & 7) & 1}
        self._down: dict[tuple[int, int], int] = {}
        self._pointer: Pointer = self._display.pointer()
        self._told: deque[Told] = deque()
        self._pending: int | None = None
        self._moved: tuple[int, int, int] | None = None
        self._uncertain: frozenset[int] = frozenset()
        self._is_behind = False
        self._keys = self._buttons = self._motions = 0
        self.lost = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections. Idempotent."""
        if self._record is not None:
            self._record.close()
        self._display.close()

    def fileno(self) -> int:
        """Return the descriptor that becomes readable when there is something to read."""
        return self._display.fileno()

    @property
    def held(self) -> frozenset[Modifier]:
        """The modifiers whose keys are down."""
        named = (self._keymap.held_by(code) for code in self._keycodes_down())
        return frozenset(held for held in named if held is not None)

    @property
    def seen(self) -> Seen:
        """How much there was to see so far."""
        return Seen(keys=self._keys, buttons=self._buttons, motions=self._motions)

    @property
    def has_record(self) -> bool:
        """Whether places and states come from the events themselves."""
        return self._record is not None and self._record.is_there

    def read(self) -> list[Event]:
        """Return what happened since the last call, without waiting for more.

        Events are in the order of time, except that a repeat of a held key may be older than what an earlier
        call returned.

        Raises:
            DisplayGoneError: the display ended.
        """
        events: list[Event] = []
        self._is_behind = False
        batch = self._drain()
        # Asking for the pointer may bring more, of which no descriptor tells.
        while self._take(batch, events) and (batch := self._drain()):
            pass
        if len(events) > 1:
            base = events[0].time
            events.sort(key=lambda event: signed(event.time - base))
        return events

    def _select(self) -> int:
        """Ask for the raw events of all devices and return the extension's opcode."""
        key: Any = xcffib.xinput.key
        opcode = self._display.opcode(key)
        if opcode is None:
            raise NoInputError("the X display has no XInputExtension")
        requests, wanted = self._display.extension(key), xcffib.xinput.XIEventMask
        mask: int = (
            wanted.RawKeyPress
            | wanted.RawKeyRelease
            | wanted.RawButtonPress
            | wanted.RawButtonRelease
            | wanted.RawMotion
        )
        with self._display.asking():
            version = requests.XIQueryVersion(*_VERSION).reply()
            if (version.major_version, version.minor_version) < _RAW_UNDER_GRABS:
                raise NoInputError("the X display has too old an XInputExtension")
            row = struct.pack("=HHI", _ALL_MASTERS, 1, mask)
            requests.XISelectEventsChecked(self._display.root, 1, [row]).check()
        return opcode

    def _drain(self) -> list[_Raw | _Remap]:
        """Return all events that have arrived."""
        batch: list[_Raw | _Remap] = []
        poll, opcode, unpack = self._display.poll, self._opcode, _RAW.unpack_from
        while (row := poll()) is not None:
            kind = row[0] & 0x7F
            if kind == GENERIC_EVENT and row[1] == opcode:
                event, time, detail, source = unpack(row)
                if event in _CORE_KINDS:
                    batch.append(_Raw(_CORE_KINDS[event], time, detail, source))
            elif kind == MAPPING_NOTIFY:
                batch.append(_Remap(*_MAPPING.unpack_from(row)))
        return batch

    def _take(self, batch: list[_Raw | _Remap], events: list[Event]) -> bool:
        """Turn raw events into events, and return whether the display was asked anything."""
        arrival = server_ms()
        has_presses = any(isinstance(one, _Raw) and one.kind != _MOTION for one in batch)
        is_asked = has_presses or self._may_repeat(arrival)
        if is_asked:
            self._ask()
        remaps: list[_Remap] = []
        for at, one in enumerate(batch):  # grows while we ask for key maps
            if isinstance(one, _Remap):
                remaps.append(one)
                continue
            if remaps:
                self._remap(remaps, batch, at)
                remaps, is_asked = [], True
            if one.kind == _MOTION:
                self._motions += 1
                self._pending = one.time
            else:
                self._press(one, self._match(one, events, arrival), events, arrival)
        if remaps:
            self._remap(remaps, batch, len(batch))
            is_asked = True
        self._repeats(events, arrival)
        if self._pending is not None and self._is_due(arrival):
            if not is_asked:
                self._pointer, is_asked = self._display.pointer(), True
            self._move(self._pointer.x, self._pointer.y, events, arrival)
        return is_asked

    def _may_repeat(self, arrival: int) -> bool:
        """Return whether a key is down for so long that it may repeat."""
        return any(signed(arrival - since) >= REPEAT_MS for since in self._down.values())

    def _is_due(self, arrival: int) -> bool:
        """Return whether the pending motion is to be told now."""
        if self._moved is None or self._pending is None:
            return True
        since = self._moved[0]
        return signed(self._pending - since) >= MOTION_MS or signed(arrival - since) >= 2 * MOTION_MS

    def _move(self, x: int, y: int, events: list[Event], arrival: int) -> None:
        """Tell the pending motion."""
        if self._pending is None:
            return
        time, self._pending = self._pending, None
        if self._moved is None or self._moved[1:] != (x, y):
            events.append(
                Motion(time=time, late=_late(arrival, time), x=min(x, MAX_SIDE), y=min(y, MAX_SIDE))
            )
        self._moved = (time, x, y)

    def _press(self, raw: _Raw, told: Told, events: list[Event], arrival: int) -> None:
        """Tell a press or a release."""
        late, time = _late(arrival, raw.time), raw.time
        modifiers = told.state & _MASK
        if raw.kind in {KEY_PRESS, KEY_RELEASE}:
            self._keys += 1
            self._hold(raw)
            events.append(self._key(told, late))
            return
        self._buttons += 1
        self._move(told.x, told.y, events, arrival)
        self._moved = (time, told.x, told.y)
        if raw.detail in _WHEEL:
            if raw.kind == BUTTON_PRESS:
                _turn(Wheel(time=time, late=late, x=told.x, y=told.y, dx=0, dy=0), raw.detail, events)
            return
        kind = ButtonPress if raw.kind == BUTTON_PRESS else ButtonRelease
        events.append(
            kind(time=time, late=late, x=told.x, y=told.y, button=raw.detail & _MASK, modifiers=modifiers)
        )

    def _key(self, told: Told, late: int) -> Event:
        is_uncertain = told.detail in self._uncertain
        keysym = 0 if is_uncertain else self._keymap.keysym(told.detail, told.state)
        kind = KeyPress if told.kind == KEY_PRESS else KeyRelease
        keycode = told.detail & _MASK
        return kind(time=told.time, late=late, keycode=keycode, keysym=keysym, modifiers=told.state & _MASK)

    def _hold(self, raw: _Raw) -> None:
        """Note which keys are down; a release out of nowhere means that a press was lost."""
        place = (raw.source, raw.detail)
        if raw.kind == KEY_PRESS:
            self._down[place] = raw.time
        elif place in self._down:
            del self._down[place]
        elif raw.detail in self._before:
            self._before.discard(raw.detail)
        else:
            self.lost += 1

    def _keycodes_down(self) -> set[int]:
        return {code for _, code in self._down} | self._before

    def _ask(self) -> None:
        """Make a round trip, after which RECORD has told everything that raw events told before."""
        self._pointer = self._display.pointer()
        if self._record is not None:
            self._told.extend(self._record.read())

    def _match(self, raw: _Raw, events: list[Event], arrival: int) -> Told:
        """Return what RECORD tells of a raw event, or the same from what is known here."""
        if self.has_record and self._record is not None:
            if not self._is_told(raw) and not self._is_behind:
                self._record.wait(RECORD_WAIT_SECONDS)
                self._ask()
                self._is_behind = not self._is_told(raw)
            if self._is_told(raw):
                while (told := self._told.popleft())[:3] != (raw.kind, raw.detail, raw.time):
                    if self._is_repeat(told):
                        events.append(self._key(told, _late(arrival, told.time)))
                return told
        bits = self._pointer.state & (0x6000 | _LOCKS)
        for code in self._keycodes_down():
            if not self._keymap.is_lock(code):
                bits |= self._keymap.modifier_bits(code)
        return Told(raw.kind, raw.detail, raw.time, self._pointer.x, self._pointer.y, bits)

    def _is_told(self, raw: _Raw) -> bool:
        wanted = (raw.kind, raw.detail, raw.time)
        return any(told[:3] == wanted for told in self._told)

    def _repeats(self, events: list[Event], arrival: int) -> None:
        """Tell the repeats of keys that are held, and drop what belongs to nothing."""
        while self._told:
            if self._is_repeat(self._told[0]):
                told = self._told.popleft()
                events.append(self._key(told, _late(arrival, told.time)))
            elif signed(arrival - self._told[0].time) > _STALE_MS:
                self._told.popleft()
            else:
                return

    def _is_repeat(self, told: Told) -> bool:
        """Return whether RECORD tells of a press while the key was down, which raw events do not."""
        return told.kind == KEY_PRESS and any(
            code == told.detail and signed(told.time - since) > 0 for (_, code), since in self._down.items()
        )

    def _remap(self, remaps: list[_Remap], batch: list[_Raw | _Remap], at: int) -> None:
        """Read the changed keys anew, and find out which it is too late for: those that changed again since.

        A program may bind a key to a character, press it and bind it back before anybody can ask.
        """
        core = self._display.core
        changed: set[int] = set()
        with self._display.asking():
            for first, rows in {(one.first, one.rows) for one in remaps if one.request == _KEYBOARD}:
                changed |= self._keymap.update(first, *keysyms_of(core, first, rows))
            if any(one.request == _MODIFIER or one.rows >= _WHOLE_MAP for one in remaps):
                self._keymap.set_modifiers(read_modifiers(core))
        batch += self._drain()
        later = [one for one in batch[at:] if isinstance(one, _Remap) and one.request == _KEYBOARD]
        small = [one for one in later if one.rows < _WHOLE_MAP]
        doubtful = {code for one in small for code in range(one.first, one.first + one.rows)}
        if len(small) < len(later):
            doubtful |= changed
        self._uncertain = frozenset(doubtful)


def _late(arrival: int, time: int) -> int:
    return min(max(signed(arrival - time), 0), MAX_LATE)


def _turn(wheel: Wheel, button: int, events: list[Event]) -> None:
    """Add one notch, to the event before where that is a wheel turning the same way."""
    dx, dy = _WHEEL[button]
    last = events[-1] if events else None
    if isinstance(last, Wheel) and _same_way(last, dx, dy):
        events[-1] = msgspec.structs.replace(wheel, dx=last.dx + dx, dy=last.dy + dy)
    else:
        events.append(msgspec.structs.replace(wheel, dx=dx, dy=dy))


def _same_way(wheel: Wheel, dx: int, dy: int) -> bool:
    is_same = wheel.dx * dx > 0 or wheel.dy * dy > 0
    return is_same and max(abs(wheel.dx + dx), abs(wheel.dy + dy)) <= _MAX_STEPS
