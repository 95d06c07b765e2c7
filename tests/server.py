"""The server in memory: its real parts on one home folder, as the web layer composes them, without HTTP.

Rules

* Files and keys lie as in a server's real home: what is searched or copied here is what would be there.
* Every public method is one call of ``ServerPort``; nothing is decided here.
* ``flush`` is the server's timer: relays, switch changes, batches and denials that wait.

Example: ``Server(home, document, custodian, cosigner, clock).open(call)``.
"""

from contextlib import suppress
from pathlib import Path
from typing import Final

from understudy.access.carrier import Carrier
from understudy.access.decide import Decider
from understudy.access.denials import Denials
from understudy.access.door import Door
from understudy.access.errors import refusal
from understudy.access.grants import Grants
from understudy.access.participants import StoredParticipants
from understudy.access.policy import shipped
from understudy.access.reads import Reads
from understudy.access.record import PolicyRecord
from understudy.access.requests import Requests
from understudy.consent.clock import Clock
from understudy.consent.credentials import Ed25519Credential
from understudy.consent.decisions import Refused
from understudy.consent.errors import RefusedError, UnavailableError
from understudy.consent.programme import ProgrammeDocument
from understudy.consent.scope import Scope
from understudy.contract.messages import (
    EnrolAnswer,
    LeaseAnswer,
    OpenAnswer,
    OpenCall,
    OpeningsAnswer,
    RequestState,
    SegmentList,
    SwitchStatus,
    UploadCall,
    UploadState,
)
from understudy.contract.ports import CustodianPort
from understudy.programme.database import open_database
from understudy.programme.service import Programme
from understudy.sealing.keyfile import load_shred, load_signing
from understudy.sealing.personal import participant_tag
from understudy.sealing.signing import Signed, SigningKey, document_hash
from understudy.transparency.cosigning import Cosigner, WitnessLink
from understudy.transparency.errors import TransparencyError
from understudy.transparency.sequencer import Sequencer
from understudy.transparency.trust import log_trust
from understudy.vault.keystore import KeyStore
from understudy.vault.service import Vault
from understudy.web.migrations import migrate


class Server:
    """One running server; ``close`` lets go of its stores."""

    def __init__(
        self, home: Path, document: Signed, custodian: CustodianPort, cosigner: Cosigner, clock: Clock
    ) -> None:
        keys = document.verify(ProgrammeDocument).key_set
        (witness,) = log_trust(keys).witnesses
        self.home: Final = home
        self.log: Final = Sequencer(
            home / "log.sqlite",
            key=load_signing(home / "keys" / "checkpoint.json"),
            witnesses=[WitnessLink(witness, cosigner)],
            quorum=keys.witness_quorum,
            clock=clock,
        )
        self.engine: Final = open_database(home / "server.sqlite")
        migrate(self.engine)
        self.keystore: Final = KeyStore(
            home / "keystore.sqlite",
            load_signing(home / "keys" / "escrow-issuer.json"),
            load_shred(home / "keys" / "shred.json"),
        )
        key = load_signing(home / "keys" / "server.json")
        self.programme: Final = Programme(
            self.engine, document, key, [custodian], self.keystore, self.log, clock
        )
        self.vault: Final = Vault(self.engine, self.programme, self.keystore, home, [custodian], clock)
        self.custodian: Final = custodian
        documents = self.programme.documents
        participants = StoredParticipants(self.engine, documents)
        decider = Decider(shipped())
        self.denials: Final = Denials(self.log, documents, clock, policy=decider.policies.policy_hash)
        self.grants: Final = Grants(
            self.engine,
            documents=documents,
            participants=participants,
            decider=decider,
            denials=self.denials,
            clock=clock,
        )
        self.access: Final = Requests(self.engine, self.grants, self.log)
        self.reads: Final = Reads(self.grants, self.vault, participants, self.programme.switch)
        self.policies: Final = PolicyRecord(self.engine, self.log, documents)
        max_age = max(documents.current.delays.cosignature_seconds // 2, 1)
        signing = keys.custodians[0].signing
        self.carrier: Final = Carrier(custodian, self.log, clock, signing=signing, max_age=max_age)
        self.door: Final = Door(
            self.reads,
            log=self.log,
            store=self.vault,
            carriers=[self.carrier],
            key=key,
        )

    def publish(self) -> None:
        """Have the programme document and the policies in the log; nothing is decided before."""
        self.programme.publish()
        self.policies.publish(self.grants.decider.policies.policy_hash)

    def flush(self) -> None:
        """Do what the server's timer does."""
        self.programme.flush()
        self.denials.tick()

    def close(self) -> None:
        """Let go of log, database and key store."""
        self.log.close()
        self.keystore.close()
        self.engine.dispose()

    def document(self) -> Signed:
        return self.programme.document()

    def enrol(self, record: Signed) -> EnrolAnswer:
        return self.programme.enrol(record)

    def give_consent(self, consent: Signed) -> Signed:
        return self.programme.give_consent(consent)

    def stand(self, standing: Signed) -> tuple[Signed, ...]:
        return self.programme.stand(standing)

    def lease(self, request: Signed) -> LeaseAnswer:
        return self.programme.lease(request)

    def begin_upload(self, call: UploadCall) -> UploadState:
        return self.vault.begin_upload(call)

    def append_upload(self, segment: str, offset: int, chunk: bytes) -> UploadState:
        return self.vault.append_upload(segment, offset, chunk)

    def segments(self, key: SigningKey, *, grant: str = "", cursor: str = "") -> SegmentList:
        programme = self.programme.documents.current.programme
        if not grant:
            own = Scope(programme=programme, tags=(participant_tag(programme, key.public),))
            return self.vault.select(own, cursor=cursor)
        held = self.grants.find(grant)
        if held is None or _credential(key) not in held.facts.readers:
            raise refusal("grant-unknown")
        return self.vault.select(held.terms.scope, cursor=cursor)

    def ciphertext(self, segment: str, key: SigningKey, *, grant: str = "") -> bytes:
        del grant  # the reads know every grant of the credential
        decision = self.reads.may_fetch(_credential(key), segment)
        if isinstance(decision, Refused):
            raise RefusedError(decision.reason, hint=decision.hint)
        return self.vault.ciphertext(segment)

    def submit(self, request: Signed) -> RequestState:
        return self.access.submit(request)

    def request(self, request_id: str, key: SigningKey | None = None) -> RequestState:
        del key  # who may look is decided at the HTTP edge
        return self.access.state(request_id)

    def requests(self, key: SigningKey | None = None) -> tuple[RequestState, ...]:
        del key
        return self.access.all()

    def approve(self, request_id: str, grant: Signed) -> RequestState:
        return self.access.approve(request_id, grant)

    def own(self, grant: Signed) -> str:
        return self.grants.own(grant)

    def open(self, call: OpenCall) -> OpenAnswer:
        return self.door.open(call)

    def openings(self, request: Signed) -> OpeningsAnswer:
        return self.custodian.openings(request)

    def checkpoint(self) -> bytes:
        newest = self.log.newest
        if newest is None:
            raise UnavailableError("no checkpoint yet")
        with suppress(TransparencyError):
            newest = self.log.fresh(self.programme.documents.current.delays.cosignature_seconds // 2)
        return newest.note

    def read(self, path: str) -> bytes:
        return self.log.store.tiles.read(path)

    def switch_status(self) -> SwitchStatus:
        return self.programme.switch_status()

    def custodian_switch(self) -> SwitchStatus:
        return self.custodian.switch_status()

    def switch_off(self, order: Signed) -> SwitchStatus:
        return self.programme.switch_off(order)

    def lift(self, bundle: Signed) -> SwitchStatus:
        return self.programme.lift(bundle)


def _credential(key: SigningKey) -> str:
    return document_hash(Ed25519Credential(public_key=key.public))
