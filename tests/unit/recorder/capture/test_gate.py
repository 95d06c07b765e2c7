"""The gate, rule by rule, and against a model that sees everything at once."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    TreeComplete,
    Window,
)
from understudy.formats.raw.rules import Progress
from understudy.recorder.capture.gate import HOLD_MS, MAX_HELD, Gate, Timed
from understudy.recorder.capture.observed import Focused, Security

TAB, ENTER, BACKSPACE, SHIFT = 0xFF09, 0xFF0D, 0xFF08, 0xFFE1
PLAIN, SECURE, UNKNOWN = Security.PLAIN, Security.SECURE, Security.UNKNOWN
TICK = 25


def press(time: int, keysym: int = 0x61, keycode: int = 38) -> KeyPress:
    return KeyPress(time=time % CLOCK, keycode=keycode, keysym=keysym)


def release(time: int, keysym: int = 0x61, keycode: int = 38) -> KeyRelease:
    return KeyRelease(time=time % CLOCK, keycode=keycode, keysym=keysym)


def focus(time: int, security: Security) -> Focused:
    return Focused(time=time % CLOCK, security=security)


def play(*items: Any, start: int = 0, gate: Gate | None = None) -> list[Timed]:
    """Return what comes out where each item is heard of in the turn after it happened."""
    gate = gate or Gate()
    left, now = sorted(items, key=lambda item: (item.time - start) % CLOCK), start - 60
    out: list[Timed] = []
    end = start + max((item.time - start) % CLOCK for item in items) + 400
    while now < end:
        now += TICK
        while left and (left[0].time - start) % CLOCK <= now - start:
            gate.push(left.pop(0))
        out += gate.release(now % CLOCK)
    return out


def names(out: list[Timed]) -> list[str]:
    return [type(item).__name__ for item in out]


def test_text_in_a_plain_field_passes_with_its_release() -> None:
    keys = [press(1_000), release(1_060)]
    assert play(focus(0, PLAIN), *keys) == keys


def test_nothing_passes_before_the_hold_is_over() -> None:
    gate = Gate()
    gate.push(focus(0, PLAIN))
    for now in range(0, 1_000, TICK):
        gate.release(now)
    gate.push(press(1_000))
    for now in range(1_000, 1_000 + HOLD_MS + 1, TICK):
        assert gate.release(now) == []
    assert gate.is_holding
    assert gate.release(1_000 + HOLD_MS + TICK) == []
    assert gate.release(1_000 + HOLD_MS + 2 * TICK) == [press(1_000)]
    assert not gate.is_holding


@pytest.mark.parametrize("later", [0, 1, 149, 150])
def test_text_shortly_before_the_focus_becomes_secure_is_dropped(later: int) -> None:
    assert play(focus(0, PLAIN), press(1_000), focus(1_000 + later, SECURE)) == []


def test_text_long_before_the_focus_becomes_secure_passes() -> None:
    assert play(focus(0, PLAIN), press(1_000), focus(1_300, SECURE)) == [press(1_000)]


@pytest.mark.parametrize("security", [SECURE, UNKNOWN])
def test_text_in_the_millisecond_in_which_the_focus_leaves_is_dropped(security: Security) -> None:
    out = play(focus(0, security), press(1_000), focus(1_000, PLAIN))
    assert press(1_000) not in out


def test_a_hop_into_a_secure_field_and_out_in_one_millisecond_is_noticed() -> None:
    items = [focus(0, PLAIN), press(1_000), focus(1_020, SECURE), focus(1_020, PLAIN), press(1_300)]
    assert play(*items) == [press(1_300)]


def test_a_secret_is_one_span_without_any_key() -> None:
    typed = [item for at in range(1_000, 1_400, 80) for item in (press(at), release(at + 40))]
    out = play(focus(500, SECURE), *typed, focus(2_000, PLAIN))
    assert out == [SecureBegin(time=1_000), SecureEnd(time=2_000)]


@pytest.mark.parametrize("count", [1, 2, 30])
def test_a_span_does_not_tell_how_much_was_entered(count: int) -> None:
    typed = [press(1_000 + 10 * number) for number in range(count)]
    out = play(focus(500, SECURE), *typed, press(1_600, ENTER, 36))
    assert out == [SecureBegin(time=1_000), SecureEnd(time=1_600), press(1_600, ENTER, 36)]


def test_a_secure_field_in_which_nothing_is_typed_leaves_no_span() -> None:
    out = play(focus(500, SECURE), press(800, TAB, 23), release(850, TAB, 23), focus(810, PLAIN))
    assert names(out) == ["KeyPress", "KeyRelease"]


def test_only_enter_escape_and_tab_pass_in_a_secure_field() -> None:
    named = [press(1_000, BACKSPACE, 22), press(1_010, SHIFT, 50), press(1_020, 0xFF51, 113)]
    leaving = [press(1_100, TAB, 23), press(1_200, ENTER, 36), press(1_300, 0xFF1B, 9)]
    assert play(focus(500, SECURE), *named, *leaving) == leaving


def test_the_release_of_tab_does_not_stand_inside_the_span_that_it_led_to() -> None:
    items = [press(1_000, TAB, 23), focus(1_005, SECURE), press(1_020), release(1_060, TAB, 23)]
    assert names(play(focus(0, PLAIN), *items)) == ["KeyPress", "SecureBegin"]


def test_a_short_secret_typed_before_the_field_was_known_still_leaves_a_span() -> None:
    items = [press(1_000, TAB, 23), press(1_003), release(1_006), focus(1_030, SECURE), focus(1_500, PLAIN)]
    assert names(play(focus(0, PLAIN), *items)) == ["KeyPress", "SecureBegin", "SecureEnd"]


def test_what_was_typed_before_the_focus_moved_is_no_secret_entered() -> None:
    items = [press(990), press(1_000, TAB, 23), focus(1_030, SECURE), focus(1_500, PLAIN)]
    assert names(play(focus(0, PLAIN), *items)) == ["KeyPress"]


def test_text_of_unknown_places_is_one_gap_without_a_count() -> None:
    typed = [item for at in range(1_000, 1_500, 50) for item in (press(at), release(at + 20))]
    assert play(focus(0, UNKNOWN), *typed) == [Lost(time=1_000, count=0)]


def test_keys_without_text_pass_where_the_focus_is_unknown() -> None:
    keys = [press(1_000, BACKSPACE, 22), press(1_010, SHIFT, 50), press(1_020, TAB, 23)]
    assert play(*keys) == keys


def test_the_symbol_of_no_key_counts_as_text() -> None:
    assert names(play(press(1_000, 0), press(1_010, 0xFFB5, 80), press(1_020, 0xFE51, 49))) == ["Lost"]


def test_another_window_makes_the_focus_unknown_until_it_is_told() -> None:
    window = Window(time=900, window=7, in_scope=True)
    out = play(focus(0, PLAIN), window, press(1_000), focus(1_100, PLAIN), press(1_300))
    assert out == [window, Lost(time=1_000), press(1_300)]


def test_the_same_window_told_again_changes_nothing() -> None:
    windows = [Window(time=time, window=7, in_scope=True) for time in (0, 1_010)]
    assert press(1_000) in play(windows[0], focus(5, PLAIN), press(1_000), windows[1])


def test_nothing_of_keyboard_and_pointer_passes_out_of_scope() -> None:
    out_of_scope = Window(time=900, window=7, in_scope=False)
    inputs = [
        press(1_000, ENTER, 36),
        press(1_001),
        ButtonPress(time=1_002, x=1, y=1, button=1),
        Motion(time=1_003, x=1, y=1),
    ]
    back = Window(time=1_050, window=8, in_scope=True)
    late = ButtonRelease(time=1_060, x=1, y=1, button=1)
    assert play(focus(0, PLAIN), out_of_scope, *inputs, back, late) == [out_of_scope, back]


def test_text_shortly_before_the_window_goes_out_of_scope_is_dropped() -> None:
    leaves = Window(time=1_100, window=7, in_scope=False)
    assert play(focus(0, PLAIN), press(1_000), leaves) == [leaves]


def test_pointer_and_snapshots_pass_in_order_whatever_the_focus_is() -> None:
    items = [Motion(time=900, x=1, y=2), TreeComplete(time=950, tree=0), Motion(time=1_000, x=3, y=4)]
    for security in Security:
        assert play(focus(0, security), *reversed(items)) == items


def test_the_release_follows_its_press_by_the_key_not_by_the_symbol() -> None:
    shifted = [press(1_000, 0x41), release(1_400, 0x61)]
    assert play(focus(0, PLAIN), *shifted) == shifted
    assert names(play(focus(0, UNKNOWN), *shifted, focus(1_200, PLAIN))) == ["Lost"]


def test_a_key_that_comes_too_late_is_dropped_and_noted() -> None:
    gate = Gate()
    gate.push(focus(0, PLAIN))
    for now in range(0, 1_000, TICK):
        gate.release(now)
    gate.push(press(100))
    gate.push(Motion(time=200, x=5, y=5))
    out = gate.release(1_000) + gate.release(1_100) + gate.release(1_200)
    assert names(out) == ["Lost", "Motion"]
    assert out[0].time <= out[1].time
    assert out[1].time > 200


def test_draining_drops_the_last_text_and_ends_the_span() -> None:
    gate = Gate()
    secret, plain = (focus(0, SECURE), press(500)), (focus(600, PLAIN), press(650))
    for item in secret:
        gate.push(item)
    assert names(gate.drain()) == ["SecureBegin", "SecureEnd"]
    for one in (*plain, Motion(time=660, x=1, y=1)):
        gate.push(one)
    assert names(gate.drain()) == ["Motion"]
    assert not gate.is_holding


def test_forgetting_drops_what_is_held_and_ends_the_span() -> None:
    gate = Gate()
    out = []
    for item in (focus(0, SECURE), press(500)):
        gate.push(item)
    for now in (700, 725, 750):
        out += gate.release(now)
    assert names(out) == ["SecureBegin"]
    gate.push(Motion(time=740, x=1, y=1))
    gate.forget()
    assert not gate.is_holding
    assert names(gate.release(900)) == ["SecureEnd"]
    assert names(play(press(1_000), start=950, gate=gate)) == ["Lost"], "the focus is not known any more"


def test_more_than_can_be_held_becomes_a_gap_that_counts_no_key() -> None:
    gate = Gate()
    gate.release(0)
    for number in range(MAX_HELD):
        gate.push(Motion(time=10, x=number % 100, y=1))
    for _ in range(3):
        gate.push(Motion(time=11, x=1, y=1))
    gate.push(press(12))
    out = gate.release(500) + gate.release(600)
    assert out[-1] == Lost(time=500 - HOLD_MS, count=3)
    assert len([item for item in out if isinstance(item, Motion)]) == MAX_HELD


def test_times_that_wrap_stay_in_order() -> None:
    start = CLOCK - 500
    keys = [press(start + 300), release(start + 340), press(start + 700), release(start + 740)]
    assert play(focus(start, PLAIN), *keys, start=start) == keys


ITEMS = st.one_of(
    st.builds(focus, st.integers(0, 1_500), st.sampled_from(Security)),
    st.builds(press, st.integers(0, 1_500), st.sampled_from([0x61, 0x62, TAB, ENTER, BACKSPACE])),
    st.builds(release, st.integers(0, 1_500), st.sampled_from([0x61, 0x62, TAB, ENTER, BACKSPACE])),
    st.builds(
        Window,
        time=st.integers(0, 1_500),
        window=st.integers(1, 2),
        in_scope=st.sampled_from([True, True, False]),
    ),
    st.builds(Motion, time=st.integers(0, 1_500), x=st.integers(0, 9), y=st.just(0)),
).map(lambda item: msgspec.structs.replace(item, time=item.time // 10 * 10))


def model(items: list[Any]) -> list[KeyPress]:
    """Return the presses of text that may pass, from everything at once."""
    keys = [item for item in items if isinstance(item, KeyPress) and item.keysym in {0x61, 0x62}]
    changes = sorted(
        (item for item in items if isinstance(item, Focused | Window)), key=lambda item: item.time
    )
    return [key for key in sorted(keys, key=lambda key: key.time) if _is_plain_for_long(changes, key.time)]


def _is_plain_for_long(changes: list[Any], time: int) -> bool:
    state, window, in_scope = UNKNOWN, None, True
    states = []
    for change in changes:
        if change.time >= time:
            states.append((state, in_scope))
        if change.time > time + HOLD_MS:
            break
        if isinstance(change, Focused):
            state = change.security
        elif (change.window, change.in_scope) != (window, in_scope):
            state, window, in_scope = UNKNOWN, change.window, change.in_scope
    else:
        states.append((state, in_scope))
    return all(one == (PLAIN, True) for one in states)


@given(st.lists(ITEMS, max_size=14))
def test_no_text_passes_that_the_model_forbids_and_the_rules_of_the_file_are_kept(items: list[Any]) -> None:
    out = play(*items, focus(0, UNKNOWN))
    allowed = model(items)
    texts = [item for item in out if isinstance(item, KeyPress) and item.keysym in {0x61, 0x62}]
    assert all(text in allowed for text in texts)
    rules = Progress()
    for item in out:
        rules.admit(item)  # type: ignore[arg-type]
    assert [item for item in out if isinstance(item, Lost) and item.count] == []


@given(st.lists(ITEMS.filter(lambda item: not isinstance(item, Focused | Window)), max_size=14))
def test_in_a_plain_field_everything_passes_in_order(items: list[Any]) -> None:
    out = play(*items, focus(0, PLAIN), start=-1_000 % CLOCK, gate=_plain_gate())
    assert [item for item in out if isinstance(item, KeyPress | Motion)] == sorted(
        (item for item in items if isinstance(item, KeyPress | Motion)), key=lambda item: item.time
    )


def _plain_gate() -> Gate:
    gate = Gate()
    gate.push(focus(-900 % CLOCK, PLAIN))
    return gate
