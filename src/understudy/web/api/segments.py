"""The catalogue and the ciphertext, for readers a grant names and for participants themselves.

Rules

* A list holds what the caller may fetch, and nothing else. Whether reads are stopped does not matter to a
  list: the open itself is refused then, and logged.
* Ciphertext goes to whoever the policies let fetch it; without the door it opens nothing.
* One byte range is honoured (RFC 9110, section 14), so that chunks of a sealed segment can be read alone.
"""

import re
from typing import Final

import msgspec

from understudy.access.actors import credential_of
from understudy.access.errors import refusal
from understudy.access.grants import HeldGrant
from understudy.consent.decisions import Allowed, Refused
from understudy.consent.errors import RefusedError
from understudy.consent.scope import Scope
from understudy.contract.messages import SegmentList
from understudy.contract.routes import CIPHERTEXT, SEGMENTS
from understudy.sealing.personal import participant_tag
from understudy.web.broker import Broker
from understudy.web.calls import OCTETS, Call, Reply, Served

_RANGE: Final = re.compile(r"bytes=([0-9]{0,15})-([0-9]{0,15})\Z")
PARTIAL: Final = 206
UNSATISFIABLE: Final = 416


class SegmentCalls:
    """Answers about segments."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    def served(self) -> list[Served]:
        """Return the routes of catalogue and ciphertext."""
        return [
            Served(SEGMENTS, self.segments, expected=self.is_known),
            Served(CIPHERTEXT, self.ciphertext, expected=self.is_known),
        ]

    def is_known(self, key: str) -> bool:
        """Return whether a key is on the roster, named by a grant, or a participant's own."""
        credential = credential_of(key)
        grants = self._broker.grants
        if grants.actors.is_member(credential) or grants.is_reader(credential):
            return True
        return self._broker.programme.enrolled(self._tag(key)) is not None

    def segments(self, call: Call) -> SegmentList:
        """List what a grant covers for the caller, or the caller's own."""
        cursor = call.query.get("cursor", "")
        grant = call.query.get("grant", "")
        programme = self._broker.document.programme
        if not grant:
            scope = Scope(programme=programme, tags=(self._tag(call.caller),))
            return self._broker.vault.select(scope, cursor=cursor)
        credential = credential_of(call.caller)
        held = self._broker.grants.find(grant)
        if held is None or credential not in held.facts.readers:
            raise refusal("grant-unknown")
        page = self._broker.vault.select(held.terms.scope, cursor=cursor)
        return self._allowed(page, held, credential)

    def ciphertext(self, call: Call) -> Reply:
        """Return ciphertext, or one range of it."""
        segment = call.parts["segment"]
        decision = self._broker.reads.may_fetch(credential_of(call.caller), segment)
        if isinstance(decision, Refused):
            raise RefusedError(decision.reason, hint=decision.hint)
        size = self._broker.vault.size(segment)
        wanted = _range(call.byte_range, size)
        headers = {"accept-ranges": "bytes"}
        if wanted is None:
            return Reply(self._broker.vault.ciphertext(segment), OCTETS, headers=headers)
        start, end = wanted
        if start >= end:
            return Reply(b"", OCTETS, UNSATISFIABLE, headers | {"content-range": f"bytes */{size}"})
        headers["content-range"] = f"bytes {start}-{end - 1}/{size}"
        return Reply(self._broker.vault.ciphertext(segment, start, end - start), OCTETS, PARTIAL, headers)

    def _tag(self, key: str) -> str:
        return participant_tag(self._broker.document.programme, key)

    def _allowed(self, page: SegmentList, held: HeldGrant, credential: str) -> SegmentList:
        """Return the page without what the caller may not fetch; refuse it if that is all of it."""
        reads, now = self._broker.reads, self._broker.clock.now()
        kept, reason = [], None
        facts = reads.facts(reads.headers([entry.segment for entry in page.segments]))
        queries = reads.fetch_queries(held, credential, facts, now=now)
        for entry, query in zip(page.segments, queries, strict=True):
            decision = self._broker.grants.decider.decide(msgspec.structs.replace(query, off=()))
            if isinstance(decision, Allowed):
                kept.append(entry)
            else:
                reason = reason or decision
        if not kept and reason is not None and not page.next:
            raise RefusedError(reason.reason, hint=reason.hint)
        return SegmentList(segments=tuple(kept), next=page.next)


def _range(header: str | None, size: int) -> tuple[int, int] | None:
    """Return start and end of the one range asked for, None for the whole.

    >>> _range("bytes=2-3", 10), _range("bytes=8-", 10), _range("bytes=-4", 10), _range("lines=1-2", 10)
    ((2, 4), (8, 10), (6, 10), None)
    >>> _range("bytes=10-12", 10)
    (10, 10)
    """
    match = _RANGE.match(header or "")
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        return max(size - int(match[2]), 0), size
    start = int(match[1])
    end = min(int(match[2]) + 1, size) if match[2] else size
    if match[2] and int(match[2]) < start:
        return None
    return min(start, size), end
