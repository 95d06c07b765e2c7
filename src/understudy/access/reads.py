"""Who may read which segments: the facts of a read, gathered for the decision.

Rules

* What decides is the same for all segments whose header fields are the same, so each such group is decided
  once.
* A segment that is not in the catalogue is refused before any rule is asked.
* Ciphertext goes to a reader whose grant covers the segment, and to the participant whose own it is. It opens
  nothing, so fetching it makes no entry.

Example: ``reads.may_fetch(credential, segment)`` is ``Allowed`` or ``Refused(reason, hint)``.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from understudy.access.errors import REASONS, refusal
from understudy.access.facts import Actor, FetchOwnQuery, FetchQuery, OpenQuery, SegmentFacts
from understudy.access.grants import Grants, HeldGrant
from understudy.access.ports import Participants, Said, SealedStore, Switch
from understudy.consent.consent import StandingState
from understudy.consent.decisions import Allowed, Decision, Refused
from understudy.consent.purposes import Activity, Purpose
from understudy.custody.grant import RAW, OpenRequest
from understudy.sealing.header import SegmentHeader


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

    def said(self, headers: Iterable[SegmentHeader]) -> Mapping[tuple[str, str], Said]:
        """Return what the participants of these segments said about the consent versions they are under."""
        seals = (header.seal for header in headers)
        return self._participants.said({(seal.tag, seal.consent) for seal in seals if seal.tag is not None})

    def facts(
        self,
        headers: Sequence[SegmentHeader],
        said: Mapping[tuple[str, str], Said] | None = None,
    ) -> tuple[SegmentFacts, ...]:
        """Return what is known of each segment, in order.

        Args:
            headers: the segments' headers.
            said: the answer of ``said``, if the caller has it already.
        """
        known = self.said(headers) if said is None else said
        return tuple(_facts(header, known) for header in headers)

    def groups(
        self,
        headers: Sequence[SegmentHeader],
        said: Mapping[tuple[str, str], Said] | None = None,
    ) -> tuple[SegmentFacts, ...]:
        """Return the facts of one segment for each group that no rule can tell apart."""
        groups: dict[SegmentFacts, SegmentFacts] = {}
        for facts in self.facts(headers, said):
            groups.setdefault(replace(facts, segment=""), facts)
        return tuple(groups.values())

    def fetch_query(self, held: HeldGrant, credential: str, segment: SegmentFacts, *, now: int) -> FetchQuery:
        """Return the question whether a credential may fetch a segment's ciphertext under a grant."""
        return self.fetch_queries(held, credential, [segment], now=now)[0]

    def fetch_queries(
        self, held: HeldGrant, credential: str, segments: Sequence[SegmentFacts], *, now: int
    ) -> tuple[FetchQuery, ...]:
        """Return the questions whether a credential may fetch segments' ciphertext under a grant."""
        actor, programme = self._actor(held, credential, segments), self.grants.programme
        off = self.off(held.terms.purpose)
        return tuple(
            FetchQuery(
                actor=actor,
                now=now,
                programme=programme,
                grant=held.facts,
                segment=segment,
                is_revoked=held.is_revoked,
                in_force_at=held.in_force_at,
                off=off,
            )
            for segment in segments
        )

    def open_queries(
        self,
        held: HeldGrant,
        request: OpenRequest,
        segments: Sequence[SegmentFacts],
        *,
        now: int,
        opened_this_hour: int,
    ) -> tuple[OpenQuery, ...]:
        """Return the questions whether a request may open segments under a grant."""
        return tuple(
            OpenQuery(
                actor=fetch.actor,
                now=now,
                programme=fetch.programme,
                grant=fetch.grant,
                segment=fetch.segment,
                is_revoked=fetch.is_revoked,
                in_force_at=fetch.in_force_at,
                off=fetch.off,
                reason=request.reason,
                request_not_after=request.not_after,
                segments=request.segments,
                opened_this_hour=opened_this_hour,
            )
            for fetch in self.fetch_queries(held, request.credential, segments, now=now)
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

    def off(self, purpose: Purpose) -> tuple[Activity, ...]:
        """Return what stops reading for a purpose, if it is stopped."""
        activity = Activity.OWN_READS if purpose is Purpose.OWN else Activity.READS
        return (activity,) if self._switch.is_off(activity) else ()

    def _actor(self, held: HeldGrant, credential: str, segments: Sequence[SegmentFacts]) -> Actor:
        """Return who reads; whom they speak for matters under a self-grant only."""
        tags: set[str] = set()
        if held.terms.purpose is Purpose.OWN:
            tags = {segment.tag for segment in segments if segment.tag is not None}
            tags.update((held.terms.scope.tags or ())[:1])
        return self.grants.actors.actor(credential, tags)


def _facts(header: SegmentHeader, said: Mapping[tuple[str, str], Said]) -> SegmentFacts:
    seal = header.seal
    known = None if seal.tag is None else said.get((seal.tag, seal.consent))
    return SegmentFacts(
        segment=seal.segment,
        programme=seal.programme,
        tag=seal.tag,
        recording=seal.recording,
        application_group=seal.application_group,
        task_label=seal.task_label,
        consent=seal.consent,
        label=RAW if seal.kind == "recording" else seal.kind,
        consented=() if known is None else known.purposes,
        standing=StandingState.ACTIVE if known is None else known.standing,
    )
