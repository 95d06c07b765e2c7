"""Who signed: from public keys to credentials, persons, roles and participants.

Rules

* A key signs for the Ed25519 credential of that public key, and for nothing else. A WebAuthn credential has a
  hash like any other, but this version cannot check its signatures, so it never acts.
* Roles come from the roster of the document in force, now: who leaves the roster loses them at once. The
  auditor's key is an auditor, custodians' keys are mirrors, lift keys may lift.
* A credential speaks for a participant when it is their personal key or stands in their enrolment record.

Example

>>> credential_of("A" * 43) == document_hash(Ed25519Credential(public_key="A" * 43))
True
"""

from collections.abc import Iterable
from typing import Final

from understudy.access.facts import Actor, GrantFacts
from understudy.access.ports import Participants
from understudy.consent.credentials import Credential, Ed25519Credential
from understudy.consent.programme import ProgrammeDocument, Role, RosterMember
from understudy.custody.grant import Grant
from understudy.sealing.signing import Signed, document_hash

AUDITOR: Final = "auditor"
MIRROR: Final = "mirror"
LIFT: Final = "lift"


def credential_of(key: str) -> str:
    """Return the hash of the Ed25519 credential of a public key."""
    return document_hash(Ed25519Credential(public_key=key))


class Actors:
    """Everybody that one programme document knows."""

    def __init__(self, document: ProgrammeDocument, participants: Participants) -> None:
        self.document = document
        self._participants = participants
        self._members: dict[str, RosterMember] = {}
        self._roles: dict[str, tuple[str, ...]] = {}
        for member in document.roster:
            credential = document_hash(member.credential)
            self._members[credential] = member
            self._roles[credential] = tuple(role.value for role in member.roles)
        keys = document.key_set
        self._add(AUDITOR, (keys.auditor.signing,))
        self._add(MIRROR, (custodian.signing for custodian in keys.custodians))
        self._add(LIFT, document.lift.keys)

    def is_member(self, credential: str) -> bool:
        """Return whether the credential is on the roster."""
        return credential in self._members

    def person(self, credential: str) -> str:
        """Return the member's name, or a name that no member can have."""
        member = self._members.get(credential)
        return f":{credential}" if member is None else member.name

    def actor(self, credential: str, tags: Iterable[str] = ()) -> Actor:
        """Return what is known of a credential.

        Args:
            credential: its hash.
            tags: participants it may speak for; those it does not speak for are left out.
        """
        speaks = self._participants.speaks_for
        return Actor(
            credential=credential,
            person=self.person(credential),
            roles=self._roles.get(credential, ()),
            tags=tuple(tag for tag in sorted(set(tags)) if speaks(tag, credential)),
        )

    def grant_facts(self, signed: Signed) -> GrantFacts:
        """Return what the roster in force makes of a grant and its signatures.

        Raises:
            SignatureError: a signature on it is wrong.
            FormatError: not a grant.
        """
        terms = signed.verify(Grant)
        signers = tuple(sorted(credential_of(key) for key in signed.signers))
        approvers = tuple(signer for signer in signers if Role.APPROVER.value in self._roles.get(signer, ()))
        readers = tuple(document_hash(reader) for reader in terms.readers)
        return GrantFacts(
            grant=signed.hash(Grant),
            terms=terms,
            requester=self.person(terms.requester),
            requester_is_member=self.is_member(terms.requester),
            readers=readers,
            reader_persons=self.persons(terms.readers),
            signers=signers,
            approvers=tuple(sorted({self.person(approver) for approver in approvers})),
            other_signers=len(signers) - len(approvers),
        )

    def persons(self, credentials: Iterable[Credential]) -> tuple[str, ...]:
        """Return the persons behind credentials, each once."""
        return tuple(sorted({self.person(document_hash(credential)) for credential in credentials}))

    def _add(self, role: str, keys: Iterable[str]) -> None:
        for key in keys:
            credential = credential_of(key)
            held = self._roles.get(credential, ())
            self._roles[credential] = held if role in held else (*held, role)
