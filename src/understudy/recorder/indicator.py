"""The window that says whether it records: ``python -m understudy.recorder.indicator``, a process of its own.

Rules

* It is on top, small, and never has the focus. It shows what capture says it does, never what was hoped for:
  RECORDING in red, PAUSED, or NOT RECORDING.
* The button pauses and resumes. Pressing it tells the session; the window changes when capture has.
* It beats while its own picture is on the screen, which it looks at each time. If the beats stop, or this
  process ends, capture stops: there is no recording without it. A window that is covered, moved, taken off
  the screen or made small brings itself back once a second, and does not beat until it has.
* When the session ends, so does it.

Messages (framed as on the capture channel): ``Show`` comes in; ``Shown``, ``Beat`` and ``Pressed`` go out.
"""

import argparse
import select
import socket
import sys
import time
from contextlib import suppress
from typing import Any, Final, Literal

import msgspec
import xcffib
import xcffib.xproto as x
from PIL import Image, ImageDraw, ImageFont

from understudy.formats.elements import Box
from understudy.recorder.capture.channel import Frames, Message, frame
from understudy.recorder.process import follow_parent

BEAT_SECONDS: Final = 0.5
RAISE_SECONDS: Final = 1.0
"""Two windows that both insist on being on top must not keep the machine busy."""
VISIBLE_SHARE: Final = 0.9
"""How much of its picture must be on the screen for it to count as seen."""
SETTLE_SECONDS: Final = 0.2
"""How long it must have stayed where it was brought back to: what comes and goes is not seen."""
WIDTH: Final = 264
HEIGHT: Final = 28
MARGIN: Final = 8
BUTTON_X: Final = 188
_XCFFIB: Final[Any] = xcffib

Face = Literal["recording", "paused", "idle"]

_COLOURS: Final[dict[Face, tuple[str, str]]] = {
    "recording": ("RECORDING", "#b3261e"),
    "paused": ("PAUSED", "#5f4b00"),
    "idle": ("NOT RECORDING", "#333a40"),
}


class Show(Message, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True):
    """What to show: a face, how long it has been recording, and whether the button pauses or resumes."""

    face: Face
    seconds: int = 0
    is_paused: bool = False


class Shown(Message, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True):
    """The window is on the screen, here."""

    box: Box


class Beat(Message, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True):
    """The window is on the screen, and shows this."""

    face: Face


class Pressed(Message, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True):
    """The button was pressed while it showed this face."""

    is_paused: bool


FromIndicator = Shown | Beat | Pressed
ToIndicator = Show


class Indicator:
    """The window on one display.

    Args:
        display: such as ``:7``; None for the environment's.
        channel: connected to the session.
    """

    def __init__(self, display: str | None, channel: socket.socket) -> None:
        self._channel: Final = channel
        self._frames: Final = Frames()
        # The library ships as typed, but its functions carry no types.
        self._connection: Final[Any] = _XCFFIB.connect(display=display)
        setup = self._connection.get_setup()
        self._root: Final = setup.roots[self._connection.pref_screen]
        self._font: Final = ImageFont.load_default(13)
        self._state = Show(face="idle")
        self._since = time.monotonic()
        self._drawn: tuple[Face, int, bool] | None = None
        self._pixels = b""
        self._is_visible = False
        self._raised_at = 0.0
        self._window: Final[int] = self._connection.generate_id()
        self._gc: Final[int] = self._connection.generate_id()
        self.box: Final = Box(max(0, self._root.width_in_pixels - WIDTH - MARGIN), MARGIN, WIDTH, HEIGHT)

    def run(self) -> None:
        """Show the window until the session is gone."""
        self._open()
        self._say(Shown(box=self.box))
        beat_at = 0.0
        while True:
            now = time.monotonic()
            if now >= beat_at:
                self._draw()
                if not self._is_seen():
                    self._is_visible = False
                    self._bring_back()
                elif now - self._raised_at > SETTLE_SECONDS:
                    self._say(Beat(face=self._state.face))
                beat_at = now + BEAT_SECONDS
            sources = [self._channel, self._connection.get_file_descriptor()]
            select.select(sources, [], [], max(0.0, beat_at - now))
            if not self._hear():
                return
            self._watch_window()

    def _open(self) -> None:
        events = x.EventMask.Exposure | x.EventMask.ButtonPress | x.EventMask.VisibilityChange
        core = self._connection.core
        core.CreateWindowChecked(
            self._root.root_depth,
            self._window,
            self._root.root,
            self.box.x,
            self.box.y,
            self.box.width,
            self.box.height,
            0,
            x.WindowClass.InputOutput,
            self._root.root_visual,
            x.CW.BackPixel | x.CW.OverrideRedirect | x.CW.EventMask,
            [0, 1, events],
        ).check()
        name = b"Understudy recorder"
        text = x.Atom.STRING
        core.ChangeProperty(x.PropMode.Replace, self._window, x.Atom.WM_NAME, text, 8, len(name), name)
        core.CreateGC(self._gc, self._window, 0, [])
        core.MapWindowChecked(self._window).check()

    def _hear(self) -> bool:
        """Take what the session said; return whether it is still there."""
        with suppress(BlockingIOError):
            data = self._channel.recv(4_096)
            if not data:
                return False
            for message in self._frames.feed(data, ToIndicator):
                self._state, self._since = message, time.monotonic()
                self._draw()
        return True

    def _watch_window(self) -> None:
        while (event := self._connection.poll_for_event()) is not None:
            match event:
                case x.ExposeEvent():
                    self._drawn = None
                    self._draw()
                case x.VisibilityNotifyEvent():
                    self._is_visible = event.state == x.Visibility.Unobscured
                case x.ButtonPressEvent() if event.event_x >= BUTTON_X:
                    self._say(Pressed(is_paused=self._state.is_paused))
                case _:
                    pass
        if not self._is_visible:
            self._bring_back()
        self._connection.flush()

    def _bring_back(self) -> None:
        """Put the window where it belongs, on top, once a second at most."""
        now = time.monotonic()
        if now - self._raised_at <= RAISE_SECONDS:
            return
        self._raised_at = now
        config = x.ConfigWindow
        core, box = self._connection.core, self.box
        core.MapWindow(self._window)
        core.ConfigureWindow(
            self._window,
            config.X | config.Y | config.Width | config.Height | config.StackMode,
            [box.x, box.y, box.width, box.height, x.StackMode.Above],
        )
        self._drawn = None
        self._draw()

    def _is_seen(self) -> bool:
        """Return whether the screen shows, at its place, what was drawn."""
        box, whole = self.box, 0xFFFFFFFF
        kind = x.ImageFormat.ZPixmap
        asked = self._connection.core.GetImage(kind, self._root.root, box.x, box.y, WIDTH, HEIGHT, whole)
        try:
            shown = bytes(asked.reply().data.buf())
        except xcffib.XcffibException:  # the screen became smaller, say
            if self._connection.has_error():
                raise
            return False
        return likeness(shown, self._pixels) >= VISIBLE_SHARE

    def _draw(self) -> None:
        """Bring the window up to date, if anything in it changed."""
        seconds = self._state.seconds
        if self._state.face == "recording":
            seconds += int(time.monotonic() - self._since)
        wanted = (self._state.face, seconds, self._state.is_paused)
        if wanted == self._drawn:
            return
        self._drawn = wanted
        image = picture(self._state.face, seconds, is_paused=self._state.is_paused, font=self._font)
        pixels = self._pixels = image.tobytes("raw", "BGRX")
        self._connection.core.PutImage(
            x.ImageFormat.ZPixmap,
            self._window,
            self._gc,
            WIDTH,
            HEIGHT,
            0,
            0,
            0,
            self._root.root_depth,
            len(pixels),
            pixels,
        )
        self._connection.flush()

    def _say(self, message: FromIndicator) -> None:
        self._channel.setblocking(True)
        self._channel.sendall(frame(message))
        self._channel.setblocking(False)


def picture(
    face: Face, seconds: int, *, is_paused: bool, font: ImageFont.FreeTypeFont | ImageFont.ImageFont
) -> Image.Image:
    """Return what the window shows.

    Args:
        face: which of the three.
        seconds: how long it has been recording.
        is_paused: whether the button resumes.
        font: what texts are drawn with.
    """
    word, colour = _COLOURS[face]
    minutes, rest = divmod(seconds, 60)
    image = Image.new("RGB", (WIDTH, HEIGHT), colour)
    draw = ImageDraw.Draw(image)
    if face == "recording":
        draw.ellipse((10, 9, 19, 18), fill="white")
    draw.text((27, 6), f"{word} {minutes}:{rest:02}" if face != "idle" else word, fill="white", font=font)
    draw.rectangle((BUTTON_X, 4, WIDTH - 5, HEIGHT - 5), outline="white")
    draw.text((BUTTON_X + 10, 6), "Resume" if is_paused else "Pause", fill="white", font=font)
    return image


def likeness(shown: bytes, drawn: bytes) -> float:
    """Return the share of pixels (4 bytes each, the fourth of no meaning) that are the same; 0 of no pixels.

    >>> likeness(b"abc.xyz.", b"abc!xy!.")
    0.5
    """
    if len(shown) != len(drawn) or not drawn:
        return 0.0
    pairs = zip(
        zip(*(shown[at::4] for at in range(3)), strict=True),
        zip(*(drawn[at::4] for at in range(3)), strict=True),
        strict=True,
    )
    return 4 * sum(one == other for one, other in pairs) / len(drawn)


def main() -> int:
    """Run the window; the channel is an inherited socket."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--channel", type=int, required=True)
    parser.add_argument("--alive", type=int, required=True, help="end of a pipe that is only held")
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--display")
    arguments = parser.parse_args()
    follow_parent(arguments.parent)
    channel = socket.socket(fileno=arguments.channel)
    channel.setblocking(False)
    try:
        Indicator(arguments.display, channel).run()
    except (OSError, xcffib.Error, xcffib.ConnectionException, msgspec.MsgspecError):
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
