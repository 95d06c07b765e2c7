"""The broker's key store: escrow keys under the shred key, and every participant's half of every segment.

Rules

* It is a file of its own, apart from the catalogue, with its own backups; deleted rows are overwritten
  with zeros.
* Escrow private keys rest wrapped under the current shred key and are unwrapped for one call only.
* Rows are write-once. The same half again is fine, another under the same id is refused.
* A half is opened for the door alone, checked against the commitment in the device-signed header. What
  comes out opens nothing: the other half is the custodian's.
* One escrow key for each participant and key set, signed by the escrow issuer.

Example: ``keystore.open_halves([header])`` returns ``{segment: Half('p', …)}``.
"""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from sqlalchemy import (
    Engine,
    ForeignKey,
    LargeBinary,
    MetaData,
    String,
    UniqueConstraint,
    delete,
    func,
    select,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from understudy.consent.keyset import EscrowKey
from understudy.consent.primitives import encode_bytes, new_id
from understudy.programme.database import NAMING, SignedColumn, open_database, reading, writing
from understudy.sealing.canonical import canonical, parse
from understudy.sealing.half import Half
from understudy.sealing.header import SealedHalf, SegmentHeader, check_sealed_half
from understudy.sealing.hpke import HpkePrivateKey
from understudy.sealing.segment import open_half
from understudy.sealing.shred import ShredKey, WrappedKey, rewrap
from understudy.sealing.signing import Signed, SigningKey, document_hash, sign
from understudy.vault.errors import RootKeyError, SegmentMissingError, VaultDamagedError, conflict

SCHEMA_VERSION: Final = 1
_DIGEST: Final = String(43)
_ID: Final = String(26)


class Base(DeclarativeBase):
    """Base of the key store's tables."""

    metadata = MetaData(naming_convention=NAMING)


class EscrowKeyRow(Base):
    """One participant's escrow key for one key set."""

    __tablename__ = "escrow_key"
    __table_args__ = (UniqueConstraint("tag", "epoch"), UniqueConstraint("tag", "key_set"))

    id: Mapped[str] = mapped_column(_ID, primary_key=True)
    tag: Mapped[str] = mapped_column(_DIGEST, index=True)
    epoch: Mapped[int]
    key_set: Mapped[str] = mapped_column(_DIGEST)
    shred_key: Mapped[str] = mapped_column(_DIGEST, index=True)
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)
    document: Mapped[Signed] = mapped_column(SignedColumn)


class HalfRow(Base):
    """The sealed half ``p`` of one segment."""

    __tablename__ = "half"

    segment: Mapped[str] = mapped_column(_ID, primary_key=True)
    escrow_key: Mapped[str] = mapped_column(ForeignKey("escrow_key.id"), index=True)
    header: Mapped[str] = mapped_column(_DIGEST)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class KeyStore:
    """Keeps the ``p`` halves and the keys that open them."""

    def __init__(self, path: Path, issuer: SigningKey, shred: ShredKey) -> None:
        """Open the store, making it if it is absent.

        Args:
            path: the SQLite file.
            issuer: signs escrow keys; the key set calls it ``escrow_issuer``.
            shred: the current shred key.

        Raises:
            RootKeyError: the rows are wrapped under another shred key.
            VaultDamagedError: another program's file, or a newer version's.
            StorageError: it cannot be opened.
        """
        self._engine: Final = _open(path)
        self._issuer: Final = issuer
        self._shred = shred
        if self.shred_name not in {None, shred.name}:
            self._engine.dispose()
            raise RootKeyError("the key store is wrapped under another shred key")

    @classmethod
    def shred_name_in(cls, path: Path) -> str | None:
        """Return the name of the shred key that the store at ``path`` is wrapped under; None without rows."""
        engine = _open(path)
        try:
            return _shred_name(engine)
        finally:
            engine.dispose()

    @property
    def shred_name(self) -> str | None:
        """The name of the shred key that the rows are wrapped under; None without rows."""
        return _shred_name(self._engine)

    def close(self) -> None:
        """Close the file."""
        self._engine.dispose()

    def issue(self, programme: str, tag: str, key_set: str, now: int) -> Signed:
        """Return the participant's escrow key under ``key_set``, made now if there is none. Idempotent.

        Args:
            programme: the programme id.
            tag: the participant.
            key_set: hash of the key set that is pinned.
            now: the time.

        Raises:
            StorageError: disk full; nothing was issued.
        """
        with writing(self._engine) as session:
            row = session.scalars(
                select(EscrowKeyRow).where(EscrowKeyRow.tag == tag, EscrowKeyRow.key_set == key_set)
            ).first()
            if row is not None:
                return row.document
            newest = select(func.max(EscrowKeyRow.epoch)).where(EscrowKeyRow.tag == tag)
            private, escrow_key = HpkePrivateKey.generate(), new_id("esc")
            document = EscrowKey(
                escrow_key=escrow_key,
                programme=programme,
                tag=tag,
                epoch=(session.scalar(newest) or 0) + 1,
                public=private.public.text,
                key_set=key_set,
                made_at=now,
            )
            signed = sign(document, self._issuer)
            session.add(
                EscrowKeyRow(
                    id=escrow_key,
                    tag=tag,
                    epoch=document.epoch,
                    key_set=key_set,
                    shred_key=self._shred.name,
                    wrapped=canonical(self._shred.wrap(escrow_key, private)),
                    document=signed,
                )
            )
        return signed

    def is_issued(self, escrow_key: str, tag: str, key_set: str) -> bool:
        """Return whether this escrow key was issued to this participant under this key set."""
        with reading(self._engine) as session:
            row = session.get(EscrowKeyRow, escrow_key)
        return row is not None and (row.tag, row.key_set) == (tag, key_set)

    def put_half(self, header: SegmentHeader, half: SealedHalf) -> None:
        """Keep the sealed half ``p``; durable and write-once. The same again changes nothing.

        Raises:
            HalfError: it is not the half that the header names.
            ConflictError: the id was used for another header.
            StorageError: disk full; it was not kept.
        """
        sealed, found = check_sealed_half(header, half), document_hash(header)
        with writing(self._engine) as session:
            row = session.get(HalfRow, header.seal.segment)
            if row is None:
                session.add(
                    HalfRow(
                        segment=header.seal.segment,
                        escrow_key=header.seal.escrow_key,
                        header=found,
                        sealed=sealed,
                    )
                )
            elif (row.header, row.sealed) != (found, sealed):
                raise conflict("headers-differ")

    def discard(self, segment: str) -> None:
        """Delete the half of a segment that never came into the catalogue."""
        with writing(self._engine) as session:
            session.execute(delete(HalfRow).where(HalfRow.segment == segment))

    def open_half(self, header: SegmentHeader) -> Half:
        """Return the half ``p`` of one segment; see ``open_halves``."""
        return self.open_halves([header])[header.seal.segment]

    def open_halves(self, headers: Sequence[SegmentHeader]) -> dict[str, Half]:
        """Return the ``p`` halves by segment id, each checked against its header. Nothing is written.

        Args:
            headers: verified headers, from the catalogue.

        Raises:
            SegmentMissingError: a half, or the escrow key that opens it, is not here (any more).
            HalfError: what is kept does not fit the header.
            RootKeyError: an escrow key is wrapped under another shred key.
        """
        wanted = [header.seal.segment for header in headers]
        with reading(self._engine) as session:
            columns = select(HalfRow.segment, HalfRow.escrow_key, HalfRow.sealed)
            found = session.execute(columns.where(HalfRow.segment.in_(wanted)))
            rows = {row.segment: row for row in found}
            names = {row.escrow_key for row in rows.values()}
            keys = session.scalars(select(EscrowKeyRow).where(EscrowKeyRow.id.in_(names))).all()
        opened = {row.id: self._unwrap(row) for row in keys}
        halves = {}
        for header in headers:
            row = rows.get(header.seal.segment)
            if row is None or row.escrow_key not in opened:
                raise SegmentMissingError("the key store has no half for a segment", hint="it was erased")
            sealed = SealedHalf(role="p", sealed=encode_bytes(row.sealed))
            halves[row.segment] = open_half("p", header, sealed, opened[row.escrow_key])
        return halves

    def rewrap(self, new: ShredKey) -> int:
        """Wrap every escrow key under ``new``, in one transaction, and use it from now on; return how many.

        Raises:
            StorageError: disk full; every key is still wrapped under the old one.
            SealError: a row is damaged; every key is still wrapped under the old one.
        """
        with writing(self._engine) as session:
            rows = session.scalars(select(EscrowKeyRow)).all()
            for row in rows:
                row.wrapped = canonical(rewrap(self._shred, new, parse(WrappedKey, row.wrapped)))
                row.shred_key = new.name
        self._shred = new
        # Old wrappings leave the write-ahead log too, not only the pages.
        with closing(self._engine.raw_connection()) as connection:
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return len(rows)

    def _unwrap(self, row: EscrowKeyRow) -> HpkePrivateKey:
        if row.shred_key != self._shred.name:
            raise RootKeyError("an escrow key is wrapped under another shred key")
        return self._shred.unwrap(parse(WrappedKey, row.wrapped))


def _open(path: Path) -> Engine:
    engine = open_database(path)
    with writing(engine) as session:
        connection = session.connection()
        version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
        tables = connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar_one()
        if version == 0 and tables == 0:
            Base.metadata.create_all(connection)
            connection.exec_driver_sql(f"PRAGMA user_version={SCHEMA_VERSION}")
        elif version != SCHEMA_VERSION:
            raise VaultDamagedError(
                f"{path.name} is not a key store of this version",
                hint="check the path; a newer version's key store needs the newer program",
            )
    return engine


def _shred_name(engine: Engine) -> str | None:
    with reading(engine) as session:
        return session.scalars(select(EscrowKeyRow.shred_key).limit(1)).first()
