"""Why, or why not: a decision taken apart into the conditions it rests on.

Rules

* An explanation is made from the policies themselves: one condition for every ``forbid`` rule that speaks
  of the action, in the words of its ``@says``, held or not; and the ``permit`` rules that fire. Nothing is
  paraphrased.
* The decision shown is the decision made: the same policies, the same facts, the same code.
* What a participant said is theirs to see. For everybody else it is one condition, held or not, without a
  detail (``veiled``): not whether somebody paused, withdrew or objects, nor which purposes they accepted.

Example: ``explain(decider, query).conditions`` lists what holds and what does not. Who may ask, and about
which segments, is ``explainer``.
"""

from collections.abc import Callable, Mapping
from typing import Final

from msgspec.structs import replace

from understudy.access.decide import Decider
from understudy.access.facts import ApproveQuery, GrantQuery, LiftQuery, OpenQuery, Query, ReadQuery
from understudy.access.policy import Action, Policies
from understudy.consent.decisions import Decision, Refused
from understudy.consent.primitives import Digest, Value
from understudy.custody.grant import APPROVALS_FOR_RAW

AVAILABLE: Final = "read-available"
"""The rule about a participant's standing; its words stand for everything that they said."""
SAID: Final = frozenset({"read-consented", AVAILABLE})
"""The rules about what a participant said."""


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


def veiled(explanation: Explanation, policies: Policies, *, is_told: bool) -> Explanation:
    """Return what somebody other than the participant may see of an explanation.

    Args:
        explanation: the whole truth.
        policies: those it was made by.
        is_told: whether to say that the segment is available for the purpose, or not. Without it, the
            explanation must have been made of a segment supposed to be available.
    """
    first, *others = [condition for condition in explanation.conditions if condition.rule in SAID]
    (rule,) = (rule for rule in policies.rules.values() if rule.id == AVAILABLE)
    holds = first.holds and all(other.holds for other in others)
    merged = Condition(
        rule=rule.id,
        says=rule.says,
        holds=holds,
        reason="" if holds else rule.reason,
        hint="" if holds else rule.hint,
    )
    conditions = [
        merged if condition is first else condition
        for condition in explanation.conditions
        if condition.rule not in SAID or (is_told and condition is first)
    ]
    decision, reasons = explanation.decision, {condition.reason for condition in (first, *others)}
    if isinstance(decision, Refused) and decision.reason in reasons:
        decision = Refused(reason=rule.reason, hint=rule.hint)
    return replace(explanation, decision=decision, conditions=tuple(conditions))


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
    AVAILABLE: _standing,
    "open-ceiling": _ceiling,
    "read-switch": _switch,
    "lift-threshold": _lifters,
}


def _detail(rule: str, query: Query) -> str:
    detail = _DETAILS.get(rule)
    return "" if detail is None else detail(query)
