"""Admission: every witnessed entry moves its participants' numbers on, whether or not it releases anything.

Rules

* ``n`` is the participant's next number and ``prev`` their newest commitment, for each participant of the
  entry. The entry is admitted for all of them or for none, once.
* Too early: nothing is stored, and the missing (tag, n) are named. A number that another entry used, or a
  ``prev`` that is not the newest commitment, is refused: the sequencer has told two stories.
* Openings are sealed to the participant and to the auditor as the entry is admitted; in clear they are
  never stored.
* An entry is decided once: released or refused. Undecided it stays only until its ``not_after``; then it is
  refused as ``not-asked``. Decisions are signed for each participant and never change.

Example: ``admission.missing(entry)`` is empty, or what has to come first; then ``admission.admit(pinned,
entry)``.
"""

from typing import Final, Literal

from understudy.consent.primitives import encode_bytes
from understudy.custody.enrolments import Enrolments
from understudy.custody.entry import Entry
from understudy.custody.errors import CustodyRefusedError
from understudy.custody.head import MissingEntry, OpeningAddress, OpeningMessage, Outcome
from understudy.custody.keys import CustodianKeyPair
from understudy.custody.pinning import Pinned
from understudy.custody.reasons import RefusalReason
from understudy.custody.store import store_signed
from understudy.sealing.canonical import canonical
from understudy.sealing.hpke import HpkePublicKey
from understudy.sealing.info import info_for
from understudy.sealing.signing import Signed, sign
from understudy.transparency.database import Database
from understudy.transparency.leaves import Opening

MAX_MISSING: Final = 1_000
"""Entries named as missing in one answer."""

MAX_EXPIRED: Final = 100
"""Entries decided as never asked for in one transaction."""

Decided = Literal["released", "refused"]


class Admission:
    """Reads and writes numbers and outcomes; every method runs inside the caller's transaction."""

    def __init__(self, database: Database, keys: CustodianKeyPair, enrolments: Enrolments) -> None:
        self._database: Final = database
        self._keys: Final = keys
        self._enrolments: Final = enrolments

    def head(self, tag: str) -> tuple[int, str]:
        """Return the participant's last number and its commitment; before the first, 0 and record 1's hash.

        Raises:
            ParticipantNotFoundError: the tag is not enrolled.
        """
        row = self._database.row("SELECT n, commitment FROM heads WHERE tag = ?", tag)
        return (0, self._enrolments.first_hash(tag)) if row is None else (row[0], row[1])

    def missing(self, entry: Entry) -> tuple[MissingEntry, ...]:
        """Return what has to be admitted before ``entry``; empty if it is next for everybody, or admitted.

        Raises:
            CustodyRefusedError: a participant is not enrolled, or the chain contradicts the one kept here.
        """
        if self.is_admitted(entry.index):
            return ()
        missing: list[MissingEntry] = []
        for opening in entry.openings:
            self._enrolments.of(opening.tag)
            missing.extend(self._check_next(opening))
        return tuple(missing[:MAX_MISSING])

    def admit(self, pinned: Pinned, entry: Entry) -> None:
        """Store an entry that ``missing`` found to be next; nothing happens if it was admitted before."""
        if self.is_admitted(entry.index):
            return
        self._database.write(
            "INSERT INTO entries(position, leaf, not_after) VALUES (?, ?, ?)",
            entry.index,
            entry.hash,
            entry.leaf.not_after,
        )
        for place, opening in enumerate(entry.openings):
            self._number(pinned, entry, place, opening)

    def is_admitted(self, index: int) -> bool:
        """Return whether the entry at ``index`` was admitted."""
        return self._database.row("SELECT 1 FROM entries WHERE position = ?", index) is not None

    def decision(self, index: int) -> tuple[Decided, str] | None:
        """Return outcome and reason of an admitted entry, or None while it is undecided."""
        row = self._database.row("SELECT outcome, reason FROM entries WHERE position = ?", index)
        return None if row is None or row[0] is None else (row[0], row[1])

    def decide(self, pinned: Pinned, index: int, outcome: Decided, reason: str, now: int) -> None:
        """Store and sign what an undecided entry led to, for each of its participants."""
        sql = "UPDATE entries SET outcome = ?, reason = ? WHERE position = ? AND outcome IS NULL"
        if self._database.write(sql, outcome, reason, index) != 1:
            raise CustodyRefusedError(RefusalReason.ALREADY_RELEASED)
        rows = self._database.rows("SELECT tag, n FROM numbers WHERE position = ?", index)
        for tag, n in rows:
            signed = self.sign_outcome(pinned, tag, n, outcome, reason, now)
            sql = "UPDATE numbers SET outcome = ? WHERE tag = ? AND n = ?"
            self._database.write(sql, store_signed(signed), tag, n)

    def sign_outcome(
        self,
        pinned: Pinned,
        tag: str,
        n: int,
        outcome: Literal["admitted", "released", "refused"],
        reason: str,
        now: int,
    ) -> Signed:
        """Return the signed outcome of one participant's part of an admitted entry."""
        row = self._database.row(
            "SELECT position, entries.leaf, commitment FROM numbers JOIN entries USING (position)"
            " WHERE tag = ? AND n = ?",
            tag,
            n,
        )
        if row is None:
            raise CustodyRefusedError(RefusalReason.UNKNOWN_PARTICIPANT)
        return sign(
            Outcome(
                programme=pinned.document.programme,
                tag=tag,
                n=n,
                index=row[0],
                leaf=row[1],
                commitment=row[2],
                outcome=outcome,
                reason=reason,
                custodian=self._keys.name,
                epoch=self._keys.epoch,
                time=now,
            ),
            self._keys.signing,
        )

    def expire(self, pinned: Pinned, now: int) -> int:
        """Refuse undecided entries whose time is over, as never asked for; return how many."""
        rows = self._database.rows(
            "SELECT position FROM entries WHERE outcome IS NULL AND not_after < ? LIMIT ?", now, MAX_EXPIRED
        )
        for (index,) in rows:
            self.decide(pinned, index, "refused", RefusalReason.NOT_ASKED.value, now)
        return len(rows)

    def _check_next(self, opening: Opening) -> list[MissingEntry]:
        """Return the numbers missing before ``opening``.

        Raises:
            CustodyRefusedError: its number was used, or it does not follow the newest commitment.
        """
        n, commitment = self.head(opening.tag)
        if opening.n <= n:
            raise CustodyRefusedError(RefusalReason.NOT_NEXT)
        if opening.n == n + 1:
            if opening.prev != commitment:
                raise CustodyRefusedError(RefusalReason.WRONG_PREVIOUS)
            return []
        last = min(opening.n, n + 1 + MAX_MISSING)
        return [MissingEntry(tag=opening.tag, n=number) for number in range(n + 1, last)]

    def _number(self, pinned: Pinned, entry: Entry, place: int, opening: Opening) -> None:
        """Store one participant's number, its sealed openings, and the new head."""
        message = canonical(
            OpeningMessage(
                leaf=encode_bytes(entry.raw),
                index=entry.index,
                position=place,
                path=tuple(encode_bytes(node) for node in entry.tree.inclusion(place)),
                tag=opening.tag,
                n=opening.n,
                prev=opening.prev,
                segments=opening.segments,
                salt=opening.salt,
            )
        )
        record = self._enrolments.of(opening.tag)
        self._database.write(
            "INSERT INTO numbers(tag, n, position, commitment, for_participant, for_auditor)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            opening.tag,
            opening.n,
            entry.index,
            entry.commitments[place],
            self._sealed(opening, "participant", record.personal_hpke, message),
            self._sealed(opening, "auditor", pinned.document.key_set.auditor.hpke, message),
        )
        sql = "INSERT OR REPLACE INTO heads(tag, n, commitment) VALUES (?, ?, ?)"
        self._database.write(sql, opening.tag, opening.n, entry.commitments[place])

    def _sealed(
        self, opening: Opening, reader: Literal["participant", "auditor"], public: str, message: bytes
    ) -> bytes:
        address = self.address(opening.tag, opening.n, reader)
        return HpkePublicKey.from_text(public).seal(info_for(OpeningMessage.CONTEXT, address), message)

    def address(self, tag: str, n: int, reader: Literal["participant", "auditor"]) -> OpeningAddress:
        """Return the HPKE ``info`` of one sealed opening."""
        return OpeningAddress(tag=tag, n=n, custodian=self._keys.name, reader=reader)
