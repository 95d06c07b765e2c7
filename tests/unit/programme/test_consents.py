"""A yes is explicit, no wider than the terms, and ends when its giver says so, whoever can be reached."""

from typing import Any

import pytest
from msgspec import structs
from sqlalchemy import delete

from tests.cast import PROGRAMME, STARTED_AT, stranger
from tests.unit.programme.stage import Person, Stage
from understudy.consent.consent import Consent, ConsentReceipt, Standing, StandingReceipt, StandingState
from understudy.consent.errors import ConflictError, RefusedError, UnavailableError
from understudy.consent.purposes import Purpose, Stream
from understudy.programme.database import writing
from understudy.programme.tables import ConsentEventRow, ConsentRow
from understudy.sealing.signing import Signed, sign


def in_force(stage: Stage, consent: str) -> bool:
    known = stage.programme.consent(consent)
    return known is not None and known.is_in_force and known.ended_by is None


def test_a_receipt_carries_both_signatures(stage: Stage, anna: Person) -> None:
    stage.enrol(anna)
    signed = sign(stage.consent(anna), anna.seed.signing)
    receipt = stage.programme.give_consent(signed)
    told = receipt.verify(ConsentReceipt, [stage.cast.server.public, stage.cast.custodian.signing.public])
    assert (told.consent, told.in_force_at) == (signed.hash(Consent), STARTED_AT)
    assert in_force(stage, told.consent)


def test_a_receipt_is_made_once(stage: Stage, anna: Person) -> None:
    stage.enrol(anna)
    signed = sign(stage.consent(anna), anna.seed.signing)
    first = stage.programme.give_consent(signed)
    stage.clock.advance(60)
    stage.restart()
    assert stage.programme.give_consent(signed) == first


FAULTS: list[tuple[str, dict[str, Any], str]] = [
    ("another programme", {"programme": PROGRAMME[:-1] + "Q"}, "programme-mismatch"),
    ("another document", {"document": "A" * 43}, "document-mismatch"),
    ("another notice", {"notice": "A" * 43}, "document-mismatch"),
    ("a purpose that is not offered", {"purposes": (Purpose.DEBUG,)}, "consent-wider"),
    ("one's own purpose", {"purposes": (Purpose.OWN,)}, "consent-wider"),
    ("a stream that is not offered", {"streams": (Stream.KEY_TIMING,)}, "consent-wider"),
    ("a group that is not offered", {"application_groups": ("bank",)}, "consent-wider"),
    ("another device", {"device": stranger().public}, "device-unknown"),
    ("from the future", {"given_at": STARTED_AT + 6}, "clock"),
    ("another tag", {"tag": Person("berta").tag}, "not-enrolled"),
]


@pytest.mark.parametrize(
    ("changes", "reason"), [fault[1:] for fault in FAULTS], ids=[fault[0] for fault in FAULTS]
)
def test_a_consent_that_does_not_fit_is_refused(
    stage: Stage, anna: Person, changes: dict[str, Any], reason: str
) -> None:
    stage.enrol(anna)
    signed = sign(stage.consent(anna, **changes), anna.seed.signing)
    with pytest.raises(RefusedError) as caught:
        stage.programme.give_consent(signed)
    assert caught.value.reason == reason
    assert stage.programme.consent(signed.hash(Consent)) is None


def test_nobody_consents_for_somebody_else(stage: Stage, anna: Person) -> None:
    stage.enrol(anna)
    for signers in ((anna.device,), (stranger(),), (anna.seed.signing, stage.cast.person("steward"))):
        with pytest.raises(RefusedError) as caught:
            stage.programme.give_consent(sign(stage.consent(anna), *signers))
        assert caught.value.reason == "standing-signature"


def test_a_consent_without_the_custodian_is_not_in_force(stage: Stage, anna: Person) -> None:
    stage.enrol(anna)
    signed = sign(stage.consent(anna), anna.seed.signing)
    stage.line.is_cut = True
    with pytest.raises(UnavailableError):
        stage.programme.give_consent(signed)
    assert not in_force(stage, signed.hash(Consent))
    stage.line.is_cut = False
    stage.programme.flush()
    assert in_force(stage, signed.hash(Consent))


def test_a_server_that_lost_its_receipt_takes_the_custodians(stage: Stage, anna: Person) -> None:
    stage.enrol(anna)
    signed = sign(stage.consent(anna), anna.seed.signing)
    first = stage.programme.give_consent(signed)
    with writing(stage.engine) as session:
        session.execute(delete(ConsentEventRow).where(ConsentEventRow.kind == "consent"))
        session.execute(delete(ConsentRow))
    stage.clock.advance(60)
    assert stage.programme.give_consent(signed) == first


def test_a_change_of_mind_takes_effect_without_custodian_or_log(stage: Stage, anna: Person) -> None:
    consent = stage.agree(anna)
    stage.line.is_cut = stage.log_line.is_cut = True
    stage.stand(anna, StandingState.WITHDRAWN)
    assert stage.programme.standing(anna.tag) is StandingState.WITHDRAWN
    assert not in_force(stage, consent)
    assert stage.programme.relay.waiting() == 1
    stage.restart()
    assert stage.programme.standing(anna.tag) is StandingState.WITHDRAWN
    stage.line.is_cut = stage.log_line.is_cut = False
    assert stage.programme.flush().relays_waiting == 0
    with pytest.raises(ConflictError):
        stage.custodian.stand(sign(stage.standing(anna, StandingState.ACTIVE, number=1), anna.seed.signing))


def test_a_withdrawal_is_final_for_every_consent_given_before(stage: Stage, anna: Person) -> None:
    consent = stage.agree(anna)
    stage.stand(anna, StandingState.WITHDRAWN)
    stage.stand(anna, StandingState.ACTIVE)
    assert stage.programme.standing(anna.tag) is StandingState.ACTIVE
    assert not in_force(stage, consent)
    with pytest.raises(RefusedError) as caught:
        stage.programme.give_consent(sign(stage.consent(anna), anna.seed.signing))
    assert caught.value.reason == "consent-ended"
    stage.clock.advance(1)
    renewed = sign(stage.consent(anna), anna.seed.signing)
    stage.programme.give_consent(renewed)
    assert in_force(stage, renewed.hash(Consent))


def test_a_device_may_pause_and_nothing_else(stage: Stage, anna: Person) -> None:
    stage.agree(anna)
    stage.programme.stand(sign(stage.standing(anna, StandingState.PAUSED), anna.device))
    assert stage.programme.standing(anna.tag) is StandingState.PAUSED
    for state in (StandingState.ACTIVE, StandingState.WITHDRAWN, StandingState.OBJECTING):
        with pytest.raises(RefusedError) as caught:
            stage.programme.stand(sign(stage.standing(anna, state), anna.device))
        assert caught.value.reason == "standing-signature"
    assert stage.programme.standing(anna.tag) is StandingState.PAUSED


@pytest.mark.parametrize("name", ["stranger", "steward", "server"])
def test_nobody_else_changes_somebodys_standing(stage: Stage, anna: Person, name: str) -> None:
    stage.agree(anna)
    for state in StandingState:
        with pytest.raises(RefusedError):
            stage.programme.stand(sign(stage.standing(anna, state, number=1), stage.cast.person(name)))
    assert stage.programme.standing(anna.tag) is StandingState.ACTIVE


def test_the_highest_number_counts_and_none_counts_twice(stage: Stage, anna: Person) -> None:
    stage.agree(anna)
    fifth = sign(stage.standing(anna, StandingState.PAUSED, number=5), anna.seed.signing)
    stage.programme.stand(fifth)
    stage.programme.stand(fifth)
    for number in (5, 4):
        late = sign(stage.standing(anna, StandingState.ACTIVE, number=number), anna.seed.signing)
        with pytest.raises(ConflictError):
            stage.programme.stand(late)
    assert stage.programme.standing(anna.tag) is StandingState.PAUSED


def test_resuming_tells_when_the_custodian_holds_something_stricter(stage: Stage, anna: Person) -> None:
    stage.agree(anna)
    stage.custodian.stand(sign(stage.standing(anna, StandingState.OBJECTING, number=9), anna.seed.signing))
    resumed: Signed = sign(stage.standing(anna, StandingState.ACTIVE, number=2), anna.seed.signing)
    with pytest.raises(RefusedError):
        stage.programme.stand(resumed)


@pytest.mark.parametrize("state", [StandingState.PAUSED, StandingState.OBJECTING])
def test_a_stop_that_the_custodian_refuses_takes_effect_and_is_told(
    stage: Stage, anna: Person, state: StandingState
) -> None:
    stage.agree(anna)
    stage.custodian.stand(sign(stage.standing(anna, StandingState.OBJECTING, number=9), anna.seed.signing))
    with pytest.raises(RefusedError) as caught:
        stage.programme.stand(sign(stage.standing(anna, state, number=2), anna.seed.signing))
    assert caught.value.reason == "standing-number"
    assert stage.programme.standing(anna.tag) is state


def test_a_change_of_mind_is_answered_by_the_custodians_receipt(stage: Stage, anna: Person) -> None:
    stage.agree(anna)
    paused = sign(stage.standing(anna, StandingState.PAUSED), anna.seed.signing)
    (receipt,) = stage.programme.stand(paused)
    told = receipt.verify(StandingReceipt, [stage.cast.custodian.signing.public])
    assert (told.standing, told.tag, told.state) == (paused.hash(Standing), anna.tag, StandingState.PAUSED)
    stage.clock.advance(60)
    assert stage.programme.stand(paused) == (receipt,)


def test_a_custodian_that_cannot_be_reached_gives_no_receipt_until_it_can(stage: Stage, anna: Person) -> None:
    stage.agree(anna)
    paused = sign(stage.standing(anna, StandingState.PAUSED), anna.seed.signing)
    stage.line.is_cut = True
    assert stage.programme.stand(paused) == ()
    stage.line.is_cut = False
    stage.programme.flush()
    assert len(stage.programme.stand(paused)) == 1
    assert stage.programme.relay.waiting() == 0


@pytest.mark.parametrize("signer", ["server", "stranger", "custodian"])
def test_a_receipt_that_proves_nothing_is_not_passed_on(stage: Stage, anna: Person, signer: str) -> None:
    key = stage.cast.custodian.signing if signer == "custodian" else stage.cast.person(signer)

    class Forger:
        name = "first"

        def stand(self, standing: Signed) -> Signed:
            told = stage.custodian.stand(standing).verify(StandingReceipt)
            return sign(structs.replace(told, number=told.number + (signer == "custodian")), key)

    stage.agree(anna)
    stage.line.party = Forger()
    with pytest.raises(RefusedError) as caught:
        stage.stand(anna, StandingState.PAUSED)
    assert caught.value.reason == "custodian-receipt"


@pytest.mark.parametrize("stricter", [StandingState.OBJECTING, StandingState.WITHDRAWN])
def test_a_device_never_softens_what_the_participant_said(
    stage: Stage, anna: Person, stricter: StandingState
) -> None:
    stage.agree(anna)
    stage.stand(anna, stricter)
    with pytest.raises(RefusedError) as caught:
        stage.programme.stand(sign(stage.standing(anna, StandingState.PAUSED), anna.device))
    assert caught.value.reason == "standing-signature"
    assert stage.programme.standing(anna.tag) is stricter


@pytest.mark.parametrize("number", [1, 1_000, 2**53 - 1])
def test_no_number_stands_in_the_way_of_a_withdrawal(stage: Stage, anna: Person, number: int) -> None:
    consent = stage.agree(anna)
    jump = sign(stage.standing(anna, StandingState.PAUSED, number=2**53 - 1), anna.device)
    with pytest.raises(ConflictError):
        stage.programme.stand(jump)
    for used in (1, 1_000):
        stage.programme.stand(sign(stage.standing(anna, StandingState.PAUSED, number=used), anna.device))
    withdrawn = sign(stage.standing(anna, StandingState.WITHDRAWN, number=number), anna.seed.signing)
    assert len(stage.programme.stand(withdrawn)) == 1
    assert stage.programme.standing(anna.tag) is StandingState.WITHDRAWN
    assert not in_force(stage, consent)


def test_a_withdrawal_that_waits_reaches_the_custodian_before_the_consent_after_it(
    stage: Stage, anna: Person
) -> None:
    stage.agree(anna)
    stage.line.is_cut = True
    stage.stand(anna, StandingState.WITHDRAWN)
    stage.line.is_cut = False
    stage.clock.advance(1)
    renewed = sign(stage.consent(anna), anna.seed.signing)
    stage.programme.give_consent(renewed)
    stage.stand(anna, StandingState.ACTIVE)
    stage.programme.flush()
    assert in_force(stage, renewed.hash(Consent))
    again = stage.custodian.countersign(renewed, stage.programme.give_consent(renewed))
    assert len(again.signers) == 2
