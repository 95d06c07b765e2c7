"""From stored bytes to items: one function for each kind of chunk, shared by the reader and ``check``.

Rules

* The hash is verified before anything is decompressed, the size before anything is parsed.
* What a chunk holds must agree with its row in the index: number of items, smallest and largest time.
* Rules inside one item (document order, secure elements) are checked here, so a reader cannot miss them.
"""

from collections.abc import Sequence
from typing import TypeVar

from understudy.consent.primitives import Value
from understudy.formats.compression import expand
from understudy.formats.elements import ElementTree, tree_problems
from understudy.formats.recording.actions import Action, ActionChunk
from understudy.formats.recording.errors import Code, RecordingError
from understudy.formats.recording.frames import Frame, unpack
from understudy.formats.recording.gaps import Gap, GapChunk
from understudy.formats.recording.layout import Chunk, Kind, sha256
from understudy.formats.recording.manifest import Manifest
from understudy.formats.recording.versions import TreeChunk, Version, VersionChunk
from understudy.formats.source import RandomAccess, read_at
from understudy.formats.spelling import read
from understudy.sealing.errors import FormatError

T = TypeVar("T", bound=Value)


def fetch(source: RandomAccess, chunk: Chunk, offset: int) -> bytes:
    """Return the content of a chunk.

    Raises:
        RecordingError: ``chunk-corrupt`` or ``bad-compression``.
    """
    stored = read_at(source, offset, chunk.length)
    if sha256(stored) != chunk.hash:
        raise RecordingError(Code.CHUNK_CORRUPT, f"a {chunk.kind.value} chunk has another hash")
    if chunk.kind is Kind.FRAME:
        return stored
    try:
        return expand(stored, chunk.size)
    except FormatError as error:
        raise RecordingError(
            Code.BAD_COMPRESSION, f"a {chunk.kind.value} chunk is not one plain zstd frame of its size"
        ) from error


def trees_in(chunk: Chunk, content: bytes) -> tuple[ElementTree, ...]:
    """Return the trees of a chunk.

    Raises:
        RecordingError: ``malformed``, ``count-mismatch``, or a rule of trees is broken.
    """
    trees = unjudged_trees_in(chunk, content)
    for tree in trees:
        for code, message in tree_problems(tree):
            raise RecordingError(Code(code), message)
    return trees


def unjudged_trees_in(chunk: Chunk, content: bytes) -> tuple[ElementTree, ...]:
    """Return the trees of a chunk, their rules not checked: for ``check``, which lists every broken one.

    Raises:
        RecordingError: ``malformed`` or ``count-mismatch``.
    """
    trees = _parse(TreeChunk, content).trees
    _agree(chunk, trees)
    return trees


def frame_in(chunk: Chunk, content: bytes) -> Frame:
    """Return the frame of a chunk, its pixels not decoded.

    Raises:
        RecordingError: ``count-mismatch``, or a rule of frames is broken.
    """
    frame = unpack(content)
    _agree(chunk, (frame,))
    return frame


def versions_in(chunk: Chunk, content: bytes) -> tuple[Version, ...]:
    """Return the versions of a chunk.

    Raises:
        RecordingError: ``malformed``, ``count-mismatch``, ``time-mismatch`` or ``time-order``.
    """
    versions = _parse(VersionChunk, content).versions
    _agree(chunk, versions, [version.at_ms for version in versions])
    return versions


def actions_in(chunk: Chunk, content: bytes) -> tuple[Action, ...]:
    """Return the actions of a chunk.

    Raises:
        RecordingError: ``malformed``, ``count-mismatch``, ``time-mismatch`` or ``time-order``.
    """
    actions = _parse(ActionChunk, content).actions
    _agree(chunk, actions, [action.at_ms for action in actions])
    return actions


def gaps_in(chunk: Chunk, content: bytes) -> tuple[Gap, ...]:
    """Return the gaps of a chunk; their order is judged by ``rules.gap_problems``.

    Raises:
        RecordingError: ``malformed``, ``count-mismatch`` or ``time-mismatch``.
    """
    gaps = _parse(GapChunk, content).gaps
    _agree(chunk, gaps)
    _agree_times(chunk, min(gap.from_ms for gap in gaps), max(gap.to_ms for gap in gaps))
    return gaps


def manifest_in(chunk: Chunk, content: bytes) -> Manifest:
    """Return the manifest.

    Raises:
        RecordingError: ``malformed`` or ``count-mismatch``.
    """
    manifest = _parse(Manifest, content)
    _agree(chunk, (manifest,))
    return manifest


def _parse(kind: type[T], content: bytes) -> T:
    try:
        return read(kind, content)
    except FormatError as error:
        raise RecordingError(Code.MALFORMED, "a chunk that does not hold what its kind demands") from error


def _agree(chunk: Chunk, items: Sequence[object], times: Sequence[int] = ()) -> None:
    if len(items) != chunk.count:
        raise RecordingError(Code.COUNT_MISMATCH, f"{len(items)} items where the index says {chunk.count}")
    if times:
        _agree_times(chunk, min(times), max(times))
        if list(times) != sorted(times):
            raise RecordingError(Code.TIME_ORDER, f"{chunk.kind.value} run backwards in time")


def _agree_times(chunk: Chunk, first: int, last: int) -> None:
    if (first, last) != (chunk.from_ms, chunk.to_ms):
        raise RecordingError(Code.TIME_MISMATCH, f"times of {chunk.kind.value} are not those of the index")
