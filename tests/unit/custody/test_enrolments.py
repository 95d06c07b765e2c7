"""Enrolment: signed by personal key and devices, one chain a tag, receipts that never change."""

from typing import Any

import msgspec
import pytest

from tests.unit.custody.world import NOW, Participant, World, digest_of, fixed_id, key, sign_raw
from understudy.consent.enrolment import EnrolmentReceipt, EnrolmentRecord
from understudy.consent.errors import ConflictError
from understudy.consent.primitives import encode_bytes
from understudy.custody.errors import CustodyRefusedError, ParticipantNotFoundError
from understudy.custody.head import Head
from understudy.sealing.errors import FormatError, SignatureError
from understudy.sealing.signing import Signed, sign


@pytest.fixture
def person() -> Participant:
    return Participant("three")


def enrol(world: World, person: Participant, *signers: str, **changes: Any) -> Signed:
    record = person.record(**changes)
    keys = [key(label) for label in signers]
    return world.custodian.enrol(sign(record, person.seed.signing, *(keys or [person.device])))


def reason(world: World, person: Participant, **changes: Any) -> str:
    with pytest.raises(CustodyRefusedError) as caught:
        enrol(world, person, **changes)
    return caught.value.reason


def test_the_receipt_is_signed_and_names_the_record(world: World, person: Participant) -> None:
    receipt = enrol(world, person).verify(EnrolmentReceipt, {key("custodian first").public})
    assert receipt.enrolment == person.enrolment().hash(EnrolmentRecord)
    assert (receipt.tag, receipt.number, receipt.custodian, receipt.epoch) == (person.tag, 1, "first", 1)


def test_the_same_record_gets_the_same_receipt_also_later(world: World, person: Participant) -> None:
    receipt = enrol(world, person)
    world.clock.advance(1_000)
    world.reopen()
    assert enrol(world, person) == receipt


def test_another_record_under_the_number_is_a_conflict(world: World, person: Participant) -> None:
    enrol(world, person)
    with pytest.raises(ConflictError) as caught:
        enrol(world, person, made_at=NOW + 1)
    assert caught.value.reason == "enrolment-conflict"


@pytest.mark.parametrize("signers", [(), ("device",), ("personal",)])
def test_personal_key_and_device_both_sign(
    world: World, person: Participant, signers: tuple[str, ...]
) -> None:
    keys = {"device": person.device, "personal": person.seed.signing}
    with pytest.raises(SignatureError):
        world.custodian.enrol(sign(person.record(), *(keys[name] for name in signers)))


def test_nobody_else_signs(world: World, person: Participant) -> None:
    with pytest.raises(SignatureError):
        world.custodian.enrol(sign(person.record(), person.seed.signing, person.device, key("server")))


def test_the_tag_is_recomputed(world: World, person: Participant) -> None:
    assert reason(world, person, tag=digest_of("another tag")) == "wrong-tag"


def test_a_swapped_key_set_is_refused(world: World, person: Participant) -> None:
    assert reason(world, person, key_set=digest_of("swapped")) == "key-set"


def test_another_programme_is_refused(world: World, person: Participant) -> None:
    assert reason(world, person, programme=fixed_id("prg", "other")) == "programme"


@pytest.mark.parametrize("case", ["twice", "personal"])
def test_every_key_has_one_duty(world: World, person: Participant, case: str) -> None:
    second = person.device.public if case == "twice" else person.seed.signing.public
    assert reason(world, person, devices=(person.device.public, second)) == "enrolment-keys"


def test_a_personal_key_that_nothing_can_be_sealed_to_is_refused(world: World, person: Participant) -> None:
    lattice = person.seed.hpke.public.raw[:1184]
    assert reason(world, person, personal_hpke=encode_bytes(lattice + bytes(32))) == "enrolment-keys"
    with pytest.raises(FormatError):
        enrol(world, person, personal_hpke=encode_bytes(b"\xff" * 1216))


class TestLaterRecords:
    def _second(self, person: Participant, **changes: Any) -> dict[str, Any]:
        return {
            "number": 2,
            "previous": person.enrolment().hash(EnrolmentRecord),
            "devices": (person.device.public, key("new device").public),
        } | changes

    def test_a_new_device_signs_an_old_one_need_not(self, world: World, person: Participant) -> None:
        enrol(world, person)
        with pytest.raises(SignatureError):
            enrol(world, person, **self._second(person))
        receipt = enrol(world, person, "new device", **self._second(person))
        assert receipt.verify(EnrolmentReceipt).number == 2

    def test_the_chain_begins_at_record_one_whatever_comes_later(
        self, world: World, person: Participant
    ) -> None:
        enrol(world, person)
        enrol(world, person, "new device", **self._second(person))
        head = world.custodian.head(person.tag).verify(Head)
        assert (head.n, head.commitment) == (0, person.enrolment().hash(EnrolmentRecord))

    def test_a_revoked_device_speaks_for_nobody(self, world: World) -> None:
        one = world.join("four")
        record = self._second(one, devices=(key("new device").public,))
        enrol(world, one, "new device", **record)
        with pytest.raises(CustodyRefusedError, match="unknown-device"):
            world.share(one)

    @pytest.mark.parametrize(
        "changes",
        [
            {"number": 3},
            {"previous": digest_of("another")},
            {"previous": None},
        ],
        ids=["gap", "wrong predecessor", "no predecessor"],
    )
    def test_records_come_one_after_another(
        self, world: World, person: Participant, changes: dict[str, Any]
    ) -> None:
        enrol(world, person)
        with pytest.raises(CustodyRefusedError, match="enrolment-number"):
            enrol(world, person, "new device", **self._second(person, **changes))

    def test_the_first_record_has_number_one(self, world: World, person: Participant) -> None:
        assert reason(world, person, number=2) == "enrolment-number"
        assert reason(world, person, previous=digest_of("before")) == "enrolment-number"

    def test_the_key_that_openings_are_sealed_to_never_changes(
        self, world: World, person: Participant
    ) -> None:
        enrol(world, person)
        other = Participant("other").seed.hpke.public.text
        with pytest.raises(CustodyRefusedError, match="enrolment-keys"):
            enrol(world, person, "new device", **self._second(person, personal_hpke=other))


def test_nobody_is_known_before_enrolment(world: World, person: Participant) -> None:
    with pytest.raises(ParticipantNotFoundError):
        world.custodian.head(person.tag)


@pytest.mark.parametrize("extra", [{"version": 2}, {"name": "somebody"}])
def test_unknown_versions_and_fields_are_refused(
    world: World, person: Participant, extra: dict[str, object]
) -> None:
    fields = msgspec.json.decode(person.enrolment().raw) | extra
    with pytest.raises(FormatError):
        world.custodian.enrol(sign_raw(EnrolmentRecord, fields, person.seed.signing, person.device))
