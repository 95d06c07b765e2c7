"""An explanation shows the decision that is made and every condition it rests on, in the policies' words."""

import pytest
from msgspec.structs import replace

from tests.unit.access.matrix import ACTORS, FACTS, GRANTS, OPEN, queries
from understudy.access.decide import Decider
from understudy.access.explain import AVAILABLE, SAID, Explanation, explain, veiled
from understudy.access.facts import OperateQuery
from understudy.access.policy import shipped
from understudy.consent.consent import StandingState
from understudy.consent.decisions import Allowed, Refused
from understudy.consent.purposes import Purpose
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


@pytest.mark.parametrize(
    ("standing", "consented"),
    [
        (StandingState.PAUSED, (Purpose.TRAIN,)),
        (StandingState.OBJECTING, (Purpose.TRAIN,)),
        (StandingState.WITHDRAWN, ()),
        (StandingState.ACTIVE, (Purpose.EVALUATE,)),
        (StandingState.ACTIVE, ()),
    ],
)
def test_whatever_a_participant_said_looks_the_same_to_others(
    standing: StandingState, consented: tuple[Purpose, ...]
) -> None:
    decider = Decider(shipped())
    paused = replace(OPEN, segment=replace(OPEN.segment, standing=StandingState.PAUSED))
    changed = replace(OPEN, segment=replace(OPEN.segment, standing=standing, consented=consented))
    seen = veiled(explain(decider, changed), decider.policies, is_told=True)
    assert seen == veiled(explain(decider, paused), decider.policies, is_told=True)
    assert isinstance(seen.decision, Refused)
    assert seen.decision.reason == "not-available"


def test_what_is_available_is_said_to_be_and_no_more() -> None:
    decider = Decider(shipped())
    seen = veiled(explain(decider, OPEN), decider.policies, is_told=True)
    (condition,) = (condition for condition in seen.conditions if condition.rule in SAID)
    assert (condition.rule, condition.holds, condition.detail, condition.hint) == (AVAILABLE, True, "", "")
    assert not SAID & {
        condition.rule
        for condition in veiled(explain(decider, OPEN), decider.policies, is_told=False).conditions
    }
