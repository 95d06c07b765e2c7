"""The table of paths: complete, unambiguous, and denying by default."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.contract import routes
from understudy.contract.routes import (
    CUSTODIAN_ROUTES,
    SERVER_ROUTES,
    WITNESS_ROUTES,
    Access,
    Route,
)

TABLES = {"server": SERVER_ROUTES, "custodian": CUSTODIAN_ROUTES, "witness": WITNESS_ROUTES}
PUBLIC = {
    "/",
    "/metrics",
    "/v1/health",
    "/v1/identity",
    "/v1/document",
    "/v1/switch",
    "/v1/switch/custodian",
    "/log/checkpoint",
    "/log/tile/{path:path}",
}
"""Everything that answers anybody. Whoever makes this longer has to say what it gives away."""


def test_only_what_is_listed_here_answers_anybody() -> None:
    found = {route.path for table in TABLES.values() for route in table if route.access is Access.PUBLIC}
    assert found == PUBLIC


def test_whatever_is_public_only_reads() -> None:
    for table in TABLES.values():
        assert all(route.method == "GET" for route in table if route.access is Access.PUBLIC)


def test_whatever_is_signed_brings_a_body_and_whatever_reads_brings_none() -> None:
    for table in TABLES.values():
        for route in table:
            assert (route.body_limit == 0) == (route.method == "GET"), route


@pytest.mark.parametrize("name", sorted(TABLES))
def test_no_path_stands_twice_for_one_method(name: str) -> None:
    paths = [(route.method, route.path) for route in TABLES[name]]
    assert len(set(paths)) == len(paths)


def test_every_route_of_the_module_is_served_by_somebody() -> None:
    known = {value for value in vars(routes).values() if isinstance(value, Route)}
    assert known == {route for table in TABLES.values() for route in table}


@given(st.text(min_size=1, max_size=30))
def test_a_part_of_a_path_never_becomes_more_than_one(part: str) -> None:
    path = routes.REQUEST.target({"request_id": part})
    assert path.count("/") == 3
    assert "?" not in path
    assert "#" not in path


@given(st.dictionaries(st.sampled_from(["grant", "cursor"]), st.text(max_size=20)))
def test_query_values_stay_values(query: dict[str, str]) -> None:
    target = routes.SEGMENTS.target(query=query)
    assert target.startswith("/v1/segments")
    assert target.count("?") <= 1
    assert all(character.isascii() and character.isprintable() for character in target)
