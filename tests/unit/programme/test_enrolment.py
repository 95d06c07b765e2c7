"""Nobody is enrolled but by their own keys, once, and only when the custodian holds the record too."""

from typing import Any

import pytest

from tests.cast import PROGRAMME, personal_seed, stranger
from tests.unit.programme.stage import Person, Stage
from understudy.consent.enrolment import EnrolmentReceipt, EnrolmentRecord
from understudy.consent.errors import ConflictError, RefusedError, UnavailableError
from understudy.consent.keyset import EscrowKey
from understudy.sealing.signing import Signed, document_hash, sign


def test_the_answer_holds_the_custodians_receipt_and_the_issuers_escrow_key(
    stage: Stage, anna: Person
) -> None:
    signed = sign(stage.record(anna), anna.seed.signing, anna.device)
    answer = stage.programme.enrol(signed)
    receipt = answer.receipts[0].verify(EnrolmentReceipt, [stage.cast.custodian.signing.public])
    assert (receipt.enrolment, receipt.tag) == (signed.hash(EnrolmentRecord), anna.tag)
    escrow = answer.escrow_key.verify(EscrowKey, [stage.cast.escrow_issuer.public])
    assert (escrow.tag, escrow.epoch, escrow.key_set) == (anna.tag, 1, document_hash(stage.cast.key_set()))
    person = stage.programme.enrolled(anna.tag)
    assert person is not None
    assert person.is_confirmed
    assert person.devices == {anna.device.public}


def test_the_same_record_gets_the_same_answer(stage: Stage, anna: Person) -> None:
    signed = sign(stage.record(anna), anna.seed.signing, anna.device)
    first = stage.programme.enrol(signed)
    stage.clock.advance(60)
    stage.restart()
    assert stage.programme.enrol(signed) == first


FAULTS: list[tuple[str, dict[str, Any], str]] = [
    ("another programme", {"programme": PROGRAMME[:-1] + "Q"}, "programme-mismatch"),
    ("another tag", {"tag": personal_seed("berta").tag(PROGRAMME)}, "enrolment-tag"),
    ("another key set", {"key_set": "A" * 43}, "key-set"),
    ("a later number", {"number": 2}, "enrolment-number"),
    ("a predecessor", {"previous": "A" * 43}, "enrolment-number"),
    ("from the future", {"made_at": 2_000_000_000}, "clock"),
]


@pytest.mark.parametrize(
    ("changes", "reason"), [fault[1:] for fault in FAULTS], ids=[fault[0] for fault in FAULTS]
)
def test_a_record_that_does_not_fit_is_refused(
    stage: Stage, anna: Person, changes: dict[str, Any], reason: str
) -> None:
    signed = sign(stage.record(anna, **changes), anna.seed.signing, anna.device)
    with pytest.raises(RefusedError) as caught:
        stage.programme.enrol(signed)
    assert caught.value.reason == reason
    assert stage.programme.enrolled(anna.tag) is None
    assert stage.programme.relay.waiting() == 0


def test_personal_key_and_device_sign_and_nobody_else(stage: Stage, anna: Person) -> None:
    record = stage.record(anna)
    for signers in (
        (anna.seed.signing,),
        (anna.device,),
        (anna.seed.signing, anna.device, stranger()),
        (stranger(),),
    ):
        with pytest.raises(RefusedError) as caught:
            stage.programme.enrol(sign(record, *signers))
        assert caught.value.reason == "enrolment-signatures"


def test_nobody_enrols_under_somebody_elses_tag(stage: Stage, anna: Person) -> None:
    berta = Person("berta")
    forged = stage.record(berta, tag=anna.tag)
    with pytest.raises(RefusedError) as caught:
        stage.programme.enrol(sign(forged, berta.seed.signing, berta.device))
    assert caught.value.reason == "enrolment-tag"


def test_two_records_under_one_number_are_a_conflict(stage: Stage, anna: Person) -> None:
    stage.enrol(anna)
    other = stage.record(anna, made_at=stage.clock.now() - 1)
    with pytest.raises(ConflictError):
        stage.programme.enrol(sign(other, anna.seed.signing, anna.device))


def second(stage: Stage, anna: Person, first: Signed, **changes: Any) -> EnrolmentRecord:
    fields = {"number": 2, "previous": first.hash(EnrolmentRecord)} | changes
    return stage.record(anna, **fields)


def test_another_device_is_added_by_both_keys(stage: Stage, anna: Person) -> None:
    first = stage.enrol(anna)
    tablet = stranger("tablet")
    record = second(stage, anna, first, devices=(anna.device.public, tablet.public))
    with pytest.raises(RefusedError):
        stage.programme.enrol(sign(record, anna.seed.signing))
    stage.programme.enrol(sign(record, anna.seed.signing, tablet))
    person = stage.programme.enrolled(anna.tag)
    assert person is not None
    assert person.devices == {anna.device.public, tablet.public}
    assert person.first_hash == first.hash(EnrolmentRecord)


def test_adding_a_device_waits_for_the_custodian_and_removing_does_not(stage: Stage, anna: Person) -> None:
    first = stage.enrol(anna)
    tablet = stranger("tablet")
    stage.line.is_cut = True
    swapped = second(stage, anna, first, devices=(tablet.public,))
    with pytest.raises(UnavailableError):
        stage.programme.enrol(sign(swapped, anna.seed.signing, tablet))
    person = stage.programme.enrolled(anna.tag)
    assert person is not None
    assert person.devices == frozenset()
    stage.line.is_cut = False
    stage.programme.flush()
    person = stage.programme.enrolled(anna.tag)
    assert person is not None
    assert person.devices == {tablet.public}


def test_a_later_record_keeps_the_personal_keys_and_names_the_one_before(stage: Stage, anna: Person) -> None:
    first = stage.enrol(anna)
    berta = Person("berta")
    for changes in ({"previous": "A" * 43}, {"personal_hpke": berta.seed.hpke.public.text}, {"number": 3}):
        record = second(stage, anna, first, **changes)
        with pytest.raises(RefusedError) as caught:
            stage.programme.enrol(sign(record, anna.seed.signing))
        assert caught.value.reason == "enrolment-number"


def test_without_the_custodian_nothing_is_acknowledged_and_nothing_is_lost(
    stage: Stage, anna: Person
) -> None:
    signed = sign(stage.record(anna), anna.seed.signing, anna.device)
    stage.line.is_cut = True
    with pytest.raises(UnavailableError):
        stage.programme.enrol(signed)
    person = stage.programme.enrolled(anna.tag)
    assert person is not None
    assert not person.is_confirmed
    stage.line.is_cut = False
    stage.line.loses_answers = True
    stage.restart()
    with pytest.raises(UnavailableError):
        stage.programme.enrol(signed)
    stage.line.loses_answers = False
    assert len(stage.programme.enrol(signed).receipts) == 1
    assert stage.programme.relay.waiting() == 0


def test_a_receipt_by_somebody_else_is_no_receipt(stage: Stage, anna: Person) -> None:
    class Impostor:
        name = "first"

        def enrol(self, record: Signed) -> Signed:
            genuine = stage.custodian.enrol(record).verify(EnrolmentReceipt)
            return sign(genuine, stranger())

    signed = sign(stage.record(anna), anna.seed.signing, anna.device)
    stage.line.party = Impostor()
    with pytest.raises(RefusedError) as caught:
        stage.programme.enrol(signed)
    assert caught.value.reason == "custodian-receipt"
