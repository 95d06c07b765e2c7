"""Destroying a shred key destroys what only it wraps."""

import msgspec
import pytest

from understudy.consent.contexts import Context
from understudy.consent.primitives import decode_bytes, encode_bytes, new_id
from understudy.sealing.canonical import canonical, digest, parse
from understudy.sealing.errors import FormatError, SealError
from understudy.sealing.hpke import HpkePrivateKey
from understudy.sealing.shred import ShredKey, WrappedKey, rewrap

OLD, NEW = ShredKey(bytes([1] * 32)), ShredKey(bytes([2] * 32))
ESCROW = HpkePrivateKey.from_seed(bytes([3] * 32))
ID = "esc_" + encode_bytes(bytes([4] * 16))
WRAPPED = OLD.wrap(ID, ESCROW)


def test_an_escrow_key_comes_back_from_its_row() -> None:
    row = canonical(WRAPPED)
    assert OLD.unwrap(parse(WrappedKey, row)).seed == ESCROW.seed
    assert ESCROW.seed not in row
    assert encode_bytes(ESCROW.seed).encode() not in row


def test_after_rotation_the_old_key_opens_nothing_and_the_new_one_does() -> None:
    again = rewrap(OLD, NEW, WRAPPED)
    assert NEW.unwrap(again).seed == ESCROW.seed
    with pytest.raises(SealError):
        OLD.unwrap(again)
    with pytest.raises(SealError):
        NEW.unwrap(WRAPPED)
    assert rewrap(OLD, NEW, again) == again


def test_a_wrapping_renamed_to_another_shred_key_does_not_open() -> None:
    with pytest.raises(SealError):
        NEW.unwrap(msgspec.structs.replace(WRAPPED, shred_key=NEW.name))


def test_a_wrapping_moved_to_another_escrow_key_does_not_open() -> None:
    with pytest.raises(SealError):
        OLD.unwrap(msgspec.structs.replace(WRAPPED, escrow_key=new_id("esc")))


def test_an_altered_wrapping_does_not_open() -> None:
    for field in ("nonce", "sealed"):
        raw = bytearray(decode_bytes(getattr(WRAPPED.box, field)))
        raw[0] ^= 1
        box = msgspec.structs.replace(WRAPPED.box, **{field: encode_bytes(bytes(raw))})
        with pytest.raises(SealError):
            OLD.unwrap(msgspec.structs.replace(WRAPPED, box=box))
        with pytest.raises(SealError):
            rewrap(NEW, OLD, msgspec.structs.replace(WRAPPED, box=box))


def test_no_nonce_comes_twice() -> None:
    assert len({OLD.wrap(ID, ESCROW).box.nonce for _ in range(100)}) == 100


def test_a_shred_key_has_32_bytes_a_name_and_no_face() -> None:
    assert OLD.name == digest(Context.SHRED_WRAP, OLD.raw)
    assert repr(OLD) == f"ShredKey(name={OLD.name!r})"
    assert ShredKey.generate().name != ShredKey.generate().name
    with pytest.raises(FormatError):
        ShredKey(bytes(16))
