"""Which key gives which character, and how a character without a key gets one.

Rules

* A character that stands on the keyboard, plain or with Shift, is typed by that key.
* Any other gets a spare keycode: bound beforehand (``prepare``, before the browser reads the key map), or at
  the moment of need, the oldest such binding giving way.
* Keys that a person uses for anything else are never rebound: modifiers, named keys, characters.

Key symbols of Unicode characters: X11, appendix A ("KEYSYM Encoding").

Example

>>> hex(symbol_of("я")), hex(symbol_of("a"))
('0x100044f', '0x61')
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from understudy.demo.display import Display, KeyMap
from understudy.demo.errors import HandsError

NAMED: Final[Mapping[str, int]] = {
    "ArrowDown": 0xFF54,
    "ArrowLeft": 0xFF51,
    "ArrowRight": 0xFF53,
    "ArrowUp": 0xFF52,
    "Backspace": 0xFF08,
    "Delete": 0xFFFF,
    "End": 0xFF57,
    "Enter": 0xFF0D,
    "Escape": 0xFF1B,
    "Home": 0xFF50,
    "PageDown": 0xFF56,
    "PageUp": 0xFF55,
    "Tab": 0xFF09,
}
"""Key symbols of the named keys, in the names of a recording."""
MODIFIERS: Final[Mapping[str, int]] = {"alt": 0xFFE9, "control": 0xFFE3, "shift": 0xFFE1}
_CONTROLS: Final[Mapping[str, str]] = {"\b": "Backspace", "\n": "Enter", "\t": "Tab"}
_LATIN_1: Final = 0xFF
"""Up to here a key symbol is the character's own number; beyond, the number with a mark."""
_UNICODE: Final = 0x0100_0000
_VENDOR: Final = range(0x1008_FE00, 0x1009_0000)
"""Symbols of vendor keys: volume, player, screens."""
_BROWSER: Final = frozenset({0x1008_FF00 + low for low in (0x18, 0x1B, 0x26, 0x27, 0x28, 0x29, 0x30, 0x73)})
"""Home, search, back, forward, stop, refresh, favourites, reload: a browser obeys these keycodes anyhow."""


class Chord(NamedTuple):
    """A keycode, and whether Shift is held."""

    keycode: int
    shift: bool


def symbol_of(character: str) -> int:
    """Return the key symbol of one character.

    Raises:
        HandsError: a control character that no key gives.
    """
    code = ord(character)
    if character in _CONTROLS:
        return NAMED[_CONTROLS[character]]
    if not character.isprintable():
        raise HandsError("a control character cannot be typed")
    return code if code <= _LATIN_1 else _UNICODE | code


class Keys:
    """The key map of a display, and the keycodes that can be spared."""

    def __init__(self, display: Display) -> None:
        self._display = display
        held = display.key_map()
        self._chords = _chords(held)
        self._spare = spare_keycodes(held, display.modifier_keycodes())
        self._bound: OrderedDict[int, int] = OrderedDict()

    @property
    def room(self) -> int:
        """How many more characters can be bound beforehand."""
        return len(self._spare)

    def prepare(self, text: Iterable[str]) -> int:
        """Bind all characters that have no key, as long as there is room, and return how many were bound."""
        missing = sorted({symbol_of(each) for each in text} - self._chords.keys())
        done = missing[: len(self._spare)]
        for symbol in done:
            self._bind(symbol, self._spare.pop(0))
        return len(done)

    def chord(self, character: str) -> tuple[Chord, bool]:
        """Return the key of a character, and whether it was bound only now: clients then need a moment.

        Raises:
            HandsError: it cannot be typed, or no keycode can be spared.
        """
        symbol = symbol_of(character)
        if symbol in self._bound:
            self._bound.move_to_end(symbol)
        if symbol in self._chords:
            return self._chords[symbol], False
        if self._spare:
            keycode = self._spare.pop(0)
        elif self._bound:
            oldest, keycode = self._bound.popitem(last=False)
            del self._chords[oldest]
        else:
            raise HandsError("no keycode can be spared for a character")
        return self._bind(symbol, keycode), True

    def named(self, name: str) -> int:
        """Return the keycode of a named key or a modifier.

        Raises:
            HandsError: the keyboard has no such key.
        """
        symbol = NAMED.get(name) or MODIFIERS.get(name)
        chord = None if symbol is None else self._chords.get(symbol)
        if chord is None:
            raise HandsError(f"the keyboard has no key {name}")
        return chord.keycode

    def _bind(self, symbol: int, keycode: int) -> Chord:
        self._display.bind(keycode, symbol)
        self._bound[symbol] = keycode
        self._chords[symbol] = Chord(keycode, shift=False)
        return self._chords[symbol]


def spare_keycodes(held: KeyMap, modifiers: frozenset[int]) -> list[int]:
    """Return keycodes that can be rebound: those without a symbol first, then those of vendor keys."""
    empty, vendor = [], []
    for keycode, row in enumerate(held.rows, held.first):
        used = {symbol for symbol in row if symbol}
        if keycode in modifiers:
            continue
        if not used:
            empty.append(keycode)
        elif all(symbol in _VENDOR and symbol not in _BROWSER for symbol in used):
            vendor.append(keycode)
    return empty + vendor


def _chords(held: KeyMap) -> dict[int, Chord]:
    """Return the key of each symbol of the first group: plain before shifted, low keycodes first."""
    found: dict[int, Chord] = {}
    for shift in (False, True):
        for keycode, row in enumerate(held.rows, held.first):
            symbol = row[int(shift)] if len(row) > int(shift) else 0
            if symbol and symbol not in found:
                found[symbol] = Chord(keycode, shift)
    return found
