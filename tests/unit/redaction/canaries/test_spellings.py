"""A canary is found however bytes spell it."""

import base64
import json
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.redaction.canaries.spellings import spellings
from understudy.redaction.canaries.store import Needles

CANARIES = (
    "qzv7k2mx9w4t",
    "жщюыэъфыва12",
    "ψωξφθΩλΔΞΠΣΦ",
    "a b-c_d.e/f+g=h",
    '"q\\uote<d>&it"',
    "🦉🦉🦉🦉🦉🦉🦉🦉🦉🦉🦉🦉",
)


def found(canary: str, data: bytes) -> set[str]:
    return {name for _, name in Needles([canary]).found_in(data)}


ENCODINGS: dict[str, tuple[str, Callable[[str], bytes]]] = {
    "utf-8": ("utf-8", lambda text: text.encode()),
    "upper case": ("utf-8", lambda text: text.upper().encode()),
    "utf-16 little": ("utf-16", lambda text: text.encode("utf-16-le")),
    "utf-16 big": ("utf-16", lambda text: text.encode("utf-16-be")),
    "base64": ("base64", lambda text: base64.b64encode(text.encode())),
    "base64 shifted": ("base64", lambda text: base64.b64encode(b"x" + text.encode() + b"yz")),
    "base64 of addresses": ("base64", lambda text: base64.urlsafe_b64encode(b"xy" + text.encode() + b"zz")),
    "hex": ("hex", lambda text: text.encode().hex().encode()),
    "hex upper": ("hex", lambda text: text.encode().hex().upper().encode()),
    "percent": ("percent", lambda text: "".join(f"%{byte:02X}" for byte in text.encode()).encode()),
    "json": ("json", lambda text: json.dumps(text).encode()),
    "html": ("json", lambda text: "".join(f"&#{ord(char)};" for char in text).encode()),
}


@pytest.mark.parametrize("canary", CANARIES)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_listed_encoding_is_found_and_named(canary: str, encoding: str) -> None:
    name, encode = ENCODINGS[encoding]
    said = found(canary, b"before " + encode(canary) + b" after")
    # A canary of plain letters is its own JSON form: then the plain name is as good.
    assert name in said or (encode(canary).strip(b'"') == canary.encode() and said)


@given(st.text(min_size=12, max_size=40), st.binary(max_size=40), st.binary(max_size=40))
def test_it_is_found_in_the_middle_of_anything(canary: str, before: bytes, after: bytes) -> None:
    canary = canary.encode(errors="ignore").decode()
    if len(canary) < 12:
        return
    assert found(canary, before + canary.encode() + after)
    assert found(canary, before + quote(canary, safe="").encode() + after)


@given(st.binary(max_size=2_000))
def test_random_bytes_hold_no_canary(data: bytes) -> None:
    assert not found("qzv7k2mx9w4t", data)


def test_no_spelling_is_so_short_that_chance_finds_it() -> None:
    for canary in CANARIES:
        assert all(len(form) >= 8 for forms in spellings(canary).values() for form in forms)
