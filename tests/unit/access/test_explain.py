"""An explanation shows the decision that is made and every condition it rests on, in the policies' words."""

import pytest
from msgspec.structs import replace

from tests.unit.access.matrix import ACTORS, FACTS, GRANTS, OPEN, queries
from tests.unit.access.world import Person, World
from understudy.access.actors import credential_of
from understudy.access.decide import Decider
from understudy.access.errors import GrantNotFoundError
from understudy.access.explain import Explanation, WhatIf, explain
from understudy.access.facts import OperateQuery
from understudy.access.policy import shipped
from understudy.consent.consent import StandingState
from understudy.consent.decisions import Allowed, Refused
from understudy.consent.errors import RefusedError
from understudy.consent.primitives import encode_bytes, new_id
from understudy.consent.purposes import Activity, Purpose
from understudy.sealing.canonical import canonical, parse


def broken(explanation: Explanation) -> list[str]:
    return [condition.reason for condition in explanation.conditions if not condition.holds]


def detail(explanation: Explanation, rule: str) -> str:
    (found,) = (condition.detail for condition in explanation.conditions if condition.rule == rule)
    return found


def test_every_explanation_agrees_with_the_decision() -> None:
    decider = Decider(shipped())
    for query in list(queries())[::37]:
        explanation = explain(decider, query)
        assert explanation.decision == decider.decide(query)
        reasons = broken(explanation)
        if isinstance(explanation.decision, Allowed):
            assert reasons == []
            assert explanation.permits == explanation.decision.because
        elif reasons:
            assert explanation.decision.reason == reasons[0]
        else:
            assert explanation.decision.reason == "no-permit"
            assert explanation.permits == ()


def test_a_condition_that_holds_hints_at_nothing() -> None:
    explanation = explain(Decider(shipped()), OPEN)
    assert all(condition.holds and condition.says for condition in explanation.conditions)
    assert {condition.hint for condition in explanation.conditions} == {""}


def test_it_says_how_many_approvals_there_are() -> None:
    explanation = explain(Decider(shipped()), replace(OPEN, grant=GRANTS[1]))
    assert detail(explanation, "grant-approvals") == "1 of 2"
    assert "approvals" in broken(explanation)


def test_an_explanation_is_a_value_that_travels() -> None:
    explanation = explain(Decider(shipped()), OPEN)
    assert parse(Explanation, canonical(explanation)) == explanation


def test_actions_without_forbid_rules_are_explained_by_their_permits() -> None:
    query = OperateQuery(actor=ACTORS[1], programme=FACTS, what="suspend")
    explanation = explain(Decider(shipped()), query)
    assert (explanation.permits, explanation.conditions) == (("suspend-by-anyone",), ())


def test_a_reader_with_a_grant_is_allowed_and_told_why(shared: World, somebody: Person) -> None:
    segment, grant = shared.share(somebody), shared.grant()
    reader = shared.cast.credential_hash("reader")
    explanation = shared.explainer.explain_open(reader, segment, grant=grant)
    assert explanation.decision == Allowed(because=("read-by-reader",))
    assert explanation.policy == shared.policies.policy_hash
    assert not explanation.is_what_if
    assert detail(explanation, "grant-approvals") == "2 of 2"
    assert detail(explanation, "read-consented") == "train"
    assert shared.explainer.explain_open(reader, segment) == explanation


def test_somebody_without_a_grant_is_told_what_is_missing(shared: World, somebody: Person) -> None:
    segment = shared.share(somebody)
    steward = shared.cast.credential_hash("steward")
    explanation = shared.explainer.explain_open(steward, segment)
    assert broken(explanation) == ["approvals"]
    assert detail(explanation, "grant-approvals") == "0 of 2"
    assert explanation.person == "steward"


def test_a_purpose_that_nobody_may_have_is_explained_as_such(shared: World, somebody: Person) -> None:
    segment = shared.share(somebody)
    steward = shared.cast.credential_hash("steward")
    explanation = shared.explainer.explain_open(steward, segment, purpose=Purpose.EVIDENCE)
    assert {"purpose-not-offered", "purpose-not-consented"} <= set(broken(explanation))


@pytest.mark.parametrize(
    ("what_if", "reasons"),
    [
        (WhatIf(standing=StandingState.PAUSED), ["standing-paused"]),
        (WhatIf(consented=()), ["purpose-not-consented"]),
        (WhatIf(off=(Activity.READS,)), ["switch-off"]),
        (WhatIf(approvers=("approver-1",)), ["approvals"]),
        (WhatIf(purpose=Purpose.EVALUATE), ["purpose-not-consented"]),
        (WhatIf(now=0), ["grant-not-yet"]),
    ],
)
def test_what_if(shared: World, somebody: Person, what_if: WhatIf, reasons: list[str]) -> None:
    segment, grant = shared.share(somebody), shared.grant()
    reader = shared.cast.credential_hash("reader")
    size = shared.log.store.size
    explanation = shared.explainer.explain_open(reader, segment, grant=grant, what_if=what_if)
    assert explanation.is_what_if
    assert broken(explanation) == reasons
    assert isinstance(explanation.decision, Refused)
    assert shared.log.store.size == size, "an explanation makes no entry"


def test_a_participants_own_look_needs_a_self_grant(shared: World, somebody: Person) -> None:
    segment = shared.share(somebody)
    personal = credential_of(somebody.seed.signing.public)
    explanation = shared.explainer.explain_open(personal, segment, purpose=Purpose.OWN)
    assert broken(explanation) == ["own-grant"]
    shared.grants.own(shared.own_grant(somebody))
    explanation = shared.explainer.explain_open(personal, segment, purpose=Purpose.OWN)
    assert explanation.decision == Allowed(because=("read-own",))


def test_unknown_things_are_errors(shared: World, somebody: Person) -> None:
    reader = shared.cast.credential_hash("reader")
    with pytest.raises(RefusedError):
        shared.explainer.explain_open(reader, new_id("seg"))
    with pytest.raises(GrantNotFoundError):
        shared.explainer.explain_open(reader, shared.share(somebody), grant=encode_bytes(bytes(32)))


def test_who_may_ask_why(shared: World, somebody: Person) -> None:
    segment = shared.share(somebody)
    other = shared.join(f"{somebody.name} other")
    reader = shared.cast.credential_hash("reader")
    personal, foreign = (credential_of(person.seed.signing.public) for person in (somebody, other))
    demand = shared.explainer.demand
    demand(shared.cast.credential_hash("auditor"), reader)
    demand(personal, reader, segment)
    demand(foreign, foreign)
    for about, subject in ((reader, segment), (reader, None)):
        with pytest.raises(RefusedError) as caught:
            demand(foreign, about, subject)
        assert caught.value.reason == "no-permit"
