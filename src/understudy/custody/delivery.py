"""What a broker brings to a custodian for one entry.

Rules

* It carries openings, never halves. Everything in it is checked against the witnessed log and the
  custodian's own deposits; nothing is believed because the broker says it.
* ``leaves`` continues the custodian's mirror from ``start``, so that one message proves consistency and
  inclusion; a custodian further behind pulls the rest from the log itself.
* ``grant`` and ``request`` are absent when an older entry is delivered only to be admitted.
"""

from typing import Annotated

from msgspec import Meta

from understudy.consent.primitives import Bytes, Count, Value
from understudy.sealing.signing import Signed
from understudy.transparency.leaves import MAX_SEGMENTS, Opening


class Delivery(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry with its openings, and what authorises it."""

    index: Count
    openings: Annotated[tuple[Opening, ...], Meta(min_length=1, max_length=MAX_SEGMENTS)]
    start: Count
    leaves: Annotated[tuple[Bytes, ...], Meta(max_length=256)]
    checkpoint: Bytes
    grant: Signed | None
    request: Signed | None
