"""A request becomes a grant when two others have signed exactly its bytes, and not before."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from msgspec.structs import replace

from tests.cast import PROGRAMME, stranger
from tests.unit.access.world import World
from understudy.access.errors import NotLoggedError, RequestNotFoundError
from understudy.consent.errors import ConflictError, RefusedError
from understudy.consent.primitives import encode_bytes, new_id
from understudy.consent.programme import Delays
from understudy.consent.purposes import Purpose, ReasonCode
from understudy.consent.scope import Scope
from understudy.custody.grant import AccessRequest, Grant, GrantRevocation
from understudy.sealing.canonical import octets, parse
from understudy.sealing.errors import FormatError, SignatureError
from understudy.sealing.signing import Signed, sign
from understudy.transparency.leaves import DeniedLeaf, GrantLeaf


def reason(world: World, request: str, signed: Signed) -> str:
    with pytest.raises(RefusedError) as caught:
        world.requests.approve(request, signed)
    return caught.value.reason


def test_two_approvals_make_a_grant_and_its_entry(shared: World) -> None:
    request = shared.submit()
    state = shared.requests.state(request)
    assert (state.state, state.approvals, state.needed, state.grant) == ("waiting", 0, 2, None)
    shared.approve(request, "approver-1")
    state = shared.requests.state(request)
    assert (state.state, state.approvals) == ("waiting", 1)
    signed = shared.approve(request, "approver-2")
    assert signed is not None
    state = shared.requests.state(request)
    assert (state.state, state.approvals, state.grant) == ("in-force", 2, signed)
    leaf = shared.leaves(GrantLeaf)[-1]
    assert (leaf.grant, leaf.request) == (signed.hash(Grant), state.request.hash(AccessRequest))
    assert set(leaf.approvers) == {shared.cast.credential_hash(f"approver-{n}") for n in (1, 2)}
    terms, asked = signed.verify(Grant), state.request.verify(AccessRequest)
    for field in ("scope", "purpose", "reason", "readers", "not_before", "not_after", "ceiling", "requester"):
        assert getattr(terms, field) == getattr(asked, field)


def test_a_third_approval_changes_nothing(shared: World) -> None:
    request = shared.submit()
    signed = shared.approve(request, "approver-1", "approver-2")
    assert shared.approve(request, "approver-3") == signed


def test_the_same_request_again_is_the_same_state_and_the_same_grant(shared: World) -> None:
    asked = shared.access_request()
    signed = sign(asked, shared.cast.person("researcher"))
    first, second = shared.requests.submit(signed), shared.requests.submit(signed)
    assert first == second


def test_an_id_is_used_once(shared: World) -> None:
    asked = shared.access_request()
    shared.requests.submit(sign(asked, shared.cast.person("researcher")))
    other = sign(replace(asked, ceiling=1), shared.cast.person("researcher"))
    with pytest.raises(ConflictError) as caught:
        shared.requests.submit(other)
    assert caught.value.reason == "request-conflict"


def test_the_same_person_twice_is_one_approval(shared: World) -> None:
    request = shared.submit()
    shared.approve(request, "approver-1", "approver-1", "approver-1")
    state = shared.requests.state(request)
    assert (state.state, state.approvals) == ("waiting", 1)


class TestApprovalsThatAreRefused:
    """Each is an entry, and adds nothing."""

    def check(self, world: World, code: str, request: str, signed: Signed) -> None:
        before = len(world.leaves(DeniedLeaf))
        assert reason(world, request, signed) == code
        assert [leaf.reason for leaf in world.leaves(DeniedLeaf)[before:]] == [code]
        assert world.requests.state(request).approvals == 0

    def test_by_the_requester(self, shared: World) -> None:
        request = shared.submit("approver-3")
        key = shared.cast.person("approver-3")
        self.check(shared, "approver-is-requester", request, shared.approval(request, key))

    def test_by_a_reader(self, shared: World) -> None:
        request = shared.submit(readers=(shared.cast.credential("approver-1"),))
        key = shared.cast.person("approver-1")
        self.check(shared, "approver-is-reader", request, shared.approval(request, key))

    def test_by_a_member_who_is_no_approver(self, shared: World) -> None:
        request = shared.submit()
        key = shared.cast.person("steward")
        self.check(shared, "approver-unknown", request, shared.approval(request, key))

    def test_of_other_bytes(self, shared: World) -> None:
        request = shared.submit()
        wider = replace(parse(Grant, octets(shared.requests.state(request).grant_body)), ceiling=100_000)
        self.check(shared, "grant-mismatch", request, sign(wider, shared.cast.person("approver-1")))

    def test_of_another_requests_grant(self, shared: World) -> None:
        one, two = shared.submit(), shared.submit()
        signed = shared.approval(two, shared.cast.person("approver-1"))
        self.check(shared, "grant-mismatch", one, signed)

    def test_after_the_window(self, shared: World) -> None:
        request = shared.submit()
        shared.clock.advance(3_600)
        signed = shared.approval(request, shared.cast.person("approver-1"))
        self.check(shared, "grant-expired", request, signed)


def test_a_strangers_approval_is_counted_and_not_logged(shared: World) -> None:
    request, size = shared.submit(), shared.log.store.size
    assert reason(shared, request, shared.approval(request, stranger())) == "unauthenticated"
    assert shared.log.store.size == size


def test_a_forged_approval_is_no_approval(shared: World) -> None:
    request = shared.submit()
    good = shared.approval(request, shared.cast.person("approver-1"))
    forged = replace(good.signatures[0], key=shared.cast.person("approver-2").public)
    with pytest.raises(SignatureError):
        shared.requests.approve(request, replace(good, signatures=(forged,)))
    with pytest.raises(SignatureError):
        shared.requests.approve(request, replace(good, signatures=()))
    both = good.with_signature(Grant, shared.cast.person("approver-2"))
    with pytest.raises(SignatureError):
        shared.requests.approve(request, both)
    assert shared.requests.state(request).approvals == 0


def test_a_signature_over_a_request_is_none_over_its_grant(shared: World) -> None:
    request = shared.submit()
    asked = parse(AccessRequest, shared.requests.state(request).request.raw)
    signed = sign(asked, shared.cast.person("approver-1"))
    with pytest.raises(SignatureError):
        shared.requests.approve(request, signed)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"purpose": Purpose.OWN, "reason": ReasonCode.OWN_COPY}, "purpose-not-offered"),
        ({"purpose": Purpose.DEBUG, "reason": ReasonCode.DEFECT_INVESTIGATION}, "purpose-not-offered"),
        ({"purpose": Purpose.EVIDENCE, "reason": ReasonCode.LEGAL_HOLD}, "purpose-not-offered"),
        ({"reason": ReasonCode.SAFETY_RESEARCH}, "reason-mismatch"),
        ({"scope": Scope(programme="prg_" + "Q" * 22)}, "scope-programme"),
        ({"label": "weights"}, "object-label"),
    ],
)
def test_a_request_that_breaks_a_rule_is_refused_and_logged(
    shared: World, changes: dict[str, Any], code: str
) -> None:
    asked = shared.access_request(**changes)
    before = len(shared.leaves(DeniedLeaf))
    with pytest.raises(RefusedError) as caught:
        shared.requests.submit(sign(asked, shared.cast.person("researcher")))
    assert caught.value.reason == code
    assert [leaf.reason for leaf in shared.leaves(DeniedLeaf)[before:]] == [code]
    with pytest.raises(RequestNotFoundError):
        shared.requests.state(asked.request)


@pytest.mark.parametrize(
    ("window", "code"),
    [
        ((0, 28_800), ""),
        ((0, 28_801), "grant-too-long"),
        ((0, 0), "window-empty"),
        ((-10, 0), "grant-expired"),
        ((-10, 1), ""),
    ],
)
def test_windows_are_bounded(shared: World, window: tuple[int, int], code: str) -> None:
    now = shared.clock.now()
    asked = shared.access_request(not_before=now + window[0], not_after=now + window[1])
    signed = sign(asked, shared.cast.person("researcher"))
    if not code:
        assert shared.requests.submit(signed).state == "waiting"
        return
    with pytest.raises(RefusedError) as caught:
        shared.requests.submit(signed)
    assert caught.value.reason == code


@pytest.mark.parametrize("member", ["approver-1", "auditor"])
def test_members_without_the_role_do_not_ask(shared: World, member: str) -> None:
    with pytest.raises(RefusedError) as caught:
        shared.submit(member)
    assert caught.value.reason == "no-permit"


def test_nobody_asks_in_anothers_name(shared: World) -> None:
    asked = shared.access_request("steward")
    with pytest.raises(RefusedError) as caught:
        shared.requests.submit(sign(asked, shared.cast.person("researcher")))
    assert caught.value.reason == "requester-mismatch"


def test_a_stranger_does_not_ask(shared: World) -> None:
    with pytest.raises(RefusedError) as caught:
        shared.requests.submit(sign(shared.access_request(), stranger()))
    assert caught.value.reason == "unauthenticated"


def test_readers_are_named_once(shared: World) -> None:
    reader = shared.cast.credential("reader")
    with pytest.raises(RefusedError) as caught:
        shared.submit(readers=(reader, reader))
    assert caught.value.reason == "too-many-readers"


def test_bytes_that_are_no_request_are_refused(shared: World) -> None:
    good = sign(shared.access_request(), shared.cast.person("researcher"))
    with pytest.raises(SignatureError):
        shared.requests.submit(replace(good, body=encode_bytes(good.raw + b" ")))
    key = shared.cast.person("researcher")
    raw = good.raw.replace(b'"version":1', b'"version":2')
    signature = replace(good.signatures[0], signature=key.sign_bytes(AccessRequest.CONTEXT, raw))
    with pytest.raises(FormatError):
        shared.requests.submit(Signed(body=encode_bytes(raw), signatures=(signature,)))


def test_states_follow_time_and_revocation(shared: World) -> None:
    request = shared.submit()
    signed = shared.approve(request, "approver-1", "approver-2")
    assert signed is not None
    waiting = shared.submit()
    end = GrantRevocation(programme=PROGRAMME, grant=signed.hash(Grant), made_at=shared.clock.now())
    for _ in range(2):
        shared.grants.revoke(sign(end, shared.cast.person("auditor")))
    assert shared.requests.state(request).state == "revoked"
    shared.clock.advance(3_600)
    assert shared.requests.state(request).state == "revoked"
    assert shared.requests.state(waiting).state == "expired"


def test_a_request_that_waits_too_long_lapses(tmp_path_factory: pytest.TempPathFactory) -> None:
    delays = Delays(grant_unused_seconds=600)
    with World(tmp_path_factory.mktemp("lapse") / "server", delays=delays) as world:
        request = world.submit()
        world.clock.advance(600)
        assert world.requests.state(request).state == "lapsed"
        key = world.cast.person("approver-1")
        assert reason(world, request, world.approval(request, key)) == "lapsed"


def test_all_lists_every_request_newest_first(shared: World) -> None:
    first = shared.submit()
    shared.clock.advance(1)
    second = shared.submit()
    ids = [state.request.verify(AccessRequest).request for state in shared.requests.all()]
    assert ids[0] == second
    assert first in ids


def test_no_such_request(shared: World) -> None:
    with pytest.raises(RequestNotFoundError):
        shared.requests.state(new_id("req"))


def test_approvals_at_once_make_one_grant_and_one_entry(shared: World) -> None:
    request = shared.submit()
    before = len(shared.leaves(GrantLeaf))
    barrier = Barrier(3)

    def one(approver: str) -> None:
        signed = shared.approval(request, shared.cast.person(approver))
        barrier.wait()
        shared.requests.approve(request, signed)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(one, ("approver-1", "approver-2", "approver-3")))
    state = shared.requests.state(request)
    assert state.state == "in-force"
    assert state.grant is not None
    assert len(state.grant.signatures) == 2
    assert len(shared.leaves(GrantLeaf)) == before + 1


def test_a_grant_that_could_not_be_logged_comes_into_force_later(world: World) -> None:
    request = world.submit()
    world.approve(request, "approver-1")
    signed = world.approval(request, world.cast.person("approver-2"))
    world.log.close()
    with pytest.raises(NotLoggedError):
        world.requests.approve(request, signed)
    state = world.requests.state(request)
    assert (state.state, state.approvals) == ("waiting", 2), "kept, but not in force"
    world.reopen_log()
    assert world.requests.catch_up() == 1
    assert world.requests.catch_up() == 0
    assert world.requests.state(request).state == "in-force"


def test_requests_and_approvals_survive_a_restart(world: World) -> None:
    request = world.submit()
    world.approve(request, "approver-1")
    world.restart()
    before = world.requests.state(request)
    assert before.approvals == 1
    signed = world.approve(request, "approver-2")
    world.restart()
    assert world.requests.state(request).grant == signed
