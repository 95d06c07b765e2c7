"""Everything of a participant's comes back from the recovery code alone."""

import hashlib

import pytest

from understudy.consent.primitives import decode_bytes, encode_bytes
from understudy.sealing.errors import FormatError, RecoveryCodeError
from understudy.sealing.personal import PersonalSeed, participant_tag

PROGRAMME = "prg_" + encode_bytes(bytes(range(16)))
SEED = PersonalSeed(bytes(range(32)))


def test_the_recovery_code_gives_keys_and_tag_back() -> None:
    again = PersonalSeed.from_recovery_code(SEED.recovery_code().lower())
    assert again.signing.public == SEED.signing.public
    assert again.hpke.public == SEED.hpke.public
    assert again.tag(PROGRAMME) == SEED.tag(PROGRAMME)
    with pytest.raises(RecoveryCodeError):
        PersonalSeed.from_recovery_code(SEED.recovery_code()[:-1])


def test_the_two_keys_share_nothing() -> None:
    assert len({SEED.raw, SEED.signing.seed, SEED.hpke.seed}) == 3


def test_a_tag_is_the_digest_of_programme_and_key() -> None:
    signing = SEED.signing.public
    expected = hashlib.sha256(b"understudy/v1/tag\x00" + PROGRAMME.encode() + decode_bytes(signing)).digest()
    assert participant_tag(PROGRAMME, signing) == encode_bytes(expected) == SEED.tag(PROGRAMME)
    assert SEED.tag("prg_" + encode_bytes(bytes(16))) != SEED.tag(PROGRAMME)
    with pytest.raises(FormatError):
        participant_tag(PROGRAMME, signing[:-1] + "B")


def test_a_seed_is_32_bytes_random_and_not_shown() -> None:
    assert PersonalSeed.generate().raw != PersonalSeed.generate().raw
    assert repr(SEED) == "PersonalSeed()"
    with pytest.raises(FormatError):
        PersonalSeed(bytes(16))
