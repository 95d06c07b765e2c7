"""No consent, no event: without a consent in force there is no lease, and without leases nothing is taken in.

Shows R-01, R-02, R-03, R-06 and R-13: nothing on disk, nothing on the wire. Leases and ingest in one process
first; then the real recorder, on a real display, while somebody types.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from tests.desktop import desktop
from tests.lines import between
from tests.promises.conftest import Faults
from tests.promises.scene import Scene
from tests.simulator import Participant, Simulator
from tests.unit.recorder.stage import Recorder, Stage, at, participant, programme
from understudy.cli.device import consent as consent_command
from understudy.consent.consent import Consent, StandingState
from understudy.consent.errors import NotFoundError, RefusedError, UnavailableError, UnderstudyError
from understudy.consent.lease import Lease, LeaseRequest
from understudy.consent.primitives import encode_bytes
from understudy.consent.purposes import Activity, Purpose, Stream
from understudy.custody.coverage import Coverage
from understudy.demo.desktop import Desktop
from understudy.formats.raw.events import KEYS
from understudy.programme.leases import Leases
from understudy.recorder.errors import RecorderError, UnconfirmedError
from understudy.recorder.held import HeldRecording
from understudy.recorder.permission import Permission
from understudy.sealing.errors import SignatureError
from understudy.sealing.signing import Signed, SigningKey, sign
from understudy.vault.ingest import Ingest

__all__ = ["desktop"]


def nothing_recorded(participant: Participant) -> bool:
    """Whether no event of this participant is on the device or at the server."""
    folders = [participant.device.home / name for name in ("held", "outbox")]
    return not any(path.name != ".lock" for folder in folders for path in folder.iterdir())


def lease_refusal(world: Simulator, key: SigningKey, **changes: Any) -> str:
    """Ask for a lease as nobody's own program would; return why there is none."""
    request = LeaseRequest(
        programme=world.programme.programme,
        tag=changes.pop("tag"),
        device=key.public,
        consent=changes.pop("consent"),
        streams=changes.pop("streams", (Stream.ELEMENTS,)),
        nonce=encode_bytes(bytes(32)),
        asked_at=world.clock.now(),
    )
    assert not changes
    try:
        world.port.lease(sign(request, key))
    except UnderstudyError as error:
        return str(getattr(error, "reason", type(error).__name__))
    return ""


class TestNoLease:
    def test_before_enrolment_and_before_consent_nothing_is_recorded(self, scene: Scene) -> None:
        visitor = scene.world.visitor("cleo")
        with pytest.raises(RecorderError):
            visitor.record()
        visitor.enrol()
        with pytest.raises(RecorderError):
            visitor.record()
        assert nothing_recorded(visitor)

    def test_a_consent_nobody_gave_gets_no_lease(self, scene: Scene) -> None:
        visitor = scene.world.visitor("cleo").enrol()
        key = visitor.device.key
        for consent in ("A" * 43, scene.ana.device.consent_hash):
            assert lease_refusal(scene.world, key, tag=visitor.tag, consent=consent) == "consent-unknown"

    def test_a_consent_that_only_the_server_has_signed_is_not_in_force(self, scene: Scene) -> None:
        """Server and custodian both say so, or it is no consent."""
        world = scene.world
        visitor = world.visitor("cleo").enrol()
        world.custodian_line.is_cut = True
        with pytest.raises(UnavailableError):
            visitor.consent()
        world.custodian_line.is_cut = False
        signed = self.signed_consent(scene, visitor)
        refused = lease_refusal(world, visitor.device.key, tag=visitor.tag, consent=signed.hash(Consent))
        assert refused == "consent-unknown"
        with pytest.raises(RecorderError):
            visitor.record()
        assert nothing_recorded(visitor)

    @pytest.mark.parametrize(
        ("changes", "why"),
        [
            ({"purposes": (Purpose.DEBUG,)}, "a purpose the programme does not offer"),
            ({"streams": (Stream.KEY_TIMING,)}, "a stream it does not offer"),
            ({"application_groups": ("payroll",)}, "an application group it does not have"),
            ({"notice": "A" * 43}, "another notice than the one in force"),
            ({"document": "A" * 43}, "another programme document"),
        ],
    )
    def test_a_consent_to_something_else_is_refused(self, scene: Scene, changes: Any, why: str) -> None:
        """R-06: what was not asked cannot be agreed to."""
        assert why
        visitor = scene.world.visitor("cleo").enrol()
        signed = self.signed_consent(scene, visitor, **changes)
        with pytest.raises(UnderstudyError):
            scene.world.port.give_consent(signed)
        refused = lease_refusal(
            scene.world, visitor.device.key, tag=visitor.tag, consent=signed.hash(Consent)
        )
        assert refused == "consent-unknown"

    def test_a_consent_that_somebody_else_signed_is_refused(self, scene: Scene) -> None:
        visitor = scene.world.visitor("cleo").enrol()
        consent = self.signed_consent(scene, visitor).verify(Consent)
        for key in (visitor.device.key, scene.world.cast.server, scene.ben.device.personal.signing):
            with pytest.raises((SignatureError, RefusedError)):
                scene.world.port.give_consent(sign(consent, key))

    def test_another_device_gets_no_lease_on_it(self, scene: Scene) -> None:
        refused = lease_refusal(
            scene.world,
            scene.ben.device.key,
            tag=scene.ana.tag,
            consent=scene.ana.device.consent_hash,
        )
        assert refused == "device-unknown"

    def test_a_stream_that_was_not_agreed_to_gets_no_lease(self, scene: Scene) -> None:
        refused = lease_refusal(
            scene.world,
            scene.ana.device.key,
            tag=scene.ana.tag,
            consent=scene.ana.device.consent_hash,
            streams=(Stream.FRAMES,),
        )
        assert refused == "stream-not-consented"

    @pytest.mark.parametrize(
        "state", [StandingState.PAUSED, StandingState.OBJECTING, StandingState.WITHDRAWN]
    )
    def test_a_change_of_mind_ends_leases_at_once(self, scene: Scene, state: StandingState) -> None:
        """R-03: one signature, one call; the next lease is refused in the same second."""
        scene.ana.keeper.renew()
        before = scene.world.clock.now()
        scene.ana.stand(state)
        with pytest.raises(RefusedError, match=f"standing-{state.value}|consent-ended"):
            scene.ana.keeper.renew()
        assert scene.world.clock.now() == before

    def test_withdrawing_works_while_server_or_custodian_are_alone(self, scene: Scene) -> None:
        """Either acts alone: the server without the custodian, the custodian without the server."""
        world = scene.world
        world.custodian_line.is_cut = True
        with pytest.raises(UnconfirmedError):
            scene.ana.device.stand(world.port, [], world.clock, StandingState.WITHDRAWN)
        world.custodian_line.is_cut = False
        with pytest.raises(RefusedError):
            scene.ana.keeper.renew()

        def unreachable(_standing: Signed) -> tuple[Signed, ...]:
            raise UnavailableError("no server")

        port = between(world.port, stand=unreachable)
        scene.ben.device.stand(port, [world.custodian], world.clock, StandingState.WITHDRAWN)
        with pytest.raises(UnderstudyError) as refused:
            world.read(scene.grant)
        assert getattr(refused.value, "reason", "") == "not-available"

    def test_withdrawing_is_final_for_that_consent_and_open_for_a_new_one(self, scene: Scene) -> None:
        old = scene.ana.device.consent_hash
        scene.ana.stand(StandingState.WITHDRAWN)
        scene.world.clock.advance(1)
        scene.ana.stand(StandingState.ACTIVE)
        assert lease_refusal(scene.world, scene.ana.device.key, tag=scene.ana.tag, consent=old) != ""
        scene.ana.consent()
        assert scene.ana.device.consent_hash != old
        assert scene.ana.share()

    def test_silence_is_no_consent(self, scene: Scene) -> None:
        """R-02: the command shows the notice and sends nothing unless the person says yes."""
        visitor = scene.world.visitor("cleo").enrol()
        answered = consent_command(
            device=visitor.device.home, server="http://127.0.0.1:1", purpose=(Purpose.TRAIN,)
        )
        assert answered == 3
        assert not (visitor.device.home / "consent.json").exists()

    def test_a_server_that_gives_leases_to_anybody_is_noticed(
        self, scene: Scene, faults: Faults, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The control: without its checks, the requests above do get leases."""
        visitor = scene.world.visitor("cleo").enrol()
        monkeypatch.setattr(Leases, "_check_person", lambda *_: None)
        refused = lease_refusal(scene.world, visitor.device.key, tag=visitor.tag, consent="A" * 43)
        faults.caught("leases: nobody is asked for consent", caught=refused == "")

    def signed_consent(self, scene: Scene, visitor: Participant, **changes: Any) -> Signed:
        """Return ana's consent as this participant's own, with ``changes``."""
        consent = msgspec.structs.replace(
            scene.ana.device.consent, tag=visitor.tag, device=visitor.device.key.public, **changes
        )
        return sign(consent, visitor.device.personal.signing)


Alter = Callable[[Scene, HeldRecording], HeldRecording]


def _segment(made: HeldRecording, **changes: Any) -> HeldRecording:
    return msgspec.structs.replace(made, segments=(msgspec.structs.replace(made.segments[0], **changes),))


def _longer_than_its_leases(scene: Scene, made: HeldRecording) -> HeldRecording:
    """Recording went on after the last lease ended."""
    scene.world.clock.advance(300)
    return _segment(made, ended_at=made.segments[0].started_at + 200)


def _before_its_leases(_: Scene, made: HeldRecording) -> HeldRecording:
    return _segment(made, started_at=made.segments[0].started_at - 100)


def _leases_of_somebody_else(scene: Scene, made: HeldRecording) -> HeldRecording:
    scene.ben.keeper.renew()
    now = scene.world.clock.now()
    return _segment(made, coverage=scene.ben.keeper.coverage(now, now))


def _a_statement_of_before(scene: Scene, made: HeldRecording) -> HeldRecording:
    """New leases beside an old word of the custodian that capture is on."""
    old = made.segments[0].coverage.statements
    scene.world.clock.advance(300)
    scene.ana.keeper.renew()
    now = scene.world.clock.now()
    fresh = scene.ana.keeper.coverage(now, now).leases
    return _segment(made, started_at=now, ended_at=now + 1, coverage=Coverage(leases=fresh, statements=old))


def _a_forged_lease(scene: Scene, made: HeldRecording) -> HeldRecording:
    """A lease that the device signed for itself."""
    coverage = made.segments[0].coverage
    lease = sign(coverage.leases[0].verify(Lease), scene.ana.device.key)
    return _segment(made, coverage=msgspec.structs.replace(coverage, leases=(lease,)))


def _recorded_while_capture_was_off(scene: Scene, made: HeldRecording) -> HeldRecording:
    """The lease still runs; the custodian's newest word is that capture is off."""
    world = scene.world
    world.custodian.switch_off(world.order(Activity.CAPTURE))
    (off,) = world.custodian.statements((encode_bytes(bytes(32)),))
    coverage = msgspec.structs.replace(made.segments[0].coverage, statements=(off,))
    return _segment(made, coverage=coverage)


class TestNoIngest:
    @pytest.mark.parametrize(
        ("alter", "reason"),
        [
            (_longer_than_its_leases, "lease-expired"),
            (_before_its_leases, "lease-expired"),
            (_leases_of_somebody_else, "lease-mismatch"),
            (_a_statement_of_before, "statement-old"),
            (_a_forged_lease, "lease-mismatch"),
            (_recorded_while_capture_was_off, "statement-old"),
        ],
    )
    def test_a_stretch_that_leases_do_not_cover_is_not_taken(
        self,
        scene: Scene,
        faults: Faults,
        monkeypatch: pytest.MonkeyPatch,
        alter: Alter,
        reason: str,
    ) -> None:
        made, payloads = scene.ana.record()
        changed = alter(scene, made)
        changed = scene.ana.held.keep(changed, payloads)
        scene.ana.outbox.seal(scene.ana.held, changed)
        with pytest.raises(RefusedError) as caught:
            scene.ana.send()
        assert caught.value.reason == reason
        assert not scene.world.server.vault.headers(list(payloads))
        assert not list((scene.world.home("server") / "objects").rglob(next(iter(payloads))))
        monkeypatch.setattr(Ingest, "_check_leases", lambda *_: None)
        faults.caught(f"ingest: {alter.__name__.strip('_')}", caught=scene.ana.send() == 1)

    def test_what_was_recorded_before_the_withdrawal_is_not_taken_after_it(self, scene: Scene) -> None:
        recording, payloads = scene.ana.record()
        scene.ana.outbox.seal(scene.ana.held, recording)
        scene.ana.stand(StandingState.WITHDRAWN)
        with pytest.raises(RefusedError) as caught:
            scene.ana.send()
        assert caught.value.reason in {"consent-ended", "standing-withdrawn"}
        assert not scene.world.server.vault.headers(list(payloads))
        with pytest.raises((RefusedError, NotFoundError)):
            scene.world.reader().obtain_halves(scene.grant, scene.world.reason, list(payloads))

    def test_another_application_group_than_agreed_to_is_not_taken(self, scene: Scene) -> None:
        recording, payloads = scene.ana.record(group="mail")
        scene.ana.outbox.seal(scene.ana.held, recording)
        with pytest.raises(RefusedError, match="consent-wider"):
            scene.ana.send()
        assert not scene.world.server.vault.headers(list(payloads))


@pytest.fixture(scope="module")
def stage(desktop: Desktop) -> Iterator[Stage]:
    """Return a browser with a form on a real display."""
    with at(desktop), Stage(desktop) as made:
        yield made


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """Return a programme whose clock follows the machine's."""
    with programme(tmp_path_factory.mktemp("programme") / "world") as made:
        yield made


@pytest.fixture
def cleo(shared: Simulator, request: pytest.FixtureRequest) -> Participant:
    """Return somebody who consented, for one test."""
    return participant(shared, f"cleo {request.node.name}")


def _not_enrolled(shared: Simulator, _: Participant) -> Participant:
    return shared.visitor("nobody")


def _without_consent(shared: Simulator, _: Participant) -> Participant:
    return shared.visitor("silent").enrol()


def _without_receipt(_: Simulator, who: Participant) -> Participant:
    (who.device.home / "consent-receipt.json").unlink()
    return who


def _of_another_notice(shared: Simulator, who: Participant) -> Participant:
    """A consent that this device keeps, and that nobody ever took: the notice is not the one in force."""
    consent = msgspec.structs.replace(who.device.consent, notice="A" * 43)
    (who.device.home / "consent.json").write_bytes(
        msgspec.json.encode(sign(consent, who.device.personal.signing))
    )
    return who


def _standing(state: StandingState) -> Callable[[Simulator, Participant], Participant]:
    def stand(_: Simulator, who: Participant) -> Participant:
        who.stand(state)
        return who

    return stand


def _withdrawn_without_a_server(shared: Simulator, who: Participant) -> Participant:
    """Nobody could be reached when the person withdrew; the device knows."""

    def unreachable(_: Signed) -> tuple[Signed, ...]:
        raise UnavailableError("no server")

    port = between(shared.port, stand=unreachable)
    with pytest.raises(UnconfirmedError):
        who.device.stand(port, [], shared.clock, StandingState.WITHDRAWN)
    return who


class TestRealRecorder:
    @pytest.mark.parametrize(
        "prepare",
        [
            _not_enrolled,
            _without_consent,
            _without_receipt,
            _of_another_notice,
            pytest.param(_standing(StandingState.PAUSED), id="paused"),
            pytest.param(_standing(StandingState.OBJECTING), id="objecting"),
            pytest.param(_standing(StandingState.WITHDRAWN), id="withdrawn"),
            _withdrawn_without_a_server,
        ],
    )
    def test_without_a_consent_that_stands_it_does_not_even_begin(
        self,
        stage: Stage,
        shared: Simulator,
        cleo: Participant,
        prepare: Callable[[Simulator, Participant], Participant],
    ) -> None:
        """R-01: no raw file is made, so not one byte of an event can be in it."""
        group = cleo.device.document.terms.application_groups[0]
        who = prepare(shared, cleo)
        running = Recorder(shared, who, display=stage.desktop.display, group=group).start()
        stage.hands.write("x", slips=False)
        running.join()
        assert isinstance(running.error, (RecorderError, RefusedError))
        assert running.raw is None
        for name in ("raw", "held", "outbox"):
            folder = who.device.home / name
            assert not folder.exists() or not [path for path in folder.rglob("*") if path.suffix]

    def test_withdrawing_ends_it_within_five_seconds(
        self, stage: Stage, shared: Simulator, cleo: Participant
    ) -> None:
        """R-03: one call; no event is from later than that, and the recorder is gone."""
        stopped, late = self.withdraw_while_typing(stage, shared, cleo)
        assert stopped < 5
        assert late == 0

    def test_a_recorder_that_does_not_look_is_noticed(
        self,
        stage: Stage,
        shared: Simulator,
        cleo: Participant,
        faults: Faults,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """The control: without its look at the device's standing it goes on until the lease is refused."""
        monkeypatch.setattr(Permission, "check_standing", lambda _: None)
        _, late = self.withdraw_while_typing(stage, shared, cleo)
        faults.caught("recorder: nobody looks whether the person withdrew", caught=late > 0)

    def test_switching_capture_off_ends_writing_at_the_next_lease(
        self, stage: Stage, cleo: Participant, shared: Simulator
    ) -> None:
        stage.reload()
        with Recorder(shared, cleo, display=stage.desktop.display) as running:
            running.wait_for("recording")
            shared.custodian.switch_off(shared.order(Activity.CAPTURE))
            try:
                assert running.wait_for("waiting", seconds=10) < shared.programme.delays.lease_seconds
                assert running.raw is not None
                before = len(running.raw.items())
                stage.fill("article", "unseen")
                time.sleep(0.5)
                assert len(running.raw.items()) == before
            finally:
                shared.lift(Activity.CAPTURE)
            running.wait_for("recording", seconds=10)

    def test_what_is_not_listed_leaves_no_event(
        self, stage: Stage, shared: Simulator, cleo: Participant
    ) -> None:
        """R-13: another site in the same browser, and another program on the same screen."""
        stage.reload(stage.address.replace("127.0.0.1", "localhost"))
        with Recorder(shared, cleo, display=stage.desktop.display) as running:
            running.wait_for("outside")
            stage.fill("article", "elsewhere")
            terminal = stage.desktop.start("xterm", "-geometry", "80x24+0+0")
            time.sleep(1.0)
            try:
                stage.hands.write("in a terminal", slips=False)
                time.sleep(0.5)
            finally:
                terminal.stop()
            running.stop()
            assert running.raw is not None
            kinds = {type(item).__name__ for item in running.raw.items()}
            assert kinds <= {"Window"}
            assert running.actions() == []

    def withdraw_while_typing(self, stage: Stage, shared: Simulator, who: Participant) -> tuple[float, int]:
        """Withdraw while somebody types; return how long it went on, and how many keys came late."""
        stage.reload()
        with Recorder(shared, who, display=stage.desktop.display) as running:
            running.wait_for("recording")
            time.sleep(0.4)
            stage.fill("article", "before")
            time.sleep(0.3)
            who.stand(StandingState.WITHDRAWN)
            withdrawn = time.monotonic()
            written = int(withdrawn * 1_000) + 500
            while time.monotonic() < withdrawn + 2:
                stage.hands.write("after", slips=False)
            running.join()
            stopped = time.monotonic() - withdrawn
        assert running.raw is not None
        assert isinstance(running.error, RefusedError)
        keys = [item for item in running.raw.items() if isinstance(item, KEYS)]
        assert keys
        return stopped, sum(key.time > written for key in keys)
