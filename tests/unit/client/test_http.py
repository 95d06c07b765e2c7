"""Calls to a party that misbehaves: bounded, typed, never believed, repeated only where that is harmless."""

import time

import pytest

from tests.unit.client.peer import Answer, Peer, answer, cut_off, endless, hang_up, silent
from understudy.client.http import REPEATS, Connection
from understudy.consent.clock import FixedClock
from understudy.consent.errors import NotFoundError, RefusedError, UnavailableError
from understudy.contract.auth import Doorman
from understudy.contract.body import write_body
from understudy.contract.errors import AnswerError, InternalError
from understudy.contract.messages import Problem
from understudy.contract.problems import problem_of
from understudy.contract.routes import HEALTH, OPENS, QUEUE, UPLOAD_CHUNK
from understudy.sealing.errors import SignatureError
from understudy.sealing.signing import SigningKey

NOW = 1_800_000_000
SEGMENT = {"segment": "seg_" + "A" * 22}


def problem(error: Exception) -> Answer:
    told = problem_of(error)
    return answer(told.status, write_body(told), content_type="application/problem+json")


def test_an_answer_within_its_limit_is_returned_whole() -> None:
    with Peer([answer(200, b"x" * HEALTH.answer_limit)]) as peer:
        assert Connection(peer.address).call(HEALTH) == b"x" * HEALTH.answer_limit


@pytest.mark.parametrize(
    "script",
    [answer(200, b"x" * (HEALTH.answer_limit + 1)), endless(200), endless(400)],
    ids=["one byte", "endless", "endless problem"],
)
def test_an_answer_without_end_is_given_up(script: Answer) -> None:
    with Peer([script]) as peer, pytest.raises(AnswerError):
        Connection(peer.address).call(HEALTH)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_is_followed(status: int) -> None:
    with Peer([answer(200, b"elsewhere")]) as elsewhere:
        with Peer([answer(status, b"", location=elsewhere.address)]) as peer, pytest.raises(InternalError):
            Connection(peer.address).call(HEALTH)
        assert elsewhere.requests == []


def test_what_the_other_side_raised_is_raised_here() -> None:
    with Peer([problem(RefusedError("grant-expired", hint="ask again"))]) as peer:
        with pytest.raises(RefusedError) as refused:
            Connection(peer.address).call(OPENS, b"{}")
        assert (refused.value.reason, refused.value.hint) == ("grant-expired", "ask again")
        assert len(peer.requests) == 1


def test_a_page_of_somebody_else_is_an_error_of_its_status() -> None:
    with Peer([answer(404, b"<html>nginx</html>")]) as peer, pytest.raises(NotFoundError):
        Connection(peer.address).call(HEALTH)


def test_not_now_is_asked_again_and_then_given_up() -> None:
    with Peer([problem(UnavailableError("later"))]) as peer:
        with pytest.raises(UnavailableError, match="later"):
            Connection(peer.address).call(OPENS, b"{}")
        assert len(peer.requests) == REPEATS + 1


def test_a_repeated_call_that_is_answered_at_last_is_an_answer() -> None:
    with Peer([problem(UnavailableError("later")), answer(200, b"{}")]) as peer:
        assert Connection(peer.address).call(OPENS, b"{}") == b"{}"


@pytest.mark.parametrize(
    "script", [hang_up, cut_off, problem(UnavailableError("later"))], ids=["hang up", "cut off", "later"]
)
def test_a_call_that_must_not_be_repeated_is_sent_once(script: Answer) -> None:
    with Peer([script]) as peer:
        with pytest.raises(UnavailableError):
            Connection(peer.address).call(UPLOAD_CHUNK, b"x", parts=SEGMENT)
        assert len(peer.requests) == 1


def test_no_refusal_is_ever_asked_again() -> None:
    with Peer([problem(SignatureError("no"))]) as peer:
        with pytest.raises(SignatureError):
            Connection(peer.address).call(OPENS, b"{}")
        assert len(peer.requests) == 1


@pytest.mark.parametrize("script", [hang_up, cut_off])
def test_a_connection_that_breaks_is_not_now(script: Answer) -> None:
    with Peer([script]) as peer, pytest.raises(UnavailableError):
        Connection(peer.address).call(HEALTH)


def test_silence_ends_after_the_time_that_was_given() -> None:
    with Peer([silent]) as peer:
        started = time.monotonic()
        with pytest.raises(UnavailableError, match="in time"):
            Connection(peer.address, read_seconds=0.1).call(UPLOAD_CHUNK, b"x", parts=SEGMENT)
        assert time.monotonic() - started < 1.0


def test_nobody_there_is_not_now() -> None:
    with Peer([hang_up]) as peer:
        address = peer.address
    with pytest.raises(UnavailableError, match="cannot be reached"):
        Connection(address).call(HEALTH)


def test_an_authenticated_call_is_signed_anew_for_each_try_and_names_its_audience() -> None:
    key, audience = SigningKey.generate(), SigningKey.generate().public
    with Peer([problem(UnavailableError("later")), answer(200, b"{}")]) as peer:
        Connection(peer.address, clock=FixedClock(NOW)).call(QUEUE, key=key, audience=audience)
        headers = [_authorization(request) for request in peer.requests]
    desk = Doorman(audience=audience, clock=FixedClock(NOW))
    callers = [desk.identify(text, method="GET", target="/v1/switch/queue") for text in headers]
    assert callers == [key.public, key.public]


def test_an_environment_full_of_proxies_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with Peer([answer(200, b"proxy")]) as proxy, Peer([answer(200, b"party")]) as peer:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, proxy.address)
        assert Connection(peer.address).call(HEALTH) == b"party"
        assert proxy.requests == []


def test_a_problem_without_a_known_type_keeps_its_reason() -> None:
    told = Problem(type="urn:understudy:newer", title="t", status=403, reason="new-rule")
    with Peer([answer(403, write_body(told))]) as peer, pytest.raises(RefusedError) as refused:
        Connection(peer.address).call(HEALTH)
    assert refused.value.reason == "new-rule"


def _authorization(request: bytes) -> str:
    (line,) = [line for line in request.split(b"\r\n") if line.lower().startswith(b"authorization:")]
    return line.split(b": ", 1)[1].decode()
