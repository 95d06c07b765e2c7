"""What the tests of the log share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.transparency.samples import World
from understudy.transparency.sequencer import Sequencer


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A new log with one witness; nothing runs yet."""
    made = World(tmp_path)
    made.create()
    yield made
    made.stop()


@pytest.fixture
def sequencer(world: World) -> Iterator[Sequencer]:
    """A running sequencer on ``world``."""
    with world.sequencer() as running:
        yield running
