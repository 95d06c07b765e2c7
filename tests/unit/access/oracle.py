"""What the requirements say about a query, written down without looking at the policies.

Rules

* ``violations`` is the exact set of reasons for which a query must be refused; empty means that nothing
  forbids it.
* ``is_entitled`` says whether somebody like this may do such a thing at all. Both together decide.
* Sources: R-25 (deny by default), R-32 (purpose and structured reason), R-33 (two approvals, eight hours, ten
  readers), R-34 (lapse), and the protocol's sections on opening, one's own recordings, leases and the switch.
"""

from understudy.access.facts import (
    ApproveQuery,
    ExplainQuery,
    FetchOwnQuery,
    GrantQuery,
    LiftQuery,
    OpenQuery,
    OperateQuery,
    Query,
    ReadQuery,
    RequestQuery,
)
from understudy.consent.consent import StandingState
from understudy.consent.purposes import Activity, Purpose, ReasonCode
from understudy.custody.grant import Grant

CLOSED = frozenset({Purpose.TRAIN, Purpose.EVALUATE, Purpose.RESEARCH_ON_SAFETY, Purpose.DEBUG})
REASONS = {
    Purpose.TRAIN: {ReasonCode.MODEL_IMPROVEMENT, ReasonCode.QUALITY_CHECK},
    Purpose.EVALUATE: {ReasonCode.MODEL_EVALUATION, ReasonCode.QUALITY_CHECK},
    Purpose.RESEARCH_ON_SAFETY: {ReasonCode.SAFETY_RESEARCH},
    Purpose.DEBUG: {ReasonCode.DEFECT_INVESTIGATION, ReasonCode.QUALITY_CHECK},
    Purpose.OWN: {ReasonCode.OWN_COPY},
}
OVERSEERS = {"steward", "approver", "auditor"}
STAFF = {"steward", "approver", "researcher", "responder", "auditor", "service"}


def expected(query: Query) -> tuple[bool, frozenset[str]]:
    """Return whether the query is allowed, and every reason that forbids it."""
    reasons = frozenset(violations(query))
    return (not reasons and is_entitled(query)), reasons


def violations(query: Query) -> set[str]:
    if isinstance(query, RequestQuery):
        return _asked_too_much(query)
    if isinstance(query, ApproveQuery):
        return _may_not_approve(query)
    if isinstance(query, LiftQuery):
        return set() if 1 <= query.threshold <= query.lifters else {"lift-keys"}
    if isinstance(query, ExplainQuery):
        may = query.tag in query.actor.tags or {"steward", "auditor"} & set(query.actor.roles)
        return {"not-to-suppose"} if query.supposes_consent and not may else set()
    if isinstance(query, GrantQuery):
        found = _bad_grant(query)
        if query.grant.terms.not_before >= query.grant.terms.not_after:
            found.add("window-empty")
        return found
    if isinstance(query, ReadQuery):
        found = _bad_grant(query) | _not_now(query) | _not_this_segment(query)
        return found | (_bad_request(query) if isinstance(query, OpenQuery) else set())
    return set()


def is_entitled(query: Query) -> bool:
    roles = set(query.actor.roles)
    if isinstance(query, RequestQuery):
        return bool(roles & {"researcher", "steward", "service"})
    if isinstance(query, ApproveQuery):
        return "approver" in roles
    if isinstance(query, OperateQuery):
        return bool(roles & ({"auditor", "mirror"} if query.what == "readLog" else STAFF))
    if isinstance(query, LiftQuery):
        return "lift" in roles
    if isinstance(query, ExplainQuery):
        concerned = {query.about, query.actor.credential} <= set(query.parties)
        return bool(roles & OVERSEERS) or concerned or query.tag in query.actor.tags
    if isinstance(query, FetchOwnQuery):
        return query.segment.tag in query.actor.tags
    grant = query.grant
    if grant.terms.purpose is Purpose.OWN:
        mine = _one_tag(grant.terms) in query.actor.tags
        if isinstance(query, GrantQuery):
            return mine
        return query.actor.credential in grant.readers and query.segment.tag in query.actor.tags
    is_reader = isinstance(query, GrantQuery) or query.actor.credential in grant.readers
    return is_reader and len(set(grant.approvers)) >= 2


def _asked_too_much(query: RequestQuery) -> set[str]:
    asked, programme, found = query.asked, query.programme, set()
    if asked.requester != query.actor.credential:
        found.add("requester-mismatch")
    if asked.scope.programme != programme.programme:
        found.add("scope-programme")
    if asked.label != "raw":
        found.add("object-label")
    if asked.purpose not in CLOSED & set(programme.purposes):
        found.add("purpose-not-offered")
    if asked.purpose is Purpose.OWN or asked.reason not in REASONS.get(asked.purpose, set()):
        found.add("reason-mismatch")
    if not 1 <= len(asked.readers) <= 10 or len({str(reader) for reader in asked.readers}) != len(
        asked.readers
    ):
        found.add("too-many-readers")
    if asked.made_at - query.now > programme.skew_seconds:
        found.add("clock")
    if asked.not_after <= asked.not_before:
        found.add("window-empty")
    if asked.not_after - asked.not_before > programme.grant_seconds:
        found.add("grant-too-long")
    if asked.not_after <= query.now:
        found.add("grant-expired")
    return found


def _may_not_approve(query: ApproveQuery) -> set[str]:
    found = set()
    if "approver" not in query.actor.roles:
        found.add("approver-unknown")
    if query.actor.person == query.requester:
        found.add("approver-is-requester")
    if query.actor.person in query.readers:
        found.add("approver-is-reader")
    if query.not_after <= query.now:
        found.add("grant-expired")
    if query.now >= query.received_at + query.programme.unused_seconds:
        found.add("lapsed")
    return found


def _bad_grant(query: GrantQuery | ReadQuery) -> set[str]:
    facts, terms = query.grant, query.grant.terms
    found = _bad_own(query) if terms.purpose is Purpose.OWN else _bad_signatures(query)
    if not isinstance(query, GrantQuery) and query.actor.credential not in facts.readers:
        found.add("reader-unknown")
    if facts.requester in facts.approvers:
        found.add("approver-is-requester")
    if set(facts.reader_persons) & set(facts.approvers):
        found.add("approver-is-reader")
    if not 1 <= len(facts.readers) <= 10:
        found.add("too-many-readers")
    if terms.reason not in REASONS.get(terms.purpose, set()):
        found.add("reason-mismatch")
    if terms.not_after - terms.not_before > query.programme.grant_seconds:
        found.add("grant-too-long")
    if terms.scope.programme != query.programme.programme:
        found.add("scope-programme")
    if terms.not_after <= query.now:
        found.add("grant-expired")
    return found


def _bad_own(query: GrantQuery | ReadQuery) -> set[str]:
    facts, me = query.grant, query.actor.credential
    alone = facts.readers == (me,) and facts.signers == (me,) and facts.requester == query.actor.person
    return set() if alone and _one_tag(facts.terms) in query.actor.tags else {"own-grant"}


def _bad_signatures(query: GrantQuery | ReadQuery) -> set[str]:
    facts, purpose, found = query.grant, query.grant.terms.purpose, set()
    if not facts.requester_is_member:
        found.add("requester-unknown")
    if facts.other_signers:
        found.add("approver-unknown")
    if len(set(facts.approvers)) < 2:
        found.add("approvals")
    if purpose not in CLOSED or purpose not in query.programme.purposes:
        found.add("purpose-not-offered")
    return found


def _not_now(query: ReadQuery) -> set[str]:
    found = set()
    is_own = query.grant.terms.purpose is Purpose.OWN
    if query.is_revoked:
        found.add("revoked")
    if query.now >= query.in_force_at + query.programme.unused_seconds:
        found.add("lapsed")
    if query.grant.terms.not_before > query.now:
        found.add("grant-not-yet")
    if (Activity.OWN_READS if is_own else Activity.READS) in query.off:
        found.add("switch-off")
    return found


def _not_this_segment(query: ReadQuery) -> set[str]:
    segment, terms, found = query.segment, query.grant.terms, set()
    scope = terms.scope
    if segment.label != terms.label:
        found.add("object-label")
    fields = {
        "scope-programme": (segment.programme, (scope.programme,)),
        "scope-tag": (segment.tag, scope.tags),
        "scope-recording": (segment.recording, scope.recordings),
        "scope-application-group": (segment.application_group, scope.application_groups),
        "scope-task-label": (segment.task_label, scope.task_labels),
        "scope-consent": (segment.consent, scope.consents),
    }
    found |= {
        name for name, (value, allowed) in fields.items() if allowed is not None and value not in allowed
    }
    if terms.purpose is Purpose.OWN:
        if segment.tag not in query.actor.tags:
            found.add("foreign-segment")
        return found
    if terms.purpose not in segment.consented:
        found.add("purpose-not-consented")
    if segment.standing is not StandingState.ACTIVE:
        found.add("not-available")
    return found


def _bad_request(query: OpenQuery) -> set[str]:
    found = set()
    if query.request_not_after <= query.now:
        found.add("request-expired")
    if query.request_not_after - query.now > query.programme.open_seconds + query.programme.skew_seconds:
        found.add("request-too-long")
    if query.reason is not query.grant.terms.reason:
        found.add("reason-mismatch")
    if query.opened_this_hour + query.segments > query.grant.terms.ceiling:
        found.add("ceiling")
    return found


def _one_tag(terms: Grant) -> str:
    tags = terms.scope.tags or ()
    return tags[0] if len(tags) == 1 else ""
