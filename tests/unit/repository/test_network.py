"""The network is closed to tests, in every way Python has of reaching it."""

import asyncio
import socket
from pathlib import Path

import pytest

from tests.conftest import NetworkClosedError

ELSEWHERE = ("192.0.2.1", 9)  # TEST-NET-1, RFC 5737: never routed


def test_a_connection_to_elsewhere_is_refused() -> None:
    with socket.socket() as line, pytest.raises(NetworkClosedError):
        line.connect(ELSEWHERE)
    with socket.socket() as line, pytest.raises(NetworkClosedError):
        line.connect_ex(ELSEWHERE)


def test_a_datagram_to_elsewhere_is_refused() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as line, pytest.raises(NetworkClosedError):
        line.sendto(b"x", ELSEWHERE)


def test_a_name_is_not_looked_up() -> None:
    with pytest.raises(NetworkClosedError):
        socket.getaddrinfo("example.org", 443)


def test_an_event_loop_is_refused_too() -> None:
    async def connect() -> None:
        await asyncio.open_connection("example.org", 443)

    with pytest.raises(NetworkClosedError):
        asyncio.run(connect())


def test_loopback_stays_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("localhost", port), timeout=5):
            pass


def test_unix_sockets_stay_open(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as line:
        server.bind(path)
        server.listen()
        line.connect(path)
