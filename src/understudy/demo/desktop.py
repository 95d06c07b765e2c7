"""A private desktop: an X server without a screen, a session bus, a window manager.

Rules

* Nothing of the person's own session is used: display, buses, home and runtime folder are its own. The
  environment for its programs is made from nothing.
* Each part is waited for by what it says itself (a number on a pipe, an address, a property of the root
  window), at most ``READY_SECONDS``. Nothing sleeps and hopes.
* Windows have no frames and nothing takes keys away from them: a shortcut of the window manager would
  make a person's key press vanish.
* Sockets lie in a short folder of their own, because the path of a socket is at most 107 bytes.
* The parts end with this process, however it ends, and in order when it ends in order.

Example::

    with Desktop(folder) as desktop:
        subprocess.Popen(["xterm"], env=desktop.environment)
"""

import os
import select
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from understudy.demo.children import Child, find_program
from understudy.demo.display import Display
from understudy.demo.errors import DesktopError
from understudy.formats.screen import Screen

READY_SECONDS: Final = 20.0
DEFAULT_SCREEN: Final = Screen(width=1280, height=800)
_MAX_ANSWER: Final = 4_096
_STEP_SECONDS: Final = 0.2
"""A death is noticed that late; readiness is noticed at once."""
_WINDOW_MANAGER_MARK: Final = "_NET_SUPPORTING_WM_CHECK"

WINDOW_MANAGER_CONFIG: Final = """<?xml version="1.0" encoding="UTF-8"?>
<openbox_config xmlns="http://openbox.org/3.4/rc">
  <focus><focusNew>yes</focusNew><followMouse>no</followMouse><raiseOnFocus>no</raiseOnFocus></focus>
  <placement><policy>Smart</policy><center>no</center><monitor>Primary</monitor></placement>
  <theme><keepBorder>no</keepBorder><animateIconify>no</animateIconify></theme>
  <desktops><number>1</number><firstdesk>1</firstdesk><popupTime>0</popupTime></desktops>
  <resize><drawContents>yes</drawContents><popupShow>Never</popupShow></resize>
  <!-- One key that no keyboard has: without any, the window manager would bind its own. -->
  <keyboard><keybind key="F35"><action name="Focus"/></keybind></keyboard>
  <mouse>
    <dragThreshold>8</dragThreshold>
    <doubleClickTime>400</doubleClickTime>
    <context name="Client">
      <mousebind button="Left" action="Press"><action name="Focus"/><action name="Raise"/></mousebind>
      <mousebind button="Middle" action="Press"><action name="Focus"/><action name="Raise"/></mousebind>
      <mousebind button="Right" action="Press"><action name="Focus"/><action name="Raise"/></mousebind>
    </context>
  </mouse>
  <applications>
    <application type="normal"><decor>no</decor><focus>yes</focus></application>
    <application type="dialog"><decor>no</decor><focus>yes</focus></application>
  </applications>
</openbox_config>
"""


class Desktop:
    """A desktop of its own, while the ``with`` block lasts.

    Args:
        folder: made if absent, 0700; takes the home of its programs and their logs.
        screen: its size; the scale must be 100.

    Attributes:
        display: such as ``:7``; empty outside the block.
        environment: all environment variables for programs on this desktop.
    """

    def __init__(self, folder: Path, *, screen: Screen = DEFAULT_SCREEN) -> None:
        self.folder: Final = folder.absolute()
        self.screen: Final = screen
        self.display = ""
        self.environment: dict[str, str] = {}
        self._children: list[Child] = []
        self._runtime: Path | None = None

    def __enter__(self) -> Self:
        """Start the desktop.

        Raises:
            MissingProgramError: a program is not installed; nothing was started.
            DesktopError: a part did not come up; all parts are ended.
        """
        for name in ("Xvfb", "dbus-daemon", "openbox", "setpriv"):
            find_program(name)
        try:
            self._prepare()
            self._start_display()
            self._start_bus()
            self._start_window_manager()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def pids(self) -> dict[str, int]:
        """The process ids of its parts."""
        return {child.name: child.pid for child in self._children}

    @property
    def is_alive(self) -> bool:
        """Whether all its parts run."""
        return bool(self._children) and all(child.is_alive for child in self._children)

    def start(self, name: str, *arguments: str) -> Child:
        """Start a program on this desktop; it ends with the desktop, before it.

        Raises:
            MissingProgramError: it is not installed.
        """
        log = self.folder / "logs" / f"{Path(name).name}-{len(self._children)}.log"
        child = Child.start((name, *arguments), log=log, environment=self.environment)
        self._children.append(child)
        return child

    def close(self) -> None:
        """End its parts, the last started first. Idempotent."""
        while self._children:
            self._children.pop().stop()
        if self._runtime is not None:
            shutil.rmtree(self._runtime, ignore_errors=True)
            self._runtime = None
        self.display, self.environment = "", {}

    def _prepare(self) -> None:
        home = self.folder / "home"
        for folder in (self.folder, home, self.folder / "logs"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.folder / "openbox.xml").write_text(WINDOW_MANAGER_CONFIG)
        self._runtime = Path(tempfile.mkdtemp(prefix="understudy-"))
        self.environment = {
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "PATH": os.environ.get("PATH", os.defpath),
            "TZ": "UTC",
            "XDG_CACHE_HOME": str(home / ".cache"),
            "XDG_CONFIG_HOME": str(home / ".config"),
            "XDG_CURRENT_DESKTOP": "openbox",
            "XDG_DATA_HOME": str(home / ".local" / "share"),
            "XDG_RUNTIME_DIR": str(self._runtime),
            "XDG_SESSION_TYPE": "x11",
        }

    def _start_display(self) -> None:
        screen = ("-screen", "0", f"{self.screen.width}x{self.screen.height}x24", "-dpi", "96", "-s", "0")
        number = self._start_and_ask(
            lambda fd: ("Xvfb", "-displayfd", str(fd), *screen, "-nolisten", "tcp", "-noreset")
        )
        self.display = f":{number}"
        self.environment["DISPLAY"] = self.display

    def _start_bus(self) -> None:
        socket = f"unix:path={self.environment['XDG_RUNTIME_DIR']}/bus"
        bus = ("dbus-daemon", "--session", "--nofork", "--nopidfile", "--address", socket)
        address = self._start_and_ask(lambda fd: (*bus, f"--print-address={fd}"))
        self.environment["DBUS_SESSION_BUS_ADDRESS"] = address

    def _start_window_manager(self) -> None:
        child = self.start("openbox", "--sm-disable", "--config-file", str(self.folder / "openbox.xml"))
        until = time.monotonic() + READY_SECONDS
        with Display(self.display) as display:
            while not display.wait_for_property(_WINDOW_MANAGER_MARK, seconds=_STEP_SECONDS):
                if not child.is_alive or time.monotonic() > until:
                    raise _not_ready(child)

    def _start_and_ask(self, command: Callable[[int], tuple[str, ...]]) -> str:
        """Start a part that writes one line to a pipe once it is ready, and return the line."""
        reading, writing = os.pipe()
        try:
            words = command(writing)
            log = self.folder / "logs" / f"{words[0]}.log"
            child = Child.start(words, log=log, environment=self.environment, pass_fds=(writing,))
            self._children.append(child)
            os.close(writing)
            writing = -1
            until = time.monotonic() + READY_SECONDS
            answer = b""
            while not answer.endswith(b"\n"):
                self._wait_readable(child, reading, until)
                more = os.read(reading, _MAX_ANSWER)
                if not more:
                    raise _not_ready(child)
                answer += more
            return answer.decode("ascii").strip()
        finally:
            os.close(reading)
            if writing >= 0:
                os.close(writing)

    def _wait_readable(self, child: Child, fd: int, until: float) -> None:
        """Wait for bytes at ``fd``, but not for a dead child and not beyond ``until``."""
        while not select.select([fd], [], [], _STEP_SECONDS)[0]:
            if not child.is_alive or time.monotonic() > until:
                raise _not_ready(child)


def _not_ready(child: Child) -> DesktopError:
    return DesktopError(f"{child.name} did not become ready: {child.last_words()}", hint=f"see {child.log}")
