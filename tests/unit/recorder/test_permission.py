"""Permission: what the person asked for here counts at once, and only one recorder runs on a device."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.lines import between
from tests.simulator import Participant, Simulator
from understudy.consent.consent import StandingState
from understudy.consent.errors import ConflictError, RefusedError, UnavailableError
from understudy.consent.purposes import Activity
from understudy.recorder.boot import boot_ms
from understudy.recorder.errors import DeviceError, LeaseError, UnconfirmedError
from understudy.recorder.permission import LOCK_NAME, Permission, is_final, only_recorder
from understudy.sealing.signing import Signed


@pytest.fixture
def permission(world: Simulator, ana: Participant) -> Permission:
    """Return ana's permission."""
    return Permission(ana.device, world.port, world.clock)


def test_a_lease_counts_on_the_boot_clock_from_when_it_was_asked_for(
    world: Simulator, permission: Permission
) -> None:
    before = boot_ms()
    permission.check()
    permission.renew()
    lasts = min(world.programme.delays.lease_seconds, world.programme.delays.statement_seconds)
    assert permission.until == world.clock.now() + lasts
    assert before + (lasts - 1) * 1_000 <= permission.deadline_ms <= boot_ms() + (lasts - 1) * 1_000
    assert lasts - 3 < permission.left_seconds < lasts


def test_setting_the_calendar_makes_no_lease_longer(world: Simulator, permission: Permission) -> None:
    permission.renew()
    deadline = permission.deadline_ms
    world.clock.advance(-100_000)
    assert permission.deadline_ms == deadline
    assert permission.left_seconds <= world.programme.delays.lease_seconds


@pytest.mark.parametrize("state", [StandingState.PAUSED, StandingState.OBJECTING, StandingState.WITHDRAWN])
def test_a_change_of_mind_is_seen_by_a_permission_that_runs(
    ana: Participant, permission: Permission, state: StandingState
) -> None:
    permission.check()
    ana.stand(state)
    with pytest.raises(RefusedError) as refused:
        permission.check_standing()
    assert refused.value.reason == f"standing-{state.value}"
    assert refused.value.hint
    assert is_final(refused.value)


def test_resuming_lets_it_begin_again(ana: Participant, permission: Permission) -> None:
    ana.stand(StandingState.PAUSED)
    ana.stand(StandingState.ACTIVE)
    permission.check()


def test_a_change_of_mind_counts_here_before_anybody_has_heard_of_it(
    world: Simulator, ana: Participant, permission: Permission
) -> None:
    def unreachable(_: Signed) -> tuple[Signed, ...]:
        raise UnavailableError("no server")

    port = between(world.port, stand=unreachable)
    with pytest.raises(UnconfirmedError):
        ana.device.stand(port, [], world.clock, StandingState.WITHDRAWN)
    with pytest.raises(RefusedError):
        permission.check()


def test_a_device_without_consent_may_not(world: Simulator) -> None:
    visitor = world.visitor("ben")
    for step in (visitor.enrol, lambda: None):
        with pytest.raises(DeviceError):
            Permission(visitor.device, world.port, world.clock).check()
        step()


def test_a_refusal_ends_the_lease_that_there_is(world: Simulator, permission: Permission) -> None:
    permission.renew()
    world.custodian.switch_off(world.order(Activity.CAPTURE))
    with pytest.raises((RefusedError, LeaseError)):
        permission.renew()
    assert permission.left_seconds == 0
    assert permission.refusal is not None
    assert not is_final(permission.refusal)


def test_a_server_that_does_not_answer_does_not(world: Simulator, permission: Permission) -> None:
    permission.renew()
    world.custodian_line.is_cut = True
    with pytest.raises(UnavailableError):
        permission.renew()
    assert permission.left_seconds > 0
    assert permission.refusal is None


def test_one_recorder_runs_on_a_device(tmp_path: Path) -> None:
    with only_recorder(tmp_path):
        with pytest.raises(ConflictError), only_recorder(tmp_path):
            pass
        other = f"""
import pathlib
from understudy.recorder.permission import only_recorder
with only_recorder(pathlib.Path({str(tmp_path)!r})): pass
"""
        ran = subprocess.run((sys.executable, "-c", other), check=False, capture_output=True, text=True)
        assert "ConflictError" in ran.stderr
    with only_recorder(tmp_path):
        pass


def test_the_lock_of_a_recorder_that_was_killed_is_free(tmp_path: Path) -> None:
    holding = f"""
import pathlib, time
from understudy.recorder.permission import only_recorder
with only_recorder(pathlib.Path({str(tmp_path)!r})):
    print("holding", flush=True)
    time.sleep(60)
"""
    with subprocess.Popen((sys.executable, "-c", holding), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        process.kill()
        process.wait(5)
    time.sleep(0.05)
    with only_recorder(tmp_path):
        assert (tmp_path / LOCK_NAME).stat().st_mode & 0o777 == 0o600
