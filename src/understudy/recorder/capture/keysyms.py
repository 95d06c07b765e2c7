"""What a key symbol says about its key: does it carry text, does it leave a field, is it only held?

Rules

* Whatever is not known to carry no text carries text: symbols that are not listed, dead keys, the digits of
  the keypad, and no symbol at all.
* The classes are decided from the symbol alone. What was held with it does not make a letter harmless.

Numbers: X11 protocol, appendix A; ``keysymdef.h``.

Example

>>> kind_of(0x61), kind_of(0x01001F600), kind_of(0xFF09), kind_of(0xFFE1)
(<KeyKind.TEXT: 'text'>, <KeyKind.TEXT: 'text'>, <KeyKind.LEAVING: 'leaving'>, <KeyKind.MODIFIER: 'modifier'>)
"""

from enum import StrEnum
from typing import Final

NO_SYMBOL: Final = 0


class KeyKind(StrEnum):
    """How much a key tells."""

    TEXT = "text"
    """A character, or what may become part of one."""
    LEAVING = "leaving"
    """Enter, Escape and Tab: they end the entry of a secret, and are recorded even there."""
    NAMED = "named"
    """Arrows, function keys, Backspace: an act, no text."""
    MODIFIER = "modifier"
    """Held or toggled: Shift, Control, Caps Lock, a switch of the layout."""


_LEAVING: Final = frozenset({0xFF09, 0xFF0D, 0xFF1B, 0xFF89, 0xFF8D, 0xFE20, 0xFE34})
_KEYPAD_TEXT: Final = frozenset({0xFF80, 0xFFBD, *range(0xFFAA, 0xFFBA)})
_LOCKS: Final = frozenset({0xFF14, 0xFF7E, 0xFF7F})
_HELD: Final = range(0xFFE1, 0xFFEF)
_LAYOUT: Final = range(0xFE01, 0xFE12)
_FUNCTION: Final = range(0xFF00, 0x10000)
_MEDIA: Final = range(0x10080001, 0x10090000)


def kind_of(keysym: int) -> KeyKind:
    """Return how much a key symbol tells."""
    if keysym in _LEAVING:
        return KeyKind.LEAVING
    if keysym in _HELD or keysym in _LAYOUT or keysym in _LOCKS:
        return KeyKind.MODIFIER
    if keysym in _KEYPAD_TEXT:
        return KeyKind.TEXT
    return KeyKind.NAMED if keysym in _FUNCTION or keysym in _MEDIA else KeyKind.TEXT
