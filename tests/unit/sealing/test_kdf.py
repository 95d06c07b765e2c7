"""A derived key belongs to one secret and one purpose. Wycheproof's vectors: ``test_wycheproof.py``."""

import hashlib
import hmac

import pytest

from understudy.consent.contexts import Context
from understudy.sealing.errors import FormatError
from understudy.sealing.info import info_for
from understudy.sealing.kdf import hkdf
from understudy.sealing.personal import PersonalKeyInfo

INFO = info_for(Context.PERSONAL_HPKE, PersonalKeyInfo())


def test_hkdf_is_rfc_5869_with_an_empty_salt() -> None:
    prk = hmac.digest(bytes(32), b"secret", "sha256")
    first = hmac.digest(prk, INFO.raw + b"\x01", "sha256")
    second = hmac.digest(prk, first + INFO.raw + b"\x02", "sha256")
    assert hkdf(b"secret", INFO, 50) == (first + second)[:50]


def test_another_purpose_gives_another_key() -> None:
    other = info_for(Context.PERSONAL_SIGNING, PersonalKeyInfo())
    assert hkdf(b"secret", INFO, 32) != hkdf(b"secret", other, 32)
    assert hkdf(bytearray(b"secret"), INFO, 32) == hkdf(b"secret", INFO, 32)


@pytest.mark.parametrize("length", [0, -1, 255 * 32 + 1])
def test_lengths_outside_the_specification_are_refused(length: int) -> None:
    with pytest.raises(FormatError):
        hkdf(hashlib.sha256().digest(), INFO, length)
