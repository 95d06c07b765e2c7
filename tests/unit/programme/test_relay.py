"""What participants signed reaches the custodian in the end, in order, or its refusal is kept."""

import pytest

from tests.unit.programme.stage import Person, Stage
from understudy.consent.consent import StandingState
from understudy.consent.errors import RefusedError
from understudy.programme.relay import MALFORMED, RelayKind
from understudy.sealing.errors import FormatError
from understudy.sealing.signing import Signed, sign


def test_changes_of_mind_arrive_in_order_after_an_outage(stage: Stage, anna: Person) -> None:
    stage.agree(anna)
    stage.line.is_cut = True
    for state in (StandingState.PAUSED, StandingState.ACTIVE, StandingState.OBJECTING):
        stage.stand(anna, state)
    assert stage.programme.relay.waiting(RelayKind.STANDING) == 3
    stage.restart()
    arrived: list[Signed] = []

    class Custodian:
        name = "first"

        def stand(self, standing: Signed) -> Signed:
            arrived.append(standing)
            return stage.custodian.stand(standing)

    stage.line.party = Custodian()
    stage.line.is_cut = False
    assert stage.programme.relay.flush() == 0
    assert len(arrived) == 3
    repeated = stage.standing(anna, StandingState.OBJECTING, number=3)
    stage.custodian.stand(sign(repeated, anna.seed.signing))


def test_an_outage_in_the_middle_loses_and_skips_nothing(stage: Stage, anna: Person) -> None:
    stage.agree(anna)
    stage.line.is_cut = True
    for state in (StandingState.PAUSED, StandingState.ACTIVE):
        stage.stand(anna, state)
    stage.line.is_cut = False
    stage.line.loses_answers = True
    assert stage.programme.relay.flush() == 2
    stage.line.loses_answers = False
    assert stage.programme.relay.flush() == 0


def test_a_refusal_is_kept_and_does_not_hold_up_others(stage: Stage, anna: Person) -> None:
    berta = Person("berta")
    stage.agree(anna)
    stage.agree(berta)
    stage.custodian.stand(sign(stage.standing(anna, StandingState.PAUSED, number=9), anna.seed.signing))
    stage.line.is_cut = True
    stage.stand(anna, StandingState.PAUSED)
    stage.stand(berta, StandingState.PAUSED)
    stage.line.is_cut = False
    assert stage.programme.relay.flush() == 0
    rows = stage.programme.relay.refused()
    assert [(row.kind, row.refused) for row in rows] == [("standing", "standing-number")]


def test_an_answer_that_cannot_be_read_is_kept_as_such(stage: Stage, anna: Person) -> None:
    class Confused:
        name = "first"

        def stand(self, _standing: Signed) -> None:
            raise FormatError("what is this")

    stage.agree(anna)
    stage.line.party = Confused()
    with pytest.raises(RefusedError, match=MALFORMED):
        stage.stand(anna, StandingState.PAUSED)
    assert stage.programme.standing(anna.tag) is StandingState.PAUSED
    assert [row.refused for row in stage.programme.relay.refused()] == [MALFORMED]
