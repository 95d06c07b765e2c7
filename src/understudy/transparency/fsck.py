"""Checking the log's own store, and repairing what can be derived.

Rules

* Truth is never repaired: entries, openings and signed checkpoints are compared, and what is wrong is named.
* Derived rows (``hashes``, heads) are rebuilt only when the truth is sound: the entries lead to the newest
  signed checkpoint, and every opening to its commitment.
* Repair needs the writer's lock, so it never runs beside a sequencer.

Example: ``check_store(path).is_sound`` before the first start after a crash of the machine, or when a start
was refused.
"""

from pathlib import Path

from understudy.consent.primitives import decode_bytes, encode_bytes
from understudy.sealing.errors import FormatError
from understudy.transparency.checkpoint import verify_checkpoint
from understudy.transparency.draft import CommittedOpening
from understudy.transparency.errors import ProofError, StoreDamagedError, TransparencyError
from understudy.transparency.leaves import OpenLeaf, commitment_of, decode_leaf
from understudy.transparency.merkle import (
    EMPTY_ROOT,
    CompactRange,
    Nodes,
    leaf_hash,
    root_from_inclusion,
)
from understudy.transparency.report import Findings, ProblemCode, Report
from understudy.transparency.store import LogStore, WriterLock, open_log
from understudy.transparency.tiles import TILE_HEIGHT

_PAGE = 1_000


def check_store(path: Path) -> Report:
    """Compare everything in the store with everything else; writes nothing.

    Raises:
        StoreError: the store is missing, of another kind, or unreadable.
    """
    store = open_log(path)
    try:
        return _Check(store).run()
    finally:
        store.close()


def repair_store(path: Path) -> Report:
    """Check the store, rebuild what is derived, and check again.

    Returns:
        The second report, with the number of rows that were put right.

    Raises:
        StoreLockedError: a sequencer runs.
        StoreDamagedError: the truth itself is damaged; nothing was changed.
        StoreError: the store is missing or unreadable.
    """
    lock = WriterLock(path)
    try:
        store = open_log(path, readonly=False)
        try:
            check = _Check(store)
            check.run()
            if check.is_truth_damaged:
                raise StoreDamagedError(
                    "entries, openings or checkpoints are damaged",
                    hint="restore them from a mirror; nothing can be derived from damaged entries",
                )
            repaired = check.repair()
            again = _Check(store).run()
        finally:
            store.close()
    finally:
        lock.release()
    return Report(again.size, again.root, again.entries, again.hashes, again.problems, repaired)


class _Check:
    """One pass over the store."""

    def __init__(self, store: LogStore) -> None:
        self._store = store
        self._findings = Findings()
        self._nodes: Nodes = {}
        self._heads: dict[str, tuple[int, str]] = {}
        self._derived = 0

    @property
    def is_truth_damaged(self) -> bool:
        """Whether something was found that cannot be derived from the rest."""
        derived = {ProblemCode.HASH_ALTERED, ProblemCode.HEAD_ALTERED, ProblemCode.CLOCK_BACKWARDS}
        return any(problem.code not in derived for problem in self._findings.problems)

    def run(self) -> Report:
        """Check everything."""
        checkpoints = self._checkpoints()
        grown = self._entries(checkpoints)
        hashes = self._hashes()
        self._openings(grown.size)
        for index, before, after in self._store.clock_steps():
            text = f"the clock went back by {before - after} seconds"
            self._findings.add(ProblemCode.CLOCK_BACKWARDS, index, text)
        size = max(checkpoints, default=0)
        return Report(size, grown.root, grown.size, hashes, tuple(self._findings.problems))

    def repair(self) -> int:
        """Write hashes and heads anew where they differ; return how many rows were wrong."""
        database = self._store.database
        with database.transaction():
            database.write("DELETE FROM hashes")
            self._store.hashes.insert(self._nodes)
            for tag, (n, commitment) in self._heads.items():
                database.write(
                    "INSERT INTO participants(tag, n, commitment) VALUES (?, ?, ?)"
                    " ON CONFLICT(tag) DO UPDATE SET n = excluded.n, commitment = excluded.commitment",
                    tag,
                    n,
                    commitment,
                )
        return self._derived

    def _checkpoints(self) -> dict[int, bytes]:
        """Return the roots of all stored checkpoints that the log has signed, by size."""
        roots, key = {}, self._store.log_key
        for size, note in self._store.database.rows("SELECT size, note FROM checkpoints ORDER BY size"):
            try:
                tree = verify_checkpoint(note, log_key=key, witnesses=(), quorum=0).checkpoint
            except TransparencyError as error:
                self._findings.add(ProblemCode.CHECKPOINT_UNTRUSTED, size, str(error))
                continue
            if tree.size != size:
                text = f"stored as size {size}, signed as {tree.size}"
                self._findings.add(ProblemCode.CHECKPOINT_UNTRUSTED, size, text)
            roots[tree.size] = tree.root
        if not roots:
            self._findings.add(ProblemCode.CHECKPOINT_MISSING, None, "the store holds no signed checkpoint")
        return roots

    def _entries(self, roots: dict[int, bytes]) -> CompactRange:
        grown, expected = CompactRange(), 0
        is_sound = self._check_root(grown, roots, is_sound=True)
        sql = "SELECT position, leaf FROM entries WHERE position >= ? ORDER BY position LIMIT ?"
        while rows := self._store.database.rows(sql, expected, _PAGE):
            for position, leaf in rows:
                if position != expected:
                    text = f"entries {expected} to {position - 1} are missing"
                    self._findings.add(ProblemCode.ENTRY_DROPPED, expected, text)
                expected = position + 1
                created = Nodes()
                grown.append(leaf_hash(leaf), created)
                self._nodes.update({key: node for key, node in created.items() if key[0] % TILE_HEIGHT == 0})
                is_sound = self._check_root(grown, roots, is_sound=is_sound)
        newest = max(roots, default=0)
        if expected < newest:
            text = f"the newest checkpoint has size {newest}, the store holds {expected} entries"
            self._findings.add(ProblemCode.ROLLED_BACK, expected, text)
        elif expected > newest:
            text = f"entries from {newest} on are under no signed checkpoint"
            self._findings.add(ProblemCode.ENTRY_ADDED, newest, text)
        return grown

    def _check_root(self, grown: CompactRange, roots: dict[int, bytes], *, is_sound: bool) -> bool:
        """Compare with the checkpoint of this size; only the first that fails is reported."""
        root = roots.get(grown.size)
        if root is None or root == grown.root or not is_sound:
            return is_sound
        before = max((size for size in roots if size < grown.size), default=0)
        text = f"an entry from {before} to {grown.size - 1} is not the one that was signed"
        self._findings.add(ProblemCode.ENTRY_EDITED, self._altered(before, grown.size), text)
        return False

    def _altered(self, begin: int, end: int) -> int:
        """Return the entry whose stored hash differs from its leaf; the first of the stretch if none does."""
        stored = self._store.hashes.hashes(0, begin, end)
        for position, node in enumerate(stored, begin):
            if self._nodes.get((0, position), node) != node:
                return position
        return begin

    def _hashes(self) -> int:
        """Compare the stored hashes with those computed from the entries."""
        rows = self._store.database.rows("SELECT level, position, hash FROM hashes")
        stored = {(level * TILE_HEIGHT, position): node for level, position, node in rows}
        for key in sorted(stored.keys() | self._nodes.keys()):
            if stored.get(key) != self._nodes.get(key):
                self._derived += 1
                level, position = key
                text = f"tile level {level // TILE_HEIGHT}, position {position}"
                self._findings.add(ProblemCode.HASH_ALTERED, position << level, text)
        return len(stored)

    def _openings(self, size: int) -> None:
        """Follow every participant's chain of commitments, and every commitment to its entry's root."""
        sql = "SELECT tag, n, commitment, erased_to FROM participants ORDER BY tag"
        heads = {row[0]: (row[1], row[2], row[3]) for row in self._store.database.rows(sql)}
        tags = {tag for (tag,) in self._store.database.rows("SELECT DISTINCT tag FROM openings")}
        for tag in sorted(tags | heads.keys()):
            n, commitment, erased = heads.get(tag, (0, "", 0))
            self._chain(tag, n, commitment, erased)
        self._counts(size)

    def _chain(self, tag: str, n: int, commitment: str, erased: int) -> None:
        last, previous = erased, ""
        while page := self._store.openings_of(tag, after=last, limit=_PAGE):
            for committed in page:
                number = committed.opening.n
                if number != last + 1:
                    text = f"number {last + 1} of a participant is missing"
                    self._findings.add(ProblemCode.OPENING_MISSING, committed.index, text)
                elif previous and committed.opening.prev != previous:
                    text = "an opening does not follow the commitment before it"
                    self._findings.add(ProblemCode.OPENING_ALTERED, committed.index, text)
                self._opening(committed)
                last, previous = number, committed.commitment
        if last > n or (last == n and previous and previous != commitment):
            self._derived += 1
            self._findings.add(ProblemCode.HEAD_ALTERED, None, f"a head at {n} whose last opening is {last}")
            self._heads[tag] = (last, previous)
        elif last < n:
            text = f"numbers {last + 1} to {n} of a participant are missing"
            self._findings.add(ProblemCode.OPENING_MISSING, None, text)

    def _opening(self, committed: CommittedOpening) -> None:
        try:
            commitment = commitment_of(committed.opening)
        except FormatError:
            commitment = b""
        if encode_bytes(commitment) != committed.commitment:
            text = "an opening does not lead to its commitment"
            self._findings.add(ProblemCode.OPENING_ALTERED, committed.index, text)
            return
        leaf = self._store.entry(committed.index)
        try:
            path = [decode_bytes(node) for node in committed.path]
            root = root_from_inclusion(leaf_hash(commitment), committed.place, committed.count, path)
            parsed = None if leaf is None else decode_leaf(leaf)
        except (ProofError, FormatError):
            root, parsed = EMPTY_ROOT, None
        if not isinstance(parsed, OpenLeaf) or parsed.root != encode_bytes(root):
            text = "a commitment does not lead to the root in its entry"
            self._findings.add(ProblemCode.ENTRY_ROOT_MISMATCH, committed.index, text)

    def _counts(self, size: int) -> None:
        """Find openings of entries that do not exist."""
        sql = "SELECT DISTINCT position FROM openings WHERE position >= ? ORDER BY position"
        for (position,) in self._store.database.rows(sql, size):
            text = "an opening of an entry that does not exist"
            self._findings.add(ProblemCode.OPENING_ALTERED, position, text)
