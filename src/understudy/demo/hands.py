"""A person's hands on a display: they move, click, drag, turn the wheel and type, by test input alone.

Rules

* Everything takes time as a person takes it (``paths``, ``rhythm``); ``speed`` divides all of it, for tests.
* Every press is released, also when something fails between.
* Each call returns when it began and ended on the display server's clock: the times of the truth log.
* All randomness is the given generator: the same seed, the same movements.

Example: ``Hands(display, keys, rng=random.Random(1)).click(Box(100, 100, 80, 20))``.
"""

import random
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from understudy.demo.display import (
    BUTTON_PRESS,
    BUTTON_RELEASE,
    KEY_PRESS,
    KEY_RELEASE,
    MOTION,
    Display,
)
from understudy.demo.keys import Keys
from understudy.demo.paths import Waypoint, path_to, pointer_path
from understudy.demo.rhythm import BACKSPACE, strokes
from understudy.formats.elements import Box
from understudy.formats.screen import Screen
from understudy.recorder.capture.observed import server_ms

LEFT: Final = 1
WHEEL_UP: Final = 4
WHEEL_DOWN: Final = 5
_REBOUND_MS: Final = 150.0
"""How long programs get to read a key map that was changed a moment ago."""
_SMALL_MOVE: Final = 12.0
_ASIDE: Final = 20


class Done(NamedTuple):
    """When an act began and ended on the server's clock, and the pixel where it happened, if one."""

    began: int
    ended: int
    x: int
    y: int


class Hands:
    """Two hands. ``released`` counts the buttons and keys that were let go so far.

    Args:
        display: where they act.
        keys: the display's keys.
        screen: its size.
        rng: the only source of randomness.
        speed: 1 is a person; 5 is five times as fast.
    """

    def __init__(
        self, display: Display, keys: Keys, *, screen: Screen, rng: random.Random, speed: float = 1.0
    ) -> None:
        self._display = display
        self._keys = keys
        self._bounds = (screen.width, screen.height)
        self._rng = rng
        self._speed = speed
        self._at = display.pointer()
        self.released = 0

    def pause(self, shortest_ms: float, longest_ms: float) -> None:
        """Wait, as a person who looks or thinks."""
        self._wait(self._rng.uniform(shortest_ms, longest_ms))

    def move(self, target: Box) -> Done:
        """Move the pointer into a box, if it is not there yet."""
        self._at = self._display.pointer()
        began = server_ms()
        if not target.contains(*self._at):
            self._follow(pointer_path(self._at, target, bounds=self._bounds, rng=self._rng))
        return self._done(began)

    def draw_aside(self, target: Box) -> bool:
        """Move the pointer out of a box, if it is there, to look at what is there; return whether it was.

        It goes a little to the right of the box, or to the left where there is no room.
        """
        self._at = self._display.pointer()
        if not target.contains(*self._at):
            return False
        x = target.x + target.width + _ASIDE
        if x + _ASIDE > self._bounds[0]:
            x = max(target.x - 2 * _ASIDE, 0)
        y = min(max(self._at[1] - _ASIDE // 2, 0), self._bounds[1] - _ASIDE)
        self.move(Box(x, y, _ASIDE, _ASIDE))
        return True

    def move_to(self, x: int, y: int) -> Done:
        """Move the pointer to a pixel."""
        self._at = self._display.pointer()
        began = server_ms()
        self._follow(path_to(self._at, (x, y), _SMALL_MOVE, bounds=self._bounds, rng=self._rng))
        return self._done(began)

    def click(self, target: Box, *, times: int = 1) -> Done:
        """Move into a box and click there; began is the first press, ended the last release."""
        self.pause(90, 260)
        self.move(target)
        self.pause(60, 160)
        began = server_ms()
        for number in range(times):
            if number:
                self._wait(self._rng.uniform(70, 120))
            with self._held_button(LEFT):
                self._wait(self._rng.uniform(50, 110))
        return self._done(began)

    def drag(self, start: Box, end: Box) -> Done:
        """Press in one box, move to another, release there."""
        self.pause(90, 260)
        self.move(start)
        self.pause(60, 160)
        began = server_ms()
        with self._held_button(LEFT):
            self._wait(self._rng.uniform(80, 140))
            self._follow(pointer_path(self._at, end, bounds=self._bounds, rng=self._rng))
            self._wait(self._rng.uniform(80, 140))
        return self._done(began)

    def hover(self, target: Box) -> Done:
        """Move into a box and rest there for about half a second."""
        self.pause(60, 160)
        self.move(target)
        began = server_ms()
        self.pause(450, 650)
        return self._done(began)

    def scroll(self, target: Box, notches: int) -> Done:
        """Turn the wheel over a box; positive is down."""
        self.pause(60, 160)
        self.move(target)
        self.pause(60, 160)
        began = server_ms()
        button = WHEEL_DOWN if notches > 0 else WHEEL_UP
        for _ in range(abs(notches)):
            self._display.fake(BUTTON_PRESS, button)
            self._display.fake(BUTTON_RELEASE, button)
            self._wait(self._rng.uniform(40, 110))
        return self._done(began)

    def write(self, text: str, *, slips: bool = True) -> Done:
        """Type a text where the focus is.

        Raises:
            HandsError: a character cannot be typed.
        """
        self.pause(120, 320)
        planned = strokes(text, rng=self._rng, slips=slips)
        began, due = 0, time.monotonic()
        for number, stroke in enumerate(planned):
            due += stroke.gap_ms / self._speed / 1_000 if number else 0.0
            _sleep_until(due)
            pressed = self._stroke(stroke.character, stroke.hold_ms)
            due = max(due, pressed - 0.05)  # after a stall the rhythm goes on; it does not catch up
            began = began or server_ms()
        return self._done(began or server_ms())

    def press(self, name: str, *, times: int = 1, modifiers: Iterable[str] = ()) -> Done:
        """Press a named key, or a character with modifiers such as ``control``."""
        self.pause(110, 280)
        began = server_ms()
        with self._held_keys([self._keys.named(modifier) for modifier in modifiers]):
            keycode = self._keys.named(name) if len(name) > 1 else self._keys.chord(name)[0].keycode
            for number in range(times):
                if number:
                    self._wait(self._rng.uniform(90, 190))
                with self._held_keys([keycode]):
                    self._wait(self._rng.uniform(45, 100))
        return self._done(began)

    def _stroke(self, character: str, hold_ms: float) -> float:
        """Press and release the key of a character, and return when, on the monotonic clock."""
        if character == BACKSPACE:
            chord, is_new = None, False
            codes = [self._keys.named("Backspace")]
        else:
            chord, is_new = self._keys.chord(character)
            codes = [chord.keycode]
        if is_new:
            time.sleep(_REBOUND_MS / 1_000)  # not divided: other programs do not hurry with us
        if chord is not None and chord.shift:
            codes.insert(0, self._keys.named("shift"))
        pressed = time.monotonic()
        with self._held_keys(codes):
            self._wait(hold_ms)
        return pressed

    def _follow(self, way: Iterable[Waypoint]) -> None:
        due = time.monotonic()
        waited = 0.0
        for point in way:
            waited += point.after_ms / self._speed
            if waited < 1.0 and self._speed > 1:
                continue  # a hurried hand gives fewer events, not a thousand at once
            due += waited / 1_000
            waited = 0.0
            _sleep_until(due)
            self._display.fake(MOTION, x=point.x, y=point.y)
            self._at = (point.x, point.y)
        if waited:
            self._display.fake(MOTION, x=point.x, y=point.y)
            self._at = (point.x, point.y)

    @contextmanager
    def _held_button(self, button: int) -> Iterator[None]:
        self._display.fake(BUTTON_PRESS, button)
        try:
            yield
        finally:
            self._display.fake(BUTTON_RELEASE, button)
            self.released += 1

    @contextmanager
    def _held_keys(self, keycodes: list[int]) -> Iterator[None]:
        held: list[int] = []
        try:
            for keycode in keycodes:
                if held:
                    self._wait(self._rng.uniform(12, 30))  # Shift goes down a moment before
                self._display.fake(KEY_PRESS, keycode)
                held.append(keycode)
            yield
        finally:
            for keycode in reversed(held):
                self._display.fake(KEY_RELEASE, keycode)
                self.released += 1

    def _wait(self, milliseconds: float) -> None:
        time.sleep(milliseconds / self._speed / 1_000)

    def _done(self, began: int) -> Done:
        return Done(began, server_ms(), *self._at)


def wait_until(condition: Callable[[], bool], *, seconds: float, step: float = 0.02) -> bool:
    """Return whether a condition came true within some seconds, asking every ``step``."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(step)
    return True


def _sleep_until(due: float) -> None:
    left = due - time.monotonic()
    if left > 0:
        time.sleep(left)
