"""Password prompts in real terminals: pseudo terminals of our own, and an xterm."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.desktop import desktop
from understudy.demo.desktop import Desktop
from understudy.demo.display import Display as Hands
from understudy.recorder.capture.terminal import is_reading_password
from understudy.recorder.capture.x11.windows import X11Windows

__all__ = ["desktop"]

SECONDS = 10.0
NOT_ASKED = object()


TERMINAL = """
import json, os, pty, select, sys
masters = []
for command in json.loads(sys.argv[1]):
    child, master = pty.fork()
    if child == 0:
        os.execvp(command[0], command)
    masters.append(master)
while masters:
    for master in select.select(masters, [], [])[0]:
        try:
            os.read(master, 4096)
        except OSError:
            masters.remove(master)
"""


@contextmanager
def shell_in_terminals(*commands: list[str]) -> Iterator[int]:
    """Play a terminal: a process whose children run on pseudo terminals of their own. Gives its pid."""
    with subprocess.Popen([sys.executable, "-c", TERMINAL, json.dumps(commands)]) as terminal:
        try:
            yield terminal.pid
        finally:
            terminal.kill()


def settles_to(pid: int, answer: bool | None) -> bool:
    """Return whether the answer becomes this one and stays for a while."""
    until = time.monotonic() + SECONDS
    seen: object = NOT_ASKED
    while time.monotonic() < until:
        seen = is_reading_password(pid)
        if seen is answer:
            time.sleep(0.1)
            if is_reading_password(pid) is answer:
                return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize(
    "command",
    [
        [sys.executable, "-c", "import getpass; getpass.getpass()"],
        ["bash", "--norc", "-c", "read -s secret; true"],
    ],
    ids=["getpass", "read-s"],
)
def test_a_password_prompt_is_seen(command: list[str]) -> None:
    with shell_in_terminals(command) as pid:
        assert settles_to(pid, True)


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed")
def test_the_prompt_of_ssh_keygen_is_seen(tmp_path: object) -> None:
    with shell_in_terminals(["ssh-keygen", "-q", "-t", "ed25519", "-f", f"{tmp_path}/key"]) as pid:
        assert settles_to(pid, True)


@pytest.mark.parametrize(
    "command",
    [["cat"], ["bash", "--norc", "-i"], ["bash", "--norc", "-c", "read line; true"]],
    ids=["cat", "shell", "read"],
)
def test_an_ordinary_line_is_none(command: list[str]) -> None:
    with shell_in_terminals(command) as pid:
        assert settles_to(pid, False)


def test_a_program_that_reads_single_keys_cannot_be_told() -> None:
    raw = "import sys, tty, time; tty.setraw(0); time.sleep(60)"
    with shell_in_terminals([sys.executable, "-c", raw]) as pid:
        assert settles_to(pid, None)


def test_the_most_secret_of_several_terminals_counts() -> None:
    with shell_in_terminals(["cat"], ["bash", "--norc", "-c", "read -s secret; true"]) as pid:
        assert settles_to(pid, True)


def test_a_process_without_a_terminal_cannot_be_told() -> None:
    assert is_reading_password(os.getpid()) is None
    assert is_reading_password(2**22 + 1) is None


def test_a_prompt_in_the_window_of_a_terminal_is_seen_and_its_end_too(desktop: Desktop) -> None:
    prompt = "read -s secret; exec cat"
    command = ["xterm", "-e", "bash", "--norc", "-c", prompt]
    with (
        X11Windows(desktop.display) as windows,
        Hands(desktop.display) as hands,
        subprocess.Popen(command, env=desktop.environment, stderr=subprocess.DEVNULL) as xterm,
    ):
        try:
            until = time.monotonic() + SECONDS
            while (active := windows.active()) is None or active.pid != xterm.pid:
                assert time.monotonic() < until
                time.sleep(0.05)
            assert active.pid is not None
            assert settles_to(active.pid, True)
            for keycode in (38, 36):  # a, Enter
                hands.fake(2, keycode)
                hands.fake(3, keycode)
            assert settles_to(active.pid, False)
        finally:
            xterm.kill()
