"""Children end by their process id, with their parent, and are named when they are not installed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from understudy.demo.children import PACKAGES, Child, find_program
from understudy.demo.errors import MissingProgramError

SURROUNDINGS = {"PATH": os.environ["PATH"]}

PARENT = """
import os, sys, time
from pathlib import Path
from understudy.demo.children import Child
child = Child.start(["sleep", "60"], log=Path(sys.argv[1]), environment={"PATH": os.environ["PATH"]})
print(child.pid, flush=True)
time.sleep(60)
"""


def has_ended(pid: int, seconds: float = 5.0) -> bool:
    """Return whether a process that is not our child is gone, or a zombie of somebody else."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def test_a_program_that_is_not_installed_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(MissingProgramError, match="Xvfb") as raised:
        find_program("Xvfb")
    assert PACKAGES["Xvfb"] in raised.value.hint


def test_a_child_is_ended_and_stopping_again_does_nothing(tmp_path: Path) -> None:
    child = Child.start(["sleep", "60"], log=tmp_path / "log", environment=SURROUNDINGS)
    assert child.is_alive
    child.stop()
    assert not child.is_alive
    child.stop()


def test_a_child_that_ignores_the_polite_signal_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("understudy.demo.children.STOP_SECONDS", 0.2)
    words = ("sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done")
    child = Child.start(words, log=tmp_path / "log", environment=SURROUNDINGS)
    until = time.monotonic() + 5
    while not child.last_words() and time.monotonic() < until:
        time.sleep(0.01)
    child.stop()
    assert not child.is_alive


def test_what_a_child_says_is_kept_for_its_owner_alone(tmp_path: Path) -> None:
    log = tmp_path / "log"
    child = Child.start(["sh", "-c", "echo first; echo last >&2"], log=log, environment=SURROUNDINGS)
    until = time.monotonic() + 5
    while child.is_alive and time.monotonic() < until:
        time.sleep(0.01)
    assert child.last_words() == "last"
    assert log.stat().st_mode & 0o777 == 0o600


def test_a_child_sees_only_the_environment_that_it_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNDERSTUDY_TEST_MARK", "seen")
    words = ("sh", "-c", "echo mark:$UNDERSTUDY_TEST_MARK")
    child = Child.start(words, log=tmp_path / "log", environment=SURROUNDINGS)
    until = time.monotonic() + 5
    while child.is_alive and time.monotonic() < until:
        time.sleep(0.01)
    assert child.last_words() == "mark:"


@pytest.mark.parametrize("turn", range(5))
def test_a_child_ends_when_its_parent_is_killed_however_early(tmp_path: Path, turn: int) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path / "log")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        time.sleep(0.001 * turn)
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    assert has_ended(pid)
