"""What the tests of custody share: a custodian that is pinned and lifted, and two participants."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.custody.world import Participant, World


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Return a world to copy: pinned, lifted, with two participants who gave consent. Nobody changes it."""
    world = World(tmp_path_factory.mktemp("template"))
    world.start()
    world.join("one")
    world.join("two")
    yield world
    world.custodian.close()


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[World]:
    """Return a world whose custodian has pinned nothing yet."""
    world = World(tmp_path)
    yield world
    world.custodian.close()


@pytest.fixture
def world(template: World, tmp_path: Path) -> Iterator[World]:
    """Return a world of one's own: pinned and lifted, ``one`` and ``two`` enrolled with consent."""
    copied = template.copy(tmp_path)
    yield copied
    copied.custodian.close()


@pytest.fixture
def one() -> Participant:
    """Return the first participant."""
    return Participant("one")


@pytest.fixture
def two() -> Participant:
    """Return the second participant."""
    return Participant("two")
