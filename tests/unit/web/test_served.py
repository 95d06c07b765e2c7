"""Every route is in the table, every table row is served, and whoever is nobody gets nothing.

Deny by default is tested by listing: a route without a row, or a row that nobody serves, fails here.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx
import pytest
from litestar import Litestar

from tests.unit.web.homes import Homes, calls_to
from understudy.contract.auth import sign_request
from understudy.contract.body import read_body
from understudy.contract.messages import Problem
from understudy.contract.routes import (
    ADD_CHECKPOINT,
    CUSTODIAN_ROUTES,
    LOG_ENTRIES,
    LOG_TILE,
    REQUEST_LIST,
    SERVER_ROUTES,
    WITNESS_ROUTES,
    Access,
    Route,
)
from understudy.sealing.signing import SigningKey

TABLES = {"server": SERVER_ROUTES, "custodian": CUSTODIAN_ROUTES, "witness": WITNESS_ROUTES}
PARTS = {
    "segment": "seg_" + "A" * 22,
    "request_id": "req_" + "A" * 22,
    "tag": "A" * 43,
    "path": "000.p/1",
}
ROUTES = [(party, route) for party, table in TABLES.items() for route in table]
IDS = [f"{party} {route.method} {route.path}" for party, route in ROUTES]


@pytest.fixture(scope="module")
def apps(homes: Homes) -> Iterator[dict[str, Litestar]]:
    """Return the three applications as the processes serve them."""
    with homes.witness() as witness, homes.custodian() as custodian, homes.server() as server:
        yield {"server": server.app, "custodian": custodian.app, "witness": witness.app}


@pytest.fixture(scope="module")
def clients(apps: dict[str, Litestar]) -> Iterator[dict[str, httpx.Client]]:
    with _all(apps) as opened:
        yield opened


@contextmanager
def _all(apps: dict[str, Litestar]) -> Iterator[dict[str, httpx.Client]]:
    with ExitStack() as opened:
        yield {name: opened.enter_context(calls_to(app)) for name, app in apps.items()}


@pytest.mark.parametrize("party", sorted(TABLES))
def test_a_process_serves_exactly_its_table(apps: dict[str, Litestar], party: str) -> None:
    served = {
        (method, route.path)
        for route in apps[party].routes
        for method in getattr(route, "methods", ())
        if method != "OPTIONS"
    }
    assert served == {(route.method, route.litestar_path) for route in TABLES[party]}


@pytest.mark.parametrize(("party", "route"), ROUTES, ids=IDS)
def test_a_stranger_gets_public_answers_and_nothing_else(
    clients: dict[str, httpx.Client], party: str, route: Route
) -> None:
    answer = _call(clients[party], route)
    if route.access is Access.PUBLIC:
        assert answer.status_code in {200, 404, 503}
    elif route.access is Access.AUTHENTICATED:
        assert answer.status_code == 401
    elif route is ADD_CHECKPOINT:
        assert answer.status_code == 400
    else:
        assert answer.status_code in {400, 401, 403, 404, 503}
        assert _call(clients[party], route, b'{"document":{"body":"","signatures":[]}}').status_code >= 400


@pytest.mark.parametrize(
    ("party", "route"),
    [case for case in ROUTES if case[1].access is Access.AUTHENTICATED],
    ids=[name for name, case in zip(IDS, ROUTES, strict=True) if case[1].access is Access.AUTHENTICATED],
)
def test_a_stranger_with_a_key_of_their_own_is_refused_too(
    clients: dict[str, httpx.Client], homes: Homes, party: str, route: Route
) -> None:
    audience = homes.document.key_set.server
    if party == "custodian":
        audience = homes.document.key_set.custodians[0].signing
    body = b"{}" if route.body_limit else b""
    header = sign_request(
        SigningKey.generate(),
        audience=audience,
        method=route.method,
        target=_target(route),
        body=body,
        now=homes.clock.now(),
    )
    answer = _call(clients[party], route, body, authorization=header)
    assert answer.status_code == 403
    assert read_body(Problem, answer.content).reason == "caller-unknown"


def test_a_member_is_let_in_where_a_stranger_is_not(clients: dict[str, httpx.Client], homes: Homes) -> None:
    answer = _call(clients["server"], REQUEST_LIST, authorization=_as_member(homes, REQUEST_LIST, "steward"))
    assert answer.status_code == 200
    assert answer.json() == {"requests": []}


@pytest.mark.parametrize(("name", "status"), [("auditor", 200), ("researcher", 403), ("reader", 403)])
def test_raw_leaves_go_to_auditors_and_not_to_researchers(
    clients: dict[str, httpx.Client], homes: Homes, name: str, status: int
) -> None:
    answer = _call(clients["server"], LOG_ENTRIES, authorization=_as_member(homes, LOG_ENTRIES, name))
    assert answer.status_code == status


def test_the_public_tile_route_does_not_give_raw_leaves(clients: dict[str, httpx.Client]) -> None:
    for path in ("/log/tile/entries/000.p/1", "/log/tile//entries/000.p/1", "/log/tile/./entries/000.p/1"):
        assert clients["server"].get(path).status_code in {400, 401, 403, 404}


@pytest.mark.parametrize("changed", ["audience", "target", "body", "old", "early", "replayed", "key"])
def test_a_call_that_was_signed_for_something_else_is_refused(
    clients: dict[str, httpx.Client], homes: Homes, changed: str
) -> None:
    steward, now = homes.ceremony.people.key("steward"), homes.clock.now()
    header = sign_request(
        steward,
        audience="A" * 43 if changed == "audience" else homes.document.key_set.server,
        method="GET",
        target="/v1/requests?x=1" if changed == "target" else "/v1/requests",
        body=b"x" if changed == "body" else b"",
        now=now + {"old": -3_600, "early": 3_600}.get(changed, 0),
    )
    if changed == "key":
        header = header[:-8] + "AAAAAAAA"
    if changed == "replayed":
        assert _call(clients["server"], REQUEST_LIST, authorization=header).status_code == 200
    answer = _call(clients["server"], REQUEST_LIST, authorization=header)
    assert answer.status_code == (403 if changed in {"old", "early"} else 401)


def test_every_answer_forbids_what_a_browser_might_do_with_it(clients: dict[str, httpx.Client]) -> None:
    for party, route in ROUTES:
        headers = _call(clients[party], route).headers
        assert "default-src 'none'" in headers["content-security-policy"], route
        assert headers["x-content-type-options"] == "nosniff", route
        assert "no-store" in headers["cache-control"] or "immutable" in headers["cache-control"], route


def test_no_answer_names_a_key_that_is_secret(clients: dict[str, httpx.Client], homes: Homes) -> None:
    secrets = [homes.ceremony.people.key(name).seed for name in ("steward", "lift-1", "recovery-1")]
    for party, route in ROUTES:
        content = _call(clients[party], route).content
        assert not any(secret in content or secret.hex().encode() in content for secret in secrets)


def _as_member(homes: Homes, route: Route, name: str) -> str:
    return sign_request(
        homes.ceremony.people.key(name),
        audience=homes.document.key_set.server,
        method=route.method,
        target=_target(route),
        now=homes.clock.now(),
    )


def _target(route: Route) -> str:
    level = {"path": "0/000.p/1"} if route is LOG_TILE else {}
    return route.target(PARTS | level)


def _call(client: httpx.Client, route: Route, body: bytes | None = None, **headers: str) -> httpx.Response:
    content = b"{}" if body is None and route.body_limit else body
    return client.request(
        route.method, _target(route), content=content or None, headers=headers, follow_redirects=False
    )
