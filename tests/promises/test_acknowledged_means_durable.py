"""Acknowledged means durable: killed anywhere, or with a full disk, what somebody was told is there.

One life of a programme (enrol, consent, share, grant, open, pause, stop) is killed at every commit and every
flush of any party; then real processes are killed while they work; then the disk is full.
"""

import contextlib
import os
import resource
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.machine import REASON, Machine
from tests.promises.conftest import Faults
from tests.promises.crash import Copy, Steps
from tests.promises.scene import Scene
from tests.simulator import Participant, Simulator
from understudy.client.mine import reads_of_mine
from understudy.consent.consent import StandingState
from understudy.consent.enrolment import EnrolmentRecord
from understudy.consent.errors import UnavailableError, UnderstudyError
from understudy.consent.purposes import Activity
from understudy.sealing.errors import DurabilityError

GRANT = "grant"
PATIENCE_SECONDS = 30


def live(world: Simulator, ana: Participant, acknowledged: Callable[[str], None]) -> None:
    """Do, once, everything that anybody is told is done."""
    ana.enrol()
    acknowledged("enrolled")
    ana.consent()
    acknowledged("consented")
    recording, payloads = ana.record()
    acknowledged("held")
    (segment,) = ana.outbox.seal(ana.held, recording)
    acknowledged("sealed")
    ana.send()
    acknowledged("shared")
    grant = world.grant()
    acknowledged(f"{GRANT} {grant}")
    assert set(world.read(grant)) == {segment}
    acknowledged("read")
    ana.stand(StandingState.PAUSED)
    acknowledged("paused")
    world.port.switch_off(world.order(Activity.READS))
    acknowledged("stopped")
    assert payloads


def lost(world: Simulator, ana: Participant, acknowledged: tuple[str, ...]) -> list[str]:
    """Return what of the acknowledged is not there any more."""
    server = world.server
    holds: dict[str, Callable[[str], bool]] = {
        "enrolled": lambda _: _is_enrolled(world, ana.tag),
        "consented": lambda _: _is_in_force(world, ana.device.consent_hash),
        "held": lambda _: bool(ana.held.recordings() or ana.outbox.entries()),
        "sealed": lambda _: len(ana.outbox.entries()) == 1,
        "shared": lambda _: len(world.port.segments(ana.device.personal.signing).segments) == 1,
        GRANT: lambda grant: server.grants.find(grant) is not None,
        "read": lambda _: [read.outcome for read in world.mine(ana).reads] == ["released"],
        "paused": lambda _: server.programme.standing(ana.tag) is StandingState.PAUSED,
        "stopped": lambda _: Activity.READS in world.custodian.switch_status().off,
    }

    def is_there(name: str) -> bool:
        what, _, which = name.partition(" ")
        try:
            return holds[what](which)
        except UnderstudyError:
            return False

    return [name for name in acknowledged if not is_there(name)]


def finish(world: Simulator, ana: Participant) -> None:
    """Do again whatever was interrupted, and see that everything ends well."""
    world.server.flush()
    ana.enrol()
    ana.stand(StandingState.ACTIVE)
    world.lift()
    if not (ana.device.home / "consent-receipt.json").exists():
        ana.consent()
    for recording in ana.held.recordings():
        ana.outbox.seal(ana.held, recording)
    if not ana.outbox.entries():
        ana.outbox.seal(ana.held, ana.record()[0])
    ana.send()
    assert len(world.read(world.grant())) == 1
    assert [read.n for read in world.mine(ana).reads] == list(range(1, len(world.mine(ana).reads) + 1))


def _is_enrolled(world: Simulator, tag: str) -> bool:
    """Whether server and custodian both know the participant."""
    found = world.server.programme.enrolled(tag)
    return found is not None and found.is_confirmed and world.custodian.head(tag).raw != b""


def _is_in_force(world: Simulator, consent: str) -> bool:
    found = world.server.programme.consent(consent)
    return found is not None and found.is_in_force


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> list[Copy]:
    """Live once, and return what a kill at every step would have left."""
    folder = tmp_path_factory.mktemp("steps")
    with Simulator(folder / "world") as world:
        visitor = world.visitor("ana")
        with Steps(world, folder) as steps:
            live(world, visitor, steps.acknowledged)
        return steps.taken


class TestKilledAtEveryStep:
    def test_there_are_many_steps(self, copies: list[Copy]) -> None:
        assert len(copies) > 40
        assert len({copy.acknowledged for copy in copies}) > 8

    @pytest.mark.parametrize("part", range(6))
    def test_what_was_acknowledged_is_there_and_the_rest_can_be_done_again(
        self, copies: list[Copy], tmp_path: Path, part: int
    ) -> None:
        for copy in copies[part::6]:
            root = shutil.copytree(copy.root, tmp_path / copy.root.name)
            with Simulator(root, at=copy.at + 120) as world:
                ana = world.visitor("ana")
                assert lost(world, ana, copy.acknowledged) == [], copy
                finish(world, ana)

    def test_an_acknowledgement_that_came_too_early_is_noticed(
        self, copies: list[Copy], tmp_path: Path, faults: Faults
    ) -> None:
        """The control: had a party said so one acknowledgement earlier, a kill would have shown it."""
        said = copies[-1].acknowledged
        noticed = set()
        firsts = {copy.acknowledged: copy for copy in reversed(copies)}
        for copy in firsts.values():
            early = said[: len(copy.acknowledged) + 1]
            root = shutil.copytree(copy.root, tmp_path / copy.root.name)
            with Simulator(root, at=copy.at + 120) as world:
                noticed |= set(lost(world, world.visitor("ana"), early))
        for name in ("enrolled", "sealed", "shared"):
            faults.caught(f"durable: {name} said too early", caught=name in noticed)


@contextlib.contextmanager
def full_disk() -> Iterator[None]:
    """Let no file of this process grow beyond its first page: every log is longer than that."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_096, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


class TestFullDisk:
    def test_an_upload_is_not_acknowledged_and_goes_on_later(self, scene: Scene) -> None:
        recording, payloads = scene.ana.record()
        scene.ana.outbox.seal(scene.ana.held, recording)
        with full_disk(), pytest.raises((UnavailableError, DurabilityError)):
            scene.ana.send()
        assert scene.ana.outbox.entries()[-1].state == "sending"
        self.restart(scene)
        assert scene.ana.send() == 1
        assert scene.world.server.vault.headers(list(payloads))

    def test_an_open_releases_nothing_and_works_later(self, scene: Scene) -> None:
        grant = scene.grant
        with full_disk(), pytest.raises(UnavailableError):
            scene.world.read(grant)
        self.restart(scene)
        assert scene.world.read(grant)
        outcomes = [read.outcome for read in scene.world.mine(scene.ana).reads]
        assert outcomes.count("released") == 1

    def test_a_full_custodian_alone_releases_nothing(self, scene: Scene) -> None:
        """Logged and cosigned, and then the custodian cannot store that it was released: it is not."""
        grant = scene.grant
        database = scene.world.store.database
        pages = database.row("PRAGMA page_count")
        assert pages is not None
        database.write(f"PRAGMA max_page_count={pages[0]}")
        with pytest.raises(UnavailableError):
            _repeat(200, lambda: scene.world.read(grant))
        listed = len(scene.world.mine(scene.ana).reads)
        database.write("PRAGMA max_page_count=1000000")
        assert scene.world.read(grant)
        assert len(scene.world.mine(scene.ana).reads) > listed

    def test_stopping_says_so_when_it_could_not_be_stored(self, scene: Scene) -> None:
        """Fail closed, and loudly: an order that is not durable is an error for whoever gave it."""
        world = scene.world
        assert scene.grant
        with full_disk(), pytest.raises(UnavailableError):
            _repeat(50, lambda: world.custodian.switch_off(world.order(Activity.READS)))
        self.restart(scene)
        world.port.switch_off(world.order(Activity.READS))
        with pytest.raises(UnderstudyError):
            world.read(scene.grant)

    def restart(self, scene: Scene) -> None:
        """Start every party anew: after an unknown failure a store believes only what it reads."""
        for party in ("witness", "custodian", "server"):
            with contextlib.suppress(UnderstudyError):
                scene.world.stop(party)
            scene.world.start(party)


def _repeat(times: int, call: Callable[[], object]) -> None:
    for _ in range(times):
        call()


def _patiently(call: Callable[[], str]) -> str:
    """Call until the parties that were killed answer again."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return call()
        except UnavailableError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


class TestKilledProcesses:
    """Three real processes, killed with SIGKILL again and again while they are used."""

    def test_nothing_acknowledged_is_lost(self) -> None:
        with Machine.started() as machine:
            machine.enrol()
            shared: list[str] = []
            stop = threading.Event()

            def share() -> None:
                number = 0
                while not stop.is_set():
                    number += 1
                    with contextlib.suppress(UnderstudyError):
                        shared[:] = machine.share(1, seed=number)

            worker = threading.Thread(target=share)
            worker.start()
            for party in ("server", "custodian", "witness"):
                before = len(shared)
                os.kill(machine.pid(party), signal.SIGKILL)
                until = time.monotonic() + PATIENCE_SECONDS
                while len(shared) <= before and time.monotonic() < until:
                    time.sleep(0.05)
            stop.set()
            worker.join()
            assert len(shared) >= 3
            entries = machine.entries(_patiently(machine.grant))
            assert {entry.segment for entry in entries} >= set(shared)
            opened = dict(machine.reader().open(machine.granted, REASON, entries))
            assert set(opened) >= set(shared)
            device = machine.device
            mine = reads_of_mine(
                device.personal,
                machine.document,
                device.enrolment.hash(EnrolmentRecord),
                [machine.custodian],
                machine.server,
                machine.clock,
            )
            assert {segment for read in mine.reads for segment in read.segments} >= set(shared)
