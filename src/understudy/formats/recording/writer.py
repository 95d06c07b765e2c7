r"""Writes a recording file, item by item, and refuses what ``check`` would refuse.

Rules

* Equal trees and equal frames are stored once; ``add_tree`` and ``add_frame`` return the number to name.
* Items come in order of time, and a version before the actions that name it.
* Without ``finish`` there is no file: what was written so far has no end mark, and no reader takes it.

Example

>>> import io
>>> from understudy.formats.elements import Element, ElementTree, Role
>>> from understudy.formats.recording.actions import Key
>>> from understudy.formats.recording.manifest import Manifest
>>> from understudy.formats.screen import Screen
>>> file = io.BytesIO()
>>> writer = RecordingWriter(file)
>>> tree = writer.add_tree(ElementTree(elements=(Element(role=Role.DOCUMENT),)))
>>> version = writer.add_version(Version(at_ms=0, tree=tree, frame=None))
>>> writer.add_action(Key(at_ms=1000, before=version, key="Enter"))
0
>>> writer.finish(
...     Manifest(
...         recording="rec_AAAAAAAAAAAAAAAAAAAAAA", ordinal=0, title="", task="demo",
...         application_group="web", started_at=0, ended_at=60, source="synthetic", redaction=None,
...         screen=Screen(width=800, height=600),
...     )
... )
>>> file.getvalue()[:4]
b'\x89USR'
"""

import hashlib
from collections.abc import Callable, Iterable, Sized
from typing import Protocol, TypeVar

from understudy.consent.primitives import Value
from understudy.formats.compression import compress
from understudy.formats.elements import ElementTree, tree_problems
from understudy.formats.picture import Picture
from understudy.formats.recording.actions import Action, ActionChunk
from understudy.formats.recording.bounds import MAX_FRAME_BYTES, MAX_RECORDING_BYTES, MAX_TOTAL_PIXELS
from understudy.formats.recording.errors import Code, RecordingError
from understudy.formats.recording.frames import Frame, encode, identity
from understudy.formats.recording.gaps import Gap, GapChunk, united
from understudy.formats.recording.layout import (
    ITEMS_IN_CHUNK,
    ITEMS_IN_FILE,
    Chunk,
    Index,
    Kind,
    check_layout,
    ending,
    header,
    sha256,
)
from understudy.formats.recording.manifest import Manifest, manifest_problems
from understudy.formats.recording.rules import (
    TreeFacts,
    action_problems,
    facts_of,
    frame_problems,
    gap_problems,
    time_problems,
    unreferenced_problems,
    version_problems,
)
from understudy.formats.recording.versions import Version, VersionChunk
from understudy.formats.screen import MAX_SIDE
from understudy.formats.spelling import refit, spell
from understudy.sealing.errors import FormatError

TREE_CHUNK_BYTES = 1 << 20
"""A chunk of trees is closed at this size, so that opening one tree stays cheap."""

V = TypeVar("V", bound=Value)


class Writable(Protocol):
    """Where the bytes go: a file, a buffer, an encryptor."""

    def write(self, data: bytes, /) -> object:
        """Take ``data``."""
        ...


class RecordingWriter:
    """Writes one recording file to ``file``, front to back.

    Args:
        file: takes bytes in order.
        encoder: makes the plain lossless WebP file of a picture; one that remembers saves a recorder that
            writes the same frames again most of its work.
    """

    def __init__(self, file: Writable, *, encoder: Callable[[Picture], bytes] = encode) -> None:
        self._file = file
        self._encoder = encoder
        self._chunks: list[Chunk] = []
        self._known: dict[bytes, int] = {}
        self._trees: list[TreeFacts] = []
        self._open_trees: list[bytes] = []
        self._frames: list[Frame] = []
        self._versions: list[Version] = []
        self._actions: list[Action] = []
        self._gaps: list[Gap] = []
        self._written = len(header())
        self._file.write(header())

    def add_tree(self, tree: ElementTree) -> int:
        """Store a tree, unless an equal one is there, and return its number.

        Raises:
            RecordingError: a rule of trees is broken, or there are too many.
        """
        _fit(tree)
        _raise_first((Code(code), message) for code, message in tree_problems(tree))
        spelled = spell(tree)
        key = hashlib.sha256(b"tree" + spelled).digest()
        if key not in self._known:
            self._known[key] = _next(self._trees, Kind.TREES)
            self._trees.append(facts_of(tree))
            self._open_trees.append(spelled)
            is_full = len(self._open_trees) == ITEMS_IN_CHUNK[Kind.TREES]
            if is_full or sum(map(len, self._open_trees)) > TREE_CHUNK_BYTES:
                self._flush_trees()
        return self._known[key]

    def add_frame(self, picture: Picture, x: int = 0, y: int = 0) -> int:
        """Store a picture of the box at ``x``, ``y``, unless it is there, and return its number.

        Raises:
            RecordingError: the picture is too large, or there are too many.
        """
        if min(x, y) < 0 or max(x + picture.width, y + picture.height) > MAX_SIDE:
            raise RecordingError(Code.FRAME_BOX, "a frame that no screen holds")
        key = hashlib.sha256(b"frame" + identity(x, y, picture)).digest()
        if key not in self._known:
            number = _next(self._frames, Kind.FRAME)
            frame = Frame(x=x, y=y, width=picture.width, height=picture.height, webp=self._encoder(picture))
            self._append(Kind.FRAME, frame.pack(), 1)
            # The pixels are on disk; only the box is needed from here on.
            self._frames.append(Frame(x=x, y=y, width=picture.width, height=picture.height, webp=b""))
            if sum(shown.pixels for shown in self._frames) > MAX_TOTAL_PIXELS:
                raise RecordingError(Code.TOO_MANY_PIXELS, f"over {MAX_TOTAL_PIXELS} pixels in all frames")
            self._known[key] = number
        return self._known[key]

    def add_version(self, version: Version) -> int:
        """Store what the screen showed at a time, and return the version's number.

        Raises:
            RecordingError: it names nothing or something that is not there, or runs backwards.
        """
        _fit(version)
        _raise_first(version_problems(version, len(self._trees), len(self._frames)))
        number = _next(self._versions, Kind.VERSIONS)
        if self._versions and version.at_ms < self._versions[-1].at_ms:
            raise RecordingError(Code.TIME_ORDER, "versions run backwards in time")
        self._versions.append(version)
        return number

    def add_action(self, action: Action) -> int:
        """Store what was done, and return the action's number.

        Raises:
            RecordingError: a rule of actions is broken.
        """
        _fit(action)
        _raise_first(action_problems(action, self._versions, self._trees))
        number = _next(self._actions, Kind.ACTIONS)
        if self._actions and action.at_ms < self._actions[-1].at_ms:
            raise RecordingError(Code.TIME_ORDER, "actions run backwards in time")
        self._actions.append(action)
        return number

    def add_gap(self, gap: Gap) -> None:
        """Note that something between two times is missing; gaps that touch become one."""
        _fit(gap)
        self._gaps.append(gap)

    def finish(self, manifest: Manifest) -> None:
        """Write what is open, the manifest, the index and the end mark.

        Raises:
            RecordingError: manifest and content do not fit together, or the file is too large.
        """
        _fit(manifest)
        gaps = united(self._gaps)
        _raise_first(manifest_problems(manifest))
        _raise_first(gap_problems(gaps))
        for frame in self._frames:
            _raise_first(frame_problems(frame, manifest.screen))
        _raise_first(time_problems(self._times(gaps), manifest))
        _raise_first(unreferenced_problems(self._versions, len(self._trees), len(self._frames)))
        self._flush_trees()
        for versions in _groups(self._versions, ITEMS_IN_CHUNK[Kind.VERSIONS]):
            self._append_items(Kind.VERSIONS, VersionChunk(versions=versions), [v.at_ms for v in versions])
        for actions in _groups(self._actions, ITEMS_IN_CHUNK[Kind.ACTIONS]):
            self._append_items(Kind.ACTIONS, ActionChunk(actions=actions), [a.at_ms for a in actions])
        if gaps:
            _next(gaps[1:], Kind.GAPS)
            times = [time for gap in gaps for time in (gap.from_ms, gap.to_ms)]
            self._append_items(Kind.GAPS, GapChunk(gaps=gaps), times, len(gaps))
        self._append(Kind.MANIFEST, spell(manifest), 1)
        index = Index(chunks=tuple(self._chunks))
        check_layout(index, self._written)
        end = ending(index)
        self._reserve(len(end))
        self._file.write(end)

    def _times(self, gaps: Iterable[Gap]) -> Iterable[int]:
        yield from (version.at_ms for version in self._versions)
        yield from (action.at_ms for action in self._actions)
        for gap in gaps:
            yield gap.from_ms
            yield gap.to_ms

    def _flush_trees(self) -> None:
        if self._open_trees:
            # Canonical spellings in canonical brackets are canonical: nothing is spelled twice.
            content = b'{"trees":[' + b",".join(self._open_trees) + b"]}"
            self._append(Kind.TREES, content, len(self._open_trees))
            self._open_trees.clear()

    def _append_items(self, kind: Kind, content: Value, times: list[int], count: int = 0) -> None:
        self._append(kind, spell(content), count or len(times), min(times), max(times))

    def _append(
        self, kind: Kind, content: bytes, count: int, from_ms: int | None = None, to_ms: int | None = None
    ) -> None:
        stored = content if kind is Kind.FRAME else compress(content)
        if len(content) > MAX_FRAME_BYTES:
            raise RecordingError(Code.CHUNK_TOO_LARGE, f"a {kind.value} chunk of {len(content)} bytes")
        self._reserve(len(stored))
        self._chunks.append(
            Chunk(
                kind=kind,
                length=len(stored),
                size=len(content),
                hash=sha256(stored),
                count=count,
                from_ms=from_ms,
                to_ms=to_ms,
            )
        )
        self._file.write(stored)

    def _reserve(self, size: int) -> None:
        self._written += size
        if self._written > MAX_RECORDING_BYTES:
            raise RecordingError(
                Code.TOO_LARGE,
                f"over {MAX_RECORDING_BYTES} bytes",
                hint="end the segment sooner, or store boxes of the screen instead of the whole",
            )


def _next(items: Sized, kind: Kind) -> int:
    """Return the number of the next item."""
    if len(items) >= ITEMS_IN_FILE[kind]:
        raise RecordingError(Code.TOO_MANY, f"over {ITEMS_IN_FILE[kind]} items of kind {kind.value}")
    return len(items)


def _groups(items: list[V], size: int) -> Iterable[tuple[V, ...]]:
    for start in range(0, len(items), size):
        yield tuple(items[start : start + size])


def _fit(value: Value) -> None:
    """Check what Python did not when the value was built: bounds, patterns, characters."""
    try:
        refit(value)
    except FormatError as error:
        raise RecordingError(
            Code.MALFORMED, f"a {type(value).__name__} breaks a bound of its type"
        ) from error


def _raise_first(findings: Iterable[tuple[Code, str]]) -> None:
    for code, message in findings:
        raise RecordingError(code, message)
