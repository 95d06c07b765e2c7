"""A witness over HTTP (C2SP tlog-witness): the sequencer's ``Cosigner``.

Rules

* The statuses are the specification's: 409 carries the witness's latest size, everything else is refused or
  not now.
* A call returns or raises within seconds. It is not repeated here: the sequencer's rounds do that, with a
  newer tree.
* The answer is not believed here; the sequencer verifies the cosignature against the key set.

Example: ``WitnessLink(key, HttpWitness("http://127.0.0.1:8472"))``.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from understudy.client.custodian import answer_of
from understudy.client.errors import NoAnswerError
from understudy.client.http import Connection
from understudy.contract.messages import Identity
from understudy.contract.routes import ADD_CHECKPOINT, IDENTITY
from understudy.transparency.cosigning import AddCheckpoint
from understudy.transparency.errors import (
    BadRequestError,
    NotConsistentError,
    SizeConflictError,
    TransparencyError,
    UnknownLogError,
    UntrustedCheckpointError,
    WitnessUnavailableError,
)

WITNESS_SECONDS: Final = 5.0
SIZE_TYPE: Final = "text/x.tlog.size"
"""Media type of a 409's body: the size of the witness's latest checkpoint, in decimal."""
_MAX_SIZE_DIGITS: Final = 16
_OK: Final = 200
_FORBIDDEN: Final = 403
_KINDS: Final[Mapping[int, type[TransparencyError]]] = {
    _FORBIDDEN: UntrustedCheckpointError,
    **{kind.status: kind for kind in (BadRequestError, UnknownLogError, NotConsistentError)},
}


class HttpWitness:
    """One witness at one address."""

    def __init__(self, connection: Connection) -> None:
        self._connection: Final = connection

    def identity(self) -> Identity:
        """Return who answers here."""
        return answer_of(Identity, self._connection.call(IDENTITY))

    def cosign(self, note: bytes, old_size: int, path: Sequence[bytes]) -> bytes:
        """Return the witness's signature lines on the checkpoint in ``note``; raises as ``Cosigner`` says."""
        body = AddCheckpoint(old_size, tuple(path), note).to_bytes()
        try:
            status, answer = self._connection.exchange(ADD_CHECKPOINT, body, seconds=WITNESS_SECONDS)
        except NoAnswerError as error:
            raise WitnessUnavailableError("the witness did not answer") from error
        if status == _OK:
            return answer
        raise _refusal(status, answer)


def _refusal(status: int, answer: bytes) -> Exception:
    if status == SizeConflictError.status:
        text = answer.strip()
        if text.isdigit() and len(text) <= _MAX_SIZE_DIGITS:
            return SizeConflictError(int(text))
        return WitnessUnavailableError("the witness named no size")
    kind = _KINDS.get(status, WitnessUnavailableError)
    return kind(f"the witness answered {status}")
