"""A held recording is its owner's alone, in one revision."""

import io
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.consent.primitives import encode_bytes
from understudy.sealing.errors import SealError
from understudy.sealing.held import SEALED_KEY_BYTES, HeldContext, held_reader, held_writer
from understudy.sealing.personal import PersonalSeed

SEED = PersonalSeed(bytes([1] * 32))
CONTEXT = HeldContext(
    programme="prg_" + encode_bytes(bytes([1] * 16)),
    tag=encode_bytes(bytes([2] * 32)),
    recording="rec_" + encode_bytes(bytes([3] * 16)),
    part="seg_" + encode_bytes(bytes([4] * 16)),
    revision=4,
)
RECORDING = Random(1).randbytes(50_000)


def _hold(recording: bytes = RECORDING) -> bytes:
    sink = io.BytesIO()
    with held_writer(sink, SEED.hpke.public, CONTEXT) as writer:
        for at in range(0, len(recording), 9_999):
            writer.write(recording[at : at + 9_999])
    return sink.getvalue()


HELD = _hold()


def test_the_owner_reads_any_stretch() -> None:
    reader = held_reader(io.BytesIO(HELD), SEED.hpke, CONTEXT)
    assert reader.read() == RECORDING
    reader.seek(30_000)
    assert reader.read(10) == RECORDING[30_000:30_010]


def test_nobody_else_does() -> None:
    with pytest.raises(SealError):
        held_reader(io.BytesIO(HELD), PersonalSeed.generate().hpke, CONTEXT)


@pytest.mark.parametrize(
    "change",
    [
        {"revision": 3},
        {"part": "seg_" + encode_bytes(bytes([9] * 16))},
        {"part": "manifest"},
        {"recording": "rec_" + encode_bytes(bytes([9] * 16))},
        {"tag": encode_bytes(bytes([9] * 32))},
        {"programme": "prg_" + encode_bytes(bytes([9] * 16))},
    ],
    ids=["revision", "segment", "manifest", "recording", "tag", "programme"],
)
def test_another_recording_part_or_revision_does_not_pass_for_this_one(change: dict[str, object]) -> None:
    with pytest.raises(SealError):
        held_reader(io.BytesIO(HELD), SEED.hpke, msgspec.structs.replace(CONTEXT, **change))


def test_the_key_of_one_file_does_not_open_another() -> None:
    other = _hold()
    assert other[:SEALED_KEY_BYTES] != HELD[:SEALED_KEY_BYTES]
    with pytest.raises(SealError):
        held_reader(io.BytesIO(other[:SEALED_KEY_BYTES] + HELD[SEALED_KEY_BYTES:]), SEED.hpke, CONTEXT)


@settings(max_examples=40)
@given(st.integers(0, 8 * len(HELD) - 1), st.integers(0, len(HELD) - 1))
def test_no_flipped_bit_or_cut_is_read(bit: int, cut: int) -> None:
    changed = bytearray(HELD)
    changed[bit // 8] ^= 1 << bit % 8
    for file in (bytes(changed), HELD[:cut]):
        with pytest.raises(SealError):
            held_reader(io.BytesIO(file), SEED.hpke, CONTEXT).read()
