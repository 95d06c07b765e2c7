"""Verifying a whole log offline: from the files, its keys and whatever older checkpoints somebody kept.

Rules

* Nothing served is believed: leaf hashes are recomputed from entries, tiles from leaf hashes, the root from
  all, and compared with a checkpoint that the log signed and a quorum cosigned.
* An older checkpoint shows a roll-back (the log is smaller now) or a fork (another root at that size).
* A *mirror*, somebody else's copy with its own checkpoint, shows at which entry two histories part, and
  whether that entry was edited, dropped, added or moved.
* Everything found is reported; the check does not stop at the first problem. Without a believable checkpoint
  there is nothing to compare with, and it says so.

Example: ``verify_log(DirectoryTiles(folder), trust)``; the report's ``is_sound`` is what counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from understudy.transparency.checkpoint import Checkpoint, parse_checkpoint, verify_checkpoint
from understudy.transparency.errors import (
    MalformedError,
    QuorumError,
    TileMissingError,
    UntrustedCheckpointError,
)
from understudy.transparency.merkle import EMPTY_ROOT, CompactRange, Nodes, leaf_hash
from understudy.transparency.note import parse_note
from understudy.transparency.report import Findings, ProblemCode, Report, compare
from understudy.transparency.tiles import (
    CHECKPOINT_PATH,
    TILE_HEIGHT,
    TILE_WIDTH,
    TileName,
    TileSource,
    levels,
    read_entries,
    read_hashes,
    tiles_at,
)
from understudy.transparency.trust import LogTrust


def verify_log(
    source: TileSource,
    trust: LogTrust,
    *,
    checkpoint: bytes | None = None,
    earlier: Sequence[bytes] = (),
    mirror: TileSource | None = None,
    entries: bool = True,
) -> Report:
    """Check every file of a log, and its history as far as it is known.

    Args:
        source: the log's files.
        trust: log key, witnesses and quorum, from the pinned key set.
        checkpoint: the signed note to check against; by default the source's own ``checkpoint`` file.
        earlier: signed notes that were seen before; the log's signature is enough for them to count.
        mirror: somebody else's copy, to name the entry at which histories part.
        entries: whether to read entry bundles; False for a copy that has tiles only.

    Returns:
        The report. Never raises for what it finds in the log.
    """
    findings = Findings()
    tree = _believe(source, trust, checkpoint, findings)
    if tree is None:
        return Report(0, EMPTY_ROOT, 0, 0, tuple(findings.problems))
    known = _earlier(trust, earlier, tree, findings)
    walk = _Walk(source, tree.size, findings, reads_entries=entries)
    roots = walk.run({size for size, _ in known} | {tree.size})
    for size, root in known:
        if roots.get(size, root) != root:
            findings.add(
                ProblemCode.FORKED, None, f"another root at size {size} than in an earlier signed checkpoint"
            )
    root = roots[tree.size]
    if root != tree.root:
        findings.add(
            ProblemCode.ROOT_MISMATCH, None, "the files lead to another root than the signed checkpoint"
        )
    if mirror is not None:
        _compare_with(mirror, trust, walk.leaves, tree, findings)
    return Report(tree.size, root, walk.entries, walk.hashes, tuple(findings.problems))


def _believe(
    source: TileSource, trust: LogTrust, checkpoint: bytes | None, findings: Findings
) -> Checkpoint | None:
    """Return the checkpoint if the log signed it; a missing quorum is a finding, not a reason to stop."""
    try:
        note = source.read(CHECKPOINT_PATH) if checkpoint is None else checkpoint
    except TileMissingError as error:
        findings.add(ProblemCode.CHECKPOINT_MISSING, None, str(error))
        return None
    try:
        return trust.verify(note).checkpoint
    except MalformedError as error:
        findings.add(ProblemCode.CHECKPOINT_MALFORMED, None, str(error))
    except UntrustedCheckpointError as error:
        findings.add(ProblemCode.CHECKPOINT_UNTRUSTED, None, str(error))
    except QuorumError as error:
        findings.add(ProblemCode.QUORUM_MISSING, None, str(error))
        return parse_checkpoint(parse_note(note).text)
    return None


def _earlier(
    trust: LogTrust, notes: Sequence[bytes], tree: Checkpoint, findings: Findings
) -> list[tuple[int, bytes]]:
    """Return size and root of the earlier checkpoints that can be compared."""
    known = []
    for note in notes:
        try:
            old = verify_checkpoint(note, log_key=trust.log_key, witnesses=(), quorum=0).checkpoint
        except (MalformedError, UntrustedCheckpointError) as error:
            findings.add(ProblemCode.CHECKPOINT_UNTRUSTED, None, f"an earlier checkpoint: {error}")
            continue
        if old.size > tree.size:
            findings.add(
                ProblemCode.ROLLED_BACK,
                tree.size,
                f"a checkpoint of size {old.size} was signed before; entries from {tree.size} on are gone",
            )
        else:
            known.append((old.size, old.root))
    return known


@dataclass(slots=True)
class _Window:
    """One level-0 tile: what its bundle hashes to, and what the tile says; None where unreadable."""

    tile: TileName
    found: list[bytes] | None
    expected: list[bytes] | None


class _Walk:
    """Goes once through the files, from left to right."""

    def __init__(self, source: TileSource, size: int, findings: Findings, *, reads_entries: bool) -> None:
        self.entries = 0
        self.hashes = 0
        self.leaves: list[bytes] = []
        """The leaf hashes that the root was computed from: recomputed where possible."""
        self._source = source
        self._size = size
        self._findings = findings
        self._reads_entries = reads_entries

    def run(self, wanted: set[int]) -> dict[int, bytes]:
        """Read everything; return the recomputed roots at the ``wanted`` sizes."""
        windows = [self._window(tile) for tile in tiles_at(0, self._size)]
        for place, window in enumerate(windows):
            following = windows[place + 1] if place + 1 < len(windows) else None
            self._compare(window, following)
        roots, grown, upper = {0: EMPTY_ROOT}, CompactRange(), Nodes()
        for window in windows:
            # Where a bundle differs from its tile, the tile goes on: it tells whether only the bundle is
            # wrong.
            leaves = window.expected or window.found or []
            for leaf in leaves[: window.tile.width]:
                created = Nodes()
                grown.append(leaf, created)
                upper.update({key: node for key, node in created.items() if key[0] % TILE_HEIGHT == 0})
                self.leaves.append(leaf)
                if grown.size in wanted:
                    roots[grown.size] = grown.root
        for size in wanted:
            roots.setdefault(size, grown.root)
        if grown.size == self._size:
            self._compare_upper(upper)
        return roots

    def _window(self, tile: TileName) -> _Window:
        found = expected = None
        try:
            expected = list(read_hashes(self._source, tile))
            self.hashes += len(expected)
        except TileMissingError as error:
            self._findings.add(ProblemCode.TILE_MISSING, tile.first, str(error))
        except MalformedError as error:
            self._findings.add(ProblemCode.TILE_MALFORMED, tile.first, f"{tile.path}: {error}")
        if self._reads_entries:
            bundle = TileName(None, tile.n, tile.width)
            try:
                found = [leaf_hash(entry) for entry in read_entries(self._source, bundle)]
                self.entries += len(found)
            except TileMissingError as error:
                self._findings.add(ProblemCode.BUNDLE_MISSING, tile.first, str(error))
            except MalformedError as error:
                self._findings.add(ProblemCode.BUNDLE_MALFORMED, tile.first, f"{bundle.path}: {error}")
        return _Window(tile, found, expected)

    def _compare(self, window: _Window, following: _Window | None) -> None:
        if window.found is None or window.expected is None or window.found == window.expected:
            return
        found, expected = list(window.found), list(window.expected)
        if following is not None and len(found) == len(expected):
            found += following.found or []
            expected += following.expected or []
        difference = compare(found, expected)
        if difference is not None:
            code, place = difference
            self._findings.add(
                code, window.tile.first + place, f"{window.tile.path} and the entries beside it disagree"
            )

    def _compare_upper(self, upper: Nodes) -> None:
        for level in levels(self._size):
            if level == 0:
                continue
            for tile in tiles_at(level, self._size):
                computed = tuple(
                    upper[level * TILE_HEIGHT, position]
                    for position in range(tile.first, tile.first + tile.width)
                )
                first = tile.first * TILE_WIDTH**level
                try:
                    stored = read_hashes(self._source, tile)
                except TileMissingError as error:
                    self._findings.add(ProblemCode.TILE_MISSING, first, str(error))
                    continue
                except MalformedError as error:
                    self._findings.add(ProblemCode.TILE_MALFORMED, first, f"{tile.path}: {error}")
                    continue
                self.hashes += len(stored)
                if stored != computed:
                    place = next(p for p, (a, b) in enumerate(zip(stored, computed, strict=True)) if a != b)
                    index = (tile.first + place) * TILE_WIDTH**level
                    self._findings.add(
                        ProblemCode.TILE_ALTERED, index, f"{tile.path} is not made of the tiles below it"
                    )


def _compare_with(
    mirror: TileSource, trust: LogTrust, leaves: list[bytes], tree: Checkpoint, findings: Findings
) -> None:
    """Name the entry at which the log and a mirror part."""
    own = Findings()
    copy = _believe(mirror, trust, None, own)
    if copy is None:
        findings.add(
            ProblemCode.CHECKPOINT_UNTRUSTED, None, f"the mirror's checkpoint: {own.problems[0].text}"
        )
        return
    walk = _Walk(mirror, copy.size, own, reads_entries=False)
    if walk.run({copy.size})[copy.size] != copy.root:
        findings.add(ProblemCode.ROOT_MISMATCH, None, "the mirror's own tiles do not lead to its checkpoint")
        return
    if copy.size > tree.size:
        text = f"the mirror's checkpoint has size {copy.size}: entries are gone"
        findings.add(ProblemCode.ROLLED_BACK, tree.size, text)
    shared = min(copy.size, tree.size)
    difference = compare(leaves[:shared], walk.leaves[:shared])
    if difference is not None:
        code, place = difference
        text = "the log and the mirror show different histories from here on"
        findings.add(ProblemCode.FORKED, place, text)
        findings.add(code, place, "this entry is another one in the mirror")
