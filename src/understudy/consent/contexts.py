"""The context strings: one for every type that is signed, hashed or used as HPKE ``info``.

Rules

* A context names a type and its version. Bytes made under one context never verify under another.
* Strings are append-only. A changed layout takes a new version and therefore a new string.
* The context is prefixed to the bytes it covers, followed by one zero byte. No context contains a
  zero byte, so the prefix is unambiguous.

Example

>>> Context.GRANT.value
'understudy/v1/grant'
"""

from enum import StrEnum


class Context(StrEnum):
    """Domain separation strings; the normative table is ``docs/formats/encoding.md``."""

    # Documents that people and processes sign.
    PROGRAMME = "understudy/v1/programme"
    KEY_SET = "understudy/v1/key-set"
    ENROLMENT = "understudy/v1/enrolment"
    ENROLMENT_RECEIPT = "understudy/v1/enrolment-receipt"
    CONSENT = "understudy/v1/consent"
    CONSENT_RECEIPT = "understudy/v1/consent-receipt"
    STANDING = "understudy/v1/standing"
    STANDING_RECEIPT = "understudy/v1/standing-receipt"
    ESCROW_KEY = "understudy/v1/escrow-key"
    LEASE_REQUEST = "understudy/v1/lease-request"
    LEASE = "understudy/v1/lease"
    SWITCH_STATEMENT = "understudy/v1/switch-statement"
    SWITCH_ORDER = "understudy/v1/switch-order"
    LIFT_BUNDLE = "understudy/v1/lift-bundle"
    ROSTER_CHANGE = "understudy/v1/roster-change"
    SUCCESSION = "understudy/v1/succession"
    ACCESS_REQUEST = "understudy/v1/access-request"
    GRANT = "understudy/v1/grant"
    GRANT_REVOCATION = "understudy/v1/grant-revocation"
    OPEN_REQUEST = "understudy/v1/open-request"
    SEGMENT_HEADER = "understudy/v1/segment-header"
    LEASE_PRESENTATION = "understudy/v1/lease-presentation"
    DEPOSIT_RECEIPT = "understudy/v1/deposit-receipt"
    HEAD = "understudy/v1/head"
    OUTCOME = "understudy/v1/outcome"
    RELEASE_REPLY = "understudy/v1/release-reply"
    TOMBSTONES = "understudy/v1/tombstones"
    OPENINGS_REQUEST = "understudy/v1/openings-request"
    HTTP_REQUEST = "understudy/v1/http-request"

    # Digests and commitments.
    TAG = "understudy/v1/tag"
    CREDENTIAL = "understudy/v1/credential"
    HPKE_KEY = "understudy/v1/hpke-key"
    HALF = "understudy/v1/half"
    SEALED_HALF = "understudy/v1/sealed-half"
    CIPHERTEXT = "understudy/v1/ciphertext"
    LEASE_ROOT = "understudy/v1/lease-root"
    NONCE_ROOT = "understudy/v1/nonce-root"
    COMMITMENT = "understudy/v1/commitment"
    CONSENT_EVENT = "understudy/v1/consent-event"
    POLICY = "understudy/v1/policy"
    NOTICE = "understudy/v1/notice"
    RELEASE = "understudy/v1/release"
    DATASET_MANIFEST = "understudy/v1/dataset-manifest"
    REDACTION_STAMP = "understudy/v1/redaction-stamp"
    REDACTION_RULES = "understudy/v1/redaction-rules"
    HTTP_BODY = "understudy/v1/http-body"
    HOST = "understudy/v1/host"

    # HPKE info and key derivation.
    SEAL_CONTEXT = "understudy/v1/seal-context"
    SEGMENT_KEY = "understudy/v1/segment-key"
    SEALED_TO_ROLE = "understudy/v1/sealed-to-role"
    RELEASED_HALVES = "understudy/v1/released-halves"
    SEALED_OPENING = "understudy/v1/sealed-opening"
    HELD_RECORDING = "understudy/v1/held-recording"
    SHRED_WRAP = "understudy/v1/shred-wrap"
    KEY_FILE = "understudy/v1/key-file"
    PERSONAL_HPKE = "understudy/v1/personal-hpke"
    PERSONAL_SIGNING = "understudy/v1/personal-signing"
    RAW_FILE = "understudy/v1/raw-file"
