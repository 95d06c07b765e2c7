r"""What a key press means for an action: a character, a named key or shortcut, part of an accent, or nothing.

Rules

* A character without Control, Alt or Meta is typing; Shift and AltGr only choose the character.
* With Control, Alt or Meta it is a shortcut on the lower-case character.
* A symbol that is not known may have given text: typing of an unknown character. Modifiers, locks, media keys
  and switches of the layout are nothing.
* A dead key alone is nothing; the character after it is composed (Unicode NFC), or is not known.

Symbols: X11 protocol, appendix A; the older national sets are those of ``keysymdef.h``, most of which follow
a part of ISO 8859, TIS-620 or KOI8-R. Names of keys: W3C UI Events.

Example

>>> meaning(0x61, 0), meaning(0x41, SHIFT), meaning(0x63, CONTROL).name
(Typed(character='a'), Typed(character='A'), 'c')
>>> composed("\u0301", "e")
'é'
"""

import unicodedata
from typing import Final, NamedTuple

from understudy.formats.recording.actions import Modifier, is_allowed_key

SHIFT: Final = 1
CONTROL: Final = 4
ALT: Final = 8
META: Final = 64
_BITS: Final = (
    (ALT, Modifier.ALT),
    (CONTROL, Modifier.CONTROL),
    (META, Modifier.META),
    (SHIFT, Modifier.SHIFT),
)
_SHORTCUT: Final = ALT | CONTROL | META


class Typed(NamedTuple):
    """A character was entered; None where it is not known which."""

    character: str | None


class Pressed(NamedTuple):
    """A named key, or a shortcut."""

    name: str
    modifiers: tuple[Modifier, ...] = ()


class Accent(NamedTuple):
    """The next character gets this combining mark; None where it is not known what it becomes."""

    mark: str | None


Meaning = Typed | Pressed | Accent | None

_NAMED: Final = {
    0xFF08: "Backspace",
    0xFF09: "Tab",
    0xFF0D: "Enter",
    0xFF1B: "Escape",
    0xFF50: "Home",
    0xFF51: "ArrowLeft",
    0xFF52: "ArrowUp",
    0xFF53: "ArrowRight",
    0xFF54: "ArrowDown",
    0xFF55: "PageUp",
    0xFF56: "PageDown",
    0xFF57: "End",
    0xFF61: "PrintScreen",
    0xFF63: "Insert",
    0xFF67: "ContextMenu",
    0xFF89: "Tab",
    0xFF8D: "Enter",
    0xFF95: "Home",
    0xFF96: "ArrowLeft",
    0xFF97: "ArrowUp",
    0xFF98: "ArrowRight",
    0xFF99: "ArrowDown",
    0xFF9A: "PageUp",
    0xFF9B: "PageDown",
    0xFF9C: "End",
    0xFF9E: "Insert",
    0xFF9F: "Delete",
    0xFFFF: "Delete",
    0xFE20: "Tab",
    0xFE34: "Enter",
    **{0xFFBE + number: f"F{number + 1}" for number in range(24)},
}
_ACCENTS: Final = {
    0xFE50: "\u0300",
    0xFE51: "\u0301",
    0xFE52: "\u0302",
    0xFE53: "\u0303",
    0xFE54: "\u0304",
    0xFE55: "\u0306",
    0xFE56: "\u0307",
    0xFE57: "\u0308",
    0xFE58: "\u030a",
    0xFE59: "\u030b",
    0xFE5A: "\u030c",
    0xFE5B: "\u0327",
    0xFE5C: "\u0328",
    0xFE60: "\u0323",
    0xFE61: "\u0309",
    0xFE62: "\u031b",
}
_DEAD: Final = range(0xFE50, 0xFE94)
_COMPOSE: Final = 0xFF20
_KEYPAD: Final = {
    0xFF80: " ",
    0xFFBD: "=",
    **{0xFFAA + at: sign for at, sign in enumerate("*+,-./0123456789")},
}
_LATIN_1: Final = (range(0x20, 0x7F), range(0xA0, 0x100))
_UNICODE: Final = range(0x0100_0020, 0x0111_0000)
_NOTHING: Final = (range(0xFE00, 0xFE50), range(0xFEA0, 0x10000), range(0x10080001, 0x10090000))
_NATIONAL: Final = {
    0x01: ("iso8859-2", 0xA1),
    0x02: ("iso8859-3", 0xA1),
    0x03: ("iso8859-4", 0xA2),
    0x05: ("iso8859-6", 0xAC),
    0x06: ("koi8-r", 0xC0),
    0x07: ("iso8859-7", 0xC1),
    0x0C: ("iso8859-8", 0xDF),
    0x0D: ("tis-620", 0xA1),
    0x13: ("iso8859-15", 0xBC),
}
"""High byte of a symbol, the set that its low byte is of, and from where on the two agree."""
_CYRILLIC: Final = "ђѓёєѕіїјљњћќґўџ№ЂЃЁЄЅІЇЈЉЊЋЌҐЎЏ"
_OTHERS: Final = {
    **{0x6A1 + at: letter for at, letter in enumerate(_CYRILLIC)},
    **dict(zip(range(0x7A1, 0x7A6), "ΆΈΉΊΪ", strict=True)),
    **dict(zip((0x7A7, 0x7A8, 0x7A9, 0x7AB), "ΌΎΫΏ", strict=True)),
    **dict(zip(range(0x7B1, 0x7BA), "άέήίϊΐόύϋ", strict=True)),
    **dict(zip((0x7BA, 0x7BB, 0x7F2, 0x7F3), "ΰώσς", strict=True)),
    **dict(zip((0xAA9, 0xAAA, 0xAAE, 0xAC9), "\u2014\u2013\u2026\u2122", strict=True)),
    **dict(zip(range(0xAD0, 0xAD4), "\u2018\u2019\u201c\u201d", strict=True)),
    **dict(zip((0xAFD, 0xAFE), "\u201a\u201e", strict=True)),
    **{code: chr(code) for code in range(0x20A0, 0x20AD)},
}


def meaning(keysym: int, modifiers: int) -> Meaning:
    """Return what a key press means.

    Args:
        keysym: the symbol, with Shift, locks and AltGr already resolved; 0 where it is not known.
        modifiers: the low byte of the server's state.
    """
    if keysym in _NAMED:
        return Pressed(_NAMED[keysym], held(modifiers))
    if keysym in _DEAD or keysym == _COMPOSE:
        return Accent(_ACCENTS.get(keysym))
    character = character_of(keysym)
    if character is None and any(keysym in codes for codes in _NOTHING):
        return None
    if not modifiers & _SHORTCUT:
        return Typed(character)
    if character is None:
        return None
    name = "Space" if character == " " else character.lower()
    return Pressed(name, held(modifiers)) if is_allowed_key(name, held(modifiers)) else None


def held(modifiers: int) -> tuple[Modifier, ...]:
    """Return the modifiers in the server's state, sorted."""
    return tuple(name for bit, name in _BITS if modifiers & bit)


def held_by(keysym: int) -> Modifier | None:
    """Return the modifier that a key is."""
    return _HELD.get(keysym)


def character_of(keysym: int) -> str | None:
    """Return the printable character of a symbol, or None."""
    character = _character(keysym)
    return character if character and character.isprintable() else None


def composed(mark: str | None, character: str | None) -> str | None:
    """Return a character with a combining mark as one character, or None where there is none."""
    if mark is None or character is None:
        return None
    joined = unicodedata.normalize("NFC", character + mark)
    return joined if len(joined) == 1 else None


def _character(keysym: int) -> str | None:
    if any(keysym in codes for codes in _LATIN_1):
        return chr(keysym)
    if keysym in _UNICODE:
        return chr(keysym - 0x0100_0000)
    found = _KEYPAD.get(keysym) or _OTHERS.get(keysym)
    high, low = keysym >> 8, keysym & 0xFF
    if found or high not in _NATIONAL or low < _NATIONAL[high][1]:
        return found
    return bytes([low]).decode(_NATIONAL[high][0], errors="ignore")


_HELD: Final = {
    0xFFE1: Modifier.SHIFT,
    0xFFE2: Modifier.SHIFT,
    0xFFE3: Modifier.CONTROL,
    0xFFE4: Modifier.CONTROL,
    0xFFE7: Modifier.META,
    0xFFE8: Modifier.META,
    0xFFE9: Modifier.ALT,
    0xFFEA: Modifier.ALT,
    0xFFEB: Modifier.META,
    0xFFEC: Modifier.META,
}
