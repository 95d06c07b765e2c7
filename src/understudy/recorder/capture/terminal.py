"""Whether the program in a terminal's window is reading a password: seen from outside, at its own terminal.

Rules

* A program that asks for a password switches echo off and keeps reading lines: canonical mode without echo.
  ``su``, ``ssh-keygen``, ``getpass`` and ``read -s`` all do.
* Without canonical mode the terminal says nothing: an editor looks like a hidden prompt. Only a shell that
  edits its own line is taken for plain. All else, and what leads elsewhere (ssh, tmux), is unknown.
* A terminal with several pseudo terminals (tabs) is as secret as its most secret one.
* Nothing is read from the pseudo terminal but its settings.

Sources: ``proc(5)``, ``termios(3)``; a check takes about 0.2 ms.

Example: ``is_reading_password(window.pid)`` is True, False, or None where nobody can say.
"""

import os
import termios
from pathlib import Path
from typing import Final, NamedTuple

LINE_EDITORS: Final = frozenset({"bash", "dash", "fish", "ksh", "mksh", "sh", "zsh"})
RELAYS: Final = frozenset({"dtach", "mosh-client", "screen", "script", "ssh", "tmux", "tmux: client"})
"""Programs that show another terminal; what that one does is not seen here."""
_PROC: Final = Path("/proc")
_PTS_MAJORS: Final = range(136, 144)
_LOCAL_FLAGS: Final = 3


class _Process(NamedTuple):
    """What ``/proc/PID/stat`` says: the parent, the controlling terminal, and the group in its foreground."""

    parent: int
    terminal: int
    foreground: int


def is_reading_password(pid: int) -> bool | None:
    """Return whether a program in a terminal's window reads a password; None where that cannot be told.

    Args:
        pid: the process of the terminal, as its window names it.
    """
    own = _process(pid)
    terminals = {
        (child.terminal, child.foreground)
        for child in map(_process, _children(pid))
        if child is not None and child.terminal and (own is None or child.terminal != own.terminal)
    }
    answers = [_reads_password(terminal, foreground) for terminal, foreground in sorted(terminals)]
    if True in answers:
        return True
    return None if None in answers or not answers else False


def _reads_password(terminal: int, foreground: int) -> bool | None:
    flags = _flags(terminal)
    name = _name(foreground)
    if flags is None or name is None or name in RELAYS:
        return None
    is_canonical, has_echo = bool(flags & termios.ICANON), bool(flags & termios.ECHO)
    if is_canonical:
        return not has_echo
    return False if has_echo or name in LINE_EDITORS else None


def _flags(terminal: int) -> int | None:
    """Return the local flags of a pseudo terminal, by its device number; None where it cannot be asked."""
    if os.major(terminal) not in _PTS_MAJORS:
        return None
    number = (os.major(terminal) - _PTS_MAJORS.start) * 256 + os.minor(terminal)
    try:
        device = os.open(f"/dev/pts/{number}", os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        flags: int = termios.tcgetattr(device)[_LOCAL_FLAGS]
    except termios.error:
        return None
    finally:
        os.close(device)
    return flags


def _children(pid: int) -> list[int]:
    """Return the children of all threads of a process; none where it is gone."""
    found: list[int] = []
    try:
        for task in (_PROC / str(pid) / "task").iterdir():
            found += [int(word) for word in (task / "children").read_text().split()]
    except OSError:
        return []
    return found


def _process(pid: int) -> _Process | None:
    try:
        stat = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    # The name stands in brackets and may hold anything, brackets and blanks too.
    words = stat.rpartition(")")[2].split()
    return _Process(parent=int(words[1]), terminal=int(words[4]), foreground=int(words[5]))


def _name(group: int) -> str | None:
    """Return the name of the leader of a process group, or None where it is gone."""
    try:
        return (_PROC / str(group) / "comm").read_text().strip()
    except OSError:
        return None
