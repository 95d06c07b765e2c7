"""Ten bytes an event: every pattern is one event or refused, and time survives the wrap of the clock."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.unit.formats.raw_forge import EVENTS
from tests.unit.formats.strategies import events
from understudy.formats.raw.errors import RawCode, RawError
from understudy.formats.raw.events import (
    CLOCK,
    EVENT_BYTES,
    ButtonPress,
    Event,
    Focus,
    KeyPress,
    Lost,
    Motion,
    SecureBegin,
    Wheel,
    Window,
    elapsed,
    pack,
    unpack,
)


def test_every_kind_of_event_comes_back() -> None:
    packed = pack(EVENTS, 5_010)
    assert len(packed) == len(EVENTS) * EVENT_BYTES
    assert unpack(packed, 5_010) == EVENTS


@given(drawn=events())
def test_any_events_come_back_one_by_one(drawn: tuple[Event, ...]) -> None:
    for event in drawn:
        assert unpack(pack((event,), event.time), event.time) == (event,)


@given(row=st.binary(min_size=EVENT_BYTES, max_size=EVENT_BYTES), base=st.integers(0, CLOCK - 1))
def test_a_pattern_is_one_event_or_refused(row: bytes, base: int) -> None:
    try:
        (event,) = unpack(row, base)
    except RawError:
        return
    assert pack((event,), base) == row


@pytest.mark.parametrize("kind", [0, 14, 255])
def test_a_kind_that_does_not_exist_is_refused(kind: int) -> None:
    with pytest.raises(RawError) as caught:
        unpack(bytes([kind]) + bytes(9), 0)
    assert caught.value.code is RawCode.UNKNOWN_EVENT


@pytest.mark.parametrize("kind", range(5, 14))
def test_a_field_that_a_kind_does_not_use_must_be_zero(kind: int) -> None:
    row = bytearray(pack((EVENTS[3],), 5_100))
    row[0], row[4:10] = kind, b"\xff" * 6
    if kind in {6, 7}:  # these use all of their fields
        assert len(unpack(bytes(row), 0)) == 1
    else:
        with pytest.raises(RawError):
            unpack(bytes(row), 0)


def test_the_clock_may_wrap_but_not_run_backwards() -> None:
    late, early = Motion(time=CLOCK - 5, x=0, y=0), Motion(time=7, x=0, y=0)
    assert unpack(pack((late, early), late.time), late.time) == (late, early)
    assert elapsed(CLOCK - 5, 7) == 12
    with pytest.raises(RawError) as caught:
        pack((early, late), early.time)
    assert caught.value.code is RawCode.TIME_ORDER


def test_an_event_long_after_its_base_is_refused() -> None:
    far = (Motion(time=0, x=0, y=0), Motion(time=1_001, x=0, y=0))
    with pytest.raises(RawError) as caught:
        unpack(pack(far, 0), 0)
    assert caught.value.code is RawCode.TIME_ORDER


@pytest.mark.parametrize(
    "event",
    [
        KeyPress(time=0, keycode=256, keysym=0),
        KeyPress(time=0, keycode=0, keysym=2**32),
        ButtonPress(time=0, x=0, y=0, button=-1),
        Motion(time=0, x=65_536, y=0),
        Motion(time=0, x=-1, y=0),
        Wheel(time=0, x=0, y=0, dx=128, dy=0),
        Focus(time=0, tree=0, element=65_536),
        Window(time=0, window=-1, in_scope=True),
        Lost(time=0, count=2**32),
        SecureBegin(time=0, late=-1),
    ],
    ids=["keycode", "keysym", "button", "right", "left", "wheel", "element", "window", "count", "late"],
)
def test_a_number_that_does_not_fit_is_refused(event: Event) -> None:
    with pytest.raises(RawError) as caught:
        pack((event,), 0)
    assert caught.value.code is RawCode.MALFORMED


def test_lateness_is_capped_not_refused() -> None:
    (event,) = unpack(pack((replace(EVENTS[3], late=9_999),), 5_100), 5_100)
    assert event.late == 255


def test_events_that_do_not_fill_the_content_are_refused() -> None:
    with pytest.raises(RawError) as caught:
        unpack(bytes(9), 0)
    assert caught.value.code is RawCode.MALFORMED
