"""Where custodians and witnesses run: profile ``production`` wants them on other machines.

Rules

* Every custodian and witness is asked for the digests of its host as soon as it answers. One that shares the
  server's is a refusal; one that has not answered yet keeps the server from opening anything.
* The digests are the other party's own word. Two parties who want to deceive can; one operator who is
  careless cannot.

Example: ``Neighbours(links.neighbours, this_host(), is_demanded=True).check()``.
"""

from collections.abc import Mapping
from typing import Protocol

from understudy.consent.errors import UnderstudyError
from understudy.contract.messages import Host, Identity
from understudy.web.errors import SharedHostError
from understudy.web.host import is_shared


class Identified(Protocol):
    """Whoever can be asked who it is."""

    def identity(self) -> Identity:
        """Return who answers there."""
        ...


class Neighbours:
    """Where custodians and witnesses run; profile ``production`` wants them elsewhere."""

    def __init__(self, neighbours: Mapping[str, Identified], here: Host, *, is_demanded: bool) -> None:
        """Watch over ``neighbours``.

        Args:
            neighbours: custodians and witnesses by what they are called.
            here: this machine.
            is_demanded: whether they must be elsewhere: profile ``production``.
        """
        self._here = here
        self._is_demanded = is_demanded
        self._unknown = dict(neighbours)
        self._shared: list[str] = []

    def check(self) -> None:
        """Ask those who have not answered yet.

        Raises:
            SharedHostError: one of them runs on this machine.
        """
        if not self._is_demanded:
            return
        for name, asked in tuple(self._unknown.items()):
            try:
                host = asked.identity().host
            except UnderstudyError:
                continue
            del self._unknown[name]
            if is_shared(self._here, host):
                self._shared.append(name)
        if self._shared:
            raise SharedHostError(
                "shared-host",
                message=f"profile production, and {', '.join(self._shared)} run on this machine",
                hint="run them on machines of their own, under other people",
            )

    def problem(self) -> str:
        """Return why nothing may be opened yet, or nothing."""
        if self._shared:
            return f"{', '.join(self._shared)} share this machine"
        if self._is_demanded and self._unknown:
            return f"{', '.join(self._unknown)} have not answered where they run"
        return ""
