"""A segment opens with both halves, its own, under its own header, and in no other way."""

import io
from collections.abc import Callable
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.consent.contexts import Context
from understudy.consent.primitives import encode_bytes
from understudy.sealing import chunked, padding
from understudy.sealing.canonical import digest
from understudy.sealing.chunked import ChunkReader
from understudy.sealing.errors import FormatError, HalfError, SealError, SignatureError
from understudy.sealing.half import Half, Role
from understudy.sealing.header import SealContext, SealedHalf, SegmentHeader, Sources, verify_header
from understudy.sealing.hpke import HpkePrivateKey
from understudy.sealing.segment import (
    SealedSegment,
    _chunk_info,
    _segment_key,
    open_half,
    open_segment,
    read_segment,
    seal_segment,
)
from understudy.sealing.signing import SigningKey, sign

PAYLOAD = Random(11).randbytes(40_000)
CUSTODIANS = tuple(HpkePrivateKey.from_seed(bytes([20 + number] * 32)) for number in range(3))


def test_a_segment_comes_back(sealed: Any) -> None:
    opened = open_segment(sealed.header, sealed.bundle.ciphertext, sealed.half_p, sealed.half_c)
    assert opened == PAYLOAD
    assert (
        open_segment(sealed.header, io.BytesIO(sealed.bundle.ciphertext), sealed.half_p, sealed.half_c)
        == PAYLOAD
    )


@pytest.mark.parametrize("size", [0, 1, 65_528, 65_529, 300_000])
def test_every_size_comes_back_in_its_bucket(seal: Callable[..., Any], size: int) -> None:
    payload = Random(size).randbytes(size)
    sealed = seal(payload)
    assert open_segment(sealed.header, sealed.bundle.ciphertext, sealed.half_p, sealed.half_c) == payload
    assert len(sealed.bundle.ciphertext) == chunked.ciphertext_bytes(padding.bucket_bytes(size))


def test_sealing_the_same_again_shares_no_key_and_no_byte(seal: Callable[..., Any]) -> None:
    one, two = seal(), seal()
    assert one.half_p.raw != two.half_p.raw
    assert one.half_c.raw != two.half_c.raw
    assert one.bundle.ciphertext[:56] != two.bundle.ciphertext[:56]


# Halves


def test_halves_in_each_others_place_are_refused(sealed: Any) -> None:
    p, c = sealed.bundle.halves
    with pytest.raises(HalfError) as caught:
        open_half("p", sealed.header, c, sealed.escrow)
    assert caught.value.role == "p"
    with pytest.raises(HalfError) as caught:
        open_half("c", sealed.header, p, sealed.custodian)
    assert caught.value.role == "c"
    relabelled = SealedHalf(role="p", sealed=c.sealed)
    with pytest.raises(HalfError):
        open_half("p", sealed.header, relabelled, sealed.custodian)
    for half_p, half_c, role in (
        (sealed.half_c, sealed.half_p, "p"),
        (sealed.half_p, sealed.half_p, "c"),
        (sealed.half_c, sealed.half_c, "p"),
    ):
        with pytest.raises(HalfError) as caught:
            open_segment(sealed.header, sealed.bundle.ciphertext, half_p, half_c)
        assert caught.value.role == role


def test_a_half_under_the_other_role_is_caught_by_its_commitment(sealed: Any) -> None:
    swapped = Half("p", bytes(sealed.half_c.raw)), Half("c", bytes(sealed.half_p.raw))
    with pytest.raises(HalfError) as caught:
        open_segment(sealed.header, sealed.bundle.ciphertext, *swapped)
    assert caught.value.role == "p"


def test_a_half_of_another_segment_is_refused_and_named(sealed: Any, seal: Callable[..., Any]) -> None:
    other = seal(segment="seg_" + encode_bytes(bytes([9] * 16)))
    holders: tuple[tuple[Role, HpkePrivateKey, int], ...]
    holders = (("p", sealed.escrow, 0), ("c", sealed.custodian, 1))
    for role, private, index in holders:
        with pytest.raises(HalfError) as caught:
            open_half(role, sealed.header, other.bundle.halves[index], private)
        assert caught.value.role == role
    for half_p, half_c, role in (
        (other.half_p, sealed.half_c, "p"),
        (sealed.half_p, other.half_c, "c"),
    ):
        with pytest.raises(HalfError) as caught:
            open_segment(sealed.header, sealed.bundle.ciphertext, half_p, half_c)
        assert caught.value.role == role


def test_a_sealed_half_beside_a_header_that_names_it_is_still_bound_to_its_segment(
    sealed: Any, seal: Callable[..., Any]
) -> None:
    # A dishonest device signs a new header around another segment's sealed half and commitment.
    other = seal(segment="seg_" + encode_bytes(bytes([9] * 16)))
    forged = msgspec.structs.replace(sealed.header, halves=(sealed.header.halves[0], other.header.halves[1]))
    with pytest.raises(HalfError, match="not sealed to this key for this segment"):
        open_half("c", forged, other.bundle.halves[1], sealed.custodian)


def test_a_half_that_the_device_did_not_commit_to_is_refused(sealed: Any) -> None:
    wrong = Half("c", bytes(32))
    with pytest.raises(HalfError, match="committed"):
        open_segment(sealed.header, sealed.bundle.ciphertext, sealed.half_p, wrong)
    records = (
        sealed.header.halves[0],
        msgspec.structs.replace(sealed.header.halves[1], commitment=wrong.commitment),
    )
    with pytest.raises(HalfError, match="committed"):
        open_half(
            "c",
            msgspec.structs.replace(sealed.header, halves=records),
            sealed.bundle.halves[1],
            sealed.custodian,
        )


def test_another_key_holder_opens_no_half(sealed: Any) -> None:
    holders: tuple[tuple[Role, HpkePrivateKey, int], ...]
    holders = (("p", sealed.custodian, 0), ("c", sealed.escrow, 1))
    for role, private, index in holders:
        with pytest.raises(HalfError):
            open_half(role, sealed.header, sealed.bundle.halves[index], private)


def test_one_half_alone_says_nothing_about_the_key(sealed: Any) -> None:
    for half_p, half_c in ((sealed.half_p, Half.generate("c")), (Half.generate("p"), sealed.half_c)):
        key = _segment_key(sealed.header.seal, half_p, half_c)
        with pytest.raises(SealError):
            chunked.decrypt(key, _chunk_info(sealed.header.seal).chunk_context, sealed.bundle.ciphertext)


# Header and ciphertext

EDITS: list[tuple[str, object]] = [
    ("programme", "prg_" + encode_bytes(bytes([9] * 16))),
    ("tag", encode_bytes(bytes([9] * 32))),
    ("recording", "rec_" + encode_bytes(bytes([9] * 16))),
    ("segment", "seg_" + encode_bytes(bytes([9] * 16))),
    ("consent", encode_bytes(bytes([9] * 32))),
    ("key_set", encode_bytes(bytes([9] * 32))),
    ("escrow_key", "esc_" + encode_bytes(bytes([9] * 16))),
    ("application_group", "mail"),
    ("task_label", "other"),
    ("kind", "derived"),
]


@pytest.mark.parametrize(("field", "value"), EDITS, ids=[field for field, _ in EDITS])
def test_every_field_of_the_seal_context_is_bound_to_key_and_halves(
    sealed: Any, field: str, value: object
) -> None:
    sources = Sources(opens=(encode_bytes(bytes(32)),), root=encode_bytes(bytes(32)))
    edited = msgspec.structs.replace(
        sealed.header,
        seal=msgspec.structs.replace(sealed.header.seal, **{field: value}),
        sources=sources if value == "derived" else None,
    )
    resigned = verify_header(sign(edited, sealed.device), {sealed.device.public})
    with pytest.raises(HalfError):
        open_half("p", resigned, sealed.bundle.halves[0], sealed.escrow)
    with pytest.raises(SealError):
        open_segment(resigned, sealed.bundle.ciphertext, sealed.half_p, sealed.half_c)
    with pytest.raises(SealError):
        read_segment(resigned, io.BytesIO(sealed.bundle.ciphertext), sealed.half_p, sealed.half_c)


def test_a_replayed_segment_id_opens_neither_halves_nor_ciphertext_of_the_first(
    sealed: Any, seal: Callable[..., Any]
) -> None:
    again = seal(b"something else")
    assert again.header.seal == sealed.header.seal
    with pytest.raises(HalfError):
        open_half("p", again.header, sealed.bundle.halves[0], sealed.escrow)
    with pytest.raises(HalfError):
        open_segment(again.header, again.bundle.ciphertext, sealed.half_p, sealed.half_c)
    with pytest.raises(SealError, match="header names"):
        open_segment(again.header, sealed.bundle.ciphertext, again.half_p, again.half_c)
    with pytest.raises(SealError):
        read_segment(again.header, io.BytesIO(sealed.bundle.ciphertext), again.half_p, again.half_c)


@settings(max_examples=40)
@given(bit=st.integers(0, 8 * 65_672 - 1))
def test_no_flipped_bit_of_the_ciphertext_opens(sealed: Any, bit: int) -> None:
    changed = bytearray(sealed.bundle.ciphertext)
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(SealError):
        open_segment(sealed.header, changed, sealed.half_p, sealed.half_c)
    key = _segment_key(sealed.header.seal, sealed.half_p, sealed.half_c)
    with pytest.raises(SealError):
        ChunkReader(io.BytesIO(changed), key, _chunk_info(sealed.header.seal).chunk_context).readall()


@settings(max_examples=30)
@given(cut=st.integers(0, 65_671), more=st.integers(1, 40_000))
def test_no_shorter_or_longer_ciphertext_opens(sealed: Any, cut: int, more: int) -> None:
    for changed in (sealed.bundle.ciphertext[:cut], sealed.bundle.ciphertext + bytes(more)):
        for shape in (changed, io.BytesIO(changed)):
            with pytest.raises(SealError):
                open_segment(sealed.header, shape, sealed.half_p, sealed.half_c)
        with pytest.raises(SealError):
            read_segment(sealed.header, io.BytesIO(changed), sealed.half_p, sealed.half_c)


@pytest.mark.parametrize(
    ("plaintext", "reader_too"),
    [
        ((10).to_bytes(8, "big") + bytes(10) + b"\x01" + bytes(65_517), False),
        ((70_000).to_bytes(8, "big") + bytes(65_528), True),
        ((10).to_bytes(8, "big") + bytes(131_064), True),
    ],
    ids=["padding not zero", "length beyond the bucket", "larger bucket than needed"],
)
def test_a_device_that_pads_wrongly_is_caught_on_opening(
    sealed: Any, plaintext: bytes, reader_too: bool
) -> None:
    key = _segment_key(sealed.header.seal, sealed.half_p, sealed.half_c)
    ciphertext = chunked.encrypt(key, _chunk_info(sealed.header.seal).chunk_context, plaintext)
    header = msgspec.structs.replace(
        sealed.header,
        ciphertext_bytes=len(ciphertext),
        ciphertext_hash=digest(Context.CIPHERTEXT, ciphertext),
    )
    with pytest.raises(SealError, match="padding"):
        open_segment(header, ciphertext, sealed.half_p, sealed.half_c)
    if reader_too:
        with pytest.raises(SealError, match="padding"):
            read_segment(header, io.BytesIO(ciphertext), sealed.half_p, sealed.half_c)


def test_a_payload_over_the_limit_is_refused(seal: Callable[..., Any]) -> None:
    with pytest.raises(FormatError, match="at most"):
        seal(bytes(padding.MAX_PAYLOAD_BYTES + 1))


# Random access


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 40_100), st.integers(0, 20_000)), max_size=4))
def test_reading_anywhere_equals_slicing(sealed: Any, reads: list[tuple[int, int]]) -> None:
    with read_segment(
        sealed.header, io.BytesIO(sealed.bundle.ciphertext), sealed.half_p, sealed.half_c
    ) as reader:
        assert reader.length == len(PAYLOAD)
        for offset, size in reads:
            reader.seek(offset)
            assert reader.read(size) == PAYLOAD[offset : offset + size]
            assert reader.tell() == offset + len(PAYLOAD[offset : offset + size])


def test_padding_is_never_handed_out(sealed: Any) -> None:
    reader = read_segment(sealed.header, io.BytesIO(sealed.bundle.ciphertext), sealed.half_p, sealed.half_c)
    assert reader.read() == PAYLOAD
    assert reader.read(1) == b""
    assert reader.seek(-5, io.SEEK_END) == len(PAYLOAD) - 5
    assert reader.seek(2, io.SEEK_CUR) == len(PAYLOAD) - 3
    assert reader.read(100) == PAYLOAD[-3:]
    with pytest.raises(FormatError):
        reader.seek(-1)
    reader.close()
    with pytest.raises((SealError, ValueError)):
        reader.read(1)


# Three custodians


@pytest.fixture(scope="module")
def shared(seal_context: Callable[..., SealContext]) -> tuple[SealedSegment, SegmentHeader, tuple[Half, ...]]:
    device, escrow = SigningKey.generate(), HpkePrivateKey.generate()
    bundle = seal_segment(
        PAYLOAD,
        seal_context(),
        previous=None,
        lease_root=encode_bytes(bytes(32)),
        redaction=encode_bytes(bytes(32)),
        device=device,
        escrow=escrow.public,
        custodian=(CUSTODIANS[0].public, CUSTODIANS[1].public, CUSTODIANS[2].public),
    )
    header = verify_header(bundle.header, {device.public})
    privates = (escrow, *CUSTODIANS)
    halves = tuple(
        open_half(sealed.role, header, sealed, private)
        for sealed, private in zip(bundle.halves, privates, strict=True)
    )
    return bundle, header, halves


@pytest.mark.parametrize("pair", [(1, 2), (3, 1), (2, 3), (1, 2, 3)])
def test_any_two_of_three_custodians_open(shared: Any, pair: tuple[int, ...]) -> None:
    bundle, header, halves = shared
    assert (header.custodians.k, header.custodians.n) == (2, 3)
    assert open_segment(header, bundle.ciphertext, halves[0], tuple(halves[at] for at in pair)) == PAYLOAD


def test_one_of_three_custodians_is_not_enough(shared: Any) -> None:
    bundle, header, halves = shared
    for given_halves in (halves[1], (halves[1],), (halves[1], halves[1]), ()):
        with pytest.raises(HalfError):
            open_segment(header, bundle.ciphertext, halves[0], given_halves)


def test_a_wrong_share_is_named(shared: Any) -> None:
    bundle, header, halves = shared
    wrong = Half("c3", b"\x03" + bytes(32))
    with pytest.raises(HalfError) as caught:
        open_segment(header, bundle.ciphertext, halves[0], (halves[1], wrong))
    assert caught.value.role == "c3"


def test_shares_and_a_single_half_are_not_mixed_up(shared: Any, sealed: Any) -> None:
    bundle, header, halves = shared
    with pytest.raises(HalfError):
        open_segment(header, bundle.ciphertext, halves[0], sealed.half_c)
    with pytest.raises(HalfError):
        open_segment(sealed.header, sealed.bundle.ciphertext, sealed.half_p, (halves[1], halves[2]))
    with pytest.raises(HalfError):
        open_segment(header, bundle.ciphertext, halves[0], (halves[0], halves[1]))


def test_derived_and_pooled_data_pass_the_same_door(seal_context: Callable[..., SealContext]) -> None:
    worker, key = SigningKey.generate(), HpkePrivateKey.generate()
    sources = Sources(opens=(encode_bytes(bytes(32)),), root=encode_bytes(bytes([1] * 32)))
    for kind, tag in (("derived", encode_bytes(bytes([1] * 32))), ("pooled", None)):
        bundle = seal_segment(
            b"weights",
            seal_context(kind=kind, tag=tag),
            previous=None,
            lease_root=encode_bytes(bytes(32)),
            redaction=encode_bytes(bytes(32)),
            device=worker,
            escrow=key.public,
            custodian=key.public,
            sources=sources,
        )
        header = verify_header(bundle.header, {worker.public})
        p, c = (open_half(half.role, header, half, key) for half in bundle.halves)
        assert open_segment(header, bundle.ciphertext, p, c) == b"weights"


def test_a_context_that_breaks_a_rule_is_never_sealed(seal: Callable[..., Any], sealed: Any) -> None:
    with pytest.raises(FormatError):
        seal(kind="pooled")
    with pytest.raises(FormatError):
        seal(tag=None)


def test_a_header_signed_for_something_else_opens_nothing(sealed: Any) -> None:
    stranger = SigningKey.generate()
    with pytest.raises(SignatureError):
        verify_header(sign(sealed.header, stranger), {sealed.device.public})
