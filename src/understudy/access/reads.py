"""Who may read which segments: the facts of a read, gathered for the decision.

Rules

* What decides is the same for all segments whose header fields are the same, so each such group is decided
  once.
* A segment that is not in the catalogue is refused before any rule is asked.
* Ciphertext goes to a reader whose grant covers the segment, and to the participant whose own it is. It opens
  nothing, so fetching it makes no entry.

Example: ``reads.may_fetch(credential, segment)`` is ``Allowed`` or ``Refused(reason, hint)``.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from understudy.access.errors import REASONS, refusal
from understudy.access.facts import FetchOwnQuery, FetchQuery, OpenQuery, SegmentFacts
from understudy.access.grants import Grants, HeldGrant
from understudy.access.ports import Participants, SealedStore, Switch
from understudy.consent.consent import StandingState
from understudy.consent.decisions import Allowed, Decision, Refused
from understudy.consent.purposes import Activity, Purpose
from understudy.custody.grant import RAW, OpenRequest
from understudy.sealing.header import SegmentHeader

_READS: Final = (Activity.READS, Activity.OWN_READS)


class Reads:
    """Gathers what a decision about reading needs."""

    def __init__(
        self, grants: Grants, store: SealedStore, participants: Participants, switch: Switch
    ) -> None:
        self.grants: Final = grants
        self._store = store
        self._participants = participants
        self._switch = switch

    def headers(self, segments: Sequence[str]) -> Sequence[SegmentHeader]:
        """Return the headers of these segments, in their order.

        Raises:
            RefusedError: ``unknown-segment``.
        """
        found = self._store.headers(segments)
        if any(segment not in found for segment in segments):
            raise refusal("unknown-segment")
        return [found[segment] for segment in segments]

    def facts(self, headers: Iterable[SegmentHeader]) -> tuple[SegmentFacts, ...]:
        """Return what is known of the segments, one for each group that rules cannot tell apart."""
        groups: dict[tuple[str | None, ...], SegmentFacts] = {}
        for header in headers:
            seal = header.seal
            key = (
                seal.kind,
                seal.programme,
                seal.tag,
                seal.recording,
                seal.application_group,
                seal.task_label,
                seal.consent,
            )
            if key not in groups:
                groups[key] = self._fact(header)
        return tuple(groups.values())

    def open_query(
        self,
        held: HeldGrant,
        request: OpenRequest,
        segment: SegmentFacts,
        *,
        now: int,
        segments: int,
        opened_this_hour: int,
    ) -> OpenQuery:
        """Return the question whether a request may open a segment under a grant."""
        fetch = self.fetch_query(held, request.credential, segment, now=now)
        return OpenQuery(
            actor=fetch.actor,
            now=now,
            programme=fetch.programme,
            grant=fetch.grant,
            segment=segment,
            is_revoked=fetch.is_revoked,
            in_force_at=fetch.in_force_at,
            off=fetch.off,
            reason=request.reason,
            request_not_after=request.not_after,
            segments=segments,
            opened_this_hour=opened_this_hour,
        )

    def fetch_query(self, held: HeldGrant, credential: str, segment: SegmentFacts, *, now: int) -> FetchQuery:
        """Return the question whether a credential may fetch a segment's ciphertext under a grant."""
        tags = [tag for tag in (segment.tag, *(held.terms.scope.tags or ())[:1]) if tag is not None]
        return FetchQuery(
            actor=self.grants.actors.actor(credential, tags),
            now=now,
            programme=self.grants.programme,
            grant=held.facts,
            segment=segment,
            is_revoked=held.is_revoked,
            in_force_at=held.in_force_at,
            off=self.off(),
        )

    def may_fetch(self, credential: str, segment: str) -> Decision:
        """Return whether a credential may have a segment's ciphertext, by any grant or as its own."""
        found = self._store.headers([segment])
        if segment not in found:
            return Refused(reason="unknown-segment", hint=REASONS["unknown-segment"])
        (facts,) = self.facts([found[segment]])
        decider, grants = self.grants.decider, self.grants
        actor = grants.actors.actor(credential, [facts.tag] if facts.tag is not None else [])
        decision = decider.decide(FetchOwnQuery(actor=actor, segment=facts))
        if isinstance(decision, Allowed):
            return decision
        now = grants.clock.now()
        for held in grants.of_reader(credential):
            decision = decider.decide(self.fetch_query(held, credential, facts, now=now))
            if isinstance(decision, Allowed):
                return decision
        return decision

    def off(self) -> tuple[Activity, ...]:
        """Return which kinds of reading are stopped."""
        return tuple(activity for activity in _READS if self._switch.is_off(activity))

    def _fact(self, header: SegmentHeader) -> SegmentFacts:
        seal = header.seal
        consented: tuple[Purpose, ...] = ()
        standing = StandingState.ACTIVE
        if seal.tag is not None:
            consented = self._participants.consented(seal.consent, seal.tag)
            standing = self._participants.standing(seal.consent, seal.tag)
        return SegmentFacts(
            segment=seal.segment,
            programme=seal.programme,
            tag=seal.tag,
            recording=seal.recording,
            application_group=seal.application_group,
            task_label=seal.task_label,
            consent=seal.consent,
            label=RAW if seal.kind == "recording" else seal.kind,
            consented=consented,
            standing=standing,
        )
