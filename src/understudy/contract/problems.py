"""Errors as RFC 9457 problem details, and back into the same error class.

Rules

* What the server raises is what the caller catches: same class, same ``reason``, same ``hint``.
* Only errors made on purpose have words of their own. Everything else is a 500 without any detail.
* ``type`` and ``title`` belong to the class, ``detail`` to the occurrence; ``status`` repeats the HTTP
  status.
* An unknown ``type`` falls back on the status, so that an older client still gets the right family.

Example

>>> from understudy.consent.errors import RefusedError
>>> problem = problem_of(RefusedError("grant-expired", hint="ask again"))
>>> problem.status, problem.type, problem.reason
(403, 'urn:understudy:refused', 'grant-expired')
>>> error_of(problem).hint
'ask again'
"""

from typing import Final

import msgspec

from understudy.consent.errors import (
    ConflictError,
    NotFoundError,
    RefusedError,
    UnavailableError,
    UnderstudyError,
)
from understudy.contract.errors import InternalError, MethodError, SlowBodyError, TooLargeError
from understudy.contract.messages import Problem
from understudy.sealing.errors import DurabilityError, FormatError, SealError, SignatureError
from understudy.transparency.errors import (
    AppendTimeoutError,
    CheckpointError,
    MalformedError,
    NotCosignedError,
    OverloadedError,
    ProofError,
    QuorumError,
    RequestConflictError,
    RolledBackError,
    SequencerClosedError,
    StorageError,
    TileMissingError,
    WitnessUnavailableError,
)

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER_SECONDS: Final = 1
"""What a 503 asks the caller to wait."""

_URN: Final = "urn:understudy:"


class _Kind(msgspec.Struct, frozen=True):
    """One class of answer: its name in ``type``, its status and its fixed title."""

    name: str
    status: int
    title: str
    error: type[UnderstudyError]


_FORMAT = _Kind("format", 400, "not what this call takes", FormatError)
_SEAL = _Kind("seal", 400, "ciphertext, key and context do not belong together", SealError)
_SIGNATURE = _Kind("signature", 401, "a signature is missing or wrong", SignatureError)
_REFUSED = _Kind("refused", 403, "refused", RefusedError)
_NOT_FOUND = _Kind("not-found", 404, "there is no such thing", NotFoundError)
_METHOD = _Kind("method", 405, "not with this method", MethodError)
_CONFLICT = _Kind("conflict", 409, "already used for something else", ConflictError)
_TOO_LARGE = _Kind("too-large", 413, "too large", TooLargeError)
_SLOW_BODY = _Kind("slow-body", 408, "too slow", SlowBodyError)
_INTERNAL = _Kind("internal", 500, "internal error", InternalError)
_UNAVAILABLE = _Kind("unavailable", 503, "not now", UnavailableError)

_BY_CLASS: Final[tuple[tuple[tuple[type[UnderstudyError], ...], _Kind], ...]] = (
    ((TooLargeError,), _TOO_LARGE),
    ((SlowBodyError,), _SLOW_BODY),
    ((FormatError, MalformedError, ProofError), _FORMAT),
    ((QuorumError, RolledBackError), _UNAVAILABLE),
    ((SignatureError, CheckpointError), _SIGNATURE),
    ((SealError,), _SEAL),
    ((ConflictError, RequestConflictError), _CONFLICT),
    ((RefusedError,), _REFUSED),
    ((NotFoundError, TileMissingError), _NOT_FOUND),
    ((MethodError,), _METHOD),
    (
        (
            UnavailableError,
            DurabilityError,
            StorageError,
            NotCosignedError,
            AppendTimeoutError,
            OverloadedError,
            SequencerClosedError,
            WitnessUnavailableError,
        ),
        _UNAVAILABLE,
    ),
)
"""The first row that fits decides; more special classes stand first."""

_KINDS: Final = (
    _FORMAT,
    _SEAL,
    _SIGNATURE,
    _REFUSED,
    _NOT_FOUND,
    _METHOD,
    _CONFLICT,
    _TOO_LARGE,
    _SLOW_BODY,
    _INTERNAL,
    _UNAVAILABLE,
)
_BY_TYPE: Final = {_URN + kind.name: kind for kind in _KINDS}
_BY_STATUS: Final = {kind.status: kind for kind in reversed(_KINDS)}


def problem_of(error: Exception) -> Problem:
    """Return what a caller is told about ``error``; nothing at all unless it was raised on purpose."""
    kind = _kind_of(error)
    if kind is _INTERNAL:
        return Problem(type=_URN + kind.name, title=kind.title, status=kind.status)
    reason = error.reason if isinstance(error, RefusedError) else ""
    hint = error.hint if isinstance(error, UnderstudyError) else ""
    return Problem(
        type=_URN + kind.name,
        title=kind.title,
        status=kind.status,
        detail=str(error),
        reason=reason,
        hint=hint,
    )


def error_of(problem: Problem) -> UnderstudyError:
    """Return the error that ``problem`` stands for, to be raised by the caller."""
    kind = _BY_TYPE.get(problem.type) or _of_status(problem.status)
    message = problem.detail or problem.title
    if issubclass(kind.error, RefusedError):
        return kind.error(problem.reason or kind.name, hint=problem.hint, message=message)
    return kind.error(message, hint=problem.hint)


def error_of_answer(status: int, raw: bytes) -> UnderstudyError:
    """Return the error for an answer that may or may not be a problem document."""
    try:
        return error_of(msgspec.json.decode(raw, type=Problem))
    except (msgspec.DecodeError, UnicodeDecodeError):
        kind = _of_status(status)
        return error_of(Problem(type=_URN + kind.name, title=f"http status {status}", status=status))


def _kind_of(error: Exception) -> _Kind:
    for classes, kind in _BY_CLASS:
        if isinstance(error, classes):
            return kind
    return _INTERNAL


def _of_status(status: int) -> _Kind:
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return _FORMAT if 400 <= status < 500 else _INTERNAL  # noqa: PLR2004 - the HTTP families
