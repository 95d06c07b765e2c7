"""A header is the device's word, whole; whoever carries it can check everything but the contents."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.consent.primitives import decode_bytes, encode_bytes
from understudy.sealing.canonical import canonical
from understudy.sealing.errors import FormatError, HalfError, SealError, SignatureError
from understudy.sealing.header import (
    CiphertextCheck,
    SealContext,
    SealedHalf,
    SegmentHeader,
    Sources,
    Threshold,
    check_header,
    check_sealed_halves,
    expected_roles,
    verify_header,
)
from understudy.sealing.signing import Signed, SigningKey, document_hash, sign

OTHER = encode_bytes(bytes([0xEE] * 32))
STRANGER = SigningKey.from_seed(bytes([66] * 32))


def test_the_device_and_nobody_else_signs(sealed: Any) -> None:
    assert verify_header(sealed.bundle.header, {sealed.device.public, OTHER}) == sealed.header
    with pytest.raises(SignatureError, match="not enrolled"):
        verify_header(sealed.bundle.header, {OTHER})
    with pytest.raises(SignatureError, match="nobody else"):
        verify_header(sign(sealed.header, sealed.device, STRANGER), {sealed.device.public, STRANGER.public})
    with pytest.raises(SignatureError, match="nobody else"):
        verify_header(sign(sealed.header, STRANGER), {sealed.device.public, STRANGER.public})
    with pytest.raises(SignatureError):
        verify_header(Signed(body=sealed.bundle.header.body, signatures=()), {sealed.device.public})


EDITS: list[tuple[str, object]] = [
    ("previous", OTHER),
    ("lease_root", OTHER),
    ("redaction", OTHER),
    ("ciphertext_bytes", 131_072 + 56 + 9 * 16),
    ("ciphertext_hash", OTHER),
    ("device", OTHER),
]


@pytest.mark.parametrize(("field", "value"), EDITS, ids=[field for field, _ in EDITS])
def test_an_edited_header_does_not_verify(sealed: Any, field: str, value: object) -> None:
    edited = msgspec.structs.replace(sealed.header, **{field: value})
    forged = Signed(body=encode_bytes(canonical(edited)), signatures=sealed.bundle.header.signatures)
    with pytest.raises(SignatureError):
        verify_header(forged, {sealed.device.public, OTHER})


@settings(max_examples=60)
@given(data=st.data())
def test_no_flipped_bit_or_cut_of_a_header_verifies(sealed: Any, data: st.DataObject) -> None:
    raw = bytearray(sealed.bundle.header.raw)
    bit = data.draw(st.integers(0, 8 * len(raw) - 1))
    cut = data.draw(st.integers(0, len(raw) - 1))
    raw[bit // 8] ^= 1 << bit % 8
    for changed in (bytes(raw), sealed.bundle.header.raw[:cut]):
        forged = Signed(body=encode_bytes(changed), signatures=sealed.bundle.header.signatures)
        with pytest.raises(SignatureError):
            verify_header(forged, {sealed.device.public})


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw.replace(b'"version":1}', b'"version":2}'),
        lambda raw: raw.replace(b'"kind":"recording"', b'"kind":"diary"'),
        lambda raw: raw.replace(b'"tag":', b'"extra":1,"tag":'),
        lambda raw: raw.replace(b'"understudy/v1/seal-context"', b'"understudy/v2/seal-context"'),
        lambda raw: raw.replace(b'{"ciphertext_bytes"', b'{ "ciphertext_bytes"'),
        lambda raw: raw + b" ",
    ],
    ids=["version", "kind", "unknown field", "context", "spacing", "tail"],
)
def test_even_the_device_cannot_sign_what_is_no_header(sealed: Any, change: Callable[[bytes], bytes]) -> None:
    raw = change(sealed.bundle.header.raw)
    assert raw != sealed.bundle.header.raw
    signature = sealed.device.sign_bytes(SegmentHeader.CONTEXT, raw)
    signed = Signed(
        body=encode_bytes(raw),
        signatures=(msgspec.structs.replace(sealed.bundle.header.signatures[0], signature=signature),),
    )
    with pytest.raises(FormatError):
        verify_header(signed, {sealed.device.public})


def test_an_oversized_header_is_refused_before_its_signature(sealed: Any) -> None:
    signed = Signed(body="A" * 200_000, signatures=sealed.bundle.header.signatures)
    with pytest.raises(FormatError, match="more than"):
        verify_header(signed, {sealed.device.public})


SOURCES = Sources(opens=(OTHER,), root=OTHER)


@pytest.mark.parametrize(
    ("kind", "tag", "sources", "fits"),
    [
        ("recording", OTHER, None, True),
        ("recording", None, None, False),
        ("recording", OTHER, SOURCES, False),
        ("derived", OTHER, SOURCES, True),
        ("derived", None, SOURCES, False),
        ("derived", OTHER, None, False),
        ("pooled", None, SOURCES, True),
        ("pooled", OTHER, SOURCES, False),
        ("pooled", None, None, False),
    ],
)
def test_tag_and_sources_follow_the_kind(
    sealed: Any,
    seal_context: Callable[..., SealContext],
    kind: str,
    tag: str | None,
    sources: Sources | None,
    fits: bool,
) -> None:
    header = msgspec.structs.replace(sealed.header, seal=seal_context(kind=kind, tag=tag), sources=sources)
    if fits:
        check_header(header)
    else:
        with pytest.raises(FormatError):
            check_header(header)


@pytest.mark.parametrize(
    ("k", "n", "roles"),
    [(1, 1, ("p", "c")), (2, 3, ("p", "c1", "c2", "c3")), (1, 3, None), (2, 2, None), (1, 2, None)],
)
def test_custodians_are_one_of_one_or_two_of_three(k: int, n: int, roles: tuple[str, ...] | None) -> None:
    if roles is not None:
        assert expected_roles(Threshold(k=k, n=n)) == roles
    else:
        with pytest.raises(FormatError):
            expected_roles(Threshold(k=k, n=n))


def test_halves_must_be_those_of_the_custodians_in_order(sealed: Any) -> None:
    p, c = sealed.header.halves
    for halves in ((c, p), (p, p), (p, c, c)):
        with pytest.raises(FormatError, match="halves"):
            check_header(msgspec.structs.replace(sealed.header, halves=halves))
    with pytest.raises(FormatError, match="halves"):
        check_header(msgspec.structs.replace(sealed.header, custodians=Threshold(k=2, n=3)))


def test_a_size_outside_the_buckets_is_refused(sealed: Any) -> None:
    for size in (0, sealed.header.ciphertext_bytes + 1, 32_768 + 56 + 3 * 16):
        with pytest.raises(FormatError, match="bucket"):
            check_header(msgspec.structs.replace(sealed.header, ciphertext_bytes=size))


def test_sealed_halves_are_held_against_the_header(sealed: Any) -> None:
    p, c = sealed.bundle.halves
    check_sealed_halves(sealed.header, (p, c))
    altered = bytearray(decode_bytes(c.sealed))
    altered[-1] ^= 1
    wrong: list[tuple[tuple[SealedHalf, ...], str]] = [
        ((), "p"),
        ((p,), "c"),
        ((c, p), "p"),
        ((p, p), "c"),
        ((p, c, c), "c"),
        ((SealedHalf(role="p", sealed=c.sealed), c), "p"),
        ((p, SealedHalf(role="c", sealed=encode_bytes(bytes(altered)))), "c"),
        ((p, SealedHalf(role="c1", sealed=c.sealed)), "c"),
    ]
    for halves, role in wrong:
        with pytest.raises(HalfError) as caught:
            check_sealed_halves(sealed.header, halves)
        assert caught.value.role == role


@settings(max_examples=30)
@given(cuts=st.lists(st.integers(0, 65_672), max_size=5))
def test_a_ciphertext_is_checked_as_it_passes_by(sealed: Any, cuts: list[int]) -> None:
    ciphertext = sealed.bundle.ciphertext
    check = CiphertextCheck(sealed.header)
    edges = [0, *sorted(min(cut, len(ciphertext)) for cut in cuts), len(ciphertext)]
    for begin, end in pairwise(edges):
        check.update(ciphertext[begin:end])
    check.finish()


def test_another_ciphertext_does_not_pass(sealed: Any) -> None:
    ciphertext = sealed.bundle.ciphertext
    for changed in (ciphertext[:-1], ciphertext[:-1] + b"\x00", b""):
        check = CiphertextCheck(sealed.header)
        check.update(changed)
        with pytest.raises(SealError):
            check.finish()
    with pytest.raises(SealError, match="longer"):
        CiphertextCheck(sealed.header).update(ciphertext + b"\x00")


def test_the_next_header_can_name_this_one(sealed: Any) -> None:
    assert sealed.bundle.header.hash(SegmentHeader) == document_hash(sealed.header)
