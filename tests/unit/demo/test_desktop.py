"""A desktop is private, ready when it says so, steals no keys, and goes as a whole."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import xcffib
import xcffib.xproto

from tests.unit.demo.test_children import has_ended
from understudy.demo.desktop import WINDOW_MANAGER_CONFIG, Desktop
from understudy.demo.display import Display
from understudy.demo.errors import DesktopError, MissingProgramError
from understudy.demo.hands import wait_until
from understudy.demo.keys import Keys

OWNER = """
import os, sys, time
from pathlib import Path
from understudy.demo.desktop import WINDOW_MANAGER_CONFIG, Desktop
with Desktop(Path(sys.argv[1])) as desktop:
    print(*desktop.pids.values(), flush=True)
    time.sleep(60)
"""
ALT = 1 << 3
SHORTCUTS = ("Tab", "Escape", "ArrowLeft", "Enter")


def may_grab(desktop: Desktop, keycode: int) -> bool:
    """Return whether nobody takes a key with Alt away: the server refuses a second grab of the same."""
    connect: Any = xcffib.connect
    connection = connect(display=desktop.display)
    try:
        root = connection.get_setup().roots[0].root
        mode = xcffib.xproto.GrabMode.Async
        connection.core.GrabKeyChecked(True, root, ALT, keycode, mode, mode).check()
    except xcffib.xproto.AccessError:
        return False
    finally:
        connection.disconnect()
    return True


def test_all_parts_run_and_all_are_gone_afterwards(tmp_path: Path) -> None:
    with Desktop(tmp_path) as desktop:
        pids = dict(desktop.pids)
        assert set(pids) == {"Xvfb", "dbus-daemon", "openbox"}
        assert desktop.is_alive
        runtime = Path(desktop.environment["XDG_RUNTIME_DIR"])
        assert runtime.stat().st_mode & 0o777 == 0o700
    assert all(has_ended(pid) for pid in pids.values())
    assert not runtime.exists()
    assert desktop.display == ""


def test_the_session_bus_answers_and_brings_up_accessibility(desktop: Desktop) -> None:
    words = ("dbus-send", "--session", "--print-reply=literal", "--dest=org.a11y.Bus", "/org/a11y/bus")
    asked = subprocess.run(
        [*words, "org.a11y.Bus.GetAddress"],
        env=desktop.environment,
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    assert "unix:" in asked.stdout


def test_two_desktops_do_not_share_a_display(desktop: Desktop, private_desktop: Desktop) -> None:
    assert desktop.display != private_desktop.display
    with Display(desktop.display) as first, Display(private_desktop.display) as second:
        first.fake(6, x=100, y=100)
        second.fake(6, x=200, y=200)
        assert (first.pointer(), second.pointer()) == ((100, 100), (200, 200))


def test_programs_see_nothing_of_the_person_who_runs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNDERSTUDY_TEST_MARK", "seen")
    monkeypatch.setenv("HOME", "/somebody")
    with Desktop(tmp_path) as desktop:
        assert "UNDERSTUDY_TEST_MARK" not in desktop.environment
        assert "/somebody" not in "".join(desktop.environment.values())


def test_the_window_manager_takes_no_shortcut_away(desktop: Desktop, display: Display) -> None:
    keys = Keys(display)
    assert [name for name in SHORTCUTS if not may_grab(desktop, keys.named(name))] == []


def test_a_window_manager_that_takes_shortcuts_would_be_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lax = re.sub("<keyboard>.*</keyboard>", "", WINDOW_MANAGER_CONFIG)
    monkeypatch.setattr("understudy.demo.desktop.WINDOW_MANAGER_CONFIG", lax)
    with Desktop(tmp_path) as desktop, Display(desktop.display) as display:
        keys = Keys(display)
        assert wait_until(lambda: not may_grab(desktop, keys.named("Tab")), seconds=5)


def test_a_missing_program_is_named_and_nothing_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(MissingProgramError) as raised, Desktop(tmp_path / "desk"):
        pytest.fail("it started")
    assert "system package" in raised.value.hint
    assert not (tmp_path / "desk").exists()


def test_a_part_that_does_not_come_up_is_named_and_the_others_are_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    broken = programs / "openbox"
    broken.write_text("#!/bin/sh\necho no luck\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    desktop = Desktop(tmp_path / "desk")
    with pytest.raises(DesktopError, match="openbox did not become ready: no luck"), desktop:
        pytest.fail("it started")
    assert not desktop.pids


def test_a_part_that_dies_is_noticed(private_desktop: Desktop) -> None:
    os.kill(private_desktop.pids["openbox"], signal.SIGKILL)
    assert wait_until(lambda: not private_desktop.is_alive, seconds=5)


def test_everything_ends_when_the_owner_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", OWNER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        pids = [int(pid) for pid in owner.stdout.readline().split()]
        owner.send_signal(signal.SIGKILL)
        owner.wait()
    assert len(pids) == 3
    assert all(has_ended(pid) for pid in pids)
