"""One party is one operating-system process: how it serves and ends.

Rules

* The socket is our own (``listening``): granian's would let a second process share the port in silence.
* granian runs inside this process (``granian.server.embed``), not in a child: whoever kills the process has
  killed the party, and nothing is left behind.
* SIGTERM and SIGINT end it in order: no new calls, background work, stores. SIGKILL loses nothing that was
  acknowledged.

Example: ``run_party(open_witness(home), listen("127.0.0.1", 8472))``.
"""

import asyncio
import gc
import os
import signal
import socket
import sys
from typing import Any, Final, Protocol

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.net import SocketHolder  # type: ignore[attr-defined]
from granian.server.embed import Server
from litestar import Litestar

from understudy.web.listening import BACKLOG, Tls
from understudy.web.timers import Timers

MAX_HEADER_BYTES: Final = 32 << 10
CONNECTIONS: Final = 8_192
"""Calls in progress at once. Slow ones are ended by the deadlines on headers and bodies."""
HEADER_READ_MILLISECONDS: Final = 10_000
COLLECT_AFTER: Final = (20_000, 20, 50)
"""Allocations before a collection; at Python's 700 a single open would pay for dozens."""
SWITCH_SECONDS: Final = 0.0005
"""An open passes through four threads; at Python's 5 ms each could wait longer than the whole may take."""


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


def run_party(party: Party, sock: socket.socket, *, tls: Tls | None = None) -> None:
    """Serve until SIGTERM or SIGINT, then end in order."""
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.collect()
    gc.freeze()  # what is loaded by now stays: no collection has to look at it again
    gc.set_threshold(*COLLECT_AFTER)
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
        backpressure=CONNECTIONS,
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
        loop.add_signal_handler(number, server.stop)
    await server.serve()
