"""A stage for every test of the programme."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.programme.stage import Person, Stage


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with Stage(tmp_path / "server") as stage:
        yield stage


@pytest.fixture
def anna() -> Person:
    return Person("anna")
