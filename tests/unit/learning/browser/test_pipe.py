"""The two pipes, against a peer that says whatever a browser might, and more."""

import os
import threading
import time
from collections.abc import Callable, Iterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.learning.browser import pipe as pipe_module
from understudy.learning.browser.errors import (
    BrowserError,
    BrowserGoneError,
    CallTimeoutError,
    PageCrashedError,
    ProtocolError,
)
from understudy.learning.browser.pipe import Pipe


class Peer:
    """The browser's side: raw ends, and a script that runs on a thread of its own."""

    def __init__(self) -> None:
        self.calls, to_peer = os.pipe()
        from_peer, self.answers = os.pipe()
        self.pipe = Pipe(reading=from_peer, writing=to_peer)
        self._thread: threading.Thread | None = None
        self._rest = b""

    def play(self, script: Callable[["Peer"], None]) -> Pipe:
        self._thread = threading.Thread(target=script, args=(self,))
        self._thread.start()
        return self.pipe

    def heard(self) -> dict[str, object]:
        while b"\0" not in self._rest:
            self._rest += os.read(self.calls, 65_536)
        raw, self._rest = self._rest.split(b"\0", 1)
        call: dict[str, object] = msgspec.json.decode(raw)
        return call

    def say(self, *messages: object) -> None:
        for message in messages:
            os.write(self.answers, msgspec.json.encode(message) + b"\0")

    def say_raw(self, said: bytes) -> None:
        os.write(self.answers, said)

    def leave(self) -> None:
        for end in ("calls", "answers"):
            if (number := getattr(self, end)) >= 0:
                os.close(number)
            setattr(self, end, -1)

    def end(self) -> None:
        self.pipe.close()
        if self._thread is not None:
            self._thread.join(10)
        self.leave()


@pytest.fixture
def peer() -> Iterator[Peer]:
    one = Peer()
    yield one
    one.end()


def call(pipe: Pipe, *, session: str | None = None, seconds: float = 5) -> dict[str, object]:
    return pipe.call("Some.method", {"n": 1}, session=session, seconds=seconds)


def test_an_answer_is_found_among_events_and_late_answers(peer: Peer) -> None:
    def script(peer: Peer) -> None:
        told = peer.heard()
        assert told == {"id": 1, "method": "Some.method", "params": {"n": 1}, "sessionId": "s"}
        peer.say(
            {"method": "A.b", "params": {"k": 1}}, {"id": 99, "result": {}}, {"id": 1, "result": {"x": 2}}
        )

    assert call(peer.play(script), session="s") == {"x": 2}
    assert peer.pipe.wait("A.b", {"k": 1}, session=None, seconds=1) == {"k": 1}


def test_an_event_is_waited_for_by_what_it_holds(peer: Peer) -> None:
    events = [{"method": "A.b", "params": {"k": k}, "sessionId": "s"} for k in range(3)]
    pipe = peer.play(lambda peer: peer.say(*events))
    assert pipe.wait("A.b", {"k": 2}, session="s", seconds=5) == {"k": 2}


def test_a_refusal_is_typed_and_keeps_the_pipe_open(peer: Peer) -> None:
    def script(peer: Peer) -> None:
        peer.heard()
        peer.say({"id": 1, "error": {"code": -32601, "message": "what the page says"}})
        peer.heard()
        peer.say({"id": 2, "result": {}})

    pipe = peer.play(script)
    with pytest.raises(ProtocolError) as caught:
        call(pipe)
    assert caught.value.code == -32601
    assert "what the page says" not in str(caught.value)
    assert call(pipe) == {}


def test_the_end_of_the_browser_ends_every_later_call_at_once(peer: Peer) -> None:
    def script(peer: Peer) -> None:
        peer.heard()
        os.write(peer.answers, b'{"id":1,"resu')
        peer.leave()

    pipe = peer.play(script)
    with pytest.raises(BrowserGoneError):
        call(pipe)
    begun = time.monotonic()
    with pytest.raises(BrowserGoneError):
        call(pipe)
    with pytest.raises(BrowserGoneError):
        pipe.wait("A.b", {}, session=None, seconds=60)
    assert time.monotonic() - begun < 1
    assert not pipe.is_open


def test_a_browser_that_is_silent_times_out_and_may_answer_the_next_call(peer: Peer) -> None:
    def script(peer: Peer) -> None:
        peer.heard()
        peer.heard()
        peer.say({"id": 1, "result": {"late": True}}, {"id": 2, "result": {"in": "time"}})

    pipe = peer.play(script)
    with pytest.raises(CallTimeoutError):
        call(pipe, seconds=0.05)
    assert call(pipe) == {"in": "time"}


def test_a_browser_that_does_not_read_times_out_and_is_not_spoken_to_again(peer: Peer) -> None:
    with pytest.raises(CallTimeoutError):
        peer.pipe.call("Some.method", {"long": "x" * 1_000_000}, session=None, seconds=0.1)
    with pytest.raises(BrowserGoneError):
        call(peer.pipe)


def test_a_dialog_is_dismissed_so_that_scripts_go_on(peer: Peer) -> None:
    heard: list[object] = []

    def script(peer: Peer) -> None:
        peer.heard()
        peer.say({"method": "Page.javascriptDialogOpening", "params": {"message": "m"}, "sessionId": "s"})
        heard.append(peer.heard())
        peer.say({"id": 2, "result": {}}, {"id": 1, "result": {"x": 1}})

    assert call(peer.play(script), session="s") == {"x": 1}
    dismissed = {"id": 2, "method": "Page.handleJavaScriptDialog", "params": {"accept": False}}
    assert heard == [{**dismissed, "sessionId": "s"}]


def test_a_crashed_page_is_told_apart_from_a_crashed_browser(peer: Peer) -> None:
    def script(peer: Peer) -> None:
        peer.heard()
        peer.say({"method": "Inspector.targetCrashed", "sessionId": "s"})
        peer.heard()
        peer.say({"id": 2, "result": {}})

    pipe = peer.play(script)
    with pytest.raises(PageCrashedError):
        call(pipe, session="s")
    assert call(pipe, session="another") == {}
    with pytest.raises(PageCrashedError):
        pipe.wait("A.b", {}, session="s", seconds=60)


@pytest.mark.parametrize(
    "said", [b"\0", b"no json\0", b"[]\0", b'{"id":"one"}\0', b'{"id":1,"result":7}\0', b"\xff\0"]
)
def test_what_is_no_message_closes_the_pipe(peer: Peer, said: bytes) -> None:
    pipe = peer.play(lambda peer: peer.say_raw(said))
    with pytest.raises(ProtocolError):
        call(pipe)
    with pytest.raises(BrowserGoneError):
        call(pipe)


def test_a_message_without_end_is_given_up(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipe_module, "MAX_MESSAGE_BYTES", 10_000)
    pipe = peer.play(lambda peer: peer.say_raw(b"x" * 20_000))
    with pytest.raises(ProtocolError, match="too long"):
        call(pipe)


def test_only_the_newest_events_are_kept(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    events = [{"method": "A.b", "params": {"k": k}} for k in range(pipe_module.MAX_EVENTS + 1)]

    def script(peer: Peer) -> None:
        peer.heard()
        peer.say(*events, {"id": 1, "result": {}})

    pipe = peer.play(script)
    call(pipe)
    assert pipe.wait("A.b", {}, session=None, seconds=0) == {"k": 1}


@given(said=st.binary(max_size=200))
def test_no_bytes_of_a_browser_break_the_caller(said: bytes) -> None:
    peer = Peer()
    try:
        os.write(peer.answers, said)
        peer.leave()
        with pytest.raises(BrowserError):
            call(peer.pipe)
    finally:
        peer.end()


def test_a_closed_pipe_stays_closed(peer: Peer) -> None:
    peer.pipe.close()
    peer.pipe.close()
    with pytest.raises(BrowserGoneError):
        call(peer.pipe)
