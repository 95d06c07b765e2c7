"""What the promise tests share: a programme in which something was shared, and the count of seeded faults.

Rules

* ``scene`` is a fresh copy of one prepared programme: two participants, their recordings, a grant in force.
* ``faults`` notes every fault that a test seeded, and whether the test's own check noticed. A check that was
  never shown to fail proves nothing. The end of the run says how many of them were caught.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cast import STARTED_AT
from tests.promises.scene import CANARIES, Scene
from tests.simulator import Simulator

LATER = STARTED_AT + 120
"""When a copied programme goes on: the last cosignature is stale by then."""

_FAULTS = pytest.StashKey[dict[str, bool]]()


class Faults:
    """Seeded faults, and whether a check caught them."""

    def __init__(self, seen: dict[str, bool]) -> None:
        self.seen = seen

    def caught(self, name: str, *, caught: bool = True) -> None:
        """Note that the check noticed the fault ``name``; fail if it did not."""
        self.seen[name] = caught
        assert caught, f"the seeded fault {name!r} was not noticed"


@pytest.fixture
def faults(request: pytest.FixtureRequest) -> Faults:
    """Return where seeded faults are noted."""
    return Faults(request.config.stash.setdefault(_FAULTS, {}))


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folders of a programme in which ana and ben have shared two segments each."""
    root = tmp_path_factory.mktemp("prepared") / "world"
    with Simulator(root) as world:
        for name in ("ana", "ben"):
            world.participant(name).share(2, canaries=CANARIES if name == "ana" else ())
    return root


@pytest.fixture
def copied(prepared: Path, tmp_path: Path) -> Path:
    """Return a copy of the prepared folders, for tests that start the programme themselves."""
    root = tmp_path / "world"
    shutil.copytree(prepared, root)
    return root


@pytest.fixture
def scene(copied: Path) -> Iterator[Scene]:
    """Return the prepared programme, running, with a grant in force."""
    with Simulator(copied, at=LATER) as world:
        yield Scene(world)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say how many of the seeded faults the tests noticed."""
    seen = config.stash.get(_FAULTS, {})
    if seen:
        terminalreporter.write_line(f"seeded faults: {sum(seen.values())} of {len(seen)} caught")
