"""The control socket: the same user asks, one line each way, and nobody else is answered."""

import asyncio
import os
import socket
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from understudy.consent.errors import RefusedError
from understudy.formats.recording.manifest import Outcome
from understudy.recorder import control
from understudy.recorder.control import (
    MAX_LINE,
    SOCKET_NAME,
    Answer,
    ControlClient,
    ControlServer,
    Request,
)
from understudy.recorder.errors import ControlError

RECORDING = "rec_" + "A" * 22


class Served:
    """A server with a handler that remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Request] = []

    async def handle(self, request: Request) -> Answer:
        self.asked.append(request)
        if request.verb == "end":
            raise ControlError("no recording runs", hint="begin one")
        if request.verb == "begin":
            raise RefusedError("standing-paused", hint="resume", message="nothing is recorded")
        return Answer(state="recording", recording=RECORDING, actions=3)


@contextmanager
def serving(home: Path) -> Iterator[Served]:
    served, ready, done = Served(), threading.Event(), asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> None:
        server = ControlServer(home, served.handle, lambda: "ready")
        await server.start()
        loops.append(asyncio.get_running_loop())
        ready.set()
        await done.wait()
        await server.close()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert ready.wait(5)
    try:
        yield served
    finally:
        loops[0].call_soon_threadsafe(done.set)
        thread.join(5)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return a device's folder, deeper than the address of a socket may be long."""
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    return deep


def test_each_verb_arrives_as_it_was_asked(home: Path) -> None:
    with serving(home) as served:
        client = ControlClient(home)
        assert client.status() == Answer(state="recording", recording=RECORDING, actions=3)
        for call in (client.pause, client.resume, client.stop):
            assert call().recording == RECORDING
        client.forget(7)
        with pytest.raises(RefusedError) as refused:
            client.begin(title="An order", task="order", instruction="Order ten")
        with pytest.raises(ControlError, match="no recording runs") as failed:
            client.end(Outcome.SUCCEEDED)
        assert (refused.value.reason, refused.value.hint, failed.value.hint) == (
            "standing-paused",
            "resume",
            "begin one",
        )
    assert [request.verb for request in served.asked] == [
        "status",
        "pause",
        "resume",
        "stop",
        "forget",
        "begin",
        "end",
    ]
    assert served.asked[4].minutes == 7
    assert served.asked[5].instruction == "Order ten"
    assert served.asked[6].outcome is Outcome.SUCCEEDED


def test_the_socket_is_the_owners_and_goes_with_the_session(home: Path) -> None:
    with serving(home):
        assert stat.S_IMODE((home / SOCKET_NAME).stat().st_mode) == 0o600
    assert not (home / SOCKET_NAME).exists()
    with pytest.raises(ControlError, match="no recorder runs"):
        ControlClient(home).status()


def test_a_socket_that_a_dead_session_left_is_nobody_and_is_replaced(home: Path) -> None:
    folder = os.open(home, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as left:
        left.bind(f"/proc/self/fd/{folder}/{SOCKET_NAME}")
    os.close(folder)
    with pytest.raises(ControlError, match="no recorder runs"):
        ControlClient(home).status()
    with serving(home):
        assert ControlClient(home).status().state == "recording"


def test_another_user_is_not_answered(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "_user_of", lambda _: os.getuid() + 1)
    with serving(home) as served:
        with pytest.raises(ControlError, match="does not answer"):
            ControlClient(home).status()
        assert not served.asked


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"{}\n",
        b'{"verb":"erase"}\n',
        b'{"verb":"status","more":1}\n',
        b'{"verb":"forget","minutes":0}\n',
        b'{"verb":"begin","task":"Not A Name"}\n',
        b"\xff\xfe\n",
    ],
)
def test_what_is_no_request_is_refused_and_changes_nothing(home: Path, line: bytes) -> None:
    with serving(home) as served:
        answer = msgspec.json.decode(ControlClient(home)._exchange(line), type=Answer)  # noqa: SLF001
        assert answer.error == "not a request of this recorder"
        assert not served.asked


def test_a_line_without_an_end_takes_no_memory_and_no_other_callers_answer(home: Path) -> None:
    with serving(home) as served:
        assert ControlClient(home)._exchange(b"x" * (MAX_LINE * 3)) == b""  # noqa: SLF001
        assert ControlClient(home).status().state == "recording"
        assert len(served.asked) == 1
