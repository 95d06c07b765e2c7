"""From keycode and state to key symbol, as the server's core key map tells it.

Rules

* A key has two groups (layouts) of up to four levels: plain, Shift, AltGr, Shift and AltGr. A group without
  symbols falls back to the first, AltGr on a key without a third level to the first two.
* Caps Lock turns letters round and nothing else; Num Lock turns the keypad round.
* What the core map cannot tell is ``NO_SYMBOL``: characters of a third or fourth layout. No symbol is better
  than a wrong one.

Protocol: X11 core, section 5; the order of columns is that of the server's XKB compatibility map.

Example

>>> q = Keymap(first=24, width=7, keysyms=[0x71, 0x51, 0x71, 0x51, 0x40, 0x7D9, 0], modifiers={})
>>> [chr(q.keysym(24, state)) for state in (0, SHIFT, LOCK, SHIFT | LOCK)]
['q', 'Q', 'Q', 'q']
"""

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Final

from understudy.formats.recording.actions import Modifier
from understudy.formats.recording.keysyms import held_by
from understudy.recorder.capture.keysyms import NO_SYMBOL, KeyKind, kind_of

SHIFT: Final = 1
LOCK: Final = 2
_GROUP_SHIFT: Final = 13
_GROUPS: Final = 2
_SHIFT_LOCK, _NUM_LOCK, _LEVEL3, _MODE_SWITCH = 0xFFE6, 0xFF7F, 0xFE03, 0xFF7E
_KEYPAD: Final = range(0xFF80, 0xFFBE)
_UNICODE: Final = 0x01000000
_LATIN_END: Final = 0x100
_LATIN: Final = (range(0x20, 0x7F), range(0xA0, 0x100))
_NATIONAL: Final = range(0x1A1, 0x800)
_NATIONAL_STEPS: Final = frozenset({16, 32})


class Keymap:
    """The symbols of all keys, and which keys are modifiers.

    Args:
        first: the keycode of the first row.
        width: symbols in a row.
        keysyms: all rows, one after the other; 0 where there is none.
        modifiers: for each keycode that is a modifier, its bits in the state.
    """

    def __init__(
        self, *, first: int, width: int, keysyms: Sequence[int], modifiers: Mapping[int, int]
    ) -> None:
        self._rows: dict[int, tuple[int, ...]] = {}
        self.update(first, width, keysyms)
        self._modifiers: dict[int, int] = {}
        self._is_caps = True
        self._num_lock = self._level3 = self._mode_switch = 0
        self.set_modifiers(modifiers)

    def update(self, first: int, width: int, keysyms: Sequence[int]) -> frozenset[int]:
        """Take new rows, and return the keycodes whose symbols changed."""
        rows = {
            first + number: tuple(keysyms[number * width : (number + 1) * width])
            for number in range(len(keysyms) // max(width, 1))
        }
        changed = frozenset(code for code, row in rows.items() if self._rows.get(code) != row)
        self._rows |= rows
        return changed

    def set_modifiers(self, modifiers: Mapping[int, int]) -> None:
        """Take the bits of the keys that are modifiers."""
        self._modifiers = dict(modifiers)
        self._is_caps = not self._bits_of(_SHIFT_LOCK) & LOCK
        self._num_lock = self._bits_of(_NUM_LOCK)
        self._level3 = self._bits_of(_LEVEL3)
        self._mode_switch = self._bits_of(_MODE_SWITCH)

    def keysym(self, keycode: int, state: int) -> int:
        """Return the symbol of a key.

        Args:
            keycode: the key.
            state: as in core events: modifiers in the low byte, the group in bits 13 and 14.
        """
        row = self._rows.get(keycode, ())
        group = state >> _GROUP_SHIFT & 3
        if group == 0 and state & self._mode_switch:
            group = 1
        if group >= _GROUPS:
            if not row or kind_of(row[0]) is KeyKind.TEXT:
                return NO_SYMBOL
            group = 0
        plain, shifted = self._pair(row, group, is_third=bool(state & self._level3))
        is_shifted = bool(state & SHIFT)
        if shifted in _KEYPAD:
            is_shifted = is_shifted != bool(state & self._num_lock)
        elif state & LOCK and not self._is_caps:
            is_shifted = True
        elif state & LOCK and is_case_pair(plain, shifted):
            is_shifted = not is_shifted
        return shifted if is_shifted else plain

    def modifier_bits(self, keycode: int) -> int:
        """Return the bits of the state that a key holds down while it is down; 0 for most keys."""
        return self._modifiers.get(keycode, 0)

    def is_lock(self, keycode: int) -> bool:
        """Return whether a key toggles its bits rather than holding them."""
        return bool(self.modifier_bits(keycode) & (LOCK | self._num_lock))

    def held_by(self, keycode: int) -> Modifier | None:
        """Return the modifier that a key is, if it is one that actions name."""
        row = self._rows.get(keycode, ())
        return next(filter(None, map(held_by, row[:2])), None)

    def _pair(self, row: tuple[int, ...], group: int, *, is_third: bool) -> tuple[int, int]:
        """Return the symbols without and with Shift."""
        places = [(2 * group, 2 * group + 1), (0, 1)]
        if is_third:
            places.insert(0, (4 + 2 * group, 5 + 2 * group))
        for at, with_shift in places:
            plain = row[at] if at < len(row) else NO_SYMBOL
            shifted = row[with_shift] if with_shift < len(row) else NO_SYMBOL
            if plain or shifted:
                return plain, shifted or _capital(plain)
        return NO_SYMBOL, NO_SYMBOL

    def _bits_of(self, keysym: int) -> int:
        bits = 0
        for keycode, held in self._modifiers.items():
            if keysym in self._rows.get(keycode, ()):
                bits |= held
        return bits


def read_keymap(core: Any, keycodes: tuple[int, int]) -> Keymap:
    """Return the key map of a display, by its core requests."""
    first, last = keycodes
    width, symbols = keysyms_of(core, first, last - first + 1)
    return Keymap(first=first, width=width, keysyms=symbols, modifiers=read_modifiers(core))


def keysyms_of(core: Any, first: int, rows: int) -> tuple[int, list[int]]:
    """Return how many symbols a row has, and the symbols of some rows, by the core request."""
    reply = core.GetKeyboardMapping(first, rows).reply()
    return int(reply.keysyms_per_keycode), [int(symbol) for symbol in reply.keysyms]


def read_modifiers(core: Any) -> dict[int, int]:
    """Return the bits of each key that is a modifier, by the core request."""
    reply = core.GetModifierMapping().reply()
    width = int(reply.keycodes_per_modifier)
    found: dict[int, int] = {}
    for at, keycode in enumerate(int(code) for code in reply.keycodes):
        if keycode:
            found[keycode] = found.get(keycode, 0) | 1 << at // width
    return found


def character_of(keysym: int) -> str:
    """Return the character of a Latin or Unicode symbol, or an empty text."""
    if any(keysym in latin for latin in _LATIN):
        return chr(keysym)
    if _UNICODE < keysym <= _UNICODE + 0x10FFFF:
        return chr(keysym - _UNICODE)
    return ""


def is_case_pair(plain: int, shifted: int) -> bool:
    """Return whether two symbols are the small and the capital form of one letter.

    In the older national sets (Latin 2 to 4, Cyrillic, Greek) the two lie 16 or 32 apart, and nothing else in
    one pair does.
    """
    small, capital = character_of(plain), character_of(shifted)
    if small and capital:
        return small != capital and unicodedata.category(small) == "Ll" and small.upper() == capital
    return plain in _NATIONAL and shifted in _NATIONAL and abs(plain - shifted) in _NATIONAL_STEPS


def _capital(keysym: int) -> int:
    """Return the capital of a letter that stands alone in its group, or the symbol itself."""
    small = character_of(keysym)
    capital = small.upper()
    if not small or capital == small or len(capital) > 1:
        return keysym
    return ord(capital) if keysym < _UNICODE and ord(capital) < _LATIN_END else _UNICODE + ord(capital)
