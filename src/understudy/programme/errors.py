"""What can go wrong with a programme, and every reason for which it says no.

::

    UnderstudyError
      + ProgrammeError
      |   + TermsFileError       a terms file is not what a programme can be made of
      |   + DocumentError        a programme document breaks its rules; ``problems`` lists which
      |       + SuccessionError  a document that may not follow the one in force
      + UnavailableError
      |   + StorageError         disk full or input/output error: nothing was acknowledged
      + RefusedError             made by ``refusal(reason)``; the reasons are ``REASONS``
          + ConflictError        made by ``conflict(reason)``

Rules

* A reason code never changes its meaning; a new meaning takes a new code.
* Messages name the rule and the field, never a person, a tag, a key or a title.
"""

from typing import Final

from understudy.consent.errors import ConflictError, RefusedError, UnavailableError, UnderstudyError

REASONS: Final = {
    "clock": "set the clock of the device; it is off by more than the programme allows",
    "consent-device": "give consent on the device that asks",
    "consent-ended": "the consent was withdrawn; recordings made under it are deleted on the device",
    "consent-outdated": "the terms changed since; read the new notice and consent again, or leave it",
    "consent-unknown": "give consent first; silence is never consent",
    "consent-wider": "consent covers no more than the programme's terms; leave the rest out",
    "custodian-receipt": "the custodian's receipt is not one; compare the pinned key set",
    "device-unknown": "enrol this device with the personal key",
    "document-mismatch": "get the programme document in force and compare its fingerprint",
    "enrolment-number": "send the enrolment records in order; each names the one before it",
    "enrolment-signatures": "the personal key and every new device sign an enrolment record",
    "enrolment-tag": "the tag is computed from the programme and the personal signing key",
    "key-set": "get the programme document in force and compare its fingerprint",
    "lift-keys": "the lift keys sign a bundle, as many as the programme says",
    "lift-stale": "something stopped again since; ask the custodian for its revision and sign a new bundle",
    "not-enrolled": "enrol first",
    "programme-mismatch": "this server runs another programme",
    "standing-number": "use a higher number, at most 1,000 above the newest",
    "standing-objecting": "the participant objected; nothing is recorded",
    "standing-paused": "resume with the personal key when you want to",
    "standing-signature": "a device may pause what is active; everything else takes the personal key",
    "standing-withdrawn": "the participant withdrew; nothing is recorded",
    "stream-not-consented": "ask for streams that were consented to",
    "switch-off": "capture is stopped; it goes on when the lift keys lift it",
    "switch-order": "a roster member, the auditor or the server signs an order to stop",
    "switch-queue": "an order to stop has not reached every custodian yet; try again when it has",
}
"""Every reason code of this package with its hint."""


class ProgrammeError(UnderstudyError):
    """Root of the errors of this package that are no refusals."""


class TermsFileError(ProgrammeError):
    """The terms file is not TOML, or not what a programme can be made of."""

    hint = "compare it with the example in docs/formats/programme.md"


class DocumentError(ProgrammeError):
    """A programme document breaks its rules; ``problems`` lists every one that was found."""

    hint = "correct the listed problems and have the document signed anew"

    def __init__(self, problems: tuple[str, ...], *, what: str = "programme document") -> None:
        super().__init__(f"not a valid {what}: {'; '.join(problems)}")
        self.problems = problems


class SuccessionError(DocumentError):
    """A document that may not follow the one in force."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__(problems, what="successor document")


class StorageError(UnavailableError):
    """Disk full, locked, or an input/output error: nothing was acknowledged."""

    hint = "free some space or look at the disk, then try the same call again"


def refusal(reason: str) -> RefusedError:
    """Return the refusal for ``reason``, with its hint."""
    return RefusedError(reason, hint=REASONS[reason])


def conflict(reason: str) -> ConflictError:
    """Return the conflict for ``reason``, with its hint."""
    return ConflictError(reason, hint=REASONS[reason])
