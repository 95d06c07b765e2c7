"""The programme documents of this server: which is in force, which were, and their place in the log.

Rules

* The document in force is the one with the highest number. Each was checked against its predecessor when
  it came.
* An earlier document stays known: leases and consents name the one they were made under.
* ``publish`` logs documents in order; document 1 must become leaf 0, or the log is not this programme's.

Example: ``documents = Documents(engine); documents.adopt(signed); documents.current.terms``.
"""

from typing import Final

from sqlalchemy import Engine, select

from understudy.consent.programme import ProgrammeDocument
from understudy.programme.database import reading, writing
from understudy.programme.document import verify_document, verify_successor
from understudy.programme.errors import DocumentError
from understudy.programme.events import LogPort, document_draft
from understudy.programme.tables import DocumentRow
from understudy.sealing.signing import Signed, document_hash


class Documents:
    """The documents of one programme, oldest first; kept in memory as well."""

    def __init__(self, engine: Engine) -> None:
        self._engine: Final = engine
        with reading(engine) as session:
            rows = session.scalars(select(DocumentRow).order_by(DocumentRow.number)).all()
        self._signed = [row.signed for row in rows]
        self._current_hash = rows[-1].hash if rows else None
        self._by_hash = {row.hash: row.signed.verify(ProgrammeDocument) for row in rows}

    @property
    def current(self) -> ProgrammeDocument:
        """The document in force.

        Raises:
            DocumentError: there is none yet.
        """
        return self._by_hash[self.current_hash]

    @property
    def current_hash(self) -> str:
        """The hash of the document in force."""
        if self._current_hash is None:
            raise DocumentError(("there is none yet",))
        return self._current_hash

    @property
    def signed(self) -> Signed:
        """The document in force with its signatures."""
        if not self._signed:
            raise DocumentError(("there is none yet",))
        return self._signed[-1]

    @property
    def key_set_hash(self) -> str:
        """The hash of the key set in force: what stands in segment headers."""
        return document_hash(self.current.key_set)

    def find(self, document: str) -> ProgrammeDocument | None:
        """Return the document with this hash, in force or earlier."""
        return self._by_hash.get(document)

    def all(self) -> tuple[ProgrammeDocument, ...]:
        """Return every document, oldest first."""
        return tuple(self._by_hash.values())

    def adopt(self, signed: Signed, succession: Signed | None = None) -> ProgrammeDocument:
        """Take ``signed`` as document 1, or as the successor of the one in force; idempotent.

        Raises:
            DocumentError: it breaks a rule, or may not follow.
            SignatureError: signatures are missing or wrong.
            FormatError: not a canonical document.
            StorageError: it could not be stored; the former one stays in force.
        """
        known = self.find(signed.hash(ProgrammeDocument))
        if known is not None:
            return known
        if self._signed:
            document = verify_successor(self.current, signed, succession)
        else:
            document = verify_document(signed)
        found = document_hash(document)
        with writing(self._engine) as session:
            session.add(DocumentRow(number=document.number, hash=found, signed=signed, succession=succession))
        self._by_hash[found] = document
        self._signed.append(signed)
        self._current_hash = found
        return document

    def publish(self, log: LogPort) -> int:
        """Log every document that is not in the log yet; return the index of the one in force.

        Raises:
            DocumentError: document 1 did not become leaf 0.
        """
        with reading(self._engine) as session:
            rows = session.scalars(select(DocumentRow).order_by(DocumentRow.number)).all()
        index = -1
        for row in rows:
            if row.log_index is None:
                index = log.append(document_draft(row.signed)).index
                if row.number == 1 and index != 0:
                    raise DocumentError(("leaf 0 of this log is another programme's",))
                with writing(self._engine) as session:
                    session.merge(row).log_index = index
            else:
                index = row.log_index
        return index
