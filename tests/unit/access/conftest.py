"""A whole server for every test of the door."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.access.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path / "server") as world:
        yield world
