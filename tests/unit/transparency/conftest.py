"""What the tests of the log share."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.transparency.samples import World
from understudy.transparency.sequencer import Sequencer


@pytest.fixture(scope="session")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the stores of a new log; copying them is cheaper than making them durable each time."""
    folder = tmp_path_factory.mktemp("blank")
    World(folder).create()
    return folder


@pytest.fixture
def world(blank: Path, tmp_path: Path) -> Iterator[World]:
    """A new log with one witness; nothing runs yet."""
    shutil.copytree(blank, tmp_path, dirs_exist_ok=True)
    made = World(tmp_path)
    yield made
    made.stop()


@pytest.fixture
def sequencer(world: World) -> Iterator[Sequencer]:
    """A running sequencer on ``world``."""
    with world.sequencer() as running:
        yield running
