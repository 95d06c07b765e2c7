"""Nothing is derived or sealed for an unstated purpose."""

import hashlib

import pytest

from understudy.consent.contexts import Context
from understudy.sealing.info import Info, info_for
from understudy.sealing.personal import PersonalKeyInfo

LABEL = PersonalKeyInfo()


def test_info_is_context_zero_byte_and_canonical_value() -> None:
    assert info_for(Context.LEASE, LABEL).raw == b'understudy/v1/lease\x00{"version":1}'


def test_nobody_makes_an_info_from_bare_bytes() -> None:
    with pytest.raises(TypeError):
        Info(b"anything")
    with pytest.raises(AttributeError):
        info_for(Context.LEASE, LABEL).raw = b"other"  # type: ignore[misc]


def test_context_and_value_both_matter() -> None:
    assert info_for(Context.LEASE, LABEL) == info_for(Context.LEASE, LABEL)
    assert info_for(Context.LEASE, LABEL) != info_for(Context.GRANT, LABEL)
    assert len({info_for(Context.LEASE, LABEL), info_for(Context.LEASE, LABEL)}) == 1


def test_the_chunk_context_is_the_hash_of_the_info() -> None:
    info = info_for(Context.LEASE, LABEL)
    assert info.chunk_context == hashlib.sha256(info.raw).digest()
