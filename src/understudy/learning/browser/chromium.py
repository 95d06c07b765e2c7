"""Start a Chromium of the system, and end it.

Rules

* ``with Chromium(...) as browser``: whatever happens inside, the browser, its helpers and its profile are
  gone afterwards.
* It runs in the environment that it is given (``DISPLAY``, ``DBUS_SESSION_BUS_ADDRESS``), and only in that
  one. ``HOME`` and the folders under it are the profile's, so that nothing of the person who runs this is
  read.
* Headful, it opens one app window: no tabs, no address bar. Such a window shows its address when it leaves
  the origin it was opened with, and that moves the page: open it with an address of the server that is used
  later.
* As root Chromium does not start inside its sandbox. ``announce`` is then called, once a process.
"""

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from understudy.formats.elements import Box
from understudy.learning.browser.errors import (
    BrowserError,
    BrowserGoneError,
    BrowserMissingError,
    BrowserStartError,
    CallTimeoutError,
    ProtocolError,
    ScriptError,
)
from understudy.learning.browser.page import CALL_SECONDS, Page
from understudy.learning.browser.pipe import Pipe
from understudy.learning.browser.process import BrowserProcess
from understudy.learning.browser.profile import FLAGS, write_preferences

NAMES: Final = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
BLANK: Final = "about:blank"
NO_SANDBOX: Final = "the browser runs as root and therefore without its own sandbox (--no-sandbox)"
START_SECONDS: Final = 60.0
END_SECONDS: Final = 5.0

_announced: set[str] = set()


def find_chromium(path: str | None = None) -> str:
    """Return the path of the system's Chromium, looked for in ``path`` (default: ``PATH``).

    Raises:
        BrowserMissingError: there is none.
    """
    for name in NAMES:
        if found := shutil.which(name, path=path):
            return found
    raise BrowserMissingError("there is no chromium on this machine")


class Chromium:
    """A browser of its own, started on entering and ended on leaving."""

    def __init__(
        self,
        *,
        address: str = BLANK,
        environment: Mapping[str, str] | None = None,
        headless: bool = False,
        window: Box | None = None,
        scale: float = 1.0,
        announce: Callable[[str], None] | None = None,
        executable: str | None = None,
        flags: tuple[str, ...] = (),
    ) -> None:
        self._address = address
        self._environment = dict(os.environ if environment is None else environment)
        self._headless = headless
        self._window = window or Box(0, 0, 500, 400)
        self._scale = scale
        self._announce = announce
        self._executable = executable
        self._flags = flags
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._process: BrowserProcess | None = None
        self._pipe: Pipe | None = None
        self._first: Page | None = None

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def page(self) -> Page:
        """The page of the first window.

        Raises:
            BrowserGoneError: the browser was not started, or was closed.
        """
        if self._first is None:
            raise BrowserGoneError("the browser is not running")
        return self._first

    @property
    def pid(self) -> int:
        """The browser's main process."""
        if self._process is None:
            raise BrowserGoneError("the browser is not running")
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether the main process runs."""
        return self._process is not None and not self._process.is_over()

    def version(self) -> str:
        """Return the product and version, such as ``Chrome/156.0.8078.79``."""
        answer = self._open_pipe().call("Browser.getVersion", {}, session=None, seconds=CALL_SECONDS)
        return str(answer.get("product", ""))

    def open(self, address: str) -> Page:
        """Return a page in another window, loaded with ``address``."""
        pipe = self._open_pipe()
        made = pipe.call("Target.createTarget", {"url": BLANK}, session=None, seconds=CALL_SECONDS)
        page = self._attach(made["targetId"])
        page.navigate(address)
        return page

    def close(self) -> None:
        """End the browser and remove its profile. May be called again."""
        process, pipe, folder = self._process, self._pipe, self._folder
        self._process = self._pipe = self._folder = self._first = None
        if pipe is not None:
            with contextlib.suppress(BrowserError):
                pipe.call("Browser.close", {}, session=None, seconds=END_SECONDS)
            pipe.close()
        if process is not None:
            process.end(END_SECONDS)
        if folder is not None:
            # Helpers were killed a moment ago; one may have written a last file while the folder was emptied.
            for _ in range(3):
                with contextlib.suppress(OSError):
                    folder.cleanup()
                    break

    def _start(self) -> None:
        executable = self._executable or find_chromium(self._environment.get("PATH"))
        self._folder = tempfile.TemporaryDirectory(prefix="understudy-browser-")
        home = Path(self._folder.name)
        profile = home / "profile"
        write_preferences(profile)
        said = home / "said"
        try:
            self._process = BrowserProcess(
                [executable, *self._arguments(profile)], self._surroundings(home), said=said
            )
        except OSError as error:
            raise BrowserStartError(f"the browser could not be started ({error.strerror})") from error
        self._pipe = Pipe(reading=self._process.reading, writing=self._process.writing)
        try:
            self._first = self._attach(self._first_target())
            self._await_load(self._first)
            self._first.call("Page.bringToFront")
        except (BrowserGoneError, CallTimeoutError) as error:
            raise BrowserStartError("the browser did not start", hint=_last_line(said)) from error

    def _arguments(self, profile: Path) -> list[str]:
        window = self._window
        arguments = [
            *FLAGS,
            f"--user-data-dir={profile}",
            f"--force-device-scale-factor={self._scale:g}",
            f"--window-position={window.x},{window.y}",
            f"--window-size={window.width},{window.height}",
            *self._flags,
        ]
        if os.geteuid() == 0:
            arguments += ["--no-sandbox", "--test-type"]
            if self._announce is not None and NO_SANDBOX not in _announced:
                _announced.add(NO_SANDBOX)
                self._announce(NO_SANDBOX)
        if self._headless:
            return [*arguments, "--headless", self._address]
        return [*arguments, f"--app={self._address}"]

    def _surroundings(self, home: Path) -> dict[str, str]:
        own = {
            "HOME": str(home),
            "XDG_CACHE_HOME": str(home / "cache"),
            "XDG_CONFIG_HOME": str(home / "config"),
            "XDG_DATA_HOME": str(home / "data"),
            "LANGUAGE": "en_US",
        }
        cookie = Path(self._environment.get("HOME", "/nonexistent")) / ".Xauthority"
        if "XAUTHORITY" not in self._environment and cookie.is_file():
            own["XAUTHORITY"] = str(cookie)  # where it would have been looked for
        return {**self._environment, **own}

    def _first_target(self) -> str:
        """Return the first window's target, as soon as there is one."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            left = deadline - time.monotonic()
            found = self._open_pipe().call("Target.getTargets", {}, session=None, seconds=left)
            for target in found.get("targetInfos", ()):
                if target.get("type") == "page":
                    return str(target["targetId"])
            time.sleep(0.02)

    def _await_load(self, page: Page) -> None:
        """Return when the first page is loaded: what is asked of a page that is being replaced gets lost."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(ProtocolError, ScriptError):
                place, state = page.evaluate("[location.href, document.readyState]")
                if state == "complete" and (place != BLANK or self._address == BLANK):
                    return
            time.sleep(0.02)
        raise CallTimeoutError("the first page was not loaded in time")

    def _attach(self, target: str) -> Page:
        pipe = self._open_pipe()
        answer = pipe.call(
            "Target.attachToTarget",
            {"targetId": target, "flatten": True},
            session=None,
            seconds=CALL_SECONDS,
        )
        return Page(pipe, target=target, session=answer["sessionId"])

    def _open_pipe(self) -> Pipe:
        if self._pipe is None:
            raise BrowserGoneError("the browser is not running")
        return self._pipe


def _last_line(said: Path) -> str:
    """Return the last line a browser wrote while it started; no page was loaded by then."""
    with contextlib.suppress(OSError):
        lines = said.read_text(errors="replace").splitlines()
        if lines:
            return f"it said: {lines[-1][:200]}"
    return ""
