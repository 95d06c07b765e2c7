"""The cast of every test: people and processes that do not exist, their keys, the document they all signed.

Rules

* Keys follow from names by SHA-256, so a failing test fails again in the same way. They protect nothing.
* Document 1 has profile ``embedded``: one custodian, one witness, two lift keys, three recovery keys.
* A stranger has keys like anybody else; they stand in no document.

Example

>>> Cast().person("steward").public == Cast().person("steward").public
True
>>> stranger().public in {member.credential.public_key for member in Cast().document().roster}
False
"""

import hashlib
from typing import Final

from understudy.consent.credentials import Ed25519Credential
from understudy.consent.keyset import AuditorKey, KeySet, LogKey, WitnessKey
from understudy.consent.programme import (
    ApplicationGroup,
    Delays,
    Profile,
    ProgrammeDocument,
    Role,
    RosterMember,
    Terms,
    Threshold,
)
from understudy.consent.purposes import Purpose, Stream
from understudy.custody.keys import CustodianKeyPair
from understudy.sealing.hpke import HpkePrivateKey
from understudy.sealing.personal import PersonalSeed
from understudy.sealing.signing import Signed, SigningKey, document_hash, sign

STARTED_AT: Final = 1_800_000_000
PROGRAMME: Final = "prg_" + "A" * 22
ORIGIN: Final = "understudy.example/log"
WITNESS: Final = "understudy.example/witness"
CUSTODIAN: Final = "first"

ROLES: Final[dict[str, tuple[Role, ...]]] = {
    "steward": (Role.STEWARD,),
    "approver-1": (Role.APPROVER,),
    "approver-2": (Role.APPROVER,),
    "approver-3": (Role.APPROVER, Role.RESEARCHER),
    "researcher": (Role.RESEARCHER,),
    "reader": (Role.SERVICE,),
    "auditor": (Role.AUDITOR,),
}
LIFT: Final = ("lift-1", "lift-2")
RECOVERY: Final = ("recovery-1", "recovery-2", "recovery-3")


def seed_of(name: str) -> bytes:
    """Return the 32-byte seed that ``name``'s keys follow from."""
    return hashlib.sha256(f"understudy test key {name}".encode()).digest()


def stranger(name: str = "stranger") -> SigningKey:
    """Return a key that no document names."""
    return SigningKey.from_seed(seed_of(f"outside {name}"))


def personal_seed(name: str) -> PersonalSeed:
    """Return a synthetic participant's personal seed."""
    return PersonalSeed(seed_of(f"participant {name}"))


class Cast:
    """Everybody's private keys, and the document that names the public ones."""

    def __init__(self, delays: Delays | None = None, terms: Terms | None = None) -> None:
        self.delays: Final = delays or Delays()
        self.terms: Final = terms or TERMS
        self.server: Final = self.person("server")
        self.escrow_issuer: Final = self.person("escrow-issuer")
        self.log: Final = self.person("log")
        self.checkpoint: Final = self.person("log-checkpoint")
        self.witness: Final = self.person("witness")
        self.cosigning: Final = self.person("witness-cosigning")
        self.auditor_hpke: Final = HpkePrivateKey.from_seed(seed_of("auditor-hpke"))
        self.custodian: Final = CustodianKeyPair(
            name=CUSTODIAN,
            epoch=1,
            signing=self.person("custodian"),
            hpke=HpkePrivateKey.from_seed(seed_of("custodian-hpke")),
        )

    def person(self, name: str) -> SigningKey:
        """Return the signing key of a member, key holder or process."""
        return SigningKey.from_seed(seed_of(name))

    def credential(self, name: str) -> Ed25519Credential:
        """Return a person's credential, as rosters and grants name it."""
        return Ed25519Credential(public_key=self.person(name).public)

    def credential_hash(self, name: str) -> str:
        """Return the hash of a person's credential."""
        return document_hash(self.credential(name))

    def key_set(self) -> KeySet:
        """Return every public key that a device pins."""
        return KeySet(
            server=self.server.public,
            escrow_issuer=self.escrow_issuer.public,
            custodians=(self.custodian.public,),
            custodian_threshold=1,
            witnesses=(
                WitnessKey(name=WITNESS, cosigning=self.cosigning.public, signing=self.witness.public),
            ),
            witness_quorum=1,
            log=LogKey(origin=ORIGIN, epoch=1, checkpoint=self.checkpoint.public, signing=self.log.public),
            auditor=AuditorKey(
                epoch=1, hpke=self.auditor_hpke.public.text, signing=self.person("auditor").public
            ),
        )

    def document(self) -> ProgrammeDocument:
        """Return document 1."""
        return ProgrammeDocument(
            programme=PROGRAMME,
            number=1,
            previous=None,
            profile=Profile.EMBEDDED,
            terms=self.terms,
            delays=self.delays,
            roster=tuple(
                RosterMember(name=name, roles=roles, credential=self.credential(name))
                for name, roles in ROLES.items()
            ),
            key_set=self.key_set(),
            recovery=Threshold(threshold=2, keys=tuple(self.person(name).public for name in RECOVERY)),
            lift=Threshold(threshold=2, keys=tuple(self.person(name).public for name in LIFT)),
            made_at=STARTED_AT,
        )

    def signed_document(self) -> Signed:
        """Return document 1 under the signature of everybody it names."""
        processes = (
            self.server,
            self.escrow_issuer,
            self.log,
            self.witness,
            self.custodian.signing,
        )
        return sign(self.document(), *processes, *(self.person(name) for name in ROLES))


TERMS: Final = Terms(
    title="Synthetic programme",
    notice="Nobody is recorded here. Every recording is drawn by a program.",
    contact="steward@understudy.example",
    purposes=(Purpose.TRAIN, Purpose.EVALUATE),
    streams=(Stream.ELEMENTS, Stream.FRAMES, Stream.INPUT),
    application_groups=(
        ApplicationGroup(name="forms", sites=("forms.understudy.example",)),
        ApplicationGroup(name="mail", sites=("mail.understudy.example",)),
    ),
)
