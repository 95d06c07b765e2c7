"""A real desktop for tests: one a session, shared; import the fixture where it is needed.

Example, in a ``conftest.py``: ``from tests.desktop import desktop`` and name it in ``__all__``.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from understudy.demo.desktop import Desktop

__all__ = ["desktop", "private_desktop"]


@pytest.fixture(scope="session")
def desktop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desktop]:
    """Yield a desktop (X server, session bus, window manager) shared by all tests of the process."""
    with Desktop(tmp_path_factory.mktemp("desktop")) as running:
        yield running


@pytest.fixture
def private_desktop(tmp_path: Path) -> Iterator[Desktop]:
    """Yield a desktop for one test alone: it may be killed."""
    with Desktop(tmp_path / "desktop") as running:
        yield running
