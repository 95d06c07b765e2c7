"""Every reason for which a custodian says no, and what to do about it.

Rules

* A code never changes its meaning and never disappears; a new meaning takes a new code.
* The normative table with meanings is ``docs/formats/custody.md``; a test holds the two equal.
* ``scope-*`` codes are those of ``consent.scope``; the custodian passes them on.
* ``not-available`` is all that a reader, the roster, the log and an outcome learn when a participant has
  paused, withdrawn or objects. The ``standing-*`` codes answer that participant's own device alone.

Example

>>> RefusalReason("ceiling").hint
'wait, or ask for a grant with a higher ceiling'
"""

from enum import StrEnum


class RefusalReason(StrEnum):
    """The closed, append-only list of refusal codes; ``hint`` says what would help."""

    # The programme document and the key set.
    NOT_PINNED = "not-pinned"
    DOCUMENT_HASH = "document-hash"
    DOCUMENT_RULES = "document-rules"
    DOCUMENT_SIGNATURES = "document-signatures"
    NOT_IN_KEY_SET = "not-in-key-set"
    SUCCESSION_UNSUPPORTED = "succession-unsupported"
    PROGRAMME = "programme"
    KEY_SET = "key-set"

    # Enrolment, consent and standing.
    UNKNOWN_PARTICIPANT = "unknown-participant"
    WRONG_TAG = "wrong-tag"
    ENROLMENT_NUMBER = "enrolment-number"
    ENROLMENT_CONFLICT = "enrolment-conflict"
    ENROLMENT_KEYS = "enrolment-keys"
    UNKNOWN_DEVICE = "unknown-device"
    CONSENT_DOCUMENT = "consent-document"
    CONSENT_TOO_WIDE = "consent-too-wide"
    CONSENT_RECEIPT = "consent-receipt"
    UNKNOWN_CONSENT = "unknown-consent"
    STANDING_NUMBER = "standing-number"
    STANDING_SIGNER = "standing-signer"
    STANDING_OBJECTING = "standing-objecting"
    STANDING_WITHDRAWN = "standing-withdrawn"

    # Deposits.
    DEPOSIT_KIND = "deposit-kind"
    DEPOSIT_ROLE = "deposit-role"
    DEPOSIT_CONFLICT = "deposit-conflict"
    WRONG_HALF = "wrong-half"

    # The log, and admission.
    NOT_WITNESSED = "not-witnessed"
    NOT_CONSISTENT = "not-consistent"
    LOG_FORKED = "log-forked"
    FOREIGN_LOG = "foreign-log"
    STALE_COSIGNATURE = "stale-cosignature"
    CLOCK = "clock"
    NOT_AN_OPEN = "not-an-open"
    WRONG_COMMITMENT = "wrong-commitment"
    WRONG_PREVIOUS = "wrong-previous"
    NOT_NEXT = "not-next"
    BEHIND = "behind"

    # What was delivered with the entry.
    NOT_ASKED = "not-asked"
    GRANT_MISMATCH = "grant-mismatch"
    REQUEST_MISMATCH = "request-mismatch"
    BAD_SIGNATURE = "bad-signature"
    BAD_DOCUMENT = "bad-document"

    # Release.
    SWITCH_OFF = "switch-off"
    SWITCH_QUEUE = "switch-queue"
    ALREADY_RELEASED = "already-released"
    REQUEST_EXPIRED = "request-expired"
    REQUEST_TOO_LONG = "request-too-long"
    GRANT_NOT_YET = "grant-not-yet"
    GRANT_EXPIRED = "grant-expired"
    GRANT_TOO_LONG = "grant-too-long"
    REVOKED = "revoked"
    READER_UNKNOWN = "reader-unknown"
    OBJECT_LABEL = "object-label"
    PURPOSE_NOT_OFFERED = "purpose-not-offered"
    APPROVER_UNKNOWN = "approver-unknown"
    APPROVER_IS_REQUESTER = "approver-is-requester"
    APPROVER_IS_READER = "approver-is-reader"
    APPROVALS = "approvals"
    REQUESTER_UNKNOWN = "requester-unknown"
    OWN_GRANT = "own-grant"
    UNKNOWN_SEGMENT = "unknown-segment"
    ERASED = "erased"
    FOREIGN_SEGMENT = "foreign-segment"
    SCOPE_PROGRAMME = "scope-programme"
    SCOPE_TAG = "scope-tag"
    SCOPE_RECORDING = "scope-recording"
    SCOPE_APPLICATION_GROUP = "scope-application-group"
    SCOPE_TASK_LABEL = "scope-task-label"
    SCOPE_CONSENT = "scope-consent"
    PURPOSE_NOT_CONSENTED = "purpose-not-consented"
    NOT_AVAILABLE = "not-available"
    CEILING = "ceiling"

    # The switch, revocations and openings.
    ORDER_SIGNER = "order-signer"
    LIFT_THRESHOLD = "lift-threshold"
    LIFT_ADDRESSEE = "lift-addressee"
    LIFT_STALE = "lift-stale"
    LIFT_EXPIRED = "lift-expired"
    REVOCATION_SIGNER = "revocation-signer"
    OPENINGS_READER = "openings-reader"

    @property
    def hint(self) -> str:
        """What the person refused can do."""
        return _HINTS[self]


_CHECK_PIN = "compare the fingerprint with the one the custodian shows on its own command line"
_NEW_REQUEST = "make a new request, which becomes a new entry"
_OTHER_GRANT = "ask for another grant"

_HINTS = {
    RefusalReason.NOT_PINNED: "pin the programme document from the custodian's own command line",
    RefusalReason.DOCUMENT_HASH: _CHECK_PIN,
    RefusalReason.DOCUMENT_RULES: "correct the document and have everybody sign it again",
    RefusalReason.DOCUMENT_SIGNATURES: "roster, custodians, witnesses, log, issuer and server sign first",
    RefusalReason.NOT_IN_KEY_SET: "put this custodian's name, epoch and keys into the key set",
    RefusalReason.SUCCESSION_UNSUPPORTED: "this version keeps the document it pinned",
    RefusalReason.PROGRAMME: "send it to the custodian of its own programme",
    RefusalReason.KEY_SET: _CHECK_PIN,
    RefusalReason.UNKNOWN_PARTICIPANT: "enrol first",
    RefusalReason.WRONG_TAG: "the tag is computed from the programme and the personal signing key",
    RefusalReason.ENROLMENT_NUMBER: "send the record that follows the newest one",
    RefusalReason.ENROLMENT_CONFLICT: "a record was sent before under this number; use the next one",
    RefusalReason.ENROLMENT_KEYS: "the personal keys of a tag never change",
    RefusalReason.UNKNOWN_DEVICE: "add the device to the enrolment record first",
    RefusalReason.CONSENT_DOCUMENT: "read the programme document in force and consent to that",
    RefusalReason.CONSENT_TOO_WIDE: "consent can only narrow the programme's terms",
    RefusalReason.CONSENT_RECEIPT: "the server signs a receipt for exactly this consent",
    RefusalReason.UNKNOWN_CONSENT: "have the consent countersigned first",
    RefusalReason.STANDING_NUMBER: "use the next number",
    RefusalReason.STANDING_SIGNER: "a device may only pause; everything else takes the personal key",
    RefusalReason.STANDING_OBJECTING: "you objected; delete the recording on the device",
    RefusalReason.STANDING_WITHDRAWN: "you withdrew; record again under a new consent, or delete it",
    RefusalReason.DEPOSIT_KIND: "this version takes recorded segments only",
    RefusalReason.DEPOSIT_ROLE: "send each custodian the half that is sealed to it",
    RefusalReason.DEPOSIT_CONFLICT: "send the stored bundle again; a segment id is sealed once",
    RefusalReason.WRONG_HALF: "send the half that the device sealed for this header",
    RefusalReason.NOT_WITNESSED: "wait until the quorum of witnesses has cosigned the entry",
    RefusalReason.NOT_CONSISTENT: "keep both checkpoints and tell the auditor",
    RefusalReason.LOG_FORKED: "tell the auditor: two cosigned checkpoints contradict each other",
    RefusalReason.FOREIGN_LOG: "entry 0 of the log has to be the pinned programme document",
    RefusalReason.STALE_COSIGNATURE: "have the newest checkpoint cosigned again and deliver once more",
    RefusalReason.CLOCK: "set the clocks; they differ by more than the programme tolerates",
    RefusalReason.NOT_AN_OPEN: "deliver entries of kind open",
    RefusalReason.WRONG_COMMITMENT: "deliver the openings that the entry commits to",
    RefusalReason.WRONG_PREVIOUS: "the entry does not follow this participant's newest one; tell the auditor",
    RefusalReason.NOT_NEXT: "the number was used by another entry; tell the auditor",
    RefusalReason.BEHIND: "deliver the missing entries first",
    RefusalReason.NOT_ASKED: "deliver the entry with its grant and request",
    RefusalReason.GRANT_MISMATCH: "deliver the grant that the entry names",
    RefusalReason.REQUEST_MISMATCH: "deliver the request that the entry names",
    RefusalReason.BAD_SIGNATURE: "deliver grant and request with the signatures that were made",
    RefusalReason.BAD_DOCUMENT: "make grant and request with a program of this version",
    RefusalReason.SWITCH_OFF: "wait until it is lifted by the lift keys",
    RefusalReason.SWITCH_QUEUE: "log the queued changes of the switch first",
    RefusalReason.ALREADY_RELEASED: _NEW_REQUEST,
    RefusalReason.REQUEST_EXPIRED: _NEW_REQUEST,
    RefusalReason.REQUEST_TOO_LONG: "ask for less time; the programme says how long a request may live",
    RefusalReason.GRANT_NOT_YET: "wait until the grant begins",
    RefusalReason.GRANT_EXPIRED: _OTHER_GRANT,
    RefusalReason.GRANT_TOO_LONG: "ask for a grant no longer than the programme allows",
    RefusalReason.REVOKED: _OTHER_GRANT,
    RefusalReason.READER_UNKNOWN: "ask with a credential that the grant names",
    RefusalReason.OBJECT_LABEL: "recorded segments are opened under the label raw",
    RefusalReason.PURPOSE_NOT_OFFERED: "ask for a purpose that the programme offers",
    RefusalReason.APPROVER_UNKNOWN: "have approvers of the roster sign, and nobody else",
    RefusalReason.APPROVER_IS_REQUESTER: "have somebody other than the requester approve",
    RefusalReason.APPROVER_IS_READER: "have somebody who will not read approve",
    RefusalReason.APPROVALS: "have two different approvers sign",
    RefusalReason.REQUESTER_UNKNOWN: "the requester has to be a member of the roster",
    RefusalReason.OWN_GRANT: "one tag, one reader, signed by that participant alone",
    RefusalReason.UNKNOWN_SEGMENT: "leave out segments that were never deposited here",
    RefusalReason.ERASED: "leave out segments that were erased",
    RefusalReason.FOREIGN_SEGMENT: "name each segment under the participant it was recorded from",
    RefusalReason.SCOPE_PROGRAMME: _OTHER_GRANT,
    RefusalReason.SCOPE_TAG: _OTHER_GRANT,
    RefusalReason.SCOPE_RECORDING: _OTHER_GRANT,
    RefusalReason.SCOPE_APPLICATION_GROUP: _OTHER_GRANT,
    RefusalReason.SCOPE_TASK_LABEL: _OTHER_GRANT,
    RefusalReason.SCOPE_CONSENT: _OTHER_GRANT,
    RefusalReason.PURPOSE_NOT_CONSENTED: "leave out segments of people who did not accept this purpose",
    RefusalReason.NOT_AVAILABLE: "leave the segment out, or ask again another day",
    RefusalReason.CEILING: "wait, or ask for a grant with a higher ceiling",
    RefusalReason.ORDER_SIGNER: "any roster member, the auditor or the server may sign an order",
    RefusalReason.LIFT_THRESHOLD: "have as many lift keys sign as the programme document asks for",
    RefusalReason.LIFT_ADDRESSEE: "make a bundle for this custodian and its epoch",
    RefusalReason.LIFT_STALE: "make a bundle for the custodian's present revision",
    RefusalReason.LIFT_EXPIRED: "sign a bundle and bring it at once; one that was kept is worth nothing",
    RefusalReason.REVOCATION_SIGNER: "any roster member may revoke a grant",
    RefusalReason.OPENINGS_READER: "ask with the personal key, or as the auditor",
}
