"""Many at once, out of order, interrupted: every open is numbered once, and none gets in another's way."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from tests.promises.attacker import DishonestBroker
from tests.promises.scene import Scene
from tests.simulator import Party
from understudy.access.carrier import Carrier
from understudy.access.completeness import Completeness
from understudy.consent.consent import StandingState
from understudy.consent.errors import RefusedError, UnavailableError, UnderstudyError
from understudy.consent.primitives import encode_bytes
from understudy.consent.purposes import Activity
from understudy.contract.messages import OpenAnswer, OpenCall
from understudy.custody.head import CustodianAnswer, Released, ReleaseReply
from understudy.transparency.leaves import commitment_of, encode_leaf


def custodian_reply(answer: OpenAnswer) -> bytes:
    """Return the custodian's part of an answer."""
    (reply,) = (reply for reply in answer.replies if reply.verify(ReleaseReply).role == "c")
    return reply.raw


_ANSWER = msgspec.json.Decoder(CustodianAnswer)


class Crash(Exception):  # noqa: N818  it is no error of the program's
    """The process stops here."""


class TestAtOnce:
    def test_two_opens_of_one_participant_both_succeed_and_both_are_listed(self, scene: Scene) -> None:
        grant = scene.grant
        with ThreadPoolExecutor(2) as pool:
            first, second = pool.map(lambda _: scene.world.read(grant), range(2))
        assert first == second
        reads = scene.world.mine(scene.ana).reads
        assert [read.n for read in reads] == [1, 2]
        assert {read.outcome for read in reads} == {"released"}

    def test_a_crowd_of_opens_is_numbered_without_gap_for_everybody(self, scene: Scene) -> None:
        """Overlapping participants: entries of ana, of ben, and of both."""
        world, grant = scene.world, scene.grant
        wanted = [
            scene.segments(scene.ana)[:1],
            scene.segments(scene.ben),
            (*scene.segments(scene.ana), *scene.segments(scene.ben)),
        ] * 4
        with ThreadPoolExecutor(6) as pool:
            opened = list(
                pool.map(lambda names: world.reader().obtain_halves(grant, world.reason, names), wanted)
            )
        assert [set(halves) for halves in opened] == [set(names) for names in wanted]
        for participant in (scene.ana, scene.ben):
            reads = world.mine(participant).reads
            assert [read.n for read in reads] == list(range(1, 9))
            assert {read.outcome for read in reads} == {"released"}

    def test_the_same_request_twice_at_once_is_one_entry(self, scene: Scene) -> None:
        broker = DishonestBroker(scene)
        asked = broker.ask(scene.segments(scene.ana))
        call = OpenCall(request=asked.signed, segments=scene.segments(scene.ana))
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(scene.world.port.open, [call] * 4))
        assert len({answer.index for answer in answers}) == 1
        assert len({custodian_reply(answer) for answer in answers}) == 1
        assert len(scene.world.mine(scene.ana).reads) == 1

    def test_after_the_switch_has_answered_no_open_that_begins_is_released(self, scene: Scene) -> None:
        world, grant = scene.world, scene.grant
        stopped, late = threading.Event(), []

        def keep_reading() -> None:
            for _ in range(30):
                begun_after = stopped.is_set()
                try:
                    world.read(grant)
                except UnderstudyError:
                    return
                if begun_after:
                    late.append("released")

        with ThreadPoolExecutor(3) as pool:
            readers = [pool.submit(keep_reading) for _ in range(2)]
            world.port.switch_off(world.order(Activity.READS))
            stopped.set()
            for reader in readers:
                reader.result()
        assert late == []


class TestOutOfOrder:
    def test_an_entry_that_comes_too_early_waits_for_those_before_it(self, scene: Scene) -> None:
        broker, tag = DishonestBroker(scene), scene.ana.tag
        segments = scene.segments(scene.ana)
        first, second = broker.ask(segments), broker.ask(segments)
        entered = broker.enter_for(first, {tag: segments})
        broker.heads[tag] = (1, encode_bytes(commitment_of(entered.openings[0])))
        later = broker.enter_for(second, {tag: segments})
        assert broker.bring(later, second) == "behind"
        assert broker.bring(entered, first) == "released"
        assert broker.bring(later, second) == "released"
        assert [read.n for read in scene.world.mine(scene.ana).reads] == [1, 2]

    def test_logged_but_never_opened_and_the_next_open_still_works(
        self, scene: Scene, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The server dies between log and custodian; it starts again and knows nothing of it."""
        world = scene.world
        self.die_before_delivery(scene, monkeypatch, 3)
        world.restart("server")
        assert world.read(scene.grant)
        outcomes = [read.outcome for read in world.mine(scene.ana).reads]
        assert outcomes == ["admitted", "admitted", "admitted", "released"]

    def test_logged_but_never_opened_is_numbered_by_itself_in_the_end(
        self, scene: Scene, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world = scene.world
        self.die_before_delivery(scene, monkeypatch, 1)
        assert world.mine(scene.ana).reads == ()
        max_age = world.programme.delays.cosignature_seconds // 2
        Completeness(world.server.log, [world.server.carrier], max_age=max_age).catch_up()
        assert [read.outcome for read in world.mine(scene.ana).reads] == ["admitted"]

    def test_a_custodian_that_was_away_for_long_catches_up(
        self, scene: Scene, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """More entries behind than one delivery carries: it takes the rest from the log itself."""
        world, grant = scene.world, scene.grant
        broker = DishonestBroker(scene)
        asked = broker.ask(scene.segments(scene.ana))
        filler = broker.leaf(asked, [broker.opening(scene.ana.tag, scene.segments(scene.ana))])
        for _ in range(300):
            broker.append(encode_leaf(filler))
        self.die_before_delivery(scene, monkeypatch, 2)
        assert world.read(grant)
        assert len(world.mine(scene.ana).reads) == 3

    def die_before_delivery(self, scene: Scene, monkeypatch: pytest.MonkeyPatch, times: int) -> None:
        """Have so many opens end right after their entry was logged."""
        assert scene.grant
        before = scene.world.server.log.store.size

        def crash(*_: object) -> None:
            raise Crash

        with monkeypatch.context() as patch:
            patch.setattr(Carrier, "open", crash)
            for _ in range(times):
                with pytest.raises(Crash):
                    scene.world.read(scene.grant)
        assert scene.world.server.log.store.size == before + times


class TestLostReply:
    """Asked again, the custodian's answer comes back byte for byte, as long as that is allowed."""

    def test_byte_for_byte(self, scene: Scene) -> None:
        world = scene.world
        call, first = self.lost(scene)
        answer = world.port.open(call)
        assert custodian_reply(answer) == first
        assert len(world.mine(scene.ana).reads) == 1

    @pytest.mark.parametrize("party", ["server", "custodian", "witness"])
    def test_after_a_restart_too(self, scene: Scene, party: Party) -> None:
        call, first = self.lost(scene)
        scene.world.restart(party)
        assert custodian_reply(scene.world.port.open(call)) == first

    def test_even_when_the_cosignature_has_grown_old(self, scene: Scene) -> None:
        """A retry needs no new entry and no new cosignature."""
        call, first = self.lost(scene)
        scene.world.clock.advance(scene.world.programme.delays.cosignature_seconds * 3)
        assert custodian_reply(scene.world.port.open(call)) == first

    @pytest.mark.parametrize("then", ["expired", "erased", "switched off", "paused"])
    def test_not_after_its_end_nor_after_erasure_or_stop(self, scene: Scene, then: str) -> None:
        world = scene.world
        call, _ = self.lost(scene)
        actions: dict[str, Callable[[], object]] = {
            "expired": lambda: world.clock.advance(world.programme.delays.open_seconds + 1),
            "erased": lambda: world.custodian.erase_local(scene.segments(scene.ana)),
            "switched off": lambda: world.custodian.switch_off(world.order(Activity.READS)),
            "paused": lambda: scene.ana.stand(StandingState.PAUSED),
        }
        actions[then]()
        with pytest.raises((RefusedError, UnavailableError)):
            world.port.open(call)

    def test_a_changed_request_under_the_same_entry_is_refused(self, scene: Scene) -> None:
        """Other segments than those that were signed for."""
        call, _ = self.lost(scene)
        fewer = OpenCall(request=call.request, segments=call.segments[:1])
        with pytest.raises(RefusedError, match="request-mismatch"):
            scene.world.port.open(fewer)

    def lost(self, scene: Scene) -> tuple[OpenCall, bytes]:
        """Open, and lose the custodian's answer on its way; return the call, and what it was."""
        world = scene.world
        asked = DishonestBroker(scene).ask(scene.segments(scene.ana))
        call = OpenCall(request=asked.signed, segments=scene.segments(scene.ana))
        world.custodian_line.loses_answers = True
        with pytest.raises(UnavailableError):
            world.port.open(call)
        world.custodian_line.loses_answers = False
        (delivery,) = world.custodian_line.calls[-1][1]
        answer = _ANSWER.decode(world.custodian.open(delivery))
        assert isinstance(answer, Released)
        return call, answer.reply.raw


class TestIdleLog:
    def test_an_idle_log_has_its_checkpoint_cosigned_again(self, scene: Scene) -> None:
        """Nothing was logged for an hour: the next open asks the witness, not for a new entry."""
        world, grant = scene.world, scene.grant
        world.read(grant)
        world.clock.advance(1_800)
        stale = world.server.log.newest
        assert stale is not None
        fresh = world.server.log.fresh(world.programme.delays.cosignature_seconds)
        assert fresh.checkpoint == stale.checkpoint
        assert fresh.newest_quorum_time == world.clock.now()
        assert world.read(grant)

    def test_a_stale_cosignature_opens_nothing_while_the_witness_is_away(self, scene: Scene) -> None:
        world, grant = scene.world, scene.grant
        world.read(grant)
        world.clock.advance(1_800)
        world.witness_line.is_cut = True
        with pytest.raises(UnavailableError):
            world.read(grant)
        world.witness_line.is_cut = False
        assert world.read(grant)

    def test_an_entry_of_before_is_delivered_under_a_fresh_checkpoint(
        self, scene: Scene, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Logged, not delivered, asked again minutes later: the same entry, cosigned anew, is released."""
        world = scene.world
        asked = DishonestBroker(scene).ask(scene.segments(scene.ana), not_after=world.clock.now() + 600)
        call = OpenCall(request=asked.signed, segments=scene.segments(scene.ana))
        with monkeypatch.context() as patch:

            def crash(*_: object) -> None:
                raise Crash

            patch.setattr(Carrier, "open", crash)
            with pytest.raises(Crash):
                world.port.open(call)
        size = world.server.log.store.size
        world.clock.advance(300)
        answer = world.port.open(call)
        assert answer.index == size - 1
        assert world.server.log.store.size == size
