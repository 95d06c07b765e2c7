"""What can go wrong with bytes, keys and signatures.

::

    SealingError
      + FormatError            the bytes are not what their type demands
      |   + RecoveryCodeError  a recovery code was mistyped
      + SignatureError         a signature is missing, wrong or by an unknown key
      + SealError              ciphertext, key or context do not belong together
      |   + HalfError          one half of a key is wrong; ``role`` says whose
      + KeyFileError           a key file cannot be read or unlocked
      + DurabilityError        bytes did not reach the disk: nothing was acknowledged
          + AlreadyWrittenError  the name is taken; what stands there was not touched
"""

from understudy.consent.errors import UnderstudyError

__all__ = [
    "AlreadyWrittenError",
    "DurabilityError",
    "FormatError",
    "HalfError",
    "KeyFileError",
    "RecoveryCodeError",
    "SealError",
    "SealingError",
    "SignatureError",
    "UnderstudyError",
]


class SealingError(UnderstudyError):
    """Root of the errors of this package."""


class FormatError(SealingError):
    """The bytes are not a canonical document of the expected type."""


class RecoveryCodeError(FormatError):
    """The recovery code has a wrong length, a foreign character or a wrong check group."""

    hint = "compare the code with the paper, group by group; the last group checks all the others"


class SignatureError(SealingError):
    """A required signature is missing, does not verify, or is by another key."""


class SealError(SealingError):
    """Ciphertext, key and context do not belong together, or the ciphertext was altered."""


class HalfError(SealError):
    """The half of one key holder does not fit the header; ``role`` names the holder."""

    def __init__(self, role: str, message: str, *, hint: str = "") -> None:
        super().__init__(f"half {role}: {message}", hint=hint)
        self.role = role


class KeyFileError(SealingError):
    """A key file is missing, readable by others, damaged, or the passphrase is wrong."""


class DurabilityError(SealingError):
    """Bytes could not be made durable: nothing was acknowledged and nothing may be assumed written."""

    hint = "check free space and permissions of the folder"


class AlreadyWrittenError(DurabilityError):
    """A write-once name is taken; what stands there was not touched."""

    hint = "choose another name; write-once files are never replaced"
