"""Somebody who answers at an address, as a test scripts it: whatever bytes, after whatever delay, or nothing.

Example::

    with Peer([answer(200, b"{}")]) as peer:
        Connection(peer.address).call(HEALTH)
"""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterable
from typing import Final, Self

Answer = Callable[[socket.socket], None]


def answer(status: int, body: bytes, **headers: str) -> Answer:
    """Return an answer with a length and these headers."""
    lines = [f"HTTP/1.1 {status} x", f"content-length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    raw = ("\r\n".join(lines) + "\r\n\r\n").encode() + body

    def send(link: socket.socket) -> None:
        link.sendall(raw)

    return send


def endless(status: int) -> Answer:
    """Return an answer that goes on for ever, in chunks."""

    def send(link: socket.socket) -> None:
        link.sendall(f"HTTP/1.1 {status} x\r\ntransfer-encoding: chunked\r\n\r\n".encode())
        with contextlib.suppress(OSError):
            while True:
                link.sendall(b"1000\r\n" + b"x" * 4096 + b"\r\n")

    return send


def cut_off(link: socket.socket) -> None:
    """Answer with less than was announced, and hang up."""
    link.sendall(b"HTTP/1.1 200 x\r\ncontent-length: 100\r\n\r\n{")
    link.shutdown(socket.SHUT_RDWR)


def silent(link: socket.socket) -> None:
    """Say nothing for a while."""
    del link
    time.sleep(1.0)


def hang_up(link: socket.socket) -> None:
    """Hang up without a word."""
    link.shutdown(socket.SHUT_RDWR)


class Peer:
    """Answers one call after the other from a script; the last answer is repeated."""

    def __init__(self, script: Iterable[Answer]) -> None:
        self._script = list(script)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._is_closed = False
        self.requests: Final[list[bytes]] = []
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_closed = True
        self._listener.close()

    def _run(self) -> None:
        while not self._is_closed:
            try:
                link, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(link,), daemon=True).start()

    def _serve(self, link: socket.socket) -> None:
        with link, contextlib.suppress(OSError):
            while request := _read_request(link):
                self.requests.append(request)
                send = self._script.pop(0) if len(self._script) > 1 else self._script[0]
                send(link)
                if send in {hang_up, cut_off, silent}:
                    return


def _read_request(link: socket.socket) -> bytes:
    raw = b""
    while b"\r\n\r\n" not in raw:
        piece = link.recv(65_536)
        if not piece:
            return b""
        raw += piece
    head, _, body = raw.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    while len(body) < length:
        body += link.recv(65_536)
    return head + b"\r\n\r\n" + body
