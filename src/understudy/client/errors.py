"""What can go wrong on this side of the wire.

::

    ClientError
      + EntryError             an answer does not prove what it must
"""

from understudy.consent.errors import UnderstudyError


class ClientError(UnderstudyError):
    """Root of the errors of this package."""


class EntryError(ClientError):
    """An answer of the server or a custodian does not prove what it must; nothing was decrypted."""
