"""The server's parts, composed: the log, the key store, programme, vault and door over one home directory.

Rules

* Everything here is the real thing; tests compose it the same way.
* The server goes by the programme document in its home, which every party signed. Its own keys must be the
  ones that the document names.
* Until the document and the policies are in the log and cosigned, nothing is asked, granted or opened.
  Stopping, pausing and withdrawing work from the first moment.

Example: ``broker = Broker.compose(home, signed, custodians, witnesses, clock)``; ``broker.door.open(call)``.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from sqlalchemy import Engine

from understudy.access.carrier import Carrier
from understudy.access.completeness import Completeness
from understudy.access.decide import Decider
from understudy.access.denials import Denials
from understudy.access.door import Door
from understudy.access.explainer import Explainer
from understudy.access.grants import Grants
from understudy.access.participants import StoredParticipants
from understudy.access.policy import shipped
from understudy.access.reads import Reads
from understudy.access.record import PolicyRecord
from understudy.access.requests import Requests
from understudy.consent.clock import Clock
from understudy.consent.errors import UnavailableError
from understudy.consent.programme import ProgrammeDocument
from understudy.contract.ports import CustodianPort
from understudy.programme.database import open_database
from understudy.programme.document import verify_document
from understudy.programme.service import Programme
from understudy.sealing.signing import Signed
from understudy.transparency.cosigning import WitnessLink
from understudy.transparency.errors import TransparencyError
from understudy.transparency.sequencer import Sequencer
from understudy.vault.keystore import KeyStore
from understudy.vault.service import Vault
from understudy.vault.shredding import ShredKeyFile
from understudy.web.home import KEY_STORE, LOG_STORE, SERVER_STORE, key_path, load_key
from understudy.web.migrations import migrate

WITNESS_START_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Broker:
    """Everything the server's calls are answered from."""

    clock: Clock
    engine: Engine
    log: Sequencer
    keystore: KeyStore
    custodians: tuple[CustodianPort, ...]
    programme: Programme
    vault: Vault
    reads: Reads
    grants: Grants
    requests: Requests
    door: Door
    explainer: Explainer
    completeness: Completeness
    policies: PolicyRecord

    @classmethod
    def compose(
        cls,
        home: Path,
        signed: Signed,
        custodians: Sequence[CustodianPort],
        witnesses: Sequence[WitnessLink],
        clock: Clock,
        *,
        prompt: Sequence[CustodianPort] | None = None,
    ) -> Self:
        """Compose the server in ``home`` with these ways to the other parties.

        Args:
            home: keys and stores, as ``home.make_server`` left them.
            signed: the programme document that everybody signed.
            custodians: one for each custodian of the key set, in its order.
            witnesses: one for each witness.
            clock: tells the time.
            prompt: other ways to the same custodians that give up soon, for stops and leases.

        Raises:
            DocumentError: the document names another server, or breaks a rule.
            UnderstudyError: a store cannot be used.
        """
        document = verify_document(signed, signed.hash(ProgrammeDocument))
        keys, server_key = document.key_set, load_key(home, "server")
        max_age = max(document.delays.cosignature_seconds // 2, 1)
        with contextlib.ExitStack() as undo:
            engine = open_database(home / SERVER_STORE)
            undo.callback(engine.dispose)
            migrate(engine)
            shred = ShredKeyFile(key_path(home, "shred").parent).load(
                KeyStore.shred_name_in(home / KEY_STORE)
            )
            keystore = KeyStore(home / KEY_STORE, load_key(home, "escrow-issuer"), shred)
            undo.callback(keystore.close)
            log = Sequencer(
                home / LOG_STORE,
                key=load_key(home, "checkpoint"),
                witnesses=witnesses,
                quorum=keys.witness_quorum,
                clock=clock,
                start_seconds=WITNESS_START_SECONDS,
            )
            undo.callback(log.close)
            programme = Programme(engine, signed, server_key, prompt or custodians, keystore, log, clock)
            vault = Vault(engine, programme, keystore, home, custodians, clock)
            participants = StoredParticipants(engine, programme.documents)
            decider = Decider(shipped())
            denials = Denials(log, programme.documents, clock, policy=decider.policies.policy_hash)
            grants = Grants(
                engine,
                documents=programme.documents,
                participants=participants,
                decider=decider,
                denials=denials,
                clock=clock,
            )
            reads = Reads(grants, store=vault, participants=participants, switch=programme.switch)
            carriers = [
                Carrier(custodian, log, clock, signing=custodian_keys.signing, max_age=max_age)
                for custodian, custodian_keys in zip(custodians, keys.custodians, strict=True)
            ]
            undo.pop_all()
        return cls(
            clock=clock,
            engine=engine,
            log=log,
            keystore=keystore,
            custodians=tuple(prompt or custodians),
            programme=programme,
            vault=vault,
            reads=reads,
            grants=grants,
            requests=Requests(engine, grants, log),
            door=Door(reads, log=log, store=vault, carriers=carriers, key=server_key),
            explainer=Explainer(reads),
            completeness=Completeness(log, carriers, max_age=max_age),
            policies=PolicyRecord(engine, log, programme.documents),
        )

    @property
    def document(self) -> ProgrammeDocument:
        """The programme document in force."""
        return self.programme.documents.current

    def publish(self) -> None:
        """Have the document and the policies in the log; nothing is decided before. Idempotent.

        Raises:
            UnavailableError: too few witnesses answer.
        """
        try:
            self.programme.publish()
            self.policies.publish(self.grants.decider.policies.policy_hash)
        except TransparencyError as error:
            raise UnavailableError(f"the log is not ready: {error}", hint=error.hint) from error

    def close(self) -> None:
        """Let go of the stores, the log first."""
        self.log.close()
        self.keystore.close()
        self.engine.dispose()
