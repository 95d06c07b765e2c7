"""The pixels of a real display."""

import os
import signal
import struct
import time

import pytest

from understudy.demo.desktop import Desktop
from understudy.formats.elements import Box
from understudy.recorder.capture.x11.display import Display
from understudy.recorder.capture.x11.errors import DisplayGoneError, NoDisplayError
from understudy.recorder.capture.x11.screen import X11Screen

RED, BLUE = 0xC81E32, 0x1E32C8
OVERRIDE_REDIRECT, BACKGROUND = 512, 2


def paint(display: Display, box: Box, colour: int) -> None:
    """Show a window of one colour that no window manager moves."""
    window, core, place = display.new_id(), display.core, (box.x, box.y, box.width, box.height)
    mask = BACKGROUND | OVERRIDE_REDIRECT
    core.CreateWindowChecked(0, window, display.root, *place, 0, 1, 0, mask, [colour, 1]).check()
    core.MapWindowChecked(window).check()
    display.pointer()


def grab_on(screen: X11Screen) -> None:
    """Grab for two seconds."""
    for _ in range(100):
        screen.grab()
        time.sleep(0.02)


def test_a_grab_holds_red_green_and_blue_of_the_box(desktop: Desktop) -> None:
    with X11Screen(desktop.display) as screen, Display(desktop.display) as display:
        paint(display, Box(100, 50, 40, 30), RED)
        paint(display, Box(140, 50, 40, 30), BLUE)
        time.sleep(0.05)
        grabbed = screen.grab(Box(130, 60, 20, 2))
    assert grabbed is not None
    assert (grabbed.x, grabbed.y, grabbed.picture.width, grabbed.picture.height) == (130, 60, 20, 2)
    row = struct.pack(">I", RED)[1:] * 10 + struct.pack(">I", BLUE)[1:] * 10
    assert grabbed.picture.rgb == row * 2


def test_a_grab_without_a_box_is_the_whole_screen(desktop: Desktop) -> None:
    with X11Screen(desktop.display) as screen:
        grabbed = screen.grab()
        assert grabbed is not None
        assert (grabbed.picture.width, grabbed.picture.height) == (screen.screen.width, screen.screen.height)
        assert len(grabbed.picture.rgb) == screen.screen.width * screen.screen.height * 3


def test_a_box_is_cut_to_the_screen(desktop: Desktop) -> None:
    with X11Screen(desktop.display) as screen:
        width, height = screen.screen.width, screen.screen.height
        corner = screen.grab(Box(width - 10, height - 5, 100, 100))
        assert corner is not None
        assert (corner.picture.width, corner.picture.height) == (10, 5)
        outside = screen.grab(Box(-20, -20, 30, 25))
        assert outside is not None
        assert (outside.x, outside.y, outside.picture.width, outside.picture.height) == (0, 0, 10, 5)
        assert screen.grab(Box(width, 0, 10, 10)) is None
        assert screen.grab(Box(0, 0, 0, 10)) is None


def test_no_display_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    for name in (":987", None):
        with pytest.raises(NoDisplayError):
            X11Screen(name)


def test_a_display_that_ends_is_said(private_desktop: Desktop) -> None:
    screen = X11Screen(private_desktop.display)
    os.kill(private_desktop.pids["Xvfb"], signal.SIGKILL)
    with pytest.raises(DisplayGoneError):
        grab_on(screen)
    screen.close()
    with pytest.raises(DisplayGoneError):
        screen.grab()
