"""The programme document: who must sign it, how it is checked, what may follow it, how one is written.

Rules

* Document 1 is signed by every party it names: server, escrow issuer, log, custodians, witnesses, and
  every roster member, the steward among them. Nobody else's signature may stand on it.
* It is recognised by its hash, pinned from the holder's own command line, never by where it came from.
* A normal successor is signed by a steward of its predecessor, by two more members of the predecessor's
  roster, by enough of the predecessor's custodians, and by every key that is new in it.
* A recovered successor is named by a ``Succession`` under the predecessor's recovery keys, opens a new
  log epoch, and is signed by every party it names.
* Epochs never go down. A programme that was ``production`` stays so.

Example

>>> read_terms("profile = 'embedded'")
Traceback (most recent call last):
understudy.programme.errors.TermsFileError: the terms file does not fit: Object missing required field `terms`
"""

import tomllib
from collections.abc import Iterator
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from understudy.consent.keyset import KeySet
from understudy.consent.primitives import PublicKey, Value
from understudy.consent.programme import (
    Delays,
    Profile,
    ProgrammeDocument,
    Role,
    RosterMember,
    Terms,
    Threshold,
)
from understudy.consent.succession import Succession
from understudy.programme.errors import DocumentError, SuccessionError, TermsFileError
from understudy.programme.rules import check_document, quorum_of, signing_keys
from understudy.sealing.errors import FormatError, SignatureError
from understudy.sealing.signing import Signed, document_hash
from understudy.transparency.leaves import ProgrammeLeaf, encode_leaf

MAX_TERMS_BYTES: Final = 256 << 10
OTHER_MEMBERS: Final = 2
"""Roster members besides a steward who sign a normal successor."""


class TermsFile(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person writes of a programme; keys and roster come from the parties themselves."""

    profile: Profile = Profile.PRODUCTION
    terms: Terms
    delays: Delays = Delays()
    lift_threshold: Annotated[int, Meta(ge=1, le=16)] = 2
    recovery_threshold: Annotated[int, Meta(ge=2, le=16)] = 2


def read_terms(text: str) -> TermsFile:
    """Return the terms that a TOML ``text`` spells.

    Raises:
        TermsFileError: not TOML, a field that is unknown or missing, or a value out of bounds.
    """
    if len(text.encode()) > MAX_TERMS_BYTES:
        raise TermsFileError(f"a terms file of more than {MAX_TERMS_BYTES} bytes")
    try:
        return msgspec.convert(tomllib.loads(text), TermsFile)
    except tomllib.TOMLDecodeError as error:
        raise TermsFileError(f"the terms file is not TOML: {error}") from error
    except (msgspec.ValidationError, RecursionError) as error:
        raise TermsFileError(f"the terms file does not fit: {error}") from error


def from_toml(
    text: str,
    *,
    programme: str,
    roster: tuple[RosterMember, ...],
    key_set: KeySet,
    recovery_keys: tuple[str, ...],
    lift_keys: tuple[str, ...],
    made_at: int,
    previous: ProgrammeDocument | None = None,
) -> ProgrammeDocument:
    """Return the document that a terms file and the parties' keys make; it is ready to be signed.

    Raises:
        TermsFileError: the text is not a terms file.
        DocumentError: the document would break its rules.
    """
    written = read_terms(text)
    document = ProgrammeDocument(
        programme=programme,
        number=1 if previous is None else previous.number + 1,
        previous=None if previous is None else document_hash(previous),
        profile=written.profile,
        terms=written.terms,
        delays=written.delays,
        roster=roster,
        key_set=key_set,
        recovery=Threshold(threshold=written.recovery_threshold, keys=recovery_keys),
        lift=Threshold(threshold=written.lift_threshold, keys=lift_keys),
        made_at=made_at,
    )
    _demand(check_document(document))
    return document


def required_signers(document: ProgrammeDocument) -> frozenset[PublicKey]:
    """Return the keys that must all sign a first, or a recovered, document."""
    return frozenset(signing_keys(document))


def verify_document(signed: Signed, pinned_hash: str | None = None) -> ProgrammeDocument:
    """Return a document that stands alone: document 1, or one that its holder has pinned.

    Args:
        signed: the document with all its signatures.
        pinned_hash: the hash from the holder's own command line; without it, only document 1 is taken.

    Raises:
        SignatureError: a signature is wrong or missing.
        FormatError: not a canonical programme document.
        DocumentError: it breaks a rule, is another than the pinned one, or is signed by a stranger.
    """
    document = signed.verify(ProgrammeDocument)
    problems = check_document(document) or list(_log_problems(signed))
    if pinned_hash is not None and document_hash(document) != pinned_hash:
        problems.append("it is not the document that was pinned")
    if pinned_hash is None and document.number != 1:
        problems.append("a later document is checked against its predecessor, or pinned")
    _demand(problems)
    if document.number == 1:
        _demand_signers(document, signed.signers)
    return document


def verify_successor(
    previous: ProgrammeDocument, signed: Signed, succession: Signed | None = None
) -> ProgrammeDocument:
    """Return the document that may follow ``previous``.

    Args:
        previous: the document in force.
        signed: the successor.
        succession: the recovery keys' ``Succession``, when the normal signers cannot sign.

    Raises:
        SignatureError: a signature is wrong, or too few of the required signers signed.
        FormatError: not canonical.
        SuccessionError: it may not follow.
    """
    document = signed.verify(ProgrammeDocument)
    problems = check_document(document) or list(_log_problems(signed))
    problems += _order_problems(previous, document)
    if succession is not None:
        problems += _succession_problems(previous, document, succession)
    if problems:
        raise SuccessionError(tuple(problems))
    if succession is None:
        _demand_predecessors(previous, document, signed.signers)
    else:
        _demand_signers(document, signed.signers)
    return document


def _order_problems(previous: ProgrammeDocument, document: ProgrammeDocument) -> Iterator[str]:
    if document.programme != previous.programme:
        yield "it belongs to another programme"
    if document.number != previous.number + 1:
        yield f"its number is {document.number}, not {previous.number + 1}"
    if document.previous != document_hash(previous):
        yield "it does not name the document in force as its predecessor"
    if previous.profile is Profile.PRODUCTION and document.profile is not Profile.PRODUCTION:
        yield "a programme in profile production stays in it"
    if document.made_at < previous.made_at:
        yield "it was made before its predecessor"
    old, new = previous.key_set, document.key_set
    if new.log.epoch < old.log.epoch or new.auditor.epoch < old.auditor.epoch:
        yield "an epoch goes down"
    epochs = {custodian.name: custodian.epoch for custodian in old.custodians}
    for custodian in new.custodians:
        if custodian.epoch < epochs.get(custodian.name, 1):
            yield f"the epoch of custodian {custodian.name} goes down"


def _succession_problems(
    previous: ProgrammeDocument, document: ProgrammeDocument, succession: Signed
) -> Iterator[str]:
    word = succession.verify(Succession)
    if not succession.signers <= set(previous.recovery.keys):
        yield "a succession is signed by recovery keys only"
    if not quorum_of(previous.recovery, succession.signers):
        yield f"a succession needs {previous.recovery.threshold} recovery keys"
    if (word.programme, word.previous, word.document) != (
        previous.programme,
        document_hash(previous),
        document_hash(document),
    ):
        yield "the succession names other documents"
    if word.log_epoch != document.key_set.log.epoch or word.log_epoch <= previous.key_set.log.epoch:
        yield "a recovered successor opens a new log epoch"


def _log_problems(signed: Signed) -> Iterator[str]:
    try:
        encode_leaf(ProgrammeLeaf(document=signed))
    except FormatError:
        yield "the signed document is too large for a log entry"


def _demand(problems: list[str]) -> None:
    if problems:
        raise DocumentError(tuple(problems))


def _demand_signers(document: ProgrammeDocument, signers: frozenset[str]) -> None:
    duties = signing_keys(document)
    missing = [duty for key, duty in duties.items() if key not in signers]
    if missing:
        raise SignatureError(f"a programme document lacks the signature of {', '.join(missing)}")
    if signers - set(duties):
        _demand(["it is signed by a key that it does not name"])


def _demand_predecessors(
    previous: ProgrammeDocument, document: ProgrammeDocument, signers: frozenset[str]
) -> None:
    """Check a normal successor: old steward, two more old members, old custodians, and every new key."""
    stewards = {member.credential.public_key for member in previous.members(Role.STEWARD)}
    members = {member.credential.public_key for member in previous.roster}
    custodians = {custodian.signing for custodian in previous.key_set.custodians}
    if not stewards & signers:
        raise SignatureError("a successor document lacks a steward's signature")
    if len(members & signers) < OTHER_MEMBERS + 1:
        raise SignatureError(f"a successor document needs a steward and {OTHER_MEMBERS} more roster members")
    if len(custodians & signers) < previous.key_set.custodian_threshold:
        raise SignatureError("a successor document lacks the custodians' signatures")
    known, duties = signing_keys(previous), signing_keys(document)
    missing = [duty for key, duty in duties.items() if key not in known and key not in signers]
    if missing:
        raise SignatureError(f"a successor document lacks the signature of the new {', '.join(missing)}")
    if signers - set(known) - set(duties):
        _demand(["it is signed by a key that neither document names"])
