"""What can go wrong with bytes, keys and signatures.

::

    SealingError
      + FormatError            the bytes are not what their type demands
      + SignatureError         a signature is missing, wrong or by an unknown key
      + SealError              ciphertext, key or context do not belong together
      + KeyFileError           a key file cannot be read or unlocked
"""


class UnderstudyError(Exception):
    """Root of every error the project raises on purpose; carries a hint for the person.

    Messages and hints never contain keys, titles or recorded text.
    """

    hint: str = ""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        if hint:
            self.hint = hint


class SealingError(UnderstudyError):
    """Root of the errors of this package."""


class FormatError(SealingError):
    """The bytes are not a canonical document of the expected type."""


class SignatureError(SealingError):
    """A required signature is missing, does not verify, or is by another key."""


class SealError(SealingError):
    """Ciphertext, key and context do not belong together, or the ciphertext was altered."""


class KeyFileError(SealingError):
    """A key file is missing, readable by others, damaged, or the passphrase is wrong."""
