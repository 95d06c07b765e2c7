"""One headless browser and one page server for all tests of this folder that only look."""

from collections.abc import Iterator

import pytest

from understudy.formats.elements import Box
from understudy.learning.browser import Chromium
from understudy.learning.miniwob import PageServer


@pytest.fixture(scope="session")
def server() -> Iterator[PageServer]:
    with PageServer() as running:
        yield running


@pytest.fixture(scope="session")
def browser(server: PageServer) -> Iterator[Chromium]:
    with Chromium(address=server.address(), headless=True, window=Box(0, 0, 500, 400)) as running:
        yield running


@pytest.fixture
def own_browser(server: PageServer) -> Iterator[Chromium]:
    """Yield a browser for one test alone: it may be killed."""
    with Chromium(address=server.address(), headless=True) as running:
        yield running
