"""What can go wrong in the vault, and every reason for which ingest says no.

::

    UnderstudyError
      + VaultError
      |   + ObjectKeyError      a name that no object may have
      |   + VaultDamagedError   what is stored is not what was acknowledged
      |   + RootKeyError        the shred key in the key file is not the store's
      + NotFoundError
      |   + ObjectMissingError  there is no such object
      |   + SegmentMissingError there is no such segment, or no upload of it
      + UnavailableError
      |   + programme.errors.StorageError  disk full: nothing was acknowledged
      + RefusedError            made by ``refusal(reason)``; the reasons are ``REASONS``
          + ConflictError       made by ``conflict(reason)``
              + OffsetError     the upload stands at another offset; ``offset`` says where

Rules

* A reason code never changes its meaning; a new meaning takes a new code.
* A reason that is in ``FINAL`` will be given again for the same segment: the device deletes it or seals
  it anew.
"""

from typing import Final

from understudy.consent.errors import ConflictError, NotFoundError, RefusedError, UnderstudyError

REASONS: Final = {
    "ciphertext-hash": "the upload was damaged on its way; begin again, it starts at 0",
    "consent-ended": "the consent was withdrawn; delete the recording on the device",
    "consent-narrowed": "the terms no longer offer what was agreed to; delete the recording on the device",
    "consent-not-yet": "the stretch was recorded before the consent was in force; delete it on the device",
    "consent-unknown": "give consent first; silence is never consent",
    "consent-wider": "the segment holds what was not consented to; delete it on the device",
    "custodian-receipt": "the custodian's receipt is not one; compare the pinned key set",
    "device-unknown": "enrol this device with the personal key",
    "escrow-key": "enrol again to get the escrow key of the pinned key set, and seal anew",
    "headers-differ": "the segment id was used for another header; an id is sealed once",
    "ingest-off": "ingest is stopped; it goes on when the lift keys lift it",
    "key-set": "seal under the key set of the programme document in force",
    "lease-expired": "no lease covers every second of the stretch; delete it on the device",
    "lease-mismatch": "present the leases of this device and consent that the header commits to",
    "lease-stretch": "a segment's stretch is no longer than the programme says and does not lie ahead",
    "not-enrolled": "enrol first",
    "object-kind": "only recorded segments are uploaded here",
    "offset": "go on at the offset in the answer",
    "previous": "another segment of this device names the same predecessor; an id is sealed once",
    "programme": "this server runs another programme",
    "standing-objecting": "the participant objected; delete the recording on the device",
    "standing-withdrawn": "the participant withdrew; delete the recording on the device",
    "statement-old": "no custodian's word that capture was on covers every second; delete it on the device",
    "too-long": "send no more bytes than the header says",
}
"""Every reason code of this package with its hint."""

FINAL: Final = frozenset(
    {
        "consent-ended",
        "consent-narrowed",
        "consent-not-yet",
        "consent-wider",
        "lease-expired",
        "lease-stretch",
        "standing-objecting",
        "standing-withdrawn",
        "statement-old",
    }
)
"""Reasons after which the device deletes the recording: waiting will not help."""


class VaultError(UnderstudyError):
    """Root of the errors of this package that are no refusals."""


class ObjectKeyError(VaultError):
    """A name that no object may have."""

    hint = "names are letters, digits, dots, dashes and underscores, in folders of the same"


class VaultDamagedError(VaultError):
    """What is stored is not what was acknowledged."""

    hint = "restore the file from a backup; the catalogue says which one and its hash"


class RootKeyError(VaultError):
    """The shred key at hand is not the one that the key store is wrapped under."""

    hint = "use the key file that belongs to this key store; after a rotation that is the new one"


class ObjectMissingError(NotFoundError):
    """There is no object of this name."""


class SegmentMissingError(NotFoundError):
    """There is no such segment, or no upload of it was begun."""

    hint = "begin the upload; an upload that was left alone is forgotten"


class OffsetError(ConflictError):
    """The upload stands at another offset; ``offset`` is where to go on."""

    def __init__(self, offset: int) -> None:
        super().__init__("offset", hint=REASONS["offset"], message=f"refused: the upload stands at {offset}")
        self.offset = offset


def refusal(reason: str) -> RefusedError:
    """Return the refusal for ``reason``, with its hint."""
    return RefusedError(reason, hint=REASONS[reason])


def conflict(reason: str) -> ConflictError:
    """Return the conflict for ``reason``, with its hint."""
    return ConflictError(reason, hint=REASONS[reason])
