"""The notice version: a digest of everything a participant was told and asked.

Rules

* It covers the programme's whole ``Terms``: notice text, purposes, streams, application groups,
  recipients, retention.
* A consent names it. A later document under which it is the same asks nobody again; under which it
  differs, the change is material, and capture waits for a new consent.
"""

from understudy.consent.contexts import Context
from understudy.consent.programme import Terms
from understudy.sealing.canonical import canonical, digest


def notice_hash(terms: Terms) -> str:
    """Return SHA-256(context ‖ 0x00 ‖ canonical ``terms``) as base64url, 43 characters."""
    return digest(Context.NOTICE, canonical(terms))
