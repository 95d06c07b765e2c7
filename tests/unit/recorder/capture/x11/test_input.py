"""The input of a real display, driven by XTEST."""

import itertools
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from understudy.demo.desktop import Desktop
from understudy.demo.display import Display as Hands
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
from understudy.recorder.capture.observed import server_ms
from understudy.recorder.capture.x11.display import Display, signed
from understudy.recorder.capture.x11.errors import ClockError, DisplayGoneError, NoDisplayError
from understudy.recorder.capture.x11.input import MOTION_MS, X11Input

DOWN, UP, PRESS, RELEASE, MOVE = 2, 3, 4, 5, 6
KEY_A, KEY_B, SHIFT, SPARE, KEYPAD_1 = 38, 56, 50, 250, 87
SECONDS = 5.0


@pytest.fixture(params=[True, False], ids=["record", "no-record"])
def source(request: pytest.FixtureRequest, desktop: Desktop, hands: Hands) -> Iterator[X11Input]:
    """The input, with what RECORD adds and without."""
    hands.fake(DOWN, 37)
    hands.fake(UP, 37)  # makes the test keyboard the current one, whose key map then holds
    with X11Input(desktop.display, with_record=request.param) as made:
        assert made.has_record == request.param
        made.read()
        yield made


def read(source: X11Input, enough: Callable[[list[Event]], bool]) -> list[Event]:
    """Read until it is enough."""
    events: list[Event] = []
    until = time.monotonic() + SECONDS
    while not enough(events):
        assert time.monotonic() < until, f"only {events}"
        events += source.read()
        time.sleep(0.002)
    return events


def some(kind: type[Any], count: int) -> Callable[[list[Event]], bool]:
    return lambda events: sum(isinstance(event, kind) for event in events) >= count


def test_a_key_comes_with_its_symbol_and_the_time_of_the_server(source: X11Input, hands: Hands) -> None:
    before = server_ms()
    hands.fake(DOWN, KEY_A)
    hands.fake(UP, KEY_A)
    after = server_ms()
    down, up = read(source, some(KeyRelease, 1))
    assert isinstance(down, KeyPress)
    assert (down.keycode, down.keysym, down.modifiers) == (KEY_A, 0x61, 0)
    assert isinstance(up, KeyRelease)
    for event in (down, up):
        assert -10 <= signed(event.time - before) <= signed(after - before) + 10
        assert event.late < 200


def test_shift_makes_capitals_and_is_held_while_it_is_down(source: X11Input, hands: Hands) -> None:
    for kind, keycode in ((DOWN, SHIFT), (DOWN, KEY_A)):
        hands.fake(kind, keycode)
    shift, capital = read(source, some(KeyPress, 2))
    assert isinstance(shift, KeyPress)
    assert isinstance(capital, KeyPress)
    assert (shift.modifiers, capital.keysym, capital.modifiers) == (0, 0x41, 1)
    assert source.held == {Modifier.SHIFT}
    for keycode in (KEY_A, SHIFT):
        hands.fake(UP, keycode)
    read(source, some(KeyRelease, 2))
    assert source.held == frozenset()


def test_num_lock_turns_the_keypad(source: X11Input, hands: Hands) -> None:
    events = []
    for keycode in (KEYPAD_1, 77, KEYPAD_1, 77):
        hands.fake(DOWN, keycode)
        hands.fake(UP, keycode)
        events += read(source, some(KeyRelease, 1))
    pressed = [event.keysym for event in events if isinstance(event, KeyPress) and event.keycode == KEYPAD_1]
    assert pressed == [0xFF9C, 0xFFB1]


@pytest.mark.parametrize("symbol", [0x01000416, 0x0101F600, 0xDF, 0x20AC])
def test_a_character_that_is_bound_just_before_its_key_is_the_right_one(
    source: X11Input, hands: Hands, symbol: int
) -> None:
    hands.bind(SPARE, symbol)
    hands.fake(DOWN, SPARE)
    hands.fake(UP, SPARE)
    events = read(source, some(KeyRelease, 1))
    assert [event.keysym for event in events if isinstance(event, KeyPress)] == [symbol]


def test_a_key_that_changed_again_before_it_could_be_asked_has_no_symbol(
    source: X11Input, hands: Hands
) -> None:
    for symbol in (0x01000416, 0x01000417, 0x01000418):
        hands.bind(SPARE, symbol)
        hands.fake(DOWN, SPARE)
        hands.fake(UP, SPARE)
    events = read(source, some(KeyRelease, 3))
    symbols = [event.keysym for event in events if isinstance(event, KeyPress)]
    assert symbols[-1] == 0x01000418
    assert set(symbols[:-1]) <= {0}, "no symbol, rather than that of another character"


def test_a_press_is_where_it_was_even_if_the_pointer_has_gone_on(desktop: Desktop, hands: Hands) -> None:
    with X11Input(desktop.display) as source:
        for x in (100, 300, 500):
            hands.fake(MOVE, x=x, y=x)
            hands.fake(PRESS, 1)
            hands.fake(MOVE, x=x + 90, y=x)
            hands.fake(RELEASE, 1)
        hands.fake(MOVE, x=5, y=5)
        events = read(source, some(ButtonRelease, 3))
    pressed = [(event.x, event.y) for event in events if isinstance(event, ButtonPress)]
    released = [(event.x, event.y) for event in events if isinstance(event, ButtonRelease)]
    assert pressed == [(100, 100), (300, 300), (500, 500)]
    assert released == [(190, 100), (390, 300), (590, 500)]


def test_the_last_motion_before_a_press_is_at_its_place(source: X11Input, hands: Hands) -> None:
    for x in range(200, 260, 10):
        hands.fake(MOVE, x=x, y=77)
    hands.fake(PRESS, 1)
    hands.fake(RELEASE, 1)
    events = read(source, some(ButtonRelease, 1))
    place = next(index for index, event in enumerate(events) if isinstance(event, ButtonPress))
    last = events[place - 1]
    assert isinstance(last, Motion)
    assert (last.x, last.y) == (250, 77)


def test_motion_is_thinned_but_its_end_is_told(source: X11Input, hands: Hands) -> None:
    events: list[Event] = []
    began = server_ms()
    for x in range(300, 500):
        hands.fake(MOVE, x=x, y=300)
        events += source.read()
    took = signed(server_ms() - began)
    if not any(isinstance(event, Motion) and event.x == 499 for event in events):
        read(source, lambda more: any(isinstance(event, Motion) and event.x == 499 for event in more))
    assert len(events) <= 2 * took / MOTION_MS + 5
    assert source.seen.motions == 200


def test_turns_of_the_wheel_are_summed_by_direction(source: X11Input, hands: Hands) -> None:
    hands.fake(MOVE, x=400, y=400)
    for button in (5, 5, 5, 4, 7, 6):
        hands.fake(PRESS, button)
        hands.fake(RELEASE, button)
    time.sleep(0.02)
    wheels = [event for event in read(source, some(Wheel, 4)) if isinstance(event, Wheel)]
    assert [(wheel.dx, wheel.dy) for wheel in wheels] == [(0, 3), (0, -1), (1, 0), (-1, 0)]
    assert (wheels[0].x, wheels[0].y) == (400, 400)


def test_a_key_that_is_held_repeats(desktop: Desktop, hands: Hands) -> None:
    with X11Input(desktop.display) as source:
        hands.fake(DOWN, KEY_B)
        events = read(source, some(KeyPress, 4))
        hands.fake(UP, KEY_B)
        events += read(source, some(KeyRelease, 1))
    presses = [event for event in events if isinstance(event, KeyPress)]
    assert {event.keysym for event in presses} == {0x62}
    assert isinstance(events[-1], KeyRelease)
    gaps = [signed(second.time - first.time) for first, second in itertools.pairwise(presses[1:])]
    assert all(10 <= gap <= 200 for gap in gaps)


def test_nothing_is_lost_and_the_order_is_kept_in_a_burst(source: X11Input, hands: Hands) -> None:
    for number in range(500):
        hands.fake(MOVE, x=number, y=10)
        hands.fake(DOWN, (KEY_A, KEY_B)[number % 2])
        hands.fake(UP, (KEY_A, KEY_B)[number % 2])
    events = read(source, some(KeyRelease, 500))
    keys = [event.keysym for event in events if isinstance(event, KeyPress)]
    assert keys == [0x61, 0x62] * 250
    assert source.seen.keys == 1_000
    assert source.seen.motions == 500
    assert source.lost == 0
    times = [event.time for event in events]
    assert all(signed(second - first) >= 0 for first, second in itertools.pairwise(times))


def test_a_release_out_of_nowhere_is_counted_as_a_loss(source: X11Input, hands: Hands) -> None:
    hands.fake(UP, KEY_A)
    read(source, some(KeyRelease, 1))
    assert source.lost == 1


def test_a_key_that_was_down_at_the_start_is_held(desktop: Desktop, hands: Hands) -> None:
    hands.fake(DOWN, SHIFT)
    with X11Input(desktop.display) as source:
        assert source.held == {Modifier.SHIFT}
        hands.fake(UP, SHIFT)
        read(source, some(KeyRelease, 1))
        assert (source.held, source.lost) == (frozenset(), 0)


def test_the_descriptor_becomes_readable_and_nothing_is_left_behind(source: X11Input, hands: Hands) -> None:
    os.set_blocking(source.fileno(), False)
    hands.fake(DOWN, KEY_A)
    hands.fake(UP, KEY_A)
    read(source, some(KeyRelease, 1))
    assert source.read() == []


def test_a_display_without_record_can_be_read() -> None:
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-nolisten", "tcp", "-noreset", "-extension", "RECORD"]
    with subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL) as server:
        try:
            with X11Input(f":{os.read(reading, 16).decode().strip()}") as source:
                assert not source.has_record
                assert source.read() == []  # that server leaves out XTEST too, so nobody can type here
        finally:
            server.terminate()
            for end in (reading, writing):
                os.close(end)


def test_no_display_says_what_to_do() -> None:
    with pytest.raises(NoDisplayError) as raised:
        X11Input(":987")
    assert raised.value.hint


def test_a_display_that_ends_is_told_from_one_that_is_silent(private_desktop: Desktop) -> None:
    source = X11Input(private_desktop.display)
    os.kill(private_desktop.pids["Xvfb"], signal.SIGKILL)
    with pytest.raises(DisplayGoneError):
        read(source, some(KeyPress, 1))
    source.close()
    source.close()


def test_a_display_with_another_clock_is_refused(desktop: Desktop, monkeypatch: pytest.MonkeyPatch) -> None:
    ahead = "understudy.recorder.capture.x11.display.server_ms"
    monkeypatch.setattr(ahead, lambda: server_ms() + 10_000)
    with pytest.raises(ClockError):
        X11Input(desktop.display)


def test_the_clock_of_a_local_display_is_ours(desktop: Desktop) -> None:
    with Display(desktop.display) as display:
        assert abs(display.clock_offset()) <= 20
