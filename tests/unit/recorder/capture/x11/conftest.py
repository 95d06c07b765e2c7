"""A real display for the sources: shared where it survives the test, private where it does not."""

from collections.abc import Iterator

import pytest

from tests.desktop import desktop, private_desktop
from understudy.demo.desktop import Desktop
from understudy.demo.display import Display as Hands

__all__ = ["desktop", "hands", "private_desktop"]


@pytest.fixture
def hands(desktop: Desktop) -> Iterator[Hands]:
    """XTEST input on the shared desktop."""
    with Hands(desktop.display) as display:
        yield display
