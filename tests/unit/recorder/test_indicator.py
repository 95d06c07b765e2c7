"""The indicator on a real display: shows what it is told, beats, hears its button, goes with its session."""

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import mss
import pytest
from PIL import ImageFont

from tests.desktop import desktop
from tests.unit.recorder.strangers import Stranger
from understudy.demo.desktop import Desktop
from understudy.demo.display import Display
from understudy.formats.elements import Box
from understudy.recorder.capture.channel import Frames, frame
from understudy.recorder.indicator import (
    BUTTON_X,
    HEIGHT,
    WIDTH,
    Beat,
    Face,
    FromIndicator,
    Pressed,
    Show,
    Shown,
    picture,
)
from understudy.recorder.process import Child

__all__ = ["desktop"]


class Shower:
    """The session's side of a running indicator."""

    def __init__(self, display: str) -> None:
        self.display = display
        self.here, there = socket.socketpair()
        self.reading, writing = os.pipe()
        ends: dict[str, socket.socket | int] = {"channel": there, "alive": writing}
        self.child = Child.start("understudy.recorder.indicator", ends, display=display)
        there.close()
        os.close(writing)
        self.here.settimeout(5)
        self.frames = Frames()
        self.heard: list[Any] = []

    def wait_for(self, kind: type, seconds: float = 5) -> Any:
        """Return the next message of a kind."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for message in self.frames.feed(self.here.recv(4_096), FromIndicator):
                if isinstance(message, kind):
                    return message
        raise AssertionError(f"no {kind.__name__}")

    def show(self, face: Face, **more: Any) -> None:
        self.here.sendall(frame(Show(face=face, **more)))

    def colour(self, box: Box) -> tuple[int, int, int]:
        """Return the colour of the window's corner."""
        with mss.MSS(display=self.display) as screen:
            shot = screen.grab((box.x + 1, box.y + 1, box.x + 2, box.y + 2))
            red, green, blue = shot.pixel(0, 0)
            return red, green, blue


@pytest.fixture
def shower(desktop: Desktop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shower]:
    """Return a running indicator."""
    for name, value in desktop.environment.items():
        monkeypatch.setenv(name, value)
    made = Shower(desktop.display)
    yield made
    made.here.close()
    made.child.stop()
    os.close(made.reading)


def test_it_shows_what_it_is_told_and_beats(shower: Shower, desktop: Desktop) -> None:
    box = shower.wait_for(Shown).box
    assert (box.width, box.height) == (WIDTH, HEIGHT)
    assert box.x + box.width <= desktop.screen.width
    seen = set()
    for face in ("idle", "recording", "paused"):
        shower.show(face)
        while shower.wait_for(Beat).face != face:
            pass
        time.sleep(0.1)
        seen.add(shower.colour(box))
    assert len(seen) == 3


def test_its_button_says_what_it_showed(shower: Shower) -> None:
    box = shower.wait_for(Shown).box
    with Display(shower.display) as hands:
        for is_paused in (False, True):
            shower.show("paused" if is_paused else "recording", is_paused=is_paused)
            shower.wait_for(Beat)
            hands.fake(6, x=box.x + BUTTON_X + 20, y=box.y + 14)
            hands.fake(4, 1)
            hands.fake(5, 1)
            assert shower.wait_for(Pressed).is_paused is is_paused


def test_it_ends_with_its_session_and_is_seen_to_end(shower: Shower) -> None:
    shower.wait_for(Shown)
    shower.here.close()
    assert shower.child.wait(3)
    assert os.read(shower.reading, 1) == b""


def test_whoever_holds_its_pipe_learns_that_it_was_killed(shower: Shower) -> None:
    shower.wait_for(Shown)
    os.kill(shower.child.pid, signal.SIGKILL)
    assert os.read(shower.reading, 1) == b""


def test_every_face_looks_different() -> None:
    font = ImageFont.load_default(13)
    faces: tuple[Face, ...] = ("idle", "recording", "paused")
    shown = {
        picture(face, 61, is_paused=paused, font=font).tobytes() for face in faces for paused in (True, False)
    }
    assert len(shown) == 6


def beats(shower: Shower, seconds: float) -> int:
    """Return how many beats come in a time."""
    until, count = time.monotonic() + seconds, 0
    shower.here.settimeout(0.05)
    while time.monotonic() < until:
        try:
            data = shower.here.recv(4_096)
        except TimeoutError:
            continue
        count += sum(isinstance(message, Beat) for message in shower.frames.feed(data, FromIndicator))
    shower.here.settimeout(5)
    return count


def test_a_window_that_is_kept_covered_does_not_beat(shower: Shower) -> None:
    shower.wait_for(Beat)
    with Stranger(shower.display) as stranger:
        window = stranger.cover(Box(900, 0, 380, 100))
        done = threading.Event()

        def insist() -> None:
            while not done.wait(0.002):
                stranger.raise_over(window)

        thread = threading.Thread(target=insist)
        thread.start()
        beats(shower, 0.6)
        try:
            assert beats(shower, 2.2) <= 1  # one may fall into the moment in which it was on top
        finally:
            done.set()
            thread.join()
    assert beats(shower, 2.5) >= 2


@pytest.mark.parametrize("act", ["unmap", "move_away"])
def test_a_window_that_somebody_takes_off_the_screen_comes_back(shower: Shower, act: str) -> None:
    box = shower.wait_for(Shown).box
    shower.wait_for(Beat)
    with Stranger(shower.display) as stranger:
        getattr(stranger, act)(stranger.named(b"Understudy recorder"))
        until = time.monotonic() + 5
        while shower.colour(box) == (0, 0, 0) and time.monotonic() < until:
            time.sleep(0.05)
        assert shower.colour(box) == (51, 58, 64)
    assert beats(shower, 2.5) >= 2
