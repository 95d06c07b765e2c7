"""What the tests of the processes share: homes to look at, and one machine that really runs."""

from pathlib import Path

import pytest

from tests.unit.web.homes import Homes


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Homes:
    """Return homes after the ceremony. Tests open them one after the other and change nothing that counts."""
    return Homes(tmp_path_factory.mktemp("homes"))


@pytest.fixture
def fresh(tmp_path: Path) -> Homes:
    """Return homes of one's own."""
    return Homes(tmp_path)
