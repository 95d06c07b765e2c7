"""Which keys carry text: all of which nothing else is known."""

import pytest

from understudy.recorder.capture.keysyms import KeyKind, kind_of


@pytest.mark.parametrize(
    ("keysym", "kind"),
    [
        (0, KeyKind.TEXT),
        (0x20, KeyKind.TEXT),
        (0x61, KeyKind.TEXT),
        (0xE9, KeyKind.TEXT),
        (0x6C1, KeyKind.TEXT),
        (0x20AC, KeyKind.TEXT),
        (0x01000416, KeyKind.TEXT),
        (0x0101F600, KeyKind.TEXT),
        (0xFE51, KeyKind.TEXT),
        (0xFF80, KeyKind.TEXT),
        (0xFFAB, KeyKind.TEXT),
        (0xFFB0, KeyKind.TEXT),
        (0xFFB9, KeyKind.TEXT),
        (0xFFBD, KeyKind.TEXT),
        (0xFF09, KeyKind.LEAVING),
        (0xFF0D, KeyKind.LEAVING),
        (0xFF1B, KeyKind.LEAVING),
        (0xFF8D, KeyKind.LEAVING),
        (0xFE20, KeyKind.LEAVING),
        (0xFF08, KeyKind.NAMED),
        (0xFF51, KeyKind.NAMED),
        (0xFF9C, KeyKind.NAMED),
        (0xFFBE, KeyKind.NAMED),
        (0xFFFF, KeyKind.NAMED),
        (0x1008FF13, KeyKind.NAMED),
        (0xFFE1, KeyKind.MODIFIER),
        (0xFFEE, KeyKind.MODIFIER),
        (0xFE03, KeyKind.MODIFIER),
        (0xFF7E, KeyKind.MODIFIER),
        (0xFF7F, KeyKind.MODIFIER),
        (0xFFFFFFFF, KeyKind.TEXT),
    ],
)
def test_a_symbol_has_its_kind(keysym: int, kind: KeyKind) -> None:
    assert kind_of(keysym) is kind


def test_every_latin_and_every_unicode_symbol_is_text() -> None:
    assert all(kind_of(symbol) is KeyKind.TEXT for symbol in (*range(0x20, 0x7F), *range(0xA0, 0x2000)))
    assert all(kind_of(0x01000000 + code) is KeyKind.TEXT for code in range(0x100, 0x110000, 97))
