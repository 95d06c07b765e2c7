"""A change of mind is done when the custodian has signed that it is, and not because somebody says so."""

from collections.abc import Callable
from typing import Any, cast

import msgspec
import pytest

from tests.cast import stranger
from tests.lines import Between, between
from tests.simulator import Participant, Simulator
from understudy.consent.consent import Standing, StandingReceipt, StandingState
from understudy.consent.errors import UnavailableError
from understudy.contract.ports import CustodianPort, ServerPort
from understudy.recorder.device import KeptStanding
from understudy.recorder.errors import UnconfirmedError
from understudy.sealing.signing import Signed, sign


def nowhere(_standing: Signed) -> Any:
    raise UnavailableError("nobody answers")


def custodian_that(world: Simulator, stand: Callable[[Signed], Any]) -> CustodianPort:
    return cast("CustodianPort", Between(world.custodian, stand=stand))


def standing_at_custodian(world: Simulator, who: Participant) -> StandingState:
    with world.store.transaction():
        row = world.store.database.row(
            "SELECT state FROM standings WHERE tag = ? ORDER BY position DESC LIMIT 1", who.tag
        )
    return StandingState.ACTIVE if row is None else StandingState(row[0])


STOPS = [StandingState.PAUSED, StandingState.OBJECTING, StandingState.WITHDRAWN]


@pytest.mark.parametrize("state", STOPS)
def test_a_server_that_only_says_yes_confirms_nothing(
    world: Simulator, ana: Participant, state: StandingState
) -> None:
    dishonest = between(world.port, stand=lambda _: ())
    with pytest.raises(UnconfirmedError, match="no custodian has confirmed it: the server says"):
        ana.device.stand(dishonest, [], world.clock, state)


@pytest.mark.parametrize("state", STOPS)
def test_a_server_that_does_nothing_cannot_keep_a_stop_from_the_custodian(
    world: Simulator, ana: Participant, state: StandingState
) -> None:
    dishonest = between(world.port, stand=lambda _: ())
    stood = ana.device.stand(dishonest, [world.custodian], world.clock, state)
    assert stood.custodians == (world.custodian.name,)
    assert standing_at_custodian(world, ana) is state


def test_without_the_server_the_custodian_alone_confirms(world: Simulator, ana: Participant) -> None:
    dead = between(world.port, stand=nowhere)
    stood = ana.device.stand(dead, [world.custodian], world.clock, StandingState.PAUSED)
    assert (stood.custodians, stood.server) == ((world.custodian.name,), False)
    assert stood.problems == ("the server: nobody answers",)


def test_without_a_way_to_the_custodian_the_servers_relay_confirms(
    world: Simulator, ana: Participant
) -> None:
    dead = custodian_that(world, nowhere)
    stood = ana.device.stand(world.port, [dead], world.clock, StandingState.PAUSED)
    assert (stood.custodians, stood.server) == ((world.custodian.name,), True)
    assert stood.problems == ("a custodian: nobody answers",)


def test_with_the_server_alone_it_takes_effect_there_and_is_not_confirmed(
    world: Simulator, ana: Participant
) -> None:
    world.custodian_line.is_cut = True
    with pytest.raises(UnconfirmedError) as caught:
        ana.device.stand(world.port, [custodian_that(world, nowhere)], world.clock, StandingState.PAUSED)
    assert caught.value.hint
    assert world.server.programme.standing(ana.tag) is StandingState.PAUSED


def test_with_nobody_it_is_an_error(world: Simulator, ana: Participant) -> None:
    dead: ServerPort = between(world.port, stand=nowhere)
    with pytest.raises(UnconfirmedError, match="nobody answers"):
        ana.device.stand(dead, [custodian_that(world, nowhere)], world.clock, StandingState.PAUSED)


@pytest.mark.parametrize(
    "changes",
    [
        {"standing": "A" * 43},
        {"tag": "A" * 43},
        {"number": 99},
        {"state": StandingState.WITHDRAWN},
        {"custodian": "second"},
        {"epoch": 2},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_receipt_for_something_else_confirms_nothing(
    world: Simulator, ana: Participant, changes: dict[str, Any]
) -> None:
    def forge(standing: Signed) -> Signed:
        told = world.custodian.stand(standing).verify(StandingReceipt)
        return sign(msgspec.structs.replace(told, **changes), world.cast.custodian.signing)

    is_refused(world, ana, forge)


@pytest.mark.parametrize("signer", ["server", "stranger"])
def test_a_receipt_by_anybody_else_confirms_nothing(world: Simulator, ana: Participant, signer: str) -> None:
    key = world.cast.server if signer == "server" else stranger()

    def forge(standing: Signed) -> Signed:
        return sign(world.custodian.stand(standing).verify(StandingReceipt), key)

    is_refused(world, ana, forge)


def test_an_old_receipt_confirms_nothing(world: Simulator, ana: Participant) -> None:
    old = ana.device.stand(world.port, [world.custodian], world.clock, StandingState.PAUSED).receipts[0]
    is_refused(world, ana, lambda _: old)


def test_a_receipt_that_is_none_confirms_nothing(world: Simulator, ana: Participant) -> None:
    is_refused(world, ana, lambda standing: standing)


def is_refused(world: Simulator, who: Participant, forge: Callable[[Signed], Signed]) -> None:
    """Check that what ``forge`` returns counts neither from the custodian's address nor from the server."""
    forging = between(world.port, stand=lambda standing: (forge(standing),))
    for server, custodians in (
        (forging, []),
        (between(world.port, stand=nowhere), [custodian_that(world, forge)]),
    ):
        with pytest.raises(UnconfirmedError, match="no custodian's word"):
            who.device.stand(server, custodians, world.clock, StandingState.PAUSED)


def test_the_receipt_is_kept_on_the_device(world: Simulator, ana: Participant) -> None:
    stood = ana.device.stand(world.port, [world.custodian], world.clock, StandingState.WITHDRAWN)
    raw = (ana.device.home / "standing-receipts.json").read_bytes()
    kept = msgspec.json.decode(raw, type=KeptStanding)
    assert kept.receipts == stood.receipts
    told = kept.receipts[0].verify(StandingReceipt, [world.cast.custodian.signing.public])
    assert told.standing == kept.standing.hash(Standing)


def test_numbers_rise_even_when_an_answer_was_lost(world: Simulator, ana: Participant) -> None:
    def lose(standing: Signed) -> Any:
        world.port.stand(standing)
        raise UnavailableError("the answer was lost")

    with pytest.raises(UnconfirmedError):
        ana.device.stand(between(world.port, stand=lose), [], world.clock, StandingState.PAUSED)
    ana.stand(StandingState.ACTIVE)
    ana.stand(StandingState.PAUSED)
    assert world.server.programme.standing(ana.tag) is StandingState.PAUSED


@pytest.mark.parametrize("state", [StandingState.ACTIVE, StandingState.OBJECTING, StandingState.WITHDRAWN])
def test_numbers_that_a_thief_of_the_device_key_used_up_do_not_hold_up_the_participant(
    world: Simulator, ana: Participant, state: StandingState
) -> None:
    for number in (1_000, 2_000, 3_000):
        thiefs = Standing(
            programme=world.programme.programme,
            tag=ana.tag,
            number=number,
            state=StandingState.PAUSED,
            made_at=world.clock.now(),
        )
        world.custodian.stand(sign(thiefs, ana.device.key))
    stood = ana.device.stand(world.port, [world.custodian], world.clock, state)
    assert stood.custodians == (world.custodian.name,)
    assert stood.server
    assert standing_at_custodian(world, ana) is state
    assert world.server.programme.standing(ana.tag) is state
