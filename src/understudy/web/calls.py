"""A call and its answer as values, so that what answers knows nothing of a web framework.

Rules

* A responder is an ordinary function from ``Call`` to an answer. It runs in a worker thread and may wait.
* For an authenticated route ``Call.caller`` is the public key that signed the call; elsewhere it is empty.
* An answer is a value, which becomes JSON; a ``Reply`` with bytes of its own; or None for "done, nothing to
  say".

Example: ``Served(routes.DOCUMENT, lambda call: programme.document())``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

from understudy.consent.primitives import Value
from understudy.contract.body import read_body
from understudy.contract.routes import Route

T = TypeVar("T", bound=Value)

JSON: Final = "application/json"
TEXT: Final = "text/plain"
HTML: Final = "text/html"
OCTETS: Final = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Call:
    """What arrived, after the checks that need no meaning."""

    parts: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    caller: str
    byte_range: str | None = None
    """The ``Range`` header, for answers that can be had in pieces."""

    def read(self, kind: type[T]) -> T:
        """Return the body as ``kind``; ``FormatError`` if it is none."""
        return read_body(kind, self.body)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer with its own bytes."""

    body: bytes
    media_type: str = OCTETS
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Answer = Value | Reply | None
Responder = Callable[[Call], Answer]


def anybody(_key: str) -> bool:
    """Expect every caller; the responder decides by what the call is about."""
    return True


@dataclass(frozen=True, slots=True)
class Served:
    """One route and what answers it.

    Attributes:
        route: the row of ``contract.routes``.
        respond: what answers.
        expected: for authenticated routes, which keys may call at all.
        is_urgent: has worker threads of its own, so that it never waits behind calls that wait for the log.
    """

    route: Route
    respond: Responder
    expected: Callable[[str], bool] = anybody
    is_urgent: bool = False
