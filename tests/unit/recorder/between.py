"""A server that answers wrongly: the real one, with single methods replaced by a test.

Example: ``Between(world.port, enrol=lambda record: forged)`` forges enrolment answers.
"""

from collections.abc import Callable
from typing import Any

from understudy.contract.ports import ServerPort


class Between:
    """Whoever sits between device and server; forwards what no test replaces."""

    def __init__(self, server: ServerPort, **replaced: Callable[..., Any]) -> None:
        self._server = server
        self._replaced = replaced

    def __getattr__(self, name: str) -> Any:
        return self._replaced.get(name) or getattr(self._server, name)
