"""The ways in which a string can stand in bytes.

Rules

* UTF-8 as it is, lower and upper case and both Unicode normal forms; UTF-16 in both byte orders; base64 in
  both alphabets and at all three alignments; hexadecimal; percent escapes; JSON and HTML escapes.
* A spelling is at least 8 bytes long, so that it occurs nowhere by chance.

Example

>>> b"717a76376b326d783977347"[:-1] in spellings("qzv7k2mx9w4t")["hex"][0]
True
"""

import base64
import json
import unicodedata
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

SHORTEST_SPELLING: Final = 8


def spellings(text: str) -> dict[str, tuple[bytes, ...]]:
    """Return the byte strings that give ``text`` away, by the name of the encoding."""
    raw = text.encode()
    forms = {
        "utf-8": (raw, *_variants(text)),
        "utf-16": (text.encode("utf-16-le"), text.encode("utf-16-be")),
        "base64": tuple(_base64(raw)),
        "hex": (raw.hex().encode(), raw.hex().upper().encode()),
        "percent": _percent(raw, text),
        "json": _escapes(text),
    }
    return {name: tuple(dict.fromkeys(filter(_is_long, found))) for name, found in forms.items()}


def _is_long(spelling: bytes) -> bool:
    return len(spelling) >= SHORTEST_SPELLING


def _variants(text: str) -> Iterable[bytes]:
    for changed in (text.lower(), text.upper(), text.swapcase()):
        yield changed.encode()
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        yield unicodedata.normalize(form, text).encode()


def _base64(raw: bytes) -> Iterable[bytes]:
    """Yield the part of the encoding that depends on ``raw`` alone, for each place it may begin at."""
    for before in range(3):
        padded = bytes(before) + raw
        begin = -(-before * 8 // 6)
        whole = len(padded) * 8 // 6
        for alphabet in (b"+/", b"-_"):
            yield base64.b64encode(padded, alphabet)[begin:whole]


def _percent(raw: bytes, text: str) -> tuple[bytes, ...]:
    every = "".join(f"%{byte:02x}" for byte in raw)
    return (
        every.encode(),
        every.upper().encode(),
        quote(text, safe="").encode(),
        quote(text, safe="").lower().encode(),
    )


def _escapes(text: str) -> tuple[bytes, ...]:
    units = text.encode("utf-16-be")
    every = "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
    entities = "".join(f"&#{ord(char)};" for char in text)
    hexed = "".join(f"&#x{ord(char):x};" for char in text)
    plain = json.dumps(text)[1:-1]
    return (
        every.encode(),
        every.upper().replace("\\U", "\\u").encode(),
        plain.encode(),
        entities.encode(),
        hexed.encode(),
    )
