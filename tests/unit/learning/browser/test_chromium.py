"""A real Chromium: started, asked, crashed, killed, and gone afterwards."""

import os
import signal
import stat
import tempfile
import threading
import time
from pathlib import Path

import pytest

from understudy.learning.browser import Chromium, chromium
from understudy.learning.browser.chromium import find_chromium
from understudy.learning.browser.errors import (
    BrowserError,
    BrowserGoneError,
    BrowserMissingError,
    BrowserStartError,
    CallTimeoutError,
    NavigationError,
    PageCrashedError,
    ProtocolError,
    ScriptError,
)
from understudy.learning.miniwob import PageServer


def processes_of(leader: int) -> list[int]:
    """Return what still runs in the session that ``leader`` opened."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(fields[3]) == leader and fields[0] != "Z":
                found.append(int(entry.name))
    return found


def test_a_page_is_loaded_and_asked(browser: Chromium, server: PageServer) -> None:
    page = browser.page
    page.navigate(server.address("miniwob/enter-text.html"))
    assert page.evaluate("document.title") == "Enter Text Task"
    assert page.evaluate("({a: [1, 'two', null, 1.5]})") == {"a": [1, "two", None, 1.5]}
    assert page.evaluate("Promise.resolve(3)") == 3
    assert page.evaluate("undefined") is None
    assert browser.version().startswith("Chrome/")
    viewport = page.viewport()
    assert (viewport.width, viewport.scale) == (500, 1)
    assert page.screenshot().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        ("throw new TypeError('words of the page')", "TypeError"),
        ("not a script at all", "SyntaxError"),
        ("Promise.reject(new RangeError('words of the page'))", "RangeError"),
        ("throw 'words of the page'", "string"),
    ],
)
def test_what_a_script_throws_is_typed_and_its_words_are_not_told(
    browser: Chromium, script: str, kind: str
) -> None:
    with pytest.raises(ScriptError) as caught:
        browser.page.evaluate(script)
    assert caught.value.kind == kind
    assert "words" not in str(caught.value)


def test_a_script_that_does_not_return_times_out(own_browser: Chromium) -> None:
    with pytest.raises(CallTimeoutError):
        own_browser.page.evaluate("while (true) {}", seconds=0.3)


def test_a_dialog_does_not_stop_a_script(browser: Chromium) -> None:
    assert browser.page.evaluate("confirm('sure?')") is False


def test_a_page_that_is_not_there_is_an_error(browser: Chromium, server: PageServer) -> None:
    with PageServer() as gone:
        address = gone.address()
    with pytest.raises(NavigationError):
        browser.page.navigate(address)
    browser.page.navigate(server.address())
    assert browser.page.evaluate("document.title") == "Blank"


def test_a_fragment_is_no_load(browser: Chromium, server: PageServer) -> None:
    browser.page.navigate(server.address())
    browser.page.evaluate("window.kept = 1")
    browser.page.navigate(server.address() + "#there", seconds=5)
    assert browser.page.evaluate("window.kept") == 1


def test_a_call_that_does_not_exist_is_refused(browser: Chromium) -> None:
    with pytest.raises(ProtocolError):
        browser.page.call("Page.doesNotExist")


def test_nothing_of_it_stays(server: PageServer) -> None:
    before = set(Path(tempfile.gettempdir()).glob("understudy-browser-*"))
    with Chromium(address=server.address(), headless=True) as browser:
        leader = browser.pid
        (folder,) = set(Path(tempfile.gettempdir()).glob("understudy-browser-*")) - before
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert len(processes_of(leader)) > 1
        assert browser.is_alive
    assert processes_of(leader) == []
    assert not folder.exists()
    assert not browser.is_alive
    with pytest.raises(BrowserGoneError):
        browser.version()
    browser.close()


def test_a_browser_killed_during_a_call_is_reported_and_cleared_away(own_browser: Chromium) -> None:
    leader = own_browser.pid
    killer = threading.Timer(0.3, os.kill, (leader, signal.SIGKILL))
    killer.start()
    begun = time.monotonic()
    with pytest.raises(BrowserGoneError):
        own_browser.page.evaluate("new Promise(done => setTimeout(done, 60000))", seconds=30)
    assert time.monotonic() - begun < 10
    with pytest.raises(BrowserGoneError):
        own_browser.page.evaluate("1")
    own_browser.close()
    assert processes_of(leader) == []


def test_a_crashed_page_is_reported_and_the_browser_opens_another(
    own_browser: Chromium, server: PageServer
) -> None:
    with pytest.raises(PageCrashedError):
        own_browser.page.call("Page.crash")
    with pytest.raises(PageCrashedError):
        own_browser.page.evaluate("1")
    page = own_browser.open(server.address())
    assert page.evaluate("document.title") == "Blank"
    page.close()
    with pytest.raises(BrowserError):
        page.evaluate("1", seconds=2)


def test_a_machine_without_chromium_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(BrowserMissingError):
        find_chromium(str(tmp_path))
    with pytest.raises(BrowserMissingError), Chromium(environment={"PATH": str(tmp_path)}, headless=True):
        pass


def test_a_program_that_ends_at_once_is_told_so_with_its_last_words(tmp_path: Path) -> None:
    program = tmp_path / "chromium"
    program.write_text("#!/bin/sh\necho no luck >&2\nexit 1\n")
    program.chmod(0o755)
    with pytest.raises(BrowserStartError) as caught, Chromium(executable=str(program), headless=True):
        pass
    assert caught.value.hint == "it said: no luck"


def test_a_display_that_is_not_there_is_told_so() -> None:
    environment = {"PATH": os.environ["PATH"], "DISPLAY": ":65000"}
    with pytest.raises(BrowserStartError), Chromium(environment=environment):
        pass


def test_what_cannot_be_started_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(BrowserStartError), Chromium(executable=str(tmp_path), headless=True):
        pass


def test_the_missing_sandbox_is_announced_once(server: PageServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chromium, "_announced", set())
    said: list[str] = []
    command: list[bytes] = []
    for _ in range(2):
        with Chromium(address=server.address(), headless=True, announce=said.append) as browser:
            command = Path(f"/proc/{browser.pid}/cmdline").read_bytes().split(b"\0")
    is_root = os.geteuid() == 0
    assert said == ([chromium.NO_SANDBOX] if is_root else [])
    assert (b"--no-sandbox" in command) is is_root
    assert b"--remote-debugging-pipe" in command
    assert not any(word.startswith(b"--remote-debugging-port") for word in command)


def test_no_descriptor_of_ours_but_the_two_pipes_reaches_it(server: PageServer) -> None:
    secret, _ = os.pipe()
    os.set_inheritable(secret, False)
    with Chromium(address=server.address(), headless=True) as browser:
        ours = Path(f"/proc/self/fd/{secret}").readlink()
        theirs = set()
        for entry in Path(f"/proc/{browser.pid}/fd").iterdir():
            try:
                theirs.add(entry.readlink())
            except OSError:
                continue
    assert ours not in theirs


def test_a_failing_block_ends_the_browser_too(server: PageServer) -> None:
    leaders: list[int] = []

    def fail() -> None:
        with Chromium(address=server.address(), headless=True) as browser:
            leaders.append(browser.pid)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert processes_of(leaders[0]) == []
