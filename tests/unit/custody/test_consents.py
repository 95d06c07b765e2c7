"""Consent narrows the terms; standing acts at once, goes up by numbers, and withdrawing is final."""

from typing import Any

import pytest

from tests.unit.custody.world import (
    NOW,
    Participant,
    World,
    digest_of,
    fixed_id,
    key,
    reason_of,
    receipt_for,
)
from understudy.consent.consent import Consent, ConsentReceipt, Standing, StandingReceipt, StandingState
from understudy.consent.enrolment import EnrolmentRecord
from understudy.consent.errors import ConflictError
from understudy.consent.purposes import Purpose, Stream
from understudy.custody.errors import CustodyRefusedError
from understudy.custody.reasons import RefusalReason
from understudy.sealing.errors import FormatError, SignatureError
from understudy.sealing.signing import Signed, sign


def countersign(world: World, one: Participant, receipt: Signed | None = None, **changes: Any) -> Signed:
    consent = one.consent(**changes)
    return world.custodian.countersign(sign(consent, one.seed.signing), receipt or receipt_for(consent))


class TestConsent:
    def test_the_receipt_comes_back_signed_by_both(self, world: World, one: Participant) -> None:
        receipt = countersign(world, one, given_at=NOW + 1)
        both = {key("server").public, key("custodian first").public}
        assert receipt.verify(ConsentReceipt, both).tag == one.tag
        assert receipt.signers == both

    def test_the_first_receipt_stays_the_receipt(self, world: World, one: Participant) -> None:
        first = countersign(world, one)
        later = receipt_for(one.consent(), in_force_at=NOW - 1)
        world.reopen()
        assert countersign(world, one, later) == first

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"programme": fixed_id("prg", "other")}, "programme"),
            ({"document": digest_of("other")}, "consent-document"),
            ({"notice": digest_of("another notice")}, "consent-document"),
            ({"tag": digest_of("nobody")}, "unknown-participant"),
            ({"device": key("other").public}, "unknown-device"),
            ({"purposes": (Purpose.TRAIN, Purpose.DEBUG)}, "consent-too-wide"),
            ({"streams": (Stream.FRAMES,)}, "consent-too-wide"),
            ({"application_groups": ("games",)}, "consent-too-wide"),
        ],
    )
    def test_a_consent_is_for_this_programme_and_no_wider_than_its_terms(
        self, world: World, one: Participant, changes: dict[str, Any], reason: str
    ) -> None:
        with pytest.raises(CustodyRefusedError) as caught:
            countersign(world, one, **changes)
        assert caught.value.reason == reason

    def test_only_the_personal_key_consents(self, world: World, one: Participant) -> None:
        consent = one.consent(given_at=NOW + 1)
        for signers in ((one.device,), (one.seed.signing, key("server"))):
            with pytest.raises(SignatureError):
                world.custodian.countersign(sign(consent, *signers), receipt_for(consent))

    @pytest.mark.parametrize(
        "changes",
        [
            {"consent": digest_of("other")},
            {"programme": fixed_id("prg", "other")},
            {"document": digest_of("other")},
            {"tag": digest_of("other")},
        ],
        ids=lambda changes: next(iter(changes)),
    )
    def test_the_receipt_is_for_exactly_this_consent(
        self, world: World, one: Participant, changes: dict[str, str]
    ) -> None:
        receipt = receipt_for(one.consent(given_at=NOW + 1), **changes)
        with pytest.raises(CustodyRefusedError, match="consent-receipt"):
            countersign(world, one, receipt, given_at=NOW + 1)

    def test_a_receipt_from_the_future_is_refused(self, world: World, one: Participant) -> None:
        consent = one.consent(given_at=NOW + 1)
        countersign(world, one, receipt_for(consent, in_force_at=NOW + 5), given_at=NOW + 1)
        with pytest.raises(CustodyRefusedError, match="clock"):
            countersign(world, one, receipt_for(one.consent(given_at=2), in_force_at=NOW + 6), given_at=2)

    def test_the_server_signs_the_receipt(self, world: World, one: Participant) -> None:
        consent = one.consent(given_at=NOW + 1)
        unsigned = sign(receipt_for(consent).verify(ConsentReceipt), key("custodian first"))
        strangers = receipt_for(consent).with_signature(ConsentReceipt, key("stranger"))
        for receipt in (unsigned, strangers):
            with pytest.raises(SignatureError):
                countersign(world, one, receipt, given_at=NOW + 1)

    def test_a_receipt_is_no_consent(self, world: World, one: Participant) -> None:
        receipt = receipt_for(one.consent())
        with pytest.raises((SignatureError, FormatError)):
            world.custodian.countersign(receipt, receipt)


class TestStanding:
    @pytest.mark.parametrize("state", sorted(set(StandingState) - {StandingState.ACTIVE}))
    def test_it_takes_effect_at_once_and_looks_the_same_to_readers(
        self, world: World, one: Participant, state: StandingState
    ) -> None:
        segment = world.share(one)
        assert reason_of(world.ask(one, [segment])) == "released"
        world.custodian.stand(one.standing(state, 1))
        assert reason_of(world.ask(one, [segment])) == "not-available"
        world.reopen()
        assert reason_of(world.ask(one, [segment])) == "not-available"

    def test_no_reason_and_no_hint_says_why_recordings_are_not_open(self) -> None:
        """Only a device that deposits for its own participant is told more."""
        told = RefusalReason.NOT_AVAILABLE
        assert not any(word in f"{told} {told.hint}" for word in ("paus", "object", "withdr", "consent"))

    def test_a_pause_ends_with_the_next_word(self, world: World, one: Participant) -> None:
        segment = world.share(one)
        world.custodian.stand(one.standing(StandingState.PAUSED, 1))
        world.custodian.stand(one.standing(StandingState.ACTIVE, 2))
        assert reason_of(world.ask(one, [segment])) == "released"

    def test_one_persons_pause_closes_nobody_else(
        self, world: World, one: Participant, two: Participant
    ) -> None:
        segment = world.share(two)
        world.custodian.stand(one.standing(StandingState.PAUSED, 1))
        assert reason_of(world.ask(two, [segment])) == "released"

    def test_withdrawing_ends_the_consent_for_good(self, world: World, one: Participant) -> None:
        old = world.share(one)
        world.custodian.stand(one.standing(StandingState.WITHDRAWN, 1))
        world.custodian.stand(one.standing(StandingState.ACTIVE, 2))
        assert reason_of(world.ask(one, [old])) == "not-available"
        with pytest.raises(CustodyRefusedError, match="standing-withdrawn"):
            countersign(world, one)
        with pytest.raises(CustodyRefusedError, match="standing-withdrawn"):
            world.share(one)

    def test_a_new_consent_is_a_new_beginning(self, world: World, one: Participant) -> None:
        world.custodian.stand(one.standing(StandingState.WITHDRAWN, 1))
        world.custodian.stand(one.standing(StandingState.ACTIVE, 2))
        consent = world.consent(one, given_at=NOW + 60)
        segment = world.share(one, consent=consent)
        assert reason_of(world.ask(one, [segment])) == "released"

    def test_the_same_standing_twice_is_one(self, world: World, one: Participant) -> None:
        world.custodian.stand(one.standing(StandingState.PAUSED, 1))
        world.custodian.stand(one.standing(StandingState.ACTIVE, 2))
        world.custodian.stand(one.standing(StandingState.PAUSED, 1))
        assert reason_of(world.ask(one, [world.share(one)])) == "released"

    @pytest.mark.parametrize("number", [1, 2])
    def test_an_older_number_changes_nothing(self, world: World, one: Participant, number: int) -> None:
        world.custodian.stand(one.standing(StandingState.PAUSED, 2))
        with pytest.raises(ConflictError) as caught:
            world.custodian.stand(one.standing(StandingState.ACTIVE, number))
        assert caught.value.reason == "standing-number"
        assert reason_of(world.ask(one, [world.share(one)])) == "not-available"

    @pytest.mark.parametrize("state", list(StandingState))
    def test_a_device_may_only_pause(self, world: World, one: Participant, state: StandingState) -> None:
        standing = sign(one.standing(state, 1).verify(Standing), one.device)
        if state is StandingState.PAUSED:
            world.custodian.stand(standing)
            return
        with pytest.raises(CustodyRefusedError, match="standing-signer"):
            world.custodian.stand(standing)

    @pytest.mark.parametrize("stricter", [StandingState.OBJECTING, StandingState.WITHDRAWN])
    def test_a_device_never_softens_what_the_participant_said(
        self, world: World, one: Participant, stricter: StandingState
    ) -> None:
        world.custodian.stand(one.standing(stricter, 1))
        softer = sign(one.standing(StandingState.PAUSED, 2).verify(Standing), one.device)
        with pytest.raises(CustodyRefusedError, match="standing-signer"):
            world.custodian.stand(softer)
        with pytest.raises(CustodyRefusedError, match="standing-"):
            world.share(one)
        world.custodian.stand(one.standing(StandingState.ACTIVE, 2))
        world.custodian.stand(sign(one.standing(StandingState.PAUSED, 3).verify(Standing), one.device))

    def test_numbers_go_up_in_steps(self, world: World, one: Participant) -> None:
        for number in (1_001, 2**53 - 1):
            jump = sign(one.standing(StandingState.PAUSED, number).verify(Standing), one.device)
            with pytest.raises(ConflictError) as caught:
                world.custodian.stand(jump)
            assert caught.value.reason == "standing-number"
        world.custodian.stand(one.standing(StandingState.PAUSED, 1_000))
        world.custodian.stand(one.standing(StandingState.ACTIVE, 2_000))

    @pytest.mark.parametrize("number", [1, 1_000, 2**53 - 1])
    def test_no_number_stands_in_the_way_of_a_withdrawal(
        self, world: World, one: Participant, number: int
    ) -> None:
        segment = world.share(one)
        for used in (1, 1_000):
            world.custodian.stand(sign(one.standing(StandingState.PAUSED, used).verify(Standing), one.device))
        withdrawal = one.standing(StandingState.WITHDRAWN, number)
        receipt = world.custodian.stand(withdrawal)
        world.reopen()
        assert world.custodian.stand(withdrawal) == receipt
        assert reason_of(world.ask(one, [segment])) != "released"
        with pytest.raises(CustodyRefusedError, match="standing-"):
            countersign(world, one)

    def test_the_receipt_is_the_custodians_word_on_exactly_this_standing(
        self, world: World, one: Participant
    ) -> None:
        standing = one.standing(StandingState.PAUSED, 3)
        receipt = world.custodian.stand(standing)
        assert receipt.signers == {key("custodian first").public}
        assert receipt.verify(StandingReceipt) == StandingReceipt(
            standing=standing.hash(Standing),
            tag=one.tag,
            number=3,
            state=StandingState.PAUSED,
            custodian="first",
            epoch=1,
            received_at=NOW,
        )
        world.clock.advance(60)
        world.custodian.stand(one.standing(StandingState.ACTIVE, 4))
        assert world.custodian.stand(standing) == receipt

    def test_a_foreign_device_may_not_even_pause(
        self, world: World, one: Participant, two: Participant
    ) -> None:
        standing = one.standing(StandingState.PAUSED, 1).verify(Standing)
        for signer in (two.device, two.seed.signing, key("server"), key("approver-1")):
            with pytest.raises(CustodyRefusedError, match="standing-signer"):
                world.custodian.stand(sign(standing, signer))

    def test_nobody_stands_unenrolled(self, world: World) -> None:
        with pytest.raises(CustodyRefusedError, match="unknown-participant"):
            world.custodian.stand(Participant("nobody").standing(StandingState.PAUSED, 1))

    def test_another_programmes_standing_is_refused(self, world: World, one: Participant) -> None:
        standing = Standing(
            programme=fixed_id("prg", "other"),
            tag=one.tag,
            number=1,
            state=StandingState.PAUSED,
            made_at=NOW,
        )
        with pytest.raises(CustodyRefusedError, match="programme"):
            world.custodian.stand(sign(standing, one.seed.signing))

    def test_a_consent_is_no_standing(self, world: World, one: Participant) -> None:
        with pytest.raises((SignatureError, FormatError)):
            world.custodian.stand(sign(one.consent(), one.seed.signing))
        with pytest.raises((SignatureError, FormatError)):
            world.custodian.enrol(one.standing(StandingState.PAUSED, 1))
        assert Consent.CONTEXT != Standing.CONTEXT != EnrolmentRecord.CONTEXT
