"""Actions: every act says what it may say and nothing else, and merging keeps what happened."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import fields, replace

from tests.unit.formats.strategies import acts
from understudy.formats.recording.actions import (
    ACTS,
    MAX_TIMES,
    Action,
    ActionChunk,
    Click,
    DoubleClick,
    FillSecret,
    Key,
    Mark,
    Modifier,
    Scroll,
    Select,
    Type,
    act_of,
    is_allowed_key,
    merge,
    resulting_value,
)
from understudy.formats.spelling import read, spell
from understudy.sealing.errors import FormatError


def same(first: Action, second: Action) -> bool:
    return first.target == second.target


def typed(text: str | None, value: str | None, target: int = 1, marks: tuple[Mark, ...] = ()) -> Type:
    return Type(at_ms=0, before=0, target=target, text=text, value=value, marks=marks)


@given(action=acts(1_000, 3, st.none() | st.integers(0, 9)))
def test_every_action_reads_back_as_it_was(action: Action) -> None:
    chunk = ActionChunk(actions=(action,))
    assert read(ActionChunk, spell(chunk)) == chunk
    assert act_of(action) in ACTS


def test_no_act_has_a_field_for_timing_or_a_path() -> None:
    words = {field.name for kind in (Click, Type, Key, Scroll, FillSecret, Select) for field in fields(kind)}
    assert {"at_ms", "before", "target", "marks"} <= words
    assert not words & {"duration", "duration_ms", "times_ms", "path", "release", "pressed_at", "keys"}


@pytest.mark.parametrize("extra", [b'"value":"x"', b'"text":"x"', b'"length":8', b'"times":1'])
def test_a_secret_with_anything_about_its_content_cannot_be_read(extra: bytes) -> None:
    raw = spell(ActionChunk(actions=(FillSecret(at_ms=0, before=0, target=1),)))
    with pytest.raises(FormatError):
        read(ActionChunk, raw.replace(b'"target":1', b'"target":1,' + extra))


def test_an_act_that_does_not_exist_cannot_be_read() -> None:
    raw = spell(ActionChunk(actions=(FillSecret(at_ms=0, before=0, target=1),)))
    with pytest.raises(FormatError):
        read(ActionChunk, raw.replace(b"fill_secret", b"type_secret"))


@pytest.mark.parametrize(
    ("key", "modifiers", "allowed"),
    [
        ("Enter", (), True),
        ("F24", (), True),
        ("F25", (), False),
        ("Space", (), True),
        (" ", (Modifier.CONTROL,), False),
        ("a", (), False),
        ("a", (Modifier.SHIFT,), False),
        ("a", (Modifier.CONTROL,), True),
        ("A", (Modifier.CONTROL,), False),
        ("é", (Modifier.ALT,), True),
        ("ab", (Modifier.CONTROL,), False),
        ("\n", (Modifier.CONTROL,), False),
        ("", (Modifier.CONTROL,), False),
    ],
)
def test_only_control_keys_and_shortcuts_are_keys(
    key: str, modifiers: tuple[Modifier, ...], *, allowed: bool
) -> None:
    assert is_allowed_key(key, modifiers) == allowed


def test_typing_on_one_place_is_one_act_with_the_last_value() -> None:
    assert merge([typed("am", "am"), typed("ber", "amber")], same) == [typed("amber", "amber")]


def test_a_correction_keeps_the_value_and_does_not_make_up_a_text() -> None:
    assert merge([typed("ambr", "ambr"), typed("er", "amber")], same) == [typed(None, "amber")]
    assert merge([typed("a", None), typed("b", None)], same) == [typed("ab", None)]
    assert merge([typed("a", "a"), typed(None, "ab")], same) == [typed(None, "ab")]


def test_typing_on_two_places_stays_two_acts() -> None:
    steps: list[Action] = [typed("a", "a", 1), typed("b", "b", 2), typed("c", "ac", 1)]
    assert merge(steps, same) == steps


def test_a_key_pressed_again_counts_up_to_the_bound() -> None:
    down = Key(at_ms=0, before=0, target=1, key="ArrowDown", value="1")
    again = replace(down, value=None, times=2)
    assert merge([down, again], same) == [replace(down, times=3)], "an unchanged value stays"
    dropped = replace(again, marks=(Mark.DROPPED,))
    assert merge([down, dropped], same) == [replace(down, times=3, value=None, marks=(Mark.DROPPED,))]
    full = replace(down, times=MAX_TIMES)
    assert merge([full, down], same) == [full, down]


def test_scrolling_sums_and_never_becomes_nothing() -> None:
    down, up = Scroll(at_ms=0, before=0, dy=3), Scroll(at_ms=0, before=1, dy=-3)
    assert merge([down, replace(down, dx=1)], same) == [replace(down, dx=1, dy=6)]
    assert merge([down, up], same) == [down, up]


def test_a_secret_entered_in_pieces_was_entered_once() -> None:
    secret = FillSecret(at_ms=0, before=0, target=2)
    assert merge([secret, replace(secret, at_ms=1_000)], same) == [secret]


def test_clicks_are_never_merged() -> None:
    click = Click(at_ms=0, before=0, target=1)
    steps: list[Action] = [click, click, DoubleClick(at_ms=0, before=0, target=1)]
    assert merge(steps, same) == steps


def test_marks_of_merged_acts_are_united() -> None:
    first = typed("a", "a", marks=(Mark.SURROGATE,))
    second = typed("b", "ab", marks=(Mark.CLASSES,))
    assert merge([first, second], same) == [typed("ab", "ab", marks=(Mark.CLASSES, Mark.SURROGATE))]


def test_the_resulting_value_is_the_acts_own() -> None:
    assert resulting_value(typed("a", "ab")) == "ab"
    assert resulting_value(Scroll(at_ms=0, before=0, dy=1)) is None
    assert resulting_value(FillSecret(at_ms=0, before=0, target=1)) is None


@given(steps=st.lists(acts(0, 0, st.integers(0, 2)), max_size=8))
def test_merging_keeps_order_and_adds_nothing(steps: list[Action]) -> None:
    merged = merge(steps, same)
    assert len(merged) <= len(steps)
    assert merge(steps, lambda *_: False) == steps
    kinds = [act_of(step) for step in steps]
    rest = iter(kinds)
    assert all(act_of(step) in rest for step in merged), "a subsequence of the acts, in order"
