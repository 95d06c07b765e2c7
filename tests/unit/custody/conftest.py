"""What the tests of custody share: a custodian that is pinned and lifted, and two participants."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.custody.world import Participant, World


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[World]:
    """Return a world whose custodian has pinned nothing yet."""
    world = World(tmp_path)
    yield world
    world.custodian.close()


@pytest.fixture
def world(empty: World) -> World:
    """Return a world whose custodian is pinned and lifted."""
    empty.start()
    return empty


@pytest.fixture
def one(world: World) -> Participant:
    """Return a participant with consent."""
    return world.join("one")


@pytest.fixture
def two(world: World) -> Participant:
    """Return another participant with consent."""
    return world.join("two")
