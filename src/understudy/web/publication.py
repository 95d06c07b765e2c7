"""Publishing the programme document: the server signs it, and it becomes entry 0 of the log.

Rules

* The entry is durable before custodian and witness pin the document; it is cosigned when they run.
* A log whose entry 0 is another document is never touched.
* Repeating changes nothing.

Example: ``publish_document(home, signed, SystemClock())`` returns the document's hash.
"""

from pathlib import Path
from typing import Final

from understudy.consent.clock import Clock
from understudy.consent.programme import ProgrammeDocument
from understudy.programme.document import verify_document
from understudy.programme.events import document_draft
from understudy.sealing.signing import Signed
from understudy.transparency.cosigning import WitnessLink
from understudy.transparency.errors import WitnessUnavailableError
from understudy.transparency.sequencer import Sequencer
from understudy.transparency.trust import log_trust
from understudy.web.document import DOCUMENT_FILE, read_document, sign_as_party, write_document
from understudy.web.errors import CeremonyError
from understudy.web.home import LOG_STORE, PUBLIC_FILE, ServerParty, load_key, read_public
from understudy.web.listening import HomeLock


class NobodyYet:
    """Stands for a witness that is asked only once the server runs."""

    def cosign(self, note: bytes, old_size: int, path: object) -> bytes:
        """Answer nothing."""
        del note, old_size, path
        raise WitnessUnavailableError("witnesses are asked when the server runs")


NOBODY: Final = NobodyYet()


def sign_server(home: Path, signed: Signed) -> Signed:
    """Return the document signed by server, escrow issuer and log; ``CeremonyError`` if it names others."""
    keys = [load_key(home, name) for name in ("server", "escrow-issuer", "log")]
    return sign_as_party(signed, read_public(home / PUBLIC_FILE), keys)


def publish_document(home: Path, signed: Signed, clock: Clock) -> str:
    """Make the document entry 0 of the server's log and return its hash.

    Raises:
        DocumentError, SignatureError: a rule is broken, or a signature missing.
        CeremonyError: it names another server, or the log begins with another document.
        AlreadyRunningError: the server runs.
    """
    document = verify_document(signed)
    found = signed.hash(ProgrammeDocument)
    own = read_public(home / PUBLIC_FILE)
    if not isinstance(own, ServerParty) or (own.server, own.log) != (
        document.key_set.server,
        document.key_set.log,
    ):
        raise CeremonyError("not-in-key-set", hint="assemble the document from this party's own public.json")
    path = home / DOCUMENT_FILE
    if path.exists() and read_document(path).hash(ProgrammeDocument) != found:
        raise CeremonyError("other-document", hint="the log begins with another document; use another home")
    lock = HomeLock(home)
    try:
        trust = log_trust(document.key_set)
        with Sequencer(
            home / LOG_STORE,
            key=load_key(home, "checkpoint"),
            witnesses=[WitnessLink(key, NOBODY) for key in trust.witnesses],
            quorum=trust.quorum,
            clock=clock,
            start_seconds=0.0,
        ) as log:
            if log.append(document_draft(signed), durable_only=True).index != 0:
                raise CeremonyError(
                    "other-document", hint="the log begins with another document; use another home"
                )
    finally:
        lock.release()
    write_document(path, signed)
    return found
