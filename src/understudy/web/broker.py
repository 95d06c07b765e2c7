"""The server's parts, composed: the log, the key store, programme, vault and door over one home directory.

Rules

* Everything here is the real thing; tests compose it the same way.
* The server goes by the programme document in its home, which every party signed. Its own keys must be the
  ones that the document names.
* Until the document and the policies are in the log and cosigned, nothing is asked, granted or opened.
  Stopping, pausing and withdrawing work from the first moment.

Example: ``broker = Broker.open(home, config, clock)``; ``broker.door.open(call)``; ``broker.close()``.
"""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from sqlalchemy import Engine

from understudy.access.carrier import Carrier
from understudy.access.completeness import Completeness
from understudy.access.decide import Decider
from understudy.access.denials import Denials
from understudy.access.door import Door
from understudy.access.explain import Explainer
from understudy.access.grants import Grants
from understudy.access.participants import StoredParticipants
from understudy.access.policy import shipped
from understudy.access.reads import Reads
from understudy.access.record import PolicyRecord
from understudy.access.requests import Requests
from understudy.client.custodian import HttpCustodian
from understudy.client.http import Connection
from understudy.client.witness import HttpWitness
from understudy.consent.clock import Clock
from understudy.consent.errors import UnavailableError
from understudy.consent.programme import ProgrammeDocument
from understudy.programme.database import open_database
from understudy.programme.document import verify_document
from understudy.programme.service import Programme
from understudy.sealing.keyfile import load_shred
from understudy.sealing.signing import Signed
from understudy.transparency.cosigning import WitnessLink
from understudy.transparency.errors import TransparencyError
from understudy.transparency.sequencer import Sequencer
from understudy.transparency.trust import log_trust
from understudy.vault.keystore import KeyStore
from understudy.vault.service import Vault
from understudy.web.config import ServerConfig
from understudy.web.document import DOCUMENT_FILE, read_document
from understudy.web.errors import ConfigError, HomeError
from understudy.web.home import (
    KEY_STORE,
    LOG_STORE,
    SERVER_STORE,
    ServerParty,
    key_path,
    load_key,
    read_public,
)
from understudy.web.migrations import migrate

WITNESS_START_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Broker:
    """Everything the server's calls are answered from."""

    clock: Clock
    engine: Engine
    log: Sequencer
    keystore: KeyStore
    custodians: tuple[HttpCustodian, ...]
    witnesses: tuple[HttpWitness, ...]
    programme: Programme
    vault: Vault
    reads: Reads
    grants: Grants
    requests: Requests
    door: Door
    explainer: Explainer
    completeness: Completeness
    policies: PolicyRecord
    connections: tuple[Connection, ...]

    @classmethod
    def open(cls, home: Path, config: ServerConfig, clock: Clock) -> Self:
        """Compose the server in ``home``.

        Raises:
            HomeError: no programme document, or keys that it does not name.
            ConfigError: a custodian or witness has no address.
            UnderstudyError: a store cannot be used.
        """
        signed = server_document(home)
        document = verify_document(signed, signed.hash(ProgrammeDocument))
        own = read_public(home / "public.json")
        keys = document.key_set
        if not isinstance(own, ServerParty) or (own.server, own.log) != (keys.server, keys.log):
            raise HomeError(
                "the programme document names another server", hint="use the home it was made for"
            )
        with contextlib.ExitStack() as undo:
            engine = open_database(home / SERVER_STORE)
            undo.callback(engine.dispose)
            migrate(engine)
            issuer, shred = load_key(home, "escrow-issuer"), load_shred(key_path(home, "shred"))
            keystore = KeyStore(home / KEY_STORE, issuer, shred)
            undo.callback(keystore.close)
            links = _Links(document, config, home, clock)
            undo.callback(links.close)
            log = Sequencer(
                home / LOG_STORE,
                key=load_key(home, "checkpoint"),
                witnesses=links.witness_links,
                quorum=keys.witness_quorum,
                clock=clock,
                start_seconds=WITNESS_START_SECONDS,
            )
            undo.callback(log.close)
            server_key = load_key(home, "server")
            programme = Programme(engine, signed, server_key, links.custodians, keystore, log, clock)
            vault = Vault(engine, programme, keystore, home, links.custodians, clock)
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
            max_age = max(document.delays.cosignature_seconds // 2, 1)
            carriers = [
                Carrier(custodian, log, clock, signing=custodian_keys.signing, max_age=max_age)
                for custodian, custodian_keys in zip(links.custodians, keys.custodians, strict=True)
            ]
            door = Door(
                reads, log=log, store=vault, carriers=carriers, key=server_key
            )
            undo.pop_all()
        return cls(
            clock=clock,
            engine=engine,
            log=log,
            keystore=keystore,
            custodians=tuple(links.custodians),
            witnesses=tuple(links.witnesses),
            programme=programme,
            vault=vault,
            reads=reads,
            grants=grants,
            requests=Requests(engine, grants, log),
            door=door,
            explainer=Explainer(reads),
            completeness=Completeness(log, carriers, max_age=max_age),
            policies=PolicyRecord(engine, log, programme.documents),
            connections=tuple(links.connections),
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
        """Let go of stores and connections, the log first."""
        self.log.close()
        self.keystore.close()
        self.engine.dispose()
        for connection in self.connections:
            connection.close()


class _Links:
    """The way to every custodian and witness of the key set."""

    def __init__(self, document: ProgrammeDocument, config: ServerConfig, home: Path, clock: Clock) -> None:
        self.connections: list[Connection] = []
        self._config = config
        self._clock = clock
        server_key = load_key(home, "server")
        keys = document.key_set
        self.custodians = [
            HttpCustodian(self._connect(config.custodians, custodian.name), custodian, server_key)
            for custodian in keys.custodians
        ]
        self.witnesses = [
            HttpWitness(self._connect(config.witnesses, witness.name)) for witness in keys.witnesses
        ]
        self.witness_links = [
            WitnessLink(key, witness)
            for key, witness in zip(log_trust(keys).witnesses, self.witnesses, strict=True)
        ]

    def close(self) -> None:
        for connection in self.connections:
            connection.close()

    def _connect(self, addresses: Mapping[str, str], name: str) -> Connection:
        if name not in addresses:
            raise ConfigError(f"config.toml has no address for {name}", hint="add it and start again")
        made = Connection(
            addresses[name],
            clock=self._clock,
            allow_plain=self._config.allow_plain,
            trust_file=self._config.trust_file or None,
        )
        self.connections.append(made)
        return made


def server_document(home: Path) -> Signed:
    """Return the programme document in a server's home.

    Raises:
        HomeError: none was published here yet.
    """
    path = home / DOCUMENT_FILE
    if not path.exists():
        raise HomeError(
            "no programme document was published here", hint="run understudy serve publish DOCUMENT first"
        )
    return read_document(path)
