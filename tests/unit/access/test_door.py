"""The door opens for those who may, refuses everybody else with a reason, and leaves an entry either way."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any, cast

import pytest
from msgspec.structs import replace

from tests.cast import PROGRAMME, stranger
from tests.unit.access.world import Asking, Person, Wire, World
from understudy.access.carrier import Carrier
from understudy.access.door import Door
from understudy.access.errors import NotDeliveredError, NotLoggedError
from understudy.consent.consent import StandingState
from understudy.consent.errors import RefusedError
from understudy.consent.primitives import encode_bytes, new_id
from understudy.consent.programme import Delays
from understudy.consent.purposes import Activity, Purpose, ReasonCode
from understudy.consent.scope import Scope
from understudy.contract.messages import OpenCall
from understudy.contract.ports import CustodianPort
from understudy.custody.delivery import Delivery
from understudy.custody.grant import Grant, GrantRevocation, OpenRequest
from understudy.custody.head import Head, ReleaseReply
from understudy.sealing.canonical import canonical, octets
from understudy.sealing.errors import FormatError, SignatureError
from understudy.sealing.signing import sign
from understudy.transparency.leaves import DenialsLeaf, DeniedLeaf, OpenLeaf, leaf_digest
from understudy.transparency.merkle import leaf_hash, verify_inclusion
from understudy.transparency.trust import log_trust


def refused(world: World, asking: Asking) -> str:
    """Ask, expect a refusal, and return its reason."""
    with pytest.raises(RefusedError) as caught:
        world.door.open(asking.call)
    assert caught.value.hint
    return caught.value.reason


def test_an_approved_reader_gets_exactly_what_was_recorded(world: World) -> None:
    anna, ben = world.join("anna"), world.join("ben")
    shared = {world.share(person, text): text for person, text in ((anna, b"1"), (anna, b"2"), (ben, b"3"))}
    grant = world.grant()
    assert world.open(grant, list(shared)) == shared
    (leaf,) = world.leaves(OpenLeaf)
    assert (leaf.grant, leaf.participants, leaf.object) == (grant, 2, "raw")
    assert leaf.policy == world.policies.policy_hash


def test_the_answer_proves_its_entry_and_who_released_what(world: World) -> None:
    segment = world.share(anna := world.join("anna"))
    asking = world.asking(world.grant(), [segment])
    answer = world.door.open(asking.call)
    cosigned = log_trust(world.cast.key_set()).verify(octets(answer.checkpoint))
    raw = octets(answer.leaf)
    path = [octets(node) for node in answer.path]
    tree = cosigned.checkpoint
    verify_inclusion(leaf_hash(raw), answer.index, tree.size, path, tree.root)
    own, custodians = answer.replies
    assert own.verify(ReleaseReply, [world.cast.server.public]).role == "p"
    reply = custodians.verify(ReleaseReply, [world.cast.custodian.signing.public])
    assert (reply.role, reply.leaf, reply.request) == ("c", leaf_digest(raw), asking.hash)
    (head,) = (signed.verify(Head) for signed in answer.heads)
    assert (head.tag, head.n) == (anna.tag, 1)


def test_the_custodian_is_asked_only_when_the_entry_is_durable_and_cosigned(world: World) -> None:
    segment = world.share(world.join("anna"))
    grant = world.grant()
    asking = world.asking(grant, [segment])
    seen: list[bool] = []

    def watch(name: str, args: tuple[Any, ...]) -> None:
        if name == "open":
            (delivery,) = args
            cosigned = log_trust(world.cast.key_set()).verify(octets(delivery.checkpoint))
            stored = world.log.store.find(f"open:{asking.hash}")
            seen.append(stored is not None and stored[0] == delivery.index < cosigned.checkpoint.size)

    world.wire.watch = watch
    world.door.open(asking.call)
    assert seen == [True]


def test_nothing_is_asked_or_opened_when_the_log_does_not_answer(world: World) -> None:
    segment = world.share(world.join("anna"))
    asking = world.asking(world.grant(), [segment])
    world.wire.calls.clear()
    world.log.close()
    with pytest.raises(NotLoggedError):
        world.door.open(asking.call)
    assert world.wire.calls == []


def test_the_broker_never_brings_a_half(world: World) -> None:
    segment = world.share(world.join("anna"))
    brought: list[Delivery] = []
    world.wire.watch = lambda name, args: brought.extend(args) if name == "open" else None
    asking = world.asking(world.grant(), [segment])
    halves = asking.halves(world.door.open(asking.call))
    raw = b"".join(canonical(delivery) for delivery in brought)
    assert brought
    for role in ("p", "c"):
        assert encode_bytes(bytes(halves[role][segment].raw)).encode() not in raw


class TestRefusals:
    """Each is an entry with its reason, opens nothing, and moves nobody's number."""

    @pytest.fixture(autouse=True)
    def _prepare(self, shared: World, request: pytest.FixtureRequest) -> None:
        self.world = shared
        self.anna = shared.join(request.node.name)
        self.segment = shared.share(self.anna)

    def check(self, reason: str, asking: Asking) -> None:
        denied, opened = len(self.world.leaves(DeniedLeaf)), len(self.world.leaves(OpenLeaf))
        self.world.wire.calls.clear()
        assert refused(self.world, asking) == reason
        leaf = self.world.leaves(DeniedLeaf)[denied]
        assert (leaf.reason, leaf.request) == (reason, asking.hash)
        assert len(self.world.leaves(OpenLeaf)) == opened
        assert "open" not in self.world.wire.calls

    def test_another_member_than_the_reader(self) -> None:
        key = self.world.cast.person("researcher")
        self.check("reader-unknown", self.world.asking(self.world.grant(), [self.segment], key=key))

    def test_a_grant_that_nobody_made(self) -> None:
        self.check("grant-unknown", self.world.asking(encode_bytes(bytes(32)), [self.segment]))

    def test_a_grant_that_one_person_approved(self) -> None:
        request = self.world.submit()
        signed = self.world.approve(request, "approver-1")
        assert signed is not None
        self.check("grant-unknown", self.world.asking(signed.hash(Grant), [self.segment]))

    @pytest.mark.parametrize(("seconds", "reason"), [(3_599, ""), (3_600, "grant-expired")])
    def test_an_expired_grant(self, seconds: int, reason: str) -> None:
        grant = self.world.grant()
        self.world.clock.advance(seconds)
        asking = self.world.asking(grant, [self.segment])
        if reason:
            self.check(reason, asking)
        else:
            assert asking.payloads(self.world.door.open(asking.call))

    @pytest.mark.parametrize(("seconds", "reason"), [(99, "grant-not-yet"), (100, "")])
    def test_a_grant_that_has_not_begun(self, seconds: int, reason: str) -> None:
        grant = self.world.grant(not_before=self.world.clock.now() + 100)
        self.world.clock.advance(seconds)
        asking = self.world.asking(grant, [self.segment])
        if reason:
            self.check(reason, asking)
        else:
            assert asking.payloads(self.world.door.open(asking.call))

    def test_a_revoked_grant(self) -> None:
        grant = self.world.grant()
        end = GrantRevocation(programme=PROGRAMME, grant=grant, made_at=self.world.clock.now())
        self.world.grants.revoke(sign(end, self.world.cast.person("steward")))
        self.check("revoked", self.world.asking(grant, [self.segment]))

    @pytest.mark.parametrize(
        ("scope", "reason"),
        [
            ({"tags": (encode_bytes(bytes(32)),)}, "scope-tag"),
            ({"recordings": (new_id("rec"),)}, "scope-recording"),
            ({"application_groups": ("mail",)}, "scope-application-group"),
            ({"task_labels": ("other",)}, "scope-task-label"),
            ({"consents": (encode_bytes(bytes(32)),)}, "scope-consent"),
            ({"tags": ()}, "scope-tag"),
        ],
    )
    def test_a_segment_outside_the_scope(self, scope: dict[str, Any], reason: str) -> None:
        grant = self.world.grant(scope=Scope(programme=PROGRAMME, **scope))
        self.check(reason, self.world.asking(grant, [self.segment]))

    def test_one_segment_outside_the_scope_among_others_inside(self) -> None:
        other = self.world.share(self.anna, task_label="other")
        grant = self.world.grant(scope=Scope(programme=PROGRAMME, task_labels=("form",)))
        self.check("scope-task-label", self.world.asking(grant, [self.segment, other]))

    def test_a_purpose_that_the_participant_did_not_accept(self) -> None:
        grant = self.world.grant(purpose=Purpose.EVALUATE, reason=ReasonCode.MODEL_EVALUATION)
        asking = self.world.asking(grant, [self.segment], reason=ReasonCode.MODEL_EVALUATION)
        self.check("purpose-not-consented", asking)

    def test_another_reason_than_the_grants(self) -> None:
        asking = self.world.asking(self.world.grant(), [self.segment], reason=ReasonCode.QUALITY_CHECK)
        self.check("reason-mismatch", asking)

    @pytest.mark.parametrize(
        "state", [StandingState.PAUSED, StandingState.WITHDRAWN, StandingState.OBJECTING]
    )
    def test_a_participant_who_changed_their_mind(self, state: StandingState) -> None:
        grant = self.world.grant()
        self.world.stand(self.anna, state)
        self.check("not-available", self.world.asking(grant, [self.segment]))

    def test_a_stop_of_reads(self) -> None:
        grant = self.world.grant()
        self.world.stop(Activity.READS)
        self.check("switch-off", self.world.asking(grant, [self.segment]))
        self.world.lift()

    def test_more_segments_than_the_ceiling(self) -> None:
        more = [self.segment, self.world.share(self.anna)]
        self.check("ceiling", self.world.asking(self.world.grant(ceiling=1), more))

    def test_a_segment_that_is_not_in_the_catalogue(self) -> None:
        self.check("unknown-segment", self.world.asking(self.world.grant(), [self.segment, new_id("seg")]))

    @pytest.mark.parametrize(("ends", "reason"), [(0, "request-expired"), (606, "request-too-long")])
    def test_a_request_that_has_ended_or_never_ends(self, ends: int, reason: str) -> None:
        until = self.world.clock.now() + ends
        self.check(reason, self.world.asking(self.world.grant(), [self.segment], not_after=until))

    def test_other_segments_than_the_signed_ones(self) -> None:
        other = self.world.share(self.anna)
        grant = self.world.grant()
        for segments in ((other,), (self.segment, other), (self.segment, self.segment)):
            asking = self.world.asking(grant, [self.segment])
            call = OpenCall(request=asking.call.request, segments=segments)
            self.check("request-mismatch", Asking(self.world, call, asking.ephemeral))

    def test_a_request_that_names_another_credential_than_its_signers(self) -> None:
        researcher = self.world.cast.credential_hash("researcher")
        asking = self.world.asking(self.world.grant(), [self.segment], credential=researcher)
        self.check("request-mismatch", asking)

    def test_another_programme(self) -> None:
        other = "prg_" + "Q" * 22
        self.check(
            "programme-mismatch", self.world.asking(self.world.grant(), [self.segment], programme=other)
        )

    def test_the_same_denial_again_is_the_same_entry(self) -> None:
        key = self.world.cast.person("researcher")
        asking = self.world.asking(self.world.grant(), [self.segment], key=key)
        before = len(self.world.leaves(DeniedLeaf))
        for _ in range(3):
            assert refused(self.world, asking) == "reader-unknown"
        assert len(self.world.leaves(DeniedLeaf)) == before + 1


class TestStrangers:
    """Strangers get one reason and no entry; they are a count."""

    def test_a_stranger_is_counted_and_not_logged_at_once(self, shared: World, somebody: Person) -> None:
        segment = shared.share(somebody)
        asking = shared.asking(shared.grant(), [segment], key=stranger())
        size = shared.log.store.size
        for _ in range(5):
            assert refused(shared, asking) == "unauthenticated"
        assert shared.log.store.size == size
        shared.clock.advance(60)
        assert shared.denials.tick()
        assert shared.leaves(DenialsLeaf)[-1].count == 5

    def test_a_forged_signature_is_a_strangers(self, shared: World, somebody: Person) -> None:
        segment = shared.share(somebody)
        asking = shared.asking(shared.grant(), [segment])
        good = asking.call.request
        forged = replace(good.signatures[0], key=shared.cast.person("researcher").public)
        before = shared.denials.waiting
        with pytest.raises(SignatureError):
            shared.door.open(replace(asking.call, request=replace(good, signatures=(forged,))))
        assert shared.denials.waiting == before + 1

    def test_two_signatures_are_one_too_many(self, shared: World, somebody: Person) -> None:
        segment = shared.share(somebody)
        asking = shared.asking(shared.grant(), [segment])
        both = asking.call.request.with_signature(OpenRequest, shared.cast.person("steward"))
        with pytest.raises(SignatureError):
            shared.door.open(replace(asking.call, request=both))

    def test_a_reader_key_that_is_none_is_refused_before_anything_is_logged(
        self, shared: World, somebody: Person
    ) -> None:
        segment = shared.share(somebody)
        asking = shared.asking(shared.grant(), [segment], reader_key="_" * 1_621 + "w")
        size = shared.log.store.size
        with pytest.raises(FormatError):
            shared.door.open(asking.call)
        assert shared.log.store.size == size


class TestAskingAgain:
    """One signed request is one entry, for ever."""

    def test_a_lost_answer_comes_again_from_the_same_entry(self, world: World) -> None:
        segment = world.share(world.join("anna"), b"again")
        asking = world.asking(world.grant(), [segment])
        world.wire.loses_answers = True
        with pytest.raises(NotDeliveredError):
            world.door.open(asking.call)
        world.wire.loses_answers = False
        first, second = world.door.open(asking.call), world.door.open(asking.call)
        assert asking.payloads(first) == asking.payloads(second) == {segment: b"again"}
        assert (first.index, first.leaf, first.replies[1]) == (second.index, second.leaf, second.replies[1])
        assert len(world.leaves(OpenLeaf)) == 1

    def test_a_restarted_server_answers_the_same_request(self, world: World) -> None:
        segment = world.share(world.join("anna"), b"again")
        asking = world.asking(world.grant(), [segment])
        first = world.door.open(asking.call)
        world.restart()
        second = world.door.open(asking.call)
        assert asking.payloads(second) == {segment: b"again"}
        assert second.replies[1] == first.replies[1]

    def test_the_custodian_unreachable_is_no_answer_and_no_second_entry(self, world: World) -> None:
        segment = world.share(world.join("anna"), b"later")
        asking = world.asking(world.grant(), [segment])
        world.wire.is_cut = True
        for _ in range(2):
            with pytest.raises(NotDeliveredError):
                world.door.open(asking.call)
        world.wire.is_cut = False
        assert asking.payloads(world.door.open(asking.call)) == {segment: b"later"}
        assert len(world.leaves(OpenLeaf)) == 1

    def test_a_replay_after_its_end_is_refused(self, world: World) -> None:
        segment = world.share(world.join("anna"))
        asking = world.asking(world.grant(), [segment])
        world.door.open(asking.call)
        world.clock.advance(600)
        assert refused(world, asking) == "request-expired"

    def test_what_was_stopped_since_counts(self, world: World) -> None:
        anna = world.join("anna")
        asking = world.asking(world.grant(), [world.share(anna)])
        world.door.open(asking.call)
        world.stand(anna, StandingState.PAUSED)
        assert refused(world, asking) == "not-available"

    def test_a_replayed_request_takes_nothing_from_the_ceiling_and_gives_nothing_back(
        self, world: World
    ) -> None:
        anna = world.join("anna")
        segments = [world.share(anna) for _ in range(3)]
        grant = world.grant(ceiling=2)
        asking = world.asking(grant, segments[:2])
        for _ in range(2):
            world.door.open(asking.call)
        spoiled = replace(asking.call, segments=(segments[2],))
        assert refused(world, Asking(world, spoiled, asking.ephemeral)) == "request-mismatch"
        assert refused(world, world.asking(grant, segments[2:])) == "ceiling"
        world.clock.advance(3_599)
        assert refused(world, world.asking(grant, segments[2:])) == "ceiling"

    def test_another_ephemeral_key_for_a_known_request_is_another_request(self, world: World) -> None:
        segment = world.share(world.join("anna"))
        grant = world.grant()
        first, second = world.asking(grant, [segment]), world.asking(grant, [segment])
        world.door.open(first.call)
        world.door.open(second.call)
        assert len({leaf.reader_key for leaf in world.leaves(OpenLeaf)}) == 2


class TestOwn:
    """A participant's way to their own recordings."""

    @pytest.mark.parametrize("by_console", [False, True])
    def test_a_participant_opens_their_own(
        self, shared: World, somebody: Person, *, by_console: bool
    ) -> None:
        segment = shared.share(somebody, b"mine")
        key = somebody.console if by_console else somebody.seed.signing
        grant = shared.grants.own(shared.own_grant(somebody, key))
        opened = shared.open(grant, [segment], key=key, reason=ReasonCode.OWN_COPY)
        assert opened == {segment: b"mine"}
        assert shared.leaves(OpenLeaf)[-1].purpose is Purpose.OWN

    def test_it_passes_a_stop_of_reads_and_ones_own_pause(self, shared: World, somebody: Person) -> None:
        segment = shared.share(somebody, b"mine")
        grant = shared.grants.own(shared.own_grant(somebody))
        shared.stop(Activity.READS)
        shared.stand(somebody, StandingState.PAUSED)
        key = somebody.seed.signing
        assert shared.open(grant, [segment], key=key, reason=ReasonCode.OWN_COPY) == {segment: b"mine"}
        shared.lift()

    def test_a_stop_of_own_reads_stops_it(self, shared: World, somebody: Person) -> None:
        segment = shared.share(somebody)
        grant = shared.grants.own(shared.own_grant(somebody))
        shared.stop(Activity.OWN_READS)
        asking = shared.asking(grant, [segment], key=somebody.seed.signing, reason=ReasonCode.OWN_COPY)
        assert refused(shared, asking) == "switch-off"
        shared.lift()

    def test_it_opens_nobody_elses(self, shared: World, somebody: Person) -> None:
        other = shared.join(f"{somebody.name} again")
        segment = shared.share(other)
        grant = shared.grants.own(shared.own_grant(somebody))
        asking = shared.asking(grant, [segment], key=somebody.seed.signing, reason=ReasonCode.OWN_COPY)
        assert refused(shared, asking) == "foreign-segment"

    def test_a_device_key_does_not_read(self, shared: World, somebody: Person) -> None:
        with pytest.raises(RefusedError) as caught:
            shared.grants.own(shared.own_grant(somebody, somebody.device))
        assert caught.value.reason == "unauthenticated"


def test_two_opens_at_once_both_succeed_in_some_order(world: World) -> None:
    anna = world.join("anna")
    shared = {world.share(anna, bytes([n])): bytes([n]) for n in range(8)}
    grant = world.grant()
    barrier = Barrier(len(shared))

    def one(segment: str) -> dict[str, bytes]:
        asking = world.asking(grant, [segment])
        barrier.wait()
        return asking.payloads(world.door.open(asking.call))

    with ThreadPoolExecutor(len(shared)) as pool:
        opened = {key: value for found in pool.map(one, shared) for key, value in found.items()}
    assert opened == shared
    head = world.custodian.head(anna.tag).verify(Head)
    assert head.n == len(shared)
    assert world.completeness.unreleased() == ()


def test_two_at_once_do_not_both_take_the_last_of_the_ceiling(world: World) -> None:
    anna = world.join("anna")
    segments = [world.share(anna) for _ in range(2)]
    grant = world.grant(ceiling=1)
    barrier = Barrier(2)

    def one(segment: str) -> bool:
        asking = world.asking(grant, [segment])
        barrier.wait()
        try:
            world.door.open(asking.call)
        except RefusedError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(one, segments)) == [False, True]


def test_what_the_custodian_refuses_is_told_and_stays_logged(world: World) -> None:
    anna = world.join("anna")
    segment = world.share(anna)
    grant = world.grant()
    world.custodian.switch_off_local([Activity.READS], "a test")
    asking = world.asking(grant, [segment])
    assert refused(world, asking) == "switch-off"
    assert len(world.leaves(OpenLeaf)) == 1
    assert world.leaves(DeniedLeaf) == []
    world.lift()
    assert refused(world, asking) == "switch-off", "the custodian decided about this entry"
    assert world.open(grant, [segment]) == {segment: b"synthetic"}


def test_one_custodian_that_answers_is_enough_where_one_is_asked_for(world: World) -> None:
    segment = world.share(world.join("anna"), b"one of two")
    dead = Wire(lambda: world.custodian)
    dead.is_cut = True
    signing = world.cast.custodian.signing.public
    carriers = [
        Carrier(cast("CustodianPort", line), world.log, world.clock, signing=signing, max_age=60)
        for line in (dead, world.wire)
    ]
    door = Door(
        world.reads,
        log=world.log,
        store=world.vault,
        carriers=carriers,
        key=world.cast.server,
    )
    asking = world.asking(world.grant(), [segment])
    assert asking.payloads(door.open(asking.call)) == {segment: b"one of two"}


def test_a_half_that_is_gone_is_a_refusal_and_not_an_error(world: World) -> None:
    segment = world.share(world.join("anna"))
    grant = world.grant()
    world.keystore.discard(segment)
    assert refused(world, world.asking(grant, [segment])) == "erased"


def test_an_idle_log_has_its_checkpoint_cosigned_again(world: World) -> None:
    segment = world.share(world.join("anna"), b"idle")
    asking = world.asking(world.grant(), [segment])
    world.wire.is_cut = True
    with pytest.raises(NotDeliveredError):
        world.door.open(asking.call)
    world.wire.is_cut = False
    world.clock.advance(300)
    assert asking.payloads(world.door.open(asking.call)) == {segment: b"idle"}


def test_a_grant_lapses(tmp_path: Path) -> None:
    with World(tmp_path / "server", delays=Delays(grant_unused_seconds=600)) as world:
        segment = world.share(world.join("anna"))
        grant = world.grant()
        world.clock.advance(600)
        assert refused(world, world.asking(grant, [segment])) == "lapsed"
