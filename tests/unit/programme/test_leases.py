"""No lease without a yes from everybody who can say no: person, device, consent, server and custodian."""

from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import func, select, table, text

from tests.cast import PROGRAMME, STARTED_AT, stranger
from tests.unit.programme.stage import Person, Stage
from understudy.consent.consent import StandingState
from understudy.consent.errors import RefusedError, UnavailableError
from understudy.consent.lease import Lease
from understudy.consent.primitives import encode_bytes
from understudy.consent.purposes import Activity, Stream
from understudy.custody.statement import verify_answer
from understudy.custody.switch import StatementForDevice
from understudy.programme.database import reading
from understudy.sealing.signing import document_hash, sign


def refused(stage: Stage, anna: Person, consent: str) -> str:
    with pytest.raises(RefusedError) as caught:
        stage.lease(anna, consent)
    return caught.value.reason


def test_a_lease_lasts_a_minute_and_comes_with_the_custodians_word(stage: Stage, anna: Person) -> None:
    consent = stage.agree(anna)
    stage.lift()
    answer = stage.lease(anna, consent)
    lease = answer.lease.verify(Lease, [stage.cast.server.public])
    assert (lease.not_before, lease.not_after) == (STARTED_AT, STARTED_AT + 60)
    assert (lease.device, lease.consent) == (anna.device.public, consent)
    keys = stage.cast.key_set()
    statement = verify_answer(keys, PROGRAMME, answer.statement, encode_bytes(bytes(32)))
    assert Activity.CAPTURE not in statement.off


def test_nothing_is_recorded_before_the_first_lift(stage: Stage, anna: Person) -> None:
    assert refused(stage, anna, stage.agree(anna)) == "switch-off"


def test_nobody_unknown_gets_a_lease(stage: Stage, anna: Person) -> None:
    stage.lift()
    assert refused(stage, anna, "A" * 43) == "not-enrolled"
    stage.enrol(anna)
    assert refused(stage, anna, "A" * 43) == "consent-unknown"


def test_a_consent_of_the_server_alone_is_none(stage: Stage, anna: Person) -> None:
    stage.enrol(anna)
    stage.lift()
    consent = stage.consent(anna)
    stage.line.is_cut = True
    with pytest.raises(UnavailableError):
        stage.programme.give_consent(sign(consent, anna.seed.signing))
    stage.line.is_cut = False
    assert refused(stage, anna, document_hash(consent)) == "consent-unknown"


@pytest.mark.parametrize("state", [state for state in StandingState if state is not StandingState.ACTIVE])
def test_a_change_of_mind_ends_leases_at_once(stage: Stage, anna: Person, state: StandingState) -> None:
    consent = stage.agree(anna)
    stage.lift()
    stage.lease(anna, consent)
    stage.line.is_cut = True
    stage.stand(anna, state)
    stage.line.is_cut = False
    reason = refused(stage, anna, consent)
    assert reason in {f"standing-{state.value}", "consent-ended"}


FAULTS: list[tuple[str, dict[str, Any], str]] = [
    ("another programme", {"programme": PROGRAMME[:-1] + "Q"}, "programme-mismatch"),
    ("a slow clock", {"asked_at": STARTED_AT - 6}, "clock"),
    ("a fast clock", {"asked_at": STARTED_AT + 6}, "clock"),
    ("another device", {"device": stranger().public}, "device-unknown"),
    ("a stream that was not consented to", {"streams": (Stream.INPUT,)}, "stream-not-consented"),
    ("one stream too many", {"streams": (Stream.ELEMENTS, Stream.INPUT)}, "stream-not-consented"),
]


@pytest.mark.parametrize(
    ("changes", "reason"), [fault[1:] for fault in FAULTS], ids=[fault[0] for fault in FAULTS]
)
def test_a_request_that_does_not_fit_is_refused(
    stage: Stage, anna: Person, changes: dict[str, Any], reason: str
) -> None:
    consent = stage.agree(anna)
    stage.lift()
    request = stage.lease_request(anna, consent, **changes)
    with pytest.raises(RefusedError) as caught:
        stage.programme.lease(sign(request, anna.device))
    assert caught.value.reason == reason


def test_only_the_device_itself_asks(stage: Stage, anna: Person) -> None:
    consent = stage.agree(anna)
    stage.lift()
    request = stage.lease_request(anna, consent)
    for signers in ((anna.seed.signing,), (stranger(),), (anna.device, stranger())):
        with pytest.raises(RefusedError) as caught:
            stage.programme.lease(sign(request, *signers))
        assert caught.value.reason == "device-unknown"


def test_one_persons_consent_serves_no_other(stage: Stage, anna: Person) -> None:
    berta = Person("berta")
    consent = stage.agree(anna)
    stage.agree(berta)
    stage.lift()
    assert refused(stage, berta, consent) == "consent-unknown"


def test_a_consent_given_on_one_device_serves_no_other(stage: Stage, anna: Person) -> None:
    consent = stage.agree(anna)
    stage.lift()
    tablet = stranger("tablet")
    first = document_hash(stage.record(anna))
    record = stage.record(anna, number=2, previous=first, devices=(anna.device.public, tablet.public))
    stage.programme.enrol(sign(record, anna.seed.signing, tablet))
    request = stage.lease_request(anna, consent, device=tablet.public)
    with pytest.raises(RefusedError) as caught:
        stage.programme.lease(sign(request, tablet))
    assert caught.value.reason == "consent-device"


def test_a_material_change_of_terms_waits_for_a_new_consent(stage: Stage, anna: Person) -> None:
    consent = stage.agree(anna)
    stage.lift()
    first = stage.cast.document()
    signers = [stage.cast.person(name) for name in ("steward", "approver-1", "approver-2", "custodian")]
    roster = tuple(member for member in first.roster if member.name != "reader")
    second = replace(first, number=2, previous=document_hash(first), roster=roster)
    stage.programme.documents.adopt(sign(second, *signers))
    stage.lease(anna, consent)
    terms = replace(second.terms, notice="Something else is recorded now.")
    third = replace(second, number=3, previous=document_hash(second), terms=terms)
    stage.programme.documents.adopt(sign(third, *signers))
    assert refused(stage, anna, consent) == "consent-outdated"


def test_either_switch_stops_leases(stage: Stage, anna: Person) -> None:
    consent = stage.agree(anna)
    stage.lift()
    stage.custodian.switch_off(stage.order(Activity.CAPTURE, by="auditor"))
    assert refused(stage, anna, consent) == "switch-off"
    stage.lift()
    stage.lease(anna, consent)
    stage.line.is_cut = True
    stage.programme.switch_off(stage.order(Activity.CAPTURE, nonce=2))
    assert refused(stage, anna, consent) == "switch-off"


def test_another_activity_stopped_stops_no_lease(stage: Stage, anna: Person) -> None:
    consent = stage.agree(anna)
    stage.lift()
    stage.programme.switch_off(stage.order(Activity.READS, Activity.TRAINING))
    stage.lease(anna, consent)


def test_without_the_custodians_word_there_is_no_lease(stage: Stage, anna: Person) -> None:
    consent = stage.agree(anna)
    stage.lift()
    stage.line.is_cut = True
    with pytest.raises(UnavailableError):
        stage.lease(anna, consent)


def test_an_old_or_foreign_statement_is_refused(stage: Stage, anna: Person) -> None:
    consent = stage.agree(anna)
    stage.lift()
    old = stage.custodian.statements((encode_bytes(b"\x01" * 32),))

    class Stale:
        name = "first"

        def statements(self, _nonces: tuple[str, ...]) -> tuple[StatementForDevice, ...]:
            return old

    stage.line.party = Stale()
    assert refused(stage, anna, consent) == "custodian-receipt"


def test_leases_leave_no_trace(stage: Stage, anna: Person) -> None:
    consent = stage.agree(anna)
    stage.lift()

    def rows() -> dict[str, int | None]:
        with reading(stage.engine) as session:
            tables = session.scalars(text("select name from sqlite_master where type = 'table'")).all()
            return {name: session.scalar(select(func.count()).select_from(table(name))) for name in tables}

    before = rows()
    for _ in range(3):
        stage.lease(anna, consent)
        stage.clock.advance(30)
    assert rows() == before
