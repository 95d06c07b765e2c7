"""A value has one spelling, and every other one is refused."""

import hashlib
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.consent.contexts import Context
from understudy.consent.primitives import (
    Bytes,
    Count,
    Digest,
    Name,
    SegmentId,
    Text,
    Value,
    decode_bytes,
    encode_bytes,
    new_id,
)
from understudy.sealing.canonical import canonical, digest, digest_bytes, octets, parse
from understudy.sealing.errors import FormatError


class Leaf(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Name
    note: Text = ""


class Sample(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    count: Count
    mark: Digest | None
    leaves: tuple[Leaf, ...]


SAMPLE = Sample(count=7, mark=None, leaves=(Leaf(name="b"), Leaf(name="a", note="é\n\u20ac")))
RAW = (
    b'{"count":7,"leaves":[{"name":"b","note":""},{"name":"a","note":"\xc3\xa9\\n\xe2\x82\xac"}],"mark":null}'
)


def test_canonical_bytes_are_rfc_8785() -> None:
    assert canonical(SAMPLE) == RAW
    assert parse(Sample, RAW) == SAMPLE


@pytest.mark.parametrize(
    "raw",
    [
        RAW.replace(b'"count":7', b'"count":7.0'),
        RAW.replace(b'"count":7', b'"count":07'),
        RAW.replace(b'"count":7', b'"count":-1'),
        RAW.replace(b'"count":7', b'"count":9007199254740992'),
        RAW.replace(b'"count":7', b'"count":"7"'),
        RAW.replace(b'"count":7', b'"count": 7'),
        RAW.replace(b'"count":7', b'"count":7,"count":7'),
        RAW.replace(b'"count":7', b'"count":8,"count":7'),
        RAW.replace(b'"count":7', b'"count":7,"extra":1'),
        RAW.replace(b'"count":7,', b""),
        RAW.replace(b',"note":""', b""),
        RAW.replace(b',"mark":null', b""),
        RAW.replace(b"\xc3\xa9", b"\\u00e9"),
        RAW.replace(b"\xc3\xa9", b"\xc3"),
        RAW.replace(b'"b"', b'"B"'),
        RAW.replace(b'"b"', b'"b\\n"'),
        json.dumps(
            dict(reversed(json.loads(RAW).items())), separators=(",", ":"), ensure_ascii=False
        ).encode(),
        RAW + b"\n",
        b"\xef\xbb\xbf" + RAW,
        RAW[:-1],
        b"",
        b"null",
        b"[" * 100_000,
    ],
)
def test_any_other_spelling_is_refused(raw: bytes) -> None:
    with pytest.raises(FormatError):
        parse(Sample, raw)


@given(st.data())
def test_no_flipped_bit_or_cut_leaves_an_acceptable_document(data: st.DataObject) -> None:
    raw = bytearray(RAW)
    bit = data.draw(st.integers(0, 8 * len(raw) - 1))
    raw[bit // 8] ^= 1 << bit % 8
    cut = data.draw(st.integers(1, len(raw)))
    for changed in (bytes(raw), bytes(raw[:cut])):
        try:
            value = parse(Sample, changed)
        except FormatError:
            continue
        assert value != SAMPLE
        assert canonical(value) == changed


@given(st.binary(max_size=200))
def test_parsing_never_fails_in_another_way(raw: bytes) -> None:
    with pytest.raises(FormatError):
        parse(Sample, raw)


def test_a_document_over_the_limit_is_not_even_decoded() -> None:
    with pytest.raises(FormatError, match="over the limit"):
        parse(Sample, RAW, limit=len(RAW) - 1)


def test_a_value_outside_the_canonical_domain_is_refused() -> None:
    with pytest.raises(FormatError):
        canonical(Sample(count=2**53, mark=None, leaves=()))
    with pytest.raises(FormatError):
        canonical(Leaf(name="a", note="\ud800"))


def test_a_digest_is_sha256_over_context_zero_byte_and_parts() -> None:
    expected = hashlib.sha256(b"understudy/v1/half\x00" + b"abc").digest()
    assert digest_bytes(Context.HALF, b"a", b"bc") == expected
    assert digest(Context.HALF, b"abc") == encode_bytes(expected)
    assert digest(Context.TAG, b"abc") != digest(Context.HALF, b"abc")


@given(st.binary(max_size=100))
def test_bytes_have_one_text(raw: bytes) -> None:
    assert octets(encode_bytes(raw)) == raw


@pytest.mark.parametrize("text", ["A", "AP9", "AP8=", "AP 8", "AP8\n", "A+/8", "АР8", "A\x00"])
def test_text_that_is_not_canonical_base64url_is_refused(text: str) -> None:
    with pytest.raises(FormatError):
        octets(text)
    with pytest.raises(ValueError, match="base64url"):
        decode_bytes(text)


@pytest.mark.parametrize(
    ("kind", "text"),
    [(SegmentId, new_id("seg")), (Name, "office"), (Digest, "A" * 43), (Bytes, "AAAA")],
    ids=["id", "name", "digest", "bytes"],
)
def test_a_trailing_newline_is_part_of_no_primitive(kind: object, text: str) -> None:
    assert msgspec.json.decode(msgspec.json.encode(text), type=kind) == text
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(msgspec.json.encode(text + "\n"), type=kind)
