"""The openings of one participant's entries: asked for by a signature, answered sealed.

Rules

* The participant asks with the personal key, the auditor with the key of the key set; nobody else is
  answered.
* Answers are pages in order of ``n``: ask again with ``after`` the last ``n`` received, up to the head.
* Page and head are read in one instant: a page that ends before the head is not the last one.
* Every request has a fresh nonce, and the head of the answer names the request's hash: an answer to an
  earlier question cannot be shown again.
"""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from understudy.consent.contexts import Context
from understudy.consent.primitives import Count, Digest, Document, ParticipantTag, ProgrammeId, Time, Value
from understudy.custody.head import SealedOpening
from understudy.sealing.signing import Signed


class OpeningsRequest(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A participant (personal key) or the auditor asks for sealed openings after number ``after``."""

    CONTEXT: ClassVar[Context] = Context.OPENINGS_REQUEST

    version: Annotated[int, Meta(ge=1, le=1)] = 1
    programme: ProgrammeId
    tag: ParticipantTag
    after: Count
    reader: Literal["participant", "auditor"]
    nonce: Digest
    time: Time


class OpeningsAnswer(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sealed openings in order of ``n``, and the head they lead to."""

    openings: tuple[SealedOpening, ...]
    head: Signed
