"""Where a process listens, that it is alone in its home, and that it ends with whoever started it.

Rules

* The socket is bound without SO_REUSEPORT: a second process on the same port is an error with a hint, not a
  silent partner.
* Without an explicit host only loopback is bound. Another host is announced; plain http there is announced
  too.
* One process holds one home. The lock goes with the process, however that ends.
* A process started by ``understudy up`` ends with it (PR_SET_PDEATHSIG, Linux).
* Keys are in memory: there is no core dump, and no debugger of the same user.

Example: ``listen("127.0.0.1", 0)`` takes any free port; ``address_of`` tells which.
"""

import ctypes
import errno
import fcntl
import os
import resource
import signal
import socket
import sys
from pathlib import Path
from typing import Final

from understudy.contract.address import is_loopback
from understudy.sealing.durable import private_folder
from understudy.web.errors import AlreadyRunningError, PortInUseError, StartError

BACKLOG: Final = 1_024
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_DUMPABLE: Final = 4


class Tls:
    """Certificate and key files for https."""

    def __init__(self, certificate: Path, key: Path) -> None:
        self.certificate: Final = certificate
        self.key: Final = key


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens at ``host`` and ``port`` (0: any free port), alone.

    Raises:
        PortInUseError: something else listens there.
        StartError: this machine does not have that address.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        if error.errno == errno.EADDRINUSE:
            raise PortInUseError(
                f"port {port} is taken", hint="choose another with --port, or stop what listens there"
            ) from error
        if error.errno == errno.EACCES:
            raise PortInUseError(f"port {port} needs privileges", hint="choose one above 1023") from error
        raise StartError(f"cannot listen at {host}: {error.strerror}") from error
    sock.setblocking(False)
    return sock


def address_of(sock: socket.socket, *, is_tls: bool = False) -> str:
    """Return the address under which a listening socket is reached."""
    host, port = sock.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    return f"http{'s' if is_tls else ''}://{shown}:{port}"


def announcements(host: str, *, is_tls: bool) -> list[str]:
    """Return what has to be said about listening at ``host``."""
    if is_loopback(host):
        return []
    said = [f"listening at {host}: other machines can reach this process"]
    if not is_tls:
        said.append("listening over plain http: put https in front, or give a certificate")
    return said


class HomeLock:
    """One process is one party: holds a home directory while it runs."""

    def __init__(self, home: Path, name: str = "lock") -> None:
        """Take the home.

        Raises:
            AlreadyRunningError: another process holds it.
        """
        private_folder(home)
        self._file = os.open(home / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._file)
            raise AlreadyRunningError(
                f"a process of {home} runs already", hint="stop it first, or use another home"
            ) from error

    def release(self) -> None:
        """Let the next process in. Idempotent."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def keep_memory_private() -> None:
    """Leave no core dump, and let no other process of the same user look into this one (Linux)."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0)


def die_with(parent: int) -> None:
    """End this process when ``parent`` ends, however it ends; Linux only, elsewhere nothing happens."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it ended before the call above
        os.kill(os.getpid(), signal.SIGTERM)
