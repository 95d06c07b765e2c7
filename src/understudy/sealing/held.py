"""Held recordings: redacted, on the device, under the personal key, until they are shared or deleted.

Rules

* A held recording is a manifest and its segments, a file each. A file is a fresh chunk key, HPKE-sealed to
  the personal key (1,168 bytes), then its content in C2SP chunked encryption under that key. Both are bound
  to the ``HeldContext``: no file passes for another segment's, another recording's, or the manifest.
* Every rewriting takes a new key and a higher revision, so an older revision cannot stand in for a newer one
  where the reader knows the number. The manifest names the revision of every segment.
* Only the participant opens it: device and review page ask for the seed, the server cannot.

Example: ``with held_writer(file, seed.hpke.public, context) as writer: writer.write(part)``.
"""

from typing import Annotated, BinaryIO, Final, Literal

from msgspec import Meta

from understudy.consent.contexts import Context
from understudy.consent.primitives import Count, ParticipantTag, ProgrammeId, RecordingId, Value
from understudy.sealing.chunked import KEY_BYTES, ChunkKey, ChunkReader, ChunkWriter
from understudy.sealing.errors import SealError
from understudy.sealing.hpke import OVERHEAD_BYTES, HpkePrivateKey, HpkePublicKey
from understudy.sealing.info import info_for

SEALED_KEY_BYTES: Final = OVERHEAD_BYTES + KEY_BYTES

HeldPart = Annotated[str, Meta(pattern=r"^(manifest|seg_[A-Za-z0-9_-]{21}[AQgw])$(?!\n)")]
"""Which file of a held recording: ``manifest``, or the id of a segment."""


class HeldContext(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a file of a held recording is bound to."""

    version: Literal[1] = 1
    programme: ProgrammeId
    tag: ParticipantTag
    recording: RecordingId
    part: HeldPart
    revision: Count


def held_writer(sink: BinaryIO, personal: HpkePublicKey, context: HeldContext) -> ChunkWriter:
    """Return a writer that encrypts a held file into ``sink``; close it to make the file complete."""
    info = info_for(Context.HELD_RECORDING, context)
    key = ChunkKey.generate()
    try:
        sink.write(personal.seal(info, key.raw))
        return ChunkWriter(sink, key, info.chunk_context)
    finally:
        key.wipe()


def held_reader(source: BinaryIO, personal: HpkePrivateKey, context: HeldContext) -> ChunkReader:
    """Return a seekable reader of the held file in ``source``.

    Raises:
        SealError: another person's, another recording, part or revision, truncated or altered.
    """
    info = info_for(Context.HELD_RECORDING, context)
    source.seek(0)
    sealed = source.read(SEALED_KEY_BYTES)
    if len(sealed) != SEALED_KEY_BYTES:
        raise SealError("the held file is truncated")
    key = ChunkKey(personal.open(info, sealed))
    try:
        return ChunkReader(source, key, info.chunk_context, start=SEALED_KEY_BYTES)
    finally:
        key.wipe()
