"""Where a process listens: alone, on loopback, and said aloud when not."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from understudy.web.errors import AlreadyRunningError, PortInUseError, StartError
from understudy.web.listening import HomeLock, address_of, announcements, listen


def test_a_port_that_is_taken_is_an_error_with_a_hint() -> None:
    with listen("127.0.0.1", 0) as sock, pytest.raises(PortInUseError) as refused:
        listen("127.0.0.1", sock.getsockname()[1])
    assert "--port" in refused.value.hint


def test_a_port_is_free_again_once_it_was_let_go() -> None:
    with listen("127.0.0.1", 0) as sock:
        port = sock.getsockname()[1]
    with listen("127.0.0.1", port) as again:
        assert address_of(again) == f"http://127.0.0.1:{port}"


def test_an_address_of_somebody_else_cannot_be_listened_at() -> None:
    with pytest.raises(StartError):
        listen("192.0.2.1", 0)


def test_loopback_needs_no_word_and_everything_else_is_announced() -> None:
    assert announcements("127.0.0.1", is_tls=False) == []
    assert len(announcements("192.0.2.1", is_tls=False)) == 2
    assert len(announcements("192.0.2.1", is_tls=True)) == 1


def test_one_process_holds_one_home(tmp_path: Path) -> None:
    lock = HomeLock(tmp_path)
    with pytest.raises(AlreadyRunningError):
        HomeLock(tmp_path)
    lock.release()
    lock.release()
    HomeLock(tmp_path).release()


def test_a_killed_process_leaves_its_home_free(tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from understudy.web.listening import HomeLock;"
    code += "HomeLock(Path(sys.argv[1])); print('held', flush=True); input()"
    process = subprocess.Popen(
        (sys.executable, "-c", code, str(tmp_path)), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(AlreadyRunningError):
            HomeLock(tmp_path)
        os.kill(process.pid, signal.SIGKILL)
    HomeLock(tmp_path).release()
