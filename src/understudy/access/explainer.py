"""Who is told why: explanations of reads, for those whom a read concerns.

Rules

* Approvers, stewards and the auditor may ask about any segment; requester and readers of a grant in force
  about the segments it covers, and about each other; a participant about their own. Anybody else is refused
  alike, whether there is such a segment or not.
* What a participant said is shown to that participant. Everybody else sees one condition, held or not, and
  only under a grant in force that covers the segment, for that grant's purpose: without a grant nothing
  could be opened, and asking purpose by purpose would spell out a consent.
* What-if changes facts, never rules. Who supposes a standing or a consent is shown what is supposed and
  nothing of what is. An explanation opens nothing and makes no entry.

Example: ``explainer.explain_open(reader, segment, asker=reader).conditions`` lists what holds and what does
not.
"""

from collections.abc import Iterator
from typing import Final

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from understudy.access.errors import GrantNotFoundError, refusal
from understudy.access.explain import Explanation, explain, veiled
from understudy.access.facts import ExplainQuery, GrantFacts, OpenQuery, SegmentFacts
from understudy.access.grants import HeldGrant
from understudy.access.reads import Reads
from understudy.consent.consent import StandingState
from understudy.consent.credentials import Ed25519Credential
from understudy.consent.decisions import Allowed, Refused
from understudy.consent.errors import RefusedError
from understudy.consent.primitives import Time, Value, new_id
from understudy.consent.purposes import Activity, Purpose, ReasonCode
from understudy.consent.scope import Scope
from understudy.custody.grant import Grant
from understudy.sealing.signing import Signed

HYPOTHETICAL: Final = "none"
"""What stands for a grant's hash when there is no grant."""

_FIRST_REASON: Final = {
    Purpose.TRAIN: ReasonCode.MODEL_IMPROVEMENT,
    Purpose.EVALUATE: ReasonCode.MODEL_EVALUATION,
    Purpose.RESEARCH_ON_SAFETY: ReasonCode.SAFETY_RESEARCH,
    Purpose.DEBUG: ReasonCode.DEFECT_INVESTIGATION,
    Purpose.OWN: ReasonCode.OWN_COPY,
    Purpose.EVIDENCE: ReasonCode.LEGAL_HOLD,
    Purpose.ASSESSMENT: ReasonCode.MODEL_ASSESSMENT,
}


class WhatIf(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Facts to suppose instead of the real ones; those left unset stay as they are."""

    now: Time | UnsetType = UNSET
    purpose: Purpose | UnsetType = UNSET
    off: tuple[Activity, ...] | UnsetType = UNSET
    standing: StandingState | UnsetType = UNSET
    consented: tuple[Purpose, ...] | UnsetType = UNSET
    approvers: tuple[str, ...] | UnsetType = UNSET

    @property
    def supposes_consent(self) -> bool:
        """Whether something is supposed that a participant said."""
        return self.standing is not UNSET or self.consented is not UNSET


class Explainer:
    """Explains reads: one credential, one segment, a grant that exists or one that does not."""

    def __init__(self, reads: Reads) -> None:
        self._reads = reads
        self._grants = reads.grants

    def explain_open(
        self,
        credential: str,
        segment: str,
        *,
        asker: str,
        grant: str | None = None,
        purpose: Purpose = Purpose.TRAIN,
        what_if: WhatIf | None = None,
    ) -> Explanation:
        """Explain whether a credential could open a segment now, with a request signed now.

        Args:
            credential: the reader's hash.
            segment: the segment's id.
            asker: the hash of the credential that wants to know.
            grant: a grant's hash; without one, the credential's newest grant for ``purpose``, one that covers
                the segment first, or none at all.
            purpose: what for, where no grant is named.
            what_if: facts to suppose.

        Raises:
            RefusedError: ``no-permit``: not for the asker to know; ``unknown-segment``.
            GrantNotFoundError: no such grant.
        """
        supposed = what_if or WhatIf()
        now = self._grants.clock.now()
        facts = self._demand(asker, credential, segment, supposed)
        held = self._held(credential, grant, purpose, facts, now)
        is_own = bool(self._grants.actors.actor(asker, _tags(facts)).tags)
        is_told = is_own or supposed.supposes_consent or self._is_told(held, facts, supposed, now)
        if not is_own and (supposed.supposes_consent or not is_told):
            facts = _available(facts)
        fetch = self._reads.fetch_query(held, credential, facts, now=now)
        query = OpenQuery(
            actor=fetch.actor,
            now=now,
            programme=fetch.programme,
            grant=fetch.grant,
            segment=facts,
            is_revoked=held.is_revoked,
            in_force_at=held.in_force_at,
            off=fetch.off,
            reason=held.terms.reason,
            request_not_after=now + fetch.programme.open_seconds,
            segments=1,
            opened_this_hour=0,
        )
        decider = self._grants.decider
        explanation = explain(decider, _suppose(query, supposed), is_what_if=supposed != WhatIf())
        return explanation if is_own else veiled(explanation, decider.policies, is_told=is_told)

    def _demand(self, asker: str, about: str, segment: str, supposed: WhatIf) -> SegmentFacts:
        """Return the facts of a segment, after checking that ``asker`` may have them explained.

        Raises:
            RefusedError: it is not for the asker to know; ``unknown-segment`` to those who may ask about any.
        """
        unknown, facts = None, None
        try:
            (facts,) = self._reads.facts(self._reads.headers([segment]))
        except RefusedError as error:
            unknown = error
        query = ExplainQuery(
            actor=self._grants.actors.actor(asker, _tags(facts)),
            programme=self._grants.programme,
            about=about,
            tag=None if facts is None else facts.tag,
            parties=() if facts is None else tuple(sorted(set(self._parties(asker, facts)))),
            supposes_consent=supposed.supposes_consent,
        )
        decision = self._grants.decider.decide(query)
        if isinstance(decision, Refused):
            raise RefusedError(decision.reason, hint=decision.hint)
        if facts is None:
            raise unknown or refusal("unknown-segment")
        return facts

    def _parties(self, asker: str, facts: SegmentFacts) -> Iterator[str]:
        """Yield requester and readers of the grants in force that cover a segment and name ``asker``."""
        now = self._grants.clock.now()
        for held in self._grants.of_party(asker):
            if self._covers(held, facts, now):
                yield from (held.terms.requester, *held.facts.readers)

    def _covers(self, held: HeldGrant, facts: SegmentFacts, now: int) -> bool:
        """Return whether a grant is in force, begun or not, and would open the segment were it available."""
        query = self._reads.fetch_query(held, held.facts.readers[0], _available(facts), now=now)
        query = replace(query, now=max(now, held.terms.not_before), off=())
        return isinstance(self._grants.decider.decide(query), Allowed)

    def _is_told(self, held: HeldGrant, facts: SegmentFacts, supposed: WhatIf, now: int) -> bool:
        """Return whether availability for the purpose may be told to somebody else than the participant."""
        is_its_purpose = supposed.purpose is UNSET or supposed.purpose is held.terms.purpose
        return is_its_purpose and self._covers(held, facts, now)

    def _held(
        self, credential: str, grant: str | None, purpose: Purpose, facts: SegmentFacts, now: int
    ) -> HeldGrant:
        if grant is not None:
            found = self._grants.find(grant)
            if found is None:
                raise GrantNotFoundError("there is no such grant")
            return found
        held = [held for held in self._grants.of_reader(credential) if held.terms.purpose is purpose]
        for covering in held:
            if self._covers(covering, facts, now):
                return covering
        return held[0] if held else self._no_grant(credential, purpose, facts.tag, now)

    def _no_grant(self, credential: str, purpose: Purpose, tag: str | None, now: int) -> HeldGrant:
        """Return what a grant for this would be before anybody signed it."""
        document, actors = self._grants.documents.current, self._grants.actors
        tags = (tag,) if purpose is Purpose.OWN and tag is not None else None
        terms = Grant(
            grant=new_id("grt"),
            programme=document.programme,
            request=None,
            requester=credential,
            scope=Scope(programme=document.programme, tags=tags),
            purpose=purpose,
            reason=_FIRST_REASON[purpose],
            readers=(Ed25519Credential(public_key=credential),),  # stands in; the facts name the reader
            not_before=now,
            not_after=now + document.delays.grant_seconds,
            ceiling=1,
        )
        facts = GrantFacts(
            grant=HYPOTHETICAL,
            terms=terms,
            requester=actors.person(credential),
            requester_is_member=actors.is_member(credential),
            readers=(credential,),
            reader_persons=(actors.person(credential),),
            signers=(),
            approvers=(),
            other_signers=0,
        )
        unsigned = Signed(body="", signatures=())
        return HeldGrant(signed=unsigned, facts=facts, in_force_at=now, is_revoked=False)


def _tags(facts: SegmentFacts | None) -> tuple[str, ...]:
    return () if facts is None or facts.tag is None else (facts.tag,)


def _available(facts: SegmentFacts) -> SegmentFacts:
    """Return the segment as if its participant had accepted every purpose and changed nothing."""
    return replace(facts, consented=tuple(Purpose), standing=StandingState.ACTIVE)


def _suppose(query: OpenQuery, supposed: WhatIf) -> OpenQuery:
    grant, segment = query.grant, query.segment
    if supposed.purpose is not UNSET:
        terms = replace(grant.terms, purpose=supposed.purpose, reason=_FIRST_REASON[supposed.purpose])
        grant = replace(grant, terms=terms)
        query = replace(query, reason=terms.reason)
    if supposed.approvers is not UNSET:
        grant = replace(grant, approvers=supposed.approvers)
    if supposed.standing is not UNSET:
        segment = replace(segment, standing=supposed.standing)
    if supposed.consented is not UNSET:
        segment = replace(segment, consented=supposed.consented)
    if supposed.now is not UNSET:
        ends = supposed.now + query.programme.open_seconds
        query = replace(query, now=supposed.now, request_not_after=ends)
    if supposed.off is not UNSET:
        query = replace(query, off=supposed.off)
    return replace(query, grant=grant, segment=segment)
