"""One delivery in, one answer out: released once, answered again byte for byte, refused for what it lacks."""

import threading
from typing import Any

import msgspec
import pytest

from tests.unit.custody.world import (
    NOW,
    PROGRAMME,
    Participant,
    World,
    decoded,
    hpke,
    key,
    reason_of,
    released_halves,
    sign_raw,
)
from understudy.consent.consent import StandingState
from understudy.consent.contexts import Context
from understudy.consent.primitives import encode_bytes
from understudy.consent.purposes import Activity
from understudy.consent.scope import Scope
from understudy.custody.errors import CustodyRefusedError
from understudy.custody.grant import Grant, OpenRequest
from understudy.custody.head import Behind, Head, NotReleased, Released, ReleaseReply
from understudy.sealing.canonical import digest
from understudy.sealing.half import Half
from understudy.sealing.header import SegmentHeader
from understudy.sealing.signing import Signed


class Asked:
    """One request on its way, so that its delivery can be repeated and altered."""

    def __init__(self, world: World, one: Participant, *, grant: Signed | None = None, **leaf: Any) -> None:
        self.world = world
        self.segments = [world.share(one), world.share(one)]
        self.grant = grant or world.grant()
        self.request = world.request(self.grant, self.segments)
        self.entered = world.enter(self.grant, self.request, {one.tag: self.segments}, **leaf)

    def raw(self, **changes: Any) -> bytes:
        """Deliver; return the bytes of the answer."""
        delivery = self.world.delivery(self.entered, self.grant, self.request, **changes)
        return self.world.custodian.open(delivery)

    def reason(self, **changes: Any) -> str:
        """Deliver; return what became of it."""
        try:
            return reason_of(decoded(self.raw(**changes)))
        except CustodyRefusedError as error:
            return f"! {error.reason}"


@pytest.fixture
def asked(world: World, one: Participant) -> Asked:
    return Asked(world, one)


class TestReleased:
    def test_the_reader_gets_the_halves_that_the_headers_commit_to(self, asked: Asked) -> None:
        halves = released_halves(decoded(asked.raw()), asked.entered.raw, asked.request)
        assert sorted(halves) == sorted(asked.segments)
        for segment, raw in halves.items():
            row = asked.world.store.database.row("SELECT header FROM deposits WHERE segment = ?", segment)
            assert row is not None
            header = msgspec.json.decode(row[0], type=Signed).verify(SegmentHeader)
            assert Half("c", raw).commitment == header.half("c").commitment

    def test_the_reply_is_bound_to_entry_request_and_reader(self, asked: Asked) -> None:
        answer = decoded(asked.raw())
        assert isinstance(answer, Released)
        reply = answer.reply.verify(ReleaseReply)
        assert answer.reply.signers == {key("custodian first").public}
        assert reply.request == asked.request.hash(OpenRequest)
        assert reply.reader_key == hpke("ephemeral").public.key_hash
        assert (reply.role, reply.time) == ("c", NOW)

    def test_the_head_comes_with_the_answer(self, asked: Asked, one: Participant) -> None:
        answer = decoded(asked.raw())
        assert isinstance(answer, Released)
        (signed,) = answer.heads
        head = signed.verify(Head, {key("custodian first").public})
        assert (head.tag, head.n, head.tree_size) == (one.tag, 1, len(asked.world.log.leaves))

    def test_halves_of_two_participants_come_in_one_reply(
        self, world: World, one: Participant, two: Participant
    ) -> None:
        parts = {one.tag: [world.share(one)], two.tag: [world.share(two), world.share(two)]}
        segments = [segment for part in parts.values() for segment in part]
        grant = world.grant()
        request = world.request(grant, segments)
        entered = world.enter(grant, request, parts)
        answer = world.open(world.delivery(entered, grant, request))
        assert sorted(released_halves(answer, entered.raw, request)) == sorted(segments)
        assert isinstance(answer, Released)
        assert {head.verify(Head).tag for head in answer.heads} == {one.tag, two.tag}

    @pytest.mark.parametrize("at", ["personal key", "console credential"])
    def test_one_opens_ones_own_without_approvers(self, world: World, one: Participant, at: str) -> None:
        signer = one.seed.signing if at == "personal key" else key("console one")
        segment = world.share(one)
        grant = world.own_grant(one, signer)
        request = world.request(grant, [segment], signer=signer)
        assert reason_of(world.ask(one, [segment], grant=grant, request=request)) == "released"

    @pytest.mark.parametrize(
        "state", [StandingState.PAUSED, StandingState.OBJECTING, StandingState.WITHDRAWN]
    )
    def test_neither_standing_nor_suspended_reads_close_ones_own(
        self, world: World, one: Participant, state: StandingState
    ) -> None:
        segment = world.share(one)
        world.custodian.stand(one.standing(state, 1))
        world.custodian.switch_off_local([item for item in Activity if item != Activity.OWN_READS], "test")
        world.log_switch()
        grant = world.own_grant(one)
        request = world.request(grant, [segment], signer=one.seed.signing)
        assert reason_of(world.ask(one, [segment], grant=grant, request=request)) == "released"

    def test_a_self_grant_may_name_a_recording(self, world: World, one: Participant) -> None:
        segment = world.share(one)
        scope = Scope(programme=PROGRAMME, tags=(one.tag,), recordings=("rec_" + "A" * 22,))
        grant = world.own_grant(one, scope=scope)
        request = world.request(grant, [segment], signer=one.seed.signing)
        assert reason_of(world.ask(one, [segment], grant=grant, request=request)) == "scope-recording"

    @pytest.mark.parametrize(
        ("leaf", "reason"),
        [
            ({"time": NOW + 5}, "released"),
            ({"time": NOW + 6}, "clock"),
            ({"time": NOW - 5, "not_after": NOW + 600}, "released"),
            ({"time": NOW - 6, "not_after": NOW + 600}, "request-too-long"),
            ({"time": NOW - 60, "not_after": NOW}, "released"),
            ({"time": NOW - 60, "not_after": NOW - 1}, "request-expired"),
        ],
    )
    def test_times_are_kept_to_the_second(
        self, world: World, one: Participant, leaf: dict[str, Any], reason: str
    ) -> None:
        assert Asked(world, one, **leaf).reason() == reason

    @pytest.mark.parametrize(
        ("terms", "reason"),
        [
            ({"not_before": NOW + 5}, "released"),
            ({"not_before": NOW + 6}, "grant-not-yet"),
            ({"not_before": NOW - 60, "not_after": NOW}, "released"),
            ({"not_before": NOW - 60, "not_after": NOW - 1}, "grant-expired"),
            ({"not_after": NOW + 8 * 3_600}, "released"),
            ({"not_after": NOW + 8 * 3_600 + 1}, "grant-too-long"),
            ({"ceiling": 2}, "released"),
            ({"ceiling": 1}, "ceiling"),
        ],
    )
    def test_grants_are_kept_to_the_letter(
        self, world: World, one: Participant, terms: dict[str, int], reason: str
    ) -> None:
        assert Asked(world, one, grant=world.grant(**terms)).reason() == reason

    def test_the_ceiling_counts_the_last_hour_only(self, world: World, one: Participant) -> None:
        grant = world.grant(ceiling=2, not_after=NOW + 2 * 3_600)
        assert Asked(world, one, grant=grant).reason() == "released"
        assert Asked(world, one, grant=grant).reason() == "ceiling"
        world.clock.advance(3_600)
        assert Asked(world, one, grant=grant).reason() == "released"

    def test_refused_opens_do_not_fill_the_ceiling(self, world: World, one: Participant) -> None:
        grant = world.grant(ceiling=2)
        world.custodian.stand(one.standing(StandingState.PAUSED, 1))
        assert Asked(world, one, grant=grant).reason() == "not-available"
        world.custodian.stand(one.standing(StandingState.ACTIVE, 2))
        assert Asked(world, one, grant=grant).reason() == "released"


class TestAskedAgain:
    def test_a_lost_reply_comes_back_byte_for_byte(self, asked: Asked) -> None:
        first = asked.raw()
        assert asked.raw() == first
        asked.world.clock.advance(599)
        asked.world.reopen()
        assert asked.raw() == first

    def test_it_needs_no_fresh_cosignature(self, asked: Asked) -> None:
        first = asked.raw()
        asked.world.clock.advance(300)
        assert asked.raw(checkpoint=encode_bytes(asked.world.log.note(at=NOW))) == first

    def test_it_comes_back_to_whoever_delivers_the_entry_again(self, asked: Asked) -> None:
        first = asked.raw()
        assert asked.raw(grant=None, request=None) == first

    def test_past_not_after_it_is_gone(self, asked: Asked) -> None:
        asked.raw()
        asked.world.clock.advance(601)
        assert asked.reason() == "request-expired"
        asked.world.custodian.maintain()
        assert asked.world.store.database.rows("SELECT * FROM replies") == []
        assert asked.world.store.database.rows("SELECT * FROM reply_segments") == []

    def test_a_dead_reply_leaves_no_trace_in_the_files(self, asked: Asked) -> None:
        answer = asked.raw()
        asked.world.clock.advance(601)
        asked.world.custodian.maintain()
        assert not any(answer[100:200] in file.read_bytes() for file in asked.world.folder.iterdir())

    def test_a_switch_thrown_since_stops_it(self, asked: Asked) -> None:
        first = asked.raw()
        asked.world.custodian.switch_off_local([Activity.READS], "test")
        assert asked.reason() == "switch-off"
        asked.world.lift(Activity.READS)
        assert asked.raw() == first

    def test_a_replay_under_another_entry_releases_nothing(self, asked: Asked, one: Participant) -> None:
        assert asked.reason() == "released"
        again = asked.world.ask(one, asked.segments, grant=asked.grant, request=asked.request)
        assert reason_of(again) == "already-released"

    def test_a_refusal_stays_a_refusal(self, world: World, one: Participant) -> None:
        world.custodian.stand(one.standing(StandingState.PAUSED, 1))
        asked = Asked(world, one)
        assert asked.reason() == "not-available"
        world.custodian.stand(one.standing(StandingState.ACTIVE, 2))
        assert asked.reason() == "not-available"


class TestUndecided:
    """Junk beside a genuine entry must not spend the reader's release."""

    @pytest.mark.parametrize("missing", [("grant",), ("request",), ("grant", "request")])
    def test_an_entry_delivered_to_be_admitted_may_still_be_opened(
        self, asked: Asked, missing: tuple[str, ...]
    ) -> None:
        assert asked.reason(**dict.fromkeys(missing)) == "not-asked"
        assert asked.reason() == "released"

    def test_another_grant_says_nothing_about_the_entry(self, asked: Asked) -> None:
        assert asked.reason(grant=asked.world.grant()) == "grant-mismatch"
        assert asked.reason() == "released"

    def test_another_request_says_nothing_about_the_entry(self, asked: Asked) -> None:
        other = asked.world.request(asked.grant, asked.segments)
        assert asked.reason(request=other) == "request-mismatch"
        assert asked.reason() == "released"

    @pytest.mark.parametrize("document", ["grant", "request"])
    def test_a_wrong_signature_says_nothing_about_the_entry(self, asked: Asked, document: str) -> None:
        genuine: Signed = getattr(asked, document)
        other = asked.world.grant() if document == "grant" else asked.world.request(asked.grant, [])
        broken = Signed(body=genuine.body, signatures=other.signatures)
        assert asked.reason(**{document: broken}) == "bad-signature"
        bare = Signed(body=genuine.body, signatures=())
        assert asked.reason(**{document: bare}) == "bad-signature"
        assert asked.reason() == "released"

    def test_a_grant_signed_as_another_type_is_no_grant(self, asked: Asked) -> None:
        wrong = tuple(
            msgspec.structs.replace(
                signature,
                signature=key("approver-1").sign_bytes(OpenRequest.CONTEXT, asked.grant.raw),
            )
            for signature in asked.grant.signatures[:1]
        )
        assert asked.reason(grant=Signed(body=asked.grant.body, signatures=wrong)) == "bad-signature"

    @pytest.mark.parametrize("extra", [{"version": 2}, {"note": "please"}])
    def test_documents_of_another_version_open_nothing(
        self, world: World, one: Participant, extra: dict[str, Any]
    ) -> None:
        segment = world.share(one)
        fields = msgspec.json.decode(world.grant().raw) | extra
        grant = sign_raw(Grant, fields, key("approver-1"), key("approver-2"))
        request = world.request(grant, [segment])
        openings = [world.log.opening(one.tag, [segment])]
        leaf = world.leaf_fields(world.grant(), request, grant=grant.hash(Grant))
        entered = world.log.enter(leaf, openings)
        assert reason_of(world.open(world.delivery(entered, grant, request))) == "bad-document"

    def test_a_reader_key_that_nothing_can_be_sealed_to_is_refused(
        self, world: World, one: Participant
    ) -> None:
        segment = world.share(one)
        weak = hpke("ephemeral").public.raw[:1184] + bytes(32)
        grant = world.grant()
        request = world.request(grant, [segment], reader_key=encode_bytes(weak))
        hashed = digest(Context.HPKE_KEY, weak)
        answer = world.ask(one, [segment], grant=grant, request=request, reader_key=hashed)
        assert reason_of(answer) == "bad-document"
        assert world.store.database.rows("SELECT * FROM releases") == []

    def test_when_its_time_is_over_it_was_never_asked_for(self, asked: Asked) -> None:
        assert asked.reason(grant=None, request=None) == "not-asked"
        asked.world.clock.advance(601)
        asked.world.custodian.maintain()
        assert asked.reason() == "not-asked"
        assert asked.world.store.database.row("SELECT outcome, reason FROM entries") == (
            "refused",
            "not-asked",
        )


class TestFreshness:
    @pytest.mark.parametrize(
        ("age", "reason"),
        [(65, "released"), (66, "! stale-cosignature"), (-5, "released"), (-6, "! clock")],
    )
    def test_a_release_needs_a_fresh_cosignature(self, asked: Asked, age: int, reason: str) -> None:
        note = encode_bytes(asked.world.log.note(at=NOW - age))
        assert asked.reason(checkpoint=note) == reason

    def test_a_stale_one_is_not_held_against_the_entry(self, asked: Asked) -> None:
        stale = encode_bytes(asked.world.log.note(at=NOW - 600))
        assert asked.reason(checkpoint=stale) == "! stale-cosignature"
        assert asked.world.store.database.rows("SELECT * FROM entries") == []
        assert asked.reason() == "released"

    def test_an_idle_logs_checkpoint_cosigned_again_will_do(self, asked: Asked) -> None:
        asked.world.custodian.sync()
        asked.world.clock.advance(300)
        assert asked.reason(checkpoint=encode_bytes(asked.world.log.note(at=NOW))) == "! stale-cosignature"
        assert asked.reason() == "released"

    def test_a_late_entry_can_be_admitted_under_an_old_cosignature(self, asked: Asked) -> None:
        note = encode_bytes(asked.world.log.note(at=NOW - 600))
        assert asked.reason(checkpoint=note, grant=None, request=None) == "not-asked"

    def test_waiting_for_the_log_does_not_turn_the_clock_back(self, asked: Asked) -> None:
        world = asked.world
        entries = world.log.entries

        def slowly(start: int, end: int) -> tuple[bytes, ...]:
            world.clock.advance(700)
            return entries(start, end)

        world.log.entries = slowly  # type: ignore[method-assign]
        note = encode_bytes(world.log.note(at=NOW))
        assert asked.reason(leaves=(), checkpoint=note) == "! stale-cosignature"


class TestTwoAtOnce:
    def test_two_concurrent_opens_of_one_entry_get_one_reply(self, asked: Asked) -> None:
        answers = together([asked.raw] * 8)
        assert len(set(answers)) == 1
        assert asked.world.store.database.row("SELECT count(*) FROM releases") == (1,)

    def test_concurrent_opens_of_one_participant_are_all_answered(
        self, world: World, one: Participant
    ) -> None:
        requests = [Asked(world, one) for _ in range(8)]
        by_number = {asked.entered.openings[0].n: asked for asked in requests}

        def broker(asked: Asked) -> bytes:
            while isinstance(answer := decoded(raw := asked.raw()), Behind):
                for missing in answer.missing:
                    by_number[missing.n].raw(grant=None, request=None)
            return raw

        answers = together([lambda asked=asked: broker(asked) for asked in reversed(requests)])
        assert {type(decoded(answer)) for answer in answers} == {Released}
        assert world.custodian.head(one.tag).verify(Head).n == len(requests)

    def test_a_stop_waits_for_nobodys_network(self, asked: Asked) -> None:
        world = asked.world
        entries, stopped = world.log.entries, threading.Event()

        def stuck(start: int, end: int) -> tuple[bytes, ...]:
            def stop() -> None:
                world.custodian.switch_off_local([Activity.READS], "test")
                stopped.set()

            stopper = threading.Thread(target=stop)
            stopper.start()
            assert stopped.wait(timeout=30), "the switch waited for the log"
            stopper.join()
            return entries(start, end)

        world.log.entries = stuck  # type: ignore[method-assign]
        assert asked.reason(leaves=()) == "switch-off"


def together(calls: list[Any]) -> list[bytes]:
    """Run every call in a thread of its own, at once; return what they return."""
    barrier, answers, errors = threading.Barrier(len(calls)), [b""] * len(calls), []

    def run(place: int) -> None:
        barrier.wait()
        try:
            answers[place] = calls[place]()
        except Exception as error:  # noqa: BLE001  told to the test below
            errors.append(error)

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    return answers


def test_a_bare_answer_of_a_refusal_tells_reason_and_hint(world: World, one: Participant) -> None:
    answer = world.ask(one, [world.share(one)], grant=world.grant(ceiling=1, not_after=NOW - 1))
    assert isinstance(answer, NotReleased)
    assert (answer.reason, answer.hint) == ("grant-expired", "ask for another grant")


def test_three_approvers_are_as_good_as_two(world: World, one: Participant) -> None:
    grant = world.grant("approver-1", "approver-2", "approver-3")
    assert reason_of(world.ask(one, [world.share(one)], grant=grant)) == "released"
