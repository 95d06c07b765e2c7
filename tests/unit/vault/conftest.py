"""A server with a vault, and a participant who agreed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.programme.stage import Person
from tests.unit.vault.stage import VaultStage


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[VaultStage]:
    with VaultStage(tmp_path / "server") as stage:
        yield stage


@pytest.fixture
def anna() -> Person:
    return Person("anna")


@pytest.fixture
def consent(stage: VaultStage, anna: Person) -> str:
    return stage.agree(anna)
