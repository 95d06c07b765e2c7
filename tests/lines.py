"""What stands for the network in tests: lines that can be cut, that lose answers, and that are listened to.

Rules

* A line forwards every call to the other party as it is now, so a party that was started again is found.
* Cut: nothing arrives. Losing answers: what was asked is done, and nobody hears of it.
* ``calls`` is what an eavesdropper has: every call's name and arguments, oldest first.
* Failures are those that the HTTP clients raise.

Example: ``world.custodian_line.is_cut = True``; from then on the custodian is unreachable.
"""

from collections.abc import Callable, Sequence
from typing import Any, cast

from tests.cast import CUSTODIAN
from understudy.consent.errors import UnavailableError
from understudy.contract.ports import ServerPort
from understudy.transparency.errors import WitnessUnavailableError
from understudy.transparency.sequencer import Sequencer
from understudy.transparency.witness import LocalCosigner, Witness


class Line:
    """The line to one party; subclasses say how its failure looks."""

    def __init__(self, party: Callable[[], object]) -> None:
        self._party = party
        self.is_cut = False
        self.loses_answers = False
        self.calls: list[tuple[str, tuple[Any, ...]]] = []

    def carry(self, name: str, *args: Any) -> Any:
        """Call ``name`` of the other party, as far as the line lets it through."""
        if self.is_cut:
            raise UnavailableError("the line is cut")
        self.calls.append((name, args))
        answer = getattr(self._party(), name)(*args)
        if self.loses_answers:
            raise UnavailableError("the answer was lost")
        return answer


class Between:
    """Whoever sits between a client and the server: answers some calls instead of it, forwards the others."""

    def __init__(self, server: object, **replaced: Callable[..., Any]) -> None:
        self._server = server
        self._replaced = replaced

    def __getattr__(self, name: str) -> Any:
        return self._replaced.get(name) or getattr(self._server, name)


def between(server: ServerPort, **replaced: Callable[..., Any]) -> ServerPort:
    """Return the server with some calls answered by somebody else."""
    return cast("ServerPort", Between(server, **replaced))


class CustodianLine(Line):
    """The line from the server to the custodian; a ``CustodianPort`` by ``__getattr__``."""

    name = CUSTODIAN

    def __getattr__(self, name: str) -> Any:
        return lambda *args: self.carry(name, *args)


class WitnessLine(Line):
    """The line from the log to its witness; a ``Cosigner``."""

    def __init__(self, witness: Callable[[], Witness]) -> None:
        super().__init__(lambda: LocalCosigner(witness()))

    def cosign(self, note: bytes, old_size: int, path: Sequence[bytes]) -> bytes:
        """Return the witness's signature lines."""
        try:
            answer: bytes = self.carry("cosign", note, old_size, path)
        except UnavailableError as error:
            raise WitnessUnavailableError(str(error)) from error
        return answer


class LogLine(Line):
    """The line from the custodian to the log."""

    def __init__(self, log: Callable[[], Sequencer]) -> None:
        super().__init__(lambda: log().store)
        self._log = log

    def entries(self, start: int, end: int) -> Sequence[bytes]:
        """Return raw leaves."""
        found: Sequence[bytes] = self.carry("entries", start, end)
        return found

    def checkpoint(self) -> bytes:
        """Return the newest cosigned checkpoint."""
        newest = self._log().newest
        if self.is_cut or newest is None:
            raise UnavailableError("no checkpoint")
        return newest.note
