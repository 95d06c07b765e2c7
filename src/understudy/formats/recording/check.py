"""Checks a whole recording file and lists the rules that it breaks.

Rules

* Never raises on bad input: what cannot be read is a problem in the report too.
* A damaged chunk does not hide the others: what depends on it is not judged, all else is.
* Memory is bounded: one chunk and one decoded frame at a time, and facts of a few bytes for each item.
* A report names codes, chunks and numbers; it never holds recorded text.

Example

>>> import io
>>> check(io.BytesIO(b"")).codes
frozenset({'truncated'})
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

from understudy.formats.elements import ElementTree, tree_problems
from understudy.formats.recording.actions import Action
from understudy.formats.recording.bounds import MAX_TOTAL_PIXELS
from understudy.formats.recording.chunks import (
    actions_in,
    fetch,
    frame_in,
    gaps_in,
    manifest_in,
    unjudged_trees_in,
    versions_in,
)
from understudy.formats.recording.errors import Code, RecordingError
from understudy.formats.recording.frames import Frame, identity
from understudy.formats.recording.gaps import Gap
from understudy.formats.recording.layout import Chunk, Kind, load
from understudy.formats.recording.manifest import Manifest, manifest_problems
from understudy.formats.recording.rules import (
    Finding,
    TreeFacts,
    action_problems,
    facts_of,
    frame_problems,
    gap_problems,
    time_problems,
    unreferenced_problems,
    version_problems,
)
from understudy.formats.recording.versions import Version
from understudy.formats.report import MAX_PROBLEMS, Problem, Report
from understudy.formats.source import RandomAccess
from understudy.formats.spelling import spell
from understudy.sealing.errors import UnderstudyError

T = TypeVar("T")


def check(source: RandomAccess) -> Report:
    """Return the broken rules of the file, at most ``MAX_PROBLEMS``."""
    problems: list[Problem] = []
    try:
        problems.extend(islice(_Check(source).problems(), MAX_PROBLEMS))
    except RecordingError as error:
        problems.append(Problem(code=error.code.value, message=error.reason))
    except (UnderstudyError, OSError, ValueError, EOFError) as error:
        message = f"the file cannot be read: {type(error).__name__}"
        problems.append(Problem(code=Code.UNREADABLE.value, message=message))
    return Report(problems=tuple(problems))


class _Check:
    """Walks a file kind by kind: what is named before what names it."""

    def __init__(self, source: RandomAccess) -> None:
        self._source = source
        self._index = load(source)
        self._manifest: Manifest | None = None
        self._trees: list[TreeFacts | None] = []
        self._versions: list[Version | None] = []
        self._seen: set[bytes] = set()
        self._pixels = 0

    def problems(self) -> Iterator[Problem]:
        """Yield the problems of all chunks."""
        yield from self._walk(Kind.MANIFEST, manifest_in, self._manifest_problems)
        yield from self._walk(Kind.TREES, unjudged_trees_in, self._tree_problems)
        yield from self._walk(Kind.FRAME, frame_in, self._frame_problems)
        yield from self._walk(Kind.VERSIONS, versions_in, self._version_problems)
        yield from self._reference_problems()
        yield from self._walk(Kind.ACTIONS, actions_in, self._action_problems)
        yield from self._walk(Kind.GAPS, gaps_in, self._gap_problems)

    def _walk(
        self, kind: Kind, parse: Callable[[Chunk, bytes], T], judge: Callable[[T], Iterator[Finding]]
    ) -> Iterator[Problem]:
        for place, chunk, offset in self._chunks(kind):
            try:
                items = parse(chunk, fetch(self._source, chunk, offset))
            except RecordingError as error:
                yield Problem(code=error.code.value, message=error.reason, chunk=place)
                self._leave_room(chunk)
            else:
                for code, message in judge(items):
                    yield Problem(code=code.value, message=message, chunk=place)

    def _chunks(self, kind: Kind) -> Iterator[tuple[int, Chunk, int]]:
        for place, (chunk, offset) in enumerate(zip(self._index.chunks, self._index.offsets, strict=False)):
            if chunk.kind is kind:
                yield place, chunk, offset

    def _leave_room(self, chunk: Chunk) -> None:
        """Keep the numbers of later items right after a damaged chunk."""
        if chunk.kind is Kind.TREES:
            self._trees.extend([None] * chunk.count)
        elif chunk.kind is Kind.VERSIONS:
            self._versions.extend([None] * chunk.count)

    def _manifest_problems(self, manifest: Manifest) -> Iterator[Finding]:
        self._manifest = manifest
        yield from manifest_problems(manifest)

    def _tree_problems(self, trees: tuple[ElementTree, ...]) -> Iterator[Finding]:
        for tree in trees:
            self._trees.append(facts_of(tree))
            yield from ((Code(code), message) for code, message in tree_problems(tree))
            yield from self._twin_problems(hashlib.sha256(spell(tree)).digest())

    def _frame_problems(self, frame: Frame) -> Iterator[Finding]:
        if self._manifest is not None:
            yield from frame_problems(frame, self._manifest.screen)
        self._pixels += frame.pixels
        if self._pixels > MAX_TOTAL_PIXELS:
            yield Code.TOO_MANY_PIXELS, f"over {MAX_TOTAL_PIXELS} pixels in all frames"
            return  # decoding is what the bound is about
        try:
            picture = frame.picture()
        except RecordingError as error:
            yield error.code, error.reason
        else:
            yield from self._twin_problems(identity(frame.x, frame.y, picture))

    def _version_problems(self, versions: tuple[Version, ...]) -> Iterator[Finding]:
        self._versions.extend(versions)
        frames = self._index.count(Kind.FRAME)
        for version in versions:
            yield from version_problems(version, len(self._trees), frames)
        yield from self._time_problems(version.at_ms for version in versions)

    def _reference_problems(self) -> Iterator[Problem]:
        known = [version for version in self._versions if version is not None]
        if len(known) == len(self._versions):
            frames = self._index.count(Kind.FRAME)
            for code, message in unreferenced_problems(known, len(self._trees), frames):
                yield Problem(code=code.value, message=message)

    def _action_problems(self, actions: tuple[Action, ...]) -> Iterator[Finding]:
        for action in actions:
            yield from action_problems(action, self._versions, self._trees)
        yield from self._time_problems(action.at_ms for action in actions)

    def _gap_problems(self, gaps: tuple[Gap, ...]) -> Iterator[Finding]:
        yield from gap_problems(gaps)
        yield from self._time_problems(time for gap in gaps for time in (gap.from_ms, gap.to_ms))

    def _time_problems(self, times: Iterable[int]) -> Iterator[Finding]:
        if self._manifest is not None:
            yield from time_problems(times, self._manifest)

    def _twin_problems(self, key: bytes) -> Iterator[Finding]:
        if key in self._seen:
            yield Code.DUPLICATE, "equal to an earlier one"
        self._seen.add(key)
