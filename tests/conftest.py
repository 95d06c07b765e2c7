"""What every test may rely on.

Rules

* The network is closed, except loopback and Unix sockets. An audit hook (PEP 578) sees connections, datagrams
  and name look-ups of every thread and every Python library, and refuses them with ``NetworkClosedError``.
* Not covered: child processes that a test starts, and extension modules that speak to the operating system
  themselves (granian, for one). A test that uses either gives them loopback addresses only.
* Hypothesis is deterministic by default, so that two runs of one commit agree.
  ``UNDERSTUDY_HYPOTHESIS=thorough`` searches at random and longer.
* Public test vectors lie beside the project, not in it. Where they are absent, tests that need them are
  skipped and say so.
"""

import ipaddress
import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).parent.parent

settings.register_profile(
    "ci",
    derandomize=True,
    database=None,
    deadline=None,  # a shared machine has no stable clock; pytest-timeout ends what hangs
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
)
settings.register_profile(
    "thorough", deadline=None, max_examples=2_000, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("UNDERSTUDY_HYPOTHESIS", "ci"))


class NetworkClosedError(RuntimeError):
    """A test tried to reach beyond this machine. Not an ``OSError``: no retry may swallow it."""


_ADDRESS_EVENTS = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_NAME_EVENTS = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"})


def _close_network(event: str, args: tuple[object, ...]) -> None:
    if event in _ADDRESS_EVENTS:
        address = args[1]
        # Unix sockets are addressed by a path, netlink by numbers, a connected datagram by nothing.
        if isinstance(address, tuple) and isinstance(address[0], str) and not _is_loopback(address[0]):
            raise NetworkClosedError(f"a test tried to reach {address[0]}")
    elif event in _NAME_EVENTS:
        host = args[0]
        if isinstance(host, str) and host and not _is_literal(host) and not _is_loopback(host):
            raise NetworkClosedError(f"a test tried to look up {host}")


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    return host == "localhost" or (_is_literal(host) and ipaddress.ip_address(host).is_loopback)


sys.addaudithook(_close_network)


@pytest.fixture
def vectors(request: pytest.FixtureRequest) -> Path:
    """Return the folder of public test vectors: ``merkle`` and ``wycheproof``."""
    folder = ROOT.parent / "shared" / "vectors"
    if not folder.is_dir():
        pytest.skip(
            f"no public test vectors beside the project (../shared/vectors): {request.node.name} did not run"
        )
    return folder
