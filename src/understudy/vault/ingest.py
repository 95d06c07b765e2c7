"""Ingest: taking a sealed segment that nobody here can read, acknowledged only when all is durable.

Rules

* ``begin`` verifies everything that is not ciphertext: the device's signature and enrolment, programme
  and key set, escrow key, consent, standing, the switch, and the leases, which are checked in memory and
  then forgotten.
* At the end, in this order, each step durable and repeatable: the whole ciphertext against its hash; the
  object; the ``p`` half in the key store; each custodian's half and receipt; one catalogue transaction
  that looks at consent and standing once more. Only then are receipts returned, and only then is the
  upload forgotten.
* Killed anywhere, the same call goes on from there. What was acknowledged is there; what was not, was
  never listed.
* The same bundle again gets the same answer. Another header under the same id is a conflict.
* Two segments of one device never name the same predecessor.

Example::

    state = ingest.begin(call)
    while not state.receipts:
        state = ingest.append(segment, state.offset, ciphertext[state.offset : state.offset + 65536])
"""

import threading
from collections.abc import Mapping
from typing import Final

from sqlalchemy import Engine, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from understudy.consent.clock import Clock
from understudy.consent.consent import StandingState
from understudy.consent.decisions import Decision, Refused
from understudy.consent.errors import RefusedError
from understudy.consent.keyset import CustodianKeys
from understudy.consent.purposes import Activity
from understudy.contract.messages import UploadCall, UploadState
from understudy.contract.ports import CustodianPort
from understudy.custody.coverage import LeasePresentation
from understudy.custody.head import DepositReceipt
from understudy.programme.database import reading, writing
from understudy.programme.people import enrolled, known_consent, standing_of
from understudy.programme.service import Programme
from understudy.sealing.errors import FormatError, SealError, SignatureError
from understudy.sealing.half import SHARE_ROLES, Role
from understudy.sealing.header import SealedHalf, SegmentHeader, check_sealed_halves, verify_header
from understudy.sealing.signing import Signed, document_hash
from understudy.vault.catalogue import Catalogue, add_segment, stored_header
from understudy.vault.errors import SegmentMissingError, conflict, refusal
from understudy.vault.keystore import KeyStore
from understudy.vault.objects import ObjectStore
from understudy.vault.rules import check_consent, check_header, covers
from understudy.vault.tables import SegmentRow
from understudy.vault.uploads import Bundle, Uploads

_STRIPES: Final = 64
_BARRED: Final = {
    StandingState.WITHDRAWN: "standing-withdrawn",
    StandingState.OBJECTING: "standing-objecting",
}


class Ingest:
    """Takes uploads."""

    def __init__(
        self,
        engine: Engine,
        programme: Programme,
        keystore: KeyStore,
        objects: ObjectStore,
        uploads: Uploads,
        custodians: Mapping[str, CustodianPort],
        clock: Clock,
    ) -> None:
        self._engine: Final = engine
        self._programme: Final = programme
        self._keystore: Final = keystore
        self._objects: Final = objects
        self._uploads: Final = uploads
        self._custodians: Final = custodians
        self._clock: Final = clock
        self._catalogue: Final = Catalogue(engine)
        self._locks: Final = tuple(threading.Lock() for _ in range(_STRIPES))

    def begin(self, call: UploadCall) -> UploadState:
        """Begin an upload, or say how far it has come; finish it if every byte is there already.

        Raises:
            SignatureError: header or presentation is not signed by the enrolled device it names.
            FormatError: not canonical, or breaking a rule of its format.
            HalfError: the sealed halves are not those of the header.
            RefusedError: a check of ingest says no, or a custodian does.
            ConflictError: the id was used for another header.
            UnavailableError: disk full, or a custodian cannot be reached; call again.
        """
        header = verify_header(call.header, call.header.signers)
        segment = header.seal.segment
        with self._lock(segment):
            done = self._done(segment, header)
            if done is not None:
                return done
            self._check(header, call)
            bundle = Bundle(header=call.header, halves=call.halves)
            offset = self._uploads.begin(segment, bundle)
            return self._state(bundle, header, offset)

    def append(self, segment: str, offset: int, piece: bytes) -> UploadState:
        """Add ciphertext at ``offset``; with the last byte, finish and return the receipts.

        Raises:
            SegmentMissingError: the upload was not begun, or was left alone for too long.
            OffsetError: the upload stands at another offset.
            RefusedError: ``ciphertext-hash``, ``too-long``; or consent, standing or switch changed since.
            UnavailableError: disk full, or a custodian cannot be reached; call again.
        """
        with self._lock(segment):
            bundle = self._uploads.bundle(segment)
            if bundle is None:
                done = self._done(segment, None)
                if done is None:
                    raise SegmentMissingError("no upload of this segment was begun")
                return done
            if self._programme.is_off(Activity.INGEST):
                raise refusal("ingest-off")
            header = stored_header(bundle.header)
            reached = self._uploads.append(segment, offset, piece, limit=header.ciphertext_bytes)
            return self._state(bundle, header, reached)

    def sweep(self) -> int:
        """Forget uploads that were left alone, with what they had left in the stores; return how many."""
        abandoned = self._uploads.abandoned()
        for segment in abandoned:
            with self._lock(segment):
                self._discard(segment)
        return len(abandoned)

    def _state(self, bundle: Bundle, header: SegmentHeader, offset: int) -> UploadState:
        """Return how far the upload is; finish it if that is all the way."""
        segment, length = header.seal.segment, header.ciphertext_bytes
        if offset < length:
            return UploadState(segment=segment, offset=offset, length=length)
        return UploadState(
            segment=segment, offset=length, length=length, receipts=self._finish(bundle, header)
        )

    def _finish(self, bundle: Bundle, header: SegmentHeader) -> tuple[Signed, ...]:
        segment = header.seal.segment
        if self._catalogue.find(segment) is None:
            self._check_ciphertext(segment, header)
            with reading(self._engine) as session:
                self._check_still(session, header)
            with self._uploads.open(segment) as source:
                self._objects.put_if_absent(object_key(segment), source)
            self._keystore.put_half(header, bundle.halves[0])
            receipts = {half.role: self._deposit(header, bundle.header, half) for half in bundle.halves[1:]}
            self._share(header, bundle.header, receipts)
        self._uploads.forget(segment)
        return self._catalogue.receipts(segment)

    def _share(self, header: SegmentHeader, signed: Signed, receipts: dict[Role, Signed]) -> None:
        """Put the segment into the catalogue, unless somebody stopped it in the meantime."""
        try:
            with writing(self._engine) as session:
                self._check_still(session, header)
                taken = select(SegmentRow.id).where(
                    SegmentRow.device == header.device, SegmentRow.previous == (header.previous or "")
                )
                if session.scalar(taken) is not None:
                    raise refusal("previous")
                add_segment(session, header, signed, receipts, self._clock.now())
        except IntegrityError as error:
            raise conflict("headers-differ") from error
        except RefusedError as error:
            if error.reason != "ingest-off":
                self._discard(header.seal.segment)
            raise

    def _check(self, header: SegmentHeader, call: UploadCall) -> None:
        """Check everything about a segment that can be checked without reading it."""
        documents = self._programme.documents
        _demand(check_header(header, documents.current, documents.key_set_hash))
        check_sealed_halves(header, call.halves)
        with reading(self._engine) as session:
            self._check_still(session, header)
        if not self._keystore.is_issued(header.seal.escrow_key, header.seal.tag or "", header.seal.key_set):
            raise refusal("escrow-key")
        self._check_leases(header, call)

    def _check_leases(self, header: SegmentHeader, call: UploadCall) -> None:
        """Check the leases in memory. Nothing of them is stored."""
        presentation = call.presentation.verify(LeasePresentation)
        if call.presentation.signers != {header.device}:
            raise SignatureError("leases are presented by the device that sealed the segment")
        known = self._programme.consent(header.seal.consent)
        if known is None:
            raise refusal("consent-unknown")
        documents = self._programme.documents
        _demand(
            covers(
                presentation,
                header,
                known=known,
                documents={document_hash(document): document for document in documents.all()},
                tolerance=documents.current.delays.clock_skew_seconds,
                now=self._clock.now(),
            )
        )

    def _check_still(self, session: Session, header: SegmentHeader) -> None:
        """Check what may have changed since the upload began, on the state that this transaction sees."""
        documents = self._programme.documents
        if self._programme.is_off(Activity.INGEST):
            raise refusal("ingest-off")
        tag, threshold = header.seal.tag or "", documents.current.key_set.custodian_threshold
        person = enrolled(session, tag, threshold)
        if person is None or not person.is_confirmed:
            raise refusal("not-enrolled")
        if header.device not in person.devices:
            raise refusal("device-unknown")
        known = known_consent(session, header.seal.consent, documents)
        _demand(check_consent(header, known, documents.current.terms))
        standing = standing_of(session, tag)
        if standing in _BARRED:
            raise refusal(_BARRED[standing])

    def _check_ciphertext(self, segment: str, header: SegmentHeader) -> None:
        try:
            self._uploads.check(segment, header)
        except SealError as error:
            self._uploads.restart(segment)
            raise refusal("ciphertext-hash") from error

    def _deposit(self, header: SegmentHeader, signed: Signed, half: SealedHalf) -> Signed:
        """Hand one half to its custodian; return the receipt, checked."""
        keys = self._custodian_of(half.role)
        receipt = self._custodians[keys.name].deposit(signed, half)
        try:
            told = receipt.verify(DepositReceipt, [keys.signing])
        except (FormatError, SignatureError) as error:
            raise refusal("custodian-receipt") from error
        if (told.segment, told.header, told.role, told.sealed_hash, told.custodian, told.epoch) != (
            header.seal.segment,
            document_hash(header),
            half.role,
            header.half(half.role).sealed_hash,
            keys.name,
            keys.epoch,
        ):
            raise refusal("custodian-receipt")
        return receipt

    def _custodian_of(self, role: Role) -> CustodianKeys:
        custodians = self._programme.documents.current.key_set.custodians
        return custodians[SHARE_ROLES.index(role) if role in SHARE_ROLES else 0]

    def _done(self, segment: str, header: SegmentHeader | None) -> UploadState | None:
        """Return the final state of a segment that is in the catalogue, or None."""
        row = self._catalogue.find(segment)
        if row is None:
            return None
        if header is not None and row.header_hash != document_hash(header):
            raise conflict("headers-differ")
        self._uploads.forget(segment)
        receipts = self._catalogue.receipts(segment)
        return UploadState(segment=segment, offset=row.bytes, length=row.bytes, receipts=receipts)

    def _discard(self, segment: str) -> None:
        """Remove what an upload left behind, unless the segment was shared after all."""
        if self._catalogue.find(segment) is None:
            self._objects.delete(object_key(segment))
            self._keystore.discard(segment)
        self._uploads.forget(segment)

    def _lock(self, segment: str) -> threading.Lock:
        return self._locks[hash(segment) % _STRIPES]


def object_key(segment: str) -> str:
    """Return the name of a segment's ciphertext in the object store."""
    return f"ciphertext/{segment[4:6]}/{segment}"


def _demand(decision: Decision) -> None:
    if isinstance(decision, Refused):
        raise RefusedError(decision.reason, hint=decision.hint)
