"""The switch: off at once and by anybody who may, on only by the lift keys, and every change in the log."""

from typing import Any

import pytest

from tests.unit.custody.world import (
    NOW,
    PROGRAMME,
    Participant,
    World,
    digest_of,
    fixed_id,
    key,
    key_set,
    reason_of,
)
from understudy.consent.primitives import encode_bytes
from understudy.consent.purposes import Activity
from understudy.custody.errors import CustodyRefusedError
from understudy.custody.statement import verify_answer
from understudy.custody.switch import LiftBundle, SwitchOrder, SwitchStatus
from understudy.sealing.errors import FormatError, SignatureError
from understudy.sealing.signing import Signed, sign
from understudy.transparency.leaves import SwitchLeaf

ALL = tuple(sorted(Activity))


def order(*off: Activity, signer: str = "responder", **changes: Any) -> Signed:
    fields: dict[str, Any] = {
        "programme": PROGRAMME,
        "off": off,
        "nonce": digest_of(f"nonce {off} {signer}"),
        "reason": "test",
        "ordered_at": NOW,
    }
    return sign(SwitchOrder(**(fields | changes)), key(signer))


def bundle(
    world: World, *on: Activity, signers: tuple[str, ...] = ("lift-1", "lift-2"), **changes: Any
) -> Signed:
    fields: dict[str, Any] = {
        "programme": PROGRAMME,
        "on": on or ALL,
        "custodian": "first",
        "epoch": 1,
        "revision": world.custodian.switch_status().revision,
        "evidence": (digest_of("gate"),),
        "made_at": NOW,
    }
    return sign(LiftBundle(**(fields | changes)), *(key(label) for label in signers))


def log(world: World, **changes: Any) -> None:
    """Log the oldest queued change, with some fields untrue."""
    change = world.custodian.queue()[0]
    fields: dict[str, Any] = {
        "programme": PROGRAMME,
        "order": change.order,
        "off": change.off,
        "revision": change.revision,
        "by": "first",
        "time": NOW,
    }
    world.log.append(SwitchLeaf(**(fields | changes)))
    world.custodian.sync()


class TestFresh:
    def test_a_fresh_custodian_is_off_in_everything(self, empty: World) -> None:
        empty.pin()
        expected = SwitchStatus(by="first", epoch=1, revision=0, off=ALL, queued=0)
        assert empty.custodian.switch_status() == expected

    def test_the_first_lift_has_to_be_logged_before_anything_is_released(self, empty: World) -> None:
        empty.pin()
        empty.lift(log=False)
        one = empty.join("one")
        segment = empty.share(one)
        assert reason_of(empty.ask(one, [segment])) == "switch-queue"
        empty.log_switch()
        assert reason_of(empty.ask(one, [segment])) == "released"


class TestOff:
    @pytest.mark.parametrize(
        "signer", ["steward", "approver-1", "researcher", "responder", "auditor", "server"]
    )
    def test_any_roster_member_the_auditor_and_the_server_can_stop(self, world: World, signer: str) -> None:
        status = world.custodian.switch_off(order(Activity.READS, signer=signer))
        assert (status.off, status.queued, status.revision) == ((Activity.READS,), 1, 2)

    @pytest.mark.parametrize("signer", ["stranger", "reader", "lift-1", "device one", "log", "witness"])
    def test_nobody_else_can(self, world: World, signer: str) -> None:
        with pytest.raises(CustodyRefusedError, match="order-signer"):
            world.custodian.switch_off(order(Activity.READS, signer=signer))
        assert world.custodian.switch_status().off == ()

    def test_it_takes_effect_at_once_and_survives_a_restart(self, world: World, one: Participant) -> None:
        segment = world.share(one)
        world.custodian.switch_off(order(Activity.READS))
        assert reason_of(world.ask(one, [segment])) == "switch-off"
        world.reopen()
        assert world.custodian.switch_status().off == (Activity.READS,)
        assert reason_of(world.ask(one, [segment])) == "switch-off"

    def test_the_operator_can_stop_in_the_custodians_own_name(self, world: World) -> None:
        status = world.custodian.switch_off_local([Activity.CAPTURE, Activity.READS], "by hand")
        assert status.off == (Activity.CAPTURE, Activity.READS)
        (change,) = world.custodian.queue()
        assert (change.off, change.revision) == (status.off, status.revision)

    def test_somebody_elses_signature_beside_a_members_does_not_hold_up_a_stop(self, world: World) -> None:
        signed = order(Activity.READS).with_signature(SwitchOrder, key("stranger"))
        assert world.custodian.switch_off(signed).off == (Activity.READS,)

    def test_stops_add_up(self, world: World) -> None:
        world.custodian.switch_off(order(Activity.READS))
        world.custodian.switch_off(order(Activity.CAPTURE))
        assert world.custodian.switch_status().off == (Activity.CAPTURE, Activity.READS)

    def test_the_same_order_twice_is_one_change_and_an_old_one_stops_nothing_again(
        self, world: World
    ) -> None:
        signed = order(Activity.READS)
        first = world.custodian.switch_off(signed)
        assert world.custodian.switch_off(signed) == first
        world.lift()
        assert world.custodian.switch_off(signed).off == ()

    def test_another_programmes_order_is_refused(self, world: World) -> None:
        with pytest.raises(CustodyRefusedError, match="programme"):
            world.custodian.switch_off(order(Activity.READS, programme=fixed_id("prg", "other")))

    def test_an_altered_order_is_refused(self, world: World) -> None:
        signed = order(Activity.READS)
        other = order(Activity.CAPTURE, Activity.READS)
        with pytest.raises(SignatureError):
            world.custodian.switch_off(Signed(body=other.body, signatures=signed.signatures))

    def test_a_lift_is_no_order(self, world: World) -> None:
        with pytest.raises((SignatureError, FormatError)):
            world.custodian.switch_off(bundle(world, signers=("steward",)))


class TestLift:
    @pytest.fixture
    def stopped(self, world: World) -> World:
        world.custodian.switch_off_local(ALL, "test")
        world.log_switch()
        return world

    def test_it_takes_as_many_lift_keys_as_the_document_says(self, stopped: World) -> None:
        for signers in (("lift-1",), ("lift-1", "steward"), ("approver-1", "approver-2")):
            with pytest.raises(CustodyRefusedError, match="lift-threshold"):
                stopped.custodian.lift(bundle(stopped, signers=signers))
        assert stopped.custodian.switch_status().off == ALL
        assert stopped.custodian.lift(bundle(stopped, signers=("lift-3", "lift-1"))).off == ()

    def test_one_lift_key_counts_once(self, stopped: World) -> None:
        single = bundle(stopped, signers=("lift-1",))
        doubled = Signed(body=single.body, signatures=single.signatures * 2)
        with pytest.raises(SignatureError):
            stopped.custodian.lift(doubled)

    def test_it_lifts_what_it_names(self, stopped: World) -> None:
        assert Activity.READS not in stopped.custodian.lift(bundle(stopped, Activity.READS)).off
        assert Activity.CAPTURE in stopped.custodian.switch_status().off

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"custodian": "other"}, "lift-addressee"),
            ({"epoch": 2}, "lift-addressee"),
            ({"programme": fixed_id("prg", "other")}, "programme"),
            ({"revision": 0}, "lift-stale"),
            ({"revision": 99}, "lift-stale"),
            ({"made_at": NOW - 66}, "lift-expired"),
            ({"made_at": NOW + 66}, "lift-expired"),
        ],
    )
    def test_it_is_for_this_custodian_and_this_moment(
        self, stopped: World, changes: dict[str, Any], reason: str
    ) -> None:
        with pytest.raises(CustodyRefusedError) as caught:
            stopped.custodian.lift(bundle(stopped, **changes))
        assert caught.value.reason == reason

    def test_an_old_lift_does_not_undo_a_new_stop(self, stopped: World) -> None:
        prepared = bundle(stopped)
        stopped.custodian.switch_off(order(Activity.READS))
        with pytest.raises(CustodyRefusedError, match="lift-stale"):
            stopped.custodian.lift(prepared)

    @pytest.mark.parametrize("made_at", [NOW - 65, NOW + 65])
    def test_clocks_may_differ_a_little(self, stopped: World, made_at: int) -> None:
        assert stopped.custodian.lift(bundle(stopped, made_at=made_at)).off == ()

    def test_a_bundle_that_somebody_had_signed_for_later_and_kept_is_worth_nothing(
        self, stopped: World
    ) -> None:
        """A server that shows a revision to come gets a bundle that would undo the next stop."""
        later = stopped.custodian.switch_status().revision + 2
        kept = bundle(stopped, revision=later)
        stopped.custodian.lift(bundle(stopped))
        stopped.clock.advance(66)
        stopped.custodian.switch_off(order(Activity.READS))
        assert stopped.custodian.switch_status().revision == later
        with pytest.raises(CustodyRefusedError, match="lift-expired"):
            stopped.custodian.lift(kept)
        assert stopped.custodian.switch_status().off == (Activity.READS,)

    def test_a_lift_that_was_made_is_not_made_again(self, stopped: World) -> None:
        prepared = bundle(stopped)
        first = stopped.custodian.lift(prepared)
        stopped.clock.advance(3_600)
        assert stopped.custodian.lift(prepared) == first
        stopped.custodian.switch_off(order(Activity.READS))
        with pytest.raises(CustodyRefusedError, match="lift-stale"):
            stopped.custodian.lift(prepared)
        assert stopped.custodian.switch_status().off == (Activity.READS,)

    def test_after_a_lift_nothing_is_released_until_the_queue_is_in_the_log(
        self, stopped: World, one: Participant
    ) -> None:
        stopped.custodian.lift(bundle(stopped))
        segment = stopped.share(one)
        assert reason_of(stopped.ask(one, [segment])) == "switch-queue"
        log(stopped)
        assert stopped.custodian.queue() == ()
        assert reason_of(stopped.ask(one, [segment])) == "released"


class TestQueue:
    @pytest.mark.parametrize(
        "untrue",
        [
            {"order": digest_of("another order")},
            {"off": ()},
            {"off": ALL},
            {"revision": 1},
            {"revision": 3},
        ],
        ids=str,
    )
    def test_only_the_truth_empties_it(self, world: World, untrue: dict[str, Any]) -> None:
        world.custodian.switch_off(order(Activity.READS))
        log(world, **untrue)
        assert len(world.custodian.queue()) == 1
        log(world)
        assert world.custodian.queue() == ()

    def test_changes_wait_in_their_order(self, world: World) -> None:
        world.custodian.switch_off(order(Activity.READS))
        world.custodian.switch_off(order(Activity.CAPTURE))
        assert [change.revision for change in world.custodian.queue()] == [2, 3]
        log(world)
        assert [change.revision for change in world.custodian.queue()] == [3]

    def test_an_unwitnessed_entry_does_not_count(self, world: World) -> None:
        world.custodian.switch_off(order(Activity.READS))
        change = world.custodian.queue()[0]
        world.log.append(
            SwitchLeaf(
                programme=PROGRAMME,
                order=change.order,
                off=change.off,
                revision=change.revision,
                by="first",
                time=NOW,
            )
        )
        note = world.log.note(witnesses=())
        world.log.checkpoint = lambda: note  # type: ignore[method-assign]
        with pytest.raises(CustodyRefusedError, match="0 of 1 required witnesses"):
            world.custodian.sync()
        assert len(world.custodian.queue()) == 1

    def test_garbage_that_looks_like_a_switch_entry_is_mirrored_and_ignored(self, world: World) -> None:
        world.log.leaves.append(b'{"kind":"switch"}')
        world.log.leaves.append(b'\xff"kind":"switch"')
        assert world.custodian.sync() == len(world.log.leaves)

    def test_the_change_is_seen_in_the_delivery_that_brings_it(self, world: World, one: Participant) -> None:
        segment = world.share(one)
        world.custodian.switch_off(order(Activity.TRAINING))
        change = world.custodian.queue()[0]
        world.log.append(
            SwitchLeaf(
                programme=PROGRAMME,
                order=change.order,
                off=change.off,
                revision=change.revision,
                by="first",
                time=NOW,
            )
        )
        assert reason_of(world.ask(one, [segment])) == "released"


class TestStatements:
    def test_one_statement_answers_every_nonce(self, world: World) -> None:
        nonces = tuple(digest_of(f"nonce {number}") for number in range(9))
        answers = world.custodian.statements(nonces)
        assert len({answer.statement for answer in answers}) == 1
        for nonce, answer in zip(nonces, answers, strict=True):
            statement = verify_answer(key_set(), PROGRAMME, answer, nonce)
            assert (statement.off, statement.revision, statement.time) == ((), 1, NOW)

    def test_it_does_not_answer_anothers_nonce(self, world: World) -> None:
        first, second = world.custodian.statements((digest_of("a"), digest_of("b")))
        for answer, nonce in ((first, "b"), (second, "a"), (first, "c")):
            with pytest.raises(FormatError):
                verify_answer(key_set(), PROGRAMME, answer, digest_of(nonce))

    def test_it_says_what_is_off(self, world: World) -> None:
        world.custodian.switch_off(order(Activity.READS, Activity.CAPTURE))
        (answer,) = world.custodian.statements((digest_of("a"),))
        statement = verify_answer(key_set(), PROGRAMME, answer, digest_of("a"))
        assert statement.off == (Activity.CAPTURE, Activity.READS)

    @pytest.mark.parametrize("nonces", [(), ("AA",), (encode_bytes(bytes(33)),), ("not base64!",)])
    def test_nonces_are_thirty_two_bytes(self, world: World, nonces: tuple[str, ...]) -> None:
        with pytest.raises(FormatError):
            world.custodian.statements(nonces)
