"""Releasing: revocations, one flush, and checks whose loss would be noticed."""

import msgspec
import pytest

from tests.unit.custody.world import NOW, PROGRAMME, Participant, World, fixed_id, key, reason_of, seal
from understudy.consent.primitives import encode_bytes
from understudy.custody import deposits, documents, door
from understudy.custody.errors import CustodyRefusedError
from understudy.custody.grant import Grant, GrantRevocation, OpenRequest
from understudy.custody.mirror import verify_note
from understudy.sealing.canonical import parse
from understudy.sealing.half import Half
from understudy.sealing.signing import Signed, sign


def revocation(grant: Signed, *signers: str, programme: str = PROGRAMME) -> Signed:
    value = GrantRevocation(programme=programme, grant=grant.hash(Grant), made_at=NOW)
    return sign(value, *(key(label) for label in signers))


class TestRevocation:
    @pytest.mark.parametrize("signer", ["steward", "approver-3", "responder"])
    def test_any_roster_member_ends_a_grant_at_once(
        self, world: World, one: Participant, signer: str
    ) -> None:
        grant, other = world.grant(), world.grant()
        segment = world.share(one)
        assert reason_of(world.ask(one, [segment], grant=grant)) == "released"
        world.custodian.revoke(revocation(grant, signer))
        world.custodian.revoke(revocation(grant, signer))
        world.reopen()
        assert reason_of(world.ask(one, [segment], grant=grant)) == "revoked"
        assert reason_of(world.ask(one, [segment], grant=other)) == "released"

    def test_nobody_else_can(self, world: World) -> None:
        for signer in ("reader", "server", "stranger"):
            with pytest.raises(CustodyRefusedError, match="revocation-signer"):
                world.custodian.revoke(revocation(world.grant(), signer))
        with pytest.raises(CustodyRefusedError, match="programme"):
            world.custodian.revoke(revocation(world.grant(), "steward", programme=fixed_id("prg", "other")))

    def test_nobody_closes_a_persons_own_recordings_that_way(self, world: World, one: Participant) -> None:
        grant = world.own_grant(one)
        world.custodian.revoke(revocation(grant, "steward"))
        segment = world.share(one)
        request = world.request(grant, [segment], signer=one.seed.signing)
        assert reason_of(world.ask(one, [segment], grant=grant, request=request)) == "released"


def test_an_open_is_one_transaction(world: World, one: Participant) -> None:
    segments = [world.share(one), world.share(one)]
    grant = world.grant()
    request = world.request(grant, segments)
    delivery = world.delivery(world.enter(grant, request, {one.tag: segments}), grant, request)
    connection = world.store.database._connection  # noqa: SLF001  to watch commits
    commits: list[int] = []
    connection.set_trace_callback(
        lambda sql: commits.append(connection.total_changes) if sql == "COMMIT" else None
    )
    before = connection.total_changes
    world.open(delivery)
    assert len({changes for changes in commits if changes != before}) == 1
    after = connection.total_changes
    world.open(delivery)
    assert connection.total_changes == after


class TestSeededFaults:
    """Checks outside the rules, taken away: each lets through what other tests say is refused."""

    def test_without_signatures_anybody_could_grant(
        self, world: World, one: Participant, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        genuine = world.grant()
        other = world.grant(ceiling=1)
        forged = Signed(body=genuine.body, signatures=other.signatures)
        segment = world.share(one)
        assert reason_of(world.ask(one, [segment], grant=forged)) == "bad-signature"
        monkeypatch.setattr(documents, "_verified_grant", lambda signed: parse(Grant, signed.raw))
        assert reason_of(world.ask(one, [segment], grant=forged)) == "released"

    def test_without_freshness_an_old_cosignature_would_do(
        self, world: World, one: Participant, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        segments = [world.share(one)]
        grant = world.grant()
        request = world.request(grant, segments)
        entered = world.enter(grant, request, {one.tag: segments})
        old = encode_bytes(world.log.note(at=NOW - 600))
        delivery = world.delivery(entered, grant, request, checkpoint=old)
        with pytest.raises(CustodyRefusedError, match="stale-cosignature"):
            world.open(delivery)
        monkeypatch.setattr(door, "_staleness", lambda *_: None)
        assert reason_of(world.open(delivery)) == "released"

    def test_without_the_quorum_the_log_alone_would_do(
        self, world: World, one: Participant, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        segments = [world.share(one)]
        grant = world.grant()
        request = world.request(grant, segments)
        entered = world.enter(grant, request, {one.tag: segments})
        lone = encode_bytes(world.log.note(witnesses=()))
        delivery = world.delivery(entered, grant, request, checkpoint=lone)
        with pytest.raises(CustodyRefusedError, match="0 of 1"):
            world.open(delivery)
        trusting = verify_note

        def without_quorum(pinned: object, note: bytes) -> object:
            del note
            return trusting(pinned, world.log.note())  # type: ignore[arg-type]

        monkeypatch.setattr(door, "verify_note", without_quorum)
        assert reason_of(world.open(delivery)) == "released"

    def test_without_opening_the_half_a_wrong_one_would_be_taken(
        self, world: World, one: Participant, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        genuine, other = seal(one, one.consent()), seal(one, one.consent())
        with pytest.raises(CustodyRefusedError):
            world.custodian.deposit(genuine.header, other.halves[1])
        monkeypatch.setattr(deposits, "check_sealed_half", lambda *_: b"")
        monkeypatch.setattr(deposits, "open_half", lambda *_: Half("c", bytes(32)))
        receipt = world.custodian.deposit(genuine.header, other.halves[1])
        assert receipt.signers == {key("custodian first").public}

    def test_without_the_signature_anybody_could_ask(
        self, world: World, one: Participant, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        segments = [world.share(one)]
        grant = world.grant()
        genuine = world.request(grant, segments)
        signature = msgspec.structs.replace(
            genuine.signatures[0], signature=key("stranger").sign_bytes(OpenRequest.CONTEXT, genuine.raw)
        )
        forged = Signed(body=genuine.body, signatures=(signature,))
        assert reason_of(world.ask(one, segments, grant=grant, request=forged)) == "bad-signature"
        monkeypatch.setattr(Signed, "verify", lambda self, kind, _=(): parse(kind, self.raw))
        assert reason_of(world.ask(one, segments, grant=grant, request=forged)) == "released"
