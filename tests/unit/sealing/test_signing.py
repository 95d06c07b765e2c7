"""A signature holds for one document, one context and one key."""

from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.consent.contexts import Context
from understudy.consent.primitives import Count, encode_bytes
from understudy.sealing.errors import FormatError, SignatureError
from understudy.sealing.signing import (
    Document,
    Signature,
    Signed,
    SigningKey,
    document_hash,
    sign,
    verify_bytes,
    verify_note,
)


class Promise(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    CONTEXT: ClassVar[Context] = Context.GRANT
    number: Count


class Threat(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    CONTEXT: ClassVar[Context] = Context.LEASE
    number: Count


ALICE, BERT = SigningKey.from_seed(bytes([1] * 32)), SigningKey.from_seed(bytes([2] * 32))
PROMISE = Promise(number=3)
SIGNED = sign(PROMISE, ALICE, BERT)


def test_a_signed_document_comes_back() -> None:
    assert SIGNED.verify(Promise, {ALICE.public, BERT.public}) == PROMISE
    assert SIGNED.hash(Promise) == document_hash(PROMISE)
    assert SIGNED.signers == {ALICE.public, BERT.public}


def test_what_is_signed_is_context_zero_byte_and_body() -> None:
    signature = SIGNED.signatures[0]
    verify_note(
        bytes.fromhex("8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c"),
        b'understudy/v1/grant\x00{"number":3}',
        ALICE.sign_note(b'understudy/v1/grant\x00{"number":3}'),
    )
    verify_bytes(ALICE.public, Context.GRANT, SIGNED.raw, signature.signature)


def test_another_context_refuses_the_same_bytes() -> None:
    with pytest.raises(SignatureError):
        SIGNED.verify(Threat)


def test_one_bad_signature_spoils_the_good_one() -> None:
    good = SIGNED.signatures[0]
    forged = Signature(key=BERT.public, signature=good.signature)
    with pytest.raises(SignatureError):
        Signed(body=SIGNED.body, signatures=(good, forged)).verify(Promise)


def test_a_required_signature_must_be_there() -> None:
    with pytest.raises(SignatureError, match="lacks 1"):
        sign(PROMISE, ALICE).verify(Promise, {ALICE.public, BERT.public})


def test_nobody_signs_twice_and_nothing_is_valid_unsigned() -> None:
    first = SIGNED.signatures[0]
    with pytest.raises(SignatureError, match="twice"):
        Signed(body=SIGNED.body, signatures=(first, first)).verify(Promise)
    with pytest.raises(SignatureError, match="without"):
        Signed(body=SIGNED.body, signatures=()).verify(Promise)


def test_a_second_signature_is_added_once() -> None:
    both = sign(PROMISE, ALICE).with_signature(Promise, BERT)
    assert both.with_signature(Promise, BERT) == both == SIGNED


@settings(max_examples=60)
@given(st.data())
def test_no_flipped_bit_verifies(data: st.DataObject) -> None:
    body = bytearray(SIGNED.raw)
    signature = bytearray(64)
    signature[:] = ALICE.sign_note(b"understudy/v1/grant\x00" + body)
    both = body + signature
    bit = data.draw(st.integers(0, 8 * len(both) - 1))
    both[bit // 8] ^= 1 << bit % 8
    changed = Signed(
        body=encode_bytes(bytes(both[:-64])),
        signatures=(Signature(key=ALICE.public, signature=encode_bytes(bytes(both[-64:]))),),
    )
    with pytest.raises(SignatureError):
        changed.verify(Promise)


def test_signed_bytes_that_are_no_document_are_refused_after_the_signature() -> None:
    body = b'{"number": 3}'
    signature = Signature(key=ALICE.public, signature=ALICE.sign_bytes(Context.GRANT, body))
    with pytest.raises(FormatError):
        Signed(body=encode_bytes(body), signatures=(signature,)).verify(Promise)


def test_a_public_key_that_is_not_a_point_verifies_nothing() -> None:
    with pytest.raises(SignatureError):
        verify_note(b"short", b"text", bytes(64))
    with pytest.raises(SignatureError):
        verify_note(b"\xff" * 32, b"text", bytes(64))


def test_keys_come_from_32_byte_seeds_and_show_no_secret() -> None:
    with pytest.raises(FormatError):
        SigningKey.from_seed(bytes(31))
    assert SigningKey.from_seed(ALICE.seed).public == ALICE.public
    assert encode_bytes(ALICE.seed) not in repr(ALICE)
    assert SigningKey.generate().public != SigningKey.generate().public
