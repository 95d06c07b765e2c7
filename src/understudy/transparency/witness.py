"""A witness: cosigns what extends the largest tree it has seen, and remembers it (C2SP tlog-witness).

Rules

* It checks the log's signature and append-only consistency, never meaning.
* Comparing with the latest checkpoint and storing the new one is one transaction, flushed before the answer.
  An unchanged checkpoint is cosigned again without a flush.
* A signed checkpoint that does not fit is refused and kept as evidence: ``forked`` (another root at a size
  that was cosigned: proof by itself), ``smaller`` (than the latest, never cosigned), ``unproved`` (larger,
  with a wrong proof). An old checkpoint that this witness did cosign is merely old; anybody may send it
  again.
* A witness whose state is gone does not start. Initialising it anew is an explicit act under a *new* key: one
  that forgets, and signs on under the old key, can be made to cosign two histories.

Example: ``Witness.create(path, ...)`` once, ``Witness(path, ...)`` ever after; ``add_checkpoint(body)`` for
each call.
"""

import hashlib
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from understudy.consent.clock import Clock
from understudy.sealing.signing import SigningKey
from understudy.transparency.checkpoint import (
    Checkpoint,
    parse_checkpoint,
)
from understudy.transparency.cosigning import AddCheckpoint, parse_add_checkpoint
from understudy.transparency.database import connect, create
from understudy.transparency.errors import (
    BadRequestError,
    MalformedError,
    NotConsistentError,
    ProofError,
    SizeConflictError,
    StoreDamagedError,
    UnknownLogError,
    UntrustedCheckpointError,
)
from understudy.transparency.merkle import EMPTY_ROOT, verify_consistency
from understudy.transparency.note import Note, VerifierKey, cosign_text, parse_note

APPLICATION_ID: Final = 0x75_73_77_74
"""``uswt``: marks the file as a witness's memory."""
MAX_EVIDENCE: Final = 1_000
"""Pieces of evidence kept of one kind for one log. Strangers can fill the weaker kinds, only the log
``forked``."""

_SCHEMA: Final = """
    CREATE TABLE witness(name TEXT NOT NULL, public_key TEXT NOT NULL) STRICT;
    CREATE TABLE latest(
        origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL, note BLOB NOT NULL
    ) STRICT;
    CREATE TABLE history(
        origin TEXT NOT NULL, size INTEGER NOT NULL, root BLOB NOT NULL, PRIMARY KEY(origin, size)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE evidence(
        origin TEXT NOT NULL, digest BLOB NOT NULL, seen_at INTEGER NOT NULL, reason TEXT NOT NULL,
        note BLOB NOT NULL, latest BLOB NOT NULL, PRIMARY KEY(origin, digest)
    ) STRICT, WITHOUT ROWID;
"""


class Evidence:
    """Two notes signed by one log that do not fit together."""

    __slots__ = ("latest", "note", "reason", "seen_at")

    def __init__(self, reason: str, seen_at: int, note: bytes, latest: bytes) -> None:
        self.reason = reason
        self.seen_at = seen_at
        self.note = note
        self.latest = latest


class Witness:
    """The witness's core, without HTTP; safe to call from several threads."""

    def __init__(
        self, path: Path, *, name: str, key: SigningKey, logs: Sequence[VerifierKey], clock: Clock
    ) -> None:
        """Take up the memory at ``path`` and follow ``logs``.

        Raises:
            StoreMissingError: there is no memory; see the rules.
            StoreDamagedError: it is another witness's, or another kind of file.
        """
        self.key = VerifierKey.witness(name, key.public)
        self._signing = key
        self._clock = clock
        self._logs = {log.name: log for log in logs}
        self._lock = threading.Lock()
        self._database = connect(path, application=APPLICATION_ID)
        if self._database.row("SELECT name, public_key FROM witness") != (name, key.public):
            self._database.close()
            raise StoreDamagedError(
                "the memory belongs to another witness",
                hint="a witness that lost its state retires its key: make a new key and a new memory",
            )
        self._served: dict[str, bytes] = dict(self._database.rows("SELECT origin, note FROM latest"))

    @classmethod
    def create(cls, path: Path, *, name: str, key: SigningKey) -> None:
        """Make the empty memory of a new witness; an explicit act, once in the life of a key.

        Raises:
            StoreError: something stands at ``path`` already.
        """
        VerifierKey.witness(name, key.public)
        whose = ("INSERT INTO witness(name, public_key) VALUES (?, ?)", (name, key.public))
        create(path, application=APPLICATION_ID, schema=_SCHEMA, rows=(whose,))

    def add_checkpoint(self, body: bytes) -> bytes:
        """Return a cosignature line for the checkpoint in ``body``.

        Raises:
            BadRequestError: 400, malformed, or the old size is above the checkpoint's.
            UntrustedCheckpointError: 403, the log has not signed it.
            UnknownLogError: 404, another origin.
            SizeConflictError: 409, the old size is not that of the latest checkpoint.
            NotConsistentError: 422, the proof or the root does not fit the latest checkpoint.
            StoreError: the memory could not be written; nothing was cosigned.
        """
        try:
            call = parse_add_checkpoint(body)
            note = parse_note(call.note)
            tree = parse_checkpoint(note.text)
        except MalformedError as error:
            raise BadRequestError(str(error)) from error
        log = self._logs.get(tree.origin)
        if log is None:
            raise UnknownLogError("this witness does not follow that log")
        if not note.verified(log):
            raise UntrustedCheckpointError("the log has not signed this checkpoint")
        if call.old_size > tree.size:
            raise BadRequestError("the old size is above the checkpoint's size")
        with self._lock:
            return self._advance(call, note, tree, log)

    def latest(self, origin: str) -> bytes | None:
        """Return the latest checkpoint cosigned for ``origin``, with both signatures, or None."""
        with self._lock:
            return self._served.get(origin)

    def latest_by_hash(self, origin_hash: str) -> bytes | None:
        """Return what ``latest`` does, for the lowercase hex SHA-256 of the origin that monitors ask by."""
        for origin in self._logs:
            if hashlib.sha256(origin.encode()).hexdigest() == origin_hash:
                return self.latest(origin)
        return None

    def evidence(self, origin: str) -> tuple[Evidence, ...]:
        """Return the evidence against a log, oldest first."""
        sql = "SELECT reason, seen_at, note, latest FROM evidence WHERE origin = ? ORDER BY seen_at, digest"
        return tuple(Evidence(*row) for row in self._database.rows(sql, origin))

    def close(self) -> None:
        """Close the memory."""
        with self._lock:
            self._database.close()

    def _advance(self, call: AddCheckpoint, note: Note, tree: Checkpoint, log: VerifierKey) -> bytes:
        # Only the log's own signatures are kept and served on; lines of strangers are dropped here.
        ours = [line for line in note.signatures if line.name == log.name and line.key_id == log.key_id]
        signed = Note(text=note.text, signatures=tuple(ours))
        with self._database.transaction():
            latest = self._latest(tree.origin)
            refusal = self._refusal(call, tree, latest)
            if refusal is not None:
                self._keep_evidence(signed.to_bytes(), tree, latest, refusal)
                line = b""
            else:
                line = self._cosign(signed, tree, latest)
        if refusal is not None:
            raise refusal
        self._served[tree.origin] = signed.to_bytes() + line
        return line

    def _cosign(self, signed: Note, tree: Checkpoint, latest: tuple[int, bytes, bytes] | None) -> bytes:
        """Return the cosignature line; it leaves this class only if the transaction around it ends well."""
        now = self._clock.now()
        line = cosign_text(signed.text, self.key.name, self._signing, now).to_bytes()
        if latest is None or tree.size > latest[0]:
            self._remember(tree, signed.to_bytes() + line)
        return line

    def _latest(self, origin: str) -> tuple[int, bytes, bytes] | None:
        row = self._database.row("SELECT size, root, note FROM latest WHERE origin = ?", origin)
        return None if row is None else (row[0], row[1], row[2])

    def _refusal(
        self, call: AddCheckpoint, tree: Checkpoint, latest: tuple[int, bytes, bytes] | None
    ) -> SizeConflictError | NotConsistentError | None:
        size, root = (0, EMPTY_ROOT) if latest is None else latest[:2]
        if call.old_size != size:
            return SizeConflictError(size)
        if size in {tree.size, 0}:
            if call.path:
                return NotConsistentError("this checkpoint needs an empty proof")
            if tree.size == size and tree.root != root:
                return NotConsistentError("another root at the size of the latest checkpoint")
            return None
        try:
            verify_consistency(size, root, tree.size, tree.root, call.path)
        except ProofError as error:
            return NotConsistentError(str(error))
        return None

    def _keep_evidence(
        self,
        signed: bytes,
        tree: Checkpoint,
        latest: tuple[int, bytes, bytes] | None,
        refusal: SizeConflictError | NotConsistentError,
    ) -> None:
        if latest is None:
            return
        reason = self._reason(tree, latest[0], refusal)
        if reason is None:
            return
        sql = "SELECT count(*) FROM evidence WHERE origin = ? AND reason = ?"
        kept = self._database.row(sql, tree.origin, reason) or (0,)
        if kept[0] < MAX_EVIDENCE:
            self._database.write(
                "INSERT OR IGNORE INTO evidence(origin, digest, seen_at, reason, note, latest)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                tree.origin,
                hashlib.sha256(signed).digest(),
                self._clock.now(),
                reason,
                signed,
                latest[2],
            )

    def _reason(
        self, tree: Checkpoint, size: int, refusal: SizeConflictError | NotConsistentError
    ) -> str | None:
        row = self._database.row(
            "SELECT root FROM history WHERE origin = ? AND size = ?", tree.origin, tree.size
        )
        if row is not None:
            return None if row[0] == tree.root else "forked"
        if tree.size < size:
            return "smaller"
        return "unproved" if isinstance(refusal, NotConsistentError) else None

    def _remember(self, tree: Checkpoint, cosigned: bytes) -> None:
        self._database.write(
            "INSERT INTO latest(origin, size, root, note) VALUES (?, ?, ?, ?) ON CONFLICT(origin)"
            " DO UPDATE SET size = excluded.size, root = excluded.root, note = excluded.note",
            tree.origin,
            tree.size,
            tree.root,
            cosigned,
        )
        self._database.write(
            "INSERT INTO history(origin, size, root) VALUES (?, ?, ?)", tree.origin, tree.size, tree.root
        )


class LocalCosigner:
    """A witness in this process, asked with the same bytes as one behind HTTP."""

    def __init__(self, witness: Witness) -> None:
        self._witness = witness

    def cosign(self, note: bytes, old_size: int, path: Sequence[bytes]) -> bytes:
        """Return the witness's signature lines."""
        return self._witness.add_checkpoint(AddCheckpoint(old_size, tuple(path), note).to_bytes())
