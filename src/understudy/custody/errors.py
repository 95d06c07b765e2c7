"""What can go wrong at a custodian.

::

    UnderstudyError
      + CustodyError                     what only its operator sees
      |   + StoreMissingError            there is no store, and nobody asked to make one
      |   + StoreExistsError             a store stands there already
      |   + StoreLockedError             another process is this custodian
      |   + StoreDamagedError            damaged, of another version, or no custodian's store
      + RefusedError
      |   + CustodyRefusedError          one of ``RefusalReason``, with its hint
      |       + CustodyConflictError     a ``ConflictError``: the id or number was used for another thing
      + NotFoundError
      |   + ParticipantNotFoundError     no enrolment record under this tag
      + UnavailableError
          + StorageError                 disk full or input/output error; nothing was acknowledged

Rules

* Anything that cannot be stored is not acknowledged: the transaction is rolled back and the caller may try
  again.
* After an input/output error other than a full disk the store stays closed until the process is started
  again: what the disk then holds is unknown, and SQLite reads it anew.
"""

from understudy.consent.errors import (
    ConflictError,
    NotFoundError,
    RefusedError,
    UnavailableError,
    UnderstudyError,
)
from understudy.custody.reasons import RefusalReason


class CustodyError(UnderstudyError):
    """Root of the errors that only a custodian's operator sees."""


class StoreMissingError(CustodyError):
    """There is no store at this place."""

    hint = "create it once, or restore it; a lost store is never replaced by an empty one"


class StoreExistsError(CustodyError):
    """A store stands there already."""

    hint = "open it, or choose another place"


class StoreLockedError(CustodyError):
    """Another process uses the store."""

    hint = "one process is one custodian; stop the other one first"


class StoreDamagedError(CustodyError):
    """Not a custodian's store, of a version this program does not know, or damaged."""

    hint = "check the path; a newer store needs the newer program, a damaged one its backup"


class CustodyRefusedError(RefusedError):
    """A rule says no; ``reason`` is one of ``RefusalReason``."""

    def __init__(self, reason: RefusalReason, *, message: str = "") -> None:
        super().__init__(reason.value, hint=reason.hint, message=message)


class CustodyConflictError(CustodyRefusedError, ConflictError):
    """The same id or number was used for something else before."""


class ParticipantNotFoundError(NotFoundError):
    """No enrolment record is stored under this tag."""

    hint = RefusalReason.UNKNOWN_PARTICIPANT.hint


class StorageError(UnavailableError):
    """Disk full, or an input/output error. Nothing was acknowledged."""

    hint = "free some space or look at the disk, then try again"
