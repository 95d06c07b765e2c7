"""Numbering drafts in memory: what one transaction of the sequencer will write.

Rules

* A draft either gets its place in the batch whole, or leaves no trace: one bad draft never harms its
  neighbours.
* n is the participant's last number plus one, and ``prev`` that number's commitment; several drafts of one
  batch about the same participant chain in the order they came.
* Commitments stand in the entry tree sorted by tag, as text. Salts are 32 fresh random bytes each.
* Nothing of this is stored before ``write``, and ``write`` runs inside the caller's transaction.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec

from understudy.consent.primitives import encode_bytes
from understudy.sealing.errors import FormatError
from understudy.transparency.draft import CommittedOpening, Draft, content_digest
from understudy.transparency.errors import DraftError, RequestConflictError, StoreDamagedError
from understudy.transparency.leaves import MAX_LEAF_BYTES, MAX_SEGMENTS, Opening, commitment_of
from understudy.transparency.merkle import CompactRange, MemoryTree, Nodes, leaf_hash
from understudy.transparency.store import LogStore, opening_row

SALT_BYTES: Final = 32
MAX_REQUEST_KEY: Final = 200


@dataclass(frozen=True, slots=True)
class Placed:
    """A draft with its place: an entry of this batch, or one that stood in the log before."""

    index: int
    leaf: bytes
    openings: tuple[CommittedOpening, ...]


class Batch:
    """Drafts that will be committed together."""

    def __init__(
        self,
        store: LogStore,
        grown: CompactRange,
        *,
        time: int,
        last_time: int,
        check_leaf: Callable[[bytes], object],
    ) -> None:
        """Continue the tree ``grown``; every entry gets ``time`` and has to pass ``check_leaf``."""
        self.grown = grown.copy()
        self.nodes: Nodes = {}
        self.time = time
        self._store = store
        self._check_leaf = check_leaf
        self._last_time = last_time
        self._first = grown.size
        self._entries: list[tuple[int, bytes, int, str | None, bytes | None]] = []
        self._openings: list[CommittedOpening] = []
        self._heads: dict[str, tuple[int, str]] = {}
        self._by_key: dict[str, tuple[Placed, bytes]] = {}

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return not self._entries

    def add(self, draft: Draft) -> Placed:
        """Give ``draft`` its place.

        Raises:
            DraftError: segments or leaf out of bounds.
            RequestConflictError: its request key stands for other content.
        """
        key, content = draft.request_key, None
        if key is not None:
            if not 0 < len(key) <= MAX_REQUEST_KEY:
                raise DraftError(f"a request key has 1 to {MAX_REQUEST_KEY} characters")
            content = content_digest(draft)
            known = self._known(key)
            if known is not None:
                if known[1] != content:
                    raise RequestConflictError("the request key was used for other content")
                return known[0]
        placed = self._place(draft)
        if key is not None and content is not None:
            self._by_key[key] = (placed, content)
        self._entries.append((placed.index, placed.leaf, self.time, key, content))
        self._openings.extend(placed.openings)
        for opening in placed.openings:
            self._heads[opening.opening.tag] = (opening.opening.n, opening.commitment)
        self.grown.append(leaf_hash(placed.leaf), self.nodes)
        return placed

    def write(self) -> None:
        """Write the batch to the store, inside the caller's transaction."""
        database = self._store.database
        database.write_many(
            "INSERT INTO entries(position, leaf, appended_at, request_key, content) VALUES (?, ?, ?, ?, ?)",
            self._entries,
        )
        self._store.hashes.insert(self.nodes)
        if self._openings:
            database.write_many(
                "INSERT INTO openings(position, tag, n, prev, segments, salt, commitment, place, count, path)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [opening_row(opening) for opening in self._openings],
            )
            database.write_many(
                "INSERT INTO participants(tag, n, commitment) VALUES (?, ?, ?)"
                " ON CONFLICT(tag) DO UPDATE SET n = excluded.n, commitment = excluded.commitment",
                [(tag, n, commitment) for tag, (n, commitment) in self._heads.items()],
            )
        if self.time < self._last_time:
            database.write(
                "INSERT INTO clock_steps(position, before, after) VALUES (?, ?, ?)",
                self._first,
                self._last_time,
                self.time,
            )

    def _known(self, key: str) -> tuple[Placed, bytes] | None:
        if key in self._by_key:
            return self._by_key[key]
        found = self._store.find(key)
        if found is None:
            return None
        index, content = found
        leaf = self._store.entry(index)
        if leaf is None:
            raise StoreDamagedError(f"entry {index} is missing")
        return Placed(index, leaf, self._store.openings_at(index)), content

    def _place(self, draft: Draft) -> Placed:
        index, participants = self.grown.size, draft.participants
        if sum(len(participant.segments) for participant in participants.values()) > MAX_SEGMENTS:
            raise DraftError(f"an entry opens at most {MAX_SEGMENTS} segments")
        hidden = [
            self._number(tag, participants[tag].segments, participants[tag].first_prev)
            for tag in sorted(participants)
        ]
        commitments = [commitment_of(opening) for opening in hidden]
        tree = MemoryTree([leaf_hash(commitment) for commitment in commitments])
        leaf = draft.leaf(index, self.time, tree.root if hidden else None)
        if not 0 < len(leaf) <= MAX_LEAF_BYTES:
            raise DraftError(f"a leaf has 1 to {MAX_LEAF_BYTES} bytes")
        try:
            self._check_leaf(leaf)
        except FormatError as error:
            raise DraftError(f"the draft made {error}") from error
        openings = tuple(
            CommittedOpening(
                index=index,
                opening=opening,
                commitment=encode_bytes(commitment),
                place=place,
                count=tree.size,
                path=tuple(encode_bytes(node) for node in tree.inclusion(place)),
            )
            for place, (opening, commitment) in enumerate(zip(hidden, commitments, strict=True))
        )
        return Placed(index, leaf, openings)

    def _number(self, tag: str, segments: tuple[str, ...], first_prev: str) -> Opening:
        if not segments or list(segments) != sorted(set(segments)):
            raise DraftError("a participant's segments are at least one, sorted and unique")
        head = self._heads.get(tag) or self._store.head(tag)
        n, prev = (1, first_prev) if head is None else (head[0] + 1, head[1])
        salt = encode_bytes(secrets.token_bytes(SALT_BYTES))
        hidden = {"tag": tag, "n": n, "prev": prev, "segments": segments, "salt": salt}
        try:
            return msgspec.convert(hidden, Opening)
        except msgspec.ValidationError as error:
            raise DraftError("a participant's tag, segments or first prev are not of their types") from error
