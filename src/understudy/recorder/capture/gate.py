"""The gate: holds back what happened until it is known to be no secret, then releases it in order of time.

Rules

* A key that carries text passes only if the focus was known to be plain from the key's time until ``hold_ms``
  after it. The interval is closed: a change in the same millisecond counts on both sides.
* In a secure field every key is dropped, except Enter, Escape and Tab, which end a span. A span begins with
  the first key of text that is dropped there: it says that something was entered, and neither what nor how
  much.
* While the focus is not known, text is dropped and noted as one gap without a count. Keys without text pass.
* Another active window makes the focus unknown until somebody tells it again. In a window out of scope
  nothing of keyboard and pointer passes.
* A release shares the fate of its press.
* A change is stamped when this process hears of it, which may be long after. What a call of ``release`` lets
  go was old enough at the call before: in between every source has been read, so that whatever had been said
  by then was heard. And a change counts from the last moment by which it would have been heard.
* So ``release`` is called once every 20 to 50 ms while the gate ``is_holding``, after a turn in which every
  source was read. Standing still costs time then, and leaks nothing.
* What comes too late for its place is put at the first place that is left; a key is dropped instead.

Pure: no clock, no thread, no I/O. Times are the server's, modulo 2**32.

Example

>>> gate = Gate()
>>> for item in (Focused(time=0, security=Security.PLAIN), KeyPress(time=500, keycode=38, keysym=0x61)):
...     gate.push(item)
>>> [[type(item).__name__ for item in gate.release(now)] for now in (600, 651, 691)]
[[], [], ['KeyPress']]
"""

import heapq
import itertools
import math
from bisect import insort
from enum import Enum
from typing import Any, Final, NamedTuple, Protocol

import msgspec

from understudy.formats.raw.events import (
    CLOCK,
    ButtonPress,
    ButtonRelease,
    KeyPress,
    KeyRelease,
    Lost,
    Motion,
    SecureBegin,
    SecureEnd,
    Wheel,
    Window,
)
from understudy.recorder.capture.keysyms import KeyKind, kind_of
from understudy.recorder.capture.observed import Focused, Security

HOLD_MS: Final = 150
TURN_MS: Final = 5
"""Calls of ``release`` closer than that belong to one turn of the loop."""
MAX_HELD: Final = 65_536
"""Items held at once; more than ten times what a burst brings in the time of the hold."""
_KEYS: Final = (KeyPress, KeyRelease)
_POINTER: Final = (ButtonPress, ButtonRelease, Motion, Wheel)
_CHANGES: Final = (Focused, Window)


class Timed(Protocol):
    """Anything that happened at a time of the display server."""

    @property
    def time(self) -> int:
        """Milliseconds, modulo 2**32."""
        ...


class _Verdict(Enum):
    PASS = "pass"  # noqa: S105 - no password, although it is about them
    DROP = "drop"
    SECRET = "secret"  # noqa: S105 - the same
    UNKNOWN = "unknown"


class _Press(NamedTuple):
    """What became of the press of a key that is down."""

    passed: bool
    kind: KeyKind


class _Held(NamedTuple):
    """One item and its place: keys before changes of the same millisecond, else as they came."""

    at: int
    rank: int
    number: int
    item: Any
    since: float


class Gate:
    """Holds items back and releases them in order.

    Args:
        hold_ms: how long everything is held.
    """

    def __init__(self, hold_ms: int = HOLD_MS) -> None:
        self._hold = hold_ms
        self._held: list[_Held] = []
        self._changes: list[_Held] = []
        self._numbers = itertools.count()
        self._clock: int | None = None
        self._call: int | None = None
        self._call_before: int | None = None
        self._done: int | None = None
        self._focus = Security.UNKNOWN
        self._window: int | None = None
        self._in_scope = True
        self._presses: dict[int, _Press] = {}
        self._buttons: set[int] = set()
        self._is_span_open = False
        self._is_gap_told = False
        self._early_at: int | None = None
        self._moved_at: int | None = None
        self._over = 0
        self._over_at: int | None = None
        self._out: list[Timed] = []

    @property
    def is_holding(self) -> bool:
        """Whether anything is held, so that ``release`` has to be called again."""
        return bool(self._held)

    def push(self, item: Timed) -> None:
        """Take an item that has just become known. A little out of order is fine."""
        at = self._unwrapped(item.time)
        is_input = isinstance(item, _KEYS + _POINTER)
        if is_input and len(self._held) >= MAX_HELD:
            self._over += isinstance(item, _POINTER)
            self._over_at = at if self._over_at is None else self._over_at
            return
        if self._done is not None and at < self._done:
            if isinstance(item, _KEYS):
                self._drop_late(item)
                return
            at = self._done
            item = msgspec.structs.replace(item, time=at % CLOCK)  # type: ignore[type-var]
        is_change = isinstance(item, _CHANGES)
        held = _Held(at, int(is_change), next(self._numbers), item, self._heard_from)
        heapq.heappush(self._held, held)
        if is_change:
            insort(self._changes, held, key=_place)

    def release(self, now_ms: int) -> list[Timed]:
        """Return the items that are older than the hold, in order of time.

        Args:
            now_ms: now. Every source has been read since the call before.
        """
        now = self._unwrapped(now_ms)
        self._clock = now
        if self._call is None or now - self._call >= TURN_MS:
            self._call_before, self._call = self._call, now
        if self._call_before is None:
            return []
        horizon = self._call_before - self._hold
        while self._held and self._held[0].at < horizon:
            self._let(heapq.heappop(self._held), is_over=True)
        self._done = horizon if self._done is None else max(self._done, horizon)
        return self._take()

    def drain(self) -> list[Timed]:
        """Return everything that is held, in order, and close an open span: there will be no more.

        Text is dropped: its time of waiting is not over.
        """
        while self._held:
            held = heapq.heappop(self._held)
            self._let(held, is_over=False)
            self._done = held.at if self._done is None else max(self._done, held.at)
        if self._done is not None:
            self._close(self._done)
        return self._take()

    def forget(self) -> None:
        """Drop everything that is held, and all that is known of the focus. An open span ends next time."""
        self._held.clear()
        self._changes.clear()
        self._presses.clear()
        self._buttons.clear()
        self._focus = Security.UNKNOWN
        self._over, self._over_at = 0, None
        if self._done is not None:
            self._close(self._done)

    def _unwrapped(self, time: int) -> int:
        """Return a time that does not wrap, the nearest to the last one known."""
        if self._clock is None:
            self._clock = time
        return self._clock + (time - self._clock + CLOCK // 2) % CLOCK - CLOCK // 2

    @property
    def _heard_from(self) -> float:
        """Up to when all that happened is known; what is heard of now may have happened since."""
        return -math.inf if self._call_before is None else self._call_before

    def _drop_late(self, key: KeyPress | KeyRelease) -> None:
        """Drop a key whose place is gone, with the release that will follow."""
        if isinstance(key, KeyPress):
            self._presses[key.keycode] = _Press(passed=False, kind=kind_of(key.keysym))
        if self._focus is not Security.SECURE and self._done is not None:
            self._tell_gap(self._done)

    def _let(self, held: _Held, *, is_over: bool) -> None:
        """Decide about one item, the oldest."""
        at, item = held.at, held.item
        match item:
            case KeyPress():
                self._press(at, item, is_over=is_over)
            case KeyRelease():
                self._release_key(at, item)
            case Focused() | Window():
                self._change(held)
            case ButtonPress():
                self._moved_at = at
                if self._in_scope:
                    self._buttons.add(item.button)
                    self._out.append(item)
            case ButtonRelease():
                if item.button in self._buttons:
                    self._buttons.remove(item.button)
                    self._out.append(item)
            case Motion() | Wheel():
                if self._in_scope:
                    self._out.append(item)
            case _:
                self._out.append(item)

    def _press(self, at: int, key: KeyPress, *, is_over: bool) -> None:
        kind = kind_of(key.keysym)
        if kind is KeyKind.TEXT:
            verdict = self._verdict_of_text(at, is_over=is_over)
        elif not self._in_scope or (kind is not KeyKind.LEAVING and self._is_secure(at)):
            verdict = _Verdict.DROP
        else:
            verdict = _Verdict.PASS
        before = self._presses.get(key.keycode)  # a repeat, while the key is down
        passed = verdict is _Verdict.PASS and (before is None or before.passed)
        self._presses[key.keycode] = _Press(passed=passed, kind=kind)
        if kind is KeyKind.LEAVING:
            self._moved_at = at
            self._close(at)
        if kind is KeyKind.TEXT and verdict is not _Verdict.PASS:
            self._early_at = at
        if verdict is _Verdict.PASS:
            self._is_gap_told = self._is_gap_told and kind is not KeyKind.TEXT
            self._out.append(key)
        elif verdict is _Verdict.SECRET:
            self._open(at)
        elif verdict is _Verdict.UNKNOWN:
            self._tell_gap(at)

    def _verdict_of_text(self, at: int, *, is_over: bool) -> _Verdict:
        if not self._in_scope:
            return _Verdict.DROP
        if self._focus is Security.SECURE:
            return _Verdict.SECRET
        if self._focus is Security.UNKNOWN:
            return _Verdict.UNKNOWN
        return _Verdict.PASS if is_over and not self._is_moving(at) else _Verdict.DROP

    def _is_moving(self, at: int) -> bool:
        """Return whether the focus stops being known to be plain before the hold is over."""
        until = at + self._hold
        return any(change.since <= until and self._unsettles(change.item) for change in self._changes)

    def _unsettles(self, change: Focused | Window) -> bool:
        if isinstance(change, Focused):
            return change.security is not Security.PLAIN
        return change.window != self._window or not change.in_scope

    def _is_secure(self, at: int) -> bool:
        """Return whether the focus is, or in this very millisecond becomes, secure."""
        return self._focus is Security.SECURE or any(
            isinstance(change.item, Focused) and change.item.security is Security.SECURE
            for change in self._changes
            if change.at == at
        )

    def _release_key(self, at: int, key: KeyRelease) -> None:
        kind = kind_of(key.keysym)
        press = self._presses.pop(key.keycode, None) or _Press(passed=kind is not KeyKind.TEXT, kind=kind)
        is_other_text = kind is KeyKind.TEXT and press.kind is not KeyKind.TEXT
        if not press.passed or is_other_text or not self._in_scope or self._is_span_open:
            return
        if press.kind is KeyKind.LEAVING or not self._is_secure(at):
            self._out.append(key)

    def _change(self, held: _Held) -> None:
        """Take what became known of the focus or of the window."""
        at, change = held.at, held.item
        self._changes.remove(held)
        if isinstance(change, Focused):
            self._close(at)
            self._focus = change.security
            if change.security is Security.SECURE and self._was_entered_early(at):
                self._open(at)
            return
        if change.window != self._window or change.in_scope != self._in_scope:
            self._close(at)
            self._focus = Security.UNKNOWN
            self._window, self._in_scope = change.window, change.in_scope
        self._out.append(change)

    def _was_entered_early(self, at: int) -> bool:
        """Return whether text was dropped after the act that moved the focus, before that became known."""
        if self._early_at is None or self._moved_at is None:
            return False
        return at - self._hold <= self._moved_at <= self._early_at

    def _open(self, at: int) -> None:
        if not self._is_span_open:
            self._is_span_open = True
            self._is_gap_told = False
            self._out.append(SecureBegin(time=at % CLOCK))

    def _close(self, at: int) -> None:
        if self._is_span_open:
            self._is_span_open = False
            self._out.append(SecureEnd(time=at % CLOCK))

    def _tell_gap(self, at: int) -> None:
        """Note once that text was dropped here; how much is nobody's business."""
        if not self._is_gap_told:
            self._is_gap_told = True
            self._out.append(Lost(time=at % CLOCK))

    def _take(self) -> list[Timed]:
        out, self._out = self._out, []
        if self._over_at is not None and self._done is not None and self._over_at < self._done:
            out.append(Lost(time=self._done % CLOCK, count=self._over))
            self._over, self._over_at = 0, None
        return out


def _place(held: _Held) -> tuple[int, int, int]:
    return held[:3]
