"""One switch: one signature stops, at once and whatever else is down; starting again takes the lift keys.

Shows the parts of R-58 and R-64 that need no fleet: who may stop and start, that off waits for nothing, and
that no party can start alone.
"""

from pathlib import Path

import msgspec
import pytest

from tests.cast import ROLES, stranger
from tests.promises.conftest import Faults
from tests.promises.scene import Scene
from tests.simulator import EVERYTHING, Party, Simulator
from understudy.client.reader import Reader
from understudy.consent.errors import RefusedError, UnavailableError, UnderstudyError
from understudy.consent.purposes import Activity, ReasonCode
from understudy.custody.switch import LiftBundle, SwitchStatus
from understudy.custody.switchboard import Switchboard
from understudy.programme.switch import ServerSwitch
from understudy.sealing.errors import SignatureError
from understudy.sealing.signing import Signed, sign


def why_not(scene: Scene) -> str:
    """Read everything as the genuine reader; return why that fails, or nothing."""
    try:
        scene.world.read(scene.grant)
    except UnderstudyError as error:
        return str(getattr(error, "reason", type(error).__name__))
    return ""


@pytest.fixture
def granted(scene: Scene) -> Scene:
    """The scene with its grant in force, so that a test may cut lines afterwards."""
    assert scene.grant
    return scene


class TestOff:
    """Going waits for the log; stopping never does."""

    def test_nothing_goes_before_the_first_lift(self, tmp_path: Path) -> None:
        with Simulator(tmp_path / "new", lifted=False) as world:
            assert set(world.custodian.switch_status().off) == set(EVERYTHING)
            assert set(world.server.switch_status().off) == set(EVERYTHING)
            with pytest.raises(RefusedError):
                world.participant("ana").record()

    @pytest.mark.parametrize("name", ROLES)
    def test_any_roster_member_alone_stops_reads(self, granted: Scene, name: str) -> None:
        world = granted.world
        world.port.switch_off(world.order(Activity.READS, by=world.cast.person(name)))
        assert why_not(granted) == "switch-off"

    @pytest.mark.parametrize("name", ["stranger", "lift-1", "recovery-1", "witness"])
    def test_nobody_else_does(self, granted: Scene, name: str) -> None:
        world = granted.world
        key = stranger() if name == "stranger" else world.cast.person(name)
        for party in (world.custodian, world.server):
            with pytest.raises(UnderstudyError):
                party.switch_off(world.order(Activity.READS, by=key))
        assert why_not(granted) == ""

    def test_an_order_with_a_forged_signature_stops_nothing(self, granted: Scene) -> None:
        world = granted.world
        order = world.order(Activity.READS)
        (signature,) = order.signatures
        forged = msgspec.structs.replace(
            world.order(Activity.READS, by=stranger()),
            signatures=(msgspec.structs.replace(signature, key=world.cast.person("steward").public),),
        )
        for party in (world.custodian, world.server):
            with pytest.raises(SignatureError):
                party.switch_off(forged)

    def test_it_takes_effect_while_the_log_is_down(self, granted: Scene) -> None:
        world = granted.world
        world.witness_line.is_cut = True
        world.port.switch_off(world.order(*EVERYTHING))
        assert set(world.custodian.switch_status().off) == set(EVERYTHING)
        assert world.custodian.switch_status().queued > 0
        assert why_not(granted) in {"switch-off", "reads-off"}
        with pytest.raises(UnderstudyError):
            granted.ana.keeper.renew()

    def test_it_takes_effect_while_the_server_is_down(self, granted: Scene) -> None:
        """Straight to the custodian: the server is not needed, and cannot undo it."""
        world = granted.world
        world.stop("server")
        world.custodian.switch_off(world.order(*EVERYTHING, by=world.cast.person("auditor")))
        world.start("server")
        assert why_not(granted) == "switch-off"
        with pytest.raises(RefusedError):
            granted.ana.keeper.renew()

    def test_it_takes_effect_while_the_custodian_is_down(self, granted: Scene) -> None:
        """The server stops alone; the custodian hears of it as soon as it answers."""
        world = granted.world
        world.custodian_line.is_cut = True
        world.port.switch_off(world.order(*EVERYTHING))
        assert why_not(granted) != ""
        world.custodian_line.is_cut = False
        assert why_not(granted) != ""
        world.server.flush()
        assert set(world.custodian.switch_status().off) == set(EVERYTHING)

    @pytest.mark.parametrize("party", ["server", "custodian", "witness"])
    def test_it_survives_a_restart(self, granted: Scene, party: Party) -> None:
        world = granted.world
        world.port.switch_off(world.order(Activity.READS))
        world.restart(party)
        assert why_not(granted) == "switch-off"

    def test_the_operator_of_the_custodian_stops_it_locally(self, granted: Scene) -> None:
        granted.world.custodian.switch_off_local([Activity.READS], "a test stops it here")
        assert why_not(granted) == "switch-off"

    def test_every_stop_is_in_the_log_in_the_end(self, granted: Scene) -> None:
        world = granted.world
        before = world.server.log.store.size
        world.witness_line.is_cut = True
        world.port.switch_off(world.order(Activity.READS))
        world.witness_line.is_cut = False
        world.server.flush()
        leaves = world.server.log.store.entries(before, world.server.log.store.size)
        switches = [msgspec.json.decode(leaf) for leaf in leaves]
        assert {leaf["by"] for leaf in switches if leaf["kind"] == "switch"} == {"server", "first"}
        world.custodian.sync()
        assert world.custodian.switch_status().queued == 0

    def test_a_reply_that_was_lost_is_not_given_out_after_the_stop(self, granted: Scene) -> None:
        world = granted.world
        world.custodian_line.loses_answers = True
        calls = world.custodian_line.calls
        calls.clear()
        assert why_not(granted) != ""
        world.custodian_line.loses_answers = False
        (delivery,) = next(arguments for name, arguments in calls if name == "open")
        assert b'"released"' in world.custodian.open(delivery)
        world.custodian.switch_off(world.order(Activity.READS))
        assert b'"switch-off"' in world.custodian.open(delivery)


class TestEachActivity:
    """What is named is stopped, by both holders, each by itself."""

    @pytest.mark.parametrize("party", ["server", "custodian"])
    def test_capture(self, granted: Scene, party: str) -> None:
        self.stop(granted, party, Activity.CAPTURE)
        with pytest.raises(UnderstudyError):
            granted.ana.record()
        assert why_not(granted) == ""

    @pytest.mark.parametrize("party", ["server", "custodian"])
    def test_ingest(self, granted: Scene, party: str) -> None:
        recording, payloads = granted.ana.record()
        granted.ana.outbox.seal(granted.ana.held, recording)
        self.stop(granted, party, Activity.INGEST)
        with pytest.raises(RefusedError):
            granted.ana.send()
        assert not granted.world.server.vault.headers(list(payloads))
        granted.world.server.flush()
        granted.world.lift()
        assert granted.ana.send() == 1

    @pytest.mark.parametrize("party", ["server", "custodian"])
    def test_reads_of_others_but_not_of_ones_own(self, granted: Scene, party: str) -> None:
        own = granted.world.own_grant(granted.ana)
        self.stop(granted, party, Activity.READS)
        assert why_not(granted) == "switch-off"
        assert self.own(granted, own)

    @pytest.mark.parametrize("party", ["server", "custodian"])
    def test_ones_own_only_when_it_is_named(self, granted: Scene, party: str) -> None:
        own = granted.world.own_grant(granted.ana)
        self.stop(granted, party, Activity.OWN_READS)
        assert why_not(granted) == ""
        with pytest.raises(RefusedError):
            self.own(granted, own)

    def stop(self, scene: Scene, party: str, activity: Activity) -> None:
        world = scene.world
        stopped: SwitchStatus
        if party == "custodian":
            stopped = world.custodian.switch_off(world.order(activity))
        else:
            world.custodian_line.is_cut = True
            stopped = world.server.programme.switch_off(world.order(activity))
            world.custodian_line.is_cut = False
        assert stopped.off == (activity,)
        if party == "custodian":
            world.server.flush()

    def own(self, scene: Scene, grant: str) -> dict[str, bytes]:
        world, key = scene.world, scene.ana.device.personal.signing
        entries = world.port.segments(key).segments
        return dict(
            Reader(world.port, world.programme, key, world.clock).open(grant, ReasonCode.OWN_COPY, entries)
        )


class TestOn:
    """Starting again: the lift keys, at their threshold, for the state as it is now."""

    @pytest.mark.parametrize(
        "keys",
        [
            ("lift-1",),
            ("steward", "approver-1", "auditor"),
            ("server", "custodian"),
            ("recovery-1", "recovery-2", "recovery-3"),
            ("lift-1", "stranger"),
        ],
    )
    def test_fewer_or_other_keys_start_nothing(
        self, granted: Scene, faults: Faults, monkeypatch: pytest.MonkeyPatch, keys: tuple[str, ...]
    ) -> None:
        world = granted.world
        world.port.switch_off(world.order(Activity.READS))
        bundle = world.bundle(keys=keys)
        for party in (world.custodian, world.server):
            with pytest.raises(UnderstudyError):
                party.lift(bundle)
        world.server.flush()
        assert why_not(granted) == "switch-off"

        def without_a_threshold(self: Switchboard, _pinned: object, signed: Signed, _now: int) -> None:
            on = signed.verify(LiftBundle).on
            self._change(signed.hash(LiftBundle), signed, self.off() - set(on))

        monkeypatch.setattr(Switchboard, "lift", without_a_threshold)
        started = world.custodian.lift(bundle)
        faults.caught(f"switch: lifted by {', '.join(keys)}", caught=Activity.READS not in started.off)

    def test_a_bundle_for_an_older_state_is_stale(self, granted: Scene) -> None:
        world = granted.world
        bundle = world.bundle()
        world.port.switch_off(world.order(Activity.READS))
        with pytest.raises(RefusedError, match="lift-stale"):
            world.custodian.lift(bundle)
        with pytest.raises(RefusedError, match="lift-stale"):
            world.port.lift(bundle)

    @pytest.mark.parametrize(
        "changes", [{"custodian": "second"}, {"epoch": 2}, {"programme": "prg_" + "B" * 21 + "A"}]
    )
    def test_a_bundle_for_somebody_else_is_refused(self, granted: Scene, changes: dict[str, object]) -> None:
        world = granted.world
        world.port.switch_off(world.order(Activity.READS))
        bundle = msgspec.structs.replace(world.bundle().verify(LiftBundle), **changes)
        signed = sign(bundle, *(world.cast.person(key) for key in ("lift-1", "lift-2")))
        with pytest.raises(UnderstudyError):
            world.custodian.lift(signed)

    def test_nothing_is_released_until_the_lift_is_in_the_log(self, granted: Scene) -> None:
        world = granted.world
        world.port.switch_off(world.order(Activity.READS))
        world.port.lift(world.bundle())
        assert why_not(granted) == "switch-queue"
        world.server.flush()
        assert why_not(granted) == ""

    def test_the_server_does_not_start_before_the_custodian(self, granted: Scene) -> None:
        world = granted.world
        world.port.switch_off(world.order(Activity.READS))
        bundle = world.bundle()
        world.custodian_line.is_cut = True
        with pytest.raises(UnavailableError):
            world.port.lift(bundle)
        assert Activity.READS in world.server.switch_status().off

    def test_a_lift_starts_only_what_it_names(self, granted: Scene) -> None:
        world = granted.world
        world.port.switch_off(world.order(*EVERYTHING))
        world.lift(Activity.CAPTURE, Activity.INGEST)
        assert granted.ana.share()
        assert why_not(granted) == "switch-off"


def test_a_server_that_ignores_its_switch_is_noticed(
    granted: Scene, faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control for the server's half: with the custodian still on, only the server stops the read."""
    world = granted.world
    world.custodian_line.is_cut = True
    world.server.programme.switch_off(world.order(Activity.READS))
    world.custodian_line.is_cut = False
    assert why_not(granted) == "switch-off"
    monkeypatch.setattr(ServerSwitch, "is_off", lambda *_: False)
    faults.caught("switch: the server ignores it", caught=why_not(granted) == "")
