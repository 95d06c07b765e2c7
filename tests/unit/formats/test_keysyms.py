"""Key symbols: characters, named keys, accents, and what is nothing."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.formats.recording.actions import NAMED_KEYS, Modifier, is_allowed_key
from understudy.formats.recording.keysyms import (
    ALT,
    CONTROL,
    META,
    Accent,
    Pressed,
    Typed,
    character_of,
    composed,
    held,
    held_by,
    meaning,
)


@pytest.mark.parametrize(
    ("keysym", "character"),
    [
        (0x20, " "),
        (0x61, "a"),
        (0xDF, "ß"),
        (0x1B1, "ą"),
        (0x1EC, "ě"),
        (0x2B6, "ĥ"),
        (0x3F9, "ų"),
        (0x6C1, "а"),
        (0x6D1, "я"),
        (0x6A4, "є"),
        (0x6AD, "ґ"),
        (0x7E1, "α"),
        (0x7F2, "σ"),
        (0x7F3, "ς"),
        (0x7B1, "ά"),
        (0xCE0, "א"),
        (0x5C7, "ا"),
        (0xDA1, "ก"),
        (0x13BD, "œ"),
        (0x20AC, "€"),
        (0xAD3, "”"),
        (0xAA9, "—"),
        (0x100044F, "я"),
        (0x101F600, "😀"),
        (0xFFB7, "7"),
        (0xFFAB, "+"),
        (0xFF80, " "),
    ],
)
def test_symbols_of_old_and_new_sets_give_their_characters(keysym: int, character: str) -> None:
    assert meaning(keysym, 0) == Typed(character)


@pytest.mark.parametrize(
    ("keysym", "name"),
    [
        (0xFF0D, "Enter"),
        (0xFF8D, "Enter"),
        (0xFE20, "Tab"),
        (0xFFBE, "F1"),
        (0xFFD5, "F24"),
        (0xFFFF, "Delete"),
    ],
)
def test_named_keys_have_the_names_of_the_format(keysym: int, name: str) -> None:
    assert meaning(keysym, 0) == Pressed(name)
    assert name in NAMED_KEYS


@pytest.mark.parametrize(
    "keysym", [0xFFE1, 0xFFE3, 0xFFE9, 0xFFEB, 0xFFE5, 0xFF7F, 0xFE03, 0xFE08, 0x1008FF11]
)
def test_what_is_held_or_toggled_is_nothing(keysym: int) -> None:
    assert meaning(keysym, 0) is None
    assert meaning(keysym, CONTROL) is None


def test_an_unknown_symbol_may_have_been_a_character_and_is_no_shortcut() -> None:
    assert meaning(0, 0) == Typed(None)
    assert meaning(0, CONTROL) is None
    assert meaning(0x100D800, 0) == Typed(None), "a surrogate is no character"


def test_dead_keys_compose() -> None:
    assert meaning(0xFE57, 0) == Accent("\u0308")
    assert composed("\u0308", "u") == "ü"
    assert composed("\u0308", "b") is None
    assert meaning(0xFF20, 0) == Accent(None)
    assert composed(None, "e") is None


def test_modifiers_are_sorted_and_known_by_their_keys() -> None:
    assert held(CONTROL | ALT | META | 1 | 2 | 16 | 128) == tuple(sorted(Modifier))
    assert held_by(0xFFE4) is Modifier.CONTROL
    assert held_by(0x61) is None


@given(keysym=st.integers(0, 2**32 - 1) | st.integers(0, 0xFFFF), modifiers=st.integers(0, 255))
def test_whatever_is_pressed_can_be_written(keysym: int, modifiers: int) -> None:
    match meaning(keysym, modifiers):
        case Pressed(name=name, modifiers=names):
            assert is_allowed_key(name, names)
        case Typed(character=str() as character):
            assert character.isprintable()
            assert unicodedata.category(character) != "Cs"
        case _:
            pass
    assert character_of(keysym) is None or len(character_of(keysym) or "") == 1
