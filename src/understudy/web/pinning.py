"""Signing and pinning the programme document, from a custodian's or witness's own command line.

Rules

* Pinning checks the hash that the operator gives, every rule and every signature, and that the document names
  this party's own keys. The hash comes from the steward, never from the server.
* Pinning the same document again changes nothing; another one is refused.

Example: ``pin_witness(home, read_document(path), expected)``.
"""

from collections.abc import Sequence
from pathlib import Path

from understudy.consent.clock import Clock
from understudy.consent.errors import UnavailableError
from understudy.consent.programme import ProgrammeDocument
from understudy.custody.custodian import Custodian
from understudy.custody.store import Store
from understudy.programme.document import verify_document
from understudy.sealing.signing import Signed, document_hash
from understudy.web.config import CustodianConfig, read_config
from understudy.web.document import DOCUMENT_FILE, read_document, sign_as_party, write_document
from understudy.web.errors import CeremonyError
from understudy.web.home import (
    CUSTODIAN_STORE,
    PUBLIC_FILE,
    WitnessParty,
    load_custodian_keys,
    load_key,
    read_public,
)


class NoLog:
    """No server's address is configured: leaves come with deliveries only."""

    def entries(self, start: int, end: int) -> Sequence[bytes]:
        """Return nothing; there is nowhere to ask."""
        raise UnavailableError(
            f"entries {start} to {end} are missing, and no server is configured",
            hint="set server in config.toml",
        )

    def checkpoint(self) -> bytes:
        """Return nothing; there is nowhere to ask."""
        raise UnavailableError("no server is configured", hint="set server in config.toml")


def sign_custodian(home: Path, signed: Signed) -> Signed:
    """Return the document with this custodian's signature; ``CeremonyError`` if it does not name its keys."""
    return sign_as_party(signed, read_public(home / PUBLIC_FILE), [load_key(home, "custodian")])


def core_of(home: Path, clock: Clock) -> Custodian:
    """Return the custodian's core alone, for its own command line while no process runs; close it."""
    config = read_config(home, CustodianConfig)
    return Custodian(Store(home / CUSTODIAN_STORE), load_custodian_keys(home, config), clock, NoLog())


def pin_custodian(home: Path, signed: Signed, expected: str, clock: Clock) -> None:
    """Have the custodian in ``home`` go by this document; raises as ``Custodian.pin`` does."""
    core = core_of(home, clock)
    try:
        core.pin(signed, expected)
    finally:
        core.close()
    write_document(home / DOCUMENT_FILE, signed)


def sign_witness(home: Path, signed: Signed) -> Signed:
    """Return the document with this witness's signature; ``CeremonyError`` if it does not name its keys."""
    return sign_as_party(signed, read_public(home / PUBLIC_FILE), [load_key(home, "witness")])


def pin_witness(home: Path, signed: Signed, expected: str) -> str:
    """Go by this document from now on, and return its hash; idempotent.

    Args:
        home: the witness's home.
        signed: the document with all its signatures.
        expected: its hash, from the person who assembled it and not from the server.

    Raises:
        CeremonyError: another hash, another document is pinned, or it does not name this witness.
        DocumentError, SignatureError: a rule is broken or a signature missing.
    """
    found = signed.hash(ProgrammeDocument)
    if found != expected:
        raise CeremonyError("document-hash", hint="compare the hash with the steward's")
    pinned = pinned_document(home)
    if pinned is not None:
        if document_hash(pinned) != found:
            raise CeremonyError("succession-unsupported", hint="this version keeps the document it pinned")
        return found
    document = verify_document(signed, expected)
    own = read_public(home / PUBLIC_FILE)
    if not isinstance(own, WitnessParty) or own.keys not in document.key_set.witnesses:
        raise CeremonyError("not-in-key-set", hint="assemble the document from this party's own public.json")
    write_document(home / DOCUMENT_FILE, signed)
    return found


def pinned_document(home: Path) -> ProgrammeDocument | None:
    """Return the document that was pinned here, or None."""
    path = home / DOCUMENT_FILE
    if not path.exists():
        return None
    signed = read_document(path)
    return verify_document(signed, signed.hash(ProgrammeDocument))
