"""The run's key: chunks open in their own file under their own number, and nowhere else."""

import pytest

from understudy.sealing.errors import FormatError, SealError
from understudy.sealing.run import RUN_KEY_BYTES, RunKey


def test_a_chunk_opens_under_its_own_number_and_file_only() -> None:
    key = RunKey.generate()
    sealed = key.sealer("one").seal(3, b"content")
    assert RunKey(bytes(key.raw)).sealer("one").open(3, sealed) == b"content"
    for sealer, number in (
        (key.sealer("one"), 2),
        (key.sealer("two"), 3),
        (RunKey.generate().sealer("one"), 3),
    ):
        with pytest.raises(SealError):
            sealer.open(number, sealed)


def test_every_altered_byte_is_noticed() -> None:
    sealer = RunKey.generate().sealer("one")
    sealed = bytearray(sealer.seal(0, b"content"))
    for place in range(len(sealed)):
        sealed[place] ^= 1
        with pytest.raises(SealError):
            sealer.open(0, bytes(sealed))
        sealed[place] ^= 1
    with pytest.raises(SealError):
        sealer.open(0, bytes(sealed[:10]))


def test_two_files_of_one_run_never_share_a_key_stream() -> None:
    key = RunKey.generate()
    assert key.sealer("one").seal(0, bytes(64)) != key.sealer("two").seal(0, bytes(64))


def test_a_key_shows_itself_to_nobody_and_can_be_wiped() -> None:
    key = RunKey(bytes(range(RUN_KEY_BYTES)))
    assert repr(key) == "RunKey()"
    assert repr(key.sealer("one")) == "RunSealer()"
    key.wipe()
    assert bytes(key.raw) == bytes(RUN_KEY_BYTES)
    with pytest.raises(FormatError):
        RunKey(b"short")
