"""A whole server for every test of the door."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.access.world import Person, World


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One server for a whole module; each test brings its own participants."""
    with World(tmp_path_factory.mktemp("shared") / "server") as world:
        yield world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path / "server") as world:
        yield world


@pytest.fixture
def somebody(shared: World, request: pytest.FixtureRequest) -> Person:
    """A synthetic participant of the shared server whom no other test knows."""
    return shared.join(request.node.nodeid)
