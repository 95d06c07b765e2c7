"""Succession: how a programme goes on when its normal signers cannot sign.

Rules

* Recovery keys do one thing only: at their threshold they sign a ``Succession`` that names the successor
  document.
* The reason is stated, and everybody sees it: recorders show old and new fingerprints and wait for the
  person.
* The successor opens a new log epoch. Capture and reads are off until the lift keys lift them.
* Recovery restores no lost half.
"""

from typing import Annotated, ClassVar

from msgspec import Meta

from understudy.consent.contexts import Context
from understudy.consent.keyset import Epoch
from understudy.consent.primitives import Digest, Document, Line, ProgrammeId, Time


class Succession(Document, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The recovery keys' word that ``document`` succeeds ``previous``, and why."""

    CONTEXT: ClassVar[Context] = Context.SUCCESSION

    version: Annotated[int, Meta(ge=1, le=1)] = 1
    programme: ProgrammeId
    previous: Digest
    document: Digest
    log_epoch: Epoch
    reason: Line
    made_at: Time
