"""What the tests of the device share: a programme to talk to, and one participant."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulator import Participant, Simulator


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Simulator]:
    """A programme that was lifted."""
    with Simulator(tmp_path / "world") as made:
        yield made


@pytest.fixture
def ana(world: Simulator) -> Participant:
    """A synthetic participant who is enrolled and has consented."""
    return world.participant("ana")
