"""Taking sealed segments: begin, then ciphertext piece by piece.

Rules

* The device signs the header, which names length and hash of every byte to come; pieces need no signature of
  their own.
* A piece belongs to an upload that was begun, under a random id; whoever does not know it uploads nothing.
"""

import msgspec

from understudy.consent.primitives import SegmentId
from understudy.contract.messages import UploadCall, UploadState
from understudy.contract.routes import UPLOAD_CHUNK, UPLOADS
from understudy.sealing.errors import FormatError
from understudy.vault.service import Vault
from understudy.web.calls import Call, Served

_MAX_DIGITS = 16


def served(vault: Vault) -> list[Served]:
    """Return the upload routes."""

    def begin(call: Call) -> UploadState:
        return vault.begin_upload(call.read(UploadCall))

    def append(call: Call) -> UploadState:
        return vault.append_upload(_segment(call), _offset(call), call.body)

    return [Served(UPLOADS, begin), Served(UPLOAD_CHUNK, append)]


def _segment(call: Call) -> str:
    try:
        return msgspec.convert(call.parts["segment"], SegmentId)
    except msgspec.ValidationError as error:
        raise FormatError("not a segment id") from error


def _offset(call: Call) -> int:
    text = call.query.get("offset", "")
    if not (text.isascii() and text.isdigit()) or len(text) > _MAX_DIGITS:
        raise FormatError("offset is a decimal number")
    return int(text)
