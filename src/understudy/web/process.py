"""One party is one operating-system process: how it listens, serves and ends.

Rules

* The socket is our own, bound without SO_REUSEPORT: granian's own would let a second process share the port
  in silence. A port that is taken is an error with a hint.
* granian runs inside this process (``granian.server.embed``), not in a child: whoever kills the process has
  killed the party, and nothing is left behind.
* Without an explicit host only loopback is bound. Another host is announced; plain http there is announced
  too.
* SIGTERM and SIGINT end it in order: no new calls, background work, stores. SIGKILL loses nothing that was
  acknowledged.
* A process started by ``understudy up`` ends with it (PR_SET_PDEATHSIG), however that ends.

Example: ``run_party(open_witness(home), listen("127.0.0.1", 8472))``.
"""

import asyncio
import ctypes
import errno
import fcntl
import os
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Protocol

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.net import SocketHolder  # type: ignore[attr-defined]
from granian.server.embed import Server
from litestar import Litestar

from understudy.client.http import is_loopback
from understudy.sealing.durable import private_folder
from understudy.web.errors import AlreadyRunningError, PortInUseError, StartError
from understudy.web.timers import Timers

BACKLOG: Final = 1_024
MAX_HEADER_BYTES: Final = 32 << 10
HEADER_READ_MILLISECONDS: Final = 10_000
_PR_SET_PDEATHSIG: Final = 1


class Party(Protocol):
    """A composed process: its application, its background work, and how to let go of its stores."""

    @property
    def app(self) -> Litestar:
        """What it answers."""
        ...

    @property
    def timers(self) -> Timers:
        """What it does by itself."""
        ...

    def close(self) -> None:
        """Let go of stores and connections."""
        ...


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
        """Let the next process in."""
        os.close(self._file)


def die_with(parent: int) -> None:
    """End this process when ``parent`` ends, however it ends; Linux only, elsewhere nothing happens."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it ended before the call above
        os.kill(os.getpid(), signal.SIGTERM)


def run_party(party: Party, sock: socket.socket, *, tls: Tls | None = None) -> None:
    """Serve until SIGTERM or SIGINT, then end in order."""
    try:
        party.timers.start()
        asyncio.run(_serve(party.app, sock, tls))
    finally:
        sock.close()
        party.timers.stop()
        party.close()


class _OwnSocketServer(Server):
    """Granian's embedded server on a socket that was bound by us."""

    def __init__(self, sock: socket.socket, target: Litestar, **options: Any) -> None:
        self._given = sock
        super().__init__(target, **options)

    def _init_shared_socket(self) -> None:
        self._ssp = None
        # granian closes its copy; ours stays open until the party has ended.
        holder: Any = SocketHolder
        self._shd = holder(os.dup(self._given.fileno()), False, BACKLOG)
        self._sfd: Any = holder.get_fd(self._shd)


async def _serve(app: Litestar, sock: socket.socket, tls: Tls | None) -> None:
    host, port = sock.getsockname()[:2]
    server = _OwnSocketServer(
        sock,
        app,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        websockets=False,
        backlog=BACKLOG,
        backpressure=BACKLOG,
        log_enabled=False,
        log_access=False,
        http1_settings=HTTP1Settings(
            header_read_timeout=HEADER_READ_MILLISECONDS, max_buffer_size=MAX_HEADER_BYTES
        ),
        ssl_cert=None if tls is None else tls.certificate,
        ssl_key=None if tls is None else tls.key,
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with suppress(NotImplementedError):
            loop.add_signal_handler(number, server.stop)
    await server.serve()
