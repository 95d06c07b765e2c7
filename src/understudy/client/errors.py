"""What can go wrong on this side of the wire.

::

    UnderstudyError
      + ClientError
      |   + EntryError             an answer does not prove what it must
      + UnavailableError
          + NoAnswerError          the other side cannot be reached, or did not answer in time
"""

from understudy.consent.errors import UnavailableError, UnderstudyError


class ClientError(UnderstudyError):
    """Root of the errors of this package."""


class EntryError(ClientError):
    """An answer of the server or a custodian does not prove what it must; nothing was decrypted."""


class NoAnswerError(UnavailableError):
    """The other side cannot be reached, or did not answer in time; whether it did something is unknown."""

    hint = "see whether the other process runs, and the address"
