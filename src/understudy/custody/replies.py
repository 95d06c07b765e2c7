"""Stored replies: a lost answer is asked for again and comes back byte for byte.

Rules

* Kept by (leaf hash, reader key) until ``not_after``, and no longer. Erasure deletes them at once.
* Looked up before any freshness check: a retry needs no new cosignature. But a switch thrown since stops
  it.
* The answer is sealed to the reader's ephemeral key, so handing it out again gives nothing to anybody else.

Example: ``replies.find(leaf, reader_key, now)``.
"""

from typing import Final

from understudy.consent.purposes import Activity, Purpose
from understudy.custody.entry import Entry
from understudy.transparency.database import Database


class Replies:
    """Reads and writes stored answers; every method runs inside the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self._database: Final = database

    def keep(self, entry: Entry, answer: bytes) -> None:
        """Store the canonical answer to a released entry."""
        leaf = entry.leaf
        self._database.write(
            "INSERT INTO replies(leaf, reader_key, position, purpose, not_after, answer)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            entry.hash,
            leaf.reader_key,
            entry.index,
            leaf.purpose.value,
            leaf.not_after,
            answer,
        )
        rows = [(segment, entry.index) for segment in entry.segments]
        self._database.write_many("INSERT INTO reply_segments(segment, position) VALUES (?, ?)", rows)

    def find(self, leaf: str, reader_key: str, off: frozenset[Activity], now: int) -> bytes | None:
        """Return the stored answer, or None: never given, over, erased, or stopped by the switch."""
        row = self._database.row(
            "SELECT answer, purpose FROM replies WHERE leaf = ? AND reader_key = ? AND not_after >= ?",
            leaf,
            reader_key,
            now,
        )
        if row is None:
            return None
        stopped = Activity.OWN_READS if row[1] == Purpose.OWN.value else Activity.READS
        return None if stopped in off else bytes(row[0])

    def purge(self, now: int) -> int:
        """Delete the answers whose time is over; return how many."""
        sql = (
            "DELETE FROM reply_segments WHERE position IN (SELECT position FROM replies WHERE not_after < ?)"
        )
        self._database.write(sql, now)
        return self._database.write("DELETE FROM replies WHERE not_after < ?", now)
