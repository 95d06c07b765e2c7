"""Pinning: the one programme document a custodian goes by, and what it must hold to.

Rules

* The document comes with the hash that the operator typed or compared; the server cannot choose it.
* Everybody signs the whole of it: steward and every other roster member, custodians, witnesses, log, escrow
  issuer and server. This custodian finds itself in it, with its own keys.
* One key, one duty: a key in two places would make one signature worth two. Only the auditor's signing key
  may be that of a roster member whose single role is auditor.
* Upper bounds hold for every profile; ``production`` also needs people, witnesses and custodians enough.
* This version keeps the first document it pinned. A later one is refused: succession needs a witnessed
  entry, old and new signers, and a rule for what was sealed under the old key set.

Example: ``Pinned.read(signed, expected_hash, keys).role`` is ``'c'``.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from understudy.consent.credentials import Ed25519Credential
from understudy.consent.primitives import Digest
from understudy.consent.programme import (
    MAXIMUMS,
    PRODUCTION_MINIMUMS,
    Profile,
    ProgrammeDocument,
    Role,
    RosterMember,
)
from understudy.consent.purposes import OFFERED
from understudy.custody.errors import CustodyRefusedError
from understudy.custody.keys import CustodianKeyPair
from understudy.custody.reasons import RefusalReason
from understudy.sealing.errors import SignatureError
from understudy.sealing.half import SHARE_ROLES
from understudy.sealing.half import Role as HalfRole
from understudy.sealing.signing import Signed, document_hash
from understudy.transparency.trust import LogTrust, log_trust

SHAPES: Final = {Profile.EMBEDDED: ((1, 1), (2, 3)), Profile.PRODUCTION: ((2, 3),)}
"""The (k, n) of custodians that a profile accepts; sealing knows no other."""

PRODUCTION_MEMBERS: Final = 3
PRODUCTION_WITNESSES: Final = 2
PRODUCTION_LIFT: Final = 2


@dataclass(frozen=True, slots=True)
class Member:
    """A roster member by the hash that requests and entries name them by."""

    member: RosterMember
    credential: Digest


@dataclass(frozen=True, slots=True)
class Pinned:
    """The pinned document, and what follows from it once and for all."""

    signed: Signed
    document: ProgrammeDocument
    hash: Digest
    key_set: Digest
    role: HalfRole
    trust: LogTrust
    members: dict[str, Member]
    """Roster members by public key."""
    credentials: frozenset[str]
    """Credential hashes of the roster."""

    @classmethod
    def read(cls, signed: Signed, expected: str, keys: CustodianKeyPair) -> "Pinned":
        """Check a document as the first one to pin.

        Raises:
            CustodyRefusedError: another hash, a rule broken, a signature missing, or own keys not in it.
            FormatError: not a programme document.
        """
        if signed.hash(ProgrammeDocument) != expected:
            raise CustodyRefusedError(RefusalReason.DOCUMENT_HASH)
        try:
            document = signed.verify(ProgrammeDocument)
            problems = list(_problems(document))
            if problems:
                raise CustodyRefusedError(RefusalReason.DOCUMENT_RULES, message="; ".join(problems))
            if keys.public not in document.key_set.custodians:
                raise CustodyRefusedError(RefusalReason.NOT_IN_KEY_SET)
            signed.verify(ProgrammeDocument, _signers(document))
        except SignatureError as error:
            raise CustodyRefusedError(RefusalReason.DOCUMENT_SIGNATURES, message=str(error)) from error
        return cls.of(signed, document, keys)

    @classmethod
    def of(cls, signed: Signed, document: ProgrammeDocument, keys: CustodianKeyPair) -> "Pinned":
        """Return what follows from a document that was checked before."""
        members = {}
        for member in document.roster:
            if isinstance(member.credential, Ed25519Credential):
                hashed = document_hash(member.credential)
                members[member.credential.public_key] = Member(member=member, credential=hashed)
        custodians = document.key_set.custodians
        place = custodians.index(keys.public)
        return cls(
            signed=signed,
            document=document,
            hash=signed.hash(ProgrammeDocument),
            key_set=document_hash(document.key_set),
            role="c" if len(custodians) == 1 else SHARE_ROLES[place],
            trust=log_trust(document.key_set),
            members=members,
            credentials=frozenset(member.credential for member in members.values()),
        )


def _signers(document: ProgrammeDocument) -> set[str]:
    """Return the keys that must have signed document 1."""
    keys = document.key_set
    return {
        keys.server,
        keys.escrow_issuer,
        keys.log.signing,
        *(custodian.signing for custodian in keys.custodians),
        *(witness.signing for witness in keys.witnesses),
        *(
            member.credential.public_key
            for member in document.roster
            if isinstance(member.credential, Ed25519Credential)
        ),
    }


def _problems(document: ProgrammeDocument) -> Iterator[str]:
    """Yield every rule that a first document breaks."""
    if document.number != 1 or document.previous is not None:
        yield "it is not document 1"
    if not set(document.terms.purposes) <= OFFERED:
        yield "a purpose that no programme may offer"
    for name, most in MAXIMUMS.items():
        if getattr(document.delays, name) > most:
            yield f"{name} is above {most}"
    yield from _people(document)
    yield from _keys(document)
    if document.profile is Profile.PRODUCTION:
        yield from _production(document)


def _people(document: ProgrammeDocument) -> Iterator[str]:
    if not document.members(Role.STEWARD):
        yield "no steward"
    if any(not isinstance(member.credential, Ed25519Credential) for member in document.roster):
        yield "a WebAuthn credential, which this version cannot check"
    if len({member.name for member in document.roster}) != len(document.roster):
        yield "a roster name twice"


def _keys(document: ProgrammeDocument) -> Iterator[str]:
    keys = document.key_set
    duties = Counter(
        [keys.server, keys.escrow_issuer, keys.log.signing, keys.log.checkpoint]
        + [custodian.signing for custodian in keys.custodians]
        + [key for witness in keys.witnesses for key in (witness.signing, witness.cosigning)]
        + [
            member.credential.public_key
            for member in document.roster
            if isinstance(member.credential, Ed25519Credential)
        ]
        + list(document.recovery.keys)
        + list(document.lift.keys)
    )
    auditors = {
        member.credential.public_key
        for member in document.roster
        if member.roles == (Role.AUDITOR,) and isinstance(member.credential, Ed25519Credential)
    }
    if keys.auditor.signing not in auditors:
        duties[keys.auditor.signing] += 1
    if any(count > 1 for count in duties.values()):
        yield "a key with two duties"
    hpke = [custodian.hpke for custodian in keys.custodians] + [keys.auditor.hpke]
    if len(set(hpke)) != len(hpke):
        yield "an HPKE key with two duties"
    if len({custodian.name for custodian in keys.custodians}) != len(keys.custodians):
        yield "a custodian's name twice"
    if (keys.custodian_threshold, len(keys.custodians)) not in SHAPES[document.profile]:
        yield "a number of custodians that this profile does not take"
    if not 1 <= keys.witness_quorum <= len({witness.name for witness in keys.witnesses}):
        yield "a witness quorum that cannot be met"
    for name, threshold in (("recovery", document.recovery), ("lift", document.lift)):
        if threshold.threshold > len(set(threshold.keys)):
            yield f"a {name} threshold that cannot be met"


def _production(document: ProgrammeDocument) -> Iterator[str]:
    for name, least in PRODUCTION_MINIMUMS.items():
        if getattr(document.delays, name) < least:
            yield f"{name} is below {least}"
    if len(document.roster) < PRODUCTION_MEMBERS:
        yield f"fewer than {PRODUCTION_MEMBERS} roster members"
    if document.key_set.witness_quorum < PRODUCTION_WITNESSES:
        yield f"a quorum of fewer than {PRODUCTION_WITNESSES} witnesses"
    if document.lift.threshold < PRODUCTION_LIFT:
        yield f"fewer than {PRODUCTION_LIFT} lift keys"
