"""The custodian's edge: the server's calls, the operator's own switch, and nobody else's word."""

import secrets
from collections.abc import Iterator

import httpx
import pytest

from tests.unit.web.homes import Homes, calls_to
from understudy.consent.primitives import encode_bytes
from understudy.consent.purposes import Activity
from understudy.contract.auth import WINDOW_SECONDS, sign_request
from understudy.contract.body import read_body, write_body
from understudy.contract.messages import Identity, Problem, QueueAnswer, SignedCall, SwitchStatus
from understudy.contract.routes import IDENTITY, QUEUE, SWITCH, SWITCH_LIFT, SWITCH_OFF
from understudy.custody.switch import LiftBundle, SwitchOrder
from understudy.sealing.signing import Signed, SigningKey, sign
from understudy.web.ceremony import LIFT
from understudy.web.home import load_key


@pytest.fixture
def client(fresh: Homes) -> Iterator[httpx.Client]:
    with fresh.custodian() as custodian, calls_to(custodian.app) as opened:
        yield opened


def order(homes: Homes, *off: Activity, late: int = 0) -> SwitchOrder:
    return SwitchOrder(
        programme=homes.document.programme,
        off=tuple(sorted(off)),
        nonce=encode_bytes(secrets.token_bytes(32)),
        reason="a test stops it",
        ordered_at=homes.clock.now() - late,
    )


def lift(client: httpx.Client, homes: Homes) -> SwitchStatus:
    status = read_body(SwitchStatus, client.get(SWITCH.target()).content)
    bundle = LiftBundle(
        programme=homes.document.programme,
        on=tuple(sorted(Activity)),
        custodian=status.by,
        epoch=status.epoch,
        revision=status.revision,
        made_at=homes.clock.now(),
    )
    answer = post(client, SWITCH_LIFT.target(), sign(bundle, *homes.ceremony.people.keys(LIFT)))
    assert answer.status_code == 200
    return read_body(SwitchStatus, answer.content)


def post(client: httpx.Client, target: str, document: Signed) -> httpx.Response:
    return client.post(target, content=write_body(SignedCall(document=document)))


def own_key(homes: Homes) -> SigningKey:
    return load_key(homes.root / "custodian", "custodian")


def test_its_operator_stops_it_with_the_key_in_its_home(client: httpx.Client, fresh: Homes) -> None:
    assert lift(client, fresh).off == ()
    answer = post(client, SWITCH_OFF.target(), sign(order(fresh, Activity.READS), own_key(fresh)))
    assert read_body(SwitchStatus, answer.content).off == (Activity.READS,)


def test_an_old_order_of_the_operator_is_not_taken_again(client: httpx.Client, fresh: Homes) -> None:
    old = sign(order(fresh, Activity.READS, late=WINDOW_SECONDS + 1), own_key(fresh))
    answer = post(client, SWITCH_OFF.target(), old)
    assert (answer.status_code, read_body(Problem, answer.content).reason) == (403, "clock")


def test_an_order_that_only_claims_to_be_the_operators_is_refused(client: httpx.Client, fresh: Homes) -> None:
    lift(client, fresh)
    signed = sign(order(fresh, Activity.READS), SigningKey.generate())
    (forged,) = sign(order(fresh, Activity.READS), own_key(fresh)).signatures
    answer = post(client, SWITCH_OFF.target(), Signed(body=signed.body, signatures=(forged,)))
    assert answer.status_code == 401
    assert read_body(SwitchStatus, client.get(SWITCH.target()).content).off == ()


@pytest.mark.parametrize(("name", "status"), [("steward", 200), ("auditor", 200), ("lift-1", 403)])
def test_a_roster_member_stops_it_without_any_server(
    client: httpx.Client, fresh: Homes, name: str, status: int
) -> None:
    lift(client, fresh)
    signed = sign(order(fresh, Activity.CAPTURE), fresh.ceremony.people.key(name))
    assert post(client, SWITCH_OFF.target(), signed).status_code == status
    off = read_body(SwitchStatus, client.get(SWITCH.target()).content).off
    assert off == ((Activity.CAPTURE,) if status == 200 else ())


@pytest.mark.parametrize("caller", ["server", "steward", "custodian"])
def test_only_the_server_of_the_pinned_key_set_asks_for_the_queue(
    client: httpx.Client, fresh: Homes, caller: str
) -> None:
    keys = {
        "server": load_key(fresh.root / "server", "server"),
        "steward": fresh.ceremony.people.key("steward"),
        "custodian": own_key(fresh),
    }
    header = sign_request(
        keys[caller],
        audience=own_key(fresh).public,
        method="GET",
        target=QUEUE.target(),
        now=fresh.clock.now(),
    )
    answer = client.get(QUEUE.target(), headers={"authorization": header})
    assert answer.status_code == (200 if caller == "server" else 403)
    if caller == "server":
        assert read_body(QueueAnswer, answer.content).changes == ()


def test_it_says_what_it_has_pinned_to_anybody(client: httpx.Client, fresh: Homes) -> None:
    told = read_body(Identity, client.get(IDENTITY.target()).content)
    assert told.document == fresh.signed.hash(type(fresh.document))
    assert told.signing == own_key(fresh).public


def test_before_it_has_pinned_anything_it_refuses_even_the_server(fresh: Homes) -> None:
    (fresh.root / "custodian" / "custodian.sqlite").unlink()
    (fresh.root / "custodian" / "public.json").unlink()
    config = ("custodian", "init", "--home", fresh.root / "custodian")
    fresh._run([config])  # noqa: SLF001  the same command again, on an emptied home
    with fresh.custodian() as custodian, calls_to(custodian.app) as client:
        assert not client.get("/v1/health").json()["is_ready"]
        header = sign_request(
            load_key(fresh.root / "server", "server"),
            audience=own_key(fresh).public,
            method="GET",
            target=QUEUE.target(),
            now=fresh.clock.now(),
        )
        assert client.get(QUEUE.target(), headers={"authorization": header}).status_code == 403
        signed = sign(order(fresh, Activity.READS), fresh.ceremony.people.key("steward"))
        refused = post(client, SWITCH_OFF.target(), signed)
        assert read_body(Problem, refused.content).reason == "not-pinned"
