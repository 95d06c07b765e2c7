"""The policies against an oracle that was written apart from them, and against faults put in on purpose."""

from collections.abc import Collection, Iterator

import cedarpy
import pytest
from cedarpy import pst
from msgspec.structs import replace

from tests.unit.access.matrix import ACTORS, FACTS, GRANTS, OPEN, SEGMENT, TAG_B, queries
from tests.unit.access.oracle import expected
from understudy.access.decide import Decider
from understudy.access.facts import Query
from understudy.access.policy import Action, Policies, load, shipped, shipped_texts
from understudy.consent.decisions import Allowed, Refused

MATRIX = tuple((query, *expected(query)) for query in queries())


def disagreements(policies: Policies, actions: Collection[Action] = tuple(Action)) -> Iterator[Query]:
    """Yield the queries about ``actions`` on which policies and oracle differ, by answer or by reasons."""
    decider = Decider(policies)
    for query, allowed, reasons in MATRIX:
        if query.ACTION in actions:
            verdict = decider.weigh(query)
            fired = {rule.reason for rule in verdict.fired if not rule.is_permit}
            if isinstance(verdict.decision, Allowed) is not allowed or fired != reasons:
                yield query


def without(policies: Policies, place: int) -> Policies:
    """Return the set without one policy; what it says stays known, so that verdicts can be read."""
    nodes = policies.handle.to_pst()
    kept = {name: node for name, node in nodes.static_policies.items() if name != f"policy{place}"}
    handle = cedarpy.PolicySet.from_pst(pst.PolicySet(templates={}, static_policies=kept, template_links=()))
    return Policies(policies.schema, handle, policies.permits, policies.rules, policies.policy_hash)


def test_policies_and_oracle_agree_on_every_query_of_the_matrix() -> None:
    assert len(MATRIX) >= 5_000
    assert sum(allowed for _, allowed, _ in MATRIX) >= 100, "a matrix without permission proves nothing"
    assert list(disagreements(shipped())) == []


def test_every_reason_of_a_policy_is_given_somewhere_in_the_matrix() -> None:
    given = set().union(*(reasons for _, _, reasons in MATRIX))
    assert given == {rule.reason for rule in shipped().rules.values() if not rule.is_permit}


@pytest.mark.parametrize("name", [rule.id for rule in shipped().rules.values()])
def test_taking_any_policy_away_is_noticed(name: str) -> None:
    policies = shipped()
    rule = policies.rules[name]
    assert any(disagreements(without(policies, rule.place), rule.actions))


FAULTS = {
    "a grant that expires a second late": (
        "grant.cedar",
        "context.now >= context.grant.notAfter",
        "context.now > context.grant.notAfter",
    ),
    "a grant that begins a second late": (
        "read.cedar",
        "context.now < context.grant.notBefore",
        "context.now <= context.grant.notBefore",
    ),
    "one approval is enough": (
        "grant.cedar",
        "context.grant.approvals < 2",
        "context.grant.approvals < 1",
    ),
    "three approvals are needed": (
        "grant.cedar",
        "context.grant.approvals < 2",
        "context.grant.approvals < 3",
    ),
    "requesters approve": (
        "grant.cedar",
        "context.grant.approvers.contains(context.grant.requester)",
        'context.grant.approvers.contains("nobody")',
    ),
    "some approvers read": (
        "grant.cedar",
        "context.grant.approvers.containsAny(context.grant.readerPersons)",
        "context.grant.approvers.containsAll(context.grant.readerPersons) && context.grant.readerCount > 1",
    ),
    "eleven readers": ("grant.cedar", "readerCount <= 10", "readerCount <= 11"),
    "a longer window": (
        "grant.cedar",
        "notBefore > context.programme.grantSeconds",
        "notBefore > context.programme.grantSeconds + 1",
    ),
    "a longer list of purposes": (
        "grant.cedar",
        '"research-on-safety", "debug"]',
        '"research-on-safety", "debug", "assessment"]',
    ),
    "the programme's offer is not asked": (
        "grant.cedar",
        " &&\n    context.programme.purposes.contains(context.grant.purpose)",
        "",
    ),
    "a reason of another purpose": (
        "grant.cedar",
        '["model-improvement", "quality-check"]',
        '["model-improvement", "quality-check", "safety-research"]',
    ),
    "somebody else's self-grant": (
        "grant.cedar",
        'principal.tags.contains(context.grant.tag))\n};\n\n@id("grant-requester',
        'true)\n};\n\n@id("grant-requester',
    ),
    "consent is not asked": (
        "read.cedar",
        "!resource.consented.contains(context.grant.purpose)",
        "resource.consented.isEmpty()",
    ),
    "consent is turned round": (
        "read.cedar",
        "!resource.consented.contains(context.grant.purpose)",
        "resource.consented.contains(context.grant.purpose)",
    ),
    "pausing stops nothing": ("read.cedar", 'standing != "active"', 'standing == "withdrawn"'),
    "an objection stops nothing": (
        "read.cedar",
        'resource.standing != "active"',
        '["paused", "withdrawn"].contains(resource.standing)',
    ),
    "every member is told why": (
        "operate.cedar",
        'containsAny(["steward", "approver", "auditor"])',
        'containsAny(["steward", "approver", "auditor", "researcher", "responder", "service"])',
    ),
    "everybody is told about themselves": (
        "operate.cedar",
        "context.parties.contains(principal) && context.parties.contains(context.about)",
        "context.about == principal",
    ),
    "a party is told about anybody": (
        "operate.cedar",
        "context.parties.contains(principal) && context.parties.contains(context.about)",
        "context.parties.contains(principal)",
    ),
    "everybody supposes a consent": ("operate.cedar", "  context.supposesConsent &&", "  false &&"),
    "pausing stops one's own reads": (
        "read.cedar",
        'context.grant.purpose != "own" && resource.standing != "active"',
        'resource.standing != "active"',
    ),
    "another switch is looked at": ("read.cedar", 'off.contains("reads")', 'off.contains("capture")'),
    "a stop of reads closes one's own": (
        "read.cedar",
        '(context.grant.purpose != "own" && context.off.contains("reads"))',
        'context.off.contains("reads")',
    ),
    "the scope's tags are not looked at": (
        "read.cedar",
        "context.grant.scope has tags && !(",
        "context.grant.scope has tags && false && !(",
    ),
    "a scope is an or": (
        "read.cedar",
        "!context.grant.scope.taskLabels.contains(resource.taskLabel)",
        "!context.grant.scope.taskLabels.contains(resource.taskLabel) && context.grant.scope has tags",
    ),
    "one segment too many": (
        "read.cedar",
        "+ context.segments > context.grant.ceiling",
        "+ context.segments > context.grant.ceiling + 1",
    ),
    "a grant that lapses a second late": (
        "read.cedar",
        "context.now - context.inForceAt >= context.programme.unusedSeconds",
        "context.now - context.inForceAt > context.programme.unusedSeconds",
    ),
    "a request that lives a second longer": (
        "read.cedar",
        "context.now >= context.requestNotAfter",
        "context.now > context.requestNotAfter",
    ),
    "researchers read raw leaves": (
        "operate.cedar",
        'containsAny(["auditor", "mirror"])',
        'containsAny(["auditor", "mirror", "researcher"])',
    ),
    "auditors do not": ("operate.cedar", 'containsAny(["auditor", "mirror"])', 'contains("mirror")'),
    "one lift key too few": (
        "operate.cedar",
        "context.lifters >= context.threshold",
        "context.lifters + 1 >= context.threshold",
    ),
    "everybody asks for access": (
        "request.cedar",
        '["researcher", "steward", "service"]',
        '["researcher", "steward", "service", "approver"]',
    ),
    "a reader is named twice": (
        "request.cedar",
        " &&\n  context.asked.distinctReaders == context.asked.readerCount",
        "",
    ),
}


ACTIONS = {
    "grant.cedar": (Action.GRANT, Action.OPEN, Action.FETCH),
    "read.cedar": (Action.OPEN, Action.FETCH, Action.FETCH_OWN),
    "operate.cedar": (Action.READ_LOG, Action.SUSPEND, Action.LIFT, Action.EXPLAIN),
    "request.cedar": (Action.REQUEST, Action.APPROVE),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_a_policy_is_caught(fault: str) -> None:
    file, right, wrong = FAULTS[fault]
    texts = shipped_texts()
    assert texts[file].count(right) == 1, "the fault is put where the policy stands"
    texts[file] = texts[file].replace(right, wrong)
    assert any(disagreements(load(texts), ACTIONS[file]))


def test_the_first_rule_in_the_files_gives_the_reason() -> None:
    query = replace(OPEN, grant=GRANTS[1], is_revoked=True, actor=ACTORS[2])
    verdict = Decider(shipped()).weigh(query)
    assert [rule.reason for rule in verdict.fired] == ["reader-unknown", "approvals", "revoked"]
    assert verdict.decision == Refused(reason="reader-unknown", hint=verdict.fired[0].hint)


def test_a_refusal_of_one_segment_refuses_them_all() -> None:
    other = replace(SEGMENT, segment="seg_" + "B" * 21 + "A", consented=())
    decider = Decider(shipped())
    assert isinstance(decider.decide_all([OPEN]), Allowed)
    refused = decider.decide_all([OPEN, replace(OPEN, segment=other)])
    assert isinstance(refused, Refused)
    assert refused.reason == "purpose-not-consented"


def test_no_question_is_no_permission() -> None:
    refused = Decider(shipped()).decide_all([])
    assert isinstance(refused, Refused)
    assert refused.reason == "no-permit"


def test_questions_on_different_grounds_are_not_decided_together() -> None:
    decider = Decider(shipped())
    for other in (
        replace(OPEN, grant=GRANTS[6]),
        replace(OPEN, actor=ACTORS[1]),
        replace(OPEN, programme=replace(FACTS, open_seconds=1)),
        replace(OPEN, segment=replace(SEGMENT, tag=TAG_B)),
    ):
        refused = decider.decide_all([OPEN, other])
        assert isinstance(refused, Refused)
        assert refused.reason == "policy-error"


def test_a_rule_that_cannot_be_evaluated_refuses() -> None:
    texts = shipped_texts()
    texts["zz.cedar"] = """
        @id("overflow") @reason("never") @hint("never") @says("sums are small")
        forbid (principal, action == Understudy::Action::"open", resource)
        when { context.now + 9223372036854775807 < 0 };
    """
    refused = Decider(load(texts)).decide(OPEN)
    assert isinstance(refused, Refused)
    assert refused.reason == "policy-error"


def test_a_query_outside_the_schema_refuses() -> None:
    query = replace(OPEN, segments=2**70)
    refused = Decider(shipped()).decide(query)
    assert isinstance(refused, Refused)
    assert refused.reason == "policy-error"
