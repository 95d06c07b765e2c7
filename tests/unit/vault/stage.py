"""The stage of the programme's tests with a vault on it, and devices that seal segments."""

import secrets
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from tests.cast import PROGRAMME
from tests.unit.programme.stage import Person, Stage
from understudy.consent.keyset import EscrowKey
from understudy.consent.primitives import encode_bytes, new_id
from understudy.consent.programme import Delays
from understudy.contract.messages import UploadCall, UploadState
from understudy.custody.coverage import Coverage, LeasePresentation, lease_root
from understudy.sealing.header import SealContext, SegmentHeader
from understudy.sealing.hpke import HpkePublicKey
from understudy.sealing.segment import SealedSegment, seal_segment
from understudy.sealing.signing import document_hash, sign
from understudy.vault.service import Vault

PAYLOAD = b"a synthetic recording that nobody made"


class Upload:
    """A finished bundle: what a device stores before it sends."""

    def __init__(self, sealed: SealedSegment, presentation: LeasePresentation, person: Person) -> None:
        self.sealed = sealed
        self.header = sealed.header.verify(SegmentHeader)
        self.segment = self.header.seal.segment
        self.ciphertext = sealed.ciphertext
        self.presentation = presentation
        self.call = UploadCall(
            header=sealed.header, halves=sealed.halves, presentation=sign(presentation, person.device)
        )


class VaultStage(Stage):
    """A server with a vault."""

    vault: Vault

    def __init__(self, home: Path, *, delays: Delays | None = None) -> None:
        super().__init__(home, delays=delays)
        self.lift()

    def start(self) -> None:
        super().start()
        self.vault = Vault(
            self.engine, self.programme, self.keystore, self.home / "vault", self.custodians, self.clock
        )

    def coverage(self, person: Person, consent: str) -> Coverage:
        """Return one lease and its statement, as of now."""
        answer = self.lease(person, consent)
        return Coverage(leases=(answer.lease,), statements=(answer.statement,))

    def escrow(self, person: Person) -> EscrowKey:
        signed = self.keystore.issue(
            PROGRAMME, person.tag, document_hash(self.cast.key_set()), self.clock.now()
        )
        return signed.verify(EscrowKey)

    def seal(self, person: Person, consent: str, /, **changes: Any) -> Upload:
        """Record a stretch of 30 s under a lease and seal it, with ``changes`` to the context or below.

        ``previous``, ``coverage``, ``stretch``, ``presented`` (a change to the presentation), ``payload`` and
        ``device`` replace what an honest device would use.
        """
        coverage = changes.pop("coverage", None) or self.coverage(person, consent)
        begin = self.clock.now()
        stretch = changes.pop("stretch", (begin, begin + 30))
        self.clock.at = max(begin, stretch[1])
        salt = encode_bytes(secrets.token_bytes(32))
        presented = changes.pop("presented", {})
        escrow = self.escrow(person)
        device = changes.pop("device", person.device)
        previous = changes.pop("previous", None)
        payload = changes.pop("payload", PAYLOAD)
        root = changes.pop("lease_root", lease_root(salt, coverage))
        context = SealContext(
            kind="recording",
            programme=PROGRAMME,
            tag=person.tag,
            recording=new_id("rec"),
            segment=new_id("seg"),
            consent=consent,
            key_set=document_hash(self.cast.key_set()),
            escrow_key=escrow.escrow_key,
            application_group="forms",
            task_label="fill-form",
        )
        sealed = seal_segment(
            payload,
            replace(context, **changes),
            previous=previous,
            lease_root=root,
            redaction="A" * 43,
            device=device,
            escrow=HpkePublicKey.from_text(escrow.public),
            custodian=self.cast.custodian.hpke.public,
        )
        presentation = LeasePresentation(
            segment=sealed.header.verify(SegmentHeader).seal.segment,
            salt=salt,
            coverage=coverage,
            started_at=stretch[0],
            ended_at=stretch[1],
        )
        return Upload(sealed, replace(presentation, **presented), person)

    def send(self, upload: Upload, *, piece: int = 1 << 15) -> UploadState:
        """Send a bundle, piece by piece, from wherever the server stands."""
        state = self.vault.begin_upload(upload.call)
        while not state.receipts:
            part = upload.ciphertext[state.offset : state.offset + piece]
            state = self.vault.append_upload(upload.segment, state.offset, part)
        return state
