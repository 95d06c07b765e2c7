"""Grants are stored whole, never changed, and worth what the roster in force makes of them."""

from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from tests.cast import PROGRAMME, stranger
from tests.unit.access.world import Person, World
from understudy.access.actors import Actors, credential_of
from understudy.access.errors import GrantNotFoundError
from understudy.access.tables import IMMUTABLE
from understudy.consent.credentials import Ed25519Credential
from understudy.consent.errors import RefusedError
from understudy.consent.primitives import encode_bytes
from understudy.consent.purposes import Purpose, ReasonCode
from understudy.consent.scope import Scope
from understudy.custody.grant import Grant, GrantRevocation
from understudy.programme.database import writing
from understudy.sealing.errors import SignatureError
from understudy.sealing.signing import sign
from understudy.transparency.leaves import DeniedLeaf, GrantLeaf


def test_a_self_grant_is_stored_once_and_makes_no_entry(shared: World, somebody: Person) -> None:
    signed = shared.own_grant(somebody)
    size = shared.log.store.size
    grant = shared.grants.own(signed)
    assert shared.grants.own(signed) == grant == signed.hash(Grant)
    assert shared.log.store.size == size
    held = shared.grants.find(grant)
    assert held is not None
    assert held.signed == signed
    assert not held.is_revoked


@pytest.mark.parametrize(
    "changes",
    [
        {"scope": Scope(programme=PROGRAMME)},
        {"readers": (Ed25519Credential(public_key=encode_bytes(bytes(32))),)},
        {"purpose": Purpose.TRAIN, "reason": ReasonCode.MODEL_IMPROVEMENT},
        {"request": encode_bytes(bytes(32))},
        {"requester": encode_bytes(bytes(32))},
    ],
)
def test_a_self_grant_is_nothing_but_ones_own(
    shared: World, somebody: Person, changes: dict[str, Any]
) -> None:
    with pytest.raises(RefusedError) as caught:
        shared.grants.own(shared.own_grant(somebody, **changes))
    assert caught.value.reason in {"own-grant", "unauthenticated"}


def test_a_self_grant_for_two_tags_is_none(shared: World, somebody: Person) -> None:
    other = shared.join(f"{somebody.name} too")
    scope = Scope(programme=PROGRAMME, tags=(somebody.tag, other.tag))
    with pytest.raises(RefusedError) as caught:
        shared.grants.own(shared.own_grant(somebody, scope=scope))
    assert caught.value.reason == "own-grant"


def test_a_self_grant_for_somebody_else_is_a_strangers(shared: World, somebody: Person) -> None:
    other = shared.join(f"{somebody.name} too")
    before = shared.denials.waiting
    with pytest.raises(RefusedError) as caught:
        shared.grants.own(shared.own_grant(somebody, other.seed.signing))
    assert caught.value.reason == "unauthenticated"
    assert shared.denials.waiting == before + 1


def test_a_member_does_not_grant_themselves_somebodys_recordings(shared: World, somebody: Person) -> None:
    before = len(shared.leaves(DeniedLeaf))
    with pytest.raises(RefusedError) as caught:
        shared.grants.own(shared.own_grant(somebody, shared.cast.person("steward")))
    assert caught.value.reason == "own-grant"
    assert len(shared.leaves(DeniedLeaf)) == before + 1


def test_a_self_grant_under_two_signatures_is_refused(shared: World, somebody: Person) -> None:
    both = shared.own_grant(somebody).with_signature(Grant, shared.cast.person("steward"))
    with pytest.raises(SignatureError):
        shared.grants.own(both)


def revocation(world: World, grant: str, **changes: Any) -> GrantRevocation:
    fields: dict[str, Any] = {"programme": PROGRAMME, "grant": grant, "made_at": world.clock.now()}
    return GrantRevocation(**(fields | changes))


@pytest.mark.parametrize("member", ["steward", "auditor", "researcher", "approver-3"])
def test_any_member_ends_a_grant_at_once(shared: World, member: str) -> None:
    grant = shared.grant()
    shared.grants.revoke(sign(revocation(shared, grant), shared.cast.person(member)))
    held = shared.grants.find(grant)
    assert held is not None
    assert held.is_revoked


def test_a_stranger_ends_nothing(shared: World) -> None:
    grant = shared.grant()
    with pytest.raises(RefusedError) as caught:
        shared.grants.revoke(sign(revocation(shared, grant), stranger()))
    assert caught.value.reason == "unauthenticated"
    held = shared.grants.find(grant)
    assert held is not None
    assert not held.is_revoked


def test_a_self_grant_is_ended_by_its_participant_only(shared: World, somebody: Person) -> None:
    grant = shared.grants.own(shared.own_grant(somebody))
    with pytest.raises(RefusedError) as caught:
        shared.grants.revoke(sign(revocation(shared, grant), shared.cast.person("steward")))
    assert caught.value.reason == "revocation-signer"
    shared.grants.revoke(sign(revocation(shared, grant), somebody.seed.signing))
    held = shared.grants.find(grant)
    assert held is not None
    assert held.is_revoked


def test_no_such_grant_and_another_programmes(shared: World) -> None:
    steward = shared.cast.person("steward")
    with pytest.raises(GrantNotFoundError):
        shared.grants.revoke(sign(revocation(shared, encode_bytes(bytes(32))), steward))
    foreign = revocation(shared, shared.grant(), programme="prg_" + "Q" * 22)
    with pytest.raises(RefusedError) as caught:
        shared.grants.revoke(sign(foreign, steward))
    assert caught.value.reason == "programme-mismatch"


def test_who_leaves_the_roster_no_longer_counts(shared: World) -> None:
    held = shared.grants.find(shared.grant())
    assert held is not None
    document = shared.cast.document()
    fewer = replace(
        document, roster=tuple(member for member in document.roster if member.name != "approver-1")
    )
    facts = Actors(fewer, shared.participants).grant_facts(held.signed)
    assert (facts.approvals, facts.other_signers) == (1, 1)
    gone = replace(
        document, roster=tuple(member for member in document.roster if member.name != "researcher")
    )
    assert not Actors(gone, shared.participants).grant_facts(held.signed).requester_is_member


def test_two_keys_of_one_member_are_one_person(shared: World) -> None:
    """A document with a name twice is invalid; if one came anyway, two keys would still be one approval."""
    held = shared.grants.find(shared.grant())
    assert held is not None
    document = shared.cast.document()
    twins = replace(
        document,
        roster=tuple(
            replace(member, name="approver-1") if member.name == "approver-2" else member
            for member in document.roster
        ),
    )
    assert Actors(twins, shared.participants).grant_facts(held.signed).approvals == 1


@pytest.mark.parametrize("table", IMMUTABLE)
def test_the_database_itself_refuses_to_change_what_was_signed(shared: World, table: str) -> None:
    grant = shared.grant()
    shared.grants.revoke(sign(revocation(shared, grant), shared.cast.person("steward")))
    with pytest.raises(IntegrityError, match="never changed"), writing(shared.engine) as session:
        session.execute(text(f"UPDATE {table} SET grant_hash = 'x'"))  # noqa: S608  (a name from a list)


def test_a_signature_that_was_damaged_on_the_disk_opens_nothing(world: World) -> None:
    grant = world.grant()
    world.restart()
    with writing(world.engine) as session:
        (stored,) = session.execute(text("SELECT signed FROM access_grant")).one()
        session.execute(text("DROP TRIGGER access_grant_is_immutable"))
        at = stored.index(b'"signature":"') + len(b'"signature":"')
        damaged = stored[:at] + (b"B" if stored[at : at + 1] == b"A" else b"A") + stored[at + 1 :]
        session.execute(text("UPDATE access_grant SET signed = :signed"), {"signed": damaged})
    with pytest.raises(SignatureError):
        world.grants.find(grant)


def test_the_grants_of_a_reader_are_those_whose_window_is_open(shared: World) -> None:
    shared.clock.advance(10_000)
    grant = shared.grant()
    reader = shared.cast.credential_hash("reader")
    assert [held.facts.grant for held in shared.grants.of_reader(reader)] == [grant]
    shared.clock.advance(3_600)
    assert shared.grants.of_reader(reader) == ()
    assert shared.grants.is_reader(reader)
    assert not shared.grants.is_reader(credential_of(stranger().public))


def test_every_grant_in_force_has_its_entry(shared: World) -> None:
    grant = shared.grant()
    assert grant in {leaf.grant for leaf in shared.leaves(GrantLeaf)}
