"""Every character has a key: its own, or a spare one that nobody else uses."""

import string
from collections.abc import Iterator

import pytest

from understudy.demo.desktop import Desktop
from understudy.demo.display import Display, KeyMap
from understudy.demo.errors import HandsError
from understudy.demo.keys import MODIFIERS, NAMED, Keys, spare_keycodes, symbol_of


@pytest.fixture
def untouched(private_desktop: Desktop) -> Iterator[Display]:
    """Yield a display whose key map nobody has changed."""
    with Display(private_desktop.display) as opened:
        yield opened


TYPED = string.ascii_letters + string.digits + string.punctuation + " "


def test_all_of_ascii_is_on_the_keyboard(display: Display) -> None:
    keys = Keys(display)
    assert keys.prepare(TYPED) == 0
    chords = {keys.chord(character)[0] for character in TYPED}
    assert len(chords) == len(TYPED)
    assert keys.chord("A")[0].shift
    assert not keys.chord("a")[0].shift
    assert keys.chord("A")[0].keycode == keys.chord("a")[0].keycode


def test_named_keys_and_modifiers_are_there(display: Display) -> None:
    keys = Keys(display)
    assert len({keys.named(name) for name in (*NAMED, *MODIFIERS)}) == len(NAMED) + len(MODIFIERS)
    with pytest.raises(HandsError):
        keys.named("Hyper")


def test_prepared_characters_are_bound_before_they_are_needed(untouched: Display) -> None:
    keys = Keys(untouched)
    text = "длинный текст Ελλάδα"
    assert keys.prepare(text) == len(set(text) - {" "})
    for character in text:
        chord, is_new = keys.chord(character)
        assert not is_new
        row = untouched.key_map().rows[chord.keycode - untouched.key_map().first]
        assert character == " " or set(row[:2]) == {symbol_of(character)}


def test_binding_leaves_every_other_key_as_it_was(untouched: Display) -> None:
    before = untouched.key_map()
    spare = set(spare_keycodes(before, untouched.modifier_keycodes()))
    keys = Keys(untouched)
    keys.prepare(chr(0x4E00 + number) for number in range(500))
    assert keys.room == 0
    after = untouched.key_map()
    changed = {
        keycode
        for keycode, (old, new) in enumerate(zip(before.rows, after.rows, strict=True), before.first)
        if old[:2] != new[:2]
    }
    assert changed
    assert changed <= spare
    assert all(not keys.chord(character)[1] for character in TYPED)


def test_with_no_room_left_the_oldest_binding_gives_way(untouched: Display) -> None:
    keys = Keys(untouched)
    many = [chr(0x5000 + number) for number in range(keys.room)]
    keys.prepare(many)
    keys.chord(many[0])  # used last, so it is not the oldest
    chord, is_new = keys.chord("Ю")
    assert is_new
    assert keys.chord("Ю") == (chord, False)
    assert not keys.chord(many[0])[1]
    assert keys.chord(many[1])[1]


def test_keycodes_that_act_on_a_browser_are_not_spare() -> None:
    back, volume, letter = 0x1008_FF26, 0x1008_FF13, 0x61
    held = KeyMap(first=8, rows=((0, 0), (back, 0), (volume, 0), (letter, 0x41), (0, 0)))
    assert spare_keycodes(held, frozenset({12})) == [8, 10]


def test_control_characters_cannot_be_typed() -> None:
    assert symbol_of("\n") == NAMED["Enter"]
    for character in ("\x00", "\x1b", "\x7f", "\x9f"):
        with pytest.raises(HandsError):
            symbol_of(character)


def test_there_is_no_such_display() -> None:
    with pytest.raises(HandsError):
        Display(":987654")
