"""Deposits: the right half, for the right header, from the right device, written once."""

from typing import Any

import msgspec
import pytest

from tests.unit.custody.world import (
    NOW,
    Participant,
    World,
    digest_of,
    fixed_id,
    hpke,
    key,
    reason_of,
    seal,
    sign_raw,
)
from understudy.consent.consent import StandingState
from understudy.consent.errors import ConflictError
from understudy.consent.purposes import Activity
from understudy.custody.errors import CustodyRefusedError
from understudy.custody.head import DepositReceipt
from understudy.sealing.canonical import octets
from understudy.sealing.errors import FormatError, SignatureError
from understudy.sealing.header import SegmentHeader
from understudy.sealing.segment import SealedSegment
from understudy.sealing.signing import Signed, sign


def deposit(world: World, bundle: SealedSegment) -> Signed:
    return world.custodian.deposit(bundle.header, bundle.halves[1])


def refused(world: World, one: Participant, **changes: Any) -> str:
    consent = changes.pop("given", one.consent())
    with pytest.raises(CustodyRefusedError) as caught:
        deposit(world, seal(one, consent, **changes))
    return caught.value.reason


def test_the_receipt_names_header_half_and_custodian(world: World, one: Participant) -> None:
    bundle = seal(one, one.consent())
    receipt = deposit(world, bundle).verify(DepositReceipt, {key("custodian first").public})
    header = bundle.header.verify(SegmentHeader)
    assert receipt.segment == header.seal.segment
    assert receipt.header == bundle.header.hash(SegmentHeader)
    assert receipt.sealed_hash == header.half("c").sealed_hash
    assert (receipt.role, receipt.custodian, receipt.epoch, receipt.received_at) == (
        "c",
        "first",
        1,
        NOW - NOW % 86_400,
    )


def test_deposits_of_one_day_cannot_be_told_apart_by_their_time(world: World, one: Participant) -> None:
    """Receipts lie at the server and here; to the second they would say when somebody works."""
    world.clock.advance(-(world.clock.now() % 86_400))
    days = []
    for seconds in (0, 1, 7 * 3_600, 86_400 - 7 * 3_600 - 2, 1):
        world.clock.advance(seconds)
        days.append(deposit(world, seal(one, one.consent())).verify(DepositReceipt).received_at)
    assert days == [days[0]] * 4 + [days[0] + 86_400]


def test_a_receipt_with_a_time_of_day_is_no_receipt(world: World, one: Participant) -> None:
    told = deposit(world, seal(one, one.consent())).verify(DepositReceipt)
    exact = sign(msgspec.structs.replace(told, received_at=told.received_at + 1), key("custodian first"))
    with pytest.raises(FormatError):
        exact.verify(DepositReceipt)


def test_the_same_deposit_gets_the_same_receipt_whatever_changed_since(
    world: World, one: Participant
) -> None:
    bundle = seal(one, one.consent())
    receipt = deposit(world, bundle)
    world.clock.advance(9_999)
    world.custodian.switch_off_local([Activity.INGEST], "test")
    world.custodian.stand(one.standing(StandingState.WITHDRAWN, 1))
    world.reopen()
    assert deposit(world, bundle) == receipt


def test_another_deposit_under_the_id_is_a_conflict(world: World, one: Participant) -> None:
    segment = fixed_id("seg", "one")
    first, second = (seal(one, one.consent(), segment=segment) for _ in range(2))
    deposit(world, first)
    for header, half in (
        (second.header, second.halves[1]),
        (first.header, second.halves[1]),
        (second.header, first.halves[1]),
    ):
        with pytest.raises(ConflictError) as caught:
            world.custodian.deposit(header, half)
        assert caught.value.reason == "deposit-conflict"


def test_the_id_of_another_participants_segment_cannot_be_taken(
    world: World, one: Participant, two: Participant
) -> None:
    segment = world.share(one)
    with pytest.raises(ConflictError):
        deposit(world, seal(two, two.consent(), segment=segment))


def test_only_an_enrolled_device_deposits(world: World, one: Participant, two: Participant) -> None:
    assert refused(world, one, device=key("unknown")) == "unknown-device"
    assert refused(world, one, device=two.device) == "unknown-device"


def test_nobody_unenrolled_deposits(world: World) -> None:
    assert refused(world, Participant("nobody")) == "unknown-participant"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"programme": fixed_id("prg", "other")}, "programme"),
        ({"key_set": digest_of("swapped")}, "key-set"),
        ({"consent": digest_of("unknown")}, "unknown-consent"),
        ({"application_group": "games"}, "consent-too-wide"),
        ({"custodian": tuple(hpke(name).public for name in ("first", "b", "c"))}, "deposit-role"),
        ({"custodian": hpke("other").public}, "wrong-half"),
    ],
)
def test_the_header_fits_programme_keys_and_consent(
    world: World, one: Participant, changes: dict[str, Any], reason: str
) -> None:
    assert refused(world, one, **changes) == reason


def test_consent_comes_before_the_deposit(world: World, one: Participant) -> None:
    assert refused(world, one, given=one.consent(given_at=5)) == "unknown-consent"


def test_another_participants_consent_does_not_do(world: World, one: Participant, two: Participant) -> None:
    assert refused(world, one, given=two.consent()) == "unknown-consent"


@pytest.mark.parametrize("kind", ["derived", "pooled"])
def test_this_version_takes_recordings_only(world: World, one: Participant, kind: str) -> None:
    bundle = seal(one, one.consent())
    fields = msgspec.json.decode(bundle.header.raw)
    fields["seal"]["kind"] = kind
    fields["seal"]["tag"] = None if kind == "pooled" else one.tag
    fields["sources"] = {"opens": [digest_of("open")], "root": digest_of("root")}
    header = sign_raw(SegmentHeader, fields, one.device)
    with pytest.raises(CustodyRefusedError, match="deposit-kind"):
        world.custodian.deposit(header, bundle.halves[1])


class TestHalves:
    """A half shown as another's, or put beside a genuine header, opens nothing."""

    def test_a_half_of_another_segment_beside_a_genuine_header(
        self, world: World, one: Participant, two: Participant
    ) -> None:
        genuine = seal(one, one.consent())
        for other in (seal(one, one.consent()), seal(two, two.consent())):
            with pytest.raises(CustodyRefusedError) as caught:
                world.custodian.deposit(genuine.header, other.halves[1])
            assert caught.value.reason == "wrong-half"

    def test_a_half_that_the_header_names_but_that_was_sealed_for_another_segment(
        self, world: World, one: Participant
    ) -> None:
        genuine, other = seal(one, one.consent()), seal(one, one.consent())
        fields = msgspec.json.decode(genuine.header.raw)
        fields["halves"][1] = msgspec.json.decode(other.header.raw)["halves"][1]
        forged = sign_raw(SegmentHeader, fields, one.device)
        with pytest.raises(CustodyRefusedError) as caught:
            world.custodian.deposit(forged, other.halves[1])
        assert caught.value.reason == "wrong-half"

    def test_a_half_that_is_not_the_one_committed_to(self, world: World, one: Participant) -> None:
        bundle = seal(one, one.consent())
        fields = msgspec.json.decode(bundle.header.raw)
        fields["halves"][1]["commitment"] = digest_of("another half")
        forged = sign_raw(SegmentHeader, fields, one.device)
        with pytest.raises(CustodyRefusedError) as caught:
            world.custodian.deposit(forged, bundle.halves[1])
        assert caught.value.reason == "wrong-half"

    def test_the_brokers_half_is_not_taken(self, world: World, one: Participant) -> None:
        bundle = seal(one, one.consent())
        with pytest.raises(CustodyRefusedError) as caught:
            world.custodian.deposit(bundle.header, bundle.halves[0])
        assert caught.value.reason == "deposit-role"

    def test_an_altered_half_is_refused(self, world: World, one: Participant) -> None:
        bundle = seal(one, one.consent())
        half = bundle.halves[1]
        broken = msgspec.structs.replace(half, sealed=half.sealed[:-3] + "AAA")
        with pytest.raises((CustodyRefusedError, FormatError)):
            world.custodian.deposit(bundle.header, broken)


@pytest.mark.parametrize("field", ["tag", "segment", "consent", "key_set", "recording", "task_label"])
def test_a_header_that_was_changed_on_the_way_is_refused(
    world: World, one: Participant, two: Participant, field: str
) -> None:
    bundle = seal(one, one.consent())
    fields = msgspec.json.decode(bundle.header.raw)
    fields["seal"][field] = {
        "tag": two.tag,
        "segment": fixed_id("seg", "other"),
        "recording": fixed_id("rec", "other"),
        "task_label": "mail",
    }.get(field, digest_of("other"))
    forged = sign_raw(SegmentHeader, fields, one.device)
    changed = Signed(body=forged.body, signatures=bundle.header.signatures)
    with pytest.raises(SignatureError):
        world.custodian.deposit(changed, bundle.halves[1])


def test_a_second_signature_on_a_header_is_refused(world: World, one: Participant) -> None:
    bundle = seal(one, one.consent())
    doubled = sign(bundle.header.verify(SegmentHeader), one.device, key("server"))
    with pytest.raises(SignatureError):
        world.custodian.deposit(doubled, bundle.halves[1])


def test_ingest_that_is_off_stops_new_deposits(world: World, one: Participant) -> None:
    world.custodian.switch_off_local([Activity.INGEST], "test")
    assert refused(world, one) == "switch-off"


@pytest.mark.parametrize("state", [StandingState.OBJECTING, StandingState.WITHDRAWN])
def test_objecting_and_withdrawing_stop_new_deposits(
    world: World, one: Participant, state: StandingState
) -> None:
    world.custodian.stand(one.standing(state, 1))
    assert refused(world, one) == f"standing-{state.value}"


def test_a_pause_does_not_stop_what_was_shared_before_it(world: World, one: Participant) -> None:
    world.custodian.stand(one.standing(StandingState.PAUSED, 1))
    assert world.share(one)


class TestErasure:
    def test_an_erased_segment_opens_for_nobody_and_its_stored_reply_dies(
        self, world: World, one: Participant
    ) -> None:
        segment, other = world.share(one), world.share(one)
        grant = world.grant()
        request = world.request(grant, [segment])
        entered = world.enter(grant, request, {one.tag: [segment]})
        delivery = world.delivery(entered, grant, request)
        assert reason_of(world.open(delivery)) == "released"
        world.custodian.erase_local([segment])
        assert reason_of(world.open(delivery)) == "erased"
        assert reason_of(world.ask(one, [segment])) == "erased"
        assert reason_of(world.ask(one, [other])) == "released"
        world.reopen()
        assert reason_of(world.ask(one, [segment])) == "erased"

    def test_an_erased_id_is_never_taken_again(self, world: World, one: Participant) -> None:
        bundle = seal(one, one.consent())
        deposit(world, bundle)
        segment = bundle.header.verify(SegmentHeader).seal.segment
        world.custodian.erase_local([segment])
        with pytest.raises(CustodyRefusedError, match="erased"):
            deposit(world, bundle)

    def test_the_sealed_half_is_gone_from_the_files(self, world: World, one: Participant) -> None:
        bundle = seal(one, one.consent())
        deposit(world, bundle)
        sealed = octets(bundle.halves[1].sealed)
        assert any(sealed[:64] in file.read_bytes() for file in world.folder.iterdir())
        world.custodian.erase_local([bundle.header.verify(SegmentHeader).seal.segment])
        assert not any(sealed[64:128] in file.read_bytes() for file in world.folder.iterdir())
