"""Why, or why not: a decision taken apart into the conditions it rests on.

Rules

* An explanation is made from the policies themselves: one condition for every ``forbid`` rule that speaks
  of the action, in the words of its ``@says``, held or not; and the ``permit`` rules that fire. Nothing is
  paraphrased.
* The decision shown is the decision made: the same policies, the same facts, the same code.
* What-if changes facts, never rules. An explanation opens nothing and makes no entry.
* Roster members may ask about anybody, everybody about themselves, participants about their own recordings.

Example: ``explain(decider, query).conditions`` lists what holds and what does not.
"""

from collections.abc import Callable, Mapping
from typing import Final

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from understudy.access.decide import Decider
from understudy.access.errors import GrantNotFoundError
from understudy.access.facts import (
    ApproveQuery,
    ExplainQuery,
    GrantFacts,
    GrantQuery,
    LiftQuery,
    OpenQuery,
    Query,
    ReadQuery,
)
from understudy.access.grants import HeldGrant
from understudy.access.policy import Action
from understudy.access.reads import Reads
from understudy.consent.consent import StandingState
from understudy.consent.credentials import Ed25519Credential
from understudy.consent.decisions import Decision, Refused
from understudy.consent.errors import RefusedError
from understudy.consent.primitives import Digest, Time, Value, new_id
from understudy.consent.purposes import Activity, Purpose, ReasonCode
from understudy.consent.scope import Scope
from understudy.custody.grant import APPROVALS_FOR_RAW, Grant
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


class Condition(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One rule: what it asks for, whether that holds, and what to do if it does not."""

    rule: str
    says: str
    holds: bool
    detail: str = ""
    reason: str = ""
    hint: str = ""


class Explanation(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A decision and everything it rests on."""

    action: Action
    credential: Digest
    person: str
    decision: Decision
    permits: tuple[str, ...]
    conditions: tuple[Condition, ...]
    policy: Digest
    is_what_if: bool = False


class WhatIf(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Facts to suppose instead of the real ones; those left unset stay as they are."""

    now: Time | UnsetType = UNSET
    purpose: Purpose | UnsetType = UNSET
    off: tuple[Activity, ...] | UnsetType = UNSET
    standing: StandingState | UnsetType = UNSET
    consented: tuple[Purpose, ...] | UnsetType = UNSET
    approvers: tuple[str, ...] | UnsetType = UNSET


def explain(decider: Decider, query: Query, *, is_what_if: bool = False) -> Explanation:
    """Return the decision about ``query`` with every condition it rests on."""
    verdict = decider.weigh(query)
    broken = {rule.id for rule in verdict.fired if not rule.is_permit}
    return Explanation(
        action=query.ACTION,
        credential=query.actor.credential,
        person=query.actor.person,
        decision=verdict.decision,
        permits=tuple(rule.id for rule in decider.permits(query)),
        conditions=tuple(
            Condition(
                rule=rule.id,
                says=rule.says,
                holds=rule.id not in broken,
                detail=_detail(rule.id, query),
                reason=rule.reason if rule.id in broken else "",
                hint=rule.hint if rule.id in broken else "",
            )
            for rule in decider.policies.rules_for(query.ACTION)
            if not rule.is_permit
        ),
        policy=decider.policies.policy_hash,
        is_what_if=is_what_if,
    )


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
        grant: str | None = None,
        purpose: Purpose = Purpose.TRAIN,
        what_if: WhatIf | None = None,
    ) -> Explanation:
        """Explain whether a credential could open a segment now, with a request signed now.

        Args:
            credential: the reader's hash.
            segment: the segment's id.
            grant: a grant's hash; without one, the credential's newest grant for ``purpose``, or none at all.
            purpose: what for, where no grant is named.
            what_if: facts to suppose.

        Raises:
            RefusedError: ``unknown-segment``.
            GrantNotFoundError: no such grant.
        """
        supposed = what_if or WhatIf()
        now = self._grants.clock.now()
        (facts,) = self._reads.facts(self._reads.headers([segment]))
        held = self._held(credential, grant, purpose, facts.tag, now)
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
        return explain(self._grants.decider, _suppose(query, supposed), is_what_if=supposed != WhatIf())

    def demand(self, asker: str, about: str, segment: str | None = None) -> None:
        """Check that ``asker`` may have an explanation about a credential or a segment.

        Raises:
            RefusedError: not a member, not about themselves, not their own recording.
        """
        tag = None
        if segment is not None:
            (facts,) = self._reads.facts(self._reads.headers([segment]))
            tag = facts.tag
        query = ExplainQuery(
            actor=self._grants.actors.actor(asker, [tag] if tag is not None else []),
            programme=self._grants.programme,
            about=about,
            tag=tag,
        )
        decision = self._grants.decider.decide(query)
        if isinstance(decision, Refused):
            raise RefusedError(decision.reason, hint=decision.hint)

    def _held(
        self, credential: str, grant: str | None, purpose: Purpose, tag: str | None, now: int
    ) -> HeldGrant:
        if grant is not None:
            found = self._grants.find(grant)
            if found is None:
                raise GrantNotFoundError("there is no such grant")
            return found
        for held in self._grants.of_reader(credential):
            if held.terms.purpose is purpose:
                return held
        return self._no_grant(credential, purpose, tag, now)

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


def _approvals(query: Query) -> str:
    if not isinstance(query, GrantQuery | ReadQuery):
        return ""
    return f"{query.grant.approvals} of {APPROVALS_FOR_RAW}"


def _window(query: Query) -> str:
    if isinstance(query, ApproveQuery):
        return f"until {query.not_after}, now {query.now}"
    if not isinstance(query, GrantQuery | ReadQuery):
        return ""
    terms = query.grant.terms
    return f"from {terms.not_before} until {terms.not_after}, now {query.now}"


def _purpose(query: Query) -> str:
    return query.grant.terms.purpose.value if isinstance(query, GrantQuery | ReadQuery) else ""


def _consented(query: Query) -> str:
    if not isinstance(query, ReadQuery):
        return ""
    return ", ".join(purpose.value for purpose in query.segment.consented) or "none"


def _standing(query: Query) -> str:
    return query.segment.standing.value if isinstance(query, ReadQuery) else ""


def _ceiling(query: Query) -> str:
    if not isinstance(query, OpenQuery):
        return ""
    return f"{query.opened_this_hour + query.segments} of {query.grant.terms.ceiling}"


def _switch(query: Query) -> str:
    if not isinstance(query, ReadQuery):
        return ""
    return f"off: {', '.join(activity.value for activity in query.off) or 'nothing'}"


def _lifters(query: Query) -> str:
    return f"{query.lifters} of {query.threshold}" if isinstance(query, LiftQuery) else ""


_DETAILS: Final[Mapping[str, Callable[[Query], str]]] = {
    "grant-approvals": _approvals,
    "grant-purpose": _purpose,
    "grant-window-end": _window,
    "read-window-begin": _window,
    "approve-window": _window,
    "read-consented": _consented,
    "read-paused": _standing,
    "read-withdrawn": _standing,
    "read-objecting": _standing,
    "open-ceiling": _ceiling,
    "read-switch": _switch,
    "lift-threshold": _lifters,
}


def _detail(rule: str, query: Query) -> str:
    detail = _DETAILS.get(rule)
    return "" if detail is None else detail(query)
