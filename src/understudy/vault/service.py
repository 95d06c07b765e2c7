"""The vault as the server runs it: uploads in, ciphertext and ``p`` halves out to whom the door lets in.

Rules

* It holds no key to any segment: the ``p`` half is one of two.
* ``open_halves`` is for the door alone. Nothing else in the server calls it.
* ``flush`` is called by the server's timer: it forgets uploads that were left alone.

Example::

    vault = Vault(engine, programme, keystore, home, custodians, clock)
    state = vault.begin_upload(call)
    page = vault.select(scope)
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from sqlalchemy import Engine

from understudy.consent.clock import Clock
from understudy.consent.scope import Scope
from understudy.contract.messages import SegmentList, UploadCall, UploadState
from understudy.contract.ports import CustodianPort
from understudy.programme.service import Programme
from understudy.sealing.half import Half
from understudy.sealing.header import SegmentHeader
from understudy.sealing.signing import Signed
from understudy.vault.catalogue import MAX_PAGE, Catalogue
from understudy.vault.errors import ObjectMissingError, SegmentMissingError, VaultDamagedError
from understudy.vault.ingest import Ingest, object_key
from understudy.vault.keystore import KeyStore
from understudy.vault.objects import LocalObjects, ObjectStore
from understudy.vault.uploads import Uploads


class Vault:
    """Where sealed segments rest."""

    def __init__(
        self,
        engine: Engine,
        programme: Programme,
        keystore: KeyStore,
        home: Path,
        custodians: Sequence[CustodianPort],
        clock: Clock,
        *,
        objects: ObjectStore | None = None,
    ) -> None:
        """Take up the vault.

        Args:
            engine: the server's database, migrated.
            programme: says who may share what.
            keystore: keeps the ``p`` halves.
            home: a folder for uploads and, without ``objects``, for ciphertext.
            custodians: a port to every custodian of the key set.
            clock: tells the time.
            objects: another store of objects.

        Raises:
            StorageError: the folders cannot be made.
        """
        self._programme: Final = programme
        self._keystore: Final = keystore
        self._objects: Final = objects if objects is not None else LocalObjects(home / "objects")
        self.catalogue: Final = Catalogue(engine)
        self._ingest: Final = Ingest(
            engine,
            programme,
            keystore,
            self._objects,
            Uploads(home / "uploads", clock),
            {custodian.name: custodian for custodian in custodians},
            clock,
        )

    def begin_upload(self, call: UploadCall) -> UploadState:
        """Begin or resume an upload; see ``Ingest.begin``."""
        return self._ingest.begin(call)

    def append_upload(self, segment: str, offset: int, piece: bytes) -> UploadState:
        """Add ciphertext; see ``Ingest.append``."""
        return self._ingest.append(segment, offset, piece)

    def select(self, scope: Scope, *, limit: int = MAX_PAGE, cursor: str = "") -> SegmentList:
        """Return a page of the segments that ``scope`` covers; see ``Catalogue.select``."""
        if scope.programme != self._programme.documents.current.programme:
            return SegmentList(segments=())
        return self.catalogue.select(scope, limit=limit, cursor=cursor)

    def headers(self, segments: Sequence[str]) -> dict[str, SegmentHeader]:
        """Return the headers of those segments that are shared, by id; see ``Catalogue.headers``."""
        return self.catalogue.headers(segments)

    def receipts(self, segment: str) -> tuple[Signed, ...]:
        """Return the custodians' receipts of a segment."""
        return self.catalogue.receipts(segment)

    def size(self, segment: str) -> int:
        """Return how many bytes of ciphertext a segment has.

        Raises:
            SegmentMissingError: it is not in the catalogue.
        """
        row = self.catalogue.find(segment)
        if row is None:
            raise SegmentMissingError("the segment is not in the catalogue")
        return row.bytes

    def ciphertext(self, segment: str, start: int = 0, length: int | None = None) -> bytes:
        """Return a range of a segment's ciphertext, or all of it.

        Raises:
            SegmentMissingError: it is not in the catalogue.
            VaultDamagedError: it is in the catalogue, but its bytes are not there.
        """
        size = self.size(segment)
        wanted = max(0, min(size - start, size if length is None else length))
        try:
            found = self._objects.read(object_key(segment), start, wanted)
        except ObjectMissingError as error:
            raise VaultDamagedError("the ciphertext of a shared segment is missing") from error
        if len(found) != wanted:
            raise VaultDamagedError("the ciphertext of a shared segment is cut short")
        return found

    def open_halves(self, headers: Sequence[SegmentHeader]) -> dict[str, Half]:
        """Return the ``p`` halves of these segments, for the door; see ``KeyStore.open_halves``."""
        return self._keystore.open_halves(headers)

    def expired(self, now: int) -> list[str]:
        """Return segments that are older than the programme's retention."""
        return self.catalogue.expired(now, self._programme.documents.current.terms.retention_days)

    def flush(self) -> int:
        """Forget uploads that were left alone; return how many."""
        return self._ingest.sweep()
