"""The root of every error raised on purpose, and the four answers that cross a machine boundary.

::

    UnderstudyError
      + RefusedError           a rule says no: a stable reason code and a hint
      |   + ConflictError      the same id or number was used for something else
      + NotFoundError          there is no such thing
      + UnavailableError       not now: try the same call again

Rules

* Messages and hints are lower case without a full stop and never contain keys, titles or recorded text.
* A refusal's ``reason`` is part of the interface: it never changes its meaning.
"""


class UnderstudyError(Exception):
    """Root of every error the project raises on purpose; carries a hint for the person."""

    hint: str = ""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        if hint:
            self.hint = hint


class RefusedError(UnderstudyError):
    """A rule says no; ``reason`` is a stable code such as ``grant-expired``."""

    def __init__(self, reason: str, *, hint: str = "", message: str = "") -> None:
        super().__init__(message or f"refused: {reason}", hint=hint)
        self.reason = reason


class ConflictError(RefusedError):
    """The same id, number or key was already used for something else."""


class NotFoundError(UnderstudyError):
    """There is no such thing."""


class UnavailableError(UnderstudyError):
    """Not now: nothing was acknowledged; the same call may be tried again."""
