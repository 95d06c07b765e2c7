"""Symbols of keys, from maps as a server tells them."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.formats.recording.actions import Modifier
from understudy.recorder.capture.x11.keymap import LOCK, SHIFT, Keymap, character_of, is_case_pair

GROUP2, GROUP3 = 1 << 13, 2 << 13
NUM_LOCK, ALT_GR = 1 << 4, 1 << 7
WIDTH = 8
ROWS = {
    24: (0x71, 0x51, 0x6CA, 0x6EA, 0x40, 0x7D9, 0, 0),  # q Q, Cyrillic, at Omega
    10: (0x31, 0x21, 0x31, 0x21, 0xB9, 0xA1, 0, 0),  # 1 !
    34: (0xFC, 0xDC, 0, 0, 0, 0, 0, 0),  # ü Ü
    40: (0x61, 0, 0, 0, 0, 0, 0, 0),  # a alone
    87: (0xFF9C, 0xFFB1, 0, 0, 0, 0, 0, 0),  # keypad
    36: (0xFF0D, 0, 0, 0, 0, 0, 0, 0),
    50: (0xFFE1, 0, 0, 0, 0, 0, 0, 0),
    64: (0xFFE9, 0xFFE7, 0, 0, 0, 0, 0, 0),
    66: (0xFFE5, 0, 0, 0, 0, 0, 0, 0),
    77: (0xFF7F, 0, 0, 0, 0, 0, 0, 0),
    92: (0xFE03, 0, 0, 0, 0, 0, 0, 0),
}
MODIFIERS = {50: SHIFT, 66: LOCK, 77: NUM_LOCK, 92: ALT_GR, 64: 8}


def keymap(modifiers: Mapping[int, int] = MODIFIERS, rows: Mapping[int, tuple[int, ...]] = ROWS) -> Keymap:
    empty = (0,) * WIDTH
    symbols = [symbol for code in range(8, 256) for symbol in rows.get(code, empty)]
    return Keymap(first=8, width=WIDTH, keysyms=symbols, modifiers=modifiers)


@pytest.mark.parametrize(
    ("keycode", "state", "symbol"),
    [
        (24, 0, 0x71),
        (24, SHIFT, 0x51),
        (24, LOCK, 0x51),
        (24, LOCK | SHIFT, 0x71),
        (24, ALT_GR, 0x40),
        (24, ALT_GR | SHIFT, 0x7D9),
        (24, GROUP2, 0x6CA),
        (24, GROUP2 | SHIFT, 0x6EA),
        (24, GROUP2 | LOCK, 0x6EA),
        (24, GROUP3, 0),
        (36, GROUP3, 0xFF0D),
        (10, LOCK, 0x31),
        (10, SHIFT | LOCK, 0x21),
        (10, ALT_GR, 0xB9),
        (34, LOCK, 0xDC),
        (34, GROUP2, 0xFC),
        (34, ALT_GR, 0xFC),
        (40, SHIFT, 0x41),
        (40, NUM_LOCK, 0x61),
        (87, 0, 0xFF9C),
        (87, NUM_LOCK, 0xFFB1),
        (87, NUM_LOCK | SHIFT, 0xFF9C),
        (87, SHIFT, 0xFFB1),
        (200, 0, 0),
        (300, SHIFT, 0),
    ],
)
def test_a_key_has_the_symbol_that_its_state_gives_it(keycode: int, state: int, symbol: int) -> None:
    assert keymap().keysym(keycode, state) == symbol


def test_a_shift_lock_turns_everything_round() -> None:
    rows = {**ROWS, 66: (0xFFE6,) + (0,) * 7}
    assert keymap(rows=rows).keysym(10, LOCK) == 0x21


def test_new_rows_tell_what_changed() -> None:
    known = keymap()
    assert known.update(250, 2, [0x01000416, 0x01000416, 0, 0]) == {250, 251}
    assert known.keysym(250, 0) == 0x01000416
    assert known.update(250, 2, [0x01000416, 0x01000416]) == frozenset()


def test_modifiers_are_known_by_their_keys() -> None:
    known = keymap()
    assert (known.held_by(50), known.held_by(64), known.held_by(24)) == (Modifier.SHIFT, Modifier.ALT, None)
    assert (known.modifier_bits(92), known.modifier_bits(24)) == (ALT_GR, 0)
    assert known.is_lock(66)
    assert known.is_lock(77)
    assert not known.is_lock(50)


@given(st.integers(0, 2**32 - 1), st.integers(0, 0xFFFF), st.integers(0, 400))
def test_no_state_and_no_key_breaks_it(symbol: int, state: int, keycode: int) -> None:
    known = keymap()
    known.update(100, 1, [symbol])
    assert known.keysym(100, state) in {symbol, 0} or is_case_pair(symbol, known.keysym(100, state))
    assert known.keysym(keycode, state) >= 0


@given(st.characters(categories=["Ll"]))
def test_capitals_are_those_of_the_letter(letter: str) -> None:
    symbol = ord(letter) if ord(letter) < 0x100 else 0x01000000 + ord(letter)
    capital = keymap(rows={38: (symbol,) + (0,) * 7}).keysym(38, SHIFT)
    assert character_of(capital) == (letter.upper() if len(letter.upper()) == 1 else letter)
