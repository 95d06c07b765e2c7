"""The edge of every process: limits, threads, problems, and silence about what went wrong inside."""

import asyncio
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
import structlog
from structlog.testing import CapturingLogger

from tests.unit.web.homes import calls_to
from understudy.consent.errors import RefusedError, UnavailableError
from understudy.contract.messages import Health
from understudy.contract.routes import Access, Route
from understudy.sealing.errors import KeyFileError
from understudy.web.app import WORKERS, build_app
from understudy.web.calls import Answer, Call, Reply, Served
from understudy.web.journal import scrub

LIMIT = 100
ECHO = Route(method="POST", path="/echo/{segment}", access=Access.SIGNED, body_limit=LIMIT)
FILES = Route(method="GET", path="/files/{path:path}", access=Access.PUBLIC)
FAILS = Route(method="POST", path="/fails", access=Access.SIGNED, body_limit=LIMIT)
WAITS = Route(method="GET", path="/waits", access=Access.PUBLIC)
STOPS = Route(method="GET", path="/stops", access=Access.PUBLIC)

FAILURES: dict[bytes, Exception] = {
    b"refused": RefusedError("grant-expired", hint="ask again"),
    b"later": UnavailableError("the log is closed"),
    b"secret": ValueError("the key is 0123456789"),
    b"file": KeyFileError("/home/somebody/keys/server.json is open to others"),
}


class Edge:
    """An application with five routes, and the lines of its journal."""

    def __init__(self) -> None:
        self.log = CapturingLogger()
        self.gate = threading.Event()
        journal = structlog.wrap_logger(self.log, processors=[scrub])
        served = [
            Served(ECHO, lambda call: Reply(json.dumps([dict(call.parts), len(call.body)]).encode())),
            Served(FILES, lambda call: Reply(call.parts["path"].encode())),
            Served(FAILS, self.fail),
            Served(WAITS, self.wait),
            Served(STOPS, lambda _call: None, is_urgent=True),
        ]
        self.app = build_app(served, doorman=None, journal=journal)

    def fail(self, call: Call) -> Answer:
        raise FAILURES[call.body]

    def wait(self, _call: Call) -> Answer:
        self.gate.wait(10)
        return Health(role="server", is_ready=True)


@pytest.fixture
def edge() -> Edge:
    return Edge()


@pytest.fixture
def client(edge: Edge) -> Iterator[httpx.Client]:
    with calls_to(edge.app) as opened:
        yield opened


def test_a_call_arrives_with_its_parts_and_its_body(client: httpx.Client) -> None:
    assert client.post("/echo/abc", content=b"x" * LIMIT).json() == [{"segment": "abc"}, LIMIT]


def test_the_rest_of_a_path_is_one_part(client: httpx.Client) -> None:
    assert client.get("/files/a/b.p/3").content == b"a/b.p/3"


@pytest.mark.parametrize("size", [LIMIT + 1, LIMIT * 100])
def test_a_body_over_the_limit_is_refused_by_its_length(client: httpx.Client, size: int) -> None:
    answer = client.post("/echo/abc", content=b"x" * size)
    assert (answer.status_code, answer.json()["type"]) == (413, "urn:understudy:too-large")


def test_a_body_over_the_limit_is_refused_while_it_arrives(client: httpx.Client) -> None:
    pieces = (b"x" * 60 for _ in range(1_000))
    assert client.post("/echo/abc", content=pieces).status_code == 413


def test_a_body_where_none_belongs_is_refused(client: httpx.Client) -> None:
    assert client.request("GET", "/files/a", content=b"xx").status_code == 413


@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        ("GET", "/nowhere", 404, "not-found"),
        ("GET", "/", 404, "not-found"),
        ("GET", "/schema", 404, "not-found"),
        ("GET", "/docs", 404, "not-found"),
        ("DELETE", "/stops", 405, "method"),
        ("POST", "/stops", 405, "method"),
        ("GET", "/echo/a/b", 404, "not-found"),
    ],
)
def test_what_does_not_exist_is_a_problem_too(
    client: httpx.Client, method: str, path: str, status: int, kind: str
) -> None:
    answer = client.request(method, path)
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:understudy:{kind}")
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_refusal_carries_its_reason_and_is_no_line_in_the_journal(client: httpx.Client, edge: Edge) -> None:
    answer = client.post("/fails", content=b"refused")
    told = answer.json()
    assert (answer.status_code, told["reason"], told["hint"]) == (403, "grant-expired", "ask again")
    assert edge.log.calls == []


def test_not_now_says_when_to_ask_again(client: httpx.Client) -> None:
    answer = client.post("/fails", content=b"later")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


@pytest.mark.parametrize("body", [b"secret", b"file"])
def test_what_went_wrong_inside_stays_inside(client: httpx.Client, edge: Edge, body: bytes) -> None:
    answer = client.post("/fails", content=body)
    assert answer.status_code == 500
    assert answer.json()["detail"] == ""
    assert b"0123456789" not in answer.content
    assert b"somebody" not in answer.content
    (line,) = edge.log.calls
    assert line.method_name == "error"
    assert "0123456789" not in str(line.kwargs)


def test_stopping_does_not_wait_behind_calls_that_wait_for_the_log(client: httpx.Client, edge: Edge) -> None:
    with ThreadPoolExecutor(WORKERS + 8) as pool:
        waiting = [pool.submit(client.get, "/waits") for _ in range(WORKERS + 4)]
        try:
            assert client.get("/stops").status_code == 204
            assert not any(call.done() for call in waiting)
        finally:
            edge.gate.set()
        assert {call.result().status_code for call in waiting} == {200}


def test_an_authenticated_route_without_a_doorman_is_never_built() -> None:
    route = Route(method="GET", path="/x", access=Access.AUTHENTICATED)
    with pytest.raises(TypeError):
        build_app([Served(route, lambda _call: None)], doorman=None, journal=structlog.get_logger())


def test_a_body_that_does_not_arrive_gives_its_place_back(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("understudy.web.app.BODY_SECONDS", 0.2)
    sent: list[Any] = []

    async def never() -> Any:
        await asyncio.sleep(30)

    async def take(message: Any) -> None:
        sent.append(message)

    scope: Any = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/echo/abc",
        "raw_path": b"/echo/abc",
        "query_string": b"",
        "root_path": "",
        "headers": [(b"content-length", b"50")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
    }
    asyncio.run(asyncio.wait_for(edge.app(scope, never, take), timeout=10))
    assert sent[0]["status"] == 408
    assert b"slow-body" in sent[1]["body"]
