"""The active window of a real display with a real window manager."""

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from understudy.demo.desktop import Desktop
from understudy.recorder.capture.observed import ActiveWindow, server_ms
from understudy.recorder.capture.x11.display import Display, signed
from understudy.recorder.capture.x11.errors import DisplayGoneError, NoDisplayError
from understudy.recorder.capture.x11.windows import X11Windows, executable_of

SECONDS = 10.0


@contextmanager
def terminal(desktop: Desktop, title: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a terminal; its process leads it, so that its window names it."""
    command = ["xterm", "-T", title, "-geometry", "40x10+200+100", "-e", "sleep", "60"]
    with subprocess.Popen(command, env=desktop.environment, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


def await_active(windows: X11Windows, wanted: Callable[[ActiveWindow | None], bool]) -> ActiveWindow | None:
    """Return the active window once it is the wanted one, asking only when something changed."""
    until = time.monotonic() + SECONDS
    active = windows.active()
    while not wanted(active):
        assert time.monotonic() < until, f"{active!r} is active"
        select.select([windows.fileno()], [], [], 0.5)
        if windows.read():
            active = windows.active()
    return active


def test_a_new_window_becomes_active_with_name_process_and_place(desktop: Desktop) -> None:
    with X11Windows(desktop.display) as windows:
        before = server_ms()
        with terminal(desktop, "Grüße") as process:
            active = await_active(windows, lambda one: one is not None and one.pid == process.pid)
            assert active is not None
            assert (active.application, active.title) == ("xterm", "Grüße")
            assert (active.box.x, active.box.y) == (200, 100)
            assert active.box.width > 100
            assert signed(windows.changed_ms - before) >= -10
            assert "Grüße" not in repr(active)
        assert await_active(windows, lambda one: one is None) is None


def test_a_title_and_a_place_that_change_are_noticed(desktop: Desktop) -> None:
    with (
        X11Windows(desktop.display) as windows,
        Display(desktop.display) as other,
        terminal(desktop, "before") as process,
    ):
        active = await_active(windows, lambda one: one is not None and one.pid == process.pid)
        assert active is not None
        name, kind = other.atom("_NET_WM_NAME"), other.atom("UTF8_STRING")
        other.core.ChangePropertyChecked(0, active.window, name, kind, 8, 5, b"after").check()
        await_active(windows, lambda one: one is not None and one.title == "after")
        other.core.ConfigureWindowChecked(active.window, 1, [321]).check()
        await_active(windows, lambda one: one is not None and one.box.x == 321)


def test_no_window_is_active_where_none_is(desktop: Desktop) -> None:
    with X11Windows(desktop.display) as windows:
        await_active(windows, lambda one: one is None)


def test_a_window_that_goes_away_while_it_is_looked_at_is_not_active(desktop: Desktop) -> None:
    with X11Windows(desktop.display) as windows, Display(desktop.display) as other:
        gone = other.new_id()
        atom, kind = other.atom("_NET_ACTIVE_WINDOW"), other.atom("WINDOW")
        before = other.value(other.root, "_NET_ACTIVE_WINDOW") or bytes(4)
        packed = gone.to_bytes(4, "little")
        other.core.ChangePropertyChecked(0, other.root, atom, kind, 32, 1, packed).check()
        try:
            assert windows.active() is None
            windows.read()
            assert windows.active() is None
        finally:
            other.core.ChangePropertyChecked(0, other.root, atom, kind, 32, 1, before[:4]).check()


def test_windows_that_come_and_go_quickly_crash_nothing(desktop: Desktop) -> None:
    with X11Windows(desktop.display) as windows, Display(desktop.display) as other:
        atom, kind = other.atom("_NET_ACTIVE_WINDOW"), other.atom("WINDOW")
        for number in range(200):
            window = other.new_id()
            other.core.CreateWindow(0, window, other.root, number, 5, 10, 10, 0, 1, 0, 512, [1])
            packed = window.to_bytes(4, "little")
            other.core.ChangeProperty(0, other.root, atom, kind, 32, 1, packed)
            if number % 3:
                other.core.DestroyWindow(window)
            other.flush()
            active = windows.active()
            assert active is None or (active.box.y, active.box.width) == (5, 10)
            windows.read()
        other.core.ChangePropertyChecked(0, other.root, atom, kind, 32, 1, bytes(4)).check()
        windows.read()
        assert windows.active() is None


def test_an_executable_is_known_by_its_process() -> None:
    assert executable_of(os.getpid()).startswith("python")
    assert executable_of(None) == ""
    assert executable_of(2**22 + 1) == ""


def test_no_display_is_said() -> None:
    with pytest.raises(NoDisplayError):
        X11Windows(":987")


def test_a_display_that_ends_is_said(private_desktop: Desktop) -> None:
    windows = X11Windows(private_desktop.display)
    os.kill(private_desktop.pids["Xvfb"], signal.SIGKILL)
    with pytest.raises(DisplayGoneError):
        await_active(windows, lambda one: one is not None)
    windows.close()
