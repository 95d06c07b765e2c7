"""No lease, no event: what the device accepts as permission to record."""

from typing import Any

import msgspec
import pytest

from tests.cast import stranger
from tests.lines import between
from tests.simulator import Participant, Simulator
from understudy.consent.consent import StandingState
from understudy.consent.errors import RefusedError, UnavailableError
from understudy.consent.lease import Lease
from understudy.consent.primitives import encode_bytes
from understudy.consent.purposes import Activity
from understudy.contract.messages import LeaseAnswer
from understudy.custody.switch import StatementForDevice, SwitchStatement
from understudy.recorder.errors import DeviceError, LeaseError
from understudy.recorder.leases import LeaseKeeper
from understudy.sealing.signing import Signed, SigningKey, sign


def keeper(world: Simulator, ana: Participant, forge: Any) -> LeaseKeeper:
    """Return a keeper whose answers ``forge`` has changed."""
    server = between(world.port, lease=lambda request: forge(world.port.lease(request)))
    return LeaseKeeper(ana.device, server, world.clock)


def other_lease(answer: LeaseAnswer, key: SigningKey, **changes: Any) -> LeaseAnswer:
    lease = sign(msgspec.structs.replace(answer.lease.verify(Lease), **changes), key)
    return msgspec.structs.replace(answer, lease=lease)


def other_statement(answer: LeaseAnswer, key: SigningKey, **changes: Any) -> LeaseAnswer:
    told = answer.statement.statement.verify(SwitchStatement)
    signed = sign(msgspec.structs.replace(told, **changes), key)
    return msgspec.structs.replace(
        answer, statement=msgspec.structs.replace(answer.statement, statement=signed)
    )


def test_a_lease_lets_record_until_its_own_end_or_the_statements(world: Simulator, ana: Participant) -> None:
    delays = world.programme.delays
    until = ana.keeper.renew()
    assert until == world.clock.now() + min(delays.lease_seconds, delays.statement_seconds)


def test_a_longer_lease_does_not_outlive_the_custodians_word(world: Simulator, ana: Participant) -> None:
    """A server that never stops giving leases gains the age of one statement, counted from the nonce."""
    asked_at = world.clock.now()
    forged = keeper(
        world, ana, lambda answer: other_lease(answer, world.cast.server, not_after=asked_at + 100_000)
    )
    assert forged.renew() == asked_at + world.programme.delays.statement_seconds


def test_the_statements_age_counts_from_sending_the_nonce(world: Simulator, ana: Participant) -> None:
    asked_at = world.clock.now()

    def delay(answer: LeaseAnswer) -> LeaseAnswer:
        world.clock.advance(40)
        return answer

    assert keeper(world, ana, delay).renew() == asked_at + world.programme.delays.statement_seconds


@pytest.mark.parametrize("field", ["device", "consent", "document"])
def test_a_lease_for_something_else_is_refused(world: Simulator, ana: Participant, field: str) -> None:
    forged = keeper(world, ana, lambda answer: other_lease(answer, world.cast.server, **{field: "A" * 43}))
    with pytest.raises(LeaseError):
        forged.renew()


def test_a_lease_that_leaves_out_a_stream_is_refused(world: Simulator, ana: Participant) -> None:
    forged = keeper(world, ana, lambda answer: other_lease(answer, world.cast.server, streams=("elements",)))
    with pytest.raises(LeaseError):
        forged.renew()


@pytest.mark.parametrize("signer", ["custodian", "stranger"])
def test_a_lease_that_the_server_has_not_signed_is_refused(
    world: Simulator, ana: Participant, signer: str
) -> None:
    key = world.cast.custodian.signing if signer == "custodian" else stranger()
    with pytest.raises(LeaseError):
        keeper(world, ana, lambda answer: other_lease(answer, key)).renew()


@pytest.mark.parametrize("signer", ["server", "stranger"])
def test_a_statement_that_the_custodian_has_not_signed_is_refused(
    world: Simulator, ana: Participant, signer: str
) -> None:
    """A patched server cannot say for the custodian that capture is on."""
    key = world.cast.server if signer == "server" else stranger()
    with pytest.raises(LeaseError, match="not a custodian's"):
        keeper(world, ana, lambda answer: other_statement(answer, key, off=())).renew()


def test_an_old_statement_is_not_taken_for_a_new_one(world: Simulator, ana: Participant) -> None:
    """Replay: a statement answers one nonce, so one from before the stop proves nothing after it."""
    before = world.custodian.statements((encode_bytes(bytes(32)),))[0]
    replayed = keeper(world, ana, lambda answer: msgspec.structs.replace(answer, statement=before))
    with pytest.raises(LeaseError):
        replayed.renew()


def test_a_statement_among_many_is_found_by_its_path(world: Simulator, ana: Participant) -> None:
    """One statement answers a fleet; the wrong place or path in it answers nobody."""
    others = tuple(encode_bytes(bytes([number]) * 32) for number in range(5))
    answers: list[StatementForDevice] = []

    def batched(request: Signed) -> LeaseAnswer:
        answer = world.port.lease(request)
        nonce = _nonce(request)
        answers.extend(world.custodian.statements((*others[:3], nonce, *others[3:])))
        return msgspec.structs.replace(answer, statement=answers[3])

    server = between(world.port, lease=batched)
    assert LeaseKeeper(ana.device, server, world.clock).renew()

    def misplaced(request: Signed) -> LeaseAnswer:
        answer = world.port.lease(request)
        found = world.custodian.statements((*others[:3], _nonce(request), *others[3:]))
        return msgspec.structs.replace(answer, statement=found[2])

    server = between(world.port, lease=misplaced)
    with pytest.raises(LeaseError):
        LeaseKeeper(ana.device, server, world.clock).renew()


def test_a_statement_that_says_off_stops_capture_whatever_the_server_says(
    world: Simulator, ana: Participant
) -> None:
    def patched(request: Signed) -> LeaseAnswer:
        answer = world.port.lease(request)
        world.custodian.switch_off(world.order(Activity.CAPTURE))
        (statement,) = world.custodian.statements((_nonce(request),))
        return msgspec.structs.replace(answer, statement=statement)

    server = between(world.port, lease=patched)
    with pytest.raises(LeaseError, match="switched off"):
        LeaseKeeper(ana.device, server, world.clock).renew()


@pytest.mark.parametrize("party", ["server", "custodian"])
def test_either_party_alone_stops_capture(world: Simulator, ana: Participant, party: str) -> None:
    if party == "server":
        world.server.programme.switch_off(world.order(Activity.CAPTURE))
    else:
        world.custodian.switch_off(world.order(Activity.CAPTURE))
    with pytest.raises((RefusedError, LeaseError)):
        ana.keeper.renew()


def test_without_a_custodian_there_is_no_lease(world: Simulator, ana: Participant) -> None:
    world.custodian_line.is_cut = True
    with pytest.raises(UnavailableError):
        ana.keeper.renew()


def test_without_consent_nothing_is_even_asked(world: Simulator) -> None:
    visitor = world.visitor("ben").enrol()
    with pytest.raises(DeviceError):
        visitor.keeper.renew()


def test_a_pause_ends_leases(world: Simulator, ana: Participant) -> None:
    ana.keeper.renew()
    ana.stand(StandingState.PAUSED)
    with pytest.raises(RefusedError) as caught:
        ana.keeper.renew()
    assert caught.value.reason == "standing-paused"
    ana.stand(StandingState.ACTIVE)
    assert ana.keeper.renew() > world.clock.now()


def test_coverage_holds_the_leases_that_touch_the_stretch_and_no_others(
    world: Simulator, ana: Participant
) -> None:
    begun = world.clock.now()
    for _ in range(3):
        ana.keeper.renew()
        world.clock.advance(100)
    first = ana.keeper.coverage(begun, begun + 1)
    second = ana.keeper.coverage(begun + 101, begun + 102)
    assert len(first.leases) == len(second.leases) == len(first.statements) == 1
    assert first.leases != second.leases
    with pytest.raises(LeaseError):
        ana.keeper.coverage(begun + 70, begun + 90)


def _nonce(request: Signed) -> str:
    nonce: str = msgspec.json.decode(request.raw)["nonce"]
    return nonce
